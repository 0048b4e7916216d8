"""Branch points in a box: where a part of the equilibria on an invariant plane is crossed by another part.

On the plane x_k = c, along a smooth curve of equilibria there, g_k has a simple zero at P. Then the equations of the
part off that plane (those of the first with g_k = 0 in place of x_k = c) are regular at P: their derivatives are those
of the first, which determine its tangent t, and that of g_k, whose derivative along t is not zero. So exactly one
smooth curve of the other part goes through P (the implicit function theorem), and x_k - c has a simple zero along it.
This is the theorem of Crandall and Rabinowitz (J. Funct. Anal. 8 (1971), theorem 1.7) with the division carried out.

It is a transcritical point where the parameter is monotone along both curves: the determinants of both parts are not
zero at P. It is a pitchfork where a symmetry that turns x_k - c fixes P (on a diagonal, one that swaps the two): the
symmetry maps the other curve to itself (it is the only one), and turns its tangent, whose component along x_k is not
zero; so the parameter is stationary at P. The determinant of the other part has a zero there. Where that is simple, the
parameter is smallest or largest, as along a parabola.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bifrncrn.proofs import special
from bifrncrn.proofs.planes import Symmetry
from bifrncrn.proofs.problem import FOLD, Problem
from bifrncrn.proofs.result import Undecided

IN_ONE = "a fold and a branch point in one, or nearly so; no symmetry of the model keeps them together"
SEVERAL = "a branch point at which more than two curves meet, or which is degenerate, or nearly so"


@dataclass(frozen=True, eq=False)
class Crossing:
    """A proved branch point: the part on the plane, the root of g_k along it, and what kind it is."""

    problem: Problem
    root: special.Root
    detail: dict[str, Any]


def apart(problem: Problem, low: np.ndarray, high: np.ndarray) -> bool:
    """Say whether no other part of the equilibria can be in a box (1, n + 1) at this part's zeros.

    At a zero of f in it, x_k - c is not zero where this part is off the plane, and g_k is not where it is on it.
    """
    tests = problem.tests
    below, over = (side[0] for side in tests.values(low, high))
    columns = [*special.tests_of_crossings(problem), *range(tests.count, tests.square)]
    return all(below[k] > 0.0 or over[k] < 0.0 for k in columns)


def found(
    parts: Mapping[frozenset[int], Problem],
    roots: Mapping[frozenset[int], Sequence[special.Root]],
    known: Iterable[Symmetry],
) -> tuple[list[Crossing], list[special.Root], list[Undecided]]:
    """Return the branch points, the folds that are part of them (of pitchforks), and what is not known."""
    proved, taken, doubts = [], [], []
    for on, several in roots.items():
        problem = parts[on]
        for root in several:
            if root.test not in special.tests_of_crossings(problem):
                continue
            k = problem.tests.crossing[root.test - special.tests_of_crossings(problem)[0]]
            other = parts[on - {k}]
            fold, detail, reason = _kind(problem, other, k, root, roots[on - {k}], known)
            if reason:
                low, high = root.arc.core_low[0], root.arc.core_high[0]
                sides = zip(problem.names, low.tolist(), high.tolist(), strict=True)
                doubts.append(Undecided(reason, {name: (a, b) for name, a, b in sides}))
                continue
            taken += [] if fold is None else [fold]
            proved.append(Crossing(problem, root, detail))
    return proved, taken, doubts


def _kind(
    problem: Problem,
    other: Problem,
    k: int,
    root: special.Root,
    candidates: Sequence[special.Root],
    known: Iterable[Symmetry],
) -> tuple[special.Root | None, dict[str, Any], str]:
    """Return the fold that is part of the crossing, if there is one; what is known; why nothing is, if so."""
    arc = root.arc
    if not special.alone(problem, arc, root.test):
        return None, {}, SEVERAL
    detail: dict[str, Any] = {"iterations": 1} if problem.circle else {}
    detail |= {"kind": "transcritical", "plane": problem.planes[k].name(problem)}
    detail["unstable"] = special.sides(problem, root).unstable
    low, high = (side[0, FOLD] for side in other.tests.values(arc.core_low, arc.core_high))
    if low > 0.0 or high < 0.0:
        return None, detail, ""
    planes = problem.planes
    symmetric = any(one.moves(planes[k]) and one.fixes(planes, problem.on) for one in known)
    for fold in candidates if symmetric else ():
        piece = fold.piece
        if fold.test == FOLD and ((arc.core_low >= piece.low) & (arc.core_high <= piece.high)).all():
            return fold, detail | {"kind": "pitchfork", "turns": special.sides(other, fold).turns}, ""
    return None, {}, IN_ONE
