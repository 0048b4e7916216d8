"""Which arithmetic suits a system: full matrices in compiled code, or sparse ones."""

from __future__ import annotations

from bifrncrn.curves.equilibria.problem import EquilibriumProblem
from bifrncrn.models.system import System

SPARSE_ABOVE = 100
"""Number of states above which a sparse Jacobian is cheaper (measured on a tridiagonal one, benchmarks/bratu.py)."""
DENSITY = 0.2
"""Share of structural nonzeros above which a Jacobian counts as full, as long as there is a full one at all."""


def is_large(system: System) -> bool:
    """Say whether a system has more states than full matrices are meant for."""
    return len(system.variables) > SPARSE_ABOVE


def equilibrium_problem(system: System, parameter: int, stability: bool = True) -> EquilibriumProblem:
    """Return the problem of equilibria in the arithmetic that suits the system."""
    from bifrncrn.compile.model import DENSE_LIMIT

    n = len(system.variables)
    if is_large(system) and (n > DENSE_LIMIT or len(system.native.rows) < DENSITY * n * n):
        from bifrncrn.curves.equilibria.sparse import SparseProblem

        return SparseProblem(system, parameter, stability)
    return EquilibriumProblem(system, parameter, stability)
