"""Equations as LaTeX and MathML: precedence, names, numbers; and MathML that is well-formed."""

import xml.etree.ElementTree as ET

import pytest

import bifrncrn as bf
from bifrncrn.models.typeset import display, equations, typeset

NAMES = ["a", "b", "c", "beta", "lam"]


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        ("a - (b - c)", r"a - \left(b - c\right)"),
        ("(a*b)^c", r"\left(a \, b\right)^{c}"),
        ("a^b^c", r"a^{b^{c}}"),
        ("(a^b)^c", r"\left(a^{b}\right)^{c}"),
        ("-(a + b)", r"-\left(a + b\right)"),
        ("-a^2", r"-a^{2}"),
        ("(-a)^2", r"\left(-a\right)^{2}"),
        ("a/(b/c)", r"\frac{a}{\frac{b}{c}}"),
        ("a*(-b)", r"a \, \left(-b\right)"),
        ("2*3.5e-7*beta", r"2 \cdot 3.5 \times 10^{-7} \, \beta"),
        ("exp(-a)*sqrt(b + 1)", r"e^{-a} \, \sqrt{b + 1}"),
        ("abs(a - lam)", r"\left|a - \lambda\right|"),
        ("if(a > 1, b, c)", r"\begin{cases} c & 1 - a \ge 0 \\ b & \text{otherwise} \end{cases}"),
    ],
)
def test_latex(text, latex):
    assert typeset(text, NAMES).latex == latex


@pytest.mark.parametrize("name", bf.library.names("textbook"))
def test_the_library_is_well_formed(name):
    found = bf.library.get(name)
    system = found if isinstance(found, bf.System) else found.system
    shown = [display(*one) for one in equations(system)]
    assert len(shown) == len(system.equations) + len(system.definitions)
    for text in shown:
        assert ET.fromstring(text).tag.endswith("math")
