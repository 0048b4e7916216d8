"""The library: textbook points satisfy their definitions, targets can be sampled and are what their papers say."""

import numpy as np
import pytest

import bifrncrn as bf

TEXTBOOK = bf.library.names("textbook")
TARGETS = bf.library.names("target")


@pytest.mark.parametrize("name", TEXTBOOK)
def test_known_points_satisfy_their_definition(name):
    problem = bf.library.problem(name)
    assert np.abs(problem.system.rhs(problem.system.state)).max() < 1e-12
    for point in problem.known:
        at = problem.system.with_(values={problem.parameter: point.parameter})
        assert np.abs(at.rhs(point.state)).max() < 1e-12
        eigenvalues = np.linalg.eigvals(at.jacobian(point.state))
        if point.label == "HB":
            assert point.omega is not None
            assert np.abs(eigenvalues - 1j * point.omega).min() < 1e-9
        else:
            assert np.abs(eigenvalues).min() < 1e-7


@pytest.mark.parametrize("name", TEXTBOOK)
def test_diagram_has_the_known_points_and_no_others(name):
    problem = bf.library.problem(name)
    found = bf.diagram(problem.system, problem.parameter, problem.bounds)
    got = sorted((p.label, p.parameters[problem.parameter]) for p in found.special_points if p.label != "EP")
    want = sorted((p.label, p.parameter) for p in problem.known)
    assert [label for label, _ in got] == [label for label, _ in want]
    np.testing.assert_allclose([value for _, value in got], [value for _, value in want], rtol=0, atol=1e-9)


@pytest.mark.parametrize("name", TARGETS)
def test_targets_can_be_sampled(name):
    target = bf.library.get(name)
    assert isinstance(target, bf.Target)
    assert target.name == name
    samples = target.samples()
    assert len(samples) * target.sizes[0] > target.perceptrons * (2 * target.sizes[0] + target.sizes[1] + 1)
    assert (samples.x >= 0).all()
    assert samples.lam.shape == (len(samples), target.sizes[1])
    random = target.samples("sobol", 200, 3)
    np.testing.assert_array_equal(random.x, target.samples("sobol", 200, 3).x)


@pytest.mark.parametrize(("name", "power"), [("hopf", 5.308273526697783), ("homoclinic", 3.0848864026194307)])
def test_fields_have_the_published_mean_square(name, power):
    definition = bf.library.get(name).definition()
    assert (definition.field**2).mean() == pytest.approx(power, rel=1e-4)


@pytest.mark.parametrize(("name", "count", "power"), [("circle", 25789, 1.1058040715426558), ("eq_cycle", 26045, None)])
def test_designer_targets_have_the_published_samples(name, count, power):
    definition = bf.library.get(name).definition()
    assert len(definition) == count
    if power:
        assert (definition.field**2).mean() == pytest.approx(power, rel=1e-12)


def test_known_points_of_targets_are_in_their_diagrams():
    for name in ("hopf", "homoclinic"):
        target = bf.library.get(name)
        (known,) = (point for point in target.known if point.label == "HB")
        system = target.system.with_(values={"lam": known.parameters["lam"]})
        state = np.array([known.state[variable] for variable in system.variables])
        assert np.abs(system.rhs(state)).max() < 1e-12
        assert np.abs(np.linalg.eigvals(system.jacobian(state)).real).max() < 1e-12


def test_names_and_close_matches():
    assert set(bf.library.names()) == set(TEXTBOOK) | set(TARGETS)
    assert isinstance(bf.library.get("brusselator"), bf.System)
    with pytest.raises(bf.InputError, match="did you mean 'homoclinic'"):
        bf.library.get("homoclinc")
    with pytest.raises(bf.InputError, match="the names are"):
        bf.library.get("zzz")
    with pytest.raises(bf.InputError, match="kind"):
        bf.library.names("none")
