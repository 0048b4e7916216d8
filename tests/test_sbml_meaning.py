"""What SBML models mean: every construct against closed forms, and random models against an independent simulator."""

import gzip

import numpy as np
import pytest

import bifrncrn as bf

pytest.importorskip("libsbml", reason="python-libsbml is not installed")

NAMESPACE = 'xmlns="http://www.sbml.org/sbml/level3/version2/core" level="3" version="2"'
MATH = 'xmlns="http://www.w3.org/1998/Math/MathML"'
TIME = '<csymbol encoding="text" definitionURL="http://www.sbml.org/sbml/symbols/time">t</csymbol>'


def math(content):
    return f"<math {MATH}>{content}</math>"


def call(operator, *operands):
    return f"<apply><{operator}/>{''.join(operands)}</apply>"


def ci(name):
    return f"<ci>{name}</ci>"


def cn(value):
    return f"<cn>{value}</cn>"


def model(tmp_path, body, name="model.xml"):
    path = tmp_path / name
    path.write_text(f'<?xml version="1.0" encoding="UTF-8"?>\n<sbml {NAMESPACE}><model id="m">{body}</model></sbml>')
    return path


def compartments(size=1, constant="true"):
    entry = f'<compartment id="c" spatialDimensions="3" size="{size}" constant="{constant}"/>'
    return f"<listOfCompartments>{entry}</listOfCompartments>"


def species(**concentrations):
    entries = "".join(
        f'<species id="{name}" compartment="c" initialConcentration="{value}" hasOnlySubstanceUnits="false" '
        'boundaryCondition="false" constant="false"/>'
        for name, value in concentrations.items()
    )
    return f"<listOfSpecies>{entries}</listOfSpecies>"


def parameters(constant="true", **values):
    entries = "".join(f'<parameter id="{n}" value="{v}" constant="{constant}"/>' for n, v in values.items())
    return f"<listOfParameters>{entries}</listOfParameters>"


def decay(rate):
    side = '<listOfReactants><speciesReference species="A" stoichiometry="1" constant="true"/></listOfReactants>'
    law = f"<kineticLaw>{math(rate)}</kineticLaw>"
    return f'<listOfReactions><reaction id="J" reversible="false">{side}{law}</reaction></listOfReactions>'


def event(trigger, variable, value, delay="", persistent="true", initial="true"):
    waiting = f"<delay>{math(delay)}</delay>" if delay else ""
    assignment = f'<eventAssignment variable="{variable}">{math(value)}</eventAssignment>'
    return (
        f'<event id="e" useValuesFromTriggerTime="true"><trigger initialValue="{initial}" persistent="{persistent}">'
        f"{math(trigger)}</trigger>{waiting}<listOfEventAssignments>{assignment}</listOfEventAssignments></event>"
    )


def run(path, end, **options):
    times = np.linspace(0.0, end, 41)
    return times, bf.load_model(path).simulate(end, times=times, rtol=1e-10, atol=1e-12, **options)


def test_a_concentration_in_a_growing_compartment_is_diluted(tmp_path):
    """V' = V/2 and nothing reacts: A = A0 exp(-t/2), its amount stays."""
    rule = f'<listOfRules><rateRule variable="c">{math(call("times", cn(0.5), ci("c")))}</rateRule></listOfRules>'
    t, found = run(model(tmp_path, compartments(2, "false") + species(A=3) + rule), 4.0)
    np.testing.assert_allclose(found.column("c"), 2 * np.exp(t / 2), rtol=1e-8)
    np.testing.assert_allclose(found.column("A"), 3 * np.exp(-t / 2), rtol=1e-8)


def test_time_and_piecewise(tmp_path):
    """A' = 1 before t = 1.37, then -A: exact where the choice is made exactly there."""
    choice = (
        f"<piecewise><piece>{cn(-1)}{call('lt', TIME, cn(1.37))}</piece><otherwise>{ci('A')}</otherwise></piecewise>"
    )
    t, found = run(model(tmp_path, compartments() + species(A=0) + decay(choice)), 4.0)
    expected = np.where(t < 1.37, t, 1.37 * np.exp(-(t - 1.37)))
    np.testing.assert_allclose(found.column("A"), expected, rtol=1e-8, atol=1e-11)


def test_events_with_a_delay_and_without(tmp_path):
    """A decays from 1; when it reaches 1/2, at ln 2, it is set to 3, half a unit of time later."""
    body = compartments() + species(A=1) + decay(ci("A"))
    half = call("lt", ci("A"), cn(0.5))
    for delay in (0.0, 0.5):
        waiting = cn(delay) if delay else ""
        happens = event(half, "A", cn(3), waiting)
        t, found = run(model(tmp_path, f"{body}<listOfEvents>{happens}</listOfEvents>"), 2.0)
        when = np.log(2) + delay
        expected = np.where(t < when, np.exp(-t), 3 * np.exp(-(t - when)))
        np.testing.assert_allclose(found.column("A"), expected, rtol=1e-7)


def test_an_event_that_is_not_persistent_may_not_happen(tmp_path):
    """A pulse of the trigger from t = 1 to 2 is over before the delay of 3 is; a persistent event happens at 4."""
    pulse = call("and", call("geq", TIME, cn(1)), call("lt", TIME, cn(2)))
    for persistent, last in (("true", 7.0), ("false", 5.0)):
        happens = event(pulse, "p", cn(7), cn(3), persistent)
        path = model(tmp_path, parameters("false", p=5) + f"<listOfEvents>{happens}</listOfEvents>")
        t, found = run(path, 6.0)
        assert found.column("p").tolist() == np.where(t < 4.0, 5.0, last).tolist()


def test_an_event_at_an_instant(tmp_path):
    """`time == 1.3` becomes true at 1.3, there only; of other equalities it is said that they may be missed."""
    body = compartments() + species(A=1) + decay(ci("A"))
    happens = event(call("eq", TIME, cn(1.3)), "A", cn(3))
    t, found = run(model(tmp_path, f"{body}<listOfEvents>{happens}</listOfEvents>"), 2.0)
    np.testing.assert_allclose(found.column("A"), np.where(t < 1.3, np.exp(-t), 3 * np.exp(1.3 - t)), rtol=1e-7)
    happens = event(call("eq", ci("A"), cn(0.5)), "A", cn(3))
    notes = bf.load_model(model(tmp_path, f"{body}<listOfEvents>{happens}</listOfEvents>")).notes
    assert any("an instant only (==)" in note for note in notes)


def test_thousands_of_events(tmp_path):
    """A clock that starts anew every hundredth, and counts: nothing adds up to a limit of steps."""
    tick = call("geq", call("minus", TIME, ci("last")), cn(0.01))
    more = f'<eventAssignment variable="n">{math(call("plus", ci("n"), cn(1)))}</eventAssignment>'
    happens = event(tick, "last", TIME).replace("</listOfEventAssignments>", f"{more}</listOfEventAssignments>")
    path = model(tmp_path, parameters("false", last=0, n=0) + f"<listOfEvents>{happens}</listOfEvents>")
    found = bf.load_model(path).simulate(20.005, times=[0.0, 20.005], max_steps=100)
    assert found.column("n").tolist() == [0.0, 2000.0]


def test_an_event_at_the_start(tmp_path):
    happens = event("<true/>", "p", cn(2), initial="false")
    _, found = run(model(tmp_path, parameters("false", p=1) + f"<listOfEvents>{happens}</listOfEvents>"), 1.0)
    assert set(found.column("p").tolist()) == {2.0}


def test_events_are_left_out_of_diagrams_with_a_note(tmp_path):
    """dA/dt = s - A: the branch A = s, whatever the event would do."""
    rate = call("minus", ci("A"), ci("s"))
    happens = event(call("gt", ci("A"), cn(100)), "s", cn(1))
    body = (
        compartments()
        + species(A=1)
        + parameters("false", s=1)
        + decay(rate)
        + f"<listOfEvents>{happens}</listOfEvents>"
    )
    found = bf.diagram(bf.load_model(model(tmp_path, body)), parameter="s", bounds=(0.5, 2))
    branch = found.branches[0]
    np.testing.assert_allclose(branch.column("A"), branch.column("s"), rtol=1e-12)
    assert any("events of the model (e)" in note for note in found.notes)


def test_models_that_depend_on_time_have_no_diagram(tmp_path):
    path = model(tmp_path, compartments() + species(A=1) + parameters(s=1) + decay(call("times", ci("A"), TIME)))
    with pytest.raises(bf.InputError, match="can be simulated only"):
        bf.diagram(bf.load_model(path), parameter="s", bounds=(0.5, 2))


def test_algebraic_rules(tmp_path):
    """A' = -A and 0 = A + 2 B - 5: B = (5 - A)/2; a rule that is not linear is refused."""
    entry = (
        'compartment="c" initialConcentration="0" hasOnlySubstanceUnits="false" '
        'boundaryCondition="true" constant="false"'
    )
    both = species(A=1).replace("</listOfSpecies>", f'<species id="B" {entry}/></listOfSpecies>')
    for twice, good in ((call("times", cn(2), ci("B")), True), (call("times", ci("B"), ci("B")), False)):
        rule = f"<listOfRules><algebraicRule>{math(call('plus', ci('A'), twice, cn(-5)))}</algebraicRule></listOfRules>"
        path = model(tmp_path, compartments() + both + rule + decay(ci("A")))
        if good:
            t, found = run(path, 3.0)
            np.testing.assert_allclose(found.column("B"), (5 - np.exp(-t)) / 2, rtol=1e-9)
        else:
            with pytest.raises(bf.InputError, match="determines B but is not linear in it"):
                bf.load_model(path)


def test_the_rate_of_something(tmp_path):
    rate = '<csymbol encoding="text" definitionURL="http://www.sbml.org/sbml/symbols/rateOf">rateOf</csymbol>'
    content = math(f"<apply>{rate}{ci('A')}</apply>")
    rule = f'<listOfRules><assignmentRule variable="v">{content}</assignmentRule></listOfRules>'
    body = compartments(2) + species(A=1) + parameters("false", v=0) + rule + decay(call("times", ci("c"), ci("A")))
    t, found = run(model(tmp_path, body), 3.0)
    np.testing.assert_allclose(found.column("v"), -np.exp(-t), rtol=1e-8)


def test_conversion_factors(tmp_path):
    """Two units of A for one of the reaction: A' = -2 A."""
    body = compartments() + species(A=1) + parameters(f=2) + decay(ci("A"))
    path = model(tmp_path, body)
    path.write_text(path.read_text().replace('<model id="m">', '<model id="m" conversionFactor="f">'))
    t, found = run(path, 2.0)
    np.testing.assert_allclose(found.column("A"), np.exp(-2 * t), rtol=1e-8)


def test_a_model_in_which_nothing_changes(tmp_path):
    _, found = run(model(tmp_path, parameters(p=4)), 1.0)
    assert set(found.column("p").tolist()) == {4.0}


def test_starts_follow_their_parameters(tmp_path):
    """A starts at q^2 and reacts to B; the sum is q^2, along a branch in q too."""
    side = '<speciesReference species="B" stoichiometry="1" constant="true"/>'
    both = decay(call("minus", ci("A"), ci("B"))).replace(
        "<kineticLaw>", f"<listOfProducts>{side}</listOfProducts><kineticLaw>"
    )
    square = math(call("power", ci("q"), cn(2)))
    start = f'<initialAssignment symbol="A">{square}</initialAssignment>'
    start = f"<listOfInitialAssignments>{start}</listOfInitialAssignments>"
    path = model(tmp_path, compartments() + species(A=0, B=0) + parameters(q=2) + start + both)
    system = bf.load_model(path)
    assert system.state.tolist() == [4.0, 0.0]
    assert system.with_(values={"q": 3}).state.tolist() == [9.0, 0.0]
    assert system.with_(values={"q": 3}, state={"A": 1}).state.tolist() == [1.0, 0.0]
    branch = bf.diagram(system, parameter="q", bounds=(1, 3)).branches[0]
    np.testing.assert_allclose(branch.column("A"), branch.column("q") ** 2 / 2, rtol=1e-10)


def test_definitions_are_columns(tmp_path):
    """The rate of a reaction along a branch and in a simulation."""
    body = compartments() + species(A=1) + parameters(s=2) + decay(call("minus", ci("A"), ci("s")))
    system = bf.load_model(model(tmp_path, body))
    branch = bf.diagram(system, parameter="s", bounds=(1, 3)).branches[0]
    np.testing.assert_allclose(branch.column("J"), 0.0, atol=1e-12)
    found = system.simulate(1.0, times=[0.0, 1.0])
    np.testing.assert_allclose(found.column("J"), found.column("A") - 2.0, rtol=1e-12)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "iso-8859-1", "gz"])
def test_encodings(tmp_path, encoding):
    path = model(tmp_path, compartments() + species(A=1) + decay(ci("A")))
    text = path.read_text().replace('<model id="m"', '<model id="m" name="\u00e9tat"')
    if encoding == "gz":
        path = tmp_path / "model.xml.gz"
        path.write_bytes(gzip.compress(text.encode("utf-8")))
    else:
        path.write_bytes(text.replace("UTF-8", encoding.removesuffix("-sig").upper()).encode(encoding))
    assert bf.load_model(path).title == "\u00e9tat"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("<annotation>" + "<a>" * 7000 + "</a>" * 7000 + "</annotation>", "nested more than"),
        (compartments() + species(A=1) + decay(call("plus", *[ci("A")] * 30_000)), "more than 20000 operands"),
        (
            compartments() + species(A=1) + decay("<apply><minus/>" * 400 + ci("A") + "</apply>" * 400),
            "nested more than",
        ),
    ],
)
def test_what_would_crash_the_library_is_refused(tmp_path, body, message):
    with pytest.raises(bf.InputError, match=message):
        bf.load_model(model(tmp_path, body))


def test_functions_that_double_are_refused(tmp_path):
    """f1(x) = f0(x) + f0(x) and so on, thirty times: a thousand million terms."""
    functions = (
        f'<functionDefinition id="f0">{math("<lambda><bvar><ci>x</ci></bvar><ci>x</ci></lambda>")}</functionDefinition>'
    )
    for i in range(30):
        inner = f"<apply><ci>f{i}</ci><ci>x</ci></apply>"
        body = f"<lambda><bvar><ci>x</ci></bvar>{call('plus', inner, inner)}</lambda>"
        functions += f'<functionDefinition id="f{i + 1}">{math(body)}</functionDefinition>'
    law = "<apply><ci>f30</ci><ci>A</ci></apply>"
    listed = f"<listOfFunctionDefinitions>{functions}</listOfFunctionDefinitions>"
    with pytest.raises(bf.InputError, match="more than 300000 parts"):
        bf.load_model(model(tmp_path, listed + compartments() + species(A=1) + decay(law)))


def test_a_document_type_declaration_is_refused(tmp_path):
    path = model(tmp_path, compartments())
    path.write_text(path.read_text().replace("<sbml", '<!DOCTYPE sbml [<!ENTITY a "b">]>\n<sbml', 1))
    with pytest.raises(bf.InputError, match="document type declaration"):
        bf.load_model(path)


def test_names_are_those_of_the_file(tmp_path):
    """Species that look like those of a network keep their names, and so does the parameter k1."""
    body = (
        compartments() + species(X_1=1).replace("X_1", "A") + parameters(k1=3) + decay(call("times", ci("k1"), ci("A")))
    )
    path = model(tmp_path, body.replace(">A<", ">X_1<").replace('"A"', '"X_1"'))
    system = bf.load_model(path)
    assert system.variables == ("X_1",)
    assert system.parameters == ("k1",)
    np.testing.assert_allclose(system.rhs([2.0]), [-6.0])


def test_species_that_may_be_negative_have_no_wall(tmp_path):
    """A falls at a constant rate, through zero; a species that decays in proportion stays above."""
    for law, negative in ((cn(1), True), (ci("A"), False)):
        system = bf.load_model(model(tmp_path, compartments() + species(A=1) + decay(law)))
        assert system.nonnegative is not negative
        found = system.simulate(2.0, times=[0.0, 2.0])
        assert bool(found.column("A")[-1] < 0) is negative
