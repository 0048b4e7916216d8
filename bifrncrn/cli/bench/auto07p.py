"""AUTO-07p, where it is installed: the model as C with exact derivatives, compiled and linked as AUTO's own scripts do.

Every run is a process of AUTO for each direction; its time is that of AUTO's own clock ("Total Time"), which counts
neither the start of the process nor the compilation. Branches are switched at branch points by AUTO itself (MXBF).
"""

from __future__ import annotations

import math
import os
import re
import shutil
import subprocess
import tempfile
import weakref
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from bifrncrn.base.errors import ConvergenceError, InputError
from bifrncrn.cli.bench.engines import Job, Outcome, Run
from bifrncrn.compile.derivatives import jacobian
from bifrncrn.compile.graph import LEAVES, Graph
from bifrncrn.curves.equilibria.problem import EquilibriumProblem
from bifrncrn.curves.equilibria.start import find_start
from bifrncrn.models.equations import build_graph

LABELS = {1: "BP", 2: "LP", 3: "HB"}
"""AUTO's types of special points, by the last digit of the number in its files."""
ARCHIVE = "libauto_c.a"

_ARGUMENTS = """#include "auto_f2c.h"

static double times(double a, double b) { return a == 0.0 ? 0.0 : a*b; }
static double signum(double a) { return a > 0.0 ? 1.0 : a < 0.0 ? -1.0 : a; }
static double heaviside(double a) { return a > 0.0 ? 1.0 : a < 0.0 ? 0.0 : a + 0.5; }
static double root(double z, double g, double t)
{
    double q = sqrt(z*z + 4.0*g*t);
    return z >= 0.0 ? (z + q)/(2.0*t) : 2.0*g/(q - z);
}

int func(integer ndim, const doublereal *u, const integer *icp, const doublereal *par, integer ijac,
         doublereal *f, doublereal *dfdu, doublereal *dfdp)
{
"""
_UNUSED = """
int bcnd(integer ndim, const doublereal *par, const integer *icp, integer nbc, const doublereal *u0,
         const doublereal *u1, integer ijac, doublereal *f, doublereal *dbc) { return 0; }
int icnd(integer ndim, const doublereal *par, const integer *icp, integer nint, const doublereal *u,
         const doublereal *uold, const doublereal *udot, const doublereal *upold, integer ijac,
         doublereal *fi, doublereal *dint) { return 0; }
int fopt(integer ndim, const doublereal *u, const integer *icp, const doublereal *par, integer ijac,
         doublereal *fs, doublereal *dfdu, doublereal *dfdp) { return 0; }
int pvls(integer ndim, const doublereal *u, doublereal *par) { return 0; }
"""
_CALLS = {
    "abs": "fabs",
    "sign": "signum",
    "min": "fmin",
    "max": "fmax",
    "besselj": "jn",
    "rncrn_s": "root",
}
"""Functions that C calls something else."""


def home() -> Path | None:
    """Return AUTO's folder, found from its executable or from AUTO_DIR; None where it or a compiler is missing."""
    executable = shutil.which("auto-07p") or shutil.which("auto")
    if executable is None or shutil.which("gcc") is None or shutil.which("gfortran") is None:
        return None
    prefix = Path(executable).resolve().parent.parent
    named = [Path(os.environ["AUTO_DIR"])] if os.environ.get("AUTO_DIR") else []
    folders = [*named, prefix, prefix / "lib" / "auto-07p"]
    return next((folder for folder in folders if (folder / "lib" / ARCHIVE).is_file()), None)


def prepare(job: Job) -> Run:
    """Compile a model for AUTO and return what runs it in both directions.

    Raises
    ------
    InputError
        If AUTO or a compiler is missing, or the model does not compile.
    ConvergenceError
        If no equilibrium is found from the start.
    """
    found = home()
    if found is None:
        raise InputError("AUTO-07p (its executable auto-07p or auto, with gcc and gfortran) is not installed")
    job = _on_branch(job)
    path = Path(tempfile.mkdtemp(prefix="bifrncrn-auto-"))
    low, high = job.bounds
    ways = [constants(job, sign) for sign, end in ((1.0, high), (-1.0, low)) if job.first != end]

    def run() -> Outcome:
        outcomes = [_trace(path, text, job) for text in ways]
        return Outcome(
            sum(outcome.points for outcome in outcomes),
            [point for outcome in outcomes for point in outcome.special],
            sum(outcome.seconds or 0.0 for outcome in outcomes),
        )

    weakref.finalize(run, shutil.rmtree, path, ignore_errors=True)
    (path / "model.c").write_text(c_source(job), encoding="ascii")
    _compile(path, found)
    return run


def constants(job: Job, sign: float) -> str:
    """Return AUTO's file of constants, for one direction; tolerances and steps as tight as those of other engines.

    ITNW as its manual recommends: with more corrections it leaps from sheet to sheet of an S-shaped branch.
    """
    low, high = job.bounds
    return f"""NDIM={len(job.system.variables)}, IPS=1, IRS=0, ILP=1, ISP=2, ISW=1, MXBF=20
ICP=[1], NTST=1, NCOL=4, IAD=3, IPLT=0, NBC=0, NINT=0, NPAR=1, JAC=1
NMX=4000, NPR=1000000, IID=0, ITMX=20, ITNW=7, NWTN=3
EPSL=1e-10, EPSU=1e-10, EPSS=1e-10
DS={sign * 0.1 * job.step!r}, DSMIN={1e-6 * job.step!r}, DSMAX={job.step!r}, IADS=1
RL0={float(low)!r}, RL1={float(high)!r}, A0=-1.0, A1=1e9, THL={{}}, THU={{}}
UZSTOP={{1: [{float(low)!r}, {float(high)!r}]}}
"""


def parse(branches: str, solutions: str, screen: str) -> Outcome:
    """Read what AUTO wrote: its files fort.7 (a line for each point) and fort.8 (labelled points), and its screen.

    Raises
    ------
    ConvergenceError
        If it did not run to its end.
    """
    clock = re.search(r"Total Time\s+(\S+)", screen)
    if clock is None:
        last = (screen.strip().splitlines() or ["no output"])[-1].strip()
        raise ConvergenceError(f"AUTO did not finish: {last}")
    points = sum(line.split(None, 1)[0] != "0" for line in branches.splitlines() if line.strip())
    return Outcome(points, _special(solutions.splitlines()), float(clock.group(1)))


def _special(lines: Sequence[str]) -> list[tuple[str, float, list[float]]]:
    """Read fort.8: for each point a line of integers, of which the ninth says how many lines of numbers follow."""
    special = []
    at = 0
    while at < len(lines):
        head = [int(word) for word in lines[at].split()]
        kind, width, rows = head[2], head[7], head[8]
        words = " ".join(lines[at + 1 : at + 1 + rows]).split()
        at += 1 + rows
        label = LABELS.get(abs(kind) % 10)
        if label is not None and kind > 0:
            # time and state, the parameter's number and its slope, the state's slopes, the parameters
            state = [_number(word) for word in words[1:width]]
            special.append((label, _number(words[2 * width + 1]), state))
    return special


def _number(word: str) -> float:
    """Read a number of Fortran, which leaves out the E before an exponent of three digits."""
    return float(re.sub(r"(\d)([+-]\d{3})$", r"\1E\2", word))


def _on_branch(job: Job) -> Job:
    """Return the job from an equilibrium: AUTO takes the start as it is, and traces nothing from a rough one."""
    problem = EquilibriumProblem(job.system, job.system.parameter_index(job.parameter))
    y, _ = find_start(problem, np.append(job.system.state, job.first))
    return replace(job, system=job.system.with_(state=y[:-1]), first=float(y[-1]))


def _compile(path: Path, found: Path) -> None:
    library = found / "lib"
    objects = sorted(str(file) for file in library.glob("*.o"))
    commands = [
        ["gcc", "-O2", f"-I{found / 'include'}", "-c", "model.c", "-o", "model.o"],
        ["gfortran", "-O2", "-fopenmp", "model.o", "-o", "model.exe", *objects, f"-L{library}", "-lauto_c", "-lm"],
    ]
    for command in commands:
        done = subprocess.run(command, cwd=path, capture_output=True, text=True, check=False)
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise InputError(f"{command[0]} could not compile the model for AUTO: {last}")


def _trace(path: Path, text: str, job: Job) -> Outcome:
    branches, solutions = path / "fort.7", path / "fort.8"
    branches.write_text("", encoding="ascii")
    solutions.write_text("", encoding="ascii")
    command = [str(path / "model.exe")]
    done = subprocess.run(command, cwd=path, input=text, capture_output=True, text=True, check=False)
    screen = done.stdout if done.returncode == 0 else done.stdout + done.stderr
    outcome = parse(branches.read_text(encoding="ascii"), solutions.read_text(encoding="ascii"), screen)
    if outcome.points == 0:
        raise ConvergenceError(f"AUTO found no point at {job.parameter} = {job.first:g}")
    low, high = job.bounds
    inside = [point for point in outcome.special if low <= point[1] <= high]
    return Outcome(outcome.points, inside, outcome.seconds)


# -- the model in C -------------------------------------------------------------------------------------------------


def c_source(job: Job) -> str:
    """Return the model as AUTO's user functions in C: f and its derivatives by the states and by the parameter.

    The active parameter is AUTO's first, all others are numbers.
    """
    system = job.system
    n = len(system.variables)
    # the parameter is a further variable, so that the Jacobian has a column for it
    others = [name for name in system.parameters if name != job.parameter]
    names = [*system.variables, job.parameter]
    graph, roots, _ = build_graph(names, others, {**system.equations, job.parameter: "0"}, system.definitions)
    rows = jacobian(graph, roots[:n])
    numbers = {other: float(system.values[system.parameter_index(other)]) for other in others}
    leaves = {"var": [*(f"u[{i}]" for i in range(n)), "par[0]"], "par": [_literal(numbers[name]) for name in others]}
    entries = {f"dfdu[{i + k * n}]": node for i, row in enumerate(rows) for k, node in row.items() if k < n}
    by_parameter = {f"dfdp[{i}]": row.get(n, graph.zero) for i, row in enumerate(rows)}
    done: set[int] = set()
    body = _stores(graph, {f"f[{i}]": root for i, root in enumerate(roots[:n])}, leaves, done)
    body += ["if (ijac == 0) return 0;", f"for (int i = 0; i < {n * n}; i++) dfdu[i] = 0.0;"]
    body += _stores(graph, entries, leaves, done)
    body += ["if (ijac == 1) return 0;", *_stores(graph, by_parameter, leaves, done), "return 0;"]
    start = [f"u[{i}] = {_literal(value)};" for i, value in enumerate(system.state.tolist())]
    start += [f"par[0] = {_literal(job.first)};", "return 0;"]
    begin = "int stpnt(integer ndim, doublereal t, doublereal *u, doublereal *par)\n{\n"
    return f"{_ARGUMENTS}{_block(body)}}}\n\n{begin}{_block(start)}}}\n{_UNUSED}"


def _block(lines: Iterable[str]) -> str:
    return "".join(f"    {line}\n" for line in lines)


def _stores(graph: Graph, targets: dict[str, int], leaves: dict[str, list[str]], done: set[int]) -> list[str]:
    """Return statements that compute and store nodes; `done` are those computed before, and is added to."""

    def text(node: int) -> str:
        op = graph.op[node]
        if op == "const":
            return _literal(graph.args[node][0])
        return leaves[op][graph.args[node][0]] if op in leaves else f"t{node}"

    lines = []
    for node in graph.reachable(list(targets.values())):
        if graph.op[node] not in LEAVES and node not in done:
            done.add(node)
            lines.append(f"double t{node} = {_operation(graph, node, [text(k) for k in graph.operands(node)])};")
    return [*lines, *(f"{target} = {text(node)};" for target, node in targets.items())]


def _operation(graph: Graph, node: int, operands: list[str]) -> str:
    op = graph.op[node]
    infix = {"add": " + ", "mul": "*", "div": "/"}
    if op in infix:
        return infix[op].join(operands)
    if op == "neg":
        return f"-{operands[0]}"
    if op == "ipow":
        return "*".join(operands * int(graph.args[node][1]))
    if op == "where":
        return f"{operands[0]} >= 0.0 ? {operands[1]} : {operands[2]}"
    name = {"pow": "pow", "mulz": "times"}.get(op) or op.removeprefix("call:")
    if name == "besselj":
        operands = [f"(int) {operands[0]}", operands[1]]
    return f"{_CALLS.get(name, name)}({', '.join(operands)})"


def _literal(value: float) -> str:
    """Write a number as C reads it, in parentheses where it has a sign."""
    if not math.isfinite(value):
        raise InputError(f"AUTO cannot be given the number {value} in an equation")
    return f"({value!r})" if math.copysign(1.0, value) < 0.0 else repr(value)
