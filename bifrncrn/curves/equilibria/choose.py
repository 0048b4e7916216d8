"""Which arithmetic suits a system: full matrices in compiled code, or LAPACK and sparse ones."""

from __future__ import annotations

from bifrncrn.curves.equilibria.problem import EquilibriumProblem
from bifrncrn.models.region import Region
from bifrncrn.models.system import System

SPARSE_ABOVE = 100
"""Number of states above which LAPACK and sparse factors are faster than the compiled routines for small matrices,
measured on a tridiagonal Jacobian (benchmarks/bratu.py); a full one of 200 states takes 30 ms a point."""


def is_large(system: System) -> bool:
    """Say whether a system has more states than full matrices are meant for."""
    return len(system.variables) > SPARSE_ABOVE


def equilibrium_problem(
    system: System, parameter: int, stability: bool = True, region: Region | None = None
) -> EquilibriumProblem:
    """Return the problem of equilibria in the arithmetic that suits the system."""
    if is_large(system):
        from bifrncrn.curves.equilibria.sparse import SparseProblem

        return SparseProblem(system, parameter, stability, region)
    return EquilibriumProblem(system, parameter, stability, region)
