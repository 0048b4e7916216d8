"""Systems made at random whose special points are known in closed form."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

import numpy as np
from hunt import Found, Polynomial

Array = np.ndarray
SPAN = (-2.0, 3.0)


def ecology_truth(polynomial: Polynomial, start: Array) -> list[Found]:
    """Return the branch points and Hopf points of Lotka-Volterra equations that hang together with a start.

    For every set of living species there is one branch, affine in lam, that ends where one of them dies out: there it
    meets the branch of the others.
    """
    table = polynomial.coefficients
    n = len(table)
    growth, slope = np.diag(table[:, :n]), np.diag(table[:, n : 2 * n])
    matrix = np.array([-table[i, 2 * n + n * i : 2 * n + n * (i + 1)] for i in range(n)])
    met: dict[tuple[int, ...], list[tuple[int, ...]]] = {}
    found: dict[tuple[int, ...], list[Found]] = {}
    for alive in itertools.chain.from_iterable(itertools.combinations(range(n), k) for k in range(n + 1)):
        rows, a, b = np.array(alive, int), np.zeros(n), np.zeros(n)
        block = matrix[np.ix_(rows, rows)]
        a[rows], b[rows] = np.linalg.solve(block, growth[rows]), np.linalg.solve(block, slope[rows])
        low = max([(SPAN[0], -1)] + [(-a[i] / b[i], i) for i in alive if b[i] > 0.0])
        high = min([(SPAN[1], -1)] + [(-a[i] / b[i], i) for i in alive if b[i] < 0.0])
        if not low[0] < high[0]:
            continue
        found.setdefault(alive, []).extend(_hopf_points(a, b, block, rows, low[0], high[0]))
        for lam, dies in (low, high):
            if dies >= 0:
                y = np.append(a + b * lam, lam)
                y[dies] = 0.0
                rest = tuple(i for i in alive if i != dies)
                found[alive].append(Found("BP", y))
                met.setdefault(alive, []).append(rest)
                met.setdefault(rest, []).append(alive)
    connected, todo = set(), [tuple(np.flatnonzero(start > 0.0).tolist())]
    while todo:
        alive = todo.pop()
        if alive not in connected:
            connected.add(alive)
            todo += met.get(alive, [])
    return [point for alive in connected for point in found[alive]]


def _hopf_points(a: Array, b: Array, block: Array, rows: Array, low: float, high: float) -> Iterator[Found]:
    """Yield the Hopf points of up to three living species, on x = a + b lam: zeros of a Hurwitz determinant in lam."""
    if len(rows) not in (2, 3):
        return
    x = [np.polynomial.Polynomial([a[i], b[i]]) for i in rows]
    m = [[-block[i, j] * x[i] for j in range(len(rows))] for i in range(len(rows))]
    test = sum(m[i][i] for i in range(len(rows)))
    if len(rows) == 3:
        minors = sum(m[i][i] * m[j][j] - m[i][j] * m[j][i] for i, j in ((0, 1), (0, 2), (1, 2)))
        product = sum(
            m[0][i] * (m[1][(i + 1) % 3] * m[2][(i + 2) % 3] - m[1][(i + 2) % 3] * m[2][(i + 1) % 3]) for i in range(3)
        )
        test = test * minors - product
    for lam in (z.real for z in test.roots() if abs(z.imag) < 1e-12 and low < z.real < high):
        at = a + b * lam
        values = np.linalg.eigvals(-at[rows, None] * block)
        pair = values[np.argmin(np.where(values.imag > 0.0, np.abs(values.real), np.inf))]
        if pair.imag > 1e-4 * np.max(np.abs(values)) and abs(pair.real) < 1e-7 * np.max(np.abs(values)):
            yield Found("HB", np.append(at, lam))


def mixed(a: Array, equations: list[str]) -> dict[str, str]:
    """Return equations for z = A u, from those of u, whose names are X, Y, Z, U."""
    inverse = np.linalg.inv(a)
    names = [f"z{i}" for i in range(len(a))]
    sums = {
        letter: "(" + "+".join(f"({float(c)!r})*{name}" for c, name in zip(row, names, strict=True)) + ")"
        for letter, row in zip("XYZU", inverse, strict=False)
    }
    new = [re.sub(r"\b[XYZU]\b", lambda match: sums[match.group()], text) for text in equations]
    return {
        name: "+".join(f"({float(c)!r})*({text})" for c, text in zip(row, new, strict=True))
        for name, row in zip(names, a, strict=True)
    }


def random_matrix(rng: np.random.Generator, n: int) -> Array:
    """Return a regular matrix; its rows, hence the states, may be of very different size."""
    a = np.eye(n)
    while rng.random() < 0.6 or abs(np.linalg.det(a)) < 0.1:
        a = rng.normal(size=(n, n))
        a /= np.linalg.norm(a, axis=1)[:, None]
    return a * 10.0 ** (rng.uniform(-6.0, 6.0, (n, 1)) if rng.random() < 0.4 else np.zeros((n, 1)))


def two_oscillators(rng: np.random.Generator) -> tuple[dict[str, str], float, list[float], float]:
    """Return two oscillators that lose and regain stability at known values of lam, mixed linearly, and a start.

    Half of them have two crossings close together, in the same or in opposite directions. The last value is how far
    rounding of the eigenvalues, of the size of the larger frequency, moves the flattest crossing.
    """
    omega = 10.0 ** rng.uniform(-2.0, 2.0, 2)
    zeros = [np.sort(rng.uniform(-1.0, 1.0, rng.integers(1, 4))) for _ in range(2)]
    if rng.random() < 0.5:
        zeros[1][0] = zeros[0][0] + rng.choice([-1.0, 1.0]) * 10.0 ** rng.uniform(-5.0, -1.0)
    equations, flattest = [], np.inf
    for (x, y), w, at in zip(("XY", "ZU"), omega.tolist(), zeros, strict=True):
        size, sign = float(rng.choice([-1.0, 1.0]) * 10.0 ** rng.uniform(-1.0, 1.0)), float(rng.choice([-1.0, 1.0]))
        mu = f"({size!r})" + "".join(f"*(lam-({float(zero)!r}))" for zero in at)
        slopes = [abs(size * np.prod(zero - np.delete(at, k))) for k, zero in enumerate(at)]
        flattest = min(flattest, *slopes)
        cubic = f"({sign!r})*({x}^2+{y}^2)"
        equations += [f"({mu}+{cubic})*{x}-{w!r}*{y}", f"({mu}+{cubic})*{y}+{w!r}*{x}"]
    known = np.concatenate(zeros)
    start = float(rng.uniform(-1.0, 1.0)) if rng.random() < 0.4 else -1.3
    start = start if np.min(np.abs(known - start)) > 1e-3 else -1.3
    rounding = 1e-13 * float(omega.max()) / flattest
    return mixed(random_matrix(rng, 4), equations), start, np.sort(known).tolist(), rounding


def fold_and_oscillator(rng: np.random.Generator) -> tuple[dict[str, str], float, tuple[float, float], list]:
    """Return a curve lam = q(x) with folds that drives an oscillator, mixed linearly: start, range, special points."""
    folds = np.sort(rng.uniform(-1.0, 1.0, rng.integers(1, 5)))
    hopf = np.sort(rng.uniform(-1.1, 1.1, rng.integers(1, 4)))
    if rng.random() < 0.5:
        hopf[0] = folds[0] + rng.choice([-1.0, 1.0]) * 10.0 ** rng.uniform(-5.0, -1.0)
    q = np.polynomial.Polynomial.fromroots(folds).integ() * 10.0 ** rng.uniform(0.0, 1.5)
    values = q(np.linspace(-1.3, 1.3, 4001))
    width = float(np.ptp(values))
    span = float(values.min()) - 0.05 * width, float(values.max()) + 0.05 * width
    curve = "+".join(f"({float(c)!r})*X^{k}" for k, c in enumerate(q.coef))
    mu = "1" + "".join(f"*(X-({float(zero)!r}))" for zero in hopf)
    equations = [f"lam-({curve})", f"({mu})*Y-2*Z-Y*(Y^2+Z^2)", f"({mu})*Z+2*Y-Z*(Y^2+Z^2)"]
    known = [("LP", float(q(x))) for x in folds] + [("HB", float(q(x))) for x in hopf]
    # the branch starts at x = -1.3, beyond all folds
    equations = [re.sub("X", "(X-1.3)", text) for text in equations]
    return mixed(np.eye(3) if rng.random() < 0.4 else rotation(rng), equations), float(q(-1.3)), span, sorted(known)


def rotation(rng: np.random.Generator) -> Array:
    """Return a random orthogonal matrix."""
    return np.linalg.qr(rng.normal(size=(3, 3)))[0]
