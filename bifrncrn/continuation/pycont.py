"""The package pycont (PyPI: `pycont-lite`) as a second source of the points of a branch, behind the march's interface.

pycont predicts and corrects by its own matrix-free methods and says where the branch goes next. Every point it
proposes is corrected again by our Newton method, and from each a short piece of the branch is marched by the native
engine. A proposal is accepted only where the piece that leaves the point before it passes it: two engines that share
no code agree that the one point follows the other. What the piece detects and locates on the way is kept. Proposals
that are refused make pycont's step smaller; where it cannot go on at all, the native piece itself bridges the gap.
"""

from __future__ import annotations

import contextlib
import functools
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np

from bifrncrn.base.errors import InputError
from bifrncrn.continuation import layout as at
from bifrncrn.continuation import march as native
from bifrncrn.continuation.curve import Curve
from bifrncrn.continuation.march import Trace
from bifrncrn.continuation.options import Options

PROPOSALS = 10
"""Points asked of pycont at a time: it knows nothing of walls, and keeps one scale in all of them."""
PIECE = 24
"""The most points of a native piece; to a wall it may take ten times as many."""
BESIDE = 0.1
"""A point is passed where it is no further from the piece than this fraction of the piece's step."""
LEAST = 1e-3
"""Where pycont cannot go on with steps of this fraction of the largest, the native piece is taken."""
SAME = 1e-7
BEYOND = 1e6
"""The residual shown to pycont where the model is not finite."""

COLUMNS = ("rows", "marks")
"""The columns of a trace: arrays with a row per point."""

March = Callable[..., Trace]


class Field(Protocol):
    """What is needed of a curve F(y) = 0, F: R^(n+1) -> R^n."""

    n: int

    def linearize(self, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return F (n,) and its derivative (n, n + 1)."""


def pycont_march(model: Field) -> March:
    """Return a function like `bifrncrn.continuation.march.march` that takes its points from pycont.

    Raises
    ------
    InputError
        If pycont is not installed.
    """
    try:
        from pycont import ArclengthContinuation  # noqa: F401
    except ImportError as error:
        raise InputError(
            "the engine pycont needs the package pycont-lite; install it, or use the engine native"
        ) from error
    return functools.partial(_march, model)


def _march(
    model: Field,
    curve: Curve,
    start: np.ndarray,
    tangent: np.ndarray,
    span: tuple[float, float],
    walls: tuple[np.ndarray, np.ndarray],
    floor: np.ndarray,
    options: Options,
    first_step: float | None = None,
    closing: bool = True,
    stops: tuple[int, ...] = (),
) -> Trace:
    """Follow `curve`, the same equations as `model`; arguments and result as of the native march."""
    walk = _Walk(model, curve, span, walls, floor, options, closing, stops)
    return walk.run(start, tangent, first_step or 0.2 * options.step)


@dataclass
class _Walk:
    """One march: what is known so far, as slices of native pieces."""

    model: Field
    curve: Curve
    span: tuple[float, float]
    walls: tuple[np.ndarray, np.ndarray]
    floor: np.ndarray
    options: Options
    closing: bool
    stops: tuple[int, ...]
    taken: list[Trace] = field(default_factory=list)
    count: int = 0
    newtons: int = 0
    refused: int = 0

    def run(self, start: np.ndarray, tangent: np.ndarray, step: float) -> Trace:
        piece = self.piece(start, tangent, step)
        if not len(piece.points):
            return piece
        self.take(piece, 0, 1)
        end: Trace | None = None
        while end is None:
            if self.count >= self.options.max_points:
                end = replace(piece, reason=at.FULL)
            else:
                piece, step, end = self.stretch(piece, step)
        joined: dict[str, Any] = {
            name: np.concatenate([getattr(part, name) for part in self.taken]) for name in COLUMNS
        }
        return replace(end, **joined, newtons=self.newtons, rejected=self.refused)

    def stretch(self, piece: Trace, step: float) -> tuple[Trace, float, Trace | None]:
        """Take what pycont proposes from the start of `piece` on; return the last piece, the next step, and the end."""
        first = piece
        for guess in self.proposals(piece.points[0], piece.tangents[0], step):
            step = self.distance(guess, piece.points[0])
            if self.outside(guess):
                return self.bridge(self.piece(piece.points[0], piece.tangents[0], step, 10 * PIECE), step)
            following = self.piece(guess, piece.tangents[0], step)
            row = self.passed(piece, following.points[0], following.tangents[0]) if len(following.points) else 0
            if (
                row == 0
                and piece.reason == at.STOPPED
                and self.distance(piece.points[-1], piece.points[0]) < 1.5 * step
            ):
                return self.bridge(piece, step)
            if row == 0:
                break
            back = self.passes_home(piece, row)
            if back:
                self.advance(piece, back, self.taken[0])
                return piece, step, replace(piece, reason=at.CLOSED)
            self.advance(piece, row, following)
            piece = following
        else:
            if piece is not first:
                return piece, min(step, self.options.step), None
        self.refused += 1
        step *= 0.4
        if step < LEAST * self.options.step:
            return self.bridge(piece, self.options.step * 0.2)
        return self.piece(piece.points[0], piece.tangents[0], step), step, None

    def bridge(self, piece: Trace, step: float) -> tuple[Trace, float, Trace | None]:
        """Take a native piece as it is; it may end the march."""
        self.take(piece, 1, len(piece.points))
        if piece.reason != at.FULL:
            return piece, step, piece
        return self.piece(piece.points[-1], piece.tangents[-1], step), step, None

    def piece(self, y: np.ndarray, tangent: np.ndarray, step: float, points: int = PIECE) -> Trace:
        """March natively from y (corrected first) in small steps."""
        length = min(step, self.options.step) / 3.0
        options = replace(self.options, step=length, max_points=points)
        trace = native.march(
            self.curve, y, tangent, self.span, self.walls, self.floor, options, length, False, self.stops
        )
        self.newtons += trace.newtons
        return trace

    def proposals(self, y: np.ndarray, tangent: np.ndarray, step: float) -> np.ndarray:
        """Return the points that pycont finds next, (k, n + 1); none where it fails."""
        from pycont.ArclengthContinuation import continuation
        from scipy.optimize import NoConvergence

        unit, n = self.unit(y), self.model.n
        residual = _residual(self.model, unit, self.walls, y)
        solver = {"nk_maxiter": 10, "rdiff": 6.6e-6, "tolerance": 1e-10}
        z, t = y / unit, tangent / unit
        step = min(step, self.options.step)
        try:
            with _quiet():
                branch, _ = continuation(
                    residual, z[:n], z[n], t, 1e-3 * step, self.options.step, step, PROPOSALS, 0, [], solver
                )
        except (ValueError, ArithmeticError, NoConvergence):
            return np.empty((0, n + 1))
        found = np.column_stack([branch.u_path, branch.p_path])[1:] * unit
        return found[np.all(np.isfinite(found), axis=1)]

    def passed(self, piece: Trace, y: np.ndarray, tangent: np.ndarray) -> int:
        """Return the row of `piece` by which it has passed y, going the way of the tangent; 0 where it does not."""
        unit = self.unit(y)
        along = ((piece.points - y) / unit) @ (tangent / unit)
        rows = np.flatnonzero((along[:-1] < 0.0) & (along[1:] >= 0.0)) + 1
        if not len(rows):
            return 0
        row = int(rows[0])
        before, after = piece.points[row - 1], piece.points[row]
        foot = before + (after - before) * (along[row - 1] / (along[row - 1] - along[row]))
        return row if self.distance(foot, y) <= BESIDE * self.distance(before, after) else 0

    def passes_home(self, piece: Trace, row: int) -> int:
        """Return the row of `piece`, not beyond `row`, by which the march is back at its first point; 0 for none."""
        home, tangent = self.taken[0].points[0], self.taken[0].tangents[0]
        back = self.passed(piece, home, tangent) if self.closing and self.count > 3 else 0
        if not 0 < back <= row:
            return 0
        unit = self.unit(home)
        direction = tangent / np.linalg.norm(tangent / unit)
        point = 0.5 * (piece.points[back - 1] + piece.points[back])
        for _ in range(3):  # into the hyperplane through home, and onto the curve
            point = point - direction * ((direction / unit) @ ((point - home) / unit))
            found = self.piece(point, tangent, LEAST, 3)
            if not len(found.points):
                return 0
            point = found.points[0]
        return back if self.distance(point, home) < SAME else 0

    def advance(self, piece: Trace, row: int, following: Trace) -> None:
        """Keep the special points of `piece` before `row`, and the first point of `following`, passed there."""
        events = piece.marks[: row + 1, at.MARK_EVENT]
        bracketed = events[row] < 0 and _signature(piece, row - 1) != _signature(following, 0)
        if bracketed or np.any(events[1:row] != 0):
            self.take(piece, 1, row)
        self.take(following, 0, 1)
        if bracketed:
            self.taken[-1].marks[0, at.MARK_EVENT] = events[row]

    def take(self, piece: Trace, first: int, last: int) -> None:
        """Keep some rows of a piece."""
        rows: dict[str, Any] = {name: getattr(piece, name)[first:last].copy() for name in COLUMNS}
        self.taken.append(replace(piece, **rows))
        self.count += last - first

    def unit(self, y: np.ndarray) -> np.ndarray:
        """Return the unit of length of every unknown at y, as the native march measures it."""
        unit = np.maximum(np.abs(y), self.floor) * np.sqrt(len(y) - 1.0)
        unit[-1] = self.floor[-1]
        return unit

    def distance(self, a: np.ndarray, b: np.ndarray) -> float:
        return float(np.linalg.norm((a - b) / self.unit(b)))

    def outside(self, y: np.ndarray) -> bool:
        """Say whether a point is beyond a wall or the range."""
        slack = 1e-9 * self.unit(y)
        beyond = np.any(y[:-1] < self.walls[0] - slack[:-1]) or np.any(y[:-1] > self.walls[1] + slack[:-1])
        return bool(beyond) or not self.span[0] <= y[-1] <= self.span[1]


def _signature(trace: Trace, row: int) -> tuple[int, int, bool, list[bool]]:
    """Return what special points change: determinant, unstable eigenvalues, the parameter's way, user tests."""
    sign, unstable = trace.marks[row, : at.MARK_EVENT].tolist()
    return sign, unstable, bool(trace.tangents[row, -1] > 0.0), (trace.values[row] > 0.0).tolist()


def _residual(
    model: Field, unit: np.ndarray, walls: tuple[np.ndarray, np.ndarray], y: np.ndarray
) -> Callable[[np.ndarray, float], np.ndarray]:
    """Return the equations in units of their own size and of the unknowns.

    Beyond a wall they are continued by their tangent at the wall, so the model is never evaluated there.
    """
    n = model.n
    rows = np.abs(model.linearize(y)[1]) @ unit
    size = np.maximum(rows, 1e-8 * rows.max() or 1.0)

    def residual(u: np.ndarray, p: float) -> np.ndarray:
        x = u * unit[:n]
        inside = np.clip(x, *walls)
        f, matrix = model.linearize(np.append(inside, p * unit[n]))
        f = (f + matrix[:, :n] @ (x - inside)) / size
        return np.where(np.isfinite(f), f, BEYOND)

    return residual


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Silence pycont, which prints unless told not to, and the warnings of the methods it calls."""
    from pycont.Logger import LOG, Verbosity

    before = max(level for level in Verbosity if LOG.enabled(level))
    LOG.set(Verbosity.OFF)
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            yield
    finally:
        LOG.set(before)
