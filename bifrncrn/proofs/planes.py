"""Where branches cross whatever the numbers are: invariant planes and symmetries, found in the formulas.

A state k has an invariant plane x_k = c if f_k vanishes there: identically, which is decided by arithmetic with
rational numbers, not by evaluating. Then f_k = (x_k - c) g_k. Two states have an invariant diagonal x_k = x_j if f_k
and f_j are the same there; then f_k - f_j = (x_k - x_j) g_k, and f_k + f_j = 0 is the other equation. A symmetry
changes the signs of x_k - c_k for some states and swaps others, and does the same with the right-hand sides. c is zero,
one, minus one, or what is taken off x_k in the model.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from bifrncrn.compile.exact import copied
from bifrncrn.compile.forms import Forms
from bifrncrn.compile.quotients import on_plane, quotient
from bifrncrn.proofs.problem import Problem

NEAR = 1e-6
"""A state is tried on a plane if it is so near to it, relative to its size or to one; whether it is, is proved."""

MOST_PAIRED = 7
"""Of up to so many states each two are tried for a diagonal; of more that takes long."""


@dataclass(frozen=True)
class Plane:
    """An invariant plane x_k = c, or an invariant diagonal x_k = x_j.

    Attributes
    ----------
    state : k
    at : the node of c, or of x_j
    distance : the node of x_k - c
    rest : the node of g_k = f_k / (x_k - c), the division carried out, also by the distances from other planes of the
        state; of a diagonal, of (f_k - f_j) / (x_k - x_j)
    partner : (j, node of f_k + f_j) of a diagonal
    """

    state: int
    at: int
    distance: int
    rest: int
    partner: tuple[int, int] | None = None

    def bounds(self, problem: Problem) -> tuple[float, float] | None:
        """Return bounds of c; None of a diagonal."""
        return place(problem, self.at) if self.partner is None else None

    def name(self, problem: Problem) -> str:
        """Return what is constant on it."""
        names, k = problem.names, self.state
        return names[k] if self.partner is None else f"{names[k]} - {names[self.partner[0]]}"


def place(problem: Problem, at: int) -> tuple[float, float]:
    """Return bounds of the node of a number or of a parameter."""
    g = problem.graph
    if g.op[at] == "par":
        i = int(g.args[at][0])
        return float(problem.values[0][i]), float(problem.values[1][i])
    value = g.value(at)
    assert value is not None
    return value, value


def candidates(problem: Problem, k: int) -> list[int]:
    """Return nodes of the places c that state k is compared with; zero, one and minus one among them."""
    g = problem.graph
    x = g.node("var", k)
    found = dict.fromkeys((g.zero, g.one, g.const(-1.0)))
    for node in g.reachable(problem.field):
        args = g.args[node]
        if g.op[node] != "add" or len(args) != 2:
            continue
        for one, other in (args, args[::-1]):
            taken = g.neg(other) if one == x else other if one == g.neg(x) else None
            if taken is not None and g.op[taken] in ("const", "par"):
                found[taken] = None
    return list(found)


def planes(problem: Problem, low: np.ndarray, high: np.ndarray) -> dict[int, Plane]:
    """Return the invariant planes that meet the box [low, high], by numbers; of diagonals one."""
    found: dict[int, Plane] = {}
    for k in range(problem.n):
        some = _of_state(problem, k, low[k], high[k])
        found |= {k + problem.n * i: replace(plane, rest=some[-1].rest) for i, plane in enumerate(some)}
    rest = [k for k in range(problem.n) if k not in found]
    for k, j in combinations(rest, 2) if problem.n <= MOST_PAIRED else ():
        meets = max(low[k], low[j]) <= min(high[k], high[j])
        diagonal = diagonal_of(problem, k, j) if meets else None
        if diagonal is not None:
            return found | {k: diagonal}
    return found


def _of_state(problem: Problem, k: int, low: float, high: float) -> list[Plane]:
    """Return the planes of one state; the quotient of each is divided by the distance from the next one."""
    found: list[Plane] = []
    for at in candidates(problem, k):
        left, right = place(problem, at)
        others = (place(problem, plane.at) for plane in found)
        if left > high or right < low or any(a <= right and b >= left for a, b in others):
            continue
        plane = _divided(problem, found[-1].rest if found else problem.field[k], k, at)
        found += [] if plane is None else [plane]
    return found


def _divided(problem: Problem, node: int, k: int, at: int) -> Plane | None:
    """Return the plane x_k = c if a node vanishes there and can be divided by x_k - c."""
    g = problem.graph
    if not Forms(g).equal(on_plane(g, [node], k, at)[0], g.zero):
        return None
    rest = quotient(g, node, k, at)
    return None if rest is None else Plane(k, at, g.sub(g.node("var", k), at), rest)


def is_invariant(problem: Problem, k: int, at: int) -> bool:
    """Say whether f_k is proved to vanish on x_k = c, c the node `at`."""
    g = problem.graph
    return Forms(g).equal(on_plane(g, [problem.field[k]], k, at)[0], g.zero)


def plane_at(problem: Problem, k: int, at: int) -> Plane | None:
    """Return the plane x_k = c, c the node `at`, if it is invariant and f_k can be divided."""
    return _divided(problem, problem.field[k], k, at)


def diagonal_of(problem: Problem, k: int, j: int) -> Plane | None:
    """Return the diagonal x_k = x_j, if it is invariant and f_k - f_j can be divided."""
    g, f = problem.graph, problem.field
    apart, at = g.sub(f[k], f[j]), g.node("var", j)
    if not Forms(g).equal(on_plane(g, [apart], k, at)[0], g.zero):
        return None
    rest = quotient(g, apart, k, at)
    return None if rest is None else Plane(k, at, g.sub(g.node("var", k), at), rest, (j, g.add([f[k], f[j]])))


@dataclass(frozen=True)
class Symmetry:
    """A map of the states to themselves that is its own inverse, and maps solutions to solutions.

    Attributes
    ----------
    turned : mapping
        States whose distance from c changes its sign, with the nodes of c.
    swapped : pairs of states
        They change places.
    """

    turned: Mapping[int, int]
    swapped: tuple[tuple[int, int], ...] = ()

    def moves(self, plane: Plane) -> bool:
        """Say whether it changes the sign of the distance from a plane."""
        if plane.partner is None:
            return self.turned.get(plane.state) == plane.at
        return (plane.state, plane.partner[0]) in self.swapped

    def fixes(self, planes: Mapping[int, Plane], on: Iterable[int]) -> bool:
        """Say whether all points that are on some of the planes stay where they are."""
        return {*self.turned, *(k for k, _ in self.swapped)} <= {planes[i].state for i in on if self.moves(planes[i])}


def unlike(problem: Problem, symmetry: Symmetry) -> list[int]:
    """Return the states whose right-hand sides are not proved to be mapped as the states are: of a symmetry, none."""
    g, n = problem.graph, problem.n
    x = [g.node("var", k) for k in range(n)]
    moved = {("var", k): g.sub(g.add([at, at]), x[k]) for k, at in symmetry.turned.items()}
    images = {k: g.neg(problem.field[k]) for k in symmetry.turned}
    for i, j in (*symmetry.swapped, *(pair[::-1] for pair in symmetry.swapped)):
        moved["var", i], images[i] = x[j], problem.field[j]
    there = copied(g, problem.field, moved, g)
    forms = Forms(g)
    return [k for k in range(n) if not forms.equal(there[k], images.get(k, problem.field[k]))]


def turnings(problem: Problem, found: Mapping[int, Plane]) -> list[Symmetry]:
    """Return the symmetries that change the signs of distances from some of the given planes."""
    sets = (chosen for count in range(1, len(found) + 1) for chosen in combinations(found.values(), count))
    tried = []
    for chosen in sets:
        turned = {plane.state: plane.at for plane in chosen if plane.partner is None}
        swapped = tuple((plane.state, plane.partner[0]) for plane in chosen if plane.partner is not None)
        if len(turned) + len(swapped) == len(chosen):  # a state has one middle
            tried.append(Symmetry(turned, swapped))
    return [symmetry for symmetry in tried if not unlike(problem, symmetry)]


def nearest(problem: Problem, y: np.ndarray) -> dict[int, int]:
    """Return the nodes of the places c that the states of a point (n + 1,) are at, as far as it can be seen."""
    found = {}
    for k in range(problem.n):
        for at in candidates(problem, k):
            low, high = place(problem, at)
            reach = NEAR * max(1.0, abs(y[k]))
            if low - reach <= y[k] <= high + reach:
                found[k] = at
                break
    return found


def likely(problem: Problem, y: np.ndarray, v: np.ndarray, near: Mapping[int, int]) -> list[Symmetry]:
    """Return symmetries, proved, that keep a point y (n + 1,) and turn a vector v (n,) round, both given about.

    Each state in v is at its middle, or it is swapped with one that is like it in y and opposite in v. States that are
    not in v stay, unless the right-hand sides say that they are turned too; or all that are alike in y change places.
    """
    n, sizes = problem.n, np.abs(v) > NEAR * np.abs(v).max()
    turned = {k: near[k] for k in range(n) if sizes[k] and k in near}
    left = [k for k in range(n) if sizes[k] and k not in near]
    swapped = _pairs([k for k in range(n) if sizes[k]], y, v)
    tried = [_closed(problem, turned, near)] if turned and not left else []
    if swapped is not None and swapped:
        quiet = _pairs([k for k in range(n) if not sizes[k]], y, v * 0.0)
        tried += [Symmetry({}, swapped), *([Symmetry({}, swapped + quiet)] if quiet else [])]
    return [symmetry for symmetry in tried if not unlike(problem, symmetry)]


def _closed(problem: Problem, turned: Mapping[int, int], near: Mapping[int, int]) -> Symmetry:
    """Turn more states, as long as some that are near a middle have right-hand sides that change."""
    symmetry = Symmetry(turned)
    while more := {k: near[k] for k in unlike(problem, symmetry) if k in near and k not in symmetry.turned}:
        symmetry = Symmetry({**symmetry.turned, **more})
    return symmetry


def _pairs(states: list[int], y: np.ndarray, v: np.ndarray) -> tuple[tuple[int, int], ...] | None:
    """Return pairs of states that are alike in y and opposite in v; None if one has no partner."""
    pairs: list[tuple[int, int]] = []
    rest = list(states)
    while rest:
        i = rest.pop(0)
        close = NEAR * np.abs(v).max(), NEAR * max(1.0, abs(y[i]))
        j = next((j for j in rest if abs(v[i] + v[j]) <= close[0] and abs(y[i] - y[j]) <= close[1]), None)
        if j is None:
            return None
        rest.remove(j)
        pairs.append((i, j))
    return tuple(pairs)
