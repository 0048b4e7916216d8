"""Look at everything two diagrams show, and say every disagreement in a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from bifrncrn.base.tables import format_number
from bifrncrn.comparison import sections
from bifrncrn.comparison.branch_distance import Gap, branch_gap, polylines
from bifrncrn.comparison.comparison import ComparedCycle, Comparison, Disagreement, Match, Stability, where
from bifrncrn.comparison.cycles import Side, branch_rows, probes, with_cycles
from bifrncrn.comparison.matching import REACH, Place, differences, distance, match, paired, places, unknown
from bifrncrn.comparison.sections import Section
from bifrncrn.comparison.shapes import compared_cycles
from bifrncrn.comparison.window import Box, Window, common_states, states_of, window_of
from bifrncrn.diagrams.results import Diagram, SpecialPoint

DEATHS = {"homoclinic": "a homoclinic orbit", "snic": "a saddle-node on the cycle", "infinity": "growth to infinity"}
"""Ends of branches of cycles that are no special points."""
UNFINISHED = ("step", "points", "time", "not finite")  # ends of branches after which nobody looked


@dataclass(frozen=True, eq=False)
class Points:
    """The special points of two diagrams, paired."""

    matched: tuple[Match, ...]
    missing: tuple[SpecialPoint, ...]
    extra: tuple[SpecialPoint, ...]
    outside: tuple[SpecialPoint, ...]
    changed: tuple[str, ...]


def judged(
    first: Diagram, second: Diagram, tolerance: float, shape_tolerance: float, box: Box | None, words: tuple[str, str]
) -> Comparison:
    """Return the comparison of two diagrams whose arguments were checked."""
    names = common_states(states_of(first), states_of(second))
    window = window_of(first, second, names, box, tolerance)
    sides = (Side(words[0], first, tuple(names)), Side(words[1], second, tuple(names.values())))
    values = probes(sides, window, tolerance)
    one, two = (with_cycles(side, window, values) for side in sides) if names else sides
    if box is None:  # the cycles belong to what the region is measured by
        window = window_of(one.diagram, two.diagram, names, box, tolerance)
    points = _points(one, two, window, tolerance, shape_tolerance)
    lines = [polylines(side.diagram, (side.diagram.parameter, *side.names)) for side in (one, two)]
    gap = branch_gap(lines[0], lines[1], window) if names else None
    stability, sizes, dim = _sections(one, two, window, tolerance, shape_tolerance) if names else (None, [], [])
    cycles, unseen = compared_cycles(one, two, window, tolerance, shape_tolerance) if names else ([], [])
    said, unclear = _fates(one, two)
    beyond = _beyond(one, two)
    reasons = [
        *_point_reasons(points, one, two),
        *([] if stability is None else map(_said(first.parameter), (*stability.equilibria, *stability.cycles))),
        *map(_said(first.parameter), sizes),
        *_cycle_reasons(cycles, shape_tolerance, one),
        *_gap_reasons(gap, shape_tolerance, one),
        *_deaths(one, two, window, tolerance),
        *said,
    ]
    unjudged = [
        *one.unjudged, *two.unjudged, *unseen, *unclear, *map(_said(first.parameter), dim),
        *(said for pair in points.matched for said in unknown(pair, words, first.parameter)),
        *(said for side in (one, two) for said in _unfinished(side, window)),
        *([] if names else ["the two have no state in common, so only their special points were compared"]),
    ]  # fmt: skip
    return Comparison(
        target=one.diagram,
        learned=two.diagram,
        tolerance=tolerance,
        shape_tolerance=shape_tolerance,
        words=words,
        box=None if box is None else dict(box),
        names=names,
        matched=points.matched,
        missing=points.missing,
        extra=points.extra,
        outside=points.outside,
        branch_distance=None if gap is None else gap.mean,
        orbit_distance=max((cycle.distance for cycle in cycles), default=None),
        cycles=tuple(cycles),
        stability=stability,
        reasons=tuple(dict.fromkeys(reasons)),
        unjudged=tuple(dict.fromkeys(unjudged)),
        notes=(*points.changed, *beyond, *_notes(one, two, gap, values)),
        beyond=beyond,
    )


def completed(diagram: Diagram, tolerance: float, box: Box | None) -> Diagram:
    """Return a diagram with the cycles that `compare` would follow for it."""
    names = states_of(diagram)
    window = window_of(diagram, diagram, {name: name for name in names}, box, tolerance)
    side = Side("target", diagram, names)
    return with_cycles(side, window, probes((side,), window, tolerance)).diagram


def paired_points(
    first: Diagram, second: Diagram, tolerance: float, box: Box | None, shape_tolerance: float = np.inf
) -> Points:
    """Return the special points of two diagrams paired, and nothing else compared: quick, to rank many networks.

    Without `shape_tolerance` their states and frequencies are not judged. Points on cycles are left out.
    """
    first, second = (_of_equilibria(diagram) for diagram in (first, second))
    names = common_states(states_of(first), states_of(second))
    window = window_of(first, second, names, box, tolerance)
    sides = (Side("target", first, tuple(names)), Side("learned", second, tuple(names.values())))
    return _points(*sides, window, tolerance, shape_tolerance)


def _of_equilibria(diagram: Diagram) -> Diagram:
    """Return a diagram with the special points of its equilibria only."""
    kinds = {branch.id: branch.kind for branch in diagram.branches}
    kept = tuple(point for point in diagram.special_points if kinds.get(point.branch) != "periodic")
    return replace(diagram, special_points=kept)


def _points(one: Side, two: Side, window: Window, tolerance: float, shape_tolerance: float) -> Points:
    """Return the special points paired; those alone are judged in the region only."""
    rows, columns = (places(side.diagram, side.names, window) for side in (one, two))
    pairs, alone, strangers = paired(rows, columns, window)
    missing, extra = ([p for p, place in part if window.judges(place[None])[0]] for part in (alone, strangers))
    kept = {id(p) for p in missing + extra}
    return Points(
        matched=tuple(match(a, b, tolerance * window.width, shape_tolerance, window) for a, b in pairs),
        missing=tuple(missing),
        extra=tuple(extra),
        outside=tuple(p for p, _ in alone + strangers if id(p) not in kept),
        changed=tuple(_changed(alone, strangers, missing, extra, window, one, two)),
    )


def _changed(
    alone: list[Place], strangers: list[Place], missing: list[SpecialPoint], extra: list[SpecialPoint],
    window: Window, one: Side, two: Side,
) -> list[str]:  # fmt: skip
    """Return a note for every missing point near which there is an extra one of another label."""
    notes = []
    for point, place in alone:
        near = [p for p, q in strangers if p in extra and distance(place, q, window) < REACH / 2]
        if point in missing and near:
            others = ", ".join(where(p, two.diagram.parameter) for p in near)
            notes.append(
                f"{where(point, one.diagram.parameter)} has changed kind: near it the {two.word} diagram has {others}"
            )
    return notes


def _point_reasons(points: Points, one: Side, two: Side) -> list[str]:
    words = (one.word, two.word)
    said = [text for pair in points.matched for text in differences(pair, words, one.diagram.parameter)]
    said += [
        f"{where(p, one.diagram.parameter)} of the {one.word} is missing in the {two.word}" for p in points.missing
    ]
    said += [f"{where(p, two.diagram.parameter)} of the {two.word} is not in the {one.word}" for p in points.extra]
    return said


def _sections(
    one: Side, two: Side, window: Window, tolerance: float, shape_tolerance: float
) -> tuple[Stability, list[Disagreement], list[Disagreement]]:
    """Return over which parameters equilibria and cycles differ in number and stability, and cycles in size.

    The last are those over which a stability is not known.
    """
    values = sections.values_of(window, tolerance)
    reach, words = tolerance * window.width, (one.word, two.word)
    counted: dict[str, list[Disagreement]] = {}
    sizes: list[Disagreement] = []
    dim: list[Disagreement] = []
    for noun, kind in (("equilibrium", "equilibrium"), ("cycle", "periodic")):
        parts = [[sections.section(s.diagram, kind, s.names, v, window) for s in (one, two)] for v in values]
        texts = [sections.counted(a, b, window, noun, words) for a, b in parts]
        there = [bool(a.judged.any() or b.judged.any()) for a, b in parts]
        counted[noun] = sections.runs(values, texts, reach, there)
        dim += sections.runs(values, [sections.unclear(a, b, noun, words) for a, b in parts], reach, there)
        if kind == "periodic":
            texts = [_resized(a, b, v, two, window, reach, shape_tolerance, one.names, words)
                     for v, (a, b) in zip(values, parts)]  # fmt: skip
            both = [bool(a.judged.any() and b.judged.any()) for a, b in parts]
            sizes = sections.runs(values, texts, reach, both)
    looked = tuple(float(v) for v in values)
    return Stability(tuple(counted["equilibrium"]), tuple(counted["cycle"]), looked), sizes, dim


def _resized(
    first: Section, second: Section, value: float, two: Side, window: Window, reach: float, allowed: float,
    names: Sequence[str], words: tuple[str, str],
) -> str | None:  # fmt: skip
    def nearby(branch: int) -> np.ndarray:
        return branch_rows(two.diagram.branches[branch], two.diagram.parameter, two.names, value - reach, value + reach)

    return sections.resized(first, second, window, nearby, allowed, names, words)


def _said(parameter: str):  # type: ignore[no-untyped-def]
    def sentence(part: Disagreement) -> str:
        return f"for {parameter} from {part.low:.4g} to {part.high:.4g} {part.text}"

    return sentence


def _cycle_reasons(cycles: Sequence[ComparedCycle], allowed: float, one: Side) -> list[str]:
    said = []
    for cycle in cycles:
        if max(cycle.hausdorff, cycle.distance) > allowed:
            said.append(
                f"at {one.diagram.parameter} = {cycle.value:.4g} the cycles' shapes differ: they lie up to "
                f"{cycle.hausdorff:.2g} of their size apart, {cycle.distance:.2g} at equal phases"
            )
    return said


def _gap_reasons(gap: Gap | None, allowed: float, one: Side) -> list[str]:
    if gap is None or gap.most <= allowed:
        return []
    return [
        f"the branches lie up to {gap.most:.2g} of the region apart, near {one.diagram.parameter} = {gap.value:.4g}"
    ]


def _deaths(one: Side, two: Side, window: Window, tolerance: float) -> list[str]:
    """Return a sentence for every end of cycles without a special point that the other side does not have there."""
    said = []
    for a, b in ((one, two), (two, one)):
        others = _ends(b, window)
        for value, reason in _ends(a, window):
            if not any(abs(v - value) <= tolerance * window.width and r == reason for v, r in others):
                said.append(
                    f"cycles of the {a.word} end in {DEATHS[reason]} at {a.diagram.parameter} = {value:.6g}, "
                    f"those of the {b.word} do not"
                )
    return said


def _ends(side: Side, window: Window) -> list[tuple[float, str]]:
    """Return where and how the cycles in the region end other than in special points."""
    found = []
    for branch in side.diagram.branches:
        if branch.kind != "periodic":
            continue
        middle = [0.5 * (branch.column(f"min {name}") + branch.column(f"max {name}")) for name in side.names]
        rows = np.column_stack([branch.column(side.diagram.parameter), *middle])
        for row, end in zip((rows[0], rows[-1]), branch.ended):
            if end.reason in DEATHS and window.judges(row[None])[0]:
                found.append((float(row[0]), end.reason))
    return found


def _fates(one: Side, two: Side) -> tuple[list[str], list[str]]:
    """Return sentences on trajectories that come to something else, and on those that nobody can say it of."""
    differ: dict[str, list[float]] = {}
    unclear: dict[str, list[float]] = {}
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
    name = one.diagram.parameter
    for value in _escapes(one, two)[0]:
        stay = f"from corners of the region all trajectories of the {one.word} stay in it"
        text = f"{stay}, but one of the {two.word} leaves it"
        differ.setdefault(text, []).append(value)
    said, open_ = (
        [f"at {name} = {', '.join(f'{v:.4g}' for v in dict.fromkeys(at))} {text}" for text, at in part.items()]
        for part in (differ, unclear)
    )
    return said, open_


def _escapes(one: Side, two: Side) -> tuple[list[float], list[float]]:
    """Return at which values trajectories of the second leave the region from its corners, and none of the first does.

    First those at which the first's stay in it all the time; then those at which they come back after a while outside,
    where the region does not say what there is.
    """
    looked = {key for key in one.fates if key[1] < 0}
    gone = {key[0] for key in looked if two.fates.get(key) == "away"}
    back = {value: {one.fates[key] for key in looked if key[0] == value} for value in gone}
    stays = [value for value in sorted(gone) if back[value] == {"stays"}]
    returns = [value for value in sorted(gone) if "returns" in back[value] <= {"stays", "returns"}]
    return stays, returns


def _beyond(one: Side, two: Side) -> tuple[str, ...]:
    values = _escapes(one, two)[1]
    if not values:
        return ()
    at = ", ".join(f"{value:.4g}" for value in values)
    return (
        f"at {one.diagram.parameter} = {at} a trajectory of the {two.word} from a corner of the region leaves it for "
        f"good; those of the {one.word} come back to it",
    )


# what trajectories come to, in words
FATES = {"rest": "comes to rest", "cycle": "comes to a cycle", "away": "leaves the region"}


def _unfinished(side: Side, window: Window) -> list[str]:
    """Return a sentence for every branch of equilibria that ends inside the region for want of anything better."""
    said = []
    for branch in side.diagram.branches:
        columns = (side.diagram.parameter, *side.names)
        if branch.kind != "equilibrium" or not set(columns) <= set(branch.columns):
            continue
        for row, end in zip((0, -1), branch.ended):
            place = np.array([branch.column(name)[row] for name in columns])
            if end.reason in UNFINISHED and window.holds(place[None])[0]:
                said.append(f"a branch of the {side.word} was not followed to its end: {end.message}")
    return said


def _notes(one: Side, two: Side, gap: Gap | None, values: Sequence[float]) -> list[str]:
    """Return what a reader should know beside the tables."""
    notes = [
        f"the {p.label} of the {side.word} between {p.bracket} could not be refined"
        for side in (one, two)
        for p in side.diagram.special_points
        if p.status == "bracketed" and p.bracket
    ]
    if gap is None:
        notes.append("a diagram has no equilibria in the compared region, so there is no distance of their branches")
    if one.fates and two.fates:
        at = ", ".join(format_number(value, 4) for value in values)
        notes.append(
            f"cycles: those of the Hopf points in the region, and what trajectories came to at {one.diagram.parameter} "
            f"= {at}; repelling ones that are born elsewhere are not seen"
        )
    return notes
