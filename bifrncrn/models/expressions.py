"""The safe expression reader: text to graph nodes. Nothing is ever evaluated as Python."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bifrncrn.base.errors import InputError
from bifrncrn.compile import conditions
from bifrncrn.compile.conditions import COMPARISONS
from bifrncrn.compile.functions import ALIASES, FUNCTIONS
from bifrncrn.compile.graph import Graph
from bifrncrn.models.advice import AUTONOMOUS, CHOICE, EULER, HINTS, NO_DELAY, TIME, raised, without_unit
from bifrncrn.models.words import Token, listed, message_at, shorten, suggest, tokenize

MAX_NESTING = 200
LONGEST_NUMBER = 1_000
"""Characters of a number or fraction; with more it is none."""
_PREFIX = "unary -"
_PRECEDENCE = {"or": 1, "and": 2, "not": 3} | dict.fromkeys(COMPARISONS, 4)
_PRECEDENCE |= {"+": 5, "-": 5, "*": 6, "/": 6, _PREFIX: 7, "unary +": 7, "**": 8}
_LOGIC = ("and", "or", "not")
_CHOICES = ("if", "piecewise")
"""Functions of conditions, which are no functions of numbers."""


@dataclass(slots=True)
class _Open:
    """An open parenthesis, or a function call with the arguments read so far."""

    token: Token
    function: str | None
    arguments: list[int]


class _Sum(list[int]):
    """The terms of a sum that is still being read, so that a sum of a million terms is one operation."""

    start = 0


def parse(g: Graph, text: str, names: Mapping[str, int], tokens: list[Token] | None = None) -> int:
    """Read an expression into a graph.

    Parameters
    ----------
    g : Graph
        Receives the operations.
    text : str
        Numbers, names, `+ - * / ** ^ ( ) ,`, `pi` and the functions of `FUNCTIONS`. As in Python, powers group from
        the right and bind tighter than a sign: -x**2 is -(x**2). Conditions are comparisons, joined by `and`, `or`
        and `not`; they stand in `if(condition, a, b)` and `piecewise(a, condition, b, condition, ..., otherwise)`,
        and elsewhere are one where they hold and zero where they do not.
    names : mapping
        The node of every name. They win over `pi` and over the functions, unless followed by a parenthesis.
    tokens : list of Token, optional
        The same text, tokenized already.

    Returns
    -------
    int
        The node of the expression.

    Raises
    ------
    InputError
        If the text is not an expression, or a constant in it is not finite. The message says where.
    """
    return _Reader(g, text, names).read(tokenize(text) if tokens is None else tokens)


def parse_number(value: object, what: str) -> float:
    """Read a finite number: an int, a float, or a text such as "8/3" without names.

    Raises
    ------
    InputError
        If it is anything else (a bool, too).
    """
    if isinstance(value, str):
        if len(value) > LONGEST_NUMBER:
            raise InputError(f"{what} has {len(value)} characters, which no number needs; write it shorter")
        g = Graph()
        try:
            number = g.value(parse(g, value, {}))
        except InputError as error:
            unit = without_unit(value)
            if unit:
                raise InputError(f"{what} is '{shorten(value)}', but {unit}") from None
            raise InputError(f"{what}: {error}") from None
        if number is None:
            raise InputError(f"{what} must be a number, not '{shorten(value)}'")
        return number
    if isinstance(value, bool) or not _is_real(value):
        shown = shorten(repr(value))
        raise InputError(f'{what} must be a number or a fraction as text ("8/3"), not {type(value).__name__} {shown}')
    try:
        number = float(value)  # type: ignore[arg-type]
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise InputError(f"{what} must be a finite number, not {number}")
    return number


def _is_real(value: object) -> bool:
    """Accept whatever calls itself a real number (numpy's and sympy's too), but no text, arrays or complex numbers."""
    return hasattr(value, "__float__") and not isinstance(value, complex) and getattr(value, "shape", ()) == ()


class _Reader:
    """A shunting-yard reader: two stacks instead of recursion, so no text can exhaust Python's stack."""

    def __init__(self, g: Graph, text: str, names: Mapping[str, int]) -> None:
        self.g = g
        self.text = text
        self.names = names
        self.values: list[int | _Sum] = []
        self.operators: list[Token | _Open] = []
        self.depth = 0

    def read(self, tokens: list[Token]) -> int:
        """Return the node of the whole expression."""
        operand_next = True
        skip = False
        for i, token in enumerate(tokens):
            if skip:
                skip = False
                continue
            if operand_next:
                called = token.kind == "name" and i + 1 < len(tokens) and tokens[i + 1].text == "("
                if token.text == "not" and "not" not in self.names:
                    self._push(Token("operator", "not", token.start))
                elif called:
                    self._refuse_time(tokens, i)
                    self._open(token, self._function(token))
                    skip = True
                else:
                    operand_next = self._operand(token)
            else:
                operand_next = self._after_operand(token)
        if operand_next:
            problem = "the expression ends where a value is expected" if tokens else "the expression is empty"
            raise self._error(max(0, len(self.text.rstrip()) - 1), problem)
        self._reduce(0)
        if self.operators:
            raise self._error(self._place(self.operators[-1]), "this parenthesis is never closed")
        return self._pop()

    # -- words where a value is expected ------------------------------------------------------------------------

    def _operand(self, token: Token) -> bool:
        """Take a word where a value is expected; return whether a value is still expected after it."""
        if token.kind == "number":
            value = float(token.text)
            if not math.isfinite(value):
                raise self._error(token.start, f"the number {shorten(token.text)} is too large")
            self.values.append(self.g.const(value))
            return False
        if token.kind == "name":
            self.values.append(self._lookup(token))
            return False
        if token.text == "(":
            self._open(token, None)
        elif token.text in "+-":
            self._push(Token("operator", _PREFIX if token.text == "-" else "unary +", token.start))
        elif token.text == ")" and self.operators and isinstance(self.operators[-1], _Open):
            raise self._error(token.start, "there is no value between the parentheses")
        else:
            raise self._error(token.start, f"a value is expected before '{token.text}'")
        return True

    def _lookup(self, token: Token) -> int:
        name = token.text
        node = self.names.get(name)
        if node is not None:
            return node
        if name == "pi":
            return self.g.const(math.pi)
        if name in FUNCTIONS or name in ALIASES or name in _CHOICES:
            form = {"if": ": if(condition, a, b)"}.get(name, "")
            raise self._error(token.start, f"the function '{name}' needs its argument in parentheses{form}")
        if name in ("and", "or"):
            raise self._error(token.start, f"a condition is expected before '{name}'")
        if name in TIME:
            raise self._error(token.start, f"'{name}' is no variable or parameter; {AUTONOMOUS}")
        hint = raised(name) or EULER.get(name) or suggest(name, [*self.names, "pi"]) or listed(self.names)
        raise self._error(token.start, f"unknown name '{shorten(name)}'{hint}")

    def _refuse_time(self, tokens: list[Token], i: int) -> None:
        """Say what to do about x(t), and that x(t - tau) is no differential equation without a delay."""
        token, after = tokens[i], tokens[i + 2 : i + 4]
        quantity = token.text in self.names and token.text not in FUNCTIONS
        if not quantity or not after or after[0].text not in TIME or after[0].text in self.names:
            return
        if after[-1].text == ")":
            raise self._error(
                token.start, f"a variable is written by its name alone: {token.text}, not {token.text}(t)"
            )
        raise self._error(token.start, f"{token.text} at another time: {NO_DELAY}")

    def _function(self, token: Token) -> str:
        name = ALIASES.get(token.text, token.text)
        if name in FUNCTIONS or name in _CHOICES:
            return name
        if token.text in self.names or token.text == "pi":
            problem = f"'{token.text}' is a quantity, not a function; to multiply write {token.text}*("
        else:
            hint = (
                suggest(token.text, [*FUNCTIONS, *ALIASES, *_CHOICES]) or f"; the functions are {', '.join(FUNCTIONS)}"
            )
            hint = HINTS.get(token.text, hint)
            problem = f"unknown function '{shorten(token.text)}'{hint}"
        raise self._error(token.start, problem)

    def _open(self, token: Token, function: str | None) -> None:
        self.depth += 1
        if self.depth > MAX_NESTING:
            raise self._nested(token)
        self.operators.append(_Open(token, function, []))

    def _push(self, token: Token) -> None:
        if len(self.operators) >= 6 * MAX_NESTING:  # a chain of signs or powers, which no parenthesis counts
            raise self._nested(token)
        self.operators.append(token)

    def _nested(self, token: Token) -> InputError:
        problem = f"the expression is nested more than {MAX_NESTING} deep; name its parts under [definitions]"
        return self._error(token.start, problem)

    # -- words where an operator is expected --------------------------------------------------------------------

    def _after_operand(self, token: Token) -> bool:
        """Take a word after a value; return whether another value is expected after it."""
        if token.text in (")", ","):
            return self._end_of_argument(token)
        if token.text == "(" or (token.kind != "operator" and token.text not in ("and", "or")):
            hint = f"; {CHOICE}" if token.text in ("if", "else") else raised(token.text[:1])
            raise self._error(token.start, f"an operator is missing before '{shorten(token.text)}'{hint}")
        operator = "**" if token.text == "^" else token.text
        if operator in COMPARISONS and self._comparing():
            raise self._error(token.start, "comparisons are not chained; write a < b and b < c")
        # a power groups from the right: an equal operator on the stack has to wait
        self._reduce(_PRECEDENCE[operator] + (operator == "**"))
        self._push(Token("operator", operator, token.start))
        return True

    def _comparing(self) -> bool:
        """Tell whether a comparison that no parenthesis closes is waiting for its right-hand side."""
        for operator in reversed(self.operators):
            if isinstance(operator, _Open) or _PRECEDENCE[operator.text] < _PRECEDENCE["<"]:
                return False
            if operator.text in COMPARISONS:
                return True
        return False

    def _end_of_argument(self, token: Token) -> bool:
        self._reduce(0)
        if not self.operators:
            what = "this parenthesis was never opened" if token.text == ")" else "a comma has no meaning here"
            raise self._error(token.start, what)
        opened = self.operators[-1]
        assert isinstance(opened, _Open)
        opened.arguments.append(self._pop())
        if token.text == ",":
            if opened.function is None:
                raise self._error(token.start, "a comma separates arguments of a function; a decimal point is '.'")
            return True
        self.operators.pop()
        self.depth -= 1
        self.values.append(self._call(opened) if opened.function else opened.arguments[0])
        return False

    # -- applying -----------------------------------------------------------------------------------------------

    def _pop(self) -> int:
        value = self.values.pop()
        if not isinstance(value, _Sum):
            return value
        node = self.g.add(value)
        if self.g.op[node] == "add" and all(self.g.value(term) is not None for term in value):
            raise self._error(value.start, "the sum of these constants is not a finite number")
        return node

    def _reduce(self, precedence: int) -> None:
        """Apply the waiting operators that bind at least as tightly, back to the last open parenthesis."""
        while self.operators:
            operator = self.operators[-1]
            if isinstance(operator, _Open) or _PRECEDENCE[operator.text] < precedence:
                return
            self.operators.pop()
            self.values.append(self._apply(operator))

    def _apply(self, operator: Token) -> int | _Sum:
        g, symbol = self.g, operator.text
        right = self._pop()
        if symbol == _PREFIX:
            return g.neg(right)
        if symbol == "unary +":
            return right
        if symbol in _LOGIC or symbol in COMPARISONS:
            return self._condition(symbol, right)
        if symbol in "+-":
            left = self.values.pop()
            terms = left if isinstance(left, _Sum) else _Sum([left])
            terms.append(right if symbol == "+" else g.neg(right))
            terms.start = operator.start
            return terms
        if symbol == "/" and right == g.zero:
            raise self._error(operator.start, "division by zero")
        build: Callable[[int, int], int] = {"*": g.mul, "/": g.div, "**": g.power}[symbol]
        left = self._pop()
        result = build(left, right)
        if g.value(left) is not None and g.value(right) is not None:
            self._check(result, operator.start, f"{g.value(left):g} {symbol} {g.value(right):g}")
        return result

    def _condition(self, symbol: str, right: int) -> int:
        g = self.g
        if symbol == "not":
            return conditions.negation(g, conditions.truth(g, right))
        left = self._pop()
        if symbol in COMPARISONS:
            return conditions.compare(g, symbol, left, right)
        join = conditions.both if symbol == "and" else conditions.either
        return join(g, conditions.truth(g, left), conditions.truth(g, right))

    def _choice(self, opened: _Open) -> int:
        """Return the node of `if` or `piecewise`, whose last argument is what holds otherwise."""
        name, args = str(opened.function), opened.arguments
        if name == "if":
            if len(args) != 3:
                raise self._error(opened.token.start, f"if takes a condition and two values, not {len(args)} arguments")
            args = [args[1], args[0], args[2]]
        elif len(args) < 3 or len(args) % 2 == 0:
            rule = "value, condition, value, condition, ..., and the value otherwise"
            raise self._error(opened.token.start, f"piecewise takes {rule}; it has {len(args)} arguments")
        node = args[-1]
        for k in range(len(args) - 3, -1, -2):
            node = conditions.choose(self.g, conditions.truth(self.g, args[k + 1]), args[k], node)
        return node

    def _call(self, opened: _Open) -> int:
        name, args = str(opened.function), opened.arguments
        if name in _CHOICES:
            return self._choice(opened)
        arity = FUNCTIONS[name].arity
        variadic = name in ("min", "max")
        if len(args) != arity and not (variadic and len(args) > arity):
            count = f"{'at least ' if variadic else ''}{arity} argument{'s' if arity > 1 else ''}"
            raise self._error(opened.token.start, f"{name} takes {count}, not {len(args)}")
        if name == "besselj":
            return self._bessel(opened)
        if name in ("mod", "ceil"):
            return self._whole(opened)
        node = args[0]
        if variadic:
            for arg in args[1:]:
                node = self.g.call(name, (node, arg))
            return node
        node = self.g.call(name, tuple(args))
        if all(self.g.value(arg) is not None for arg in args):
            shown = ", ".join(f"{self.g.value(arg):g}" for arg in args)
            self._check(node, opened.token.start, f"{name}({shown})")
        return node

    def _whole(self, opened: _Open) -> int:
        """Return the remainder, which has the sign of the divisor, or the next whole number, by the one below."""
        g, args = self.g, opened.arguments
        if opened.function == "ceil":
            return g.neg(g.call("floor", (g.neg(args[0]),)))
        if args[1] == g.zero:
            raise self._error(opened.token.start, "mod has the divisor zero")
        return g.sub(args[0], g.mul(args[1], g.call("floor", (g.div(args[0], args[1]),))))

    def _bessel(self, opened: _Open) -> int:
        order, x = opened.arguments
        k = self.g.value(order)
        if k is None or not k.is_integer() or abs(k) > 1000:
            raise self._error(opened.token.start, "the first argument of besselj, its order, must be a whole number")
        node = self.g.call("besselj", (self.g.const(abs(k)), x))
        return self.g.neg(node) if k < 0 and k % 2 else node  # J_-k = (-1)^k J_k

    def _check(self, node: int, position: int, shown: str) -> None:
        if self.g.value(node) is None:
            raise self._error(position, f"the constant {shown} is not a finite number")

    def _place(self, operator: Token | _Open) -> int:
        return operator.token.start if isinstance(operator, _Open) else operator.start

    def _error(self, position: int, problem: str) -> InputError:
        return InputError(message_at(self.text, position, problem))
