"""The verb `diagram` on exact problems, adversarial ones, and under changes of units."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bifrncrn as bf

STEPS = (0.1, 0.05, 0.02)
NORMAL_HOPF = {"x": "lam*x - y - x*(x^2+y^2)", "y": "x + lam*y - y*(x^2+y^2)"}


def build(equations, lam, state, **more):
    return bf.System.from_equations(equations, {"lam": lam}, state, **more)


def special(found):
    """Return (label, parameter) of the special points by parameter; all must be refined."""
    assert all(p.status == "converged" for p in found.special_points), found.special_points
    return sorted((p.label, next(iter(p.parameters.values()))) for p in found.special_points)


def same(found, wanted, tolerance=1e-10):
    points = special(found)
    assert [label for label, _ in points] == [label for label, _ in sorted(wanted)]
    assert [value for _, value in points] == pytest.approx(
        [value for _, value in sorted(wanted)], rel=tolerance, abs=tolerance
    )


@pytest.mark.parametrize("name", bf.library.names("textbook"))
@pytest.mark.parametrize("step", STEPS)
def test_textbook_systems(name, step):
    problem = bf.library.problem(name)
    found = bf.diagram(problem.system, problem.parameter, problem.bounds, options=bf.Options(step=step))
    same(found, [(known.label, known.parameter) for known in problem.known])
    for known in problem.known:
        gaps = [
            np.max(np.abs(np.array([*p.state.values()]) - known.state))
            for p in found.special(known.label)
            if abs(p.parameters[problem.parameter] - known.parameter) < 1e-9 * (1.0 + abs(known.parameter))
        ]
        assert min(gaps) < 1e-7 * (1.0 + np.max(np.abs(known.state)))


@pytest.mark.parametrize("a", [1.0, 2.0, 0.5])
def test_brusselator(a):
    system = bf.System.from_equations(
        {"x": "A - (B+1)*x + x^2*y", "y": "B*x - x^2*y"}, {"A": a, "B": 1.0}, {"x": a, "y": 1 / a}
    )
    found = bf.diagram(system, "B", (0.5, 8.0))
    (hopf,) = found.special_points
    assert hopf.label == "HB"
    assert hopf.parameters["B"] == pytest.approx(1.0 + a * a, abs=1e-11)
    assert hopf.omega == pytest.approx(a, abs=1e-10)
    assert hopf.l1 < 0.0


def test_lorenz():
    system = bf.System.from_equations(
        {"x": "s*(y-x)", "y": "r*x - y - x*z", "z": "x*y - b*z"},
        {"s": 10, "r": 0.5, "b": "8/3"},
        {"x": 0, "y": 0, "z": 0},
    )
    same(bf.diagram(system, "r", (0.0, 30.0)), [("BP", 1.0), ("HB", 470 / 19), ("HB", 470 / 19)])


def test_ab_reaction():
    system = bf.System.from_equations(
        {"u1": "-u1 + D*(1-u1)*exp(u2)", "u2": "-u2 + D*B*(1-u1)*exp(u2) - beta*u2"},
        {"D": 0, "B": 14, "beta": 2},
        {"u1": 0, "u2": 0},
    )
    found = bf.diagram(system, "D", (0, 0.16))
    same(found, [("LP", 0.10573897827165066), ("LP", 0.08893184618577281), ("HB", 0.13090004482004333)], 1e-9)
    assert found.special("HB")[0].l1 == pytest.approx(-0.3889545355274055, rel=1e-8)


@pytest.mark.parametrize("gap", [1e-2, 1e-4, 1e-6, 1e-8])
@pytest.mark.parametrize("step", STEPS)
def test_two_folds_close_together(gap, step):
    a = 3.0 * (gap / 4.0) ** (2 / 3)
    system = build({"x": f"lam + {a!r}*(x-1) - (x-1)^3"}, -1.0, {"x": 0.0})
    same(bf.diagram(system, bounds=(-1, 1), options=bf.Options(step=step)), [("LP", gap / 2), ("LP", -gap / 2)], 1e-11)


@pytest.mark.parametrize("window", [1e-1, 1e-2, 1e-3, 1e-4])
@pytest.mark.parametrize("step", STEPS)
def test_two_hopf_points_in_one_step(window, step):
    growth = f"({window!r}^2/4 - (lam-0.123)^2)"
    system = build({"x": f"{growth}*x - y - x*(x^2+y^2)", "y": f"x + {growth}*y - y*(x^2+y^2)"}, -1.0, {"x": 0, "y": 0})
    found = bf.diagram(system, bounds=(-1, 1), options=bf.Options(step=step))
    same(found, [("HB", 0.123 - window / 2), ("HB", 0.123 + window / 2)])


@pytest.mark.parametrize("distance", [1e-1, 1e-3, 1e-5])
@pytest.mark.parametrize("step", STEPS)
def test_a_parallel_branch_is_not_jumped_to(distance, step):
    system = build({"x": f"(x-lam-{distance!r})*(x-lam+{distance!r})"}, -1.0, {"x": distance - 1.0})
    found = bf.diagram(system, bounds=(-1, 1), options=bf.Options(step=step))
    assert special(found) == []
    points = found.branches[0].points
    assert np.max(np.abs(points[:, 1] - points[:, 0] - distance)) < 1e-12


@pytest.mark.parametrize("offset", [0.1, 1e-3, 1e-5])
def test_a_broken_pitchfork_keeps_to_its_branch(offset):
    system = build({"x": f"lam*x - x^3 + {offset!r}"}, -1.0, {"x": offset})
    found = bf.diagram(system, bounds=(-1, 1))
    assert special(found) == []
    assert np.all(found.branches[0].points[:, 1] > 0.0)


def test_a_closed_branch_says_so():
    found = bf.diagram(build({"x": "x^2 + lam^2 - 1"}, 0.5, {"x": 0.8}), bounds=(-2, 2))
    same(found, [("LP", 1.0), ("LP", -1.0)])
    assert {end.reason for end in found.branches[0].ended} == {"closed"}


def test_a_tiny_isola():
    found = bf.diagram(
        build({"x": "-x + y", "y": "(x-3)^2 + (lam-2)^2 - 1e-6"}, 2.0, {"x": 3.001, "y": 3.001}), bounds=(0, 4)
    )
    same(found, [("LP", 2.001), ("LP", 1.999)])


def test_a_neutral_saddle_is_not_a_hopf_point():
    """Eigenvalues lam + 2 and -2: their sum vanishes at 0."""
    found = bf.diagram(build({"x": "(lam+2)*x - x^3", "y": "-2*y + x"}, -1.0, {"x": 0, "y": 0}), bounds=(-1.7, 2.4))
    assert special(found) == []


def test_centres_are_not_hopf_points():
    system = build({"x": "x*(lam - y)", "y": "y*(x - 1)"}, 1.0, {"x": 1, "y": 1}, nonnegative=True)
    assert special(bf.diagram(system, bounds=(0.5, 2))) == []


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize(
    ("equations", "state", "wanted", "branches"),
    [
        ({"x": "lam*x - x^3"}, {"x": 0}, [("BP", 0.0)], 2),
        ({"x": "lam*x - x^2"}, {"x": 0}, [("BP", 0.0)], 2),
        ({"x": "lam - x^2"}, {"x": 0}, [("LP", 0.0)], 1),
        (NORMAL_HOPF, {"x": 0, "y": 0}, [("HB", 0.0)], 1),
    ],
)
def test_a_start_exactly_on_a_special_point(equations, state, wanted, branches, step):
    found = bf.diagram(build(equations, 0.0, state), bounds=(-1, 1), options=bf.Options(step=step))
    same(found, wanted)
    assert len(found.branches) == branches


@pytest.mark.parametrize("bounds", [(-1, 0), (0, 1)])
@pytest.mark.parametrize(
    ("equations", "state", "label"), [({"x": "lam*x - x^2"}, {"x": 0}, "BP"), (NORMAL_HOPF, {"x": 0, "y": 0}, "HB")]
)
def test_a_range_that_ends_exactly_on_a_special_point(equations, state, label, bounds):
    found = bf.diagram(build(equations, sum(bounds) / 2, state), bounds=bounds)
    same(found, [(label, 0.0)])
    assert {end.reason for end in found.branches[0].ended} == {"range"}


def test_a_range_that_ends_exactly_on_a_fold():
    same(bf.diagram(build({"x": "lam - 1 - (x-1)^2"}, 2.0, {"x": 2.0}), bounds=(1, 3)), [("LP", 1.0)])


def test_a_start_just_beyond_a_fold_is_moved_to_it():
    found = bf.diagram(build({"x": "lam - (x-1)^2"}, 0.0, {"x": 1.0}), bounds=(-1, 1), start={"lam": -1e-7, "x": 1.0})
    same(found, [("LP", 0.0)], 1e-10)
    assert "moved" in found.notes[0]


def test_a_branch_to_infinity():
    found = bf.diagram(build({"x": "1 - lam*x"}, 1.0, {"x": 1.0}), bounds=(-1, 2))
    end = next(end for end in found.branches[0].ended if end.reason != "range")
    assert end.reason == "infinity"
    assert end.message.endswith("as lam goes to 0")
    assert np.max(found.branches[0].points) < 1e13


def test_a_field_that_blows_up_is_no_equilibrium():
    with pytest.raises(bf.ConvergenceError, match="no equilibrium"):
        bf.diagram(build({"x": "1 + x^2 + lam"}, 1.0, {"x": 1.0}), bounds=(0, 2))


@pytest.mark.parametrize("unit", [1e-9, 1e-4, 1.0, 1e6])
def test_a_pitchfork_in_any_unit(unit):
    system = build({"x": f"(lam-1)*x - x^3/{unit**2!r}"}, 0.5, {"x": 0})
    found = bf.diagram(system, bounds=(-1, 3))
    same(found, [("BP", 1.0)])
    assert len(found.branches) == 2
    outer = found.branches[1].points
    assert np.abs(outer[:, 1]).max() == pytest.approx(np.sqrt(2.0) * unit, rel=1e-9)


def test_both_sides_of_a_wall_direction_are_followed():
    """At (0, 0) species 1 can invade; the tangent of its branch has rounding in the others, which are extinct."""
    found = bf.diagram(
        build({"x": "x*(lam - x - 2*y)", "y": "y*(1 - y - x/2)"}, -1.0, {"x": 0, "y": 0}, nonnegative=True),
        bounds=(-2, 4),
    )
    assert ("BP", 0.0) in [(label, round(value, 9)) for label, value in special(found)]
    assert len(found.branches) >= 2


def bt_system(units, time, permuted):
    """Return the Bogdanov-Takens normal form x' = y, y' = lam - x^2 + (x - 1/2) y in other units of state and time."""
    x, y = f"(x/{units[0]!r})", f"(y/{units[1]!r})"
    equations = {
        "x": f"{time * units[0]!r}*({y})",
        "y": f"{time * units[1]!r}*(lam/{units[2]!r} - {x}^2 + ({x} - 0.5)*{y})",
    }
    state = {"x": -units[0], "y": 0.0}
    if permuted:
        equations, state = dict(reversed(equations.items())), dict(reversed(state.items()))
    return bf.System.from_equations(equations, {"lam": units[2]}, state)


@settings(max_examples=25)
@given(
    st.tuples(*[st.sampled_from([1e-6, 1e-2, 1.0, 37.0, 1e5])] * 3),
    st.sampled_from([1e-4, 1.0, 300.0]),
    st.booleans(),
    st.sampled_from(STEPS),
)
def test_units_of_state_time_and_parameter_do_not_matter(units, time, permuted, step):
    found = bf.diagram(
        bt_system(units, time, permuted), "lam", (-0.5 * units[2], 1.5 * units[2]), options=bf.Options(step=step)
    )
    points = sorted((p.label, p.parameters["lam"] / units[2]) for p in found.special_points)
    assert [label for label, _ in points] == ["HB", "LP"]
    assert [value for _, value in points] == pytest.approx([0.25, 0.0], abs=1e-9)
    assert found.special("HB")[0].omega == pytest.approx(time * 1.0, rel=1e-8)


@settings(max_examples=15)
@given(st.integers(0, 1000))
def test_any_point_of_the_branch_is_as_good_a_start(seed):
    system = build({"x": "lam + x - x^3", "y": "x - y"}, 0.0, {"x": -1.3247, "y": -1.3247})
    whole = bf.diagram(system, bounds=(-1, 1))
    rows = whole.branches[0].points
    lam, x, y = rows[seed % len(rows)]
    again = bf.diagram(system, bounds=(-1, 1), start={"lam": lam, "x": x, "y": y})
    same(again, special(whole), 1e-9)


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ({"bounds": (0, 0)}, "width"),
        ({"bounds": (0, np.inf)}, "finite"),
        ({}, "missing"),
        ({"parameter": "lan", "bounds": (0, 1)}, "lan"),
        ({"bounds": (-1, 1), "start": {"z": 1.0}}, "z"),
        ({"bounds": (-1, 1), "start": {"lam": 5.0}}, "outside"),
    ],
)
def test_bad_input(arguments, word):
    with pytest.raises(bf.InputError, match=word):
        bf.diagram(build({"x": "lam + x - x^3"}, 0.0, {"x": -1.0}), **arguments)


def test_threads_may_share_a_system():
    """Memory is used again from one call to the next, but never by two at a time."""
    model = bf.library.get("ab_reaction")
    ranges = [(0.0, high) for high in np.linspace(0.05, 0.16, 12)]
    alone = [bf.diagram(model, "D", each).branches[0].points for each in ranges]
    with ThreadPoolExecutor(6) as pool:
        together = list(pool.map(lambda each: bf.diagram(model, "D", each).branches[0].points, ranges * 4))
    for k, points in enumerate(together):
        np.testing.assert_array_equal(points, alone[k % len(ranges)])


def test_what_was_prepared_for_one_call_serves_no_other():
    """A system keeps what it was prepared for; x' = lam - x^2 + 1 has the fold at -1 and other ends on both sides."""
    calls = [
        {"bounds": (-2.0, 3.0)},
        {"bounds": (-2.0, 3.0), "start": {"x": -1.0}},
        {"bounds": (-0.5, 3.0), "start": {"x": -1.0}},
        {"bounds": (-0.5, 3.0)},
        {"bounds": (-2.0, 3.0), "walls": {"x": (0.5, 1.5)}},
        {"bounds": (-2.0, 3.0), "options": bf.Options(step=0.01)},
        {"bounds": (-2.0, 3.0), "stability": False},
        {"bounds": (-2.0, 3.0), "events": ["x = 0.3"]},
    ]

    def model():
        return build({"x": "1 + lam - x^2"}, 0.0, {"x": 1.0})

    one = model()
    for call in calls + calls[::-1]:
        found, alone = (bf.diagram(each, "lam", **call) for each in (one, model()))
        assert special(found) == special(alone) and found.options == alone.options
        for mine, theirs in zip(found.branches, alone.branches, strict=True):
            np.testing.assert_array_equal(mine.points, theirs.points)
            np.testing.assert_array_equal(mine.unstable, theirs.unstable)
            assert mine.ended == theirs.ended
    last = bf.diagram(one, "lam", (-0.5, 3.0))
    assert special(last) == [] and {end.message for end in last.branches[0].ended} == {
        "lam reached 3",
        "lam reached -0.5",
    }


def test_branch_points_flatter_than_quadratic():
    """x^4 + (p/1000)^4 = 1 leaves x = 0 at p = -1000 and 1000; rounding makes no folds of how flat it is there."""
    model = bf.System.from_equations({"x": "x*(1 - (p/1000)^4 - x^4)"}, {"p": -2000}, {"x": 0})
    found = bf.diagram(model, "p", (-2000, 2000))
    assert special(found) == [("BP", pytest.approx(-1000)), ("BP", pytest.approx(1000))]


@pytest.mark.parametrize(
    ("equation", "low", "high", "said"), [("lam - sin(x)", -2, 2, True), ("lam - x", -20, 20, False)]
)
def test_a_state_that_may_be_an_angle_is_named(equation, low, high, said):
    """sin x = lam goes on for ever at |lam| <= 1; of lam = x nothing repeats, however far it goes."""
    model = build({"x": equation}, 0.0, {"x": 0.0})
    for _again in range(2):
        notes = bf.diagram(model, "lam", (low, high)).notes
        assert any("x is 2 pi further on" in note for note in notes) == said
    listed = bf.System.from_equations({"x": "lam - sin(x)"}, {"lam": 0.0}, {"x": 0.0}, periodic=["x"])
    assert not any("2 pi" in note for note in bf.diagram(listed, "lam", (-2, 2)).notes)
