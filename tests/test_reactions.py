"""Reactions: text, stoichiometry, conservation laws, mass action, and networks as reactions."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_network import ARRAYS, classifier, example, networks

import bifrncrn as bf

TEXT = """#L_1=0.5
L_1 + Y_1->L_1 + Y_1 + Y_1,13.965258002281189
#X_1=1,Y_1=0.0
X_1 + Y_1->Y_1,4.3151608
X_1 + Y_1->X_1,173.12825520833334
Y_1->Y_1 + Y_1,1420.7515716552734
->X_1,260.0
->Y_1,133.33333333333334
Y_1 + Y_1->Y_1,133.33333333333334
"""
names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,4}", fullmatch=True)
positive = st.floats(1e-300, 1e300)
reactions = st.builds(bf.Reaction, st.lists(names, max_size=3), st.lists(names, max_size=4), positive)
reaction_networks = st.builds(
    bf.ReactionNetwork,
    st.lists(reactions, min_size=1, max_size=6),
    st.dictionaries(names, st.floats(0, 1e300), max_size=4),
    mu=st.none() | positive,
    title=st.text(max_size=20),
)


@given(reaction_networks)
def test_text_round_trip_keeps_everything(network):
    assert bf.ReactionNetwork.from_text(network.to_text()) == network


def test_a_text_read_comes_back_byte_for_byte():
    for text in (TEXT, TEXT.replace("\n", "\r\n"), TEXT + "\n\n", TEXT.replace(" + ", "+"), TEXT.rstrip()):
        assert bf.ReactionNetwork.from_text(text).to_text() == text


def test_a_changed_network_is_written_anew():
    network = bf.ReactionNetwork.from_text(TEXT)
    changed = dataclasses.replace(network, mu=0.5)
    assert bf.ReactionNetwork.from_text(changed.to_text()) == changed
    assert "## mu 0.5\n" in changed.to_text()


@given(text=st.text(st.characters(codec="utf-8"), max_size=200))
def test_any_text_gives_reactions_or_one_sentence(text):
    try:
        bf.ReactionNetwork.from_text(text)
    except bf.InputError as error:
        assert "\n" not in str(error)


@given(st.data())
def test_damaged_text_gives_reactions_or_one_sentence(data):
    text = list(TEXT)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text) - 1))
        text[at] = data.draw(st.sampled_from([*"+->,#=.0eE_X \n", "", "->", "é", "1e999", "nan"]))
    try:
        bf.ReactionNetwork.from_text("".join(text))
    except bf.InputError as error:
        assert "\n" not in str(error)


def test_counts_comments_and_spaces():
    network = bf.ReactionNetwork.from_text(
        "# a comment\n## title two  words\n 2 X_1 + 3*Y -> 2Y , 4.5\n# X_1 = 2 , Y=1\n"
    )
    assert network.reactions == (bf.Reaction(("X_1", "X_1", "Y", "Y", "Y"), ("Y", "Y"), 4.5),)
    assert dict(network.start) == {"X_1": 2.0, "Y": 1.0}
    assert network.title == "two words"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("X + Y", "line 2: 'X . Y' is not a reaction; a line is 'reactants->products,rate'"),
        ("X -> Y", "line 2: 'X -> Y' is not a reaction"),
        ("X,1.0", "line 2: 'X,1.0' is not a reaction"),
        ("X->Y,fast", "line 2, the rate: 'fast' is not a finite number"),
        ("X->Y,nan", "'nan' is not a finite number"),
        ("X->Y,1e999", "'1e999' is not a finite number"),
        ("X->Y,-1", "line 2: the rate is -1.0 but must be positive"),
        ("X->Y,0", "line 2: the rate is 0.0 but must be positive"),
        ("X++Y->Y,1", "line 2: '' is not a species"),
        ("X->Y Z,1", "line 2: 'Y Z' is not a species"),
        ("X->5000 Y,1", "line 2: '5000 Y' is not a species"),
        ("X->Y->Z,1", "line 2: 'Y->Z' is not a species"),
        ("#X=1;Y=2", "line 2, the start of X: '1;Y=2' is not a finite number"),
        ("#X=1,=2", "line 2: '=2' is not a start value"),
        ("#X=-1", "line 2: the start of X is -1.0 but must not be negative"),
        ("#W=1", "line 2: the start of W is given twice"),
        ("## mu fast", "the recorded mu: 'fast' is not a finite number"),
    ],
)
def test_bad_lines_are_named(line, message):
    with pytest.raises(bf.InputError, match=message):
        bf.ReactionNetwork.from_text("#W=1\n" + line + "\nX->Y,1\n")


def test_other_bad_input():
    with pytest.raises(bf.InputError, match="holds no reaction"):
        bf.ReactionNetwork.from_text("#X=1\n")
    with pytest.raises(bf.InputError, match="'a b' is not a species name"):
        bf.Reaction(("a b",), (), 1.0)
    with pytest.raises(bf.InputError, match="must be positive"):
        bf.Reaction(("a",), (), 0.0)
    with pytest.raises(bf.InputError, match="'1x' is not a species name"):
        bf.ReactionNetwork((), {"1x": 1.0})
    with pytest.raises(bf.InputError, match="no reaction changes any species"):
        bf.ReactionNetwork.from_text("X->X,1.0").to_system()


def test_stoichiometry_and_conservation_laws():
    network = bf.ReactionNetwork.from_text("E + S->C,1.0\nC->E + S,1.0\nC->E + 2 P,2.0\n#D=1.0")
    assert network.species == ("D", "E", "S", "C", "P")
    assert network.constants == ("D",)
    matrix = network.stoichiometry
    assert matrix.dtype == np.int64
    assert matrix.tolist() == [[0, 0, 0], [-1, 1, 1], [-1, 1, 0], [1, -1, -1], [0, 0, 2]]
    laws = network.conservation_laws()
    assert laws == ({"D": 1}, {"E": 1, "C": 1}, {"S": 2, "C": 2, "P": 1})


@given(reaction_networks)
def test_conservation_laws_span_the_left_null_space(network):
    matrix = network.stoichiometry
    laws = np.array([[law.get(name, 0) for name in network.species] for law in network.conservation_laws()])
    assert len(laws) == len(network.species) - (np.linalg.matrix_rank(matrix) if matrix.size else 0)
    if len(laws):
        assert not (laws @ matrix).any()
        assert np.linalg.matrix_rank(laws) == len(laws)
        assert all(np.gcd.reduce(law) == 1 and law[law != 0][0] > 0 for law in laws)


abc = st.lists(st.sampled_from("ABC"), max_size=3)


@settings(max_examples=30)
@given(st.lists(st.builds(bf.Reaction, abc, abc, st.floats(0.1, 10)), min_size=1, max_size=5))
def test_mass_action_is_stoichiometry_times_speed(steps):
    network = bf.ReactionNetwork(tuple(steps), {"A": 0.7, "B": 1.3, "C": 2.1})
    if not network.stoichiometry.any():
        return
    system = network.to_system()
    speeds = [step.rate * np.prod([network.start[name] for name in step.reactants]) for step in steps]
    change = dict(zip(network.species, network.stoichiometry @ speeds))
    expected = [change[name] for name in system.variables]
    np.testing.assert_allclose(system.rhs(system.state), expected, rtol=1e-12, atol=1e-12)
    assert set(system.parameters) >= set(network.constants)


def test_mass_action_text_is_readable():
    system = bf.ReactionNetwork.from_text(TEXT).to_system()
    assert system.equations["y1"] == "k1*lam*y1 - k3*x1*y1 + k4*y1 + k6 - k7*y1**2"
    assert system.variables == ("x1", "y1")
    assert system.parameters == ("lam", "k1", "k2", "k3", "k4", "k5", "k6", "k7")
    assert system.nonnegative


@pytest.mark.parametrize(
    ("text", "variables", "parameters"),
    [
        ("L_1->L_1 + A,1\nL_2->L_2 + A,1\nA->,1", ("A",), ("lam1", "lam2", "k1", "k2", "k3")),
        ("->k1,1\nk1->,1", ("k1",), ("rate1", "rate2")),
        ("X_1->x1,1\nx1->,1", ("X_1", "x1"), ("k1", "k2")),
        ("R_1->Z_1,1\nZ_1->B,1\nB->Y_2,1\nY_2->X_10,2", ("x10", "y2", "z1", "r1", "B"), ("k1", "k2", "k3", "k4")),
        ("X_01->,1", ("X_01",), ("k1",)),
    ],
)
def test_names_of_the_system(text, variables, parameters):
    system = bf.ReactionNetwork.from_text(text).to_system()
    assert (system.variables, system.parameters) == (variables, parameters)


def test_too_many_clashing_names():
    with pytest.raises(bf.InputError, match="rename a species"):
        bf.ReactionNetwork.from_text("k1 + rate1 + rate_of_reaction_1->,1").to_system()


# -- networks as reactions --------------------------------------------------------------------------------------


@given(networks(mu=st.floats(1e-3, 1.0)))
def test_network_to_text_and_back(net):
    again = bf.Network.from_reactions(bf.ReactionNetwork.from_text(net.reactions().to_text()))
    assert again.mu == net.mu
    for name in ARRAYS:
        np.testing.assert_allclose(getattr(again, name), getattr(net, name), rtol=1e-15)


def is_constant(reactions, name):
    return f"{name[0].upper()}_{name[1:]}" in reactions.constants


@settings(max_examples=30)
@given(networks(mu=st.just(0.05)))
def test_reactions_of_a_network_are_its_full_system(net):
    full, reactions = net.full(), net.reactions()
    names = set(full.variables)
    x = np.linspace(0.5, 1.5, len(full.variables))
    constants = {name: value for name, value in zip(full.variables, x) if is_constant(reactions, name)}
    system = reactions.to_system().with_(values=constants)
    values = dict(zip(full.variables, full.rhs(x)))
    scale = dict(zip(full.variables, full.with_(values=np.abs(full.values)).rhs(x)))
    assert set(system.variables) <= names
    found = dict(zip(system.variables, system.rhs([x[full.variables.index(n)] for n in system.variables])))
    for name in names:
        assert found.get(name, 0.0) == pytest.approx(values[name], rel=1e-9, abs=1e-12 * abs(scale[name]) + 1e-6)


def test_time_scale_conventions():
    net = example(gamma=1.0, tau=1.0, mu=0.01)
    bare = dataclasses.replace(net.reactions(), mu=None)
    shared = bf.Network.from_reactions(bare)
    assert shared.mu == pytest.approx(0.01, rel=1e-15)
    np.testing.assert_allclose(shared.omega, net.omega, rtol=1e-14)
    assert bf.Network.from_reactions(bare, mu=0.02).tau.tolist() == pytest.approx([2.0, 2.0, 2.0])
    differing = dataclasses.replace(example(mu=0.01).reactions(), mu=None)
    found = bf.Network.from_reactions(differing)
    assert found.mu == 1.0
    x = np.linspace(0.5, 1.5, 5)
    np.testing.assert_allclose(found.full().rhs(x), example(mu=0.01).full().rhs(x), rtol=1e-12)
    np.testing.assert_allclose(found.reduced().rhs(x[:2]), example().reduced().rhs(x[:2]), rtol=1e-12)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("X_1 + X_1 + Y_1->Y_1,1", "no term of a network"),
        ("X_1->Y_1,1", "no term of a network"),
        ("Y_1->3 Y_1,1", "no term of a network"),
        ("X_1 + X_1->3 X_1,1", "no term of a network"),
        ("X_1->,1", "no linear term of its own"),
        ("2 X_1->X_1,1", "no decay of its own"),
        ("L_1 + X_1->L_1,1", "L_1 has no way to drive X_1"),
        ("Y_1 + Y_2->Y_1,1\n->Y_2,1\n2 Y_2->Y_2,1", "Y_1 has no way to drive Y_2"),
        ("->L_1,1", "a parameter species is constant"),
        ("A + Y_1->A,1", "the species A has no place here"),
        ("->Y_3,1", "Y_2 is missing"),
        ("->Y_2,1", r"Y_2 \+ Y_2->Y_2 is missing"),
        ("Y_2 + Y_2->Y_2,1", "->Y_2 is missing"),
    ],
)
def test_reactions_that_are_no_network(line, message):
    with pytest.raises(bf.InputError, match=message):
        bf.Network.from_reactions(bf.ReactionNetwork.from_text(TEXT + line))
    with pytest.raises(bf.InputError, match="no X_1 or no Y_1"):
        bf.Network.from_reactions(bf.ReactionNetwork.from_text("->Y_1,1"))


def test_classifier_as_reactions():
    model = classifier(mu=0.02)
    again = bf.Classifier.from_reactions(bf.ReactionNetwork.from_text(model.reactions().to_text()))
    assert again.mu == model.mu
    for name in ("first_layer", "first_biases", "output_layer", "output_biases", "gamma", "tau", "lam"):
        np.testing.assert_allclose(getattr(again, name), getattr(model, name), rtol=1e-15)
    with pytest.raises(bf.InputError, match="share one tau"):
        text = model.reactions().to_text().replace("Z_2 + Z_2->Z_2,50.0", "Z_2 + Z_2->Z_2,51.0")
        bf.Classifier.from_reactions(bf.ReactionNetwork.from_text(text))
    with pytest.raises(bf.InputError, match="Z_1 has no way to drive Z_2"):
        bf.Classifier.from_reactions(bf.ReactionNetwork.from_text(model.reactions().to_text() + "Z_1 + Z_2->Z_1,1"))


def test_controlled_network_as_reactions():
    model = bf.ControlledNetwork(classifier(mu=0.01), example(1, mu=0.02))
    text = model.reactions().to_text()
    assert "## mu" not in text
    again = bf.ControlledNetwork.from_reactions(bf.ReactionNetwork.from_text(text))
    assert isinstance(again, bf.ControlledNetwork)
    x = np.linspace(0.5, 1.5, 9)
    np.testing.assert_allclose(again.full().rhs(x), model.full().rhs(x), rtol=1e-12)
    same = bf.ReactionNetwork.from_text(model.reactions(0.03).to_text())
    assert same.mu == 0.03
    np.testing.assert_allclose(
        bf.ControlledNetwork.from_reactions(same).full().rhs(x), model.full(0.03).rhs(x), rtol=1e-12
    )
    np.testing.assert_allclose(
        bf.ControlledNetwork.from_reactions(same).reduced().rhs(x[:2]), model.reduced().rhs(x[:2]), rtol=1e-12
    )
    with pytest.raises(bf.InputError, match="Z_1 has no way to drive Y_1"):
        bf.ControlledNetwork.from_reactions(bf.ReactionNetwork.from_text(text + "Z_1 + Y_1->Z_1,1"))


def test_a_negative_concentration_has_no_reactions():
    with pytest.raises(bf.InputError, match="must not be negative"):
        example(1, lam=[-1.0]).reactions(0.1)


# -- published reaction lists -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["hopf", "circle", "eqcycle_controlled"])
def test_published_texts_come_back_byte_for_byte(reference, name):
    text = (reference / f"networks/{name}_crn.txt").read_text()
    network = bf.ReactionNetwork.from_text(text)
    assert network.to_text() == text
    anew = dataclasses.replace(network, source="").to_text()
    assert bf.ReactionNetwork.from_text(anew) == network
    body = [line for line in text.splitlines() if not line.startswith("#")]
    assert [line for line in anew.splitlines() if not line.startswith("#")] == body


@pytest.mark.parametrize(("name", "mu"), [("hopf", 0.0075), ("circle", 0.1)])
def test_published_reactions_are_the_published_network(reference, name, mu):
    net = bf.read_model(reference / f"networks/{name}.mat")
    system = bf.ReactionNetwork.from_text((reference / f"networks/{name}_crn.txt").read_text()).to_system()
    full = net.full(mu)
    if name == "hopf":
        system, full = system.with_(values={"lam": 2.1}), full.with_(values={"lam": 2.1})
    assert system.variables == full.variables
    x = np.linspace(1.0, 3.0, 7)
    np.testing.assert_allclose(system.rhs(x), full.rhs(x), rtol=1e-6)  # the lists hold single precision digits


def test_published_hopf_reactions_give_the_weights_back(reference):
    reactions = bf.ReactionNetwork.from_text((reference / "networks/hopf_crn.txt").read_text())
    found, net = bf.Network.from_reactions(reactions), bf.read_model(reference / "networks/hopf.mat")
    assert found.mu == pytest.approx(0.0075, rel=1e-15)
    for name in ("alpha", "omega", "psi", "theta", "beta", "gamma", "tau"):
        np.testing.assert_allclose(getattr(found, name), getattr(net, name), rtol=1e-7)


def test_published_controlled_reactions_are_classifier_and_network(reference):
    folder = reference / "networks"
    reactions = bf.ReactionNetwork.from_text((folder / "eqcycle_controlled_crn.txt").read_text())
    parts = bf.ControlledNetwork(
        bf.read_model(folder / "eqcycle_classifier.mat"), bf.read_model(folder / "eqcycle.mat")
    )
    x = np.linspace(0.5, 1.5, 11)
    published = reactions.to_system().with_(values={"lam": 2.0})
    ours = parts.full(0.01).with_(values={"lam": 2.0})
    assert published.variables == ours.variables
    np.testing.assert_allclose(published.rhs(x), ours.rhs(x), rtol=1e-5)
    again = bf.ControlledNetwork.from_reactions(reactions)
    assert (again.network.mu, again.classifier.mu) == (1.0, 0.01)
