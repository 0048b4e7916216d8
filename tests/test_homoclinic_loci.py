"""Homoclinic orbits in two parameters: against published values, closed forms, and shooting at other values.

AUTO prints its points to five digits or so (3e-5). Shooting and the truncated orbits of a curve agree to 1e-7, as their
distances from the saddle, 1e-4 of the orbit's extent, count squared; conditions on eigenvalues hold to 1e-6 where a
double one moves by the root of an error. A branch of cycles ends before its orbit is homoclinic (1e-6).
"""

import json

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

import bifrncrn as bf

CIRCUIT = {
    "x": "(-(be + nu)*x + be*y - 0.328578*x^3 + 0.933578*(y - x)^3)/0.6",
    "y": "be*x - be*y - z - 0.933578*(y - x)^3",
    "z": "y",
}
LORENZ = {"x": "sigma*(y - x)", "y": "rho*x - y - x*z", "z": "x*y - 8/3*z"}
SANDSTEDE = {
    "x": "a*x + b*y - a*x^2 + (split - al*z)*x*(2 - 3*x)",
    "y": "b*x + a*y - 1.5*b*x^2 - 1.5*a*x*y - (split - al*z)*2*y",
    "z": "c*z + mu*x + al*be*(x^2*(1 - x) - y^2)",
}
VALUES = {"a": 0.25, "b": 1.0, "c": -2.0, "al": 1.0, "be": 1.0, "mu": 0.0, "split": 0.01}
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


def backward(equations):
    """The same orbits, gone along the other way."""
    return {name: f"-({text})" for name, text in equations.items()}


def test_the_circuit_backward():
    # what is stable and what is unstable change places, and nothing else
    model = bf.System.from_equations(backward(CIRCUIT), {"nu": -0.9, "be": 0.6}, {"x": 0.0, "y": 0.0, "z": 0.0})
    found = bf.locus(bf.find_homoclinic(model, "nu", (-0.76, -0.69)), "be", (0.45, 0.75))
    assert {point.label for point in found.special_points} == {"DRU", "NSS", "NDU"}
    for label, be, nu in (("DRU", 0.742873, -0.759058), ("NDU", 0.453564, -0.725693)):
        (point,) = found.special(label)
        assert [point.parameters["be"], point.parameters["nu"]] == pytest.approx([be, nu], abs=3e-5)


@pytest.mark.parametrize("turned", [False, True])
def test_flips_in_sandstedes_model(turned):
    # Sandstede, J. Dynam. Differ. Equ. 9, 1997, 269: where mu and split are zero x^2 (1 - x) = y^2 is homoclinic
    model = bf.System.from_equations(backward(SANDSTEDE) if turned else SANDSTEDE, VALUES, {"x": 0, "y": 0, "z": 0})
    start = bf.find_homoclinic(model, "split", (-0.05, 0.06), values={"be": 0.0, "a": 0.5, "b": 3.0})
    flips = bf.locus(start, "mu", (-0.1, 0.1)).special_points
    assert [point.label for point in flips] == ["OFU" if turned else "OFS"]
    assert [flips[0].parameters["mu"], flips[0].parameters["split"]] == pytest.approx([0.0, 0.0], abs=1e-8)
    flips = bf.locus(bf.find_homoclinic(model, "split", (-0.05, 0.06)), "al", (0.9, 1.4)).special_points
    assert [point.label for point in flips] == ["IFU" if turned else "IFS"]

    def share(al):
        """The share of the leading stable direction in the adjoint solution, where the orbit begins."""
        a, b, c = VALUES["a"], VALUES["b"], VALUES["c"]

        def jacobian(x, y):
            return np.array(
                [
                    [a - 2 * a * x, b, -al * x * (2 - 3 * x)],
                    [b - 3 * b * x - 1.5 * a * y, a - 1.5 * a * x, 2 * al * y],
                    [al * x * (2 - 3 * x), -2 * al * y, c],
                ]
            )

        def flow(_, w):  # x = 1 - s^2, y = x s, from s = 1 to -1; backward
            x = 1 - w[0] ** 2
            return np.append((a * w[0] + b) * x / 2, jacobian(x, x * w[0]).T @ w[1:])

        def arrived(_, w):
            return w[0] - 1 + 1e-6

        arrived.terminal = True
        left, vectors = np.linalg.eig(jacobian(0.0, 0.0).T)
        first = vectors[:, np.argmax(left.real)].real  # normal to the stable directions
        whole = solve_ivp(
            flow, (0, 100), [-1 + 1e-6, *(first / first[0])], "DOP853", events=arrived, rtol=1e-10, atol=1e-13
        )
        right, vectors = np.linalg.eig(jacobian(0.0, 0.0))
        leading, end = vectors[:, np.argsort(right.real)[1]].real, whole.y[1:, -1]
        return float(end @ leading / leading[0] / np.linalg.norm(end))

    # the orbit is cut off at 1e-4 of its extent, where the other stable direction still has its square's share
    assert flips[0].parameters["al"] == pytest.approx(brentq(share, 1.1, 1.4, xtol=1e-8), abs=1e-6)


def test_a_closed_curve_is_gone_round_once():
    # Hamiltonian where the factor of y is zero: on an ellipse; the saddle is neutral all along, which is no point
    equations = {"x": "y", "y": "x - x^2 + (p^2 + q^2 - 1 + 0.3*p*q)*y"}
    model = bf.System.from_equations(equations, {"p": 0.3, "q": 0.8}, {"x": 0.0, "y": 0.0})
    found = bf.locus(bf.find_homoclinic(model, "p", (0.3, 0.9)), "q", (-2, 2))
    (branch,) = found.branches
    p, q = branch.column("p"), branch.column("q")
    assert branch.ended[0].reason == branch.ended[1].reason == "closed"
    assert np.max(np.abs(p**2 + q**2 - 1 + 0.3 * p * q)) < 1e-9
    turned = np.unwrap(np.arctan2(q, p))
    assert np.all(np.abs(np.sign(np.diff(turned)).sum()) == len(p) - 1)
    assert abs(turned[-1] - turned[0]) == pytest.approx(2 * np.pi, abs=1e-9)
    assert not found.special_points


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
    (end,) = found.special("NCH")
    assert end.status == "converged" and end.branch == curve.id
    assert [end.parameters["K"], end.parameters["GF"]] == pytest.approx([6.61046, 0.0693248], abs=5e-6)
    assert np.all(np.delete(curve.unstable, end.index) == 1)  # a saddle all along
    assert {e.reason for e in curve.ended} == {"saddle-node", "range"}
    # and the same where the curve of folds is followed from its own side
    start = {"u": 5.738, "v": 0.511, "GF": 0.0674}
    fold = bf.diagram(model.with_(values={"K": 6.0}), "GF", (0.05, 0.09), start=start).special("LP")[0]
    (own,) = bf.with_snic(bf.locus(fold, "K", (5.5, 9.0))).special("NCH")
    assert own.parameters["K"] == pytest.approx(end.parameters["K"], abs=1e-7)
