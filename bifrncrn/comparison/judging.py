"""Look at everything two diagrams show, and say every disagreement in a sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from bifrncrn.base.tables import format_number
from bifrncrn.comparison import sections
from bifrncrn.comparison.branch_distance import Gap, branch_gap, polylines
from bifrncrn.comparison.comparison import ComparedCycle, Comparison, Disagreement, Match, Stability, where
from bifrncrn.comparison.cycles import probes, with_cycles
from bifrncrn.comparison.ends import beyond, deaths, near_an_end, unfinished
from bifrncrn.comparison.fates import fates
from bifrncrn.comparison.matching import REACH, Place, differences, distance, match, paired, places, unknown
from bifrncrn.comparison.sections import Section
from bifrncrn.comparison.shapes import compared_cycles
from bifrncrn.comparison.side import Side, on_a_line
from bifrncrn.comparison.window import Box, Window, common_states, states_of, window_of
from bifrncrn.diagrams.results import Diagram, SpecialPoint


@dataclass(frozen=True, eq=False)
class Points:
    """The special points of two diagrams, paired; `alone` are the parameters of those missing and extra."""

    matched: tuple[Match, ...]
    missing: tuple[SpecialPoint, ...]
    extra: tuple[SpecialPoint, ...]
    outside: tuple[SpecialPoint, ...]
    changed: tuple[str, ...]
    alone: tuple[float, ...]


Seen = dict[tuple[Diagram, tuple[float, ...]], Side]


def judged(
    first: Diagram, second: Diagram, tolerance: float, shape_tolerance: float, box: Box | None, words: tuple[str, str],
    seen: Seen | None = None,
) -> Comparison:  # fmt: skip
    """Return the comparison of two diagrams whose arguments were checked.

    In `seen` what was found out of the first is kept for the next comparison with it, of the same box and tolerances.
    """
    names = common_states(states_of(first), states_of(second))
    window = window_of(first, second, names, box, tolerance)
    sides = (Side(words[0], first, tuple(names)), Side(words[1], second, tuple(names.values())))
    values = probes(sides, window, tolerance)
    one, two, window = _with_cycles(sides, window, values, names, box, tolerance, seen)
    points = _points(one, two, window, tolerance, shape_tolerance)
    room = tolerance * window.width
    died = deaths(one, two, window, room)
    if names and near_an_end([*points.alone, *(value for value, _ in died)], window, room):
        wider = [beyond(side, window, room) for side in sides]
        one, two, window = _with_cycles(wider, window, values, names, box, tolerance)
        points = _points(one, two, window, tolerance, shape_tolerance)
        died = deaths(one, two, window, room)
    lines = [polylines(side.diagram, (side.diagram.parameter, *side.names)) for side in (one, two)]
    gap = branch_gap(lines[0], lines[1], window) if names else None
    cut = {kind: _cut(one, two, kind, window, tolerance) for kind in NOUNS.values()} if names else {}
    stability, sizes, dim = _sections(one, two, cut, window, tolerance, shape_tolerance) if names else (None, [], [])
    cycles, unseen = (
        compared_cycles(one, two, cut["periodic"], window, tolerance, shape_tolerance) if names else ([], [])
    )
    said, unclear, slight = fates(one, two, window)
    reasons = [
        *_point_reasons(points, one, two),
        *([] if stability is None else map(_said(first.parameter), (*stability.equilibria, *stability.cycles))),
        *map(_said(first.parameter), sizes),
        *_cycle_reasons(cycles, shape_tolerance, one),
        *_gap_reasons(gap, shape_tolerance, one),
        *(text for _, text in died),
        *said,
    ]
    unjudged = [
        *one.unjudged, *two.unjudged, *unseen, *unclear, *map(_said(first.parameter), dim),
        *(said for pair in points.matched for said in unknown(pair, words, first.parameter)),
        *(said for side in (one, two) for said in unfinished(side, window)),
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
        notes=(*points.changed, *slight, *_notes(one, two, gap, values)),
    )


def _with_cycles(
    sides: Sequence[Side], window: Window, values: Sequence[float], names: dict[str, str], box: Box | None,
    tolerance: float, seen: Seen | None = None,
) -> tuple[Side, Side, Window]:  # fmt: skip
    """Return the sides with their cycles, which belong to what the region is measured by where there is no box."""
    one, two = sides
    if names and not all(on_a_line(side) for side in sides):  # where both are, equilibria tell all
        key = (one.diagram, tuple(values))
        known = None if seen is None or box is None else seen.get(key)
        one, two = with_cycles(one, window, values) if known is None else known, with_cycles(two, window, values)
        if seen is not None:
            seen[key] = one
    return one, two, window if box is not None else window_of(one.diagram, two.diagram, names, box, tolerance)


def completed(diagram: Diagram, tolerance: float, box: Box | None) -> Diagram:
    """Return a diagram with the cycles that `compare` would follow for it."""
    names = states_of(diagram)
    window = window_of(diagram, diagram, {name: name for name in names}, box, tolerance)
    side = Side("target", diagram, names)
    return diagram if on_a_line(side) else with_cycles(side, window, probes((side,), window, tolerance)).diagram


def paired_points(
    first: Diagram, second: Diagram, tolerance: float, box: Box | None, shape_tolerance: float = np.inf, *,
    outside: bool = False,
) -> Points:  # fmt: skip
    """Return the special points of two diagrams paired, and nothing else compared: quick, to rank many networks.

    Without `shape_tolerance` their states and frequencies are not judged. Points on cycles are left out. With `outside`
    partners of points at an end of the range are looked for just outside it, as they are by `judged`.
    """
    first, second = (_of_equilibria(diagram) for diagram in (first, second))
    names = common_states(states_of(first), states_of(second))
    window = window_of(first, second, names, box, tolerance)
    sides = (Side("target", first, tuple(names)), Side("learned", second, tuple(names.values())))
    points = _points(*sides, window, tolerance, shape_tolerance)
    room = tolerance * window.width
    if not outside or not near_an_end(points.alone, window, room):
        return points
    one, two = (beyond(side, window, room) for side in sides)
    return _points(one, two, window, tolerance, shape_tolerance)


def _of_equilibria(diagram: Diagram) -> Diagram:
    """Return a diagram with the special points of its equilibria only."""
    kinds = {branch.id: branch.kind for branch in diagram.branches}
    kept = tuple(point for point in diagram.special_points if kinds.get(point.branch) != "periodic")
    return replace(diagram, special_points=kept)


def _points(one: Side, two: Side, window: Window, tolerance: float, shape_tolerance: float) -> Points:
    """Return the special points paired, one of them in the range; those alone are judged in the region only."""
    wider = window.wider(tolerance * window.width)
    rows, columns = (places(side.diagram, side.names, wider) for side in (one, two))
    pairs, alone, strangers = paired(rows, columns, window)
    pairs = [(a, b) for a, b in pairs if window.covers(a[1]) or window.covers(b[1])]
    alone, strangers = ([(p, place) for p, place in part if window.covers(place)] for part in (alone, strangers))
    missing, extra = ([p for p, place in part if window.judges(place[None])[0]] for part in (alone, strangers))
    kept = {id(p) for p in missing + extra}
    return Points(
        matched=tuple(match(a, b, tolerance * window.width, shape_tolerance, window) for a, b in pairs),
        missing=tuple(missing),
        extra=tuple(extra),
        outside=tuple(p for p, _ in alone + strangers if id(p) not in kept),
        changed=tuple(_changed(alone, strangers, missing, extra, window, one, two)),
        alone=tuple(float(place[0]) for p, place in alone + strangers if id(p) in kept),
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


NOUNS = {"equilibrium": "equilibrium", "cycle": "periodic"}
Cut = list[list[Section]]


def _cut(one: Side, two: Side, kind: str, window: Window, tolerance: float) -> Cut:
    """Return what both have of a kind of branches at every value that is looked at."""
    values = sections.values_of(window, tolerance)
    cuts = [sections.Slices.of(side.diagram, kind, side.names).at(values, window) for side in (one, two)]
    return [list(pair) for pair in zip(*cuts, strict=True)]


def _sections(
    one: Side, two: Side, cut: Mapping[str, Cut], window: Window, tolerance: float, shape_tolerance: float
) -> tuple[Stability, list[Disagreement], list[Disagreement]]:
    """Return over which parameters equilibria and cycles differ in number and stability, and cycles in size.

    The last are those over which a stability is not known.
    """
    values = sections.values_of(window, tolerance)
    reach, words = tolerance * window.width, (one.word, two.word)
    counted: dict[str, list[Disagreement]] = {}
    sizes: list[Disagreement] = []
    dim: list[Disagreement] = []
    for noun, kind in NOUNS.items():
        parts = cut[kind]
        texts = [sections.counted(a, b, window, noun, words) for a, b in parts]
        there = [bool(a.judged.any() or b.judged.any()) for a, b in parts]
        both = [bool(a.judged.any() and b.judged.any()) for a, b in parts]
        counted[noun] = sections.runs(values, texts, reach, there, both)
        dim += sections.runs(values, [sections.unclear(a, b, noun, words) for a, b in parts], reach, there, both)
        if kind == "periodic" and any(both):
            near = sections.Nearby(two.diagram, two.names, reach)
            texts = [sections.resized(a, b, window, near.at(v), shape_tolerance, one.names, words)
                     for v, (a, b) in zip(values, parts)]  # fmt: skip
            sizes = sections.runs(values, texts, reach, both, both)
    looked = tuple(float(v) for v in values)
    return Stability(tuple(counted["equilibrium"]), tuple(counted["cycle"]), looked), sizes, dim


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
