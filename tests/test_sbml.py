"""SBML and Antimony: both directions, and what models may not have."""

import sys

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_formats import TOML

import bifrncrn as bf


@pytest.fixture
def sbml():
    pytest.importorskip("libsbml", reason="python-libsbml is not installed")


@pytest.fixture
def antimony(sbml):
    pytest.importorskip("antimony", reason="antimony is not installed")


@pytest.mark.parametrize("suffix", [".xml", ".ant"])
@pytest.mark.parametrize("nonnegative", [True, False])
def test_equations_through_sbml(tmp_path, antimony, suffix, nonnegative):
    """What cannot become negative is read off the equations: u, where w and 1/v^2 no longer push it and v down."""
    text = TOML.replace("- r/3", "+ r/3").replace("u - v**-2", "u + v**-2") if nonnegative else TOML
    (tmp_path / "model.toml").write_text(text + f"[options]\nnonnegative = {str(nonnegative).lower()}\n")
    bf.convert(tmp_path / "model.toml", tmp_path / f"model{suffix}")
    bf.convert(tmp_path / f"model{suffix}", tmp_path / "again.toml")
    before, after = bf.load_model(tmp_path / "model.toml"), bf.load_model(tmp_path / "again.toml")
    assert after.variables == before.variables
    assert after.nonnegative is nonnegative
    assert after.title == before.title
    np.testing.assert_array_equal(after.state, before.state)
    np.testing.assert_allclose(after.values, before.values, rtol=0 if suffix == ".xml" else 1e-14)
    for x in ([0.3, 0.7], [2.0, 1.1]):
        np.testing.assert_allclose(after.rhs(x), before.rhs(x), rtol=1e-14 if suffix == ".xml" else 1e-13)


@pytest.mark.parametrize(
    "text",
    [
        "-x**2",
        "x**2**3",
        "(-x)**2",
        "x**-2",
        "x - (x - 2) - 3",
        "x/(x/3)/2",
        "2*-x",
        "-(x + 1)*3",
        "-x*3 + -2",
        "(x+1)^(x-1)",
        "exp(x) + log(x) + ln(x) + log10(x) + sqrt(x)",
        "sin(x)*cos(x)*tan(x)",
        "asin(x/9) - acos(x/9) - atan(x)",
        "sinh(x) - cosh(x) + tanh(x)",
        "asinh(x) + acosh(x + 1) + atanh(x/9)",
        "abs(x - 3) + min(x, 1, 2) - max(x, 2)",
        "pi*x",
        "1.5e-7*x + 123456789012*x",
        "0.1234567890123456789*x",
        "8/3*x",
        "rncrn_s(x - 2, 1, 3)",
        "rncrn_s(-x, x, 2*x)",
        "x - 1 - 2 + 3 - x - x + 5",
        "-1 - x",
        "3",
        "piecewise(x, x < 1, 2*x, x >= 1.2 and not x > 5, 0)",
        "floor(3*x) + mod(x, 0.3) - ceil(x)",
        "(x > 1)*x + (x <= 0.5 or x == 1)",
    ],
)
def test_expressions_through_sbml(text, antimony, tmp_path):
    system = bf.System.from_equations({"x": text})
    for name, digits in (("model.xml", 1e-15), ("model.ant", 1e-13)):
        bf.write_model(system, tmp_path / name)
        again = bf.load_model(tmp_path / name)
        for x in (1.3, 0.4):
            assert again.rhs([x])[0] == pytest.approx(system.rhs([x])[0], rel=digits, nan_ok=True)


MATH = '<math xmlns="http://www.w3.org/1998/Math/MathML">'
SPECIES = (
    '<species id="{}" compartment="cell" {}="{}" hasOnlySubstanceUnits="{}" boundaryCondition="{}" constant="false"/>'
)
REFERENCE = '<speciesReference species="{}" stoichiometry="{}" constant="true"/>'
SPECIES_LIST = "\n".join(
    SPECIES.format(*entry)
    for entry in (
        ("A", "initialConcentration", 3, "false", "false"),
        ("B", "initialAmount", 1, "false", "false"),
        ("C", "initialAmount", 5, "true", "false"),
        ("F", "initialConcentration", 7, "false", "true"),
    )
)
MODEL = f"""<?xml version="1.0" encoding="UTF-8"?>
<sbml xmlns="http://www.sbml.org/sbml/level3/version1/core" level="3" version="1"><model id="m" name="a model">
{{functions}}
<listOfCompartments><compartment id="cell" size="2" constant="true"/></listOfCompartments>
<listOfSpecies>
{SPECIES_LIST}
</listOfSpecies>
<listOfParameters><parameter id="k" value="0.5" constant="true"/><parameter id="K" value="4" constant="true"/>
<parameter id="w" constant="false"/><parameter id="v" value="0.25" constant="false"/></listOfParameters>
{{extra}}
<listOfRules>
<assignmentRule variable="w">{MATH}<apply><plus/><ci>A</ci><ci>F</ci></apply></math></assignmentRule>
<rateRule variable="v">{MATH}<apply><minus/><ci>w</ci><ci>v</ci></apply></math></rateRule>
</listOfRules>
<listOfReactions><reaction id="J" reversible="false" fast="false">
<listOfReactants>{REFERENCE.format("A", 2)}{REFERENCE.format("F", 1)}</listOfReactants>
<listOfProducts>{REFERENCE.format("B", 1)}{REFERENCE.format("C", 1.5)}</listOfProducts>
<kineticLaw>{MATH}{{law}}</math>
<listOfLocalParameters><localParameter id="K" value="9"/></listOfLocalParameters></kineticLaw>
</reaction></listOfReactions>{{events}}</model></sbml>"""
SYMBOL = '<csymbol encoding="text" definitionURL="http://www.sbml.org/sbml/symbols/{0}">{0}</csymbol>'
EVENT = f"""<listOfEvents><event useValuesFromTriggerTime="true"><trigger initialValue="true" persistent="true">
{MATH}<apply><gt/><ci>A</ci><cn>1</cn></apply></math></trigger></event></listOfEvents>"""
LAW = (
    "<apply><divide/><apply><times/><ci>cell</ci><ci>k</ci><ci>A</ci><ci>F</ci></apply>"
    "<apply><plus/><ci>K</ci><ci>A</ci></apply></apply>"
)


def document(law=LAW, **parts):
    return MODEL.format(law=law, **{"functions": "", "extra": "", "events": "", **parts})


def test_a_general_sbml_model(sbml, tmp_path):
    system = bf.load_model(_sbml_file(tmp_path))
    assert system.variables == ("A", "B", "C", "v")
    assert system.state.tolist() == [3.0, 0.5, 5.0, 0.25]
    assert system.nonnegative == ("A", "B", "C")  # v is no species
    assert set(system.parameters) == {"F", "cell", "k", "K", "J_K"}
    a, v = 1.5, 0.75
    rate = 2 * 0.5 * a * 7 / (9 + a)
    np.testing.assert_allclose(system.rhs([a, 1.0, 1.0, v]), [-rate, rate / 2, 1.5 * rate, a + 7 - v], rtol=1e-14)
    assert system.title == "a model"


def test_function_definitions_and_initial_assignments_are_expanded(sbml, tmp_path):
    function = """<listOfFunctionDefinitions><functionDefinition id="mm"><math xmlns="http://www.w3.org/1998/Math/MathML"><lambda>
    <bvar><ci>s</ci></bvar><apply><divide/><ci>s</ci><apply><plus/><cn>1</cn><ci>s</ci></apply></apply></lambda></math>
    </functionDefinition></listOfFunctionDefinitions>"""
    assignment = """<listOfInitialAssignments><initialAssignment symbol="v"><math xmlns="http://www.w3.org/1998/Math/MathML">
    <apply><times/><ci>k</ci><cn>3</cn></apply></math></initialAssignment></listOfInitialAssignments>"""
    system = bf.load_model(
        _sbml_file(tmp_path, "<apply><ci>mm</ci><ci>A</ci></apply>", functions=function, extra=assignment)
    )
    assert system.state[-1] == 1.5
    assert system.rhs([3.0, 1.0, 1.0, 0.0])[2] == pytest.approx(1.5 * 0.75)


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"law": f"<apply>{SYMBOL.format('delay')}<ci>A</ci><cn>1</cn></apply>"}, "the rate of J: it holds a delay"),
        ({"law": "<piecewise><piece><ci>A</ci><apply><gt/><ci>A</ci><ci>B</ci></apply></piece></piecewise>"}, "piece"),
        ({"law": "<ci>nobody</ci>"}, "line 21: The formula .nobody"),
    ],
)
def test_what_sbml_models_may_not_have(tmp_path, sbml, parts, message):
    (tmp_path / "model.xml").write_text(document(**parts))
    with pytest.raises(bf.InputError, match=message) as caught:
        bf.load_model(tmp_path / "model.xml")
    assert "model.xml" in str(caught.value)


def test_sbml_that_is_more_than_mass_action(tmp_path, sbml):
    (tmp_path / "model.xml").write_text(document())
    with pytest.raises(bf.InputError, match="w has a rule, so the model is more than mass action"):
        bf.convert(tmp_path / "model.xml", tmp_path / "model.txt")
    with pytest.raises(bf.InputError, match="mu was given"):
        bf.load_model(tmp_path / "model.xml", mu=0.1)


@pytest.mark.parametrize(
    "text", ["", "<a/>", "not xml", "<sbml/>", '<sbml xmlns="http://www.sbml.org/sbml/level3/version1/core"']
)
def test_files_that_are_no_sbml(tmp_path, sbml, text):
    (tmp_path / "a.xml").write_text(text)
    with pytest.raises(bf.InputError, match=r"a\.xml"):
        bf.load_model(tmp_path / "a.xml")


@pytest.mark.parametrize(
    ("law", "expected"),
    [
        ("k1*A", "A->B,2.0"),
        ("2*k1*A*E - k2*B", "A + E->B + E,4.0\nB->A,3.0"),
        ("k1*A*A^2", "A + A + A->B + A + A,2.0"),
        ("k1*A/2", None),
        ("k1", None),
        ("k1*A/(1 + A)", None),
        ("-k1*A", None),
    ],
)
def test_mass_action_is_recognised(tmp_path, antimony, law, expected):
    path = tmp_path / "model.ant"
    path.write_text(f"species A, B, $E\nJ: A -> B; {law}\nA = 1; B = 0; E = 3; k1 = 2; k2 = 3\n")
    if expected is None:
        with pytest.raises(bf.InputError, match=r"mass action|must be positive"):
            bf.convert(path, tmp_path / "out.txt")
    else:
        bf.convert(path, tmp_path / "out.txt")
        found = bf.ReactionNetwork.from_text((tmp_path / "out.txt").read_text())
        assert found.reactions == bf.ReactionNetwork.from_text(expected).reactions
        x = dict(zip(found.to_system().variables, found.to_system().rhs([0.7, 0.2])))
        general = bf.load_model(path)
        y = dict(zip(general.variables, general.rhs([0.7, 0.2])))
        assert x == pytest.approx(y)


def test_antimony_errors(tmp_path, antimony):
    path = tmp_path / "a.ant"
    for text, message in (
        ("model m\n foo ++ bar", "line 2: +syntax error"),
        ("", "a.ant"),
        ('import "/etc/hostname"\nmodel m()\n x = 1\nend', "only files in the folder of the model are read"),
        ('import /* */ "../up.ant"\nmodel m()\n x = 1\nend', "only files in the folder of the model are read"),
    ):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(bf.InputError, match=message):
            bf.load_model(path)


@pytest.mark.parametrize("text", ['exp is "x"\n', "model m()\n species \u00c4\n \u00c4' = 1 - \u00c4\nend\n"])
def test_antimony_that_breaks_its_library(tmp_path, antimony, text):
    """What the library does with these is undefined; here it is a model or one sentence."""
    (tmp_path / "a.ant").write_text(text, encoding="utf-8")
    try:
        bf.load_model(tmp_path / "a.ant")
    except bf.InputError as error:
        assert str(tmp_path / "a.ant") in str(error) and "\n" not in str(error)


def test_words_of_antimony_get_an_underscore(tmp_path, antimony):
    (tmp_path / "a.toml").write_text(
        '[variables]\nat = "2*end"\nspecies = 1\n[parameters]\nend = 3\ngamma = 0.5\n'
        '[equations]\nat = "-gamma*at"\nspecies = "at - species"\n'
    )
    bf.convert(tmp_path / "a.toml", tmp_path / "a.ant")
    assert "at_ is at, which is a word of Antimony" in (tmp_path / "a.ant").read_text()
    before, after = bf.load_model(tmp_path / "a.toml"), bf.load_model(tmp_path / "a.ant")
    assert after.variables == ("at_", "species_") and set(after.parameters) == {"end_", "gamma_"}
    assert after.with_(values={"end_": 4}).state.tolist() == [8.0, 1.0]
    np.testing.assert_allclose(after.rhs([2.0, 3.0]), before.rhs([2.0, 3.0]))
    network = bf.ReactionNetwork.from_text("#at=1.0,b=2.0\nat + b->b + b,1.25\nb->,0.1\n")
    (tmp_path / "b.txt").write_text(network.to_text())
    bf.convert(tmp_path / "b.txt", tmp_path / "b.ant")
    assert bf.load_model(tmp_path / "b.ant").variables == ("at_", "b")


def test_functions_and_names_sbml_does_not_have(sbml, tmp_path):
    for name in ("model.xml", "model.ant"):
        with pytest.raises(bf.InputError, match="the function besselj has no word in SBML"):
            bf.write_model(bf.System.from_equations({"x": "besselj(0, x)"}), tmp_path / name)
        with pytest.raises(bf.InputError, match="'é' cannot be a name in"):
            bf.write_model(bf.System.from_equations({"é": "-é"}), tmp_path / name)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_sbml_gives_a_model_or_one_sentence(tmp_path, sbml, data):
    text = list(document())
    for _ in range(data.draw(st.integers(1, 3))):
        text[data.draw(st.integers(0, len(text) - 1))] = data.draw(st.sampled_from([*"<>/\"'=A0 ", "", "é"]))
    (tmp_path / "damaged.xml").write_text("".join(text), encoding="utf-8")
    try:
        bf.load_model(tmp_path / "damaged.xml")
    except bf.InputError as error:
        assert "\n" not in str(error)


@pytest.mark.parametrize("library", ["libsbml", "antimony"])
def test_missing_libraries_say_how_to_install_them(tmp_path, monkeypatch, library):
    monkeypatch.setitem(sys.modules, library, None)
    (tmp_path / "a.ant").write_text("A -> B; A")
    with pytest.raises(bf.InputError, match=f"needs the package .*{library}.*pip install 'bifrncrn.sbml.'"):
        bf.load_model(tmp_path / "a.ant") if library == "antimony" else bf.load_model(_sbml_file(tmp_path))


def _sbml_file(folder, *law, **parts):
    (folder / "a.xml").write_text(document(*law, **parts))
    return folder / "a.xml"


@pytest.mark.parametrize("kind", ["reactions", "concentrations", "equations"])
def test_libsbml_has_nothing_to_say_about_what_is_written(kind, sbml, tmp_path):
    """All of its checks, those of units and of modelling practice too."""
    import libsbml

    reactions = "## mu 0.01\n#A=1.0,B=0.5\n->A,0.1\nA + B->B + B + B,4.3\nA + A + B->A,0.2\nB->,1e-3\n"
    source = tmp_path / ("model.txt" if kind == "reactions" else "model.toml")
    positive = f"[options]\nnonnegative = {str(kind == 'concentrations').lower()}\n"
    source.write_text(reactions if kind == "reactions" else TOML + positive)
    bf.convert(source, tmp_path / "model.xml")
    document = libsbml.readSBMLFromFile(str(tmp_path / "model.xml"))
    document.checkConsistency()
    assert [document.getError(i).getMessage() for i in range(document.getNumErrors())] == []
    if kind == "reactions":
        model = document.getModel()
        assert model.getReaction(1).getName() == "A + B->B + B + B"
        units = [model.getParameter(i).getDerivedUnitDefinition() for i in range(4)]
        assert [libsbml.UnitDefinition.printUnits(unit, True) for unit in units] == [
            "(1 mole)^1, (1 litre)^-1, (1 second)^-1",
            "(1 mole)^-1, (1 litre)^1, (1 second)^-1",
            "(1 mole)^-2, (1 litre)^2, (1 second)^-1",
            "(1 second)^-1",
        ]
