"""What trajectories of the two come to from the same states of the region."""

from __future__ import annotations

import numpy as np

from bifrncrn.comparison.outcomes import (
    BESIDE,
    EDGE,
    KNOWN,
    beside,
    corner_outcome,
    corners,
    outcome_at,
    starts,
)
from bifrncrn.comparison.sections import Section, pairs, section
from bifrncrn.comparison.side import Outcome, Side
from bifrncrn.comparison.window import Window

# what every sentence says of a trajectory that does not end up in the region
LEAVES = "leaves"
# what trajectories come to, in words
FATES = {"rest": "comes to rest", "cycle": "comes to a cycle", "away": f"{LEAVES} the region"}
# what is known of trajectories from corners that end up in the region
STAYS = ("stays", "returns")
KINDS = {"rest": "equilibrium", "cycle": "periodic"}
DECIDED = (*FATES, *STAYS)
BESIDE_WORDS = f"{EDGE:g} of the region beside it: a border of basins is near"

Said = dict[str, list[float]]


def fates(one: Side, two: Side, window: Window) -> tuple[list[str], list[str], list[str]]:
    """Return sentences on trajectories that come to something else, on those that nobody can say it of, and notes.

    A difference counts where it is there from states beside the start too: a start may be an unstable equilibrium of
    one of the two, or on the border between two basins. Others are noted.
    """
    differ: Said = {}
    unclear: Said = {}
    slight: Said = {}
    for value, number in sorted(set(one.fates) & set(two.fates)):
        look = _from_corner if number < 0 else _from_inside
        look(one, two, window, value, number, (differ, unclear, slight))
    name = one.diagram.parameter
    return _sentences(differ, name), _sentences(unclear, name), _sentences(slight, name)


def _from_inside(
    one: Side, two: Side, window: Window, value: float, number: int, said: tuple[Said, Said, Said]
) -> None:
    """Say what trajectories from a start inside the region come to, where that is not the same."""
    _, unclear, _ = said
    a, b = one.fates[value, number], two.fates[value, number]
    text = _unlike(one, two, window, value, a, b)
    if "undecided" in (a.kind, b.kind):
        unclear.setdefault("it was not found out what trajectories come to", []).append(value)
    elif a.kind == b.kind and a.kind not in FATES:
        unclear.setdefault(f"trajectories of both show {a.kind}, which was not compared", []).append(value)
    elif text:
        own = number >= len(starts(window))  # the start of the system's own
        others = [] if own else beside(starts(window)[number], window)
        around = [(outcome_at(one, window, value, x), outcome_at(two, window, value, x)) for x in others]
        like = [_unlike(one, two, window, value, *ends) for ends in around]
        _sort(f"from the same state {text}", value, around, like, said)


def _from_corner(
    one: Side, two: Side, window: Window, value: float, number: int, said: tuple[Said, Said, Said]
) -> None:
    """Say what becomes of trajectories from a corner of the region, where that is not the same.

    Those that leave for a while come to what is in the region all the same: from one state of it the one ends up there
    and the other never does.
    """
    slight = said[2]
    a, b = one.fates[value, number], two.fates[value, number]
    known = (*STAYS, "away")
    if a.kind not in known or b.kind not in known:
        text = "it was not found out what becomes of every trajectory from the corners of the region"
        slight.setdefault(text, []).append(value)
        return
    text = _unlike_corners(one, two, window, value, a, b)
    if not text:
        return
    others = [corners(window, shares)[-number - 1] for shares in (BESIDE, BESIDE[::-1])]
    around = [(corner_outcome(one, window, value, x), corner_outcome(two, window, value, x)) for x in others]
    like = [_unlike_corners(one, two, window, value, *ends) for ends in around]
    _sort(f"from a corner of the region {text}", value, around, like, said)


def _sort(
    text: str,
    value: float,
    around: list[tuple[Outcome, Outcome]],
    like: list[str],
    said: tuple[Said, Said, Said],
) -> None:
    """Put a difference where it belongs: `like` says how what trajectories from beside it come to differs."""
    differ, unclear, slight = said
    if all(like):
        differ.setdefault(text, []).append(value)
    elif any(end.kind not in DECIDED for ends in around for end in ends):
        unclear.setdefault(f"{text}; from states beside it that was not found out", []).append(value)
    else:
        slight.setdefault(f"{text}, but not from all states {BESIDE_WORDS}", []).append(value)


def _unlike_corners(one: Side, two: Side, window: Window, value: float, a: Outcome, b: Outcome) -> str:
    """Return how the trajectories of both from a corner differ, in words; empty where they do not."""
    for stays, other, first, second in ((one, two, a, b), (two, one, b, a)):
        if first.kind in STAYS and second.kind == "away":
            return (
                f"a trajectory of the {stays.word} stays in it or comes back to it, but one of the {other.word} "
                f"{LEAVES} it for good"
            )
    both = [Outcome(_kind(end), end.low, end.high) for end in (a, b)]
    return _unlike(one, two, window, value, *both) if all(end.kind in KINDS for end in both) else ""


def _kind(end: Outcome) -> str:
    """Return what a trajectory that ends in the region comes to."""
    if end.kind not in STAYS or end.low is None or end.high is None:
        return end.kind
    return "rest" if (end.low == end.high).all() else "cycle"


def _unlike(one: Side, two: Side, window: Window, value: float, a: Outcome, b: Outcome) -> str:
    """Return how what the trajectories of both come to differs, in words; empty where it does not, or nobody knows."""
    if "undecided" in (a.kind, b.kind) or (a.kind == b.kind and not _elsewhere(one, two, window, value, a, b)):
        return ""
    one_does, two_does = (FATES.get(end.kind, f"shows {end.kind}") for end in (a, b))
    other = {"rest": ", at another", "cycle": ", another one"}[a.kind] if a.kind == b.kind else ""
    return f"the {one.word} {one_does} and the {two.word} {two_does}{other}"


def _elsewhere(one: Side, two: Side, window: Window, value: float, a: Outcome, b: Outcome) -> bool:
    """Say whether two outcomes of one kind are stable states, or cycles, of which each corresponds to another one."""
    if a.kind not in KINDS:
        return False
    parts = [section(side.diagram, KINDS[a.kind], side.names, value, window) for side in (one, two)]
    first, second = (_which(part, end, window) for part, end in zip(parts, (a, b)))
    if first is None or second is None:
        return False
    together = dict(pairs(parts[0], parts[1], np.tile(window.scale[1:], 1 if a.kind == "rest" else 2)))
    return first in together and second in together.values() and together[first] != second


def _which(part: Section, end: Outcome, window: Window) -> int | None:
    """Return the number of the stable one of a section that a trajectory came to, where that can be said."""
    if end.low is None or end.high is None or not len(part.places):
        return None
    place = end.low if part.places.shape[1] == len(end.low) else np.concatenate([end.low, end.high])
    gaps = np.abs((part.places - place) / np.resize(window.scale[1:], len(place))).max(axis=1)
    nearest = int(np.argmin(gaps))
    return nearest if gaps[nearest] <= KNOWN and part.unstable[nearest] == 0 else None


def _sentences(said: Said, name: str) -> list[str]:
    return [f"at {name} = {', '.join(f'{v:.4g}' for v in dict.fromkeys(at))} {text}" for text, at in said.items()]
