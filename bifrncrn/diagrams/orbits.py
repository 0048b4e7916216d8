"""The verb `orbits`: the branch of periodic orbits that leaves a Hopf point, followed in the parameter."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from bifrncrn.base.checks import require_kind
from bifrncrn.base.errors import ConvergenceError, InputError
from bifrncrn.continuation.options import Options
from bifrncrn.diagrams.families import Family, check_inside, coordinates_of, from_cycle, from_hopf, same, task_of
from bifrncrn.diagrams.results import Branch, Diagram, End, SpecialPoint
from bifrncrn.models.system import System
from bifrncrn.trajectories.cycles import Cycle


@dataclass(frozen=True, eq=False, repr=False)
class Orbits(Diagram):
    """A branch of periodic orbits, with its special points: a diagram of one branch.

    Attributes
    ----------
    branch : Branch
        The branch; its fields are also here.
    """

    @property
    def branch(self) -> Branch:
        """The branch."""
        return self.branches[0]

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns of `points`."""
        return self.branch.columns

    @property
    def points(self) -> np.ndarray:
        """The points of the branch."""
        return self.branch.points

    @property
    def unstable(self) -> np.ndarray:
        """The number of unstable multipliers of every point."""
        return self.branch.unstable

    @property
    def multipliers(self) -> np.ndarray:
        """The Floquet multipliers of every point."""
        return self.branch.multipliers

    @property
    def ended(self) -> tuple[End, ...]:
        """Why the branch ends at its first and at its last point."""
        return self.branch.ended

    def column(self, name: str) -> np.ndarray:
        """Return one column of the points by its name."""
        return self.branch.column(name)

    def orbit(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Return times (k,) and states (k, n) of one of the orbits."""
        return self.branch.orbit(index)


def orbits(
    start: SpecialPoint | Cycle,
    bounds: tuple[float, float] | None = None,
    *,
    parameter: str | None = None,
    system: System | None = None,
    options: Options | None = None,
) -> Orbits:
    """Follow the periodic orbits that leave a Hopf point, or the branch that a cycle lies on.

    Orbits are computed by orthogonal collocation on a mesh that adapts to them. Folds of cycles (LPC), period doublings
    (PD), Neimark-Sacker points (NS) and branch points of cycles (BPC) are located and refined until the mesh does not
    matter. The branch ends at the range, at a Hopf point, or where the period grows without bound.

    Parameters
    ----------
    start : SpecialPoint or Cycle
        A Hopf point of a diagram, or a cycle that `find_cycle` found; the branch of a cycle is followed both ways.
    bounds : (float, float), optional
        The range of the parameter; by default that of the diagram. The start must lie inside.
    parameter : str, optional
        With a cycle: the parameter to vary; by default `lam`, or the only one there is.
    system : System, optional
        Needed where the diagram was loaded: the system it belongs to.
    options : Options, optional
        Step control and limits.

    Returns
    -------
    Orbits

    Raises
    ------
    InputError
        If the point is no Hopf point or lies outside the range, or the system is not known.
    ConvergenceError
        If no orbit is found near the point.

    Examples
    --------
    >>> from bifrncrn.diagrams.diagram import diagram
    >>> model = System.from_equations(
    ...     {"x": "lam*x - y - x*(x^2 + y^2)", "y": "x + lam*y - y*(x^2 + y^2)"}, {"lam": -1.0}, {"x": 0, "y": 0}
    ... )
    >>> found = orbits(diagram(model, bounds=(-1, 1)).special("HB")[0])
    >>> print(found.ended[1].message, f"{found.column('period')[-1]:.9f} {found.column('max x')[-1]:.8f}")
    lam reached 1 6.283185307 1.00000000
    """
    if isinstance(start, Cycle):
        if system is not None:
            raise InputError("a cycle knows its system; leave system out")
        return _as_result(start.system.title, from_cycle(start, parameter, bounds, options or Options()))
    if not isinstance(start, SpecialPoint) or start.label != "HB":
        raise InputError(f"periodic orbits start at a Hopf point; give one, not {getattr(start, 'label', start)!r:.60}")
    task = task_of(start, bounds, system, options or Options())
    if parameter not in (None, task.parameter):
        raise InputError(f"the diagram of this point is in {task.parameter}; leave parameter={parameter!r:.40} out")
    check_inside(task, start.parameters[task.parameter], "the Hopf point")
    family = from_hopf(task, start)
    if isinstance(family, str):
        raise ConvergenceError(family)
    return _as_result(task.system.title, family)


def _as_result(title: str, family: Family) -> Orbits:
    task = family.task
    return Orbits(
        model=title,
        parameter=task.parameter,
        range=task.span,
        branches=(family.branch(0, None),),
        special_points=tuple(family.special_points(0)),
        system=task.system,
        notes=(task.system.note,) if task.system.note else (),
        counters=family.counters(),
        reduction=task.reduction,
    )


def with_orbits(diagram: Diagram, *, system: System | None = None, options: Options | None = None) -> Diagram:
    """Return the diagram with the branches of periodic orbits that leave its Hopf points, each followed once.

    Arguments as for `orbits`. A Hopf point that no orbit is found at is named in a note.
    """
    require_kind(diagram, Diagram, "a diagram")
    hopf = [k for k, point in enumerate(diagram.special_points) if point.label == "HB" and len(point.parameters) == 1]
    if not hopf:
        return diagram
    task = task_of(diagram.special_points[hopf[0]], diagram.range, system, options or Options())
    branches, points, notes = list(diagram.branches), list(diagram.special_points), list(diagram.notes)
    counters = dict(diagram.counters)
    done: list[np.ndarray] = []
    for place in hopf:
        point = diagram.special_points[place]
        y = coordinates_of(task, point)
        if any(same(task, y, other) for other in done):
            continue
        family = from_hopf(task, point)
        if isinstance(family, str):
            notes.append(family)
            continue
        branch = family.branch(len(branches), place)
        branches.append(branch)
        points += family.special_points(branch.id)
        done += [end.y for end in family.ends if end is not None]
        for name, count in family.counters().items():
            counters[name] = counters.get(name, 0) + count
    return replace(
        diagram, branches=tuple(branches), special_points=tuple(points), notes=tuple(notes), counters=counters
    )
