"""Large systems: sparse bordered solves against full ones, Bratu's folds, exact branch points and Hopf points."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import bifrncrn as bf

FOLDS = {50: 3.5131277926157707, 200: 3.513785470018393, 800: 3.5138278698526064}


def neighbours(i, n, name="u", mirror=False):
    left = f"{name}{i - 1}" if i > 1 else (f"{name}1" if mirror else "0")
    right = f"{name}{i + 1}" if i < n else (f"{name}{n}" if mirror else "0")
    return f"({left} - 2*{name}{i} + {right})"


def bratu(n):
    """u'' + lam exp(u) = 0 on (0, 1), u = 0 at the ends, by second differences at n inner points."""
    h2 = float((n + 1) ** 2)
    equations = {f"u{i}": f"{neighbours(i, n)}*{h2!r} + lam*exp(u{i})" for i in range(1, n + 1)}
    return bf.System.from_equations(equations, {"lam": 0.0}, title=f"Bratu, {n} points")


def bratu_function(n, exact_jacobian=True):
    """The same as a short Python function; scipy's sparse Jacobian, or its structure only."""
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

    structure = diags_array([off, np.ones(n), off], offsets=[-1, 0, 1])
    more = {"jacobian": jacobian} if exact_jacobian else {"sparsity": structure}
    return bf.System.from_function(f, n, {"lam": 0.0}, **more)


def chafee_infante(n):
    """u_t = u_xx + lam (u - u^3), u = 0 at the ends: pitchforks of u = 0 at the eigenvalues of -u_xx."""
    h2 = float((n + 1) ** 2)
    equations = {f"u{i}": f"{neighbours(i, n)}*{h2!r} + lam*(u{i} - u{i}**3)" for i in range(1, n + 1)}
    return bf.System.from_equations(equations, {"lam": 5.0})


def brusselator(n, diffusion=0.02):
    """The Brusselator with diffusion, no flux at the ends: Hopf points at B = 2 + 2 d mu, mu an eigenvalue of -u_xx."""
    h2 = float(n * n)
    equations = {}
    for i in range(1, n + 1):
        equations[f"x{i}"] = f"1 - (B + 1)*x{i} + x{i}^2*y{i} + d*{h2!r}*{neighbours(i, n, 'x', True)}"
        equations[f"y{i}"] = f"B*x{i} - x{i}^2*y{i} + d*{h2!r}*{neighbours(i, n, 'y', True)}"
    # species by species, so that the order must be found
    names = [f"x{i}" for i in range(1, n + 1)] + [f"y{i}" for i in range(1, n + 1)]
    return bf.System.from_equations(equations, {"B": 1.0, "d": diffusion}, dict.fromkeys(names, 1.0))


def fold(diagram):
    (point,) = diagram.special("LP")
    return point.parameters["lam"]


# -- linear algebra ---------------------------------------------------------------------------------------------


# -- the same answers as with full matrices ---------------------------------------------------------------------


def test_pitchforks_where_they_are():
    n = 150
    diagram = bf.diagram(chafee_infante(n), "lam", (0, 60))
    exact = [4 * (n + 1) ** 2 * np.sin(k * np.pi / (2 * (n + 1))) ** 2 for k in (1, 2)]
    assert [p.parameters["lam"] for p in diagram.special("BP")] == pytest.approx(exact, rel=1e-10)
    assert len(diagram.branches) == 3
    assert set(diagram.branches[1].unstable.tolist()) == {0}


def test_hopf_points_where_they_are():
    n, d = 150, 0.02
    diagram = bf.diagram(brusselator(n, d), "B", (0.5, 3))
    exact = [2 + 2 * d * 4 * n * n * np.sin(k * np.pi / (2 * n)) ** 2 for k in (0, 1)]
    assert [p.parameters["B"] for p in diagram.special("HB")] == pytest.approx(exact, rel=1e-10)
    # the first is the Hopf point of the well-stirred system, its vectors spread over n cells
    alone = bf.diagram(bf.library.get("brusselator"), "B", (0.5, 3)).special("HB")[0]
    assert diagram.special("HB")[0].l1 == pytest.approx(alone.l1 / n, rel=1e-6)


# -- Bratu ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [50, 200])
@pytest.mark.parametrize("stability", [True, False])
def test_bratu_fold(n, stability):
    diagram = bf.diagram(bratu(n), "lam", (0, 4), stability=stability)
    assert fold(diagram) == pytest.approx(FOLDS[n], abs=1e-11)
    (branch,) = diagram.branches
    assert set(branch.unstable.tolist()) == ({0, 1} if stability else {-1})
    assert branch.eigenvalues.shape[1] == (n if stability else 0)


@pytest.mark.parametrize("exact_jacobian", [True, False])
def test_bratu_as_a_python_function(exact_jacobian):
    diagram = bf.diagram(bratu_function(200, exact_jacobian), "lam", (0, 4), stability=False)
    assert fold(diagram) == pytest.approx(FOLDS[200], abs=1e-11)


def test_work_does_not_grow_with_the_grid():
    counts = [bf.diagram(bratu_function(n), "lam", (0, 4), stability=False).counters["points"] for n in (150, 1200)]
    assert abs(counts[0] - counts[1]) < 0.1 * counts[0]


def test_command_line_and_json(tmp_path):

    model, out = tmp_path / "bratu.toml", tmp_path / "out.json"
    model.write_text(bratu(130).to_toml())
    arguments = ["diagram", str(model), "--parameter", "lam", "--range", "0", "4", "--no-stability", "--json", str(out)]
    assert bf.main(arguments) == 0
    data = json.loads(out.read_text())
    assert set(data["branches"][0]["unstable"]) == {None}
    loaded = bf.Diagram.load(out)
    assert set(loaded.branches[0].unstable.tolist()) == {-1}
    assert any("Stability was not computed" in note for note in loaded.notes)


def test_bratu_with_800_points():
    assert fold(bf.diagram(bratu(800), "lam", (0, 4))) == pytest.approx(FOLDS[800], abs=1e-11)


def test_ten_thousand_points():
    diagram = bf.diagram(bratu_function(10_000), "lam", (0, 4), stability=False)
    exact, h2 = 3.513830719125162, (1 / 10_001) ** 2  # of the differential equation; the error is of second order
    coefficient = (FOLDS[800] - exact) * 801**2
    assert fold(diagram) == pytest.approx(exact + coefficient * h2, abs=1e-9)


@pytest.mark.slow
def test_ten_thousand_points_in_little_memory():
    pytest.importorskip("resource")
    code = (
        "import resource, test_large, bifrncrn as bf\n"
        "bf.diagram(test_large.bratu_function(10_000), 'lam', (0, 4))\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    folder = Path(__file__).parent
    path = _with_path(folder.parent)
    run = subprocess.run([sys.executable, "-c", code], cwd=folder, env=path, capture_output=True, check=True)
    assert int(run.stdout) < (1e9 if sys.platform == "darwin" else 1e6)  # 1 GB


def _with_path(folder):
    return dict(os.environ, PYTHONPATH=os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH")])))


# -- refusals ---------------------------------------------------------------------------------------------------


def test_what_is_not_for_large_systems():
    with pytest.raises(bf.InputError, match="unconnected branches"):
        bf.diagram(bratu(130), "lam", (0, 4), all=True)
    with pytest.raises(bf.InputError, match="pycont"):
        bf.diagram(bratu(130), "lam", (0, 4), engine="pycont")


def test_conserved_sum_is_noticed():
    n = 210
    equations = {f"u{i}": f"{neighbours(i, n, mirror=True)}*r" for i in range(1, n + 1)}
    system = bf.System.from_equations(equations, {"r": 1.0}, {f"u{i}": 1.0 for i in range(1, n + 1)})
    with pytest.raises(bf.InputError, match="conserved"):
        bf.diagram(system, "r", (0.5, 2))


def test_cycles_of_many_states_mind_the_time_limit():
    """Fifty cells of the Brusselator on a ring: the first orbit alone takes longer."""
    equations = {}
    for i in range(50):
        for name, rate in (("x", f"1 + x{i}^2*y{i} - (p + 1)*x{i}"), ("y", f"p*x{i} - x{i}^2*y{i}")):
            equations[f"{name}{i}"] = f"{rate} + 40*({name}{(i - 1) % 50} - 2*{name}{i} + {name}{(i + 1) % 50})"
    start = {name: 1.0 if name[0] == "x" else 1.5 for name in equations}
    hopf = bf.diagram(bf.System.from_equations(equations, {"p": 1.5}, start), "p", (1.5, 2.05)).special("HB")[0]
    assert hopf.parameters["p"] == pytest.approx(2.0, abs=1e-9)
    begun = time.monotonic()
    with pytest.raises(bf.ConvergenceError, match=r"the time limit of 0\.1 s was reached"):
        bf.orbits(hopf, options=bf.Options(seconds=0.1))
    assert time.monotonic() - begun < 2.0  # one elimination of 20 intervals takes a second
