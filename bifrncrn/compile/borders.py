"""The borders of a piecewise smooth model, from its graph; and the model with the side of each border held.

A border is where a function of the state changes sign that `abs`, `sign`, `heaviside`, `max`, `min` or a condition
depends on, or where one passes a whole number whose `floor` is taken. On one side of all borders a model is smooth,
and that smooth model goes on beyond the borders: its side is a number that stands where the operation stood.
"""

from __future__ import annotations

from dataclasses import dataclass

from bifrncrn.compile.graph import LEAVES, Graph

STEPS = frozenset({"call:sign", "call:heaviside", "call:floor"})
SWITCHES = STEPS | {"where", "call:abs", "call:min", "call:max"}


@dataclass(frozen=True)
class Border:
    """A border: the node whose sign, or whose whole part, decides.

    Attributes
    ----------
    node : int
    whole : bool
        Whether it is the whole part.
    """

    node: int
    whole: bool = False


def borders(g: Graph, roots: list[int]) -> dict[int, tuple[Border, bool]]:
    """Return the border of every node that has one, and whether it depends on the opposite of the border's sign.

    Several nodes may share a border: `max(a, b)`, `abs(a - b)` and a condition `b > a` do.
    """
    still: set[int] = set()  # what does not change between borders
    known: dict[object, tuple[Border, bool]] = {}
    found: dict[int, tuple[Border, bool]] = {}
    for node in g.reachable(roots):
        op, args = g.op[node], g.args[node]
        pair = op in ("call:min", "call:max")
        if op in SWITCHES and not (args[0] in still and (not pair or args[1] in still)):
            decides = g.sub(args[0], args[1]) if pair else args[0]
            whole = op == "call:floor"
            key, opposite = (("floor", decides), False) if whole else _signed(g, decides)
            border, first = known.setdefault(key, (Border(decides, whole), opposite))
            found[node] = border, opposite != first
        steady = op == "const" or (op not in LEAVES and all(arg in still for arg in g.operands(node)))
        if steady or op in STEPS or (op == "where" and args[1] in still and args[2] in still):
            still.add(node)
    return found


def _signed(g: Graph, node: int) -> tuple[object, bool]:
    """Return what is the same for a node and for its opposite, and which of the two it is."""
    terms = g.args[node] if g.op[node] == "add" else (node,)
    signed = sorted((g.args[term][0], True) if g.op[term] == "neg" else (term, False) for term in terms)
    opposite = signed[0][1]
    return tuple((term, minus != opposite) for term, minus in signed), opposite


class Held:
    """The model with the sides of its borders as further parameters, in a graph of its own.

    The side of a border is 1 or -1, or the whole part.

    Parameters
    ----------
    g, roots
        The model.
    first : int
        The number of the model's parameters; those of the sides follow.

    Attributes
    ----------
    graph : Graph
    roots : list of int
        The right-hand sides.
    deciding : list of int
        What decides on every border, the other borders held.
    whole : list of bool
        Whether the whole part decides.
    """

    def __init__(self, g: Graph, roots: list[int], first: int) -> None:
        self.graph = Graph()
        found = borders(g, roots)
        kinds = list(dict.fromkeys(border for border, _ in found.values()))
        pars = {border: self.graph.node("par", first + k) for k, border in enumerate(kinds)}
        sides = {node: self.graph.neg(pars[b]) if opposite else pars[b] for node, (b, opposite) in found.items()}
        made: dict[int, int] = {}
        wanted = [*roots, *(border.node for border in kinds)]
        for node in g.reachable(wanted):
            side = sides.get(node)
            args = tuple(made[arg] for arg in g.operands(node))
            made[node] = copied(self.graph, g, node, args) if side is None else self._held(g.op[node], args, side)
        self.roots = [made[root] for root in roots]
        self.deciding = [made[border.node] for border in kinds]
        self.whole = [border.whole for border in kinds]

    def _held(self, op: str, args: tuple[int, ...], side: int) -> int:
        h = self.graph
        if op == "call:abs":
            return h.mul(side, args[0])
        if op in ("call:sign", "call:floor"):
            return side
        if op == "call:heaviside":
            return h.mul(h.const(0.5), h.add([h.one, side]))
        if op == "call:max":
            return h.where(side, args[0], args[1])
        return h.where(side, args[1], args[0]) if op == "call:min" else h.where(side, args[1], args[2])


def copied(target: Graph, g: Graph, node: int, args: tuple[int, ...]) -> int:
    """Return a node of one graph in another, where its arguments are `args`."""
    op = g.op[node]
    if op in LEAVES:
        return target.node(op, *g.args[node])
    return target.node(op, args[0], g.args[node][1]) if op == "ipow" else target.node(op, *args)
