"""The parts of a fit: samples, projection, weights, refinement equations, checkpoints, model files."""

import json
import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_saved import mutated, torn

import bifrncrn as bf
from bifrncrn.library.reproduction.reproduce import shipped
from bifrncrn.training.classifier import _Problem
from bifrncrn.training.fit import checkpoint
from bifrncrn.training.fit.least_squares import turned
from bifrncrn.training.fit.pins import Pinned, pins_beside_curves
from bifrncrn.training.fit.projection import Projection, Ridge
from bifrncrn.training.fit.start import FitOptions, beta_floor, polish, run_start
from bifrncrn.training.refine.cycles import _Following
from bifrncrn.training.refine.defining import Crossing, Wanted
from bifrncrn.training.refine.special_points import AllWeights
from bifrncrn.training.targets.sampling import Samples, box_points, check_box, join, thin
from bifrncrn.training.targets.table import target_from
from bifrncrn.training.weights import Weights

TANK = bf.System.from_equations({"u": "k - u*v", "v": "u*v - v"}, {"k": 1.0}, {"u": 1.0, "v": 1.0}, nonnegative=True)
BOX = ((0.5, 2.0), (0.5, 2.0))


def some_samples(count=60, p=1, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.uniform(1, 3, (count, 2))
    return Samples(x, rng.uniform(0, 1, (count, p)), rng.standard_normal((count, 2)), rng.uniform(0.5, 2, count))


def random_weights(m, n, p, seed=0):
    rng = np.random.default_rng(seed)
    return Weights(
        rng.standard_normal((m, n)),
        rng.standard_normal((n, m)),
        rng.standard_normal((n, p)),
        rng.standard_normal(n),
        rng.uniform(0.5, 2, m),
    )


@pytest.mark.parametrize("relative", [False, True])
@pytest.mark.parametrize("floor", [1e-6, 50.0])
@given(seed=st.integers(0, 1000))
@settings(max_examples=8, deadline=None)
def test_jacobian_of_the_projection_is_exact(relative, floor, seed):
    problem = Projection(some_samples(seed=seed), relative, Ridge(1e-3, 1e-4), floor)
    v = problem.random(3, 1.0, np.random.default_rng(seed))
    step = 1e-6
    numeric = np.stack(
        [(problem.residual(v + step * e) - problem.residual(v - step * e)) / (2 * step) for e in np.eye(v.size)], axis=1
    )
    exact = problem.jacobian(v)
    assert np.abs(numeric - exact).max() < 1e-6 * max(1.0, np.abs(exact).max())


@pytest.mark.parametrize("relative", [False, True])
@pytest.mark.parametrize("floor", [1e-6, 50.0])
def test_jacobians_that_allow_for_errors_of_the_rates_are_exact(relative, floor):
    problem = Projection(some_samples(), relative, Ridge(1e-3, 1e-4), floor, spread=0.2)
    v = problem.random(3, 1.0, np.random.default_rng(3))
    kind = "relative" if relative else "field"
    every = AllWeights(problem.weights(v), some_samples(), kind, (), floor, np.inf, 0.2)
    every.free[:] = True
    for residual, jacobian, at in (
        (problem.residual, problem.jacobian, v),
        (every.errors, every.slopes, every.start()),
    ):
        step = 1e-6
        numeric = np.stack([(residual(at + step * e) - residual(at - step * e)) / (2 * step) for e in np.eye(at.size)])
        exact = jacobian(at)
        assert np.abs(numeric.T - exact).max() < 1e-6 * np.abs(exact).max()  # central differences: step**2
    few, residual = problem.condensed(v), problem.residual(v)
    np.testing.assert_allclose(few.T @ turned(residual, v.size), problem.jacobian(v).T @ residual, atol=1e-9)


@pytest.mark.parametrize("ridge", [Ridge(1e-3, 1e-4), Ridge(0.0, 0.0)])
@pytest.mark.parametrize(
    "perceptrons", [3, 20]
)  # 20 have more inputs' weights than 60 samples of two species tell apart
def test_few_rows_stand_for_all(ridge, perceptrons):
    problem = Projection(some_samples(), False, ridge, 1e-6)
    v = problem.random(perceptrons, 1.0, np.random.default_rng(1))
    all_rows, few, residual = problem.jacobian(v), problem.condensed(v), problem.residual(v)
    assert few.shape == (v.size + 1, v.size)
    np.testing.assert_allclose(few.T @ few, all_rows.T @ all_rows, atol=1e-10 * np.abs(all_rows).max() ** 2)
    gradient = all_rows.T @ residual
    np.testing.assert_allclose(few.T @ turned(residual, v.size), gradient, atol=1e-10 * np.abs(all_rows).max())


def test_sensitivities_of_rollouts_are_exact():
    angle = 2 * np.pi * np.arange(200) / 200
    cycle = bf.CycleWanted(2 + np.column_stack([np.cos(angle), np.sin(angle)]), (0.5,), within=0.3)
    weights = random_weights(2, 4, 1)
    samples = some_samples(30)
    field = AllWeights(weights, samples, "field", (), np.inf, np.inf)
    problem = _Following(field, weights, samples, 1e-3, [cycle], 0.02)
    unknowns = problem.field.start()
    along = np.random.default_rng(3).standard_normal(len(unknowns)) * problem.field.free
    step = 1e-6 * along
    numeric = (problem.residual(unknowns + step) - problem.residual(unknowns - step)) / 2e-6
    exact = problem.jacobian(unknowns) @ along
    assert np.abs(exact[-40:]).max() > 1e-3
    np.testing.assert_allclose(numeric, exact, atol=1e-7 * np.abs(exact).max())


def test_projection_finds_weights_that_made_the_field():
    true = random_weights(2, 3, 1)
    base = some_samples(300)
    samples = Samples(base.x, base.lam, true.field(base.x, base.lam), base.weight)
    problem = Projection(samples, False, Ridge(0.0, 0.0), 1e-6)
    v = problem.scaled(true)
    assert problem.loss(v) < 1e-20
    found = problem.weights(v)
    for name in ("alpha", "omega", "psi", "theta", "beta"):
        np.testing.assert_allclose(getattr(found, name), getattr(true, name), rtol=1e-6, atol=1e-8)


def test_projection_loss_agrees_with_the_definition():
    samples = some_samples(100)
    for relative, kind in ((False, "field"), (True, "relative")):
        problem = Projection(samples, relative, Ridge(0.0, 0.0), 1e-3)
        v = problem.random(4, 1.0, np.random.default_rng(1))
        assert problem.loss(v) == pytest.approx(problem.weights(v).loss(samples, kind), rel=1e-9)
        assert problem.loss(v) < problem.power


@pytest.mark.parametrize("relative", [False, True])
@given(seed=st.integers(0, 1000), bound=st.floats(0.3, 3.0))
@settings(max_examples=15, deadline=None)
def test_jacobian_of_the_projection_is_exact_with_rates_at_their_bound(relative, seed, bound):
    problem = Projection(some_samples(seed=seed), relative, Ridge(1e-4, 0.0), 1e-3, bound)
    v = problem.random(4, 1.0, np.random.default_rng(seed))
    step = 1e-6
    free = [species.free.tolist() for species in problem._solve(v).species]
    for e in np.eye(v.size):
        near = [[s.free.tolist() for s in problem._solve(v + h * e).species] for h in (step, -step)]
        if near != [free, free]:  # the residual has a kink here
            return
    numeric = np.stack(
        [(problem.residual(v + step * e) - problem.residual(v - step * e)) / (2 * step) for e in np.eye(v.size)], axis=1
    )
    exact = problem.jacobian(v)
    assert np.abs(numeric - exact).max() < 1e-6 * max(1.0, np.abs(exact).max())  # central differences: step**2


def test_a_bound_on_alpha_gives_the_best_alpha_within_it():
    samples = some_samples(80)
    free = Projection(samples, False, Ridge(0.0, 0.0), 1e-3)
    v = free.random(4, 1.0, np.random.default_rng(2))
    bound = 0.5 * np.abs(free.weights(v).alpha).max()
    problem = Projection(samples, False, Ridge(0.0, 0.0), 1e-3, bound)
    found = problem.weights(v)
    assert np.abs(found.alpha).max() == bound
    # at the optimum the loss falls along no direction that the bounds leave open
    for i in range(2):
        at_bound = np.abs(found.alpha[i]) == bound
        for j in range(4):
            for move in (-1e-4, 1e-4):
                if at_bound[j] and move * found.alpha[i, j] > 0:
                    continue
                other = found.alpha.copy()
                other[i, j] += move
                moved = Weights(other, found.omega, found.psi, found.theta, found.beta)
                assert moved.loss(samples, "field") > problem.loss(v)


def test_a_start_keeps_to_its_rate_bound():
    true = random_weights(2, 3, 1)
    base = some_samples(150)
    samples = Samples(base.x, base.lam, 20 * true.field(base.x, base.lam), base.weight)
    sequence = np.random.SeedSequence(0)
    free = run_start(samples, FitOptions(3, "field", candidates=2), 0, sequence)
    tight = run_start(samples, FitOptions(3, "field", candidates=2, rate_bound=free.weights.largest / 2), 0, sequence)
    assert tight.weights.largest <= free.weights.largest / 2
    assert tight.weights.at_bound(free.weights.largest / 2) > 0
    assert free.weights.at_bound(None) == 0
    assert free.loss < tight.loss < 0.5 * Projection(samples, False, Ridge(0.0, 0.0), 1e-3).power


def test_beta_stays_above_its_floor():
    base = some_samples(80)
    samples = Samples(base.x, base.lam, base.field - 30.0, base.weight)
    problem = Projection(samples, False, Ridge(1e-4, 0.0), 0.25)
    assert (problem.weights(problem.random(1, 1.0, np.random.default_rng(2))).beta >= 0.25).all()


def test_a_wild_step_gives_large_residuals_not_nan():
    problem = Projection(some_samples(), False, Ridge(0.0, 0.0), 1e-3)
    assert np.isfinite(problem.residual(np.full(12, 1e200))).all()


def test_weights_of_a_network_keep_its_reduced_field():
    rng = np.random.default_rng(3)
    network = bf.Network(
        alpha=rng.standard_normal((2, 4)),
        omega=rng.standard_normal((4, 2)),
        psi=rng.standard_normal((4, 1)),
        theta=rng.standard_normal(4),
        beta=[0.3, 0.7],
        gamma=rng.uniform(0.5, 3, 4),
        tau=rng.uniform(0.5, 3, 4),
        state=[1.0, 2.0],
        lam=[0.4],
    )
    field = Weights.of(network).field(np.array([[1.0, 2.0]]), np.array([[0.4]]))[0]
    np.testing.assert_allclose(field, network.reduced().rhs([1.0, 2.0]), rtol=1e-12)


@pytest.mark.parametrize(("label", "mu"), [("HB", 0.0), ("HB", 0.3), ("LP", 0.0), ("BP", 0.0)])
def test_derivatives_of_the_defining_equations_are_exact(label, mu):
    weights = random_weights(2, 5, 1)
    vector = np.array([1.0, 0.5 - 0.7j]) if label == "HB" else np.array([1.0, 0.5 + 0j])
    wanted = Wanted(label, np.array([2.0]), np.array([1.0, 2.0]), 0.9, vector, mu)
    if label == "BP":
        wanted = Crossing(label, wanted.lam, wanted.state, 0.0, vector, along=np.array([0.3, -0.2]))
    extra = wanted.start() + 0.1 * np.random.default_rng(1).standard_normal(wanted.start().shape)
    names = ("alpha", "omega", "psi", "theta", "beta")
    flat = np.concatenate([getattr(weights, name).ravel() for name in names])

    def build(values):
        ends = np.cumsum([getattr(weights, name).size for name in names])[:-1]
        return Weights(*(a.reshape(getattr(weights, n).shape) for a, n in zip(np.split(values, ends), names)))

    _, by_weights, by_extra = wanted.equations(weights, extra)
    h = 1e-6
    for exact, at, call in (
        (by_weights, flat, lambda values: wanted.equations(build(values), extra)[0]),
        (by_extra, extra, lambda values: wanted.equations(weights, values)[0]),
    ):
        numeric = np.stack([(call(at + h * e) - call(at - h * e)) / (2 * h) for e in np.eye(at.size)], axis=1)
        np.testing.assert_allclose(exact, numeric, atol=1e-7)


def test_defining_equations_hold_at_a_true_hopf_point_of_the_full_system():
    weights, mu = random_weights(2, 3, 0, seed=5), 0.2
    network = bf.Network(**{n: getattr(weights, n) for n in ("alpha", "omega", "theta", "beta")}, state=[0.7, 1.3])
    full = network.full(mu)
    jacobian = full.jacobian(full.state)
    eigenvalues, vectors = np.linalg.eig(jacobian)
    # any eigenpair satisfies the reduced eigenproblem with i*nu replaced by the eigenvalue
    k = int(np.abs(eigenvalues.imag).argmax())
    wanted = Wanted("HB", np.zeros(0), full.state[:2], float(eigenvalues[k].imag), vectors[:2, k], mu)
    s = network.perceptrons(full.state[:2])
    r = np.sqrt((weights.omega @ full.state[:2] + weights.theta) ** 2 + 4)
    u = vectors[:2, k]
    h = s / (r + mu * eigenvalues[k])
    left = u * (weights.alpha @ s) + full.state[:2] * (weights.alpha @ (h * (weights.omega @ u)))
    np.testing.assert_allclose(left, eigenvalues[k] * u, rtol=1e-9)
    assert wanted.equations(weights, wanted.start())[0].shape == (8,)


@pytest.mark.parametrize("method", ["grid", "sobol", "lhs"])
def test_points_fill_the_box(method):
    points = box_points(BOX, 5 if method == "grid" else 25, method, 1)
    assert points.shape == (25, 2)
    assert (points >= 0.5).all()
    assert (points <= 2.0).all()
    assert np.ptp(points, axis=0).min() > 1.2


@pytest.mark.parametrize(
    ("box", "words"),
    [
        (((0, 1),), "has 1 sides"),
        (((1, 1), (0, 1)), "side of u is .* empty"),
        (((0, 1), (-1, 1)), "side of v starts at -1"),
        (((0, float("nan")), (0, 1)), "side of u is nan, which is not finite"),
        (((0, "a"), (0, 1)), "side of u is .a., which is not a number"),
        ((1, (0, 1)), "side of u is 1; give a pair"),
    ],
)
def test_bad_boxes_are_refused(box, words):
    with pytest.raises(bf.InputError, match=words):
        check_box(box, ("u", "v"))


def test_bad_samples_are_refused():
    good = some_samples(4)
    with pytest.raises(bf.InputError, match="sample 0 has a field that is not finite"):
        Samples(good.x, good.lam, np.full((4, 2), np.nan), good.weight)
    with pytest.raises(bf.InputError, match="must not be negative"):
        Samples(-good.x, good.lam, good.field, good.weight)
    with pytest.raises(bf.InputError, match="weights must be positive"):
        Samples(good.x, good.lam, good.field, np.zeros(4))
    with pytest.raises(bf.InputError, match="no samples"):
        Samples(good.x[:0], good.lam[:0], good.field[:0], good.weight[:0])
    with pytest.raises(bf.InputError, match="unknown"):
        box_points(BOX, 5, "random")


def test_join_and_thin():
    both = join([some_samples(10), some_samples(20)])
    assert len(both) == 30
    assert len(thin(both, 7, np.random.default_rng(0))) == 7
    assert thin(both, 40, np.random.default_rng(0)) is both


def test_a_field_that_is_not_finite_somewhere_is_refused_before_any_work():
    system = bf.System.from_equations({"x": "log(x - 1)"}, {}, {"x": 2.0})
    target = bf.Target("bad", "bad", (bf.FieldPart(system, ((0.5, 2.0),)),), state=(2.0,))
    with pytest.raises(bf.InputError, match="not finite"):
        target.samples()


def test_relative_loss_needs_positive_concentrations():
    target = bf.Target("t", "t", (bf.FieldPart(TANK, ((0.0, 1.0), (0.5, 1.0))),), loss="relative", state=(1.0, 1.0))
    with pytest.raises(bf.InputError, match="divides by the concentrations"):
        target.samples()


def test_starts_are_kept_and_read_back(tmp_path):
    data = some_samples(50)
    options = FitOptions(2, "field", candidates=1, screening=3, rounds=1, evaluations=10)
    start = run_start(data, options, 4, np.random.SeedSequence(1))
    store = checkpoint.Store(str(tmp_path), checkpoint.fingerprint(data, options, 1))
    assert store.read(4) is None
    store.write(start)
    again = store.read(4)
    np.testing.assert_array_equal(again.weights.alpha, start.weights.alpha)
    assert again.loss == start.loss
    assert checkpoint.Store(str(tmp_path), checkpoint.fingerprint(data, options, 2)).read(4) is None
    next(tmp_path.iterdir()).write_text("{")
    assert store.read(4) is None
    with pytest.raises(bf.InputError, match="does not exist"):
        checkpoint.Store(str(tmp_path / "none"), "x")


def test_a_time_limit_returns_the_best_so_far():
    data = some_samples(400)
    start = run_start(data, FitOptions(4, "field", seconds=1e-9), 0, np.random.SeedSequence(1))
    assert start.reason == "seconds"
    assert np.isfinite(start.loss)
    assert beta_floor(data) > 0


TABLE = {
    "box": {"u": [0.5, 2], "v": [0.5, 2]},
    "parameter": "k",
    "values": [0.5, 1.0],
    "samples": 6,
    "loss": "relative",
}


def test_the_training_table_of_a_model_file(tmp_path):
    path = tmp_path / "tank.toml"
    path.write_text(
        'title = "tank"\n[variables]\nu = 1.0\nv = 1.0\n[parameters]\nk = 1.0\n[equations]\nu = "k - u*v"\n'
        'v = "u*v - v"\n[training]\nbox = {u = [0.5, 2], v = [0.5, 2]}\nparameter = "k"\nvalues = [0.5, 1.0]\n'
        'samples = 6\nloss = "relative"\n'
        "perceptrons = 4\nmu = 0.1\n"
    )
    target = target_from(bf.System.from_file(path), "tank")
    assert target.sizes == (2, 1)
    assert target.loss == "relative"
    assert (target.perceptrons, target.mu, target.bounds) == (4, 0.1, (0.5, 1.0))
    assert len(target.samples()) == 72
    assert target.parameter == "k"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"box": None}, "has no box"),
        ({"box": {"u": [0, 1]}}, "no side for v"),
        ({"box": {"u": [0, 1], "v": [0, 1], "w": [0, 1]}}, "w"),
        ({"box": {"u": [0, 1], "v": 3}}, "side of v is 3"),
        ({"colour": 1}, "unknown key 'colour'"),
        ({"values": None}, "values"),
        ({"values": ["a"]}, "not a finite number"),
        ({"parameter": "kk"}, "kk"),
        ({"samples": 0}, "above 0"),
        ({"loss": "cubic"}, "loss 'cubic' is unknown"),
    ],
)
def test_bad_training_tables_are_refused(change, words):
    from dataclasses import replace

    with pytest.raises(bf.InputError, match=words):
        target_from(replace(TANK, training={**TABLE, **change}))


def test_a_model_without_a_table_is_refused():
    with pytest.raises(bf.InputError, match=r"no \[training\] table"):
        target_from(TANK)


def small(outputs=2, count=30):
    rng = np.random.default_rng(1)
    return bf.ClassifierTarget("small", rng.uniform(0, 2, (count, 2)), rng.uniform(0.1, 1, (count, outputs)), 3, 0.1)


@pytest.mark.parametrize("share", [None, 0.5])
def test_jacobian_of_a_classifier_is_exact(share):
    target = small()
    if share is not None:
        target = replace(target, within=share * target.outputs)
    problem = _Problem(target, 3)
    v = problem.random(np.random.default_rng(2))
    h = 1e-6
    numeric = np.stack([(problem.residual(v + h * e) - problem.residual(v - h * e)) / (2 * h) for e in np.eye(v.size)])
    np.testing.assert_allclose(problem.jacobian(v), numeric.T, atol=1e-8)


@pytest.mark.slow
def test_mutations_of_a_checkpoint_change_no_result(tmp_path):
    target = bf.library.get("uni_bistable")
    options = {"seeds": 1, "rank": "loss", "evaluations": 3, "checkpoints": str(tmp_path)}
    fresh = bf.train(target, **options).network.weights()
    (path,) = tmp_path.iterdir()
    data = json.loads(path.read_text())
    rng, text = random.Random(3), path.read_text()
    from bifrncrn.training.fit.checkpoint import Store

    key = path.stem.removeprefix("start-").rpartition("-")[0]
    store = Store(str(tmp_path), key)
    kept = store.read(0)
    for k in range(2000):
        changed = mutated(data, rng) if k % 2 else torn(text, rng)
        path.write_text(changed)
        found = store.read(0)
        assert found is None or found.to_json() == kept.to_json()
    path.write_text(text.replace("1", "2"))
    assert all(np.array_equal(v, fresh[k]) for k, v in bf.train(target, **options).network.weights().items())


def test_a_network_that_does_something_else_is_told_so(tmp_path):
    """The shipped network with every influence reversed: neither state is where it should be, and nothing says yes."""
    network = shipped("bistable")
    data = network.to_json()
    values = np.array(data["weights"]["alpha"]["values"])
    data["weights"]["alpha"]["values"] = (-values).tolist()
    (tmp_path / "bistable_network.json").write_text(json.dumps(data))
    found = bf.reproduce("bistable", tmp_path, train=True)  # it takes what an earlier run has trained
    assert not any(row.holds for row in found.rows)
    assert "**no**" in found.markdown()


def test_the_independent_fields_are_those_of_the_engine():
    from bifrncrn.library.reproduction.independent import Plain

    network = shipped("hopf")
    plain, x, lam = Plain.of(network), np.array([4.8, 5.3]), np.array([2.2])
    values = {"lam": 2.2}
    assert plain.reduced(x, lam) == pytest.approx(network.reduced().with_(values=values).rhs(x), rel=1e-12)
    assert plain.reduced_slope(x, lam) == pytest.approx(network.reduced().with_(values=values).jacobian(x), rel=1e-12)
    full, state = network.full(0.01).with_(values=values), plain.rest(x, lam) * 1.1
    assert plain.full(state, lam, 0.01) == pytest.approx(full.rhs(state), rel=1e-10)
    assert plain.full_slope(state, lam, 0.01) == pytest.approx(full.jacobian(state), rel=1e-10, abs=1e-12)


def test_loops_and_hopf_points_of_known_systems():
    """The target system of `homoclinic` itself: HB at 1.84615012, the loop at 2 (Sandstede's algebraic curve)."""
    from bifrncrn.library.reproduction.independent import hopf_value, loop_value

    system = bf.library.get("homoclinic").system

    class Known:
        def reduced(self, x, lam):
            return system.rhs(x, lam)

        def reduced_slope(self, x, lam):
            return system.jacobian(x, lam)

    at = hopf_value(Known(), np.array([4.81, 4.37]), (1.7, 1.95))
    assert at[0] == pytest.approx(1.8461501233154194, abs=1e-9)
    assert loop_value(Known(), np.array([5.0, 5.0]), np.array([4.82, 4.34]), (1.9, 2.1)) == pytest.approx(2.0, abs=1e-6)


def test_a_rest_beside_a_curve_is_where_it_is_wanted():
    """The samples of a curve drown those of a rest, which is taught as equations of its own."""
    turn = np.arange(0.0, 2 * np.pi, 0.02)
    circle = bf.Curve.of(
        lambda t: 1.5 + 0.5 * np.array([np.cos(t), np.sin(t)]), lambda t: np.array([-np.sin(t), np.cos(t)]), turn
    )
    rest = bf.System.from_equations(
        {"x": "2*(3 - x)", "y": "2*(1.5 - y)"}, state={"x": 3.0, "y": 1.5}, nonnegative=True
    )
    parts = bf.CurvePart(circle, count=400), bf.FieldPart(rest, ((2.6, 3.4), (1.1, 1.9)), count=6)
    target = bf.Target("both", "a cycle and a rest", parts, perceptrons=6, state=(1.5, 1.5))
    pins = pins_beside_curves(target)
    assert len(pins) == 1 and np.allclose(pins[0].state, [3.0, 1.5]) and np.allclose(pins[0].jacobian, -2 * np.eye(2))
    assert pins_beside_curves(bf.Target("rest", "a rest", parts[1:], state=(3.0, 1.5))) == ()
    samples = target.training_samples()
    options = FitOptions(6, "field", evaluations=60, candidates=3)
    start = run_start(samples, options, 0, np.random.SeedSequence(0))
    off = []
    for pinned in (Pinned(), Pinned(pins, 81.0)):
        weights = polish(samples, options, start, pinned).weights
        z = weights.omega @ [3.0, 1.5] + weights.theta
        field = weights.beta + [3.0, 1.5] * (weights.alpha @ ((z + np.sqrt(z * z + 4)) / 2))
        off.append(np.abs(field).max() / 2 / 0.8)  # at the rate 2, in sides of the box
    assert off[1] < 0.05 and off[1] < off[0] / 3
