"""Numbers of unstable eigenvalues that are certain: Gershgorin's discs of an approximately diagonal matrix."""

from __future__ import annotations

import numpy as np

from bifrncrn.proofs.problem import Problem
from bifrncrn.proofs.rounding import above, product


def unstable_counts(problem: Problem, low: np.ndarray, high: np.ndarray) -> list[int | None]:
    """Return the number of eigenvalues with positive real part of the Jacobian on each of the boxes (k, n + 1).

    None where an eigenvalue may lie on the imaginary axis.
    """
    return [_count(*sides) for sides in zip(*problem.jacobian(low, high), strict=True)]


def discs(low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Return centers and radii (n,) of discs whose union holds the eigenvalues of every matrix between low and high.

    As many eigenvalues lie in a connected part of the union as it has discs. With V about the eigenvectors of the
    middle and W about their inverse, the eigenvalues are those of (W V)^-1 W J V; W V = I + E with a small E.
    """
    if not np.isfinite(low + high).all():
        return None
    n = len(low)
    try:
        _, vectors = np.linalg.eig(0.5 * low + 0.5 * high)
        inverse = np.linalg.inv(vectors)
    except np.linalg.LinAlgError:
        return None
    parts = [(m.real.copy(), m.imag.copy()) for m in (vectors, inverse)]
    middles, spreads = zip(*(product(part, low, high) for part in parts[1]), strict=True)
    # W J V: real and imaginary parts are each two products of n terms, of the sizes |W J| |V|
    (a, b), (c, d) = middles, parts[0]
    real, imaginary = a @ c - b @ d, a @ d + b @ c
    sizes = above(np.abs(a) + np.abs(b) + spreads[0] + spreads[1], 4)
    columns = np.abs(c) + np.abs(d)
    rounding = above(sizes @ columns, n + 1) * ((2 * n + 8) * 2.0**-52)
    spread = above(above(above(spreads[0] + spreads[1], 1) @ columns, n + 1) + rounding, 1)
    (e, f), (c, d) = parts[1], parts[0]
    unit_real, unit_imaginary = e @ c - f @ d - np.eye(n), e @ d + f @ c
    off = above((np.abs(e) + np.abs(f)) @ columns, n + 1) * ((2 * n + 8) * 2.0**-52)
    off = above(np.abs(unit_real) + np.abs(unit_imaginary) + off, 3) + 2.0**-50 * np.eye(n)
    epsilon = above(off.sum(axis=1).max(), n)
    if not epsilon < 0.5:
        return None
    # |(I + E)^-1 M - M| <= eps / (1 - eps) times the largest of each column
    largest = above(np.abs(real) + np.abs(imaginary) + spread, 2)
    change = above(2.0 * epsilon * largest.max(axis=0, keepdims=True), 1) * np.ones((n, 1))
    radii = above((spread + change).sum(axis=1), 2 * n)
    apart = np.abs(real) + np.abs(imaginary)
    np.fill_diagonal(apart, 0.0)
    return np.diag(real) + 1j * np.diag(imaginary), above(radii + apart.sum(axis=1), n + 2)


def _count(low: np.ndarray, high: np.ndarray) -> int | None:
    found = discs(low, high)
    if found is None:
        return None
    centers, radii = found
    right, left = centers.real - above(radii, 1) > 0.0, centers.real + above(radii, 1) < 0.0
    return int(right.sum()) if (right | left).all() else None
