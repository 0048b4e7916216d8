"""Random piecewise cubic curves lam = h(u), disguised as systems; their turns, corners and jumps are known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.polynomial import Polynomial

import bifrncrn as bf

REACH = 2.0
"""The curve is looked at for |u| up to this."""


@dataclass(frozen=True, eq=False)
class Curve:
    """u' = sign (lam - h(u)) with h a polynomial on each piece; v_i' = -c_i v_i + d_i u; x = T (u, v)."""

    breaks: np.ndarray
    pieces: tuple[Polynomial, ...]
    jumps: tuple[bool, ...]
    sign: float
    rates: np.ndarray
    drive: np.ndarray
    mix: np.ndarray

    def h(self, u: float) -> float:
        return float(self.pieces[int(np.searchsorted(self.breaks, u))](u))

    def x(self, u: float) -> np.ndarray:
        return self.mix @ np.array([u, *(self.drive / self.rates * u)])

    def system(self, start: float, form: int) -> bf.System:
        n = len(self.mix)
        inverse = np.linalg.inv(self.mix)
        states = [f"({' + '.join(f'({float(v)!r})*x{j}' for j, v in enumerate(row))})" for row in inverse]
        u = "u"
        texts = [" + ".join(f"({float(c)!r})*u^{k}" for k, c in enumerate(p.coef)) for p in self.pieces]
        if form == 0:
            parts = [f"{t}, {u} < {float(b)!r}" for t, b in zip(texts, self.breaks, strict=False)]
            h = f"piecewise({', '.join([*parts, texts[-1]])})"
        elif form == 1:
            h = texts[-1]
            for t, b in zip(reversed(texts[:-1]), reversed(self.breaks), strict=True):
                h = f"if(u >= {float(b)!r}, {h}, {t})"
        else:
            h = texts[0] + "".join(
                f" + (({t}) - ({s}))*(u > {float(b)!r})"
                for s, t, b in zip(texts[:-1], texts[1:], self.breaks, strict=True)
            )
        own = [f"({self.sign!r})*(lam - h)"]
        own += [
            f"-({float(c)!r})*{v} + ({float(d)!r})*u"
            for c, d, v in zip(self.rates, self.drive, states[1:], strict=True)
        ]
        equations = {f"x{i}": " + ".join(f"({float(self.mix[i, j])!r})*({own[j]})" for j in range(n)) for i in range(n)}
        return bf.System.from_equations(
            equations,
            {"lam": self.h(start)},
            {f"x{i}": float(v) for i, v in enumerate(self.x(start))},
            {"u": states[0], "h": h},
        )


def random_curve(rng: np.random.Generator) -> Curve:
    """Return a curve of two to four pieces, some of whose breaks jump."""
    count, n = int(rng.integers(1, 4)), int(rng.integers(1, 4))
    breaks = np.sort(rng.uniform(-1.2, 1.2, count))
    while count > 1 and np.min(np.diff(breaks)) < 0.1:
        breaks = np.sort(rng.uniform(-1.2, 1.2, count))
    pieces = [Polynomial(rng.standard_normal(4))]
    jumps = []
    for b in breaks:
        new = Polynomial(rng.standard_normal(4))
        jump = bool(rng.random() < 0.25)
        gap = float(rng.choice([-1.0, 1.0]) * rng.uniform(0.1, 1.0)) if jump else 0.0
        pieces.append(new - (new(b) - pieces[-1](b)) + gap)
        jumps.append(jump)
    while np.linalg.cond(mix := rng.standard_normal((n, n))) > 20.0:
        pass
    sign = float(rng.choice([-1.0, 1.0]))
    return Curve(
        breaks, tuple(pieces), tuple(jumps), sign, rng.uniform(0.5, 3.0, n - 1), rng.standard_normal(n - 1), mix
    )


def complaints(curve: Curve, rng: np.random.Generator) -> list[str]:
    """Return what a diagram of the curve says wrongly."""
    start = float(rng.uniform(-1.5, 1.5))
    while np.min(np.abs(curve.breaks - start)) < 0.02:
        start = float(rng.uniform(-1.5, 1.5))
    middle = np.linspace(-REACH, REACH, 401)
    values = np.array([curve.h(float(u)) for u in middle])
    low, high = float(values.min()), float(values.max())
    span = (low - 0.123 * (high - low), high + 0.123 * (high - low))  # so that it ends at no special point
    left, right = (_edge(curve, start, span, way) for way in (-1.0, 1.0))
    wanted = _wanted(curve, left, right)
    diagram = bf.diagram(curve.system(start, int(rng.integers(3))), "lam", span)
    wrong = []
    for point in diagram.special_points:
        at = np.array([point.parameters["lam"], *point.state.values()])
        near = [k for k, (label, u) in enumerate(wanted) if _distance(curve, u, at) < 1e-5 and label == point.label]
        if point.status != "converged" or not near:
            wrong.append(f"{point.label} ({point.status}) at {at} does not exist")
        wanted = [w for k, w in enumerate(wanted) if k not in near]
    inverse = np.linalg.inv(curve.mix)
    wrong += [f"{label} at u = {u} is missing" for label, u in wanted]
    reached = []
    for branch in diagram.branches:
        for row, count in zip(branch.points, branch.unstable, strict=True):
            u = float(inverse[0] @ row[1:])
            reached.append(u)
            gap = np.min(np.abs(curve.breaks - u))
            if gap > 1e-7 and not abs(curve.h(u) - row[0]) < 1e-8 * (1.0 + abs(row[0])):
                wrong.append(f"row {row} is no equilibrium")
            slope = float(curve.pieces[int(np.searchsorted(curve.breaks, u))].deriv()(u))
            if gap > 1e-7 and abs(slope) > 1e-5 and count != int(curve.sign * slope < 0.0):
                wrong.append(f"row {row} has {count} unstable eigenvalues")
    if not reached or max(abs(min(reached) - left), abs(max(reached) - right)) > 2e-3 * (right - left):
        wrong.append(
            f"the branch reaches [{min(reached, default=None)}, {max(reached, default=None)}] of [{left}, {right}]"
        )
    return wrong[:5]


def _wanted(curve: Curve, left: float, right: float) -> list[tuple[str, float]]:
    edges = [-np.inf, *curve.breaks, np.inf]
    found = []
    for piece, low, high in zip(curve.pieces, edges, edges[1:], strict=False):
        for root in piece.deriv().roots():
            if abs(root.imag) < 1e-12 and max(low, left) < root.real < min(high, right):
                found.append(("LP", float(root.real)))
    for k, (b, jump) in enumerate(zip(curve.breaks, curve.jumps, strict=True)):
        slopes = curve.pieces[k].deriv()(b), curve.pieces[k + 1].deriv()(b)
        if not jump and left < b < right and slopes[0] * slopes[1] < 0.0:
            found.append(("BC", float(b)))
    return found


def _distance(curve: Curve, u: float, at: np.ndarray) -> float:
    return float(np.max(np.abs(np.array([curve.h(u), *curve.x(u)]) - at)))


def _edge(curve: Curve, start: float, span: tuple[float, float], way: float) -> float:
    """Return where the branch from u = start ends on one side: at a jump, or where it leaves the range."""
    stops = [b for b, j in zip(curve.breaks, curve.jumps, strict=True) if j and way * (b - start) > 0.0]
    stop = min(stops, key=lambda b: way * (b - start), default=way * 1e3)
    u, step = start, way * 1e-3
    while way * (stop - u) > 0.0 and span[0] <= curve.h(u) <= span[1]:
        u += step
    return stop if way * (stop - u) <= 0.0 else u
