"""Following homoclinic orbits, and orbits between two saddles, in two parameters, a few steps on each mesh."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from bifrncrn.continuation import layout
from bifrncrn.continuation.march import TIME, march
from bifrncrn.continuation.options import Options
from bifrncrn.curves.homoclinic.arc import Arc, fitted
from bifrncrn.curves.homoclinic.problem import LABELS, HomoclinicCurve
from bifrncrn.curves.homoclinic.sampler import Sampler

ROWS_BEFORE_BACK = 6
"""A curve has so many rows before it is asked whether it is back."""
ON_ONE_MESH = 8
"""Rows after which mesh, time and units are made anew."""
NEUTRAL = 0.05
"""The curve ends where the saddle's slowest eigenvalue is this small beside what it is elsewhere on the curve: how near
the ends of the orbit are to the saddle means little then."""
LONGER = 2.0
"""Steps and turns may be longer than along equilibria: most of what turns is the orbit's shape."""
FAR = 0.5
"""Newton's method for the saddle does not go further than this, in terms of the orbit's extent."""
NEARBY = 0.2
"""The curve may be back at its start where the chord of a step passes it this close, in terms of its length: at the
largest angle it is so far from the curve."""
AGAIN = 1e-6
"""It is back where the orbit beside the start has both parameters this close to its own, in their units, ..."""
ALIKE = 1e-2
"""... and the saddle and the extent this close, in terms of that."""
NOTHING = 1e-8
"""A test function that is below this beside its zero too is rounding: what it tests holds all along the curve."""
TOLERANCE = 1e-10
"""The relative error that the corrector aims for: Newton's last step, so that the error is much less."""


@dataclass(frozen=True, eq=False)
class Row:
    """An orbit of the curve, the eigenvalues of its saddle, and the label of what is there, if anything.

    `goal` has the eigenvalues of the second saddle where there is one.
    `bracket` has the values of the second parameter between which that lies where it is not refined.
    """

    arc: Arc
    eigenvalues: np.ndarray
    residual: float
    label: str = ""
    bracket: tuple[float, float] | None = None
    goal: np.ndarray | None = None

    @property
    def spectra(self) -> list[np.ndarray]:
        """The eigenvalues of the saddle, or of both."""
        return [self.eigenvalues] if self.goal is None else [self.eigenvalues, self.goal]


@dataclass(frozen=True, eq=False)
class Track:
    """The curve in one direction: its rows, the start being the first, and why it ends."""

    rows: list[Row]
    reason: str


class Follower:
    """Follows the homoclinic orbits of one system in two parameters.

    Parameters
    ----------
    sampler : Sampler
        Of both.
    names : (str, str)
    spans : two (float, float)
        Their ranges.
    unit : float
        Of the first.
    options : Options
    """

    def __init__(
        self,
        sampler: Sampler,
        names: tuple[str, str],
        spans: tuple[tuple[float, float], tuple[float, float]],
        unit: float,
        options: Options,
    ) -> None:
        self.sampler, self.names, self.spans, self.unit, self.options = sampler, names, spans, unit, options

    def start(self, arc: Arc) -> tuple[HomoclinicCurve, np.ndarray] | None:
        """Return the curve, and the point on it at the second parameter of an orbit near it; None where none is."""
        rests = [self._at_rest(rest, arc) for rest in arc.rests]
        if rests[0] is None or rests[-1] is None:
            return None
        arc = replace(arc, saddle=rests[0], goal=None if arc.goal is None else rests[1])
        found = None
        for _ in range(2):  # the mesh is that of a guess the first time
            found = self._on(arc, None)
            if found is None:
                return None
            arc = found[0].arc_of(found[1])
        return found

    def follow(self, curve: HomoclinicCurve, y: np.ndarray, sign: float) -> Track:
        """Follow the curve from a point, the second parameter rising (sign 1) or falling (-1) at first."""
        row = np.zeros(len(y))
        row[-1] = 1.0
        along = curve.tangent(y, row)
        rows = [self.row(curve, y)]
        if along is None:
            return Track(rows, "step")
        along, home = sign * along, np.sign(sign)
        while True:
            left = self.options.max_points - len(rows)
            if self.options.late or left < 1:
                return Track(rows, "time" if self.options.late else "points")
            reason, new, y, along = self._march(curve, y, along, min(left, ON_ONE_MESH))
            lost = self._kept(rows, new, curve)
            if lost:
                return Track(rows, "saddle")
            back = self._back(curve, rows, len(new), float(home))
            if back is not None:
                return Track([*rows[:back], rows[0]], "closed")
            if reason:
                return Track(rows, reason)
            found = self._on(curve.arc_of(y), (curve, along))
            if found is None:
                return Track(rows, "step")
            old, (curve, y) = curve, found
            tangent = curve.tangent(y, old.moved(along, curve))
            if tangent is None:
                return Track(rows, "step")
            along = tangent

    def _march(
        self, curve: HomoclinicCurve, y: np.ndarray, along: np.ndarray, count: int
    ) -> tuple[str, list[Row], np.ndarray, np.ndarray]:
        """March a few steps on one mesh; return why it ends if it does, the new rows, and where it is."""
        low, high = np.full(len(y) - 1, -np.inf), np.full(len(y) - 1, np.inf)
        low[-1], high[-1] = (end / self.unit for end in self.spans[0])
        units = np.append(np.ones(len(y) - 1), self.spans[1][1] - self.spans[1][0])
        tolerance = max(self.options.tolerance, TOLERANCE)
        wide = {name: min(LONGER * getattr(self.options, name), 0.5) for name in ("step", "angle")}
        options = replace(self.options, max_points=count + 1, tolerance=tolerance, **wide)
        trace = march(curve.curve, y, along, self.spans[1], (low, high), units, options, closing=False)
        rows = []
        for k in range(1, len(trace.points)):
            event = int(trace.marks[k, layout.MARK_EVENT])
            label, bracket = "", None
            if abs(event) >= layout.USER_EVENT:
                which = abs(event) - layout.USER_EVENT
                label = self._meant(LABELS[which], curve.spectrum(trace.points[k]))
                beside = [i for i in (k - 1, k + 1) if i < len(trace.points)]
                if all(abs(curve.tests(trace.points[i], trace.tangents[i])[which]) < NOTHING for i in beside):
                    label = ""
                if label and event < 0:
                    ends = sorted((float(trace.points[k - 1, -1]), float(trace.points[k, -1])))
                    bracket = (ends[0], ends[1])
            rows.append(self.row(curve, trace.points[k], label, bracket))
        reasons = {layout.FULL: "", layout.RANGE: "range", layout.BOUND: "range", TIME: "time"}
        reason = reasons.get(trace.reason, "step") if len(rows) or trace.reason != layout.FULL else "step"
        return reason, rows, trace.points[-1], trace.tangents[-1]

    def _on(
        self, arc: Arc, going: tuple[HomoclinicCurve, np.ndarray] | None
    ) -> tuple[HomoclinicCurve, np.ndarray] | None:
        """Return the curve with a mesh, time and units that suit an orbit, and its point there."""
        guess = fitted(arc, self.sampler(arc.rests, arc.p).jacobian)
        if guess is None:
            return None
        curve = HomoclinicCurve(self.sampler, self.names, guess, guess.extent, self.unit)
        if not 0 < curve.stable < curve.n:
            return None
        y = curve.vector(guess)
        row = np.zeros(len(y))
        row[-1] = 1.0
        if going is not None:
            row = going[0].moved(going[1], curve)
        at = curve.on_row(y, row)
        return None if at is None else (curve, at)

    def _at_rest(self, guess: np.ndarray, arc: Arc) -> np.ndarray | None:
        """Return the equilibrium near what is given as a saddle of an orbit."""
        x = guess
        for _ in range(20):
            at = self.sampler(x[None], arc.p)
            try:
                step = np.linalg.solve(at.jacobian[0], -at.f[0])
            except np.linalg.LinAlgError:
                return None
            x = x + step
            if not np.max(np.abs(x - guess) / arc.extent) < FAR:
                return None
            if np.max(np.abs(step) / arc.extent) < 1e-12:
                return x
        return None

    def _meant(self, label: str, values: np.ndarray) -> str:
        """Return a label where it means something at these eigenvalues: divergence, of a pair on one side."""
        leading = {"NDS": values.real[values.real < 0.0][:2], "NDU": values.real[values.real > 0.0][-2:]}.get(label)
        if leading is None:
            return label
        return label if len(leading) == 2 and leading[0] == leading[1] else ""

    def row(
        self, curve: HomoclinicCurve, y: np.ndarray, label: str = "", bracket: tuple[float, float] | None = None
    ) -> Row:
        """Return a point of the curve as a row."""
        value, _ = curve.equations(y)
        first, *second = curve.spectra(y)
        return Row(curve.arc_of(y), first, float(np.max(np.abs(value))), label, bracket, *second)

    def _kept(self, rows: list[Row], new: list[Row], curve: HomoclinicCurve) -> bool:
        """Add new rows up to where the saddle ceases to be one, or is about to; say whether it does.

        Where an eigenvalue has passed zero, the row before is that of a point seen and not refined: the orbits end near
        it as slowly as the eigenvalue is small, and are cut short.
        """
        for row in new:
            if row.goal is not None and any(int(np.sum(one.real < 0.0)) != curve.stable for one in row.spectra):
                return True
            if int(np.sum(row.eigenvalues.real < 0.0)) != curve.stable:
                low, high = sorted(float(at.arc.p[1]) for at in (rows[-1], row))
                slow = rows[-1].eigenvalues[int(np.argmin(np.abs(rows[-1].eigenvalues.real)))]
                rows.append(replace(rows[-1], label="NCH" if slow.imag == 0.0 else "SH", bracket=(low, high)))
                return True
            rows.append(row)
            if self._neutral(rows):
                return True
        return False

    def _neutral(self, rows: list[Row]) -> bool:
        """Say whether the saddle of the last row is about to cease being one, beside what the curve has had."""
        slow = np.array([[np.min(np.abs(one.real)) for one in row.spectra] for row in rows])
        return bool(np.any(slow[-1] < NEUTRAL * slow.max(axis=0)))

    def _back(self, curve: HomoclinicCurve, rows: list[Row], new: int, home: float) -> int | None:
        """Return which of the new rows has passed the first in its direction, if one has."""
        units = np.array([self.unit, self.spans[1][1] - self.spans[1][0]])
        start = rows[0].arc.p / units
        for k in range(max(len(rows) - new, ROWS_BEFORE_BACK), len(rows)):
            before, after = rows[k - 1].arc, rows[k].arc
            if before.edges is not after.edges:
                continue  # the first on a mesh is the last on the one before
            step = (after.p - before.p) / units
            length = float(np.linalg.norm(step)) + 1e-300
            share = float((start - before.p / units) @ step) / length**2
            off = float(np.linalg.norm(before.p / units + share * step - start))
            if 0.0 <= share < 1.0 and off < NEARBY * length and step[1] * home > 0.0:
                y = (1.0 - share) * curve.vector(before) + share * curve.vector(after)
                if self._same(curve, y, step / length / units, rows[0].arc):
                    return k
        return None

    def _same(self, curve: HomoclinicCurve, y: np.ndarray, along: np.ndarray, home: Arc) -> bool:
        """Say whether the orbit near y, where it is as far along the parameters' plane as another one, is that one."""
        row = np.zeros(len(y))
        row[-2:] = along * np.array([self.unit, 1.0])
        y = y.copy()
        y[-2:] += (along @ home.p - row @ y) * row[-2:] / (row @ row)
        at = curve.on_row(y, row)
        if at is None:
            return False
        arc = curve.arc_of(at)
        off = np.abs(arc.p - home.p) / np.array([self.unit, self.spans[1][1] - self.spans[1][0]])
        shape = np.abs(np.concatenate([arc.saddle - home.saddle, arc.extent - home.extent])) / np.tile(home.extent, 2)
        return bool(np.max(off) < AGAIN and np.max(shape) < ALIKE)
