"""The published problems of the reference folder: every equilibrium point found within 1e-8, none false."""

import json
from pathlib import Path

import numpy as np
import pytest
import sympy

import bifrncrn as bf

FILE = Path(__file__).resolve().parents[2] / "shared" / "reference" / "cases.json"
CASES = json.loads(FILE.read_text())["cases"] if FILE.is_file() else []
LABELS = {"LP": "LP", "H": "HB", "BP": "BP"}
TOLERANCE = 1e-8


def number(value):
    return float(sympy.sympify(value))


def runs():
    """Yield (case, fixed parameter values): a case is run once for each set of values points are published at."""
    for case in CASES:
        if case["kind"] != "ode" or not case["active"]:
            continue
        points = [p for p in case["expected"] if not p.get("active") and "recomputed" in p]
        for fixed in sorted({json.dumps(p.get("fixed") or {}, sort_keys=True) for p in points} or {"{}"}):
            group = [p for p in points if json.dumps(p.get("fixed") or {}, sort_keys=True) == fixed]
            if case.get("expected_none") or any(p["type"] in LABELS for p in group):
                yield pytest.param(case, json.loads(fixed), group, id=f"{case['id']}{'' if fixed == '{}' else fixed}")


def build(case, fixed):
    """Return the system of a case at its start, and the values of its parameters."""
    values = {name: number(v) for name, v in case["parameters"].items()}
    values |= {name: number(v) for name, v in (case["start"].get("params") or {}).items()}
    values |= {name: number(v) for name, v in fixed.items()}
    state = case["start"].get("state")
    if state is None:
        state = next(p["recomputed"]["state"] for p in case["expected"] if p.get("recomputed", {}).get("state"))
    start = dict(zip(case["variables"], [number(v) for v in state], strict=True))
    return bf.System.from_equations(case["equations"], values, start, title=case["id"]), values


def holds(case, values, point):
    """Say whether a reported point satisfies its definition, by the case's own equations in sympy and numpy."""
    names = {name: sympy.Symbol(name) for name in [*case["variables"], *values]}
    field = sympy.Matrix([sympy.sympify(case["equations"][v], locals=names) for v in case["variables"]])
    at = {names[k]: v for k, v in {**values, **point.parameters, **point.state}.items()}
    jacobian = field.jacobian([names[v] for v in case["variables"]])
    f = np.array(field.subs(at), float).ravel()
    eigenvalues = np.linalg.eigvals(np.array(jacobian.subs(at), float))
    scale = max(1.0, np.max(np.abs(eigenvalues)))
    state = np.array(list(point.state.values()))
    zero = np.max(np.abs(f) / (1.0 + np.abs(state))) < 1e-9
    if point.label == "HB":
        pairs = eigenvalues[eigenvalues.imag > 1e-8]
        return zero and len(pairs) > 0 and np.min(np.abs(pairs.real)) < 1e-7 * scale
    return zero and np.min(np.abs(eigenvalues)) < 1e-6 * scale


@pytest.mark.skipif(not CASES, reason="the reference data are not there: ../shared/reference/cases.json")
@pytest.mark.parametrize(("case", "fixed", "group"), list(runs()))
def test_every_published_point_is_found_and_none_is_false(case, fixed, group):
    system, values = build(case, fixed)
    active = case["active"]
    wanted = [p for p in group if p["type"] in LABELS]
    ends = [p["recomputed"]["params"][active] for p in wanted] + [values[active]]
    low, high = case.get("range") or (min(ends) - 1e-3, max(ends) + 1e-3)
    found = bf.diagram(system, active, (min(low, *ends), max(high, *ends)))
    assert all(point.status == "converged" for point in found.special_points)
    if case.get("expected_none"):
        assert not found.special_points
    for point in found.special_points:
        assert holds(case, values, point), point
    for neutral in (p for p in group if p["type"] == "NSAD"):
        value = neutral["recomputed"]["params"][active]
        assert all(abs(point.parameters[active] - value) > 1e-6 for point in found.special("HB"))
    for want in wanted:
        truth = want["recomputed"]
        reported = [p for p in found.special(LABELS[want["type"]]) if near(p, truth, case["variables"])]
        assert reported, (want["type"], truth["params"])
        check_coefficients(reported[0], truth)


def near(point, truth, variables):
    """Say whether a reported point is the published one."""
    parameters = all(
        abs(point.parameters[k] - v) <= TOLERANCE * (1.0 + abs(v))
        for k, v in truth["params"].items()
        if k in point.parameters
    )
    states = zip(variables, truth.get("state") or [], strict=False)
    return parameters and all(abs(point.state[name] - v) <= 1e-5 * (1.0 + abs(v)) for name, v in states)


def check_coefficients(point, truth):
    """Compare frequency and normal form coefficients with those recomputed to 50 digits."""
    if truth.get("omega") is not None:
        assert point.omega == pytest.approx(truth["omega"], rel=1e-7)
    if truth.get("l1_kuznetsov") is not None:
        assert point.l1 == pytest.approx(truth["l1_kuznetsov"], rel=1e-5, abs=1e-9)
    if point.label == "LP" and truth.get("a") is not None:
        assert abs(point.a) == pytest.approx(abs(truth["a"]), rel=1e-5)
