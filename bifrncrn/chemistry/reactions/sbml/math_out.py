"""Expressions of a model as content MathML, built by the package's own reader, so numbers keep every digit."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, cast
from xml.etree.ElementTree import Element, SubElement

from bifrncrn.base.errors import InputError
from bifrncrn.models.expressions import parse

if TYPE_CHECKING:
    from bifrncrn.compile.graph import Graph

NAMESPACE = "http://www.w3.org/1998/Math/MathML"
ROOT_FUNCTION = "rncrn_s"  # the quasi-static perceptron; SBML gets its definition along
OPERATORS = {
    "exp": "exp",
    "log": "ln",
    "sin": "sin",
    "cos": "cos",
    "tan": "tan",
    "asin": "arcsin",
    "acos": "arccos",
    "atan": "arctan",
    "sinh": "sinh",
    "cosh": "cosh",
    "tanh": "tanh",
    "asinh": "arcsinh",
    "acosh": "arccosh",
    "atanh": "arctanh",
    "abs": "abs",
    "min": "min",
    "max": "max",
    "sqrt": "root",
    "log10": "log",
    "floor": "floor",
}


def math_element(text: str, names: Iterable[str]) -> Element:
    """Return the ``<math>`` element of an expression over `names`.

    Raises
    ------
    InputError
        If the text is not an expression, or uses a function SBML has no word for.
    """
    builder = _Builder()
    nodes = {name: builder.identifier(name) for name in names}
    root = parse(cast("Graph", builder), text, nodes)
    return math_of(builder.elements[root])


def truth_element(text: str, names: Iterable[str]) -> Element:
    """Return the ``<math>`` element that is true where an expression is not zero."""
    content = Element("apply")
    SubElement(content, "neq")
    content.append(_content(text, names))
    SubElement(content, "cn", type="integer").text = "0"
    return math_of(content)


def math_of(content: Element) -> Element:
    """Wrap content into a ``<math>`` element."""
    element = Element("math", xmlns=NAMESPACE)
    element.append(content)
    return element


def product(factors: list[str]) -> Element:
    """Return the ``<math>`` element of a product of names, repeated for powers."""
    builder = _Builder()
    nodes = [builder.identifier(name) for name in factors]
    return math_of(builder.elements[nodes[0]] if len(nodes) == 1 else builder.elements[builder.apply("times", *nodes)])


def root_definition() -> Element:
    """Return the ``<math>`` element that defines the quasi-static perceptron, stable for either sign of z."""
    arguments = ("z", "g", "t")
    content = Element("lambda")
    for name in arguments:
        SubElement(SubElement(content, "bvar"), "ci").text = name
    choice = SubElement(content, "piecewise")
    piece = SubElement(choice, "piece")
    piece.append(_content("(z + sqrt(z^2 + 4*g*t))/(2*t)", arguments))
    condition = SubElement(piece, "apply")
    SubElement(condition, "geq")
    condition.append(_content("z", arguments))
    condition.append(_content("0", arguments))
    SubElement(choice, "otherwise").append(_content("2*g/(sqrt(z^2 + 4*g*t) - z)", arguments))
    return math_of(content)


def _content(text: str, names: Iterable[str]) -> Element:
    return math_element(text, names)[0]


class _Builder:
    """Takes the place of the expression graph: the reader calls it, and it keeps what was written, unevaluated."""

    def __init__(self) -> None:
        self.elements: list[Element] = []
        self.constant: list[bool] = []
        self.op: list[str] = []
        self.args: list[tuple[int, ...]] = []
        self.negated: dict[int, int] = {}
        self.conditions: set[int] = set()
        self.zero = self.const(0.0)  # constants of the text are nodes of their own: nothing is simplified here
        self.one = self.const(1.0)

    def _keep(self, element: Element, constant: bool, op: str = "", args: tuple[int, ...] = ()) -> int:
        self.elements.append(element)
        self.op.append(op or element.tag)
        self.args.append(args)
        self.constant.append(constant)
        return len(self.elements) - 1

    def identifier(self, name: str) -> int:
        element = Element("ci")
        element.text = name
        return self._keep(element, False)

    def const(self, value: float) -> int:
        element = Element("cn")
        if float(value).is_integer() and abs(value) < 1e9:
            element.set("type", "integer")
            element.text = str(int(value))
        else:
            mantissa, _, exponent = repr(float(value)).partition("e")
            element.text = mantissa
            if exponent:
                element.set("type", "e-notation")
                SubElement(element, "sep").tail = str(int(exponent))
        return self._keep(element, True)

    def value(self, node: int) -> float | None:
        """Tell the reader which nodes are constant; the number itself is of no use here."""
        return 1.0 if self.constant[node] else None

    def apply(self, operator: str, *nodes: int) -> int:
        element = Element("apply")
        SubElement(element, operator)
        element.extend(self.elements[node] for node in nodes)
        return self._keep(element, all(self.constant[node] for node in nodes))

    def add(self, terms: list[int]) -> int:
        """Return a sum as it was written: the reader hands a difference over as a sum with a negated term."""
        run = [terms[0]]
        for term in terms[1:]:
            if term in self.negated:
                left = self.apply("plus", *run) if len(run) > 1 else run[0]
                run = [self.apply("minus", left, self.negated[term])]
            else:
                run.append(term)
        return self.apply("plus", *run) if len(run) > 1 else run[0]

    def neg(self, a: int) -> int:
        node = self.apply("minus", a)
        self.negated[node] = a
        return node

    def sub(self, a: int, b: int) -> int:
        return self.apply("minus", a, b)

    def where(self, c: int, a: int, b: int) -> int:
        """Return a where c >= 0, else b."""
        element = Element("piecewise")
        piece = SubElement(element, "piece")
        piece.append(self.elements[a])
        piece.append(self.elements[self.apply("geq", c, self.zero)])
        SubElement(element, "otherwise").append(self.elements[b])
        return self._keep(element, all(self.constant[node] for node in (c, a, b)), "where", (c, a, b))

    def mul(self, a: int, b: int) -> int:
        return self.apply("times", a, b)

    def div(self, a: int, b: int) -> int:
        return self.apply("divide", a, b)

    def power(self, a: int, b: int) -> int:
        return self.apply("power", a, b)

    def call(self, name: str, args: tuple[int, ...]) -> int:
        if name == ROOT_FUNCTION:
            element = Element("apply")
            SubElement(element, "ci").text = name
            element.extend(self.elements[arg] for arg in args)
            return self._keep(element, False)
        if name in ("sign", "heaviside"):
            low, middle = (self.const(-1.0), self.zero) if name == "sign" else (self.zero, self.const(0.5))
            return self.where(args[0], self.where(self.apply("minus", args[0]), middle, self.one), low)
        if name not in OPERATORS:
            raise InputError(f"the function {name} has no word in SBML; write it by {', '.join(OPERATORS)}")
        return self.apply(OPERATORS[name], *args)
