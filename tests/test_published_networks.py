"""The networks published with arXiv 2602.02374: special points and equilibria against 25-digit values."""

import json

import numpy as np
import pytest

import bifrncrn as bf


@pytest.fixture(scope="module")
def truth(reference):
    return json.loads((reference / "rncrn_truth.json").read_text())


@pytest.fixture(scope="module")
def network(reference):
    return lambda name: bf.read_model(reference / "networks" / f"{name}.mat")


def state_of(entry):
    return list(entry["x"].values()) if isinstance(entry["x"], dict) else list(entry["x"])


def starting_at(system, entry, lam):
    """Return the start mapping of an equilibrium of the executive species."""
    return {"lam": lam, **dict(zip(system.variables, state_of(entry), strict=False))}


def test_reduced_hopf_network(network, truth):
    entry = truth["bif_hopf"]["hopf_by_mu (0=reduced)"]["0"][0]
    found = bf.diagram(network("hopf").reduced(), "lam", (1.0, 3.0))
    (hopf,) = found.special("HB")
    assert hopf.parameters["lam"] == pytest.approx(2.1436889037931346, abs=1e-9)
    assert hopf.omega == pytest.approx(entry["omega"], abs=1e-8)
    assert hopf.l1 == pytest.approx(-2.6535125057427655, rel=1e-5)
    assert len(found.special_points) == 1


@pytest.mark.parametrize("mu", ["0.0001", "0.001", "0.0075", "0.01", "0.1", "0.3"])
def test_full_hopf_network(network, truth, mu):
    entry = truth["bif_hopf"]["hopf_by_mu (0=reduced)"][mu][0]
    found = bf.diagram(network("hopf").full(float(mu)), "lam", (1.0, 3.0))
    (hopf,) = found.special("HB")
    assert hopf.parameters["lam"] == pytest.approx(float(entry["lambda_25dig"]), abs=1e-9)
    assert hopf.omega == pytest.approx(float(entry["omega_25dig"]), abs=1e-7)
    assert hopf.l1 == pytest.approx(entry["l1_q_full_norm"], rel=1e-4)


@pytest.mark.parametrize("mu", ["0.0001", "0.001", "0.01", "0.1"])
def test_full_homoclinic_network(network, truth, mu):
    entry = truth["bif_homoclinic"]["hopf_by_mu (0=reduced)"][mu][0]
    net = network("homoclinic")
    system = net.full(float(mu))
    start = starting_at(system, entry, entry["lambda"])
    at = np.array(state_of(entry)[: net.sizes[0]])
    y = net.perceptrons(at, np.array([entry["lambda"]]))
    start |= dict(zip(system.variables[net.sizes[0] :], y.tolist(), strict=True))
    found = bf.diagram(system, "lam", (1.6, 2.2), start=start)
    (hopf,) = found.special("HB")
    assert hopf.parameters["lam"] == pytest.approx(float(entry["lambda_25dig"]), abs=1e-9)
    assert hopf.l1 == pytest.approx(entry["l1_q_full_norm"], rel=1e-4)


def test_the_two_branches_of_the_homoclinic_network(network, truth):
    system = network("homoclinic").reduced()
    hopf = bf.diagram(system, "lam", (1.6, 2.2), start={"x1": 4.82, "x2": 4.36})
    assert [p.label for p in hopf.special_points] == ["HB"]
    assert hopf.special_points[0].parameters["lam"] == pytest.approx(1.8253720047447253, abs=1e-9)
    fold = bf.diagram(system, "lam", (1.6, 2.2), start={"x1": 5.0, "x2": 5.0})
    assert [p.label for p in fold.special_points] == ["LP"]
    entry = truth["bif_homoclinic"]["folds"][0]
    assert fold.special_points[0].parameters["lam"] == pytest.approx(entry["lambda"], abs=1e-10)
    assert abs(fold.special_points[0].a) == pytest.approx(abs(entry["a_half_pBqq"]), rel=1e-6)


@pytest.mark.parametrize("name", ["hopf", "homoclinic"])
def test_folds_and_equilibria(network, truth, name):
    data = truth[f"bif_{name}"]
    system = network(name).reduced()
    for fold in data["folds"]:
        low, high = fold["lambda"] - 0.2, fold["lambda"] + 0.2
        found = bf.diagram(system, "lam", (low, high), start=starting_at(system, fold, fold["lambda"]))
        gaps = [abs(p.parameters["lam"] - fold["lambda"]) for p in found.special("LP")]
        assert min(gaps) < 1e-10
    for row in data["equilibria_table"]:
        lam = row["lambda"]
        for entry in row["equilibria"]:
            if min(state_of(entry)) < 0.0:
                continue  # not physical: a concentration is negative
            start = starting_at(system, entry, lam)
            branch = bf.diagram(system, "lam", (lam, lam + 0.01), start=start).branches[0]
            k = int(np.argmin(np.abs(branch.points[:, 0] - lam)))
            assert branch.points[k, 1:] == pytest.approx(state_of(entry), rel=1e-9)
            assert (branch.unstable[k] == 0) == entry["stable_reduced"]
