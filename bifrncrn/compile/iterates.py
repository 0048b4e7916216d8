"""The iterates of a map as a graph: the map put into itself."""

from __future__ import annotations

from bifrncrn.compile.borders import copied
from bifrncrn.compile.graph import Graph


def iterate(g: Graph, roots: list[int], count: int) -> tuple[Graph, list[int]]:
    """Return the graph of the map applied `count` times, and the nodes of its components.

    Every application is computed once; derivatives, error bounds and borders of the whole follow by the chain rule, as
    from any other graph.
    """
    out = Graph()
    state = [out.node("var", i) for i in range(len(roots))]
    order = g.reachable(roots)
    for _ in range(count):
        made: dict[int, int] = {}
        for node in order:
            if g.op[node] == "var":
                made[node] = state[g.args[node][0]]
            else:
                made[node] = copied(out, g, node, tuple(made[arg] for arg in g.operands(node)))
        state = [made[root] for root in roots]
    return out, state


def displacement(g: Graph, roots: list[int], count: int) -> tuple[Graph, list[int]]:
    """Return the graph of f^count(x) - x: zero where x is a point of a cycle of that many points."""
    out, state = iterate(g, roots, count)
    return out, [out.sub(node, out.node("var", i)) for i, node in enumerate(state)]
