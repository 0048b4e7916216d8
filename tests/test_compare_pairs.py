"""Pairs of systems that look alike and are not, and pairs that are one in disguise; all known in closed form."""

import pytest

import bifrncrn as bf

SQUARE = {"x": (-2, 2), "y": (-2, 2)}


def line(text, start, parameter="lam", value=-1.0):
    return bf.System.from_equations({"x": text}, {parameter: value}, {"x": start})


def plane(rate, turn="1", value=-1.0):
    """In polar coordinates r' = rate r and theta' = turn."""
    equations = {"x": f"({rate})*x - ({turn})*y", "y": f"({turn})*x + ({rate})*y"}
    return bf.System.from_equations(equations, {"lam": value}, {"x": 0.0, "y": 0.0})


def linear(y):
    return bf.System.from_equations({"x": "lam - x", "y": y}, {"lam": 0.0}, {"x": 0.0, "y": 0.0})


def well(damping):
    """A saddle and a focus with x about 1, where the force lam + x - x^2 vanishes; x*y damps or drives."""
    return bf.System.from_equations(
        {"x": "y", "y": f"lam + x - x^2 {damping}*x*y"}, {"lam": 0.5}, {"x": -0.4, "y": 0.0}
    )


def isola(x=2.0, lam=0.5, square=0.04):
    """A rest at 0, and a closed branch about (lam, x)."""
    return line(f"-x*((x - {x})^2 + 4*(lam - {lam})^2 - {square})", 0.0, value=0.0)


ELLIPSE = bf.System.from_equations(  # the circle of `plane`, y halved: the same frequency and place of the Hopf point
    {"x": "(lam - x^2 - 4*y^2)*x - 2*y", "y": "(lam - x^2 - 4*y^2)*y + 0.5*x"}, {"lam": -1.0}, {"x": 0.0, "y": 0.0}
)
CIRCLE = plane("lam - x^2 - y^2")
CUBIC = line("lam + x - x^3", -1.3)
RUN = {"bounds": (-1, 1)}


@pytest.mark.parametrize(
    ("one", "other", "how", "words"),
    [
        (line("lam - x^2", 1.0, value=1.0), line("x^2 - lam", 1.0, value=1.0), RUN, "unstable"),
        (isola(), line("-x", 0.0, value=0.0), {"bounds": (0, 1), "box": {"x": (-1, 3)}}, "LP at lam = 0.4"),
        (line("x*(lam - x)", 0.0), line("x*(lam - x) - 0.02", -1.0), RUN | {"box": {"x": (-2, 2)}}, "BP"),
        (line("x*(lam - x^2)", 0.0), line("x*(lam + x^2)", 0.0), RUN | {"box": {"x": (-1.5, 1.5)}}, "unstable"),
        (linear("-y"), linear("y"), {"bounds": (0, 1), "box": SQUARE}, "unstable (1)"),
        (CIRCLE, plane("lam - x^2 - y^2", "1 + 0.5*(x^2 + y^2)"), RUN | {"box": SQUARE}, "period"),
        (CIRCLE, ELLIPSE, RUN | {"box": SQUARE}, "extent"),
        (well("+ 1"), well("- 1"), {"bounds": (-0.2, 0.5), "box": {"x": (-1.5, 2), "y": (-2, 2)}}, "1, 2 unstable"),
    ],
    ids=["stability", "isola", "broken", "criticality", "saddle", "shear", "shape", "driven"],
)
def test_what_looks_alike_and_is_not_differs(one, other, how, words):
    found = bf.compare(one, other, **how)
    assert not found.verdict and any(words in reason for reason in found.reasons), str(found)


@pytest.mark.parametrize(
    ("one", "other", "how"),
    [
        (line("lam - x^2", 1.0, value=1.0), line("p - x^2", 1.0, parameter="p", value=1.0), RUN),
        (CUBIC, line("(lam + x - x^3)*(1 + x^2)", -1.3), RUN | {"box": {"x": (-2, 2)}}),
        (isola(), isola(2.01, 0.505, 0.0404), {"bounds": (0, 1), "box": {"x": (-1, 3)}}),
        (CIRCLE, plane("1.01*lam - 0.005 - 0.99*x^2 - 1.01*y^2", "1.005"), RUN | {"box": SQUARE}),
    ],
    ids=["name", "speed", "isola", "slightly"],
)
def test_what_is_one_in_disguise_agrees(one, other, how):
    found = bf.compare(one, other, **how)
    assert found.verdict, str(found)


# --- at the ends of the range: the folds of lam + x - x^3 are at 0.3849 and -0.3849


@pytest.mark.parametrize("box", [None, {"x": (-2, 2)}])
@pytest.mark.parametrize("turned", [False, True])
def test_a_fold_just_inside_the_range_has_its_partner_just_outside(box, turned):
    pair = (CUBIC, line("lam + 0.01 + x - x^3", -1.3))
    found = bf.compare(*(pair[::-1] if turned else pair), bounds=(-1, 0.38), box=box)
    assert found.verdict, str(found)
    shifts = sorted(abs(match.parameter_shift) for match in found.matched)
    assert shifts == pytest.approx([0.01, 0.01], abs=1e-9)  # folds are located to about 1e-12
    assert (found.target.range, found.learned.range) == ((-1, 0.38), (-1, 0.38))


@pytest.mark.parametrize(("shift", "agrees"), [(0.04, True), (0.3, False)])
def test_a_point_at_the_end_without_a_partner_just_outside_is_missing(shift, agrees):
    """Branch points at 0 and at `shift`, the range ends at 0.02, 0.051 are allowed."""
    found = bf.compare(
        line("x*(lam - x)", 0.0), line(f"x*(lam - {shift} - x)", 0.0), bounds=(-1, 0.02), box={"x": (-2, 0.5)}
    )
    assert found.verdict is agrees, str(found)
    assert agrees or any("BP at lam = 0 of the first is missing" in reason for reason in found.reasons)


def test_cycles_born_just_outside_the_range_are_those_born_just_inside():
    """r' = r (lam + r^2 - r^4): subcritical at 0, in the other at 0.018; the range ends between, cycles enter it."""
    rates = ("lam + (x^2 + y^2) - (x^2 + y^2)^2", "lam - 0.018 + (x^2 + y^2) - (x^2 + y^2)^2")
    found = bf.compare(*(plane(rate) for rate in rates), bounds=(-0.2, 0.01), box=SQUARE, tolerance=0.1)
    assert found.verdict, str(found)
    assert [match.label for match in found.matched] == ["HB"] and found.cycles


@pytest.mark.slow
def test_a_fold_of_cycles_just_outside_the_range():
    """r' = r (lam + r^2 - r^4) has it at -0.25, in the other at -0.28; its two cycles have one period."""
    rates = ("lam + (x^2 + y^2) - (x^2 + y^2)^2", "lam + 0.03 + (x^2 + y^2) - (x^2 + y^2)^2")
    found = bf.compare(*(plane(rate, value=0.5) for rate in rates), bounds=(-0.27, 0.5), box=SQUARE)
    assert found.verdict, str(found)
    assert sorted(match.label for match in found.matched) == ["HB", "LPC"]


@pytest.mark.slow
def test_one_branch_of_cycles_beside_a_fast_variable_is_one():
    """s follows r^2 within 1/500: small steps from the Hopf point on, and no second branch where they end."""
    fast = bf.System.from_equations(
        {"x": "(lam - s)*x - y", "y": "x + (lam - s)*y", "s": "500*(x^2 + y^2 - s)"},
        {"lam": -1.0}, {"x": 0.0, "y": 0.0, "s": 0.0},
    )  # fmt: skip
    found = bf.compare(CIRCLE, fast, **RUN, box=SQUARE)
    assert found.verdict, str(found)


def test_from_one_state_of_the_region_one_system_comes_back_and_the_other_leaves_for_good():
    # r' = -0.2 r and r' = -0.2 r (1 - r^2/1.44), theta' = 1: from the corners, at r = 1.27, the first leaves the square
    # of half side 1 for a while and comes to rest; the second runs off
    def focus(pull):
        names = {"u": "x - 2", "v": "y - 2", "k": pull}
        equations = {"x": "-k*u - v", "y": "-k*v + u"}
        return bf.System.from_equations(equations, {"a": 0.0}, {"x": 2.0, "y": 2.0}, definitions=names)

    box = {"x": (1.0, 3.0), "y": (1.0, 3.0)}
    pair = focus("0.2 + 0*a"), focus("(0.2 + 0*a)*(1 - (u^2 + v^2)/1.44)")
    for one, other, word in ((*pair, "second"), (*pair[::-1], "first")):
        found = bf.compare(one, other, "a", (0.0, 1.0), box=box)
        assert not found.verdict
        assert any(f"one of the {word} leaves it for good" in reason for reason in found.reasons), str(found)


def test_a_second_variable_that_makes_it_overshoot_is_no_copy_of_a_line():
    """x' = f(x) = (x - 3)(lam + 1 - x), and x' = f(x) + v with v' = 2 f(x) - 0.3 v: v = 0 at rest.

    With the slope s of f at a rest the determinant of the second is -2.3 s and the trace s - 0.3: equilibria and their
    stability agree. From x = 4.35 it swings below the unstable state, 0.1 under the stable one, and never comes back.
    """
    one = line("(x - 3)*(lam + 1 - x)", 3.0, value=1.9)
    two = bf.System.from_equations(
        {"x": "f + v", "v": "2*f - 0.3*v"},
        {"lam": 1.9},
        {"x": 3.0, "v": 0.0},
        definitions={"f": "(x - 3)*(lam + 1 - x)"},
    )
    found = bf.compare(one, two, bounds=(1.85, 1.95), box={"x": (1.5, 4.5)})
    assert found.stability.agree and found.branch_distance < 1e-6
    assert not found.verdict and "leaves" in " ".join(found.reasons), str(found)


def test_a_start_on_the_border_of_two_basins_sets_no_systems_apart():
    """The middle of the box is the unstable state of one, 0.01 from that of the other: from there they go apart."""
    one, two = (line(f"(x - {low})*(lam + 1 - x)", low, value=2.5) for low in (3.0, 3.01))
    slow = bf.System.from_equations(
        {"x": "(x - 3.01)*(lam + 1 - x)", "y": "x - y"}, {"lam": 2.5}, {"x": 3.01, "y": 3.01}
    )
    for other in (two, slow):
        found = bf.compare(one, other, bounds=(2.3, 2.9), box={"x": (1.5, 4.5)})
        assert found.verdict, str(found)
    assert any("border of basins" in note for note in found.notes), str(found)


def test_two_stable_states_with_other_basins_are_told_apart():
    """X = x + s y obeys X' = X - X^3, y' = -y: rests at x = -1, 0 and 1 of the same eigenvalues, the border at X = 0.

    With s = 2 the corner (-1.8, 1.8) is on the side of x = 1, with s = 0 on that of -1.
    """

    def leaning(s):
        names = {"X": f"x + {s}*y"}
        equations = {"x": f"X - X^3 + {s}*y", "y": "-(1 + 0*a)*y"}
        return bf.System.from_equations(equations, {"a": 0.0}, {"x": 0.5, "y": 0.0}, definitions=names)

    found = bf.compare(leaning(0), leaning(2), "a", (0.0, 1.0), box=SQUARE)
    assert found.stability.agree and found.branch_distance < 1e-6
    assert not found.verdict and "comes to rest, at another" in " ".join(found.reasons), str(found)
    same = bf.compare(leaning(0), leaning(0.02), "a", (0.0, 1.0), box=SQUARE)
    assert same.verdict, str(same)


def test_a_rest_and_a_cycle_with_other_basins_are_told_apart():
    """q' = 2 q (q - b)(1 - q) of the squared distance q from (0.5, 0.2): b is the border between rest and cycle."""

    def ring(border):
        names = {"u": "x - 0.5", "v": "y - 0.2", "q": "u^2 + v^2", "k": f"(q - {border})*(1 + 0*a - q)"}
        equations = {"x": "k*u - v", "y": "k*v + u"}
        return bf.System.from_equations(equations, {"a": 0.0}, {"x": 0.5, "y": 0.2}, definitions=names)

    # the middle of the square is at q = 0.29, states a twentieth of its sides beside it at 0.09 to 0.65
    found = bf.compare(ring(0.06), ring(0.75), "a", (0.0, 1.0), box=SQUARE)
    assert not found.verdict, str(found)
    assert "the first comes to a cycle and the second comes to rest" in " ".join(found.reasons), str(found)


def test_states_that_one_alone_has_begin_where_they_settle():
    """y follows x within 1/50. From y = -60 it would drive x down by 1.2, below the unstable state at 3."""
    one = line("(x - 3)*(lam + 1 - x)", 3.0, value=2.5)
    two = bf.System.from_equations(
        {"x": "(x - 3)*(lam + 1 - x) + y - x", "y": "50*(x - y)"}, {"lam": 2.5}, {"x": 3.0, "y": -60.0}
    )
    found = bf.compare(one, two, bounds=(2.3, 2.9), box={"x": (1.5, 4.5)})
    assert found.verdict, str(found)


def test_cycles_that_repel_are_judged_right_from_the_hopf_point_they_leave():
    """D = lam - 1.5 + r^2 - r^4: cycles that repel leave lam = 1.5 and fold at 1.25; no tolerance is too small."""
    model = bf.System.from_equations(
        {"x": "D*(x - 4) - (y - 4)", "y": "D*(y - 4) + (x - 4)"},
        {"lam": 1.0},
        {"x": 4.0, "y": 4.0},
        definitions={"r2": "(x - 4)^2 + (y - 4)^2", "D": "lam - 1.5 + r2 - r2^2"},
    )
    box = {"x": (2.6, 5.4), "y": (2.6, 5.4)}
    report = bf.compare(model, model, parameter="lam", bounds=(1.0, 2.0), tolerance=1e-3, box=box)
    assert {match.label for match in report.matched} == {"HB", "LPC"}
    assert report.unjudged == () and report.verdict
