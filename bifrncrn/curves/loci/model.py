"""The compiled functions a locus needs of a model beside those of its equilibria: derivatives by two parameters."""

from __future__ import annotations

from bifrncrn.compile.graph import Graph
from bifrncrn.compile.model import NativeModel

ARGUMENTS = ("x", "p", "dx", "dp", "out")


class PlaneModel(NativeModel):
    """A model of n variables with two of its parameters free, z = (x, p1, p2).

    All functions are `void name(x, p, dx, dp, out)` as those of a `NativeModel`, the parameters being in `p`.

    Parameters
    ----------
    native : NativeModel
    first, second : int
        The indices of the two parameters.
    """

    def __init__(self, native: NativeModel, first: int, second: int) -> None:
        super().__init__(native.n, native.m, f"plane {native.key} {first} {second}", lambda: native.graph)
        self.moved = {first: native.n, second: native.n + 1}

    @property
    def plane(self) -> int:
        """Address of the function that writes F (n), then dF/dz (n, n + 2) row by row."""
        return self._address("plane")

    @property
    def gradient(self) -> int:
        """Address of the function that writes the derivative by z of w' (dF/dz) v, (n + 2), w = dp (n), v = dx."""
        return self._address("gradient")

    @property
    def fifth(self) -> int:
        """Address of the function that writes the first five derivatives along (dx, 0, 0), (5, n), to out."""
        return self._address("fifth")

    def ir(self, name: str) -> str:
        """Return the LLVM IR of one of the functions."""
        from bifrncrn.compile.codegen import Output, function_ir
        from bifrncrn.compile.derivatives import Directional, jacobian

        g, roots = self.graph
        n = self.n
        if name == "fifth":
            orders = Directional(g, state=True, parameters=False).derivatives(roots, 5)
            outputs = [Output("out", k * n + i, orders[k][i]) for i in range(n) for k in range(5)]
            return function_ir(g, name, ARGUMENTS, outputs)
        if name == "gradient":
            (row,) = jacobian(g, [self._contracted(g, roots)], self.moved)
            outputs = [Output("out", column, node) for column, node in row.items()]
            return function_ir(g, name, ARGUMENTS, outputs, {"out": n + 2})
        outputs = []
        for i, row in enumerate(jacobian(g, roots, self.moved)):
            outputs.append(Output("out", i, roots[i]))
            outputs += [Output("out", n + i * (n + 2) + column, node) for column, node in row.items()]
        return function_ir(g, name, ARGUMENTS, outputs, {"out": n * (n + 3)})

    def _contracted(self, g: Graph, roots: list[int]) -> int:
        """Return the node of w' (dF/dz) v."""
        from bifrncrn.compile.derivatives import Directional

        (along,) = Directional(g, state=True, parameters=False, moved=self.moved).derivatives(roots, 1)
        return g.add([g.mul(g.node("dpar", i), node) for i, node in enumerate(along)])
