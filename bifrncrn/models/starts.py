"""Start values that are expressions: of parameters, so that they follow when those change."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from bifrncrn.base.errors import InputError
from bifrncrn.compile.functions import FUNCTIONS
from bifrncrn.compile.graph import Graph
from bifrncrn.models.equations import ModelError, build_graph
from bifrncrn.models.words import names_used, shorten, tokenize

MAX_TEXT = 20_000
"""Starts that need longer texts when written out do not follow their parameters."""


def split(state: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the start values that are numbers (zero in place of the others), and those that name something."""
    texts = {name: value for name, value in state.items() if isinstance(value, str) and _names(value)}
    return {name: 0.0 if name in texts else value for name, value in state.items()}, texts


def _names(text: str) -> bool:
    try:
        return any(name != "pi" for name in names_used(tokenize(text)))
    except InputError:
        return False  # it is refused as the number it is not


def evaluated(
    variables: Sequence[str],
    parameters: Sequence[str],
    definitions: Mapping[str, str],
    starts: Mapping[str, str],
    state: np.ndarray,
    values: np.ndarray,
) -> np.ndarray:
    """Return the start values (n,), those in `starts` evaluated from the others and from the parameter values.

    Raises
    ------
    ModelError
        If one cannot be read, needs itself, or is not a finite number.
    """
    fixed = [name for name in variables if name not in starts]
    held = dict(zip(variables, state.tolist(), strict=True))
    graph, _, nodes = build_graph(fixed, parameters, dict.fromkeys(fixed, "0"), {**definitions, **starts})
    wanted = [nodes[name] for name in starts]
    numbers = evaluate(graph, wanted, [held[name] for name in fixed], values.tolist())
    for name, number in zip(starts, numbers, strict=True):
        if not math.isfinite(number):
            raise ModelError(
                f"the start value of '{name}', {shorten(starts[name])}, is {number} but must be finite; "
                "correct it or the parameters it uses",
                "variables",
                name,
            )
        held[name] = number
    out = np.array([held[name] for name in variables])
    out.setflags(write=False)
    return out


def at_start(
    text: str, parameters: Sequence[str], definitions: Mapping[str, str], starts: Mapping[str, str]
) -> str | None:
    """Return an expression at the start, of parameters alone: variables are replaced by their starts.

    Parameters
    ----------
    starts : mapping
        The start of every variable, as text.

    Returns
    -------
    str or None
        None where it would be longer than MAX_TEXT.
    """
    words: list[str] = []
    tokens = tokenize(text)
    for token, following in zip(tokens, [*tokens[1:], None]):
        called = following is not None and following.text == "("
        inner = None if token.kind != "name" or called else starts.get(token.text, definitions.get(token.text))
        if inner is None or token.text in parameters:
            words.append(token.text)
            continue
        flat = at_start(inner, parameters, definitions, starts)
        if flat is None or len(flat) > MAX_TEXT:
            return None
        words.append(f"({flat})")
    flat = " ".join(words)
    return flat if len(flat) <= MAX_TEXT else None


def evaluate(g: Graph, roots: Sequence[int], x: Sequence[float], p: Sequence[float]) -> list[float]:
    """Return the values of nodes of a graph, one operation after the other; nan where there is none."""
    found: dict[int, float] = {}
    for node in g.reachable(list(roots)):
        op, args = g.op[node], g.args[node]
        if op == "const":
            found[node] = args[0]
        elif op in ("var", "par"):
            found[node] = (x if op == "var" else p)[args[0]]
        else:
            found[node] = _operation(g, op, args, [found[operand] for operand in g.operands(node)])
    return [found[root] for root in roots]


def _operation(g: Graph, op: str, args: tuple[Any, ...], numbers: list[float]) -> float:
    try:
        if op == "ipow":
            return float(numbers[0] ** args[1])
        if op.startswith("call:"):
            fold = FUNCTIONS[op.removeprefix("call:")].fold
            return math.nan if fold is None else float(fold(*numbers))
        return float(_ARITHMETIC[op](*numbers))
    except (ValueError, OverflowError, ZeroDivisionError):
        return math.nan


_ARITHMETIC: dict[str, Callable[..., float]] = {
    "add": lambda *terms: sum(terms),
    "neg": lambda a: -a,
    "mul": lambda a, b: a * b,
    "mulz": lambda a, b: a * b if a else 0.0,
    "div": lambda a, b: a / b,
    "pow": math.pow,
    "where": lambda c, a, b: a if c >= 0 else b,
}
