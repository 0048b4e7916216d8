"""The compiled march and its linear algebra: effort, orders, ends, and what it must not see."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numba import njit
from test_large import FOLDS, bratu, brusselator, chafee_infante, fold

import bifrncrn as bf
from bifrncrn.compile.pointers import doubles
from bifrncrn.continuation import layout
from bifrncrn.continuation import sparse as sparse_algebra
from bifrncrn.continuation.eigenvalues import eigenvalues
from bifrncrn.continuation.march import MARCH, march
from bifrncrn.continuation.rightmost import rightmost
from bifrncrn.continuation.sparse import Bordered, Structure
from bifrncrn.curves.equilibria import choose
from bifrncrn.curves.equilibria.engine import POINTS
from bifrncrn.curves.equilibria.problem import EquilibriumProblem
from bifrncrn.curves.equilibria.sparse import SparseProblem
from bifrncrn.curves.equilibria.start import find_start, newton, settle
from bifrncrn.models.differences import Differences, colour, jet, slope

CUBIC = bf.System.from_equations({"x": "lam + x - x^3"}, {"lam": 0.0}, {"x": -1.0})
CIRCLE = bf.System.from_equations({"x": "x^2 + p^2 - 1"}, {"p": 0.0}, {"x": 1.0})
FREE = (np.array([-np.inf]), np.array([np.inf]))


@njit(error_model="numpy")
def EIGENVALUES(matrix, n, reals, imags):
    """The kernel itself cannot be called from Python."""
    return eigenvalues(doubles(matrix), n, doubles(reals), doubles(imags))


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


@pytest.mark.parametrize(
    ("name", "parameter", "bounds", "points", "calls"),
    [  # measured: 145 and 277 points, 9 and 25 calls
        ("ab_reaction", "D", (0, 0.16), 160, 9),
        ("lorenz", "rho", (0, 30), 300, 25),
    ],
)
def test_a_diagram_is_made_in_few_calls_of_kernels(name, parameter, bounds, points, calls, monkeypatch):
    system, seen = bf.load_model(name), []
    first = bf.diagram(system, parameter=parameter, bounds=bounds)
    for kernels in (MARCH, POINTS):
        for kernel, call in kernels.engine.call.items():
            monkeypatch.setitem(
                kernels.engine.call, kernel, lambda *at, _name=kernel, _call=call: (seen.append(_name), _call(*at))[1]
            )
    diagram = bf.diagram(system, parameter=parameter, bounds=bounds)
    assert [p.label for p in diagram.special_points] == [p.label for p in first.special_points]
    assert diagram.counters["points"] < points
    assert diagram.counters["newton_iterations"] < 3 * diagram.counters["points"]
    assert 0 < seen.count("march") <= len(diagram.branches) + 1 and len(seen) <= calls


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


system = bf.System.from_equations


def at_rest(model):
    return EquilibriumProblem(model, 0)


def test_newton_converges_quadratically_to_the_root():
    found = newton(at_rest(system({"x": "r - x**2"}, {"r": 2}, {"x": 5})), np.array([5.0, 2.0]))
    assert found == pytest.approx([np.sqrt(2), 2.0], rel=1e-15)


def test_newton_does_not_take_a_short_step_for_a_root():
    assert newton(at_rest(system({"x": "1 + x**2 + 0*r"}, {"r": 1})), np.array([0.0, 1.0])) is None
    assert newton(at_rest(system({"x": "1 + r + 0*x"}, {"r": 1})), np.array([0.0, 1.0])) is None


def test_newton_stays_inside_the_walls():
    model = system({"x": "log(x) - r"}, {"r": -3}, {"x": 2}, nonnegative=True)
    found = newton(at_rest(model), np.array([2.0, -3.0]))
    assert found[0] == pytest.approx(np.exp(-3.0), rel=1e-12)


def test_newton_rejects_a_root_outside_the_walls():
    model = system({"x": "x + r"}, {"r": 1}, {"x": 2}, nonnegative=True)
    assert newton(at_rest(model), np.array([2.0, 1.0])) is None


def test_settling_is_said():
    # Newton's method runs off from 3 on the far side of the maximum of the slope
    model = system({"x": "-tanh(4*x) + 0*r"}, {"r": 1}, {"x": 3})
    at, note = find_start(at_rest(model), np.array([3.0, 1.0]))
    assert abs(at[0]) < 1e-12
    assert "corrected" in note


def test_settling_does_not_cross_a_pole():
    """The solution grows towards x = 1 and ends there; the equilibrium at x = 3 + sqrt(2) lies beyond it."""
    model = bf.System.from_equations({"x": "lam + x^2/(1 - x)"}, {"lam": 8.0}, {"x": 0.9})
    # equilibria: x^2 - lam*x + lam = 0, x = 4 +- 2*sqrt(2): both beyond the pole at 1
    found = settle(at_rest(model), np.array([0.9, 8.0]))
    assert found is None


def test_settling_finds_the_equilibrium_inside_of_a_cycle():
    model = bf.System.from_equations({"x": "y", "y": "mu*(1 - x^2)*y - x"}, {"mu": 1.0}, {"x": 2.0, "y": 0.0})
    at, note = settle(at_rest(model), np.array([2.0, 0.0, 1.0]))
    assert np.allclose(at[:2], 0, atol=1e-12) and "oscillates" in note


def test_settling_waits_for_what_is_slow():
    """At rest after some 1e5 units of time."""
    model = bf.System.from_equations({"x": "1e-5*(1 - x)", "y": "x - y"}, {"mu": 1.0}, {"x": 100.0, "y": 0.0})
    at, note = settle(at_rest(model), np.array([100.0, 0.0, 1.0]))
    assert np.allclose(at[:2], 1) and "settled" in note


def unfolding(equations):
    return EquilibriumProblem(bf.System.from_equations(equations, {"lam": 0.0}, dict.fromkeys(equations, 0.0)), 0)


ONE = np.ones(2)


@pytest.mark.parametrize("equation", ["lam*x - x^2", "lam*x - x^3", "(lam - x)*(lam + 2*x) + x^3"])
def test_refinement_is_exact(equation):
    y, _, residual = unfolding({"x": equation}).refine(np.array([0.05, -0.03]), ONE)
    assert y == pytest.approx(np.zeros(2), abs=1e-12)
    assert residual < 1e-12


def test_there_is_none_at_a_fold():
    assert unfolding({"x": "lam - x^2"}).refine(np.array([0.02, 0.01]), ONE) is None


def test_there_is_none_at_a_regular_point():
    assert unfolding({"x": "lam - x"}).refine(np.array([0.02, 0.01]), ONE) is None


def test_the_iterates_stay_in_the_box():
    box = (np.array([0.5, -1.0]), np.array([1.0, 1.0]))
    assert unfolding({"x": "lam*x - x^2"}).refine(np.array([0.6, 0.6]), ONE, box) is None


@pytest.mark.parametrize(
    ("equation", "slopes"),
    [("lam*x - x^2", [0.0, 1.0]), ("(lam - x)*(lam + 2*x)", [1.0, -0.5]), ("lam*x - x^3", [0.0, np.inf])],
)
def test_directions(equation, slopes):
    model = unfolding({"x": equation})
    y, w, _ = model.refine(np.array([0.01, 0.02]), ONE)
    found = model.directions(y, w, ONE)
    angles = sorted(np.arctan2(v[0], v[1]) % np.pi % (np.pi - 1e-9) for v in found)
    assert angles == pytest.approx(sorted(np.arctan(slopes) % np.pi), abs=1e-9)


def test_no_directions_where_the_branches_are_imaginary():
    """x^2 + lam^2 = 0 is an isolated point."""
    model = unfolding({"x": "x^2 + lam^2"})
    y, w, _ = model.refine(np.array([0.01, 0.02]), ONE)
    assert model.directions(y, w, ONE) == []


@given(st.integers(2, 12), st.integers(0, 2**31))
def test_coloured_differences_match_the_exact_jacobian(n, seed):
    rng = np.random.default_rng(seed)
    rows, cols = np.nonzero(rng.random((n, n)) < 0.3)
    matrix = np.zeros((n, n))
    matrix[rows, cols] = rng.normal(size=len(rows))
    groups = colour(rows, cols, n)
    for group in range(groups.max() + 1):
        assert np.all(np.count_nonzero(matrix[:, groups == group], axis=1) <= 1)
    x = rng.uniform(0.0, 1.0, n)
    lower = np.where(rng.random(n) < 0.5, x - 1e-5, -np.inf)
    found = Differences(rows, cols, np.ones(n), lower).jacobian(lambda y: matrix @ y**3, x, matrix @ x**3)
    assert found == pytest.approx((matrix * 3 * x**2)[rows, cols], abs=1e-9)


def test_orders_of_the_stencils():
    def error(difference, step, exact):
        return np.abs(difference(lambda e: np.exp([e, 2 * e]), step) - exact).max(axis=-1)

    wanted = np.array([[1.0, 2.0], [1.0, 4.0], [1.0, 8.0]])
    coarse, fine = error(jet, 0.2, wanted), error(jet, 0.1, wanted)
    assert np.log2(coarse / fine) == pytest.approx([6, 6, 4], abs=0.2)
    assert np.log2(error(slope, 0.2, wanted[0]) / error(slope, 0.1, wanted[0])) == pytest.approx(4, abs=0.2)


def test_order_eight_in_the_period():
    from bifrncrn.curves.orbits.corrector import Corrector, Metric
    from bifrncrn.curves.orbits.orbit import Mesh, Orbit

    model = system({"x": "y", "y": "lam*(1 - x^2)*y - x"}, {"lam": 0.5}, {"x": 2.0, "y": 0.0})
    cycle = bf.find_cycle(model)
    corrector = Corrector(model, 0, model.lower)

    def period(count, shift):
        mesh = Mesh(np.linspace(0.0, 1.0, count + 1))
        guess = Orbit(mesh, cycle.at((mesh.phases + shift) * cycle.period), cycle.period, 0.5)
        normal = np.append(np.zeros(guess.nodes.size + 1), 1.0)  # the parameter stays
        return corrector.correct(guess, normal, guess, Metric(np.array([4.0, 4.0]), 1.0)).orbit.period

    # where on the cycle a coarse mesh begins makes its error small by chance: the worst of several counts
    counts, exact = np.array([16, 20, 24, 30]), period(80, 0.0)
    errors = [max(abs(period(count, shift) - exact) for shift in np.arange(5) / 50) for count in counts]
    assert max(errors[-1:]) > 1e-12  # not yet rounding
    slope = np.polyfit(np.log(counts), np.log(errors), 1)[0]
    assert -9.5 < slope < -7.0


def matrix_of(rows, cols, values, n):
    full = np.zeros((n, n))
    full[rows, cols] = values
    return full


@given(st.integers(3, 25), st.integers(0, 2**31), st.sampled_from([0, 100]), st.booleans())
def test_bordered_solve_and_sign(n, seed, band, singular):
    rng = np.random.default_rng(seed)
    rows, cols = np.nonzero((rng.random((n, n)) < 0.3) | np.eye(n, dtype=bool))
    full = matrix_of(rows, cols, rng.normal(size=len(rows)), n)
    if singular:
        full[0] = 0.0
    widest, sparse_algebra.WIDEST_BAND = sparse_algebra.WIDEST_BAND, band
    try:
        solver = Structure(rows, cols, n).factor(full[rows, cols])
    finally:
        sparse_algebra.WIDEST_BAND = widest
    column, row, rhs = rng.normal(size=n), rng.normal(size=n), rng.normal(size=n + 1)
    bordered = np.block([[full, column[:, None]], [row, 0.5]])
    if np.linalg.cond(bordered) > 1e6:
        return
    matrix = Bordered(solver, column, row, 0.5)
    assert matrix.sign == np.linalg.slogdet(bordered)[0]
    assert bordered @ matrix.solve(rhs) == pytest.approx(rhs, abs=1e-7)
    assert bordered.T @ matrix.solve(rhs, transposed=True) == pytest.approx(rhs, abs=1e-7)


def test_narrow_order_is_found():
    n = 200
    order = np.random.default_rng(0).permutation(n)
    i = np.arange(n)
    rows, cols = np.concatenate([i, i[1:], i[:-1]]), np.concatenate([i, i[:-1], i[1:]])
    structure = Structure(order[rows], order[cols], n)
    assert structure.banded
    assert structure.lower + structure.upper <= 2


def test_rightmost_eigenvalues_are_complete():
    problem = SparseProblem(brusselator(110).with_(values={"B": 2.6}), 0)
    y = np.append(np.concatenate([np.full(110, 1.0), np.full(110, 2.6)]), 2.6)
    _, matrix = problem.linearize(y)
    exact = np.linalg.eigvals(matrix.toarray()[:, :220])
    found = rightmost(matrix[:, :220], problem.structure, problem.entries(y)[1], 12)
    assert found.complete
    assert int(np.sum(found.values.real > 0)) == int(np.sum(exact.real > 0)) == 4
    assert np.sort(found.values.real)[-6:] == pytest.approx(np.sort(exact.real)[-6:], abs=1e-9)


@pytest.mark.parametrize("make", [chafee_infante, brusselator])
def test_sparse_and_full_give_the_same_diagram(make, monkeypatch):
    system = make(40)
    name, span = ("lam", (0, 60)) if make is chafee_infante else ("B", (0.5, 4))
    full = bf.diagram(system, name, span)
    monkeypatch.setattr(choose, "SPARSE_ABOVE", 10)
    assert isinstance(choose.equilibrium_problem(system, 0), SparseProblem)
    sparse = bf.diagram(system, name, span)
    assert len(full.branches) == len(sparse.branches)
    assert len(full.special_points) == len(sparse.special_points) > 1
    for one, other in zip(full.special_points, sparse.special_points, strict=True):
        assert one.label == other.label
        assert other.status == "converged"
        assert other.residual < 1e-9
        assert other.parameters[name] == pytest.approx(one.parameters[name], rel=1e-10)
        if one.label == "HB":
            assert other.omega == pytest.approx(one.omega, rel=1e-9)
            assert other.l1 == pytest.approx(one.l1, rel=1e-7)
    for one, other in zip(full.branches, sparse.branches, strict=True):
        assert set(one.unstable.tolist()) == set(other.unstable.tolist())


def test_without_narrow_band(monkeypatch):
    monkeypatch.setattr(sparse_algebra, "WIDEST_BAND", 0)
    assert fold(bf.diagram(bratu(200), "lam", (0, 4), stability=False)) == pytest.approx(FOLDS[200], abs=1e-11)


def test_small_systems_keep_full_matrices():
    problem = choose.equilibrium_problem(bratu(20), 0)
    assert type(problem) is EquilibriumProblem
