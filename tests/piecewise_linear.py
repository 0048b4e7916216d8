"""Random piecewise linear systems x' = A x + b lam + c + d |g x + h lam + e|: equilibria enumerated by regions."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

import bifrncrn as bf

SPAN = (-2.0, 2.0)


@dataclass(frozen=True, eq=False)
class Segment:
    """Equilibria x = at + along * lam for lam in [low, high], in one region, with so many unstable eigenvalues."""

    at: np.ndarray
    along: np.ndarray
    low: float
    high: float
    unstable: int

    def x(self, lam: float) -> np.ndarray:
        return self.at + self.along * lam


@dataclass(frozen=True, eq=False)
class Case:
    """The matrices, and what follows from them."""

    a: np.ndarray
    b: np.ndarray
    c: np.ndarray
    d: np.ndarray
    g: np.ndarray
    h: np.ndarray
    e: np.ndarray

    def field(self, x: np.ndarray, lam: float) -> np.ndarray:
        return self.a @ x + self.b * lam + self.c + self.d @ np.abs(self.g @ x + self.h * lam + self.e)

    def segments(self) -> list[Segment]:
        """Return all equilibria for lam in SPAN, region by region."""
        found = []
        for signs in itertools.product((1.0, -1.0), repeat=len(self.e)):
            s = np.array(signs)
            matrix = self.a + self.d @ (s[:, None] * self.g)
            slope, rest = self.b + self.d @ (s * self.h), self.c + self.d @ (s * self.e)
            along, at = -np.linalg.solve(matrix, slope), -np.linalg.solve(matrix, rest)
            low, high = SPAN
            for rise, level in zip(s * (self.g @ along + self.h), s * (self.g @ at + self.e), strict=True):
                if rise > 0.0:
                    low = max(low, -level / rise)
                else:
                    high = min(high, -level / rise)
            if low < high:
                unstable = int(np.sum(np.linalg.eigvals(matrix).real > 0.0))
                found.append(Segment(at, along, low, high, unstable))
        return found

    def system(self, form: int, start: np.ndarray, lam: float) -> bf.System:
        """Return the system, its borders written in one of four ways."""
        n, k = self.d.shape
        lines = [_linear(self.g[j], self.h[j], self.e[j]) for j in range(k)]
        writings = (
            "abs({0})",
            "(2*max(0, {0}) - ({0}))",
            "piecewise({0}, {0} > 0, -({0}))",
            "({0})*sign({0})",
        )
        borders = [writings[(form + j) % 4].format(line) for j, line in enumerate(lines)]
        equations = {}
        for i in range(n):
            terms = "".join(f" + ({float(self.d[i, j])!r})*{borders[j]}" for j in range(k))
            equations[f"x{i}"] = _linear(self.a[i], self.b[i], self.c[i]) + terms
        return bf.System.from_equations(
            equations, {"lam": lam}, {f"x{i}": float(value) for i, value in enumerate(start)}
        )


def _linear(row: np.ndarray, slope: float, rest: float) -> str:
    states = " + ".join(f"({float(value)!r})*x{i}" for i, value in enumerate(row))
    return f"{states} + ({float(slope)!r})*lam + ({float(rest)!r})"


def random_case(rng: np.random.Generator) -> Case:
    """Return a case of one to three states and one to four borders."""
    n, k = int(rng.integers(1, 4)), int(rng.integers(1, 5))
    draw = rng.standard_normal
    return Case(draw((n, n)), draw(n), draw(n), draw((n, k)), draw((k, n)), draw(k), draw(k))


def connected(segments: list[Segment], first: int) -> list[int]:
    """Return the segments that hang together with one of them."""
    seen, stack = {first}, [first]
    while stack:
        here = stack.pop()
        for other in range(len(segments)):
            if other not in seen and joints(segments[here], segments[other]):
                seen.add(other)
                stack.append(other)
    return sorted(seen)


def joints(one: Segment, other: Segment) -> list[tuple[float, np.ndarray, bool]]:
    """Return where two segments meet inside SPAN, and whether the branch turns or changes stability there."""
    found = []
    for p, q in itertools.product((one.low, one.high), (other.low, other.high)):
        inside = SPAN[0] < p < SPAN[1]
        if inside and abs(p - q) < 1e-9 and np.max(np.abs(one.x(p) - other.x(q))) < 1e-7:
            turns = (p == one.low) == (q == other.low)
            found.append((p, one.x(p), turns or one.unstable != other.unstable))
    return found


def complaints(case: Case, rng: np.random.Generator) -> list[str] | None:
    """Return what a diagram of the case says wrongly; None where it has no equilibrium to start from."""
    segments = case.segments()
    if not segments:
        return None
    first = int(rng.integers(len(segments)))
    middle = segments[first]
    lam = middle.low + float(rng.uniform(0.2, 0.8)) * (middle.high - middle.low)
    diagram = bf.diagram(case.system(int(rng.integers(4)), middle.x(lam), lam), "lam", SPAN)
    ours = [segments[k] for k in connected(segments, first)]
    wanted = {
        (round(p, 7), *np.round(x, 6))
        for one, other in itertools.combinations(ours, 2)
        for p, x, shows in joints(one, other)
        if shows
    }
    wrong = []
    for point in diagram.special_points:
        at = np.array([point.parameters["lam"], *point.state.values()])
        near = [w for w in wanted if np.max(np.abs(np.array(w) - at)) < 1e-5]
        if point.label != "BC" or point.status != "converged" or not near:
            wrong.append(f"{point.label} ({point.status}) at {at} does not exist")
        for w in near:
            wanted.discard(w)
    wrong += [f"BC at {w} is missing" for w in sorted(wanted)]
    rows = np.concatenate([branch.points for branch in diagram.branches]) if diagram.branches else np.zeros((0, 1))
    counts = np.concatenate([branch.unstable for branch in diagram.branches]) if diagram.branches else np.zeros(0)
    wrong += _wrong_rows(case, ours, rows, counts)
    if any(end.reason not in ("range", "closed") for branch in diagram.branches for end in branch.ended):
        wrong.append(f"ends: {[end.reason for branch in diagram.branches for end in branch.ended]}")
    return wrong


def _wrong_rows(case: Case, ours: list[Segment], rows: np.ndarray, counts: np.ndarray) -> list[str]:
    wrong = []
    covered = [False] * len(ours)
    for row, count in zip(rows, counts, strict=True):
        size = 1.0 + float(np.max(np.abs(row)))
        if not np.max(np.abs(case.field(row[1:], row[0]))) < 1e-9 * size * (1.0 + np.abs(case.d).sum()):
            wrong.append(f"row {row} is no equilibrium")
            continue
        on = [
            k
            for k, s in enumerate(ours)
            if s.low - 1e-9 <= row[0] <= s.high + 1e-9 and np.max(np.abs(s.x(row[0]) - row[1:])) < 1e-7 * size
        ]
        if not on:
            wrong.append(f"row {row} lies on no segment")
        elif count not in {ours[k].unstable for k in on}:
            wrong.append(f"row {row} has {count} unstable eigenvalues")
        for k in on:
            covered[k] = True
    wrong += [
        f"the segment of lam in [{s.low}, {s.high}] is missing" for s, c in zip(ours, covered, strict=True) if not c
    ]
    return wrong[:5]
