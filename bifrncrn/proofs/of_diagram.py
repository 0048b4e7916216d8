"""The special points of a diagram, proved one by one, and its branches; of models of any number of states."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from bifrncrn.base.errors import InputError
from bifrncrn.models.forcing import refuse
from bifrncrn.models.maps import displaced, is_map
from bifrncrn.proofs.box import doubt, joined
from bifrncrn.proofs.branch_cycles import of_branches
from bifrncrn.proofs.branch_points import prove_branch_point
from bifrncrn.proofs.multipliers import Multipliers
from bifrncrn.proofs.points import Points, Proved
from bifrncrn.proofs.problem import Bounds, Problem
from bifrncrn.proofs.result import Interval, Proof, ProvedBranch, ProvedPoint, Undecided
from bifrncrn.proofs.rounding import check_arithmetic
from bifrncrn.proofs.tubes import follow

if TYPE_CHECKING:
    from bifrncrn.models.system import System

NO_EQUATIONS = "nothing can be proved about a Python function: give the model by its equations"
PROVERS: dict[bool, dict[str, Callable[[Any, np.ndarray], Proved]]] = {
    False: {"LP": Points.fold, "HB": Points.hopf, "BP": prove_branch_point},
    True: {"LP": Points.fold, "PD": Multipliers.flip, "NS": Multipliers.torus, "BP": prove_branch_point},
}
"""What proves a point of a label, of differential equations and of maps."""
KINDS = ("equilibrium", "fixed_point")
"""The kinds of the branches that are followed."""
NOTHING = (
    "the diagram holds no equilibria, no fixed points and no special points of them, so nothing of it can be proved; "
    "of cycles prove takes one at a time, as find_cycle finds it"
)
CURVES = "Its curves in two parameters are not looked at."
REDUCED = "That these sums are conserved is taken for granted; the statements are about the model without them."


def of_diagram(diagram: Any, seconds: float) -> Proof:
    """Prove the special points one by one, and the branches; nothing is said about what lies elsewhere."""
    deadline = time.monotonic() + seconds
    reduction = diagram.reduction
    system = diagram.system if reduction is None else reduction.system
    if system is None:
        raise InputError("a diagram that was loaded holds no model; trace it again, or prove its model in a box")
    if system.period:
        raise refuse(system)
    if not system.has_formulas:
        raise InputError(NO_EQUATIONS)
    check_arithmetic()
    name, values = diagram.parameter, (np.array(system.values), np.array(system.values))
    proofs, undecided, followed = [], [], []
    known: dict[int | None, list[Proved]] = {}
    for point in diagram.special_points:
        if point.label not in PROVERS[is_map(system)]:
            continue
        prover = prepared(system, name, values, point.iterations)
        prover.sizes = _sizes(diagram, prover.problem.names)
        at = [*(point.state[v] for v in system.variables), point.parameters[name]]
        found, shown = _one(prover, point, np.array(at, float))
        proofs.append(shown)
        known.setdefault(point.iterations, []).append(found)
        reason = found.reason or _contradicted(point, found)
        if reason:
            sides = {v: (float(a), float(a)) for v, a in zip(prover.problem.names, at, strict=True)}
            undecided.append(Undecided(f"{point.label}: {reason}", sides))
    for branch in diagram.branches:
        if branch.kind in KINDS and len(branch.points) > 1:
            problem = prepared(system, name, values, branch.iterations).problem
            with np.errstate(all="ignore"):
                wide = [found.wide for found in known.get(branch.iterations, []) if found.wide is not None]
                item, doubts = _branch(diagram, branch, problem, wide, deadline)
            followed.append(item)
            undecided += doubts
    notes: tuple[str, ...] = () if reduction is None else (reduction.sentence(reduction.whole.variables), REDUCED)
    if not proofs and not followed:
        raise InputError(NOTHING)
    kinds = {branch.kind for branch in diagram.branches} - {*KINDS}
    notes += (CURVES,) if kinds - {"periodic"} else ()
    cycles, said = of_branches(diagram, deadline)
    notes += said
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
        followed=tuple(followed),
        cycles=cycles,
        kind=system.kind,
    )


def _sizes(diagram: Any, names: tuple[str, ...]) -> np.ndarray | None:
    """Return the largest size of every coordinate on the branches, (n + 1,)."""
    branches = [branch for branch in diagram.branches if branch.kind in KINDS]
    if not branches:
        return None
    rows = [branch.points[:, [branch.columns.index(name) for name in names]] for branch in branches]
    sizes: np.ndarray = np.nanmax(np.abs(np.concatenate(rows)), axis=0)
    return sizes


def _branch(
    diagram: Any, branch: Any, problem: Problem, known: list[Bounds], deadline: float
) -> tuple[ProvedBranch, list[Undecided]]:
    """Prove one branch."""
    rows = branch.points[:, [branch.columns.index(name) for name in problem.names]]
    labels = PROVERS[problem.circle]
    special = {p.index for p in diagram.special_points if p.branch == branch.id and p.label in labels}
    found = follow(problem, rows, branch.unstable, special, known, deadline)
    sorts: dict[str, list[Bounds]] = {}
    for reason, low, high in found.doubts:
        sorts.setdefault(reason, []).append((low, high))
    undecided = [
        doubt(problem, f"branch {branch.id}: {reason}", *box)
        for reason, boxes in sorts.items()
        for box in joined(boxes)
    ]
    error = found.error if np.isfinite(found.error) else None
    return ProvedBranch(branch.id, not found.doubts, len(rows), found.pieces, error), undecided


def _one(prover: Points, point: Any, at: np.ndarray) -> tuple[Proved, ProvedPoint]:
    """Prove one special point; return what was found, and how it is reported."""
    names = prover.problem.names
    if not np.isfinite(at).all() or point.status != "converged":
        found = Proved(None, reason="its place is not known well enough")
    else:
        with np.errstate(all="ignore"):
            found = PROVERS[prover.problem.circle][point.label](prover, at)
    if found.box is not None and not prover.is_at(found.box, at):
        found = Proved(None, reason="the nearest one that is proved is somewhere else")
    box = (at, at) if found.box is None else found.box
    sides = [(float(a), float(b)) for a, b in zip(*box, strict=True)]
    state = dict(zip(names[:-1], sides[:-1], strict=True))
    detail = found.detail if point.iterations is None else {"iterations": point.iterations} | found.detail
    return found, ProvedPoint(point.label, {names[-1]: sides[-1]}, state, detail, not found.reason)


def _contradicted(point: Any, found: Proved) -> str:
    """Say which coefficient of a proved point has not the sign that the diagram gives it; nothing if all have."""
    for name in ("l1", "b", "re_d"):
        low, high = found.detail.get(name, (0.0, 0.0))
        value = getattr(point, name, None)
        if value is not None and (low > 0.0 > value or high < 0.0 < value):
            return f"the diagram has {name} = {value:.6g}, and it is proved to lie in [{low!r}, {high!r}]"
    return ""


def stored_values(system: System, values: tuple[np.ndarray, np.ndarray], name: str) -> dict[str, Interval]:
    """Return the bounds of all parameters but the varied one."""
    varied = system.parameter_index(name)
    pairs = zip(system.parameters, *values, strict=True)
    return {p: (float(a), float(b)) for i, (p, a, b) in enumerate(pairs) if i != varied}


def prepared(system: System, name: str, values: tuple[np.ndarray, np.ndarray], iterations: int | None = None) -> Points:
    """Return what proves points of a system, or of an iterate of a map; made once for each parameter and its values."""
    key = "proof", name, values[0].tobytes(), values[1].tobytes()
    known = system.remembered.get("proof")
    if known is None or known[0] != key:
        known = system.remembered["proof"] = key, {}
    provers: dict[int | None, Points] = known[1]
    if iterations not in provers:
        if iterations is None:
            provers[iterations] = Points(Problem(system, name, values))
        else:
            provers[iterations] = Multipliers(Problem(displaced(system, iterations), name, values, circle=True))
    return provers[iterations]
