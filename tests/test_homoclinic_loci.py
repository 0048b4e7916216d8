"""Homoclinic orbits in two parameters: against published values, closed forms, and shooting at other values.

AUTO prints its points to five digits or so (3e-5). Shooting and the truncated orbits of a curve agree to 1e-7, as their
distances from the saddle, 1e-4 of the orbit's extent, count squared; conditions on eigenvalues hold to 1e-6 where a
double one moves by the root of an error. A branch of cycles ends before its orbit is homoclinic (1e-6).
"""

import json

import numpy as np
import pytest

import bifrncrn as bf

CIRCUIT = {
    "x": "(-(be + nu)*x + be*y - 0.328578*x^3 + 0.933578*(y - x)^3)/0.6",
    "y": "be*x - be*y - z - 0.933578*(y - x)^3",
    "z": "y",
}
LORENZ = {"x": "sigma*(y - x)", "y": "rho*x - y - x*z", "z": "x*y - 8/3*z"}
LOOP = {"x": "y", "y": "x - x^2 + mu*(lam + x)*y"}


def at(found, second, value):
    """The first parameter where a curve ends at a value of the second."""
    branch = found.branches[0]
    row = int(np.argmin(np.abs(branch.column(second) - value)))
    assert branch.column(second)[row] == pytest.approx(value, abs=1e-12)
    return branch.points[row, 0]


def test_the_electronic_circuit_of_the_demonstration_cir():
    model = bf.System.from_equations(CIRCUIT, {"nu": -0.9, "be": 0.6}, {"x": 0.0, "y": 0.0, "z": 0.0})
    start = bf.find_homoclinic(model, "nu", (-0.76, -0.69))
    found = bf.locus(start, "be", (0.45, 0.75))
    assert found.branches[0].kind == "homoclinic" and found.branches[0].columns == ("nu", "be", "x", "y", "z")
    # AUTO-07p's manual, chapter 21.2, printed to five or six digits from orbits over a time of 200
    for label, be, nu in (("DRS", 0.742873, -0.759058), ("NSS", 0.591232, -0.7204), ("NDS", 0.453564, -0.725693)):
        (point,) = found.special(label)
        assert [point.parameters["be"], point.parameters["nu"]] == pytest.approx([be, nu], abs=3e-5)
        assert point.status == "converged" and point.residual < 1e-11
        # and what the label says holds of the saddle itself
        jacobian = model.with_(values=point.parameters).jacobian([0.0, 0.0, 0.0])
        values = np.linalg.eigvals(jacobian)
        values = values[np.argsort(-values.real)]
        assert point.eigenvalues == pytest.approx(values, abs=1e-6)
        defect = {
            "NSS": values[0].real + values[1].real,
            "NDS": np.sum(values.real),
            "DRS": (values[1] - values[2]) ** 2,  # a double eigenvalue moves by the root of what the matrix does
        }[label]
        assert abs(defect) < 1e-9
    times, states = found.branches[0].orbit(0)
    assert len(times) == len(states) and np.ptp(states[:, 0]) > 0.3


def test_lorenz():
    model = bf.System.from_equations(LORENZ, {"rho": 13.0, "sigma": 10.0}, {"x": 0.0, "y": 0.0, "z": 0.0})
    found = bf.locus(bf.find_homoclinic(model, "rho", (13, 15), steps=4), "sigma", (9.0, 12.0))
    for sigma in (9.0, 12.0):
        own = bf.find_homoclinic(model, "rho", (13, 16), steps=4, values={"sigma": sigma})
        assert at(found, "sigma", sigma) == pytest.approx(own.value, abs=1e-7)


def test_a_loop_in_closed_form():
    # lam tends to -6/7 as mu goes to zero, with an even error: Kuznetsov, section 8.4.4, by Melnikov's integral
    model = bf.System.from_equations(LOOP, {"lam": -0.8, "mu": 0.1}, {"x": 0.0, "y": 0.0})
    found = bf.locus(bf.find_homoclinic(model, "lam", (-1, -0.7)), "mu", (5e-4, 0.2))
    assert at(found, "mu", 5e-4) == pytest.approx(-6 / 7, abs=1e-7)
    assert at(found, "mu", 0.2) == pytest.approx(
        bf.find_homoclinic(model, "lam", (-1, -0.7), values={"mu": 0.2}).value, abs=1e-8
    )


def test_the_homoclinic_ends_of_cycles_on_the_command_line(tmp_path):
    out = tmp_path / "out.json"
    words = ["--parameter", "D", "--range", "0", "0.16", "--second", "beta", "--second-range", "1.98", "2.02"]
    assert bf.main(["diagram", "ab_reaction", *words, "--orbits", "--json", str(out)]) == 0
    data = json.loads(out.read_text())
    (curve,) = [branch for branch in data["branches"] if branch["kind"] == "homoclinic"]
    assert curve["columns"] == ["D", "beta", "u1", "u2"]
    ends = {row[1]: row[0] for row in (curve["points"][0], curve["points"][-1])}
    loaded = bf.Diagram.load(out)
    assert loaded.branches[-1].kind == "homoclinic" and len(loaded.branches[-1].profiles) == len(curve["points"])
    # the cycles at another value of beta end there
    model = bf.load_model("ab_reaction").with_(values={"beta": 2.02})
    (hopf,) = bf.diagram(model, "D", (0, 0.16)).special("HB")
    cycles = bf.orbits(hopf)
    assert cycles.ended[1].reason == "homoclinic"
    assert ends[2.02] == pytest.approx(cycles.points[-1, 0], abs=1e-6)


def test_what_is_refused():
    model = bf.System.from_equations(LOOP, {"lam": -0.8, "mu": 0.1}, {"x": 0.0, "y": 0.0})
    found = bf.find_homoclinic(model, "lam", (-1, -0.7))
    with pytest.raises(bf.InputError, match="leaves out its value"):
        bf.locus(found, "mu", (0.2, 0.3))
    with pytest.raises(bf.InputError, match="first as well"):
        bf.locus(found, "lam", (-1, 0))


def test_the_curve_ends_where_the_saddle_becomes_a_node():
    # AUTO-07p's demonstration mtn: the homoclinic orbits become those of a saddle-node at K = 6.61046, GF = 0.0693248
    model = bf.System.from_equations(
        {"u": "u*(1 - u/K)/2 - v*Z + K/100", "v": "0.6*Z*v - 0.15*v - GF*v^2/(v^2 + 0.25)"},
        {"GF": 0.05, "K": 7.5},
        {"u": 1.0, "v": 2.0},
        definitions={"Z": "0.4*u/(0.6 + u)"},
    )
    cycles = bf.orbits(bf.find_cycle(model), (0.03, 0.12), parameter="GF")
    assert cycles.ended[1].reason == "homoclinic"
    found = bf.with_loci(cycles, "K", (3.0, 9.0))
    (curve,) = [branch for branch in found.branches if branch.kind == "homoclinic"]
    assert set(curve.unstable) == {1}  # a saddle all along
    (end,) = found.special("NCH")
    assert end.status == "bracketed" and end.bracket[0] < 6.61046 < end.bracket[1]
    assert {e.reason for e in curve.ended} == {"saddle", "range"}
