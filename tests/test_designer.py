"""Designer dynamics: curves from every source, their normals and fields, and what is refused."""

import numpy as np
import pytest

import bifrncrn as bf

CIRCLE = {"x1": "2 + cos(t)", "x2": "2 + sin(t)"}


def circle(count=200, **options):
    return bf.CurvePart(bf.Curve.formula(CIRCLE, (0, 2 * np.pi), count), **options)


def test_a_formula_gives_points_and_unit_tangents():
    curve = bf.Curve.formula(CIRCLE, (0, 2 * np.pi), 8)
    np.testing.assert_allclose(curve.points[2], [2, 3], atol=1e-12)
    np.testing.assert_allclose(curve.tangents[2], [-1, 0], atol=1e-12)


def test_a_spline_through_points_is_smooth():
    t = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    curve = bf.Curve.through(np.stack([2 + np.cos(t), 2 + np.sin(t)], axis=1), count=100)
    radius = np.linalg.norm(curve.points - 2, axis=1)
    assert np.abs(radius - 1).max() < 1e-4
    assert np.abs(((curve.points - 2) * curve.tangents).sum(axis=1)).max() < 1e-2


def test_a_csv_file_with_a_header(tmp_path):
    path = tmp_path / "square.csv"
    path.write_text("a,b\n1,1\n3,1\n3,3\n1,3\n")
    assert bf.Curve.from_csv(path, count=40).points.shape == (40, 2)
    path.write_text("1,1\n3,x\n")
    with pytest.raises(bf.InputError, match="row 2"):
        bf.Curve.from_csv(path)
    path.write_text("1,1\n3\n")
    with pytest.raises(bf.InputError, match="different lengths"):
        bf.Curve.from_csv(path)
    with pytest.raises(bf.InputError, match="cannot be read"):
        bf.Curve.from_csv(tmp_path / "none.csv")


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("M 0 0 A 1 1 0 0 0 1 1", "command A"),
        ("M 0 0 L 1 1 L 2 0 Z M 5 5", "second subpath"),
        ("0 0", "without a command"),
        ("M 0 0 L 1", "ends within"),
        ("M 0 0 L 1 ? 2", "no command and no number"),
        ("M 0 0 L 1 L 2 2", "too few or too many"),
        ("M 0 0", "at least 4"),
    ],
)
def test_bad_svg_paths_are_refused(path, words):
    with pytest.raises(bf.InputError, match=words):
        bf.Curve.from_svg(path)


@pytest.mark.parametrize("push", ["exp", "linear"])
@pytest.mark.parametrize("attractor", [True, False])
def test_the_push_points_to_the_curve_or_away(push, attractor):
    samples = circle(push=push, attractor=attractor).definition()
    outwards = (samples.x - 2) / np.linalg.norm(samples.x - 2, axis=1, keepdims=True)
    distance = np.linalg.norm(samples.x - 2, axis=1) - 1
    radial = (samples.field * outwards).sum(axis=1)
    size = np.exp(np.abs(distance)) if push == "exp" else np.abs(distance)
    want = np.where(np.abs(distance) < 1e-9, 0.0, np.sign(distance) * size) * (-1 if attractor else 1)
    np.testing.assert_allclose(radial, want, atol=1e-9)
    along = samples.field - radial[:, None] * outwards
    np.testing.assert_allclose(np.linalg.norm(along, axis=1), 1.0, atol=1e-9)


def test_a_thinned_sample_takes_all_layers_alike():
    part = circle(count=600)
    samples = part.samples()
    assert 2500 <= len(samples) < 3000
    distance = np.round((np.linalg.norm(samples.x - 2, axis=1) - 1) / 0.01).astype(int)
    _, counts = np.unique(distance, return_counts=True)
    assert len(counts) == 41
    assert np.ptp(counts) <= 2
    assert samples.weight.sum() == pytest.approx(part.definition().weight.sum())


def test_bad_curves_are_refused():
    with pytest.raises(bf.InputError, match="crosses itself near"):
        bf.CurvePart(bf.Curve.formula({"a": "3 + sin(t)", "b": "3 + sin(2*t)"}, (0.1, 2 * np.pi + 0.1), 100))
    with pytest.raises(bf.InputError, match="leaves the positive orthant"):
        bf.Curve.formula({"a": "cos(t)", "b": "sin(t)"}, (0, 6.28), 50)
    with pytest.raises(bf.InputError, match="layers around the curve reach"):
        bf.CurvePart(bf.Curve.formula({"a": "1.1 + cos(t)", "b": "2 + sin(t)"}, (0, 6.28), 50))
    with pytest.raises(bf.InputError, match="stands still"):
        bf.Curve.formula({"a": "1 + t^2", "b": "1 + t^2"}, (0, 1), 10, closed=False)
    with pytest.raises(bf.InputError, match="not finite"):
        bf.Curve.formula({"a": "1/t", "b": "1 + t"}, (0, 1), 10, closed=False)
    with pytest.raises(bf.InputError, match="at least 4"):
        bf.Curve.through(np.ones((3, 2)))
    with pytest.raises(bf.InputError, match="coincide"):
        bf.Curve.through(np.array([[1.0, 1], [1, 1], [2, 2], [3, 1]]))
    with pytest.raises(bf.InputError, match="push 'cubic'"):
        circle(push="cubic")
    with pytest.raises(bf.InputError, match="kappa is 0"):
        circle(kappa=0)


def test_curves_in_space_may_pass_over_each_other():
    target = bf.library.get("torus")
    assert target.sizes == (3, 0)
    assert target.parts[0].definition().x.shape == (629 * 81, 3)


@pytest.mark.parametrize("name", ["circle", "heart", "eq_cycle"])
@pytest.mark.slow
def test_designer_targets_are_learned_better_than_published(name):
    fit = bf.train(bf.library.get(name), seeds=5, jobs=2)
    assert fit.loss < {"circle": 0.1795, "heart": 0.242, "eq_cycle": 0.483}[name]
    assert fit.reached or name != "circle"


def test_mixtures_must_agree_in_their_species():
    part = circle()
    with pytest.raises(bf.InputError, match="disagree"):
        bf.Target("mixed", "mixed", (part, circle(lam=(1.0,))))
