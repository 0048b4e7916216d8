"""The texts of a model: names and numbers checked, equations and definitions read into one graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bifrncrn.base.errors import InputError
from bifrncrn.compile.graph import Graph
from bifrncrn.models.expressions import parse, parse_number
from bifrncrn.models.words import is_name, names_used, shorten, suggest, tokenize, variable_of


class ModelError(InputError):
    """An error in one entry of a model: `table` and `key` say where, for readers that know the line."""

    def __init__(self, message: str, table: str, key: str | None = None) -> None:
        super().__init__(message)
        self.table = table
        self.key = key


def build_graph(
    variables: Sequence[str], parameters: Sequence[str], equations: Mapping[str, str], definitions: Mapping[str, str]
) -> tuple[Graph, list[int], dict[str, int]]:
    """Read all texts of a model into one graph.

    Returns
    -------
    Graph, the nodes of the right-hand sides in the order of the variables, and the node of every definition.

    Raises
    ------
    ModelError
        Names the equation or definition that cannot be read.
    """
    g = Graph()
    names = {name: g.node("var", i) for i, name in enumerate(variables)}
    names |= {name: g.node("par", i) for i, name in enumerate(parameters)}
    tokens = {name: _located("definitions", name, tokenize, text) for name, text in definitions.items()}
    uses = {name: names_used(words) for name, words in tokens.items()}
    nodes: dict[str, int] = {}
    for name in _in_order(uses, [*names, *definitions]):
        nodes[name] = _located("definitions", name, parse, g, definitions[name], names, tokens[name])
        names[name] = nodes[name]
    roots = [_located("equations", name, parse, g, equations[name], names) for name in variables]
    return g, roots, nodes


def _located(table: str, key: str, function: Any, *args: Any) -> Any:
    try:
        return function(*args)
    except InputError as error:
        raise ModelError(f"{table[:-1]} of {shorten(key)}: {error}", table, key) from None


def _in_order(uses: Mapping[str, list[str]], known: list[str]) -> list[str]:
    """Sort definitions so that each comes after those it uses."""
    order: list[str] = []
    done: set[str] = set()
    for first in uses:
        path: dict[str, list[str]] = {}
        stack = [] if first in done else [first]
        while stack:
            name = stack[-1]
            if name not in path:
                path[name] = [used for used in uses[name] if used in uses and used not in done]
            waiting = path[name]
            while waiting and waiting[-1] in done:
                waiting.pop()
            if not waiting:
                stack.pop()
                path.pop(name)
                done.add(name)
                order.append(name)
            elif waiting[-1] in path:
                raise _cycle(stack[stack.index(waiting[-1]) :])
            else:
                stack.append(waiting[-1])
    return order


def _cycle(names: list[str]) -> ModelError:
    shown = " -> ".join([shorten(name) for name in ([*names, names[0]] if len(names) < 6 else names[:6])])
    shown += "" if len(names) < 6 else " -> ..."
    return ModelError(f"the definitions {shown} need each other; at least one must not", "definitions", names[0])


def as_mapping(value: Any, what: str) -> dict[str, Any]:
    """Return a mapping as a plain dict with text keys, empty for None."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise ModelError(f"{what} must be a mapping from names to values, not {type(value).__name__}", what)
    return {str(name): entry for name, entry in value.items()}


def as_texts(value: Any, table: str) -> dict[str, str]:
    """Return equations or definitions as text, sympy expressions and numbers converted."""
    texts = {}
    for name, entry in as_mapping(value, table).items():
        if isinstance(entry, str):
            texts[name] = entry
        elif hasattr(entry, "free_symbols"):
            from bifrncrn.models.symbolic import to_text

            texts[name] = _located(table, name, to_text, entry)
        elif isinstance(entry, int | float) and not isinstance(entry, bool):
            texts[name] = repr(parse_number(entry, f"{table[:-1]} of {name}"))
        else:
            kind = type(entry).__name__
            raise ModelError(f"{table[:-1]} of {name} must be text or a sympy expression, not {kind}", table, name)
    return texts


def by_variable(equations: Mapping[str, str], is_map: bool = False) -> dict[str, str]:
    """Return equations by the names of their variables, which may be written as derivatives: x' or dx/dt.

    In a map x' is the next x, and dx/dt means something else.
    """
    texts: dict[str, str] = {}
    for left, text in equations.items():
        name = variable_of(left)
        if is_map and "/" in left and name != left:
            raise ModelError(
                f"'{shorten(left)}' is a rate of change, but the equations of a map give the next state; write "
                f"'{name}' or \"{name}'\", and its next value",
                "equations",
                left,
            )
        if name in texts:
            raise ModelError(f"there are two equations for '{shorten(name)}'; keep one", "equations", left)
        texts[name] = text
    return texts


def check_names(
    state: Mapping[str, Any],
    parameters: Mapping[str, Any],
    definitions: Mapping[str, str],
    equations: Mapping[str, str],
) -> None:
    """Check that every name is one, none is used twice, and variables and equations correspond."""
    owner: dict[str, str] = {}
    for table, names in (("variables", state), ("parameters", parameters), ("definitions", definitions)):
        for name in names:
            if not is_name(name):
                rule = "a letter or _ first, then letters, digits and _"
                shown = shorten(repr(name))
                raise ModelError(f"{shown} in {table} is not a name ({rule})", table, name)
            if name in owner:
                raise ModelError(f"'{shorten(name)}' is both in {owner[name]} and in {table}; rename one", table, name)
            owner[name] = table
    for name in equations:
        if name not in state:
            hint = suggest(name, state) or "; give it a start value in variables"
            raise ModelError(
                f"there is an equation for '{shorten(name)}', which is no variable{hint}", "equations", name
            )
    missing = [name for name in state if name not in equations]
    if missing:
        shown = ", ".join(f"'{shorten(name)}'" for name in missing[:5]) + (", ..." if len(missing) > 5 else "")
        raise ModelError(f"there is no equation for the variable {shown}; every variable needs one", "equations")
    if not state:
        raise ModelError("the model is empty: it needs at least one variable with its equation", "equations")


def chosen(option: str, value: Any, variables: tuple[str, ...]) -> tuple[str, ...]:
    """Return the variables an option names, in their own order."""
    if isinstance(value, str) or not isinstance(value, Sequence) or not all(isinstance(name, str) for name in value):
        shown = shorten(repr(value))
        also = "true, false or " if option == "nonnegative" else ""
        raise ModelError(f"{option} must be {also}a list of variables, not {shown}", "options", option)
    for name in value:
        if name not in variables:
            hint = suggest(name, variables) or f"; the variables are {', '.join(variables[:8])}"
            shown = shorten(name)
            raise ModelError(f"{option} names '{shown}', which is no variable{hint}", "options", option)
    return tuple(name for name in variables if name in value)


def which(nonnegative: Any, variables: tuple[str, ...]) -> bool | tuple[str, ...]:
    """Return the option `nonnegative`: True or False where it holds for all variables or for none, else their names."""
    if isinstance(nonnegative, bool | np.bool_):
        return bool(nonnegative)
    names = chosen("nonnegative", nonnegative, variables)
    return names if 0 < len(names) < len(variables) else bool(names)


def as_numbers(entries: Mapping[str, Any], what: str, table: str) -> np.ndarray:
    """Return the numbers of a table as a read-only array, fractions in text read."""
    array = np.empty(len(entries))
    for i, (name, value) in enumerate(entries.items()):
        try:
            array[i] = parse_number(value, f"{what} '{name}'")
        except InputError as error:
            raise ModelError(str(error), table, name) from None
    array.setflags(write=False)
    return array


def as_period(period: Any) -> str:
    """Return the option `period` as text."""
    if isinstance(period, bool) or not isinstance(period, str | int | float):
        raise ModelError(f'period must be text such as "2*pi/omega", not {period!r:.60}', "options", "period")
    return period.strip() if isinstance(period, str) else repr(period)
