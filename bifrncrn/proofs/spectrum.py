"""Numbers of unstable eigenvalues that are certain: Gershgorin's discs of approximately diagonal matrices."""

from __future__ import annotations

import numpy as np

from bifrncrn.proofs.arcs import Arcs, pieces, slopes_along
from bifrncrn.proofs.problem import Bounds, Problem
from bifrncrn.proofs.rounding import above, midpoint, product, up

SHAKES = (0.0, 1e-4, 1e-2)
"""So much of its size is added to a matrix before its eigenvectors are taken: where two eigenvalues are nearly one, its
own are nearly parallel, and the discs large; those of a matrix at a distance of d have discs of the size of sqrt(d)."""


KEPT, MOST_WEIGHT = 0.25, 1e8
"""So much of their distance from the border the other discs may grow by, and so large a weight may be."""


def sides(problem: Problem, centers: np.ndarray, radii: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Say which discs hold unstable eigenvalues only, and which stable ones only; the border lies between.

    It is the imaginary axis, or of maps the circle about -1 (the Jacobian's eigenvalues are multipliers less one).
    """
    reach = above(radii, 1)
    if not problem.circle:
        return centers.real - reach > 0.0, centers.real + reach < 0.0
    size = np.abs(centers + 1.0)
    reach = reach + 2.0**-50 * (np.abs(centers) + 2.0 + reach)  # the rounding of size, and of the sums below
    return size - reach > 1.0, size + reach < 1.0


def unstable_counts(problem: Problem, low: np.ndarray, high: np.ndarray) -> list[int | None]:
    """Return the number of unstable eigenvalues of the Jacobian on each of the boxes (k, n + 1).

    None where an eigenvalue may lie on the border of stability.
    """
    return _counted(problem, *problem.jacobian(low, high))


def unstable_along(problem: Problem, arcs: Arcs) -> list[int | None]:
    """Return the same on each of some arcs, by the Jacobian in the middle and how it changes along the curve.

    J(y(s)) lies in J(y(m)) + (s - m) D, D an enclosure of its derivative by the pivot s along the arc (the mean value
    theorem, entry by entry).
    """
    ends = arcs.ends(0), arcs.ends(1)
    middle = midpoint(*ends)
    half = np.maximum(up(ends[1] - middle), up(middle - ends[0]))
    points = pieces(problem, arcs, middle, middle)
    slopes = problem.bent((arcs.core_low, arcs.core_high), slopes_along(problem, arcs))
    return _counted(problem, *problem.jacobian(points.core_low, points.core_high), (*slopes, half))


def _counted(problem: Problem, low: np.ndarray, high: np.ndarray, change: tuple | None = None) -> list[int | None]:
    counts: list[int | None] = [None] * len(low)
    left = np.arange(len(low))
    for shake, circle in [(shake, circle) for shake in SHAKES for circle in (None, problem.circle)]:
        moved = None if change is None else tuple(part[left] for part in change)
        centers, radii = discs(low[left], high[left], shake, moved, circle)
        unstable, stable = sides(problem, centers, radii)
        known = (unstable | stable).all(axis=1)
        for i, count in zip(left[known], unstable[known].sum(axis=1), strict=True):
            counts[i] = int(count)
        left = left[~known]
        if not len(left):
            break
    return counts


def discs(
    low: np.ndarray, high: np.ndarray, shake: float = 0.0, change: tuple | None = None, circle: bool | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return centers and radii (k, n) of discs whose union holds the eigenvalues of every matrix between low and high.

    As many eigenvalues lie in a connected part of the union as it has discs. With V about the eigenvectors of the
    middle and W about their inverse, the eigenvalues are those of (W V)^-1 W J V; W V = I + E with a small E.

    Parameters
    ----------
    low, high : (k, n, n) arrays
    shake : float
        See `SHAKES`.
    change : (k, n, n) arrays low and high, and (k,) array t; optional
        The matrices are those between low and high plus numbers in [-t, t] times those between these.
    circle : bool, optional
        Make the disc next to the border of stability smaller, at the cost of the others: of eigenvalues that are near
        the imaginary axis, or of maps (True) near the circle about -1. See `_weights`.
    """
    n = low.shape[-1]
    middle = 0.5 * low + 0.5 * high
    other = np.cos(np.arange(1.0, n * n + 1.0)).reshape(n, n)  # any matrix without structure
    start = middle + shake * np.abs(middle).max(axis=(1, 2), keepdims=True) * other
    vectors, inverse = _eigenvectors(start)
    parts = [(m.real.copy(), m.imag.copy()) for m in (vectors, inverse)]
    real, imaginary, spread = _similar(parts, low, high)
    if change is not None:
        moves = _similar(parts, change[0], change[1])
        size = above(np.abs(moves[0]) + np.abs(moves[1]) + moves[2], 3)
        spread = above(spread + above(size * change[2][:, None, None], 1), 1)
    (e, f), (c, d) = parts[1], parts[0]
    columns = np.abs(c) + np.abs(d)
    unit_real, unit_imaginary = e @ c - f @ d - np.eye(n), e @ d + f @ c
    off = above((np.abs(e) + np.abs(f)) @ columns, n + 1) * ((2 * n + 8) * 2.0**-52)
    off = above(np.abs(unit_real) + np.abs(unit_imaginary) + off, 3) + 2.0**-50 * np.eye(n)
    epsilon = above(off.sum(axis=2).max(axis=1), n)[:, None, None]
    # |(I + E)^-1 M - M| <= eps / (1 - eps) times the largest of each column
    largest = above(np.abs(real) + np.abs(imaginary) + spread, 2)
    moved = above(2.0 * epsilon * largest.max(axis=1, keepdims=True), 1) * np.ones((n, 1))
    apart = np.abs(real) + np.abs(imaginary)
    apart[:, range(n), range(n)] = 0.0
    entries = above(spread + moved + apart, 3)
    centers = np.einsum("kii->ki", real) + 1j * np.einsum("kii->ki", imaginary)
    weights = np.ones(centers.shape) if circle is None else _weights(entries, centers, circle)
    radii = above((entries @ weights[:, :, None])[:, :, 0] / weights, n + 2)
    radii = np.where(np.isfinite(radii) & (epsilon[:, :, 0] < 0.5), radii, np.inf)
    return np.where(np.isfinite(centers), centers, 0.0), radii


def _weights(entries: np.ndarray, centers: np.ndarray, circle: bool) -> np.ndarray:
    """Return weights d (k, n) for which the discs of D^-1 M D, D = diag(d), serve best; M's entries are bounded.

    The radius of row i is the sum of M_ij d_j / d_i. The row next to the border gets the largest weight at which the
    other discs stay clear of it: what couples it to the others then counts squared.
    """
    far = np.abs(np.abs(centers + 1.0) - 1.0) if circle else np.abs(centers.real)
    rows, least = np.arange(len(far)), np.argmin(far, axis=1)
    with np.errstate(all="ignore"):
        room = KEPT * far / entries[rows, :, least]
    room[rows, least] = np.inf
    weights = np.ones(far.shape)
    weights[rows, least] = np.clip(np.nan_to_num(room.min(axis=1), nan=1.0, posinf=MOST_WEIGHT), 1.0, MOST_WEIGHT)
    return weights


def _eigenvectors(matrices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return eigenvectors (k, n, n) and their inverses, nan where there are none."""
    good = np.isfinite(matrices).all(axis=(1, 2))
    try:
        _, vectors = np.linalg.eig(np.where(good[:, None, None], matrices, np.eye(matrices.shape[-1])))
    except np.linalg.LinAlgError:  # the iteration did not end for one of them: nothing is known of any
        unknown = np.full(matrices.shape, np.nan, complex)
        return unknown, unknown
    vectors = vectors.astype(complex)
    try:
        inverse = np.linalg.inv(vectors)
    except np.linalg.LinAlgError:
        inverse = np.full_like(vectors, np.nan)
        for i, one in enumerate(vectors):
            if np.linalg.cond(one) < 1e15:
                inverse[i] = np.linalg.inv(one)
    inverse[~good] = np.nan
    return vectors, inverse


def _similar(
    parts: list[tuple[np.ndarray, np.ndarray]], low: np.ndarray, high: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return W J V: real and imaginary parts, (k, n, n), and a bound of how far each entry may be from there.

    Real and imaginary parts are each two products of n terms, of the sizes |W J| |V|.
    """
    n = low.shape[-1]
    (c, d), (e, f) = parts
    (a, a_spread), (b, b_spread) = product(e, low, high), product(f, low, high)
    real, imaginary = a @ c - b @ d, a @ d + b @ c
    columns = np.abs(c) + np.abs(d)
    sizes = above(np.abs(a) + np.abs(b) + a_spread + b_spread, 4)
    rounding = above(sizes @ columns, n + 1) * ((2 * n + 8) * 2.0**-52)
    spread = above(above(above(a_spread + b_spread, 1) @ columns, n + 1) + rounding, 1)
    return real, imaginary, spread


def one_spectrum(problem: Problem, box: Bounds, shake: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the discs of one box, (n,) each; radii are infinite where nothing is known."""
    low, high = problem.jacobian(box[0][None], box[1][None])
    centers, radii = discs(low, high, shake)
    return centers[0], radii[0]
