"""A kind of curve from outside: the one of the page for developers, built from its own text."""

import importlib.util
import re
from pathlib import Path

import numpy as np
import pytest

import bifrncrn as bf

PAGE = Path(__file__).parent.parent / "docs" / "extending.md"


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """Return the page's code as a module."""
    if not PAGE.is_file():
        pytest.skip("the pages for developers are not there")
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    path = tmp_path_factory.mktemp("page") / "page.py"
    path.write_text("\n".join(blocks), encoding="utf-8")
    spec = importlib.util.spec_from_file_location("page", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def logistic(page, high=4.0, **options):
    kind = page.FixedPoints(
        ("x",), "r", lambda x, r: r * x * (1 - x), lambda x, r: np.array([r * (1 - 2 * x)]), lambda x, r: x * (1 - x)
    )
    return bf.follow(kind, {"x": 0.6, "r": 2.5}, (0.5, high), **options)


def test_the_page_finds_the_points_of_henon(page):
    (branch,) = page.diagram.branches
    a, x, y = branch.points.T
    np.testing.assert_allclose((1 - a * x**2 + y - x) / (1 + np.abs(a) * x**2), 0, atol=1e-12)
    np.testing.assert_allclose(y, 0.3 * x, rtol=1e-12)
    # the multipliers solve m^2 + 2 a x m - 0.3 = 0: they are real, of opposite sign
    root = np.hypot(a * x, 0.3**0.5)
    beside = np.min([np.abs(a + 0.1225), np.abs(a - 0.3675)], axis=0) > 1e-6
    wanted = (np.abs(-a * x + root) > 1).astype(int) + (np.abs(-a * x - root) > 1)
    assert np.array_equal(branch.unstable[beside], wanted[beside])
    assert [p.label for p in page.diagram.special_points] == ["LP", "PD"]
    assert [end.reason for end in branch.ended] == ["infinity", "range"]  # x = -1/a^(1/2) for small a


def test_a_map_in_closed_form(page):
    """X = 1 - 1/r, with the multiplier 2 - r: it doubles at r = 3."""
    found = logistic(page)
    (branch,) = found.branches
    np.testing.assert_allclose(branch.column("x"), 1 - 1 / branch.column("r"), atol=1e-12)
    (doubling,) = found.special("PD")
    assert doubling.parameters["r"] == pytest.approx(3.0, abs=1e-10) and doubling.residual < 1e-12
    assert (
        branch.unstable[branch.column("r") > 3.001].all()
        and not branch.unstable[np.abs(branch.column("r") - 2) < 0.99].any()
    )
    assert [end.message for end in branch.ended] == ["r reached 0.5", "r reached 4"]


def test_what_a_diagram_can_do_this_one_can(page, tmp_path):
    found = logistic(page)
    found.save(tmp_path / "d.json")
    again = bf.Diagram.load(tmp_path / "d.json")
    assert str(again) == str(found) and "fixed_point" in str(found) and "PD" in str(found)
    assert len(found.table()) == 1
    assert len(found.plot().lines) >= 3  # stable, unstable, the marker


def test_ends_have_reasons(page):
    limited = logistic(page, options=bf.Options(max_points=4))
    assert {end.reason for end in limited.branches[0].ended} == {"points"}
    walled = logistic(page, walls={"x": (0.5, 0.7)})
    assert [end.reason for end in walled.branches[0].ended] == ["bound", "bound"]
    np.testing.assert_allclose(walled.branches[0].points[[0, -1], 1], [0.5, 0.7], atol=1e-12)


def test_a_closed_curve(page):
    class Circle(bf.CurveKind):
        unknowns = ("x", "p")
        turn = "LP"

        def equations(self, y):
            return np.array([y @ y - 1]), 2 * y[None]

    found = bf.follow(Circle(), {"x": 1.2, "p": 0.1}, (-2, 2))
    assert [end.reason for end in found.branches[0].ended] == ["closed", "closed"]
    assert sorted(p.parameters["p"] for p in found.special("LP")) == pytest.approx([-1, 1], abs=1e-12)


def test_errors_of_the_kind_come_out(page):
    class Broken(bf.CurveKind):
        unknowns = ("x", "p")

        def equations(self, y):
            if y[1] > 0.5:
                raise RuntimeError("no such map")
            return y[:1] - y[1:], np.array([[1.0, -1.0]])

    with pytest.raises(RuntimeError, match="no such map"):
        bf.follow(Broken(), {"x": 0.0, "p": 0.0}, (-1, 1))
    with pytest.raises(bf.InputError, match="no value of p"):
        bf.follow(Broken(), {"x": 0.0}, (-1, 1))
    with pytest.raises(bf.ConvergenceError, match="no point of the curve"):
        bf.follow(Nothing(), {"x": 0.0, "p": 0.0}, (-1, 1))
    with pytest.raises(bf.InputError, match="a kind of curve"):
        bf.follow(3, {"x": 0.0, "p": 0.0}, (-1, 1))


class Nothing(bf.CurveKind):
    unknowns = ("x", "p")

    def equations(self, y):
        return np.array([1.0 + y[0] ** 2]), np.array([[2 * y[0], 0.0]])
