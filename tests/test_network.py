"""Networks: validation, the two systems, published numbers, JSON."""

import dataclasses
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import bifrncrn as bf

ARRAYS = ("alpha", "omega", "psi", "theta", "beta", "gamma", "tau", "state", "lam")

signed = st.floats(-1e6, 1e6)
positive = st.floats(1e-6, 1e6)
weights = signed | st.just(0.0)


def vector(entries, n):
    return st.lists(entries, min_size=n, max_size=n)


def matrix(entries, n, k):
    return st.lists(vector(entries, k), min_size=n, max_size=n).map(lambda rows: np.array(rows).reshape(n, k))


@st.composite
def networks(draw, mu=st.none() | st.floats(1e-6, 10.0)):
    m, n, p = draw(st.integers(1, 3)), draw(st.integers(1, 4)), draw(st.integers(0, 2))
    return bf.Network(
        alpha=draw(matrix(weights, m, n)),
        omega=draw(matrix(weights, n, m)),
        psi=draw(matrix(weights, n, p)),
        theta=draw(vector(weights, n)),
        beta=draw(vector(st.just(0.0) | positive, m)),
        gamma=draw(vector(positive, n)),
        tau=draw(vector(positive, n)),
        state=draw(vector(st.floats(0, 1e6), m)),
        lam=draw(vector(st.floats(0, 1e6), p)),
        mu=draw(mu),
        title=draw(st.text(max_size=20)),
        training=draw(st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=5), max_size=2)),
    )


def example(p=1, **changes):
    base = {
        "alpha": [[-4.0, 3.5, 0.25], [1.0, -2.0, 0.0]],
        "omega": [[1.0, -0.5], [0.0, 2.0], [-1.5, 0.75]],
        "psi": [[0.5, -0.25][:p]] * 3,
        "theta": [5.0, -6.0, 0.5],
        "beta": [2.0, 3.0],
        "gamma": [1.0, 0.5, 2.0],
        "tau": [1.0, 3.0, 0.25],
        "state": [1.5, 2.5],
        "lam": [0.7, 1.1][:p],
    }
    return bf.Network(**{**base, **changes})


def field(net, x, lam):
    """The formulas of the papers, by numpy."""
    z = net.theta + net.omega @ x + net.psi @ lam
    y = (z + np.sqrt(z**2 + 4 * net.gamma * net.tau)) / (2 * net.tau)
    return net.beta + x * (net.alpha @ y), y


@pytest.mark.parametrize("p", [0, 1, 2])
def test_reduced_and_full_are_the_formulas(p):
    net = example(p)
    x = np.array([0.8, 3.1])
    reduced, y = field(net, x, net.lam)
    np.testing.assert_allclose(net.reduced().rhs(x), reduced, rtol=1e-13)
    y2 = np.array([0.3, 2.0, 1.7])
    z = net.theta + net.omega @ x + net.psi @ net.lam
    expected = np.concatenate([net.beta + x * (net.alpha @ y2), (net.gamma + y2 * z - net.tau * y2**2) / 0.02])
    np.testing.assert_allclose(net.full(0.02).rhs(np.concatenate([x, y2])), expected, rtol=1e-13)
    settled = net.full(0.02).rhs(np.concatenate([x, y]))
    np.testing.assert_allclose(settled, np.concatenate([reduced, np.zeros(3)]), rtol=1e-12, atol=1e-10)


def test_names_and_order():
    net = example(1)
    system = net.full(0.5)
    assert system.variables == ("x1", "x2", "y1", "y2", "y3")
    assert system.parameters[:2] == ("lam", "alpha_1_1")
    assert system.parameters[-1] == "mu"
    assert system.nonnegative
    assert net.reduced().values[net.reduced().parameter_index("omega_3_1")] == -1.5
    assert net.reduced().values[net.reduced().parameter_index("alpha_2_1")] == 1.0
    assert example(2).reduced().parameters[:2] == ("lam1", "lam2")
    assert example(0).reduced().parameters[0] == "alpha_1_1"


def test_full_starts_at_quasi_static_perceptrons():
    net = example(1)
    np.testing.assert_allclose(net.full(0.1).state[2:], field(net, net.state, net.lam)[1], rtol=1e-14)


def test_full_uses_the_recorded_time_scale():
    assert example(mu=0.25).full().values[-1] == 0.25
    with pytest.raises(bf.InputError, match="no time-scale mu"):
        example().full()
    with pytest.raises(bf.InputError, match="must be positive"):
        example().full(-1.0)


def test_arrays_cannot_be_changed():
    net = example()
    with pytest.raises(ValueError, match="read-only"):
        net.alpha[0, 0] = 1.0
    with pytest.raises(dataclasses.FrozenInstanceError):
        net.mu = 1.0
    source = np.ones((2, 3))
    copied = example(alpha=source)
    source[:] = 0
    assert copied.alpha[0, 0] == 1.0


def test_numbers_fill_vectors_and_replace_keeps_the_rest():
    net = bf.Network(alpha=[[1.0, 2.0]], omega=[[1.0], [2.0]], gamma=2.0, theta=np.float64(3.0))
    assert net.gamma.tolist() == [2.0, 2.0]
    assert net.theta.tolist() == [3.0, 3.0]
    assert dataclasses.replace(net, mu=0.1).gamma.tolist() == [2.0, 2.0]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"omega": [[1.0, 2.0]]}, r"omega has shape \(1, 2\) but must have shape \(3, 2\) to agree with alpha"),
        ({"psi": [[1.0]]}, r"psi has shape \(1, 1\) but must have shape \(3, 1\)"),
        ({"theta": [1.0, 2.0]}, r"theta has shape \(2,\) but must have shape \(3,\)"),
        ({"lam": [1.0, 2.0]}, r"lam has shape \(2,\) but must have shape \(1,\) to agree with psi"),
        ({"alpha": [1.0, 2.0]}, r"alpha has shape \(2,\) but must be two-dimensional"),
        ({"alpha": np.zeros((0, 3))}, r"alpha has shape \(0, 3\) but a network needs"),
        ({"alpha": [[1.0], [1.0, 2.0]]}, "alpha is not a rectangular array"),
        ({"alpha": [["a", "b", "c"]]}, "alpha holds <U1 entries"),
        ({"alpha": np.ones((2, 3)) * 1j}, "alpha holds complex128 entries"),
        ({"theta": [1.0, np.nan, 0.0]}, r"theta holds nan at index \(1,\)"),
        ({"gamma": [1.0, 0.0, 1.0]}, r"gamma\[1\] is 0.0 but every entry of gamma must be positive"),
        ({"tau": -1.0}, r"tau\[0\] is -1.0"),
        ({"beta": [-1.0, 1.0]}, r"beta\[0\] is -1.0 but every entry of beta must not be negative"),
        ({"state": [1.0, -1.0]}, r"state\[1\] is -1.0"),
        ({"mu": 0.0}, "mu is 0.0 but a time-scale must be positive"),
        ({"mu": "fast"}, "mu is 'fast', which is not a number"),
        ({"mu": float("inf")}, "mu is inf, which is not finite"),
        ({"title": 3}, "title is 3"),
        ({"training": [1]}, r"training is \[1\]"),
    ],
)
def test_bad_networks_are_refused_by_name(changes, message):
    with pytest.raises(bf.InputError, match=message):
        example(**changes)


@given(networks())
def test_json_keeps_every_digit(net):
    again = bf.Network.from_json(json.loads(json.dumps(net.to_json())))
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(again, name), getattr(net, name))
    assert (again.mu, again.title, again.training) == (net.mu, net.title, net.training)


def test_save_and_load(tmp_path):
    net = example(mu=0.0075, training={"seed": 3})
    net.save(tmp_path / "net.json")
    again = bf.Network.load(tmp_path / "net.json")
    assert again.to_json() == net.to_json()
    data = json.loads((tmp_path / "net.json").read_text())
    assert data["schema"] == "bifrncrn.network/1"
    assert data["weights"]["omega"]["unit"] == "1/(concentration time)"
    with pytest.raises(bf.InputError, match="cannot be written as JSON"):
        example(training={"array": {1, 2}}).save(tmp_path / "bad.json")
    assert not (tmp_path / "bad.json").exists()


def classifier(**changes):
    base = {
        "first_layer": [[1.0, -2.0, 0.5]],
        "first_biases": [0.1, 0.2, -0.3],
        "output_layer": [[2.0], [-1.0], [0.5]],
        "output_biases": [0.4],
        "gamma": 1.5,
        "lam": [0.6],
    }
    return bf.Classifier(**{**base, **changes})


def test_classifier_output_is_where_its_chemistry_settles():
    model = classifier()
    system = model.full(0.1)
    assert system.variables == ("z1", "z2", "z3", "r1")
    rest = system.rhs(np.concatenate([model.hidden(), model.output()]))
    np.testing.assert_allclose(rest, 0.0, atol=1e-11)
    assert model.output([1.0]).shape == (1,)
    assert model.output([1.0])[0] != model.output()[0]


def test_controlled_network_reduces_to_the_network_at_the_output():
    net = example(1)
    both = bf.ControlledNetwork(classifier(), net)
    alone = net.reduced().with_(values={"lam": float(classifier().output()[0])})
    x = np.array([0.9, 1.3])
    np.testing.assert_allclose(both.reduced().rhs(x), alone.rhs(x), rtol=1e-13)
    assert both.reduced().parameters[0] == "lam"
    full = both.full(0.05)
    assert full.variables == ("x1", "x2", "y1", "y2", "y3", "z1", "z2", "z3", "r1")
    at_rest = full.rhs(full.state)
    np.testing.assert_allclose(at_rest[:2], both.reduced().rhs(net.state), rtol=1e-12)
    np.testing.assert_allclose(at_rest[2:], 0.0, atol=1e-9)


def test_controlled_network_with_two_environments_names_them():
    model = classifier(first_layer=[[1.0, -2.0, 0.5], [0.3, 0.3, 0.3]], lam=[0.6, 0.7])
    assert bf.ControlledNetwork(model, example(1)).reduced().parameters[:2] == ("lam1", "lam2")


def test_controlled_network_json(tmp_path):
    both = bf.ControlledNetwork(classifier(mu=0.01), example(1, mu=0.02))
    both.save(tmp_path / "both.json")
    assert bf.ControlledNetwork.load(tmp_path / "both.json").to_json() == both.to_json()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: classifier(first_biases=[1.0, 2.0]), "first_biases has shape"),
        (lambda: classifier(output_layer=[[1.0]]), "output_layer has shape"),
        (lambda: classifier(gamma=0.0), "gamma is 0.0 but must be positive"),
        (lambda: classifier(first_layer=np.zeros((0, 3))), "needs an environment"),
        (lambda: bf.ControlledNetwork(classifier(), example(2)), "1 outputs but the network 2 parameter species"),
        (lambda: classifier().full(), "records no time-scale"),
    ],
)
def test_bad_classifiers_are_refused(make, message):
    with pytest.raises(bf.InputError, match=message):
        make()


# -- published networks -----------------------------------------------------------------------------------------


def truth(reference, *keys):
    data = json.loads((reference / "rncrn_truth.json").read_text())
    for key in keys:
        data = data[key]
    return data


def residual(system, x, scale):
    return np.abs(system.rhs(x)).max() / scale


@pytest.mark.parametrize("name", ["hopf", "homoclinic", "eqcycle"])
def test_published_equilibria_with_parameter(reference, name):
    net = bf.read_model(reference / f"networks/{name}.mat")
    rows = truth(reference, f"bif_{name}", "equilibria_table")
    assert rows
    for row in rows:
        lam = row.get("lambda", row.get("R"))
        reduced, full = (s.with_(values={"lam": lam}) for s in (net.reduced(), net.full(0.01)))
        for entry in row["equilibria"]:
            x = np.array(entry["x"])
            y = net.perceptrons(x, np.array([lam]))
            scale = np.abs(x * (np.abs(net.alpha) @ y)).max()
            assert residual(reduced, x, scale) < 1e-12
            np.testing.assert_allclose(full.rhs(np.concatenate([x, y]))[:2], reduced.rhs(x), atol=1e-11 * scale)


@pytest.mark.parametrize(("name", "key"), [("circle", "circle"), ("heart", "heart")])
def test_published_equilibria_without_parameter(reference, name, key):
    net = bf.read_model(reference / f"networks/{name}.mat")
    for entry in truth(reference, "classification_and_equilibria", f"equilibria_{key}", "list"):
        x = np.array(entry["x"])
        assert residual(net.reduced(), x, np.abs(x * (np.abs(net.alpha) @ net.perceptrons(x))).max()) < 1e-12
        found = sorted(np.linalg.eigvals(net.reduced().jacobian(x)), key=lambda v: (v.real, v.imag))
        expected = sorted((complex(e["re"], e["im"]) for e in entry["eig_reduced"]), key=lambda v: (v.real, v.imag))
        np.testing.assert_allclose(found, expected, rtol=1e-9)


@pytest.mark.parametrize("mu", [0.0, 0.0075, 0.1])
def test_published_hopf_points_have_imaginary_eigenvalues(reference, mu):
    net = bf.read_model(reference / "networks/hopf.mat")
    points = truth(reference, "bif_hopf", "hopf_by_mu (0=reduced)")
    point = next(entry[0] for key, entry in points.items() if float(key) == mu)
    x = np.array(point["x"])
    y = net.perceptrons(x, np.array([point["lambda"]]))
    system = net.reduced() if mu == 0 else net.full(mu)
    system = system.with_(values={"lam": point["lambda"]})
    eigenvalues = np.linalg.eigvals(system.jacobian(x if mu == 0 else np.concatenate([x, y])))
    crossing = eigenvalues[np.argmin(np.abs(eigenvalues.real))]
    assert abs(crossing.real) < 1e-9
    assert abs(crossing.imag) == pytest.approx(point["omega"], rel=1e-9)


def test_published_classifier(reference):
    model = bf.read_model(reference / "networks/eqcycle_classifier.mat")
    expected = truth(reference, "classification_and_equilibria", "eqcycle_classifier", "R_at")
    found = [model.output([float(lam)])[0] for lam in expected]
    np.testing.assert_allclose(found, list(expected.values()), rtol=1e-13)
