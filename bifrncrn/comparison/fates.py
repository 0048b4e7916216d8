"""What trajectories of the two come to from the same states of the region."""

from __future__ import annotations

from bifrncrn.comparison.cycles import EDGE, Side, corner_fate, fate_beside, starts
from bifrncrn.comparison.window import Window

# what trajectories come to, in words
FATES = {"rest": "comes to rest", "cycle": "comes to a cycle", "away": "leaves the region"}

# what is known of trajectories from corners that end up in the region
STAYS = ("stays", "returns")
# of `EDGE`: where others start, a fiftieth of the region's sides nearer and further
BESIDE = (0.6, 1.4)

Said = dict[str, list[float]]


def fates(one: Side, two: Side, window: Window) -> tuple[list[str], list[str]]:
    """Return sentences on trajectories that come to something else, and on those that nobody can say it of."""
    differ: Said = {}
    unclear: Said = {}
    for key in sorted(set(one.fates) & set(two.fates)):
        if key[1] < 0:
            continue
        a, b = one.fates[key], two.fates[key]
        if "undecided" in (a, b):
            unclear.setdefault("it was not found out what trajectories come to", []).append(key[0])
        elif a == b and a not in FATES:
            unclear.setdefault(f"trajectories of both show {a}, which was not compared", []).append(key[0])
        elif a != b and not {a, b} <= {"rest", "cycle"} and _sure(one, two, window, key):
            one_does, two_does = (FATES.get(fate, f"shows {fate}") for fate in (a, b))
            text = f"from the same state the {one.word} {one_does} and the {two.word} {two_does}"
            differ.setdefault(text, []).append(key[0])
    for a_side, b_side in ((one, two), (two, one)):
        for value in _escapes(a_side, b_side, window):
            text = (
                f"from a corner of the region a trajectory of the {a_side.word} stays in it or comes back to it, but "
                f"one of the {b_side.word} leaves it for good"
            )
            differ.setdefault(text, []).append(value)
    return _sentences(differ, one.diagram.parameter), _sentences(unclear, one.diagram.parameter)


def _sure(one: Side, two: Side, window: Window, key: tuple[float, int]) -> bool:
    """Say whether trajectories come to the same as from a start from states beside it too, on both sides.

    A start may be an unstable equilibrium of one of them, or on the border between two basins.
    """
    value, number = key
    if number >= len(starts(window)):
        return True  # the start of the system's own
    return all(
        fate_beside(side, window, value, number, off) == side.fates[key] for side in (one, two) for off in (-EDGE, EDGE)
    )


def _escapes(keeps: Side, loses: Side, window: Window) -> list[float]:
    """Return at which values a trajectory from a corner leaves the region for good on one side and not on the other.

    Starts in corners have negative numbers. Those that leave for a while come to what is in the region all the same:
    from one state of it the one ends up there and the other never does. It has to be so from states beside the corner
    too, for on the border between what comes back and what does not two systems that agree differ.
    """
    found = []
    for value, number in sorted(set(keeps.fates) & set(loses.fates)):
        there, here = keeps.fates[value, number], loses.fates[value, number]
        if number < 0 and there in STAYS and here == "away" and value not in found:
            beside = [EDGE * share for share in BESIDE]
            kept = all(corner_fate(keeps, window, value, -number - 1, edge) in STAYS for edge in beside)
            if kept and all(corner_fate(loses, window, value, -number - 1, edge) == "away" for edge in beside):
                found.append(value)
    return found


def _sentences(said: Said, name: str) -> list[str]:
    return [f"at {name} = {', '.join(f'{v:.4g}' for v in dict.fromkeys(at))} {text}" for text, at in said.items()]
