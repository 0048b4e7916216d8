"""All loci that hang together: each followed once, others switched to where they meet."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from bifrncrn.base.labels import locus_of
from bifrncrn.continuation.options import Options
from bifrncrn.curves.loci.junctions import Junction
from bifrncrn.curves.loci.problem import LocusProblem
from bifrncrn.curves.loci.starting import parts, prepare, squared_frequency, units
from bifrncrn.diagrams.locus_following import Follower, Locus
from bifrncrn.diagrams.results import SpecialPoint
from bifrncrn.models.sizes import natural_sizes
from bifrncrn.models.system import System

PERSISTS = 1e-6
"""A fold whose equations change with neither parameter, to this share of what they are made of, is a branch point."""
BLUR = 1e-8
"""The same beside the largest entry of the scaled Jacobian: less is the error of the point and its null vector."""
REGULAR = 1e-6
"""A singular value of the Jacobian below this share of the largest belongs to the special point itself."""
NEGLIGIBLE = 1e-9
"""A parameter below this share of its range is said to be zero."""
FOLDS = ("fold", "map_fold")
MOST = 50
"""No locus is switched to beyond this number."""


class Collector:
    """Collects the loci of a system, each curve once.

    Attributes
    ----------
    iterations : int or None
        Of a map how many points its cycles have.
    loci : list of Locus
    notes : list of str
        What could not be followed.
    """

    iterations: int | None = None

    def __init__(
        self,
        points: Sequence[SpecialPoint],
        first: str,
        second: str,
        span: tuple[float, float],
        options: Options,
        room: tuple[float, float] = (-np.inf, np.inf),
    ) -> None:
        self.first, self.second, self.span, self.options, self.room = first, second, span, options, room
        self.points = points
        self.size = np.max([_sizes(point, first) for point in points], axis=0) if points else np.zeros(0)
        self.followers: dict[str, Follower] = {}
        self.loci: list[Locus] = []
        self.notes: list[str] = []

    @property
    def base(self) -> System:
        """The system of the points."""
        system = self.points[0].system
        assert system is not None
        return system

    def add(self, point: SpecialPoint) -> None:
        """Follow a fold or Hopf point; say so where it cannot be."""
        x = np.array([point.state[name] for name in self.base.variables])
        second = float(self.base.values[self.base.parameter_index(self.second)])
        kappa = 0.0 if point.omega is None else point.omega**2
        if point.label == "HB" and point.omega is None:  # only bracketed
            kappa = squared_frequency(self.base.with_(values=point.parameters).jacobian(x)) or 0.0
        if not self._through(locus_of(point.label), x, point.parameters[self.first], second, kappa):
            if point.status != "converged":
                return  # nobody knows whether it is one
            where = f"{self.first}={point.parameters[self.first]:.6g}"
            self.notes.append(
                f"The {point.label} at {where} was not followed in two parameters: it is degenerate, or rates of very "
                "different size leave too few digits."
            )

    def switch_everywhere(self) -> None:
        """Follow the loci that cross those followed, at junctions, until none is new."""
        done = 0
        while done < len(self.loci):
            locus = self.loci[done]
            done += 1
            for junction in locus.junctions:
                follower = self.followers[locus.problem.kind]
                if self._is_of_branch_points(follower.problem, junction.y):
                    self._meets_branch_points(junction.y)
                found = follower.switch(junction, self._is_of_branch_points) if len(self.loci) < MOST else None
                if found is not None and not self._known(found.problem.kind, _end_off(found, junction)):
                    self._keep(found)

    def add_crossing(self) -> None:
        """Follow the loci of the other kind that meet those followed at points of codimension two, and so on."""
        done = 0
        while done < len(self.loci) < MOST:
            one = self.loci[done]
            done += 1
            for found in (point for point in one.found if point.bracket is None):
                problem, y = one.problem, one.points[found.row]
                x, first, second, kappa = parts(problem, y)
                if found.label in ("BT", "ZH") and problem.kind == "hopf":
                    if not self._is_branch_point(self._follower("fold").problem, x, first, second):
                        self._through("fold", x, first, second, 0.0, True)
                    else:
                        self.notes.append(
                            f"At {self.first}={first:.6g}, {self.second}={second:.6g} the Hopf points meet a curve of "
                            "branch points, which is not followed."
                        )
                elif found.label == "BT":
                    self._through("hopf", x, first, second, 0.0)
                elif found.label in ("ZH", "HH"):
                    jacobian = problem.matrix(x, first, second)[:, : problem.n]
                    pair = squared_frequency(jacobian, kappa if found.label == "HH" else None)
                    if pair is not None:
                        self._through("hopf", x, first, second, pair, True)
            self.switch_everywhere()

    def _follower(self, kind: str) -> Follower:
        if kind not in self.followers:
            problem = LocusProblem(self.base, kind, self.first, self.second, self.size)
            self.followers[kind] = Follower(problem, self.span, self.room, self.options)
        return self.followers[kind]

    def _through(
        self, kind: str, x: np.ndarray, first: float, second: float, extra: float, meets: bool = False
    ) -> bool:
        """Follow the locus of a kind through a point, unless it is known; return whether that was possible."""
        follower = self._follower(kind)
        y = prepare(follower.problem, x, first, second, extra)
        if y is None:
            return False
        borders = follower.problem.borders()
        if self._known(kind, y):
            return True
        follower.problem.set_all_borders(borders)
        found = follower.follow(y, meets)
        if found is None:
            return False
        self._keep(found)
        return True

    def _keep(self, locus: Locus) -> None:
        """Add a locus, without cusps where it meets branch points: their coefficient vanishes there, but none is."""
        points = [locus.points[one.row] for one in locus.found]
        none = [
            one.label == "CP" and self._is_of_branch_points(locus.problem, y) for one, y in zip(locus.found, points)
        ]
        for y in itertools.compress(points, none):
            self._meets_branch_points(y)
        found = tuple(one for one, no in zip(locus.found, none) if not no)
        self.loci.append(locus if len(found) == len(points) else replace(locus, found=found))

    def _is_of_branch_points(self, problem: LocusProblem, y: np.ndarray) -> bool:
        """Say whether a point on a curve of folds is a branch point."""
        return problem.kind in FOLDS and self._is_branch_point(problem, *parts(problem, y)[:3])

    def _meets_branch_points(self, y: np.ndarray) -> None:
        widths = (self.size[-1], self.span[1] - self.span[0])
        first, second = (0.0 if abs(v) <= NEGLIGIBLE * width else v for v, width in zip(y[-2:].tolist(), widths))
        self.notes.append(
            f"At {self.first}={first:.6g}, {self.second}={second:.6g} the folds meet a curve of branch points, which "
            "is not followed."
        )

    def _known(self, kind: str, y: np.ndarray) -> bool:
        follower = self._follower(kind)
        return any(locus.problem.kind == kind and follower.knows(locus, y) for locus in self.loci)

    def _is_branch_point(self, problem: LocusProblem, x: np.ndarray, first: float, second: float) -> bool:
        """Say whether a zero eigenvalue belongs to a branch point: neither parameter moves the equations out of it."""
        for follower in self.followers.values():
            problem.know_sizes_of(follower.problem)
        matrix, n = problem.matrix(x, first, second), problem.n
        widths = np.array([problem.size[n], self.span[1] - self.span[0]])
        scaled = matrix * np.append(problem.size[:n], widths) / problem.equation_sizes()[:, None]
        left = np.linalg.svd(scaled[:, :n])[0][:, -1]
        moved = float(np.max(np.abs(left @ scaled[:, n:])))
        # where a state is zero its whole equation may vanish, and all that is left are the errors of others
        made_of = max(1.0, float(np.max(np.abs(left) @ np.abs(scaled))))
        return moved <= max(PERSISTS * made_of, BLUR * float(np.max(np.abs(scaled[:, :n]))))


def _sizes(point: SpecialPoint, first: str) -> np.ndarray:
    """Return the typical sizes of the states and of the first parameter, (n + 1,): along the branch of a point.

    Of a point that knows no branch, what the range makes of the states to first order counts as well as the states.
    States that are zero have the units that balance the Jacobian.
    """
    assert point.system is not None
    value = point.parameters[first]
    width = point.range[1] - point.range[0] if point.range else abs(value) or 1.0
    system = point.system.with_(values=point.parameters)
    x = np.array([point.state[name] for name in system.variables])
    if point.along is not None:
        # not the largest: a branch may go to infinity
        size = np.maximum(np.abs(x), _middle(np.abs(point.along[:, :-1])))
    else:
        step = np.zeros(len(system.parameters))
        step[system.parameter_index(first)] = width
        slope = system.derivatives(x, None, np.zeros(len(x)), step)[0]
        reach = np.linalg.pinv(system.jacobian(x), rcond=REGULAR) @ slope
        size = np.maximum(np.abs(x), np.abs(reach))
    return np.append(natural_sizes(system, x, size), width)


def _middle(rows: np.ndarray) -> np.ndarray:
    """Return the median of each column (n,) of rows (k, n), as `np.median` does, in a tenth of its time."""
    ordered = np.sort(rows, axis=0)
    return 0.5 * (ordered[(len(rows) - 1) // 2] + ordered[len(rows) // 2])


def _end_off(locus: Locus, junction: Junction) -> np.ndarray:
    """Return the end of a locus that is further from a junction on it."""
    gaps, unit = locus.points[[0, -1]] - junction.y, units(locus.problem, junction.y)
    unit[-1] = max(unit[-1], np.abs(gaps[:, -1]).max()) or 1.0  # the second parameter may be zero at the junction
    gaps = gaps / unit
    end: np.ndarray = locus.points[-int(np.argmax(np.linalg.norm(gaps, axis=1)))]
    return end
