"""Curves of cycles that begin at Bautin, zero-Hopf and double Hopf points, in closed form.

Rows are corrected to 1e-10 on meshes that have the orbits to 1e-9; what is located between rows is good to 1e-8. A
curve begins at an orbit of a finite size, a hundredth of the range off (1e-2).
"""

import numpy as np
import pytest

import bifrncrn as bf


def point_of(model, first, second, label, bounds=((-1, 1), (-1, 1))):
    """The point of a label on the curve of Hopf points."""
    hopf = bf.diagram(model, first, bounds[0]).special("HB")[0]
    return bf.locus(hopf, second, bounds[1]).special(label)[0]


def test_folds_of_cycles_begin_at_a_bautin_point():
    # s = x^2 + y^2 obeys s' = 2 s (l + b s - s^2), so that cycles fold at l = -b^2/4 where b > 0
    model = bf.System.from_equations(
        {"x": "x*(l + b*s - s^2) - y", "y": "y*(l + b*s - s^2) + x"},
        {"l": -1.0, "b": 0.5},
        {"x": 0.0, "y": 0.0},
        definitions={"s": "x^2 + y^2"},
    )
    point = point_of(model, "l", "b", "GH")
    (curve,) = bf.locus(point, "b", (-1, 1))
    assert curve.kind == "fold_of_cycles"
    lam, b = curve.column("l"), curve.column("b")
    assert b.max() == pytest.approx(1.0, abs=1e-12) and b.min() == pytest.approx(0.0, abs=1e-2)
    assert lam == pytest.approx(-(b**2) / 4, abs=1e-10)
    with pytest.raises(bf.InputError, match="one of the"):
        bf.locus(point, "m", (-1, 1))


def test_tori_begin_at_a_zero_hopf_point():
    # with r^2 = x^2 + y^2 and z = w - x/2: r' = r (z - B), z' = c + a z - z^3/3 - r^2 (1 + e z), Langford (1979). The
    # cycle z = B loses its stability where the trace a - B^2 - e r^2 of this planar system is zero, and its frequency
    # there is the root of 2 r^2 (1 + e B)
    e, b = 0.25, 0.7
    model = bf.System.from_equations(
        {"x": "f", "y": "3.5*x + (z - 0.7)*y", "w": "c + a*z - z^3/3 - (x^2 + y^2)*(1 + 0.25*z) + f/2"},
        {"c": -0.4, "a": 0.7},
        {"x": 0.0, "y": 0.0, "w": 0.9},
        definitions={"z": "w - x/2", "f": "(z - 0.7)*x - 3.5*y"},
    )
    found = bf.diagram(model, "c", (-0.45, 0.3), start={"w": 1.0, "c": -0.367})
    hopf = min(found.special("HB"), key=lambda p: abs(p.state["w"] - b))
    (point,) = bf.locus(hopf, "a", (0.3, 0.9)).special("ZH")
    assert [point.parameters["a"], point.parameters["c"]] == pytest.approx([b**2, -2 / 3 * b**3], abs=1e-9)
    curves = bf.locus(point, "a", (0.3, 0.9))
    (curve,) = curves
    assert curve.kind == "torus"
    a, c = curve.column("a"), curve.column("c")
    assert c == pytest.approx((1 + e * b) * (a - b**2) / e - a * b + b**3 / 3, abs=1e-9)
    for label, turns in (("R4", 4), ("R3", 3), ("R2", 2)):
        (resonance,) = curves.special(label)
        squared = (3.5 / turns) ** 2 / (2 * (1 + e * b))
        assert resonance.parameters["a"] == pytest.approx(b**2 + e * squared, abs=1e-8)


def test_two_curves_of_tori_begin_at_a_double_hopf_point():
    # amplitudes r' = r (m1 - r^2 - 1.5 s^2), s' = s (m2 - 2 r^2 - s^2): tori at m2 = 2 m1 and at m1 = 1.5 m2
    model = bf.System.from_equations(
        {
            "x": "x*(m1 - R - 1.5*S) - y", "y": "y*(m1 - R - 1.5*S) + x",
            "u": "u*(m2 - 2*R - S) - 1.7*v", "v": "v*(m2 - 2*R - S) + 1.7*u",
        },
        {"m1": -1.0, "m2": 0.5},
        dict.fromkeys("xyuv", 0.0),
        definitions={"R": "x^2 + y^2", "S": "u^2 + v^2"},
    )  # fmt: skip
    point = point_of(model, "m1", "m2", "HH")
    curves = bf.locus(point, "m2", (-1, 1)).branches
    assert [curve.kind for curve in curves] == ["torus", "torus"]
    for curve in curves:
        m1, m2 = curve.column("m1"), curve.column("m2")
        assert m2.max() == pytest.approx(1.0, abs=1e-12)
        first, second = np.max(np.abs(m2 - 2 * m1)), np.max(np.abs(m1 - 1.5 * m2))
        assert min(first, second) < 1e-9
    periods = [curve.column("period")[0] for curve in curves]
    assert sorted(periods) == pytest.approx([2 * np.pi / 1.7, 2 * np.pi], abs=1e-8)
