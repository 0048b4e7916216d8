"""The points of a diagram, proved one by one, of models of any number of states."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from bifrncrn.base.errors import InputError
from bifrncrn.proofs.branch_points import prove_branch_point
from bifrncrn.proofs.points import Points, Proved
from bifrncrn.proofs.problem import Problem
from bifrncrn.proofs.result import Interval, Proof, ProvedPoint, Undecided
from bifrncrn.proofs.rounding import check_arithmetic

if TYPE_CHECKING:
    from bifrncrn.models.system import System

NO_EQUATIONS = "nothing can be proved about a Python function: give the model by its equations"
PROVERS = {"LP": Points.fold, "HB": Points.hopf, "BP": prove_branch_point}
REDUCED = "That these sums are conserved is taken for granted; the statements are about the model without them."


def of_diagram(diagram: Any, points: Iterable[Any]) -> Proof:
    """Prove special points one by one; nothing is said about what lies elsewhere."""
    reduction = diagram.reduction
    system = diagram.system if reduction is None else reduction.system
    if system is None:
        raise InputError("a diagram that was loaded holds no model; trace it again, or prove its model in a box")
    if not system.equations:
        raise InputError(NO_EQUATIONS)
    check_arithmetic()
    name, values = diagram.parameter, (np.array(system.values), np.array(system.values))
    prover = prepared(system, name, values)
    proofs, undecided = [], []
    for point in points:
        if point.label not in PROVERS:
            continue
        at = [*(point.state[v] for v in system.variables), point.parameters[name]]
        found, reason = _one(prover, point, np.array(at, float))
        proofs.append(found)
        if reason:
            sides = {v: (float(a), float(a)) for v, a in zip(prover.problem.names, at, strict=True)}
            undecided.append(Undecided(f"{point.label}: {reason}", sides))
    notes = () if reduction is None else (reduction.sentence(reduction.whole.variables), REDUCED)
    return Proof(
        proved=not undecided,
        model=diagram.model,
        parameter=name,
        range=(float(diagram.range[0]), float(diagram.range[1])),
        box={},
        values=stored_values(system, values, name),
        branches=None,
        special_points=tuple(proofs),
        undecided=tuple(undecided),
        notes=notes,
    )


def _one(prover: Points, point: Any, at: np.ndarray) -> tuple[ProvedPoint, str]:
    """Prove one special point; return it with the reason why it is not proved, if it is not."""
    names = prover.problem.names
    if not np.isfinite(at).all() or point.status != "converged":
        found = Proved(None, reason="its place is not known well enough")
    else:
        with np.errstate(all="ignore"):
            found = PROVERS[point.label](prover, at)
    box = (at, at) if found.box is None else found.box
    sides = [(float(a), float(b)) for a, b in zip(*box, strict=True)]
    state = dict(zip(names[:-1], sides[:-1], strict=True))
    return ProvedPoint(point.label, {names[-1]: sides[-1]}, state, found.detail, not found.reason), found.reason


def stored_values(system: System, values: tuple[np.ndarray, np.ndarray], name: str) -> dict[str, Interval]:
    """Return the bounds of all parameters but the varied one."""
    varied = system.parameter_index(name)
    pairs = zip(system.parameters, *values, strict=True)
    return {p: (float(a), float(b)) for i, (p, a, b) in enumerate(pairs) if i != varied}


def prepared(system: System, name: str, values: tuple[np.ndarray, np.ndarray]) -> Points:
    """Return what proves points of a system, made once for each parameter and its values."""
    key = "proof", name, values[0].tobytes(), values[1].tobytes()
    known = system.remembered.get("proof")
    if known is None or known[0] != key:
        known = system.remembered["proof"] = key, Points(Problem(system, name, values))
    prover: Points = known[1]
    return prover
