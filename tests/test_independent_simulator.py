"""What is exported runs alike in a simulator that shares no code with this package: libRoadRunner (CVODE)."""

from importlib.resources import files

import numpy as np
import pytest

import bifrncrn as bf

# its import warns about SWIG
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

PREDATORS = """
[variables]
prey = 0.9
hunter = 0.4
[parameters]
r = "8/3"
k = 1.5
[definitions]
eaten = "4*prey*hunter/(1 + 3*prey)"
[equations]
prey = "r*prey*(1 - prey/k) - eaten"
hunter = "eaten - 0.4*hunter + 0.01*exp(-prey^2)*max(0, sin(prey)) + 0.01*sqrt(prey)"
[options]
nonnegative = true
"""


@pytest.fixture(autouse=True)
def packages():
    for name, package in (("roadrunner", "libroadrunner"), ("libsbml", "python-libsbml")):
        pytest.importorskip(name, reason=f"{package} is not installed")


def trajectories(system, names, sbml, end):
    """Return the states at 21 times by this package and by libRoadRunner."""
    import roadrunner

    other = roadrunner.RoadRunner(str(sbml))
    other.integrator.relative_tolerance, other.integrator.absolute_tolerance = 1e-10, 1e-12
    other.integrator.maximum_num_steps = 10**6
    species = set(other.model.getFloatingSpeciesIds())
    other.timeCourseSelections = [f"[{name}]" if name in species else name for name in names]
    own = system.simulate((0.0, end), rtol=1e-10, atol=1e-12)
    return np.array([own.at(t) for t in np.linspace(0, end, 21)]), np.array(other.simulate(0, end, 21))


def equal(pair):
    own, other = pair
    assert np.ptp(own, axis=0).max() > 0.05 * np.abs(own).max()  # something happens
    # ten digits a step by both; errors add up along the orbit, but not to a thousandfold
    np.testing.assert_allclose(own, other, rtol=1e-7, atol=1e-7 * np.abs(own).max())


@pytest.mark.parametrize("suffix", [".xml", ".ant"])
@pytest.mark.parametrize("mu", [0.0075, 1e-4])
def test_a_network(tmp_path, suffix, mu):
    pytest.importorskip("antimony", reason="antimony is not installed")
    source = files("bifrncrn.library") / "data" / "hopf_network.json"
    network = bf.load_model(str(source), mu=mu).with_(state={"x1": 5.4, "x2": 4.7})
    bf.write_model(network, tmp_path / "network.toml")
    bf.convert(tmp_path / "network.toml", tmp_path / f"network{suffix}")
    bf.convert(tmp_path / f"network{suffix}", tmp_path / "again.xml")
    equal(trajectories(network, network.variables, tmp_path / "again.xml", 8.0))


def test_the_reactions_of_a_network(tmp_path):
    source = files("bifrncrn.library") / "data" / "hopf_network.json"
    bf.convert(str(source), tmp_path / "network.xml", mu=0.0075)
    network = bf.load_model(str(source), mu=0.0075)
    names = [f"{name[0].upper()}_{name[1:]}" for name in network.variables]
    own, other = trajectories(network, names, tmp_path / "network.xml", 8.0)
    assert np.ptp(own, axis=0).max() > 1e-3
    np.testing.assert_allclose(own, other, rtol=1e-7)


def test_equations(tmp_path):
    (tmp_path / "model.toml").write_text(PREDATORS)
    bf.convert(tmp_path / "model.toml", tmp_path / "model.xml")
    system = bf.load_model(tmp_path / "model.toml")
    equal(trajectories(system, system.variables, tmp_path / "model.xml", 12.0))


def test_variables_that_become_negative(tmp_path):
    system = bf.library.problem("lorenz").system.with_(state=[-1.0, 2.0, 20.0], values={"rho": 28.0})
    bf.write_model(system, tmp_path / "lorenz.toml")
    bf.convert(tmp_path / "lorenz.toml", tmp_path / "lorenz.xml")
    equal(trajectories(system, system.variables, tmp_path / "lorenz.xml", 2.0))


@pytest.mark.parametrize("seed", range(6))
def test_random_models(tmp_path, seed):
    """Reactions, rules, starts that follow a parameter, choices and events, at times that are no step of either."""
    import roadrunner
    from random_models import antimony_model

    pytest.importorskip("antimony", reason="antimony is not installed")
    (tmp_path / "a.ant").write_text(antimony_model(seed))
    bf.convert(tmp_path / "a.ant", tmp_path / "a.xml")
    system = bf.load_model(tmp_path / "a.xml")
    names = [f"S{i}" for i in range(3)] + ["w", "z", "k0", "J0"]
    other = roadrunner.RoadRunner(str(tmp_path / "a.xml"))
    other.integrator.relative_tolerance, other.integrator.absolute_tolerance = 1e-11, 1e-13
    other.integrator.maximum_num_steps = 10**6
    other.timeCourseSelections = [f"[{name}]" if name.startswith("S") else name for name in names]
    found = system.simulate(5.0, times=np.linspace(0, 5, 21), rtol=1e-10, atol=1e-12)
    own = np.column_stack([found.column(name) for name in names])
    # both locate events to their tolerance, which the rates there magnify
    np.testing.assert_allclose(own, np.array(other.simulate(0, 5, 21)), rtol=1e-5, atol=1e-6)
