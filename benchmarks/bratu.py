"""How the time for a point grows with the number of states: Bratu's problem by second differences.

    python benchmarks/bratu.py [--out bratu.png] [--largest 10000]

Every row is one run of `bifrncrn.diagram` from lam = 0 round the fold and back (about 170 points, the fold located,
its coefficient computed), the faster of two, processor time on one thread. Published alongside: AUTO-07p took 56 ms a
point at n = 200 and 2.1 s at n = 800.
"""

import argparse
import time

import numpy as np

import bifrncrn as bf
from bifrncrn.curves.equilibria import choose

EQUATIONS = (10, 20, 40, 80, 100, 120, 160, 200, 400, 800, 1000)
FUNCTION = (100, 200, 400, 800, 2000, 5000, 10_000)
AUTO = {200: 56.0, 800: 2100.0}


def from_equations(n):
    h2 = float((n + 1) ** 2)

    def u(i):
        return f"u{i}" if 1 <= i <= n else "0"

    equations = {u(i): f"({u(i - 1)} - 2*{u(i)} + {u(i + 1)})*{h2!r} + lam*exp({u(i)})" for i in range(1, n + 1)}
    return bf.System.from_equations(equations, {"lam": 0.0}, title=f"Bratu, {n} points")


def from_function(n):
    from scipy.sparse import diags_array

    h2 = float((n + 1) ** 2)
    off = np.full(n - 1, h2)

    def f(u, p):
        out = -2 * h2 * u + p[0] * np.exp(u)
        out[1:] += h2 * u[:-1]
        out[:-1] += h2 * u[1:]
        return out

    def jacobian(u, p):
        return diags_array([off, p[0] * np.exp(u) - 2 * h2, off], offsets=[-1, 0, 1], format="csr")

    return bf.System.from_function(f, n, {"lam": 0.0}, jacobian=jacobian, title=f"Bratu, {n} points")


def measure(system, stability):
    """Return milliseconds for a point, the number of points, and the fold's parameter."""
    bf.diagram(system, "lam", (0, 4), stability=stability)
    times = []
    for _ in range(2):
        start = time.process_time()
        diagram = bf.diagram(system, "lam", (0, 4), stability=stability)
        times.append(time.process_time() - start)
    points = diagram.counters["points"]
    return 1e3 * min(times) / points, points, diagram.special("LP")[0].parameters["lam"]


def rows(largest):
    """Yield series name, n, and what was measured."""
    above = choose.SPARSE_ABOVE
    for n in (k for k in EQUATIONS if k <= largest):
        yield "equations", n, measure(from_equations(n), False)
        yield "equations, eigenvalues", n, measure(from_equations(n), True)
        if n <= above:  # the other arithmetic, to see where they cross
            choose.SPARSE_ABOVE = 0
            yield "equations, sparse", n, measure(from_equations(n), False)
            yield "equations, eigenvalues, sparse", n, measure(from_equations(n), True)
            choose.SPARSE_ABOVE = above
    for n in (k for k in FUNCTION if k <= largest):
        yield "function", n, measure(from_function(n), False)
        yield "function, eigenvalues", n, measure(from_function(n), True)


def plot(table, path):
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots(figsize=(6.4, 4.4), layout="constrained")
    for name in dict.fromkeys(name for name, _, _ in table):
        points = [(n, result[0]) for series, n, result in table if series == name]
        ax.loglog(*zip(*points, strict=True), "o-", markersize=4, label=name)
    ax.loglog(list(AUTO), list(AUTO.values()), "ks", label="AUTO-07p")
    ax.set_xlabel("states n")
    ax.set_ylabel("milliseconds for a point")
    ax.grid(alpha=0.3)
    ax.legend(fontsize="small")
    figure.savefig(path, dpi=150)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", default="bratu.png", help="the plot (default %(default)s)")
    parser.add_argument("--largest", type=int, default=10_000, help="largest number of states (default %(default)s)")
    options = parser.parse_args()
    print(f"{'series':32} {'n':>6} {'ms/point':>9} {'points':>7}  fold")
    table = []
    for name, n, result in rows(options.largest):
        table.append((name, n, result))
        print(f"{name:32} {n:6d} {result[0]:9.3f} {result[1]:7d}  {result[2]:.13f}", flush=True)
    plot(table, options.out)
    print(f"wrote {options.out}")


if __name__ == "__main__":
    main()
