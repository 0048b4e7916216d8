"""Public functions refuse what is not of their kind with one sentence."""

import pytest

import bifrncrn as bf

MODEL = bf.System.from_equations({"x": "lam - x^2"}, {"lam": 1.0}, {"x": 1.0})


@pytest.fixture(scope="module")
def diagram():
    return bf.diagram(MODEL, bounds=(-1, 1))


WRONG = {
    "a name in place of a system": lambda d: bf.diagram("model.toml", bounds=(0, 1)),
    "options that are a mapping": lambda d: bf.diagram(MODEL, bounds=(-1, 1), options={"max_points": 3}),
    "a diagram in place of a system, cycles": bf.find_cycle,
    "a diagram in place of a system, homoclinics": lambda d: bf.find_homoclinic(d, "lam", (0, 1)),
    "a number in place of a system, exponents": lambda d: bf.largest_lyapunov(3),
    "a number in place of a system, spectrum": lambda d: bf.lyapunov_spectrum(3),
    "a number in place of a system, attractors": lambda d: bf.describe_attractor(3, state=[1.0]),
    "a number in place of a system, onsets": lambda d: bf.find_onsets(3, "lam", d.special_points, (-1, 1)),
    "a name in place of a point, onsets": lambda d: bf.find_onsets(MODEL, "lam", ["LP"], (-1, 1)),
    "a system in place of a diagram": lambda d: bf.compare_diagrams(d, MODEL),
    "a number in place of a file, models": lambda d: bf.load_model(3),
    "a number in place of a file, reading": lambda d: bf.read_model(3),
    "a number in place of a file, networks": lambda d: bf.Network.load(3),
    "a number in place of a file, diagrams": lambda d: bf.Diagram.load(3),
    "numbers in place of files": lambda d: bf.convert(3, 4),
    "a number in place of a model": lambda d: bf.write_model(3, "x.toml"),
    "a number in place of a point": lambda d: d.branch(3),
    "no point": lambda d: d.branch(None),
    "a label that there is not": lambda d: d.special("Hopf"),
    "a number in place of a label": lambda d: d.special(3),
    "a list in place of a label": lambda d: d.special(["LP"]),
    "a number in place of a diagram, doublings": lambda d: bf.with_doublings(3),
    "a number in place of a file, saving": lambda d: d.save(3),
    "a number in place of what to draw": lambda d: d.plot(3),
}


@pytest.mark.parametrize("call", WRONG.values(), ids=WRONG.keys())
def test_a_sentence(call, diagram):
    with pytest.raises(bf.InputError) as caught:
        call(diagram)
    assert "\n" not in str(caught.value)
    assert 20 < len(str(caught.value)) < 400
