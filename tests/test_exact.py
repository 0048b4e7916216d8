"""Random systems with special points known in closed form: none missed, none false, at any step, from any start."""

import exact
import hunt
import numpy as np
import pytest

import bifrncrn as bf


def places(found):
    assert all(point.status == "converged" for point in found.special_points)
    return sorted((point.label, point.parameters["lam"]) for point in found.special_points)


def agree(found, known, tolerance=1e-9):
    seen = places(found)
    assert [label for label, _ in seen] == [label for label, _ in known], (seen, known)
    assert [lam for _, lam in seen] == pytest.approx([lam for _, lam in known], abs=tolerance)


def check_ecology(seed):
    rng = np.random.default_rng(seed)
    polynomial, state = hunt.random_ecology(rng, int(rng.integers(1, 4)))
    truth, system = exact.ecology_truth(polynomial, state), polynomial.system(state, 1.0, True)
    first = bf.diagram(system, "lam", exact.SPAN)
    rows = first.branches[0].points[rng.integers(len(first.branches[0].points), size=2)]
    others = [bf.diagram(system, "lam", exact.SPAN, options=bf.Options(step=step)) for step in (0.1, 0.02)]
    starts = [dict(zip(first.branches[0].columns, row.tolist(), strict=True)) for row in rows]
    others += [bf.diagram(system, "lam", exact.SPAN, start=start) for start in starts]
    for found in [first, *others]:
        assert hunt.differences(hunt.flat(found), truth, exact.SPAN[1] - exact.SPAN[0]) == []


# two branch points in one step that leave count and determinant as they were; a branch that went on round a corner of
# the walls; starts next to a wall; a Hopf point next to a branch point; false folds where a branch meets the wall
ECOLOGIES = (1406, 1534, 5059, 5082, 5177, 5578, 5828, 5995, 6116, 6119, 6133, 6185, 6222, 6292, 6335, 6437, 6443)


@pytest.mark.parametrize("seed", ECOLOGIES)
def test_ecologies_that_were_wrong_once(seed):
    check_ecology(seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(7000, 7300))
def test_ecologies(seed):
    check_ecology(seed)


def check_oscillators(seed):
    equations, start, known, rounding = exact.two_oscillators(np.random.default_rng(seed))
    system = bf.System.from_equations(equations, {"lam": start}, dict.fromkeys(equations, 0.0))
    agree(bf.diagram(system, "lam", (-1.3, 1.3)), [("HB", lam) for lam in known], 1e-9 + rounding)


@pytest.mark.parametrize("seed", range(20))
def test_two_oscillators_quickly(seed):
    check_oscillators(seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1000, 1400))
def test_two_oscillators(seed):
    check_oscillators(seed)


@pytest.mark.parametrize("seed", [1, 5, 9, 13, 17, 21, 25])
@pytest.mark.parametrize("step", [0.05, 0.1])
def test_folds_and_hopf_points_side_by_side(seed, step):
    equations, start, span, known = exact.fold_and_oscillator(np.random.default_rng(seed))
    system = bf.System.from_equations(equations, {"lam": start}, dict.fromkeys(equations, 0.0))
    agree(bf.diagram(system, "lam", span, options=bf.Options(step=step)), known, 1e-9 * (span[1] - span[0]))


@pytest.mark.parametrize("step", [0.1, 0.05, 0.02])
@pytest.mark.parametrize("gap", [0.1, 0.03, 0.01, 0.003])
def test_two_folds_in_one_step(step, gap):
    """Lam' = (x - c)^2 - gap^2: the folds differ in the parameter by 4/3 gap^3."""
    for c in (-0.31, 0.0, 0.377):
        system = bf.System.from_equations(
            {"x": f"lam - ((x-{c})^3/3 - {gap**2}*(x-{c}))"}, {"lam": -1.0}, {"x": c - 1.5}
        )
        found = bf.diagram(system, "lam", (-1.0, 1.0), options=bf.Options(step=step))
        agree(found, [("LP", -2.0 / 3.0 * gap**3), ("LP", 2.0 / 3.0 * gap**3)], 1e-13)


@pytest.mark.parametrize("step", [0.1, 0.05, 0.02])
@pytest.mark.parametrize("window", [1e-1, 1e-2, 1e-3, 1e-4, 2e-5])
def test_two_hopf_points_in_one_step(step, window):
    for centre in (-0.71, 0.003, 0.52):
        a, b = centre - 0.5 * window, centre + 0.5 * window
        mu = f"((lam - ({a!r}))*(lam - ({b!r})))"
        equations = {"x": f"{mu}*x - y - x*(x^2+y^2)", "y": f"{mu}*y + x - y*(x^2+y^2)", "z": "-0.01*z + x^2"}
        for names in ("xy", "xyz"):  # a slow state, always nearer to instability, must not hide them
            system = bf.System.from_equations({name: equations[name] for name in names}, {"lam": -1.0})
            found = bf.diagram(system, "lam", (-1.0, 1.0), options=bf.Options(step=step))
            agree(found, [("HB", a), ("HB", b)], 1e-9)


@pytest.mark.parametrize("size", [1.0, 1e-4, 1e-7])
@pytest.mark.parametrize("gap", [0.3, 1e-2, 1e-4])
def test_branches_of_small_states_from_nothing(size, gap):
    """X' = x (lam - x/s), y' = y (lam - gap - y - x/(2 s)): all four branches, and the four points they meet at."""
    system = bf.System.from_equations(
        {"x": f"x*(lam - x/{size!r})", "y": f"y*(lam - {gap!r} - y - 0.5*x/{size!r})"}, {"lam": -1.0}
    )
    found = bf.diagram(system, "lam", (-1.0, 1.0))
    agree(found, sorted([("BP", 0.0), ("BP", 0.0), ("BP", gap), ("BP", 2.0 * gap)]))
    assert len(found.branches) == 4


def test_no_sum_is_conserved_by_states_of_very_different_size():
    a = np.array([[0.67, 0.3, 0.64], [0.7, 0.2, -0.69], [-0.12, 0.12, 0.86]]) * np.array([[4e5], [1.4e-2], [8e-7]])
    equations = exact.mixed(a, ["lam - (X^3 - X)", "0.12*(X^2 - Y)", "Y - Z + lam"])
    x = a @ np.array([0.2, 0.04, -0.152])
    system = bf.System.from_equations(equations, {"lam": 0.008 - 0.2}, dict(zip(equations, x.tolist(), strict=True)))
    assert len(bf.conserved(system, x)) == 0
    found = bf.diagram(system, "lam", (-1.0, 1.0))
    agree(found, [("LP", -2.0 / 27.0**0.5), ("LP", 2.0 / 27.0**0.5)])
