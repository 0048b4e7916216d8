"""The verb `find_equilibria`: all equilibria of a system in a box, at its own parameter values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from bifrncrn.base.arrays import frozen
from bifrncrn.base.checks import as_mapping, as_sides, require_kind
from bifrncrn.base.errors import InputError
from bifrncrn.curves.equilibria.choose import SPARSE_ABOVE
from bifrncrn.curves.equilibria.problem import EquilibriumProblem
from bifrncrn.curves.equilibria.search import equilibria
from bifrncrn.models.conservation import conserved
from bifrncrn.models.maps import require_flow
from bifrncrn.models.region import checked_box
from bifrncrn.models.system import System


@dataclass(frozen=True, eq=False)
class Equilibria:
    """The equilibria of a system found in a box.

    Attributes
    ----------
    variables : tuple of str
    points : (k, n) array
        In lexical order, the last variable first.
    evidence : str
        What speaks for their being all.
    complete : bool or None
        Whether the sum of their indices is what the field on the boundary of the box demands; None where that was not
        looked at (three and more states). True does not exclude a pair of opposite index.
    """

    variables: tuple[str, ...]
    points: np.ndarray
    evidence: str
    complete: bool | None

    def __len__(self) -> int:
        return len(self.points)

    def __str__(self) -> str:
        rows = [", ".join(f"{n} = {v:.9g}" for n, v in zip(self.variables, x, strict=True)) for x in self.points]
        found = f"{len(rows)} equilibri{'um' if len(rows) == 1 else 'a'}: {self.evidence}"
        return "\n".join([found, *rows])


def find_equilibria(
    system: System, box: Mapping[str, tuple[float, float]], *, values: Mapping[str, float] | None = None
) -> Equilibria:
    """Find all equilibria in a box, by Newton's method from a grid of starts, with deflation.

    Parameters
    ----------
    system : System
    box : mapping of str to (float, float)
        The interval to search, for each variable.
    values : mapping of str to float, optional
        Parameter values that replace the system's own.

    Raises
    ------
    InputError
        If a name is unknown, a side of the box is missing or no interval, or the system conserves sums (its equilibria
        then come in families, one for every value of the totals) or is too large.

    Examples
    --------
    >>> import bifrncrn as bf
    >>> switch = bf.System.from_equations({"x": "x - x**3 + r"}, {"r": 0.0})
    >>> bf.find_equilibria(switch, {"x": (-2, 2)}).points.ravel().round(12).tolist()
    [-1.0, 0.0, 1.0]
    """
    require_kind(system, System, "a system")
    require_flow(system, "find_equilibria")
    low, high = corners(system, box)
    system = system.with_(values=as_mapping(values, 'values such as {"a": 1.0}'))
    if len(system.variables) > SPARSE_ABOVE:
        raise InputError(f"equilibria are searched in up to {SPARSE_ABOVE} states, not {len(system.variables)}")
    if system.has_formulas and len(conserved(system, 0.5 * (low + high))):
        rule = "so its equilibria come in families; make a total a parameter, or trace them with diagram"
        raise InputError(f"the system conserves sums of its variables, {rule}")
    system = with_a_parameter(system)
    problem = EquilibriumProblem(system, 0)
    found = equilibria(problem, float(system.values[0]), low, high, problem.region)
    return Equilibria(system.variables, frozen(found.points[:, :-1]), found.evidence, found.complete)


def corners(system: System, box: Mapping[str, tuple[float, float]]) -> tuple[np.ndarray, np.ndarray]:
    """Return the lower and the upper corner of a box that has a side for every variable."""
    box = as_sides(box, "a box")
    missing = [name for name in system.variables if name not in box]
    if missing:
        raise InputError(f"the box has no side for {', '.join(missing[:5])}; give an interval for every variable")
    box = checked_box(system, box)
    low, high = np.array([box[name] for name in system.variables], float).T
    return low, high


def with_a_parameter(system: System) -> System:
    """Return the system, if it has no parameter with one that stands nowhere: a curve needs something to walk along."""
    if system.parameters:
        return system
    taken = {*system.variables, *system.definitions}
    name = next(name for name in (f"p{k}" for k in range(len(taken) + 1)) if name not in taken)
    return replace(system, parameters=(name,), values=np.zeros(1))
