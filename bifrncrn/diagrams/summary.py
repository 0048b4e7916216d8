"""What a diagram says in a line: where the system is stable, bistable, oscillates, and with what period."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass

import numpy as np

from bifrncrn.diagrams.results import Branch, Diagram
from bifrncrn.plots.runs import stability_runs

NOTHING = "nothing stable found"
NARROW = 1e-6
"""Intervals narrower than this share of the range are where two ends of one thing differ by rounding."""
INSIDE = 0.5
"""A branch turns where a multiplier is 1: where all others but the trivial one are smaller than this at a turn and
beside it, the parameter trembles by the mesh's errors, as along canards."""
NEUTRAL = "neutral (neither attracts nor repels to first order)"
MANY = 8
"""More intervals than this are not listed one by one."""


@dataclass(frozen=True)
class Stretch:
    """Where a branch is stable, or neutral: an interval of the parameter, and the periods there (NaN for equilibria).

    Of a map, `iterations` is the number of points of its cycles; else it is 0.
    """

    low: float
    high: float
    cycle: bool
    parameters: np.ndarray
    periods: np.ndarray
    iterations: int = 0
    neutral: bool = False

    def covers(self, value: float) -> bool:
        """Say whether a parameter value is inside."""
        return self.low < value < self.high

    def between(self, low: float, high: float) -> np.ndarray:
        """Return the periods between two values of the parameter, those at the two among them."""
        up = np.argsort(self.parameters)
        p, periods = self.parameters[up], self.periods[up]
        ends = np.interp([max(low, self.low), min(high, self.high)], p, periods)
        return np.append(periods[(p >= low) & (p <= high)], ends)


def summary(diagram: Diagram) -> str:
    """Return the sentence; empty where the diagram holds no equilibria, or no stability was computed.

    It counts what is on the branches of the diagram: what was not found is not in it.
    """
    found = _stretches(diagram)
    if found is None:
        return ""
    parts = _parts(diagram, found)
    if len(parts) > MANY:
        words = ", ".join(dict.fromkeys(word for word, _, _ in parts))
        return f"{len(parts)} intervals of {diagram.parameter}, by turns {words}"
    pieces = [_piece(part, diagram, found, _narrow(diagram)) for part in parts]
    cycles = any(branch.kind == "periodic" for branch in diagram.branches)
    unseen = not cycles and any(point.label == "HB" for point in diagram.special_points)
    return "; ".join(pieces) + ("; cycles were not followed (--orbits, bf.with_orbits)" if unseen else "")


def elsewhere(diagram: Diagram) -> str:
    """Say how to look for what is stable where the sentence names nothing; empty where it does, or all was searched."""
    found = _stretches(diagram)
    if found is None or all(word != NOTHING for word, _, _ in _parts(diagram, found)):
        return ""
    ways = []
    of_map = any(branch.kind == "fixed_point" for branch in diagram.branches)
    if not any(note.startswith("Searched") for note in diagram.notes):
        ways.append(f"--all (all=True) for other {'fixed points' if of_map else 'equilibria'}")
    if of_map:
        ways.append("bf.attractors for cycles, tori and chaos")
    elif len(diagram.branches[0].columns) > 2 and not any(branch.kind == "periodic" for branch in diagram.branches):
        ways.append("--cycle (bf.with_cycle) for a cycle")
    return f"(where nothing stable was found, look with {' and '.join(ways)})" if ways else ""


def ranges(diagram: Diagram) -> list[tuple[str, float, float]]:
    """Return what the sentence says, in words with the interval of the parameter; none where there is no sentence."""
    found = _stretches(diagram)
    return [] if found is None else _parts(diagram, found)


def _narrow(diagram: Diagram) -> float:
    return NARROW * (diagram.range[1] - diagram.range[0])


def _stretches(diagram: Diagram) -> list[Stretch] | None:
    """Return where the branches are stable; None where the diagram does not tell."""
    branches = [branch for branch in diagram.branches if branch.kind in ("equilibrium", "periodic", "fixed_point")]
    equilibria = [branch for branch in branches if branch.kind != "periodic"]
    forced = diagram.system is not None and bool(diagram.system.period)
    if not (equilibria or (forced and branches)) or any((branch.stability == "unknown").all() for branch in equilibria):
        return None
    return [stretch for branch in branches for stretch in _stable(branch, diagram)]


def _parts(diagram: Diagram, found: list[Stretch]) -> list[tuple[str, float, float]]:
    """Return the intervals between which the attractors change, and what these are."""
    low, high = diagram.range
    inside = (end for stretch in found for end in (stretch.low, stretch.high) if low < end < high)
    ends = sorted({float(end) for end in (low, high, *inside)})  # `np.unique` would load numpy.ma
    parts: list[tuple[str, float, float]] = []
    for a, b in itertools.pairwise(ends):
        if b - a <= _narrow(diagram):
            continue
        word = _word([stretch for stretch in found if stretch.covers(0.5 * (a + b))])
        if parts and parts[-1][0] == word:
            parts[-1] = word, parts[-1][1], b
        else:
            parts.append((word, a, b))
    return parts


def _word(here: list[Stretch]) -> str:
    """Say what the attractors at a parameter value are together; where there is none, what is neutral."""
    neutral = [stretch for stretch in here if stretch.neutral]
    here = [stretch for stretch in here if not stretch.neutral]
    if neutral and not here:
        return NEUTRAL
    if any(stretch.iterations for stretch in here):
        counts = Counter(stretch.iterations for stretch in here)
        return " and ".join(_counted(period, count) for period, count in sorted(counts.items()))
    cycles = sum(stretch.cycle for stretch in here)
    rests = len(here) - cycles
    if cycles:
        if len(here) == 1:
            return "oscillates"
        if len(here) == 2 and rests:
            return "bistable (an equilibrium and a cycle)"
        return f"{cycles} stable cycle{'s' * (cycles > 1)}" + f" and {rests} stable equilibria" * bool(rests)
    return {0: NOTHING, 1: "stable", 2: "bistable"}.get(rests, f"{rests} stable equilibria")


def _counted(period: int, count: int) -> str:
    """Return so many stable cycles of a map in words."""
    noun = "fixed point" if period == 1 else f"{period}-cycle"
    return f"stable {noun}" if count == 1 else f"{count} stable {noun}s"


def _piece(part: tuple[str, float, float], diagram: Diagram, found: list[Stretch], narrow: float) -> str:
    word, a, b = part
    name, (low, high) = diagram.parameter, diagram.range
    first, last = a - low <= narrow, high - b <= narrow
    a, b = (0.0 if abs(end) <= narrow else end for end in part[1:])
    if first and last:
        where = f"throughout [{low:g}, {high:g}]"
    elif first or last:
        where = f"for {name} {'<' if first else '>'} {b if first else a:.5g}"
    else:
        where = f"for {a:.5g} < {name} < {b:.5g}"
    shown = [s for s in found if s.cycle and s.neutral == (word == NEUTRAL)]
    values = np.concatenate([*(s.between(a, b) for s in shown if s.low < b and s.high > a), np.empty(0)])
    if not values.size:
        return f"{word} {where}"
    least, most = f"{values.min():.3g}", f"{values.max():.3g}"
    return f"{word} {where}, period {least if least == most else f'{least} to {most}'}"


def _stable(branch: Branch, diagram: Diagram) -> list[Stretch]:
    """Return the stretches of a branch that are stable or neutral, each over an interval of the parameter once."""
    values, cycle = branch.column(diagram.parameter), branch.kind == "periodic"
    periods = branch.points[:, 1] if cycle else np.full(len(values), np.nan)
    special = {point.index for point in diagram.special_points if point.branch == branch.id}
    if (
        branch.kind in ("periodic", "fixed_point") and branch.origin is not None
    ):  # where it leaves another it is neither
        origin = diagram.special_points[branch.origin].parameters.get(diagram.parameter)
        special |= set(np.flatnonzero(values == origin).tolist())
    out = []
    inside = _inside(branch, diagram)
    for rows, kind in stability_runs(branch.stability, special):
        if kind not in ("stable", "neutral"):
            continue
        run = values[rows]
        turns = 1 + np.flatnonzero(np.diff(np.sign(np.diff(run))) != 0)
        turns = turns[~inside[rows][turns]]
        for first, last in zip([0, *turns.tolist()], [*turns.tolist(), len(run) - 1]):
            piece = slice(rows.start + first, rows.start + last + 1)
            p = values[piece]
            if len(p) > 1 and np.ptp(p) > NARROW * (diagram.range[1] - diagram.range[0]):
                low, high = float(p.min()), float(p.max())
                out.append(Stretch(low, high, cycle, p, periods[piece], branch.iterations or 0, kind == "neutral"))
    return out


def _inside(branch: Branch, diagram: Diagram) -> np.ndarray:
    """Say of every cycle whether its multipliers and its neighbours' are so far inside that the branch cannot turn."""
    count = len(branch.points)
    if branch.kind != "periodic" or count < 3 or not branch.multipliers.shape[1]:  # files may hold no multipliers
        return np.zeros(count, bool)
    forced = diagram.system is not None and bool(diagram.system.period)
    others = branch.multipliers if forced else branch.multipliers[:, 1:]
    deep = np.all(np.abs(others) < INSIDE, axis=1)
    return deep & np.roll(deep, 1) & np.roll(deep, -1)
