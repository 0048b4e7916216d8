"""The compiled march and its linear algebra: effort, orders, ends, and what it must not see."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numba import njit

import bifrncrn as bf
from bifrncrn.compile.pointers import doubles
from bifrncrn.continuation import dense, layout
from bifrncrn.continuation.march import march
from bifrncrn.curves.equilibria.problem import EquilibriumProblem
from bifrncrn.curves.equilibria.start import newton

CUBIC = bf.System.from_equations({"x": "lam + x - x^3"}, {"lam": 0.0}, {"x": -1.0})
CIRCLE = bf.System.from_equations({"x": "x^2 + p^2 - 1"}, {"p": 0.0}, {"x": 1.0})
FREE = (np.array([-np.inf]), np.array([np.inf]))


@njit(error_model="numpy")
def EIGENVALUES(matrix, n, reals, imags):
    """The kernel itself cannot be called from Python."""
    return dense.eigenvalues(doubles(matrix), n, doubles(reals), doubles(imags))


def follow(system, y, tangent, span, walls=FREE, floor=None, **options):
    """March from y; return the trace."""
    problem = EquilibriumProblem(system, 0)
    unit = np.append(np.full(len(y) - 1, 0.1), span[1] - span[0]) if floor is None else floor
    return march(problem.curve(), np.array(y), np.array(tangent), span, walls, unit, bf.Options(**options))


def spectrum(matrix):
    """Return the kernel's eigenvalues and its status."""
    n = len(matrix)
    reals, imags = np.zeros(n), np.zeros(n)
    work = np.array(matrix, float)
    status = EIGENVALUES(work.ctypes.data, n, reals.ctypes.data, imags.ctypes.data)
    return reals + 1j * imags, status


def test_it_ends_exactly_on_the_ends_of_the_range():
    trace = follow(CUBIC, [-1.0, 0.0], [0.0, 1.0], (-1.0, 0.25))
    assert trace.reason == layout.RANGE
    assert trace.points[-1, -1] == -1.0 or trace.points[-1, -1] == 0.25


def test_folds_lie_where_the_closed_form_says():
    trace = follow(CUBIC, [-1.0, 0.0], [0.0, 1.0], (-1.0, 1.0))
    folds = trace.points[trace.marks[:, layout.MARK_EVENT] == layout.FOLD]
    lam, x = 2.0 / (3.0 * np.sqrt(3.0)), 1.0 / np.sqrt(3.0)
    assert folds == pytest.approx(np.array([[-x, lam], [x, -lam]]), abs=1e-12)


def test_few_newton_iterations_per_point():
    trace = follow(CUBIC, [-1.0, 0.0], [0.0, 1.0], (-1.0, 1.0))
    assert trace.newtons / len(trace.points) < 3.0
    assert trace.rejected < 0.2 * len(trace.points)


def test_points_grow_like_the_inverse_of_the_step():
    counts = [len(follow(CUBIC, [-1.0, 0.0], [0.0, 1.0], (-1.0, 1.0), step=s).points) for s in (0.04, 0.02, 0.01)]
    slope = np.polyfit(np.log([0.04, 0.02, 0.01]), np.log(counts), 1)[0]
    assert -1.15 < slope < -0.85


def test_every_point_solves_the_equation_to_rounding():
    trace = follow(CUBIC, [-1.0, 0.0], [0.0, 1.0], (-1.0, 1.0))
    x, lam = trace.points.T
    assert np.max(np.abs(lam + x - x**3)) < 5e-15


def test_a_closed_branch_is_left_on_the_first_turn():
    trace = follow(CIRCLE, [1.0, 0.0], [0.0, 1.0], (-2.0, 2.0))
    assert trace.reason == layout.CLOSED
    assert trace.points[-1] == pytest.approx(trace.points[0], abs=1e-13)
    angle = np.unwrap(np.arctan2(trace.points[:, 1], trace.points[:, 0]))
    assert abs(angle[-1] - angle[0]) == pytest.approx(2.0 * np.pi, abs=1e-9)


def test_the_limit_of_points():
    trace = follow(CUBIC, [-1.0, 0.0], [0.0, 1.0], (-1.0, 1.0), max_points=10)
    assert trace.reason == layout.FULL
    assert len(trace.points) <= 10


def test_nothing_is_kept_beyond_a_wall():
    trace = follow(CUBIC, [-1.0, 0.0], [0.0, 1.0], (-1.0, 1.0), (np.array([-np.inf]), np.array([0.5])))
    assert trace.reason == layout.BOUND
    assert trace.points[-1, 0] == 0.5
    assert np.all(trace.points[:, 0] <= 0.5)


def test_a_start_that_is_corrected_out_of_the_range_is_refused():
    """The plane through (0.99, 0) normal to the state meets the parabola at p = 0.98 only."""
    system = bf.System.from_equations({"x": "p - x^2"}, {"p": 0.0}, {"x": 0.0})
    trace = follow(system, [0.99, 0.0], [1.0, 0.0], (-1.0, 0.5))
    assert len(trace.points) == 0
    assert trace.reason == layout.SHORT


def test_a_model_that_turns_nan_ends_the_march_there():
    system = bf.System.from_equations({"x": "sqrt(0.5 - p) - x"}, {"p": 0.0}, {"x": 0.7})
    trace = follow(system, [np.sqrt(0.5), 0.0], [0.0, 1.0], (-1.0, 1.0))
    assert trace.reason in (layout.NOT_FINITE, layout.SHORT)
    assert np.all(np.isfinite(trace.points))
    assert trace.points[-1, -1] == pytest.approx(0.5, abs=1e-4)


def test_newton_converges_quadratically():
    """The fitted order of the errors |x_k - sqrt 2| of Newton's method is two."""
    problem = EquilibriumProblem(bf.System.from_equations({"x": "r - x^2"}, {"r": 2.0}, {"x": 2.0}), 0)
    at, errors = np.array([2.0, 2.0]), []
    for _ in range(4):
        f, matrix = problem.linearize(at)
        at[0] -= f[0] / matrix[0, 0]
        errors.append(abs(at[0] - np.sqrt(2.0)))
    slope = np.polyfit(np.log(errors[:3]), np.log(errors[1:4]), 1)[0]
    assert slope == pytest.approx(2.0, abs=0.05)
    assert newton(problem, np.array([2.0, 2.0]))[0] == pytest.approx(np.sqrt(2.0), abs=1e-15)


@pytest.mark.parametrize("n", range(1, 12))
def test_eigenvalues_are_those_of_numpy(n):
    rng = np.random.default_rng(n)
    for _ in range(50):
        matrix = rng.normal(size=(n, n)) * 10.0 ** rng.integers(-3, 3, (n, 1))
        found, status = spectrum(matrix)
        assert status == 0
        big = np.max(np.abs(matrix))
        assert np.poly(found / big) == pytest.approx(np.poly(np.linalg.eigvals(matrix) / big), abs=1e-11)
        assert np.all(np.diff(found.real) <= 0.0)


@pytest.mark.parametrize(
    "matrix",
    [
        [[0, -1, 0, 0], [-1, 0, 0, 0], [-1, 0, 0, -1], [0, 0, -1, 0]],  # two defective pairs
        [[1, 0, 0, 0, 0], [1, 0, 0, 0, 0], [0, 0, 0, 2, 0], [1, 0, 0, 0, 0], [1, 0, -1, 0, 1]],  # nilpotent part
        [[-2e-3, 2e-3, -3e-4], [-1e-200, 1.7, -1e-214], [-1e-310, 0, 0.7]],  # extinct species
        [[0, 1, 0], [0, 0, 1], [0, 0, 0]],
        [[1e-150, 2e-150, 0], [3e-150, 1e-150, 1e-150], [0, 1e-150, 2e-150]],
    ],
)
def test_eigenvalues_of_awkward_matrices(matrix):
    found, status = spectrum(matrix)
    assert status == 0
    big = np.max(np.abs(matrix))
    assert np.poly(found / big) == pytest.approx(np.poly(np.linalg.eigvals(matrix) / big), abs=1e-7)


STALLING = [  # two pairs, for which the two real shifts of the last rows converge to neither
    [1.735083412145222, 0.3824313206298671, -0.11864556612639465, 0.02326477422851693],
    [2.1917664676090203, 0.8419347980828016, 1.3684680479403795, -1.3696914350584564],
    [-0.3868071645005453, 0.3294415006339193, 1.066202590806292, -0.7920231179674937],
    [0.5148334009000919, 0.22953511228494816, -0.5584121420934013, 0.37735705149004206],
]  # fmt: skip


def test_two_pairs_at_which_shifts_may_stall():
    found, status = spectrum(STALLING)
    assert status == 0
    assert np.sort_complex(found) == pytest.approx(np.sort_complex(np.linalg.eigvals(STALLING)), abs=1e-14)


@pytest.mark.parametrize("seed", range(200))
def test_eigenvalues_of_mixed_pairs(seed):
    rng = np.random.default_rng(seed)
    pairs = int(rng.integers(2, 5))
    blocks, mixing = np.zeros((2 * pairs, 2 * pairs)), rng.normal(size=(2 * pairs, 2 * pairs))
    for k in range(0, 2 * pairs, 2):
        re, im = rng.uniform(-2, 2), 10.0 ** rng.uniform(-2, 2)
        blocks[k : k + 2, k : k + 2] = [[re, -im], [im, re]]
    matrix = mixing @ blocks @ np.linalg.inv(mixing)
    found, status = spectrum(matrix)
    assert status == 0
    gaps = np.abs(found[:, None] - np.linalg.eigvals(matrix)[None])
    # backward stable: rounding of the matrix, and what the mixing makes of it
    bound = 1e-14 * np.linalg.norm(matrix) * np.linalg.cond(mixing)
    assert max(gaps.min(axis=0).max(), gaps.min(axis=1).max()) < bound


@given(st.integers(0, 10**6), st.integers(2, 6))
def test_small_integer_matrices_always_converge(seed, n):
    matrix = np.random.default_rng(seed).integers(-2, 3, (n, n))
    found, status = spectrum(matrix)
    assert status == 0
    assert np.sum(found).real == pytest.approx(np.trace(matrix), abs=1e-6)


@pytest.mark.parametrize(
    ("name", "value"), [("step", 0.0), ("step", 1.0), ("angle", -1), ("max_points", 1), ("tolerance", np.nan)]
)
def test_options_out_of_range(name, value):
    with pytest.raises(bf.InputError, match=name):
        bf.Options(**{name: value})
