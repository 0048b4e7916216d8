"""How a network is drawn, and terms that describe it, are no part of its equations: errors there refuse no model."""

import pytest

import bifrncrn as bf

pytest.importorskip("libsbml", reason="python-libsbml is not installed")

DOCUMENT = """<?xml version="1.0" encoding="UTF-8"?>
<sbml xmlns="http://www.sbml.org/sbml/level2/version{version}" {drawing} level="2" version="{version}">
<model id="m">
  <listOfCompartments><compartment id="c" size="1"/></listOfCompartments>
  <listOfSpecies><species id="x" compartment="c" initialConcentration="2"/></listOfSpecies>
  <listOfParameters><parameter id="k" value="0.5" {term}/></listOfParameters>
  <listOfReactions><reaction id="r" reversible="false">
    <listOfReactants><speciesReference species="{species}"/></listOfReactants>
    <kineticLaw><math xmlns="http://www.w3.org/1998/Math/MathML">
      <apply><times/><ci>c</ci><ci>k</ci><ci>x</ci></apply></math></kineticLaw>
  </reaction></listOfReactions>
</model>
</sbml>
"""
LAYOUT = """
 xmlns:layout="http://www.sbml.org/sbml/level3/version1/layout/version1" layout:required="false"
 xmlns:layout_L2="http://projects.eml.org/bcb/sbml/level2" layout_L2:required="false"
"""
RULE = """<listOfRules><assignmentRule variable="{}"><math xmlns="http://www.w3.org/1998/Math/MathML"><cn>2</cn></math>
</assignmentRule></listOfRules>"""


@pytest.mark.parametrize(("drawing", "term"), [(LAYOUT, ""), ("", 'sboTerm="SBO:0000345"')])
def test_a_model_is_read_whatever_its_drawing_and_its_terms(tmp_path, drawing, term):
    path = tmp_path / "m.xml"
    path.write_text(DOCUMENT.format(drawing=drawing, term=term, species="x", version=4 if drawing else 3))
    run = bf.load_model(path).simulate((0, 2))
    assert run.column("x")[-1] == pytest.approx(2 * 2.718281828459045**-1, rel=1e-6)


WRONG = {
    "an unknown species": ('species="x"/>', 'species="y"/>'),
    "a parameter given twice": ("</listOfParameters>", '<parameter id="k" value="3"/></listOfParameters>'),
    "a rule on a constant": ("<listOfReactions>", f"{RULE.format('k')}<listOfReactions>"),
    "a rule on a reactant": ("<listOfReactions>", f"{RULE.format('x')}<listOfReactions>"),
}


@pytest.mark.parametrize("drawing", [LAYOUT, ""], ids=["drawn", "not drawn"])
@pytest.mark.parametrize(("old", "new"), WRONG.values(), ids=WRONG.keys())
def test_a_drawing_hides_no_error(tmp_path, drawing, old, new):
    path = tmp_path / "m.xml"
    path.write_text(DOCUMENT.format(drawing=drawing, term="", species="x", version=4).replace(old, new))
    with pytest.raises(bf.InputError, match="correct the SBML file"):
        bf.load_model(path)


def test_an_error_says_what_is_wrong_in_this_document(tmp_path):
    path = tmp_path / "m.xml"
    path.write_text(DOCUMENT.format(drawing="", term="", species="y", version=4))
    with pytest.raises(
        bf.InputError, match=r"m\.xml, line 7: The species 'x' is not listed as .*'r'; correct the SBML file"
    ):
        bf.load_model(path)
