"""Public functions refuse what is not of their kind with one sentence."""

import numpy as np
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
    "a list in place of a model's text": lambda d: bf.System.from_toml([1]),
    "a number in place of a file, systems": lambda d: bf.System.from_file(3),
    "a number in place of a file, curves": lambda d: bf.Curve.from_csv(3),
    "a list in place of reactions' text": lambda d: bf.ReactionNetwork.from_text([1]),
    "a text in place of a list of reactants": lambda d: bf.Reaction("AB", ("C",), 1.0),
    "a number in place of reactants": lambda d: bf.Reaction(1j, ("C",), 1.0),
    "a number in place of reactions": lambda d: bf.ReactionNetwork(-5),
    "a number in place of reactions, networks": lambda d: bf.Network.from_reactions(3),
    "a number in place of a target, behaviours": lambda d: bf.behaviours_of(3),
    "a system in place of a target, molecules": lambda d: bf.stochastic(MODEL, None, 1.0),
    "a system in place of a target, classifiers": lambda d: bf.train_classifier(MODEL),
    "a number in place of a classifier": lambda d: bf.ControlledNetwork(3, 4),
    "mappings in place of samples": lambda d: bf.ClassifierTarget("t", {1: 2}, {1: 2}, 3),
    "a mapping in place of points": lambda d: bf.Curve({}, {}),
    "numbers in place of functions, curves": lambda d: bf.Curve.of(3, 4, np.ones(3)),
    "numbers in place of formulas, curves": lambda d: bf.Curve.formula([2, 1], (0, 1)),
    "a system in place of names": lambda d: bf.System.from_function(np.sin, MODEL, {}),
    "a text in place of a curve": lambda d: bf.CurvePart("circle"),
    "a text in place of points": lambda d: bf.hausdorff("a", "b"),
    "a whole number beyond all others, matrices": lambda d: bf.System.plrnn([1, 2], 10**400, 0),
    "a whole number beyond all others, states": lambda d: MODEL.rhs(10**400),
    "a number in place of sums": lambda d: MODEL.with_(totals=True),
    "a text in place of a start, sums": lambda d: bf.conserved(MODEL, "x"),
    "a list in place of a name": lambda d: d.branches[0].column(["x"]),
    "an equilibrium in place of a cycle of a map": lambda d: d.branches[0].phases("x"),
    "a text in place of a system, extending": lambda d: bf.extend(d, system="model"),
    "no system, cycles": lambda d: bf.with_cycle(d, system=None, parameter="lam", bounds=(0, 1)),
    "a number in place of points": lambda d: bf.find_onsets(MODEL, "lam", -5, (-1, 1)),
    "a number in place of a file, pictures": lambda d: bf.save_diagram(d, 3),
    "a number in place of a file, reports": lambda d: bf.save_report(d, 3),
    "a number in place of states to show": lambda d: MODEL.simulate((0, 1)).plot(show=True),
}


@pytest.mark.parametrize("call", WRONG.values(), ids=WRONG.keys())
def test_a_sentence(call, diagram):
    with pytest.raises(bf.InputError) as caught:
        call(diagram)
    assert "\n" not in str(caught.value)
    assert 20 < len(str(caught.value)) < 400


BOX = {"x": (0.0, 2.0)}
START = {"x": 1.0}
HOPF = bf.System.from_equations(
    {"x": "lam*x - y - x*(x^2 + y^2)", "y": "x + lam*y - y*(x^2 + y^2)"}, {"lam": 0.5}, {"x": 0.5, "y": 0.0}
)
NO_MAPPING = ([1, 1], (0, 1), "x", 3.5, np.array([1.0, 2.0]), object(), {3: 1.0}, {"nobody": 1.0})
NO_BOX = (*NO_MAPPING, {"x": "q"}, {"x": None}, {"x": (1,)}, {"x": [0, 1, 2]}, {"x": ("a", "b")}, {"x": (2, 1)})
NO_TEXTS = ([1, 1], 3.5, np.array([1.0, 2.0]), object(), {3: 1.0})
ARGUMENTS = {
    "the start of a diagram": (lambda v: bf.diagram(MODEL, bounds=(-1, 1), start=v), NO_MAPPING),
    "the start of a comparison": (lambda v: bf.compare(MODEL, MODEL, bounds=(-1, 1), start=v), NO_MAPPING[:-1]),
    "the start of a cycle": (lambda v: bf.with_cycle(None, HOPF, "lam", (0.1, 1), start=v), NO_MAPPING),
    "parameter values": (lambda v: bf.find_equilibria(MODEL, BOX, values=v), NO_MAPPING[2:]),
    "the box of a search": (lambda v: bf.diagram(MODEL, bounds=(-1, 1), all=True, box=v), NO_BOX),
    "walls": (lambda v: bf.diagram(MODEL, bounds=(-1, 1), walls=v), NO_BOX),
    "the box of equilibria": (lambda v: bf.find_equilibria(MODEL, v), NO_BOX),
    "the box of a plane": (lambda v: bf.portrait(HOPF, box=v), NO_BOX),
    "the box of a comparison": (lambda v: bf.compare(MODEL, MODEL, bounds=(-1, 1), box=v), NO_BOX),
    "the box of a proof": (lambda v: bf.prove(MODEL, bounds=(-1, 1), box=v), NO_BOX[2:]),
    "events on a diagram": (lambda v: bf.diagram(MODEL, bounds=(-1, 1), events=v), NO_TEXTS),
    "events of a simulation": (lambda v: MODEL.simulate(1.0, events=v), (3.5, object())),
    "labels to stop at": (lambda v: bf.diagram(MODEL, bounds=(-1, 1), stop=v), NO_TEXTS),
    "the name of a parameter": (lambda v: bf.diagram(MODEL, v, (-1, 1)), (*NO_TEXTS, [1], {"x": 1})),
    "axes": (lambda v: bf.diagram(MODEL, bounds=(-1, 1)).plot("x", ax=v), (3, "x", [1, 2])),
    "the bounds of homoclinic orbits": (lambda v: bf.find_homoclinic(HOPF, "lam", v), ("x", 3.5, {"x": 1}, [1])),
    "a name of the library": (bf.library.get, (3.5, ["hopf"], {"x": 1})),
}


@pytest.mark.parametrize(("call", "values"), ARGUMENTS.values(), ids=ARGUMENTS.keys())
def test_an_argument_of_another_kind(call, values):
    for value in values:
        with pytest.raises(bf.InputError) as caught:
            call(value)
        assert "\n" not in str(caught.value) and 15 < len(str(caught.value)) < 400


def test_a_label_in_small_letters(diagram):
    with pytest.raises(bf.InputError, match="did you mean 'LP'"):
        diagram.special("lp")
