"""What trajectories of the two come to from the same states of the region."""

from __future__ import annotations

from collections.abc import Mapping

from bifrncrn.comparison.cycles import Side

# what trajectories come to, in words
FATES = {"rest": "comes to rest", "cycle": "comes to a cycle", "away": "leaves the region"}

Said = dict[str, list[float]]


def fates(one: Side, two: Side) -> tuple[list[str], list[str]]:
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
        elif a != b and not {a, b} <= {"rest", "cycle"}:
            one_does, two_does = (FATES.get(fate, f"shows {fate}") for fate in (a, b))
            text = f"from the same state the {one.word} {one_does} and the {two.word} {two_does}"
            differ.setdefault(text, []).append(key[0])
    for a_side, b_side in ((one, two), (two, one)):
        for value in _escapes(a_side.fates, b_side.fates):
            text = (
                f"from corners of the region all trajectories of the {a_side.word} stay in it or come back to it, but "
                f"one of the {b_side.word} leaves it for good"
            )
            differ.setdefault(text, []).append(value)
    return _sentences(differ, one.diagram.parameter), _sentences(unclear, one.diagram.parameter)


def _escapes(keeps: Mapping[tuple[float, int], str], loses: Mapping[tuple[float, int], str]) -> list[float]:
    """Return at which values a trajectory from a corner leaves the region for good, and none of the other side's does.

    Starts in corners have negative numbers. Those that leave for a while come to what is in the region all the same:
    from one state of it the one ends up there and the other never does.
    """
    gone = {key[0] for key, fate in loses.items() if key[1] < 0 and fate == "away"}
    kept = {value: {fate for key, fate in keeps.items() if key[1] < 0 and key[0] == value} for value in gone}
    return [value for value in sorted(gone) if kept[value] and kept[value] <= {"stays", "returns"}]


def _sentences(said: Said, name: str) -> list[str]:
    return [f"at {name} = {', '.join(f'{v:.4g}' for v in dict.fromkeys(at))} {text}" for text, at in said.items()]
