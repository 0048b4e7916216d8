"""What a fit is said to do: on whole intervals, at time-scales, in words, and never where nobody looked."""

import json

import numpy as np
import pytest

import bifrncrn as bf

# --- behaviours of a network in closed form: dx = 30 + x (s(z1) - ...) has one attracting rest for every lam


def still():
    return bf.Network(
        alpha=-np.eye(2),
        omega=np.eye(2),
        psi=np.zeros((2, 1)),
        theta=np.zeros(2),
        beta=np.full(2, 5 * (5 + 29**0.5) / 2),
    )


def test_an_equilibrium_on_the_verge_is_a_claim_about_a_real_part():
    wanted = bf.EquilibriaWanted(np.array([[5.0, 5.0]]), np.array([0]), ((3.5, 6.5), (3.5, 6.5)), (1.0,))
    found = wanted.check(still(), None)
    assert not found.ok and "real part that is to be zero" in found.text


def test_a_cycle_is_wanted_on_the_whole_interval(reference):
    """The published network's cycle ends in a SNIC at lam = 0.80370669 (see the reference data)."""
    network = bf.Network.load(reference / "networks" / "eqcycle.mat")
    angle = np.linspace(0, 2 * np.pi, 200, endpoint=False)
    circle = np.column_stack([1.5 + np.cos(angle), 1.5 + np.sin(angle)])
    inside = bf.CycleWanted(circle, (1.0,), within=1.0, over=(0.85, 1.1)).check(network, None)
    across = bf.CycleWanted(circle, (1.0,), within=1.0, over=(0.7, 1.1)).check(network, None)
    assert inside.ok and "lam from 0.85 to 1.1" in inside.text
    assert not across.ok and "only from 0.80" in across.text


@pytest.mark.parametrize("name", ["hopf.mat", "hopf_crn.txt"])
def test_a_network_is_loaded_from_the_authors_files(reference, name):
    network = bf.Network.load(reference / "networks" / name)
    (hopf,) = bf.diagram(network.reduced(), "lam", (1, 3)).special("HB")
    assert hopf.parameters["lam"] == pytest.approx(2.1436889037931, abs=1e-5)  # the list has rates of 8 digits


def test_a_network_is_loaded_from_what_it_was_converted_to(tmp_path):
    network = still()
    network.save(tmp_path / "network.json")

    for suffix in (".mat", ".txt"):
        bf.convert(tmp_path / "network.json", tmp_path / f"network{suffix}", mu=0.01)
        again = bf.Network.load(tmp_path / f"network{suffix}")
        assert np.allclose(again.alpha, network.alpha) and np.allclose(again.beta, network.beta)


def test_a_file_that_is_no_network_is_refused_in_a_sentence(tmp_path, reference):
    with pytest.raises(bf.InputError, match="classifier"):
        bf.Network.load(reference / "networks" / "eqcycle_classifier.mat")
    (tmp_path / "model.toml").write_text("")
    with pytest.raises(bf.InputError, match="a network is read from"):
        bf.Network.load(tmp_path / "model.toml")


def test_the_interval_of_a_curve_has_to_hold_its_parameter():
    curve = bf.library.circle().parts[0].curve
    with pytest.raises(bf.InputError, match="give an interval"):
        bf.CurvePart(curve, (1.0,), over=(1.2, 1.4))
    part = bf.CurvePart(curve, (1.0,), over=(0.9, 1.1))
    values = np.unique(part.samples().lam)
    assert values.min() == 0.9 and values.max() == 1.1 and len(values) == 5
    assert set(np.unique(part.definition().lam)) == {1.0}


# --- refinement, judged by code of its own


def field(network, x, lam):
    z = network.omega @ x + network.psi @ np.array([lam]) + network.theta
    s = (z + np.sqrt(z * z + 4)) / 2
    return network.beta + x * (network.alpha @ s)


def spectrum(network, x, lam, mu):
    """Return the eigenvalues of the full system's Jacobian, or of the reduced one's (mu = 0), written out here."""
    z = network.omega @ x + network.psi @ np.array([lam]) + network.theta
    r = np.sqrt(z * z + 4)
    s = (z + r) / 2
    rate = np.diag(network.alpha @ s)
    if mu == 0:
        return np.linalg.eigvals(rate + x[:, None] * (network.alpha * (s / r)) @ network.omega)
    top = np.hstack([rate, x[:, None] * network.alpha])
    low = np.hstack([s[:, None] * network.omega, np.diag(z - 2 * s)]) / mu
    return np.linalg.eigvals(np.vstack([top, low]))


@pytest.mark.slow
def test_the_refined_hopf_network_oscillates_at_the_targets_rate():
    fit = bf.train(bf.library.hopf(), seed=11, seeds=3)
    assert fit.loss < 7e-4
    x = np.array([5.0, 5.0])
    assert np.abs(field(fit.network, x, 2.0)).max() < 1e-9
    for mu, allowed in ((0.0, 0.03), (0.0075, 0.01)):
        pair = spectrum(fit.network, x, 2.0, mu)
        pair = pair[np.argsort(-pair.real)][:2]
        assert np.abs(pair.real).max() < 1e-8
        assert np.abs(np.abs(pair.imag) - 1).max() < allowed
    assert fit.largest_mu is None or fit.reached is (fit.largest_mu >= 0.0075)


@pytest.mark.slow
def test_a_critical_point_stays_critical_at_its_time_scale():
    fit = bf.train(bf.library.hopf_critical(), seed=11, seeds=2)
    network = fit.network
    hopf = bf.Network(**network.weights() | {"psi": np.zeros((6, 1))}, lam=[0.0])
    for mu in (0.0, 0.01):
        assert np.abs(spectrum(hopf, np.array([5.0, 5.0]), 0.0, mu).real.max()) < 1e-6
    # elsewhere the real part is not zero, so nothing is claimed there
    assert np.abs(spectrum(hopf, np.array([5.0, 5.0]), 0.0, 1.0).real.max()) > 1e-6
    assert list(fit.verification.full) == [0.01]
    assert fit.reached and fit.largest_mu == 0.01
    assert "at mu = 0.01" in str(fit) and "up to mu" not in str(fit)


# --- controlled networks


def test_every_kind_of_library_name_trains_from_the_command_line(tmp_path, capsys):

    assert bf.main(["train", "step_classifier", "--seeds", "1", "--jobs", "1", "--out", str(tmp_path / "c.json")]) == 0
    assert "classifier 1-3-1" in capsys.readouterr().out
    assert bf.Classifier.from_json(json.loads((tmp_path / "c.json").read_text())).sizes == (1, 3, 1)


@pytest.mark.slow
def test_xor_trains_from_the_command_line_and_is_verified(tmp_path, capsys):

    pytest.importorskip("plotly", reason="needs the extra report")
    out, page = str(tmp_path / "xor.json"), tmp_path / "xor.html"
    assert bf.main(["train", "xor", "--seeds", "2", "--jobs", "1", "--out", out, "--report", str(page)]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "two stable states where just one environment is above 1: in 50 of 50, reduced" in text
    assert "in 50 of 50, at mu = 0.1" in text
    assert "What it does in its environments" in page.read_text(encoding="utf-8")
    assert bf.ControlledNetwork.load(out).classifier.sizes == (2, 4, 1)
