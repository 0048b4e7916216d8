"""Equations as they are printed in books: an expression as LaTeX, and as MathML that browsers draw by themselves."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, cast

from bifrncrn.base.tables import folded, printable
from bifrncrn.models.expressions import parse

if TYPE_CHECKING:
    from bifrncrn.compile.graph import Graph
    from bifrncrn.models.system import System

DIGITS = 6
"""Significant digits of a number in a formula; the model itself has them all."""
_LETTERS = (
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon phi chi psi "
    "omega Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega"
)
GREEK = dict(zip(_LETTERS.split(), "αβγδεζηθικλμνξπρστυφχψωΓΔΘΛΞΠΣΦΨΩ", strict=True))
_SUM, _PRODUCT, _POWER, _ATOM = range(4)
_INDEXED = re.compile(r"([^\W\d_]+?)_?((?:\d+|(?<=_)\w+)?)")


@dataclass(frozen=True)
class Formula:
    """An expression as LaTeX and as presentation MathML, and how tightly its parts hold together."""

    latex: str
    mathml: str
    level: int = _ATOM

    def inside(self, level: int) -> Formula:
        """Return it, in parentheses where something that holds tighter is about it."""
        if self.level >= level:
            return self
        return Formula(rf"\left({self.latex}\right)", f"<mrow><mo>(</mo>{self.mathml}<mo>)</mo></mrow>")


def typeset(text: str, names: Iterable[str]) -> Formula:
    r"""Return an expression over `names`, laid out.

    Examples
    --------
    >>> typeset("-x + D*(1 - x)/beta^2", ["x", "D", "beta"]).latex
    '-x + \\frac{D \\, \\left(1 - x\\right)}{\\beta^{2}}'
    """
    builder = _Builder()
    nodes = {name: builder.keep(name_of(name)) for name in names}
    return builder.made[parse(cast("Graph", builder), text, nodes)]


def name_of(name: str) -> Formula:
    r"""Return a name: Greek where it is the name of a letter, with an index where it ends in digits or after `_`.

    >>> name_of("u1").latex, name_of("lam").latex, name_of("k_cat").latex, name_of("volume").latex
    ('u_{1}', '\\lambda', 'k_{\\mathrm{cat}}', '\\mathrm{volume}')
    """
    match = _INDEXED.fullmatch(name)
    stem, index = (match[1], match[2]) if match else (name, "")
    word = "lambda" if stem == "lam" else stem
    if word in GREEK:
        latex, mathml = f"\\{word}", f"<mi>{GREEK[word]}</mi>"
    else:
        plain = stem.replace("_", r"\_")
        latex = stem if len(stem) == 1 else rf"\mathrm{{{plain}}}"
        mathml = f"<mi>{escape(stem)}</mi>"
    if not index:
        return Formula(latex, mathml)
    numbers = index.replace("_", "").isdigit()
    index = index.replace("_", "," if numbers else " ")
    below = index if numbers else rf"\mathrm{{{index}}}"
    return Formula(f"{latex}_{{{below}}}", f"<msub>{mathml}<mi>{escape(index)}</mi></msub>")


def equations(system: System) -> list[tuple[str, Formula, str]]:
    """Return every definition and equation: name, right-hand side, and what it is.

    That is ``"definition"``, ``"derivative"`` or, of a map, ``"next"``.

    A model that is Python code has none.
    """
    if not system.has_formulas:
        return []
    names = (*system.variables, *system.parameters, *system.definitions)
    out = [(name, typeset(text, names), "definition") for name, text in system.definitions.items()]
    kind = "next" if system.kind == "map" else "derivative"
    return [*out, *((name, typeset(text, names), kind) for name, text in system.equations.items())]


def display(name: str, right: Formula, kind: str) -> str:
    """Return an equation as a ``<math>`` element, its LaTeX with it as an annotation."""
    left = name_of(name)
    if kind == "derivative":
        left = Formula(
            rf"\frac{{\mathrm{{d}} {left.latex}}}{{\mathrm{{d}} t}}",
            f"<mfrac><mrow><mi>d</mi>{left.mathml}</mrow><mrow><mi>d</mi><mi>t</mi></mrow></mfrac>",
        )
    sign, mark = (r"\mapsto", "↦") if kind == "next" else ("=", "=")
    latex = escape(f"{left.latex} {sign} {right.latex}")
    return (
        '<math xmlns="http://www.w3.org/1998/Math/MathML" display="block"><semantics>'
        f"<mrow>{left.mathml}<mo>{mark}</mo>{right.mathml}</mrow>"
        f'<annotation encoding="application/x-tex">{latex}</annotation></semantics></math>'
    )


def latex(name: str, right: Formula, kind: str) -> str:
    r"""Return an equation as LaTeX.

    >>> latex("x", typeset("lam - x^2", ["lam", "x"]), "derivative")
    '\\dot{x} = \\lambda - x^{2}'
    """
    left = name_of(name).latex
    if kind == "next":
        return rf"{left} \mapsto {right.latex}"
    return rf"\dot{{{left}}} = {right.latex}" if kind == "derivative" else f"{left} = {right.latex}"


LINES, LONG = 40, 2000
"""Formulas that are shown of a model at most, and the length of one beyond which nobody reads it."""


def described(system: System) -> str:
    """Return a model as text for people."""
    n, m = len(system.variables), len(system.parameters)
    lines = [f"{system.title or 'model'}: {n} state{'s' * (n != 1)}, {m} parameter{'s' * (m != 1)}", ""]
    texts = [(name, text) for name, text in system.definitions.items()]
    left = "next {}" if system.kind == "map" else "{}'"
    texts += [(left.format(name), text) for name, text in (system.equations or {}).items()]
    lines += [folded(f"{name} = {text if len(text) < LONG else '...'}") for name, text in texts[:LINES]]
    lines += [f"({len(texts) - LINES} more formulas)"] if len(texts) > LINES else []
    lines += [] if texts else ["(a function of the programming language)"]
    for word, names, values in (("start", system.variables, system.state), ("with", system.parameters, system.values)):
        pairs = [f"{name} = {value:.10g}" for name, value in zip(names, values.tolist(), strict=True)]
        shown = ", ".join(pairs[:LINES]) + (", ..." if len(pairs) > LINES else "")
        lines += [folded(f"{word}: {shown}")] if pairs else []
    return printable("\n".join(lines))


def html_of(system: System) -> str:
    """Return a model as HTML, its equations as mathematics."""
    found = [one for one in equations(system) if len(one[1].latex) < LONG][:LINES]
    if not found:
        return f"<pre>{escape(described(system))}</pre>"
    head, values = escape(printable(system.title or "model")), described(system).split("\n")
    rest = escape("\n".join(line for line in values if line.startswith(("start: ", "with: "))))
    return f"<div><b>{head}</b>{''.join(display(*one) for one in found)}<pre>{rest}</pre></div>"


class _Builder:
    """Takes the place of the expression graph: the reader calls it, and it lays out what was written."""

    def __init__(self) -> None:
        self.made: list[Formula] = []
        self.op: list[str] = []
        self.args: list[tuple[int, ...]] = []
        self.conditions: set[int] = set()
        self.zero = self.const(0.0)
        self.one = self.const(1.0)

    def keep(self, formula: Formula, op: str = "leaf", args: tuple[int, ...] = ()) -> int:
        """Return a new node."""
        self.made.append(formula)
        self.op.append(op)
        self.args.append(args)
        return len(self.made) - 1

    def value(self, node: int) -> float | None:
        """Say that nothing is a number: what is constant stands as it was written."""
        return None

    def const(self, value: float) -> int:
        mantissa, _, power = f"{value:.{DIGITS}g}".partition("e")
        if not power:
            return self.keep(Formula(mantissa, f"<mn>{mantissa}</mn>"), "const")
        tens = int(power)
        return self.keep(
            Formula(
                rf"{mantissa} \times 10^{{{tens}}}",
                f"<mrow><mn>{mantissa}</mn><mo>×</mo><msup><mn>10</mn><mn>{tens}</mn></msup></mrow>",
                _PRODUCT,
            ),
            "const",
        )

    def add(self, terms: list[int]) -> int:
        latex, mathml = "", ""
        for term in terms:
            negative = self.op[term] == "neg"
            part = self.made[self.args[term][0]].inside(_PRODUCT) if negative else self.made[term].inside(_SUM)
            if negative or latex:
                sign = "-" if negative else "+"
                latex += f" {sign} " if latex else sign
                mathml += f"<mo>{'−' if negative else '+'}</mo>"
            latex, mathml = latex + part.latex, mathml + part.mathml
        return self.keep(Formula(latex, f"<mrow>{mathml}</mrow>", _SUM), "add")

    def neg(self, a: int) -> int:
        part = self.made[a].inside(_PRODUCT)
        return self.keep(Formula(f"-{part.latex}", f"<mrow><mo>−</mo>{part.mathml}</mrow>", _SUM), "neg", (a,))

    def sub(self, a: int, b: int) -> int:
        return self.add([a, self.neg(b)])

    def mul(self, a: int, b: int) -> int:
        left, right = self.made[a].inside(_PRODUCT), self.made[b].inside(_PRODUCT)
        digits = right.latex[:1].isdigit()
        sign, mark = (r" \cdot ", "<mo>⋅</mo>") if digits else (r" \, ", "<mspace width='0.16em'/>")
        latex, mathml = f"{left.latex}{sign}{right.latex}", f"<mrow>{left.mathml}{mark}{right.mathml}</mrow>"
        return self.keep(Formula(latex, mathml, _PRODUCT), "mul", (a, b))

    def div(self, a: int, b: int) -> int:
        over, under = self.made[a], self.made[b]
        latex, mathml = (
            rf"\frac{{{over.latex}}}{{{under.latex}}}",
            f"<mfrac><mrow>{over.mathml}</mrow><mrow>{under.mathml}</mrow></mfrac>",
        )
        return self.keep(Formula(latex, mathml, _PRODUCT), "div")

    def power(self, a: int, b: int) -> int:
        base, top = self.made[a].inside(_ATOM), self.made[b]
        latex, mathml = f"{base.latex}^{{{top.latex}}}", f"<msup>{base.mathml}<mrow>{top.mathml}</mrow></msup>"
        return self.keep(Formula(latex, mathml, _POWER), "pow")

    def call(self, name: str, args: tuple[int, ...]) -> int:
        parts = [self.made[arg] for arg in args]
        first = parts[0]
        if name == "sqrt":
            return self.keep(Formula(rf"\sqrt{{{first.latex}}}", f"<msqrt>{first.mathml}</msqrt>"))
        if name == "exp":
            return self.keep(Formula(f"e^{{{first.latex}}}", f"<msup><mi>e</mi><mrow>{first.mathml}</mrow></msup>", 2))
        if name == "abs":
            bars = f"<mrow><mo>|</mo>{first.mathml}<mo>|</mo></mrow>"
            return self.keep(Formula(rf"\left|{first.latex}\right|", bars))
        word = {"rncrn_s": "s", "log": "ln"}.get(name, name)
        listed = ", ".join(part.latex for part in parts)
        mathml = "<mo>,</mo>".join(part.mathml for part in parts)
        plain = word.replace("_", r"\_")
        latex = rf"\operatorname{{{plain}}}\left({listed}\right)"
        return self.keep(Formula(latex, f"<mrow><mi>{word}</mi><mo>(</mo>{mathml}<mo>)</mo></mrow>"))

    def where(self, c: int, a: int, b: int) -> int:
        """Return a where c >= 0, else b."""
        test, yes, no = self.made[c], self.made[a], self.made[b]
        latex = rf"\begin{{cases}} {yes.latex} & {test.latex} \ge 0 \\ {no.latex} & \text{{otherwise}} \end{{cases}}"
        rows = (
            f"<mtr><mtd>{yes.mathml}</mtd><mtd><mrow>{test.mathml}<mo>≥</mo><mn>0</mn></mrow></mtd></mtr>"
            f"<mtr><mtd>{no.mathml}</mtd><mtd><mtext>otherwise</mtext></mtd></mtr>"
        )
        return self.keep(
            Formula(latex, f"<mrow><mo>{{</mo><mtable columnalign='left'>{rows}</mtable></mrow>"), "where", (c, a, b)
        )
