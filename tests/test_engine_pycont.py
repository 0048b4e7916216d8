"""pycont as the engine: the same diagrams as by the native one, in silence."""

import numpy as np
import pytest

import bifrncrn as bf

AB = bf.System.from_equations(
    {"u1": "-u1 + D*(1-u1)*exp(u2)", "u2": "-u2 + D*B*(1-u1)*exp(u2) - beta*u2"},
    parameters={"D": 0, "B": 14, "beta": 2},
    state={"u1": 0, "u2": 0},
    title="AB reaction",
)
BRUSSELATOR = bf.System.from_equations(
    {"x": "A - (B+1)*x + x**2*y", "y": "B*x - x**2*y"},
    parameters={"A": 1, "B": 1},
    state={"x": 1, "y": 1},
    nonnegative=True,
    title="Brusselator",
)
CUBIC = bf.System.from_equations({"x": "p + x - x**3"}, parameters={"p": -1}, state={"x": -1.3}, title="cubic")
PITCHFORK = bf.System.from_equations({"x": "p*x - x**3"}, parameters={"p": -1}, state={"x": 0}, title="pitchfork")
LOGISTIC = bf.System.from_equations(
    {"x": "x*(p - x)"}, parameters={"p": 1}, state={"x": 1}, nonnegative=True, title="logistic"
)
CIRCLE = bf.System.from_equations(
    {"x": "x**2 + p**2 - 1 + y", "y": "-y"}, parameters={"p": 0}, state={"x": 1, "y": 0}, title="circle"
)


def network() -> bf.Network:
    """Return a network of one species whose reduced system is bistable in a part of lam's range."""
    return bf.Network(
        alpha=[[-4.0, 5.0]],
        omega=[[3.0], [2.0]],
        psi=[[0.0], [1.0]],
        theta=[-2.0, -5.5],
        beta=[1.0],
        gamma=[0.1, 0.1],
        tau=[1.0, 1.0],
        state=[0.2],
        lam=[0.5],
        mu=None,
        title="small network",
        training={},
    )


@pytest.mark.parametrize(
    ("system", "parameter", "bounds"),
    [
        (AB, "D", (0.0, 0.16)),
        (BRUSSELATOR, "B", (0.1, 4.0)),
        (CUBIC, "p", (-1.0, 1.0)),
        (PITCHFORK, "p", (-1.0, 1.0)),
        (LOGISTIC, "p", (-1.0, 2.0)),
        (CIRCLE, "p", (-2.0, 2.0)),
        (network().reduced(), "lam", (0.0, 4.0)),
    ],
    ids=lambda value: getattr(value, "title", None),
)
def test_agrees_with_the_native_engine(system, parameter, bounds, capfd):
    native = bf.diagram(system, parameter, bounds)
    other = bf.diagram(system, parameter, bounds, engine="pycont")
    assert capfd.readouterr() == ("", "")
    labels = sorted(point.label for point in native.special_points)
    assert labels == sorted(point.label for point in other.special_points)
    assert len(native.branches) == len(other.branches)
    comparison = bf.compare_diagrams(native, other)
    assert comparison.verdict, str(comparison)
    assert all(match.parameter_error <= 1e-8 * (bounds[1] - bounds[0]) for match in comparison.matched)
    assert [sorted(end.reason for end in branch.ended) for branch in native.branches] == [
        sorted(end.reason for end in branch.ended) for branch in other.branches
    ]
    assert all(point.status == "converged" for point in other.special_points)


def test_points_are_corrected_again():
    branch = bf.diagram(AB, "D", (0.0, 0.16), engine="pycont").branches[0]
    for row in branch.points:
        field = AB.with_(values={"D": row[0]}).rhs(row[1:])
        assert np.max(np.abs(field)) < 1e-11 * (1.0 + np.max(np.abs(row)))
    assert branch.points[0, 0] == 0.0
    assert branch.points[-1, 0] == 0.16


def test_points_are_those_of_pycont():
    """pycont steps by its own rule (1.2 times the step before), so its points are not the native engine's."""
    native = bf.diagram(BRUSSELATOR, "B", (0.1, 4.0)).branches[0].points
    other = bf.diagram(BRUSSELATOR, "B", (0.1, 4.0), engine="pycont").branches[0].points
    assert len(np.intersect1d(native[:, 0], other[:, 0])) < 8


def test_user_events_and_stops():
    options = {"events": ["u1 = 0.5"], "stop": {"HB"}}
    native = bf.diagram(AB, "D", (0.0, 0.16), **options)
    other = bf.diagram(AB, "D", (0.0, 0.16), engine="pycont", **options)
    pairs = zip(native.special_points, other.special_points, strict=True)
    for one, two in pairs:
        assert one.label == two.label
        assert one.parameters["D"] == pytest.approx(two.parameters["D"], rel=1e-9)
    assert other.branches[0].ended[1].reason == "stop"


def test_is_bounded_by_the_number_of_points():
    end = bf.diagram(AB, "D", (0.0, 0.16), engine="pycont", options=bf.Options(max_points=30)).branches[0].ended[1]
    assert end.reason == "points"


def test_no_evaluation_beyond_a_wall():
    """log(x) is not defined beyond the wall; pycont's own perturbations must not go there."""
    system = bf.System.from_equations(
        {"x": "p - x + 0*log(x)", "y": "x - y"}, parameters={"p": 1}, state={"x": 1, "y": 1}, nonnegative=True
    )
    branch = bf.diagram(system, "p", (-1.0, 2.0), engine="pycont").branches[0]
    assert branch.ended[1].reason == "range"
    assert np.all(branch.points[:, 1] >= 0.0)


def test_an_unknown_engine_is_refused():
    with pytest.raises(bf.InputError, match="native or pycont"):
        bf.diagram(CUBIC, "p", (-1.0, 1.0), engine="auto")
