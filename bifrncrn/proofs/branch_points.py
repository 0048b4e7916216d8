"""Single branch points of models of any size, where an invariant plane or a symmetry makes them generic.

*On a plane* x_k = c, f_k = (x_k - c) g_k. A solution of x_k = c, g_k = 0 and the other equations, which Krawczyk's
operator proves with the derivatives' matrix regular, is where a curve on the plane is crossed by one off it (see
`crossings`: Crandall and Rabinowitz). It is transcritical where the parameter is monotone along the other curve, that
is where the derivatives of the equations off the plane by the states are regular.

*By a symmetry*: see `pitchforks`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bifrncrn.proofs.arcs import inverses
from bifrncrn.proofs.crossings import IN_ONE
from bifrncrn.proofs.pitchforks import Pitchforks
from bifrncrn.proofs.planes import Plane, Symmetry, diagonal_of, is_invariant, likely, nearest, plane_at
from bifrncrn.proofs.points import NO_SOLUTION, NOT_SIMPLE, Points, Proved, inside, nonzero, null_vectors
from bifrncrn.proofs.problem import Bounds, Problem
from bifrncrn.proofs.rounding import above, product
from bifrncrn.proofs.square import Square

NOT_GENERIC = (
    "two branches that cross do so for these numbers only, and part under the slightest change of the model: no "
    "invariant plane and no symmetry was found that keeps them together"
)
SEVERAL = "more than two curves may meet there"


def prove_branch_point(prover: Points, y: np.ndarray) -> Proved:
    """Prove a branch point near y (n + 1,): transcritical, or a pitchfork."""
    problem = prover.problem
    near = nearest(problem, y)
    planes = {k: plane for k, at in near.items() if (plane := plane_at(problem, k, at)) is not None}
    whole = [problem.names[k] for k, at in near.items() if k not in planes and is_invariant(problem, k, at)]
    vectors = null_vectors(prover.jacobian(y))
    known = [] if vectors is None else likely(problem, y, vectors[0], near)
    pairs = [one.swapped[0] for one in known if len(one.swapped) == 1 and not one.turned]
    diagonals = {k: plane for k, j in pairs if k not in planes and (plane := diagonal_of(problem, k, j)) is not None}
    planes |= dict([*diagonals.items()][:1])
    reason = f"the equation of {whole[0]} vanishes with it, but no rule divides it" if whole else NOT_GENERIC
    for k in planes:
        found = _on_plane(prover, planes, k, y, known)
        if found.box is not None:
            return found
        reason = found.reason if found.reason != NO_SOLUTION else reason
    for symmetry in known:
        found = Pitchforks(prover, symmetry).prove(y)
        if found.box is not None:
            return found
        reason = found.reason
    return Proved(None, reason=reason)


def _on_plane(prover: Points, planes: dict[int, Plane], k: int, y: np.ndarray, known: Sequence[Symmetry]) -> Proved:
    """Prove that the curve on all the planes is crossed off the plane of state k."""
    problem, n = prover.problem, prover.problem.n
    part, other = problem.part(planes, planes), problem.part(planes, set(planes) - {k})
    square = Square(problem.graph, [*part.roots, planes[k].rest], list(range(n + 1)), [], prover.parameters)
    solution = square.solve(y, problem.values, (np.zeros(0), np.zeros(0)), prover.sizes)
    if solution is None or not prover.is_at(solution[0], y):
        return Proved(None, reason=NO_SOLUTION)
    box, room = solution
    for j in planes:
        sides = planes[j].bounds(problem)
        if sides is not None:
            box[0][j], box[1][j] = max(box[0][j], sides[0]), min(box[1][j], sides[1])
    counts, rate = prover.counts(box, 1), _rate(part, k, box)
    if counts is None or rate is None:
        return Proved(None, reason=NOT_SIMPLE)
    if not _alone_of(part, k, box):
        return Proved(None, reason=SEVERAL)
    if rate < 0.0:
        counts.reverse()  # along the plane, the side of the smaller parameter first
    detail = {"kind": "transcritical", "plane": planes[k].name(problem), "unstable": counts}
    if _regular(other, box):
        alone: tuple[Problem, ...] = (part, other)
    else:
        turned = next((one for one in known if one.moves(planes[k]) and one.fixes(planes, planes)), None)
        found = Proved(None, reason=IN_ONE) if turned is None else Pitchforks(prover, turned).prove(y)
        if found.box is None:
            return found
        detail |= {"kind": "pitchfork", **{name: found.detail[name] for name in ("symmetry", "turns", "c")}}
        alone = (part,)
        folds = Points(other)
        folds.sizes = prover.sizes
        fold = folds.fold(y)
        if fold.wide is None:
            return Proved(box, detail)
        # by the symmetry the fold of the other curve is the crossing itself, and it has no other fold nearby
        room = np.maximum(room[0], fold.wide[0]), np.minimum(room[1], fold.wide[1])
        if not inside(box, room):
            return Proved(box, detail)

    def only(around: Bounds) -> bool:
        simple = prover.counts(around, 1) is not None and _alone_of(part, k, around)
        return simple and all(_regular(one, around) for one in alone)

    return Proved(box, detail, room=(room, only))


def _alone_of(part: Problem, k: int, box: Bounds) -> bool:
    """Say whether no part off another plane than k's can be in a box."""
    rest = [part.planes[j].rest for j in part.planes if j != k]
    if not rest:
        return True
    low, high = part.compiled(rest)(box[0][None], box[1][None], part.values)
    return bool(((low > 0.0) | (high < 0.0)).all())


def _matrix(part: Problem, box: Bounds) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Return bounds of the derivatives (1, n, n + 1) of a part's equations, and those by states inverted, about."""
    _, (low, high) = part.linear(box[0][None], box[1][None])
    inverse, good = inverses(0.5 * (low + high)[:, :, : part.n])
    return (low, high, inverse) if good[0] and np.isfinite(low + high).all() else None


def _contraction(part: Problem, low: np.ndarray, high: np.ndarray, inverse: np.ndarray) -> np.ndarray:
    """Return bounds (n, n) of |I - C J|."""
    n = part.n
    middle, spread = product(inverse, low[:, :, :n], high[:, :, :n])
    bound: np.ndarray = above(np.abs(middle - np.eye(n)) + np.abs(middle) * 2.0**-52 + spread, 3)[0]
    return bound


def _regular(part: Problem, box: Bounds) -> bool:
    """Say whether the derivatives of a part's equations by the states are regular everywhere in a box."""
    found = _matrix(part, box)
    return found is not None and bool((above(_contraction(part, *found).sum(axis=1), part.n) < 1.0).all())


def _rate(part: Problem, k: int, box: Bounds) -> float | None:
    """Return a number with the sign of the derivative of g_k along the part's curve by the parameter, if it is known.

    x' = z + (I - C J) x' with z = -C f_p; in the largest norm |x'| <= |z| / (1 - |I - C J|).
    """
    found = _matrix(part, box)
    if found is None:
        return None
    low, high, inverse = found
    n = part.n
    norm = float(above(_contraction(part, low, high, inverse).sum(axis=1), n).max())
    if not norm < 0.5:
        return None
    middle, spread = product(inverse, low[:, :, n:], high[:, :, n:])
    z, error = -middle[0, :, 0], spread[0, :, 0]
    error = above(error + norm * 2.0 * above(np.abs(z) + error, 1).max(), 3)
    slopes = part.gradients([part.planes[k].rest])[0]
    g_low, g_high = (side[0] for side in part.compiled(slopes)(box[0][None], box[1][None], part.values))
    way = np.append(z, 1.0)[:, None], np.append(error, 0.0)
    ends = [side[None] for side in (g_low, g_high)]
    middle, spread = product(way[0].T, ends[0].T, ends[1].T)
    size = np.maximum(np.abs(g_low), np.abs(g_high))
    reach = above(spread[0, 0] + above(size @ way[1], n + 1), 2)
    value = float(middle[0, 0])
    return value if nonzero(value - float(reach), value + float(reach)) else None
