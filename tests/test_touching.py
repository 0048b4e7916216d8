"""An eigenvalue that touches zero and turns back: no sign changes, and yet branches may leave. Closed forms, mixed."""

import numpy as np
import pytest
import sympy as sp

import bifrncrn as bf

AT = 0.1234
LAM = sp.Symbol("lam")
S = LAM - AT


def mixing(n, seed):
    rng = np.random.default_rng(seed)
    return tuple(np.round(rng.normal(size=size), 2) for size in ((n, n), n, n))


def diagram_of(field, n, seed):
    """Trace z' = field(z) in x = A z + c + d lam from z = 0; return the diagram, and z (k, n), lam of its branches."""
    mix, shift, drift = mixing(n, seed)
    x = sp.symbols(f"x1:{n + 1}")
    z = sp.Matrix(mix).inv() * sp.Matrix([x[i] - shift[i] - drift[i] * LAM for i in range(n)])
    equations = dict(zip(map(str, x), sp.Matrix(mix) * sp.Matrix(field(*z)), strict=True))
    start = dict(zip(map(str, x), (shift - drift).tolist(), strict=True))
    system = bf.System.from_equations(equations, parameters={"lam": -1.0}, state=start)
    found = bf.diagram(system, parameter="lam", bounds=(-1, 1.05))
    rows = []
    for branch in found.branches:
        lam = np.array(branch.column("lam"))
        states = np.array([branch.column(name) for name in system.variables])
        rows.append((np.linalg.solve(mix, states - shift[:, None] - drift[:, None] * lam).T, lam))
    return found, rows


@pytest.mark.parametrize("seed", [0, 1, 5])
def test_branches_that_cross_where_an_eigenvalue_touches_zero(seed):
    # x = 0 and x^2 = 2 (lam - AT)^2: the eigenvalue of x = 0 is (lam - AT)^2
    found, rows = diagram_of(lambda x, y: (S**2 * x - x**3 + x * y / 2, -y + x**2), 2, seed)
    (point,) = found.special("BP")
    # read off polynomials through rows whose parameter is known to about 1e-12
    assert point.status == "converged" and point.parameters["lam"] == pytest.approx(AT, abs=1e-10)
    assert len(rows) == 3
    for z, lam in rows[1:]:
        # the states, of size 1, solve their equations to rounding; near the point that is its square root
        assert np.abs(np.abs(z[:, 0]) - np.sqrt(2.0) * np.abs(lam - AT)).max() < 1e-7
        assert lam.min() < -0.99 and lam.max() > 1.04
    assert all(branch.ended[0].reason == branch.ended[1].reason == "range" for branch in found.branches)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_touch_at_which_nothing_leaves_is_a_note(seed):
    found, rows = diagram_of(lambda x, y: (-(S**2) * x - x**3 + x * y / 2, -y + x**2), 2, seed)
    assert len(rows) == 1 and not found.special("BP")
    # it does not end at the singular Jacobian
    assert [end.reason for end in found.branches[0].ended] == ["range", "range"]
    assert any("At lam=0.1234 an eigenvalue touches zero" in note for note in found.notes)


def test_branches_that_touch_each_other():
    # x = 0 and x - x^2 = (lam - AT)^2, a circle through its folds at x = 1/2
    found, _ = diagram_of(lambda x, y: (S**2 * x - x**2 + x * y, -y + x**2), 2, 1)
    (point,) = found.special("BP")
    assert point.parameters["lam"] == pytest.approx(AT, abs=1e-9)
    folds = sorted(fold.parameters["lam"] for fold in found.special("LP"))
    assert folds == pytest.approx([AT - 0.5, AT + 0.5], abs=1e-10)


def test_a_pair_that_touches_the_imaginary_axis_is_a_note():
    def field(x, y, z):
        return (
            -(S**2) * x - y - x * (x**2 + y**2),
            x - S**2 * y - y * (x**2 + y**2) + z * x,
            -z + x * y,
        )

    found, _ = diagram_of(field, 3, 2)
    assert not found.special("HB")
    assert any("pair of eigenvalues touches zero" in note and "0.1234" in note for note in found.notes)


@pytest.mark.parametrize("gap", [1e-5, -1e-5])
def test_what_only_comes_near_zero_is_no_touch(gap):
    # from above: two crossings 6e-3 apart, each a branch point; or none
    found, _ = diagram_of(lambda x, y: ((S**2 + gap) * x - x**3 + x * y / 2, -y + x**2), 2, 0)
    places = sorted(point.parameters["lam"] for point in found.special("BP"))
    assert places == pytest.approx([AT - 1e-5**0.5, AT + 1e-5**0.5] if gap < 0 else [], abs=1e-9)
    assert not any("touches" in note for note in found.notes)


@pytest.mark.parametrize(("sign", "words"), [("", "a multiplier touches 1"), ("-", "touches the unit circle")])
def test_a_multiplier_that_touches_the_circle_leaves_what_is_stable_stable(sign, words):
    # x = 0 has the multiplier +-(1 - p^2): it is stable on either side of p = 0, and is no centre beside it
    system = bf.System.from_map({"x": f"{sign}((1 - p^2)*x - x^3)"}, parameters={"p": -0.9}, state={"x": 0.0})
    found = bf.diagram(system, parameter="p", bounds=(-0.9, 0.95))
    assert not found.special_points and set(found.branches[0].stability) == {"stable"}
    assert any(words in note for note in found.notes) and len(found.notes) == 1


@pytest.mark.parametrize(
    ("field", "known"),
    [
        # x = 0.05, and a parabola with its fold at lam = 0.13, pass near the touch and never meet it
        (lambda x, y: (x * (S**2 + x**2) * (x - sp.Rational(1, 20)), 1 - y + x), []),
        (
            lambda x, y: (-x * (S**2 + x**2) * (LAM - sp.Rational(13, 100) - 50 * (x - sp.Rational(3, 100)) ** 2), -y),
            [("BP", 0.175), ("LP", 0.13)],
        ),
    ],
)
def test_what_passes_near_a_touch_does_not_leave_it(field, known):
    x, y = sp.symbols("x y")
    system = bf.System.from_equations(dict(zip("xy", field(x, y), strict=True)), {"lam": -1.0}, {"x": 0.0, "y": 1.0})
    found = bf.diagram(system, parameter="lam", bounds=(-1, 1.05))
    points = sorted((point.label, point.parameters["lam"]) for point in found.special_points)
    assert [label for label, _ in points] == [label for label, _ in known]
    assert [place for _, place in points] == pytest.approx([place for _, place in known], abs=1e-9)


def test_a_loop_through_a_touch_is_listed_once():
    # (lam - AT)^2 = x^2 - x^3: a nodal cubic, with folds where x = 2/3
    system = bf.System.from_equations({"x": f"x*((lam - {AT})^2 - x^2 + x^3)"}, {"lam": -1.0}, {"x": 0.0})
    found = bf.diagram(system, parameter="lam", bounds=(-1, 1.05))
    folds = sorted(point.parameters["lam"] for point in found.special("LP"))
    reach = (4.0 / 27.0) ** 0.5
    assert folds == pytest.approx([AT - reach, AT + reach], abs=1e-9)
    assert len(found.special("BP")) == 1 and len(found.branches) == 3


def test_two_eigenvalues_that_touch_zero_together():
    # x = 0, y = 0, and four lines: x = +-S, y = +-sqrt(2) S
    field = {"x": f"(lam - {AT})^2*x - x^3 - x*y^2", "y": f"2*(lam - {AT})^2*y - y^3 - x^2*y"}
    found = bf.diagram(
        bf.System.from_equations(field, {"lam": -1.0}, {"x": 0.0, "y": 0.0}), parameter="lam", bounds=(-1, 1.05)
    )
    slopes = set()
    for branch in found.branches[1:]:
        away = branch.column("lam") - AT
        far = np.abs(away) > 0.1
        slopes.add(tuple(np.round(np.median((branch.points[far, 1:].T / away[far]), axis=1), 3) + 0.0))
    assert slopes == {(1.0, 0.0), (-1.0, 0.0), (0.0, 1.414), (0.0, -1.414)}
