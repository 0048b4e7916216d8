"""An independent second opinion on a branch of equilibria: numpy formulas, a plain fine march, and scipy's root finder.

Nothing here uses the package's derivatives, linear algebra, step control or test functions.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import root

import bifrncrn as bf

Array = np.ndarray


@dataclass(frozen=True)
class Model:
    """f(x, p) and its derivatives by x and p, all plain numpy."""

    f: Callable[[Array, float], Array]
    jacobian: Callable[[Array, float], Array]
    slope: Callable[[Array, float], Array]
    lower: float = -np.inf


@dataclass(frozen=True)
class Found:
    """A special point of the reference march."""

    label: str
    y: Array


@dataclass
class Tally:
    """What a hunt counts."""

    systems: int = 0
    skipped: int = 0
    points: int = 0
    special: int = 0
    labels: dict[str, int] = field(default_factory=dict)
    complaints: list[str] = field(default_factory=list)


def network_model(net: bf.Network) -> Model:
    """Return the reduced network in one parameter species, written down once more."""

    def parts(x: Array, lam: float) -> tuple[Array, Array]:
        z = net.theta + net.omega @ x + net.psi[:, 0] * lam
        root_ = np.sqrt(z * z + 4.0 * net.gamma * net.tau)
        s = np.where(z > 0.0, (z + root_) / (2.0 * net.tau), 2.0 * net.gamma / (root_ - np.where(z > 0.0, 0.0, z)))
        return s, s / root_

    def f(x: Array, lam: float) -> Array:
        return net.beta + x * (net.alpha @ parts(x, lam)[0])

    def jacobian(x: Array, lam: float) -> Array:
        s, ds = parts(x, lam)
        return np.diag(net.alpha @ s) + x[:, None] * (net.alpha @ (ds[:, None] * net.omega))

    def slope(x: Array, lam: float) -> Array:
        return x * (net.alpha @ (parts(x, lam)[1] * net.psi[:, 0]))

    return Model(f, jacobian, slope, 0.0)


def random_network(rng: np.random.Generator, m: int, n: int, strength: float) -> bf.Network:
    """Return a random network that has its start as an equilibrium at lam = 1."""
    alpha, omega = rng.normal(size=(m, n)) * strength, rng.normal(size=(n, m)) * strength
    psi, theta = rng.normal(size=(n, 1)) * strength, rng.normal(size=n) * 3.0 * strength
    state = np.exp(rng.normal(size=m))
    beta = np.exp(rng.normal(size=m))
    s = bf.Network(alpha, omega, psi, theta, beta, state=state).perceptrons(state, np.ones(1))
    # the last weight of each species makes the start an equilibrium
    alpha[:, -1] -= (alpha @ s + beta / state) / s[-1]
    return bf.Network(alpha, omega, psi, theta, beta, state=state)


def pair_sums(values: Array) -> float:
    """Return the product of all sums of two eigenvalues: zero at a Hopf point and at a neutral saddle."""
    i, j = np.triu_indices(len(values), 1)
    return float(np.prod(values[i] + values[j]).real) if len(i) else 1.0


def march(
    model: Model, y: Array, span: tuple[float, float], sign: float, step: float = 0.01, limit: float = 1e5
) -> list[Array]:
    """Return points of the branch through y in one direction, a small fixed length apart (smaller in bends)."""
    n = len(y) - 1
    width = span[1] - span[0]

    def matrix(at: Array) -> Array:
        return np.column_stack([model.jacobian(at[:n], at[n]), model.slope(at[:n], at[n])])

    def tangent(at: Array, along: Array | None) -> tuple[Array, Array]:
        scale = np.append(np.maximum(np.abs(at[:n]), 0.1 * size), width)
        a = matrix(at) * scale
        t = np.linalg.svd(a / np.linalg.norm(a, axis=1)[:, None])[2][-1]
        reference = t[-1] * sign if along is None else t @ (along / scale)
        return (t if reference > 0 else -t), scale

    size = np.maximum(np.abs(y[:n]), 1e-6)
    points, h = [y], step
    t, scale = tangent(y, None)
    while len(points) < 12000 and h > 1e-9:
        at = y + h * t * scale
        good = np.all(at[:n] >= model.lower)
        for _ in range(6):
            if not good:
                break
            a = np.vstack([matrix(at) * scale, t])
            rest = np.append(model.f(at[:n], at[n]), t @ ((at - y) / scale) - h)
            try:
                move = np.linalg.solve(a, -rest)
            except np.linalg.LinAlgError:
                good = False
                break
            at = at + move * scale
            good = bool(np.all(np.isfinite(at)) and np.all(at[:n] >= model.lower))
            if np.max(np.abs(move)) < 1e-12:
                break
        else:
            good = False
        new, new_scale = tangent(at, t * scale) if good else (t, scale)
        bend = np.linalg.norm(new * new_scale / scale / np.linalg.norm(new * new_scale / scale) - t)
        if not good or bend > 0.06:
            h *= 0.5
            continue
        y, t, scale = at, new, new_scale
        points.append(y)
        h = min(step, h * (1.5 if bend < 0.03 else 1.0))
        if not span[0] <= y[n] <= span[1] or np.max(y[:n] / size) > limit:
            break
        if len(points) > 20 and np.linalg.norm((y - points[0]) / scale) < 0.7 * h:
            break
    return points


def special_points(model: Model, points: list[Array], span: tuple[float, float]) -> tuple[list[Found], list[str]]:
    """Return the folds and Hopf points between consecutive points, solved for by scipy; and what was not."""
    n = len(points[0]) - 1
    spectra = [np.linalg.eigvals(model.jacobian(y[:n], y[n])) for y in points]
    dets = [float(np.prod(v).real) for v in spectra]
    sums = [pair_sums(v) for v in spectra]
    found, open_ = [], []
    for k in range(1, len(points)):
        for label, tests in (("LP", dets), ("HB", sums)):
            if (tests[k - 1] > 0) == (tests[k] > 0):
                continue
            y = solve_point(model, points[k - 1], points[k], label)
            if y is None:
                open_.append(f"{label} near p={points[k][n]:.9g}")
            elif span[0] < y[n] < span[1] and (label == "LP" or is_hopf(model, y)):
                found.append(Found(label, y))
    return found, open_


def solve_point(model: Model, a: Array, b: Array, label: str) -> Array | None:
    """Solve f = 0 with det J = 0 or a zero pair sum, between two points, by scipy."""
    n = len(a) - 1
    scale = np.maximum(np.maximum(np.abs(a), np.abs(b)), 1e-6)
    rate = np.max(np.abs(np.linalg.eigvals(model.jacobian(a[:n], a[n]))))
    rows = np.abs(np.column_stack([model.jacobian(a[:n], a[n]), model.slope(a[:n], a[n])])) @ scale

    def test(y: Array) -> float:
        values = np.linalg.eigvals(model.jacobian(y[:n], y[n])) / rate
        if label == "HB":
            return pair_sums(values)
        return float(np.prod(values).real)

    def equations(u: Array) -> Array:
        y = u * scale
        return np.append(model.f(y[:n], y[n]) / rows, test(y) / unit)

    unit = max(abs(test(a)), abs(test(b)))
    share = abs(test(a)) / (abs(test(a)) + abs(test(b)))
    # one component is pinned by the chord first, so that the solver starts on the branch
    guess = a + share * (b - a)
    with np.errstate(all="ignore"):
        result = root(equations, guess / scale, method="hybr", options={"xtol": 1e-13})
    y = result.x * scale
    far = np.linalg.norm((y - 0.5 * (a + b)) / scale) > 3.0 * np.linalg.norm((b - a) / scale) + 1e-9
    return None if far or np.max(np.abs(equations(result.x))) > 1e-7 else y


def is_hopf(model: Model, y: Array) -> bool:
    """Say whether the pair with zero sum is imaginary, and not a neutral saddle."""
    values = np.linalg.eigvals(model.jacobian(y[:-1], y[-1]))
    i, j = np.triu_indices(len(values), 1)
    k = np.argmin(np.abs(values[i] + values[j]))
    return bool(abs(values[i[k]].imag) > 1e-6 * np.max(np.abs(values)))


def reference(
    model: Model, y: Array, span: tuple[float, float], step: float = 0.01
) -> tuple[list[Found], list[str], list[Array]]:
    """Return the special points of the branch through y, inside the span, in order along it."""
    forth = march(model, y, span, 1.0, step)
    closed = (
        len(forth) > 20
        and np.linalg.norm((forth[-1] - y) / np.maximum(np.abs(y), 1e-6)) < 0.05
        and span[0] < forth[-1][-1] < span[1]
    )
    back = [] if closed else march(model, y, span, -1.0, step)[1:]
    points = back[::-1] + forth
    found, open_ = special_points(model, points, span)
    # a closed branch may be followed round more than once; `solve_point` takes what is right to 1e-7
    once: list[Found] = []
    for point in found:
        if not any(p.label == point.label and np.allclose(p.y, point.y, rtol=1e-7, atol=1e-9) for p in once):
            once.append(point)
    return once, open_, points


def flat(d: bf.Diagram, label: str | None = None) -> list[Found]:
    """Return the special points of a diagram as vectors (x, p)."""
    return [
        Found(p.label, np.array([*p.state.values(), *p.parameters.values()]))
        for p in d.special_points
        if label is None or p.label == label
    ]


def differences(a: list[Found], b: list[Found], width: float, tolerance: float = 1e-6) -> list[str]:
    """Return what one list has and the other has not, as sentences; empty when they agree."""
    rest = list(b)
    out = []
    for point in a:
        unit = np.append(np.abs(point.y[:-1]) + 1e-5 * np.max(np.abs(point.y)) + 1e-9, width)
        near = [q for q in rest if q.label == point.label and np.max(np.abs(q.y - point.y) / unit) < tolerance]
        if near:
            rest = [q for q in rest if q is not near[0]]
        else:
            out.append(f"only first: {point.label} {point.y.tolist()}")
    return out + [f"only second: {q.label} {q.y.tolist()}" for q in rest]


def check_branches(d: bf.Diagram, model: Model) -> list[str]:
    """Check every row by substitution: f = 0, the eigenvalues, their count, and where the count changes."""
    out = []
    for branch in d.branches:
        marked = {p.index: p.label for p in d.special_points if p.branch == branch.id}
        for special in flat(d, "BP"):  # a branch point is listed once, and may be a row of several branches
            gaps = np.max(
                np.abs(branch.points - np.roll(special.y, 1)) / (1e-6 + np.abs(np.roll(special.y, 1))), axis=1
            )
            marked |= {int(k): "BP" for k in np.flatnonzero(gaps < 1e-7)}
        p = branch.points[:, 0]
        rates = np.array([np.max(np.abs(model.jacobian(row[1:], row[0]))) for row in branch.points])
        for k, row in enumerate(branch.points):
            x, lam = row[1:], row[0]
            jac = model.jacobian(x, lam)
            size = np.abs(jac) @ np.abs(x) + np.abs(model.slope(x, lam) * lam) + 1e-12 * rates[k]
            size += np.finfo(float).tiny  # all may vanish at a branch point
            if np.max(np.abs(model.f(x, lam)) / size) > 1e-9:
                out.append(f"branch {branch.id} row {k}: f is not zero: {model.f(x, lam)}")
            values = np.linalg.eigvals(jac)
            values = values[np.lexsort((-values.imag, -values.real))]
            big = max(np.max(rates[max(k - 2, 0) : k + 3]), 1e-3 * np.max(rates))
            if np.max(np.abs(np.poly(values / big) - np.poly(branch.eigenvalues[k] / big))) > 1e-6:
                out.append(f"branch {branch.id} row {k}: eigenvalues {branch.eigenvalues[k]} but numpy says {values}")
            if (
                k not in marked
                and np.min(np.abs(values.real)) > 1e-7 * big
                and np.sum(values.real > 0) != branch.unstable[k]
            ):
                out.append(
                    f"branch {branch.id} row {k}: {branch.unstable[k]} unstable but numpy {np.sum(values.real > 0)}"
                )
            if 0 < k < len(p) - 1 and (p[k] - p[k - 1]) * (p[k + 1] - p[k]) < 0 and marked.get(k) not in ("LP", "BP"):
                out.append(f"branch {branch.id} row {k}: the parameter turns at {lam:.9g} where no fold is reported")
        rows = [k for k in range(len(p)) if k not in marked]
        for a, b in itertools.pairwise(rows):
            if branch.unstable[a] != branch.unstable[b] and b - a == 1:
                out.append(f"branch {branch.id} rows {a}, {b}: the number of unstable eigenvalues changes unseen")
    return out


def check_special(d: bf.Diagram, model: Model) -> list[str]:
    """Check every special point by substitution with numpy eigenvalues."""
    out = []
    for point in d.special_points:
        if point.status != "converged":
            out.append(f"{point.label} at {point.parameters} is {point.status}")
            continue
        x, lam = np.array([*point.state.values()]), next(iter(point.parameters.values()))
        jac, slope = model.jacobian(x, lam), model.slope(x, lam)
        size = np.abs(jac) @ np.abs(x) + np.abs(slope * lam) + 1e-12 * np.max(np.abs(jac))
        size += np.finfo(float).tiny  # all may vanish at a branch point
        values = np.linalg.eigvals(jac)
        rows = d.branches[point.branch].points[max(point.index - 2, 0) : point.index + 3]
        big = max(
            np.max(np.abs(np.append(model.jacobian(row[1:], row[0]), model.slope(row[1:], row[0])))) for row in rows
        )
        ok = np.max(np.abs(model.f(x, lam)) / size) < 1e-10
        if point.label == "LP":
            ok &= np.min(np.abs(values)) < 1e-7 * big
        elif point.label == "HB":
            assert point.omega is not None
            ok &= np.min(np.abs(values - 1j * point.omega)) < 1e-8 * big and point.omega > 0.0
        elif point.label == "BP":
            both = np.column_stack([jac, slope])
            ok &= np.linalg.svd(both)[1][-1] < 1e-7 * big
        if not ok:
            out.append(f"{point.label} at {point.parameters} does not hold: f={model.f(x, lam)} eigenvalues={values}")
    return out


def run(system: bf.System, span: tuple[float, float], step: float = 0.05, **more: object) -> bf.Diagram | None:
    """Return the diagram in `lam`, or None where the start leads nowhere."""
    try:
        return bf.diagram(system, "lam", span, options=bf.Options(step=step), **more)  # type: ignore[arg-type]
    except bf.ConvergenceError:
        return None


def examine(
    system: bf.System, model: Model, span: tuple[float, float], rng: np.random.Generator, tally: Tally, name: str
) -> None:
    """Hunt on one system: substitution, the reference march, three step sizes, other starts."""
    tally.systems += 1
    first = run(system, span, start=None)
    if first is None:
        tally.skipped += 1
        return
    width = span[1] - span[0]
    complaints = check_branches(first, model) + check_special(first, model)
    listed = flat(first)
    tally.points += sum(len(b.points) for b in first.branches)
    tally.special += len(listed)
    for point in listed:
        tally.labels[point.label] = tally.labels.get(point.label, 0) + 1
    # the reference march starts well away from special points: it compares signs between its own points only
    taken = np.array([0, len(first.branches[0].points) - 1, *(p.index for p in first.special_points if p.branch == 0)])
    middle = max(range(len(first.branches[0].points)), key=lambda k: np.min(np.abs(taken - k)))
    row = first.branches[0].points[middle]
    if not any(p.label == "BP" for p in first.special_points):
        found, open_, _ = reference(model, np.append(row[1:], row[0]), span)
        complaints += [f"reference march: {text}" for text in differences(listed, found, width)]
        complaints += [f"reference march could not solve {text}" for text in open_]
    for step in (0.1, 0.02):
        other = run(system, span, step)
        complaints += (
            [f"step {step}: {t}" for t in differences(listed, flat(other), width)]
            if other
            else [f"step {step}: no start"]
        )
    for _ in range(2):
        row = first.branches[0].points[rng.integers(len(first.branches[0].points))]
        start = dict(zip(("lam", *system.variables), row.tolist()))
        other = run(system, span, start=start)
        text = f"start {start}"
        complaints += (
            [f"{text}: {t}" for t in differences(listed, flat(other), width)] if other else [f"{text}: nothing found"]
        )
    tally.complaints += [f"{name}: {text}" for text in complaints]


@dataclass(frozen=True)
class Polynomial:
    """f_i = sum_k coefficients[i, k] * prod_j u_j^powers[k, j], u = (x, p)."""

    coefficients: Array
    powers: Array

    def _terms(self, u: Array, lowered: int | None = None) -> Array:
        powers = self.powers.astype(float)
        factor = np.ones(len(powers))
        if lowered is not None:
            factor = powers[:, lowered].copy()
            powers[:, lowered] = np.maximum(powers[:, lowered] - 1.0, 0.0)
        return factor * np.prod(u**powers, axis=1)

    def model(self, lower: float = -np.inf) -> Model:
        n = len(self.coefficients)
        return Model(
            lambda x, p: self.coefficients @ self._terms(np.append(x, p)),
            lambda x, p: np.column_stack([self.coefficients @ self._terms(np.append(x, p), j) for j in range(n)]),
            lambda x, p: self.coefficients @ self._terms(np.append(x, p), n),
            lower,
        )

    def system(self, state: Array, lam: float, nonnegative: bool = False) -> bf.System:
        n = len(self.coefficients)
        names = [*(f"x{j + 1}" for j in range(n)), "lam"]
        products = [
            "*".join(f"{name}^{int(power)}" for name, power in zip(names, row) if power) or "1" for row in self.powers
        ]
        equations = {
            names[i]: " + ".join(f"({float(c)!r})*{product}" for c, product in zip(self.coefficients[i], products) if c)
            for i in range(n)
        }
        return bf.System.from_equations(
            equations, {"lam": lam}, dict(zip(names, state.tolist())), nonnegative=nonnegative
        )


def random_polynomial(rng: np.random.Generator, n: int) -> tuple[Polynomial, Array]:
    """Return random equations with up to cubic terms, and a state that is an equilibrium at lam = 1."""
    powers = [np.zeros(n + 1, int)]
    while len(powers) < 4 + 3 * n:
        row = rng.integers(0, 3, n + 1)
        if 0 < row.sum() <= 3:
            powers.append(row)
    cubes = [3 * np.eye(n + 1, dtype=int)[i] for i in range(n)]
    table = np.array(powers + cubes)
    coefficients = np.zeros((n, len(table)))
    for i in range(n):
        coefficients[i, 1 : len(powers)] = rng.normal(size=len(powers) - 1) * (rng.random(len(powers) - 1) < 0.6)
        coefficients[i, len(powers) + i] = -0.3
    state = rng.normal(size=n)
    draft = Polynomial(coefficients, table)
    coefficients[:, 0] = -draft.model().f(state, 1.0)
    return Polynomial(coefficients, table), state


def random_ecology(rng: np.random.Generator, n: int) -> tuple[Polynomial, Array]:
    """Return Lotka-Volterra equations x_i (r_i + s_i lam - A x)_i, and an equilibrium at lam = 1."""
    eye = np.eye(n + 1, dtype=int)
    table = np.array(
        [eye[i] for i in range(n)]
        + [eye[i] + eye[n] for i in range(n)]
        + [eye[i] + eye[j] for i in range(n) for j in range(n)]
    )
    growth, slope = rng.normal(size=n), rng.normal(size=n)
    matrix = rng.normal(size=(n, n)) + 1.5 * np.eye(n)
    coefficients = np.zeros((n, len(table)))
    for i in range(n):
        coefficients[i, i], coefficients[i, n + i] = growth[i], slope[i]
        coefficients[i, 2 * n + n * i : 2 * n + n * (i + 1)] = -matrix[i]
    alive = np.flatnonzero(rng.random(n) < 0.5)
    state = np.zeros(n)
    if len(alive):
        state[alive] = np.linalg.solve(matrix[np.ix_(alive, alive)], (growth + slope)[alive])
        state = np.zeros(n) if np.any(state < 0.0) else state
    return Polynomial(coefficients, table), state


def hunt_polynomials(seeds: range) -> Tally:
    """Examine one random polynomial system a seed."""
    tally = Tally()
    for seed in seeds:
        rng = np.random.default_rng(seed)
        polynomial, state = random_polynomial(rng, int(rng.integers(1, 4)))
        examine(polynomial.system(state, 1.0), polynomial.model(), (-2.0, 3.0), rng, tally, f"polynomial {seed}")
    return tally


def hunt_ecologies(seeds: range) -> Tally:
    """Examine one random Lotka-Volterra system a seed, inside the orthant."""
    tally = Tally()
    for seed in seeds:
        rng = np.random.default_rng(seed)
        polynomial, state = random_ecology(rng, int(rng.integers(1, 4)))
        examine(polynomial.system(state, 1.0, True), polynomial.model(0.0), (-2.0, 3.0), rng, tally, f"ecology {seed}")
    return tally


def hunt_networks(seeds: range, strength: float = 1.0, species: tuple[int, ...] = (1, 2, 3)) -> Tally:
    """Examine one random network a seed."""
    tally = Tally()
    for seed in seeds:
        rng = np.random.default_rng(seed)
        m = int(rng.choice(species))
        n = int(rng.integers(2, 16))
        net = random_network(rng, m, n, strength * float(rng.uniform(0.3, 2.0)))
        examine(net.reduced(), network_model(net), (0.0, 3.0), rng, tally, f"seed {seed} (m={m}, n={n})")
    return tally
