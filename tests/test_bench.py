"""Engines side by side: what is measured, and how what they find is judged."""

import pytest

from bifrncrn.bench import Known, bench, known_points
from bifrncrn.bench.engines import ENGINES, Job, Outcome, installed, prepare
from bifrncrn.bench.judging import judge, reference
from bifrncrn.curves.equilibrium import EquilibriumProblem
from bifrncrn.errors import InputError
from bifrncrn.systems.system import System

FOLD = Known("LP", 0.385, (-0.577,))
CUBIC = System.from_equations({"x": "p + x - x**3"}, parameters={"p": -1}, state={"x": -1.32}, title="cubic")


def test_points_found_missed_and_false():
    found = Outcome(10, [("LP", 0.385, [-0.577]), ("HB", 0.1, [0.0])])
    verdict = judge(found, [FOLD, Known("LP", -0.385, (0.577,))], width=2.0)
    assert (verdict.found, verdict.missed, verdict.false) == (1, 1, 1)
    assert verdict.worst_error == 0.0


def test_a_point_found_twice_counts_once():
    twice = Outcome(10, [("LP", 0.385, [-0.577]), ("LP", 0.38500002, [-0.577])])
    verdict = judge(twice, [FOLD], width=2.0)
    assert (verdict.found, verdict.missed, verdict.false) == (1, 0, 0)


def test_a_misplaced_point_is_missed_and_false():
    verdict = judge(Outcome(10, [("LP", 0.4, [-0.577])]), [FOLD], width=2.0)
    assert (verdict.found, verdict.missed, verdict.false) == (0, 1, 1)
    verdict = judge(Outcome(10, [("LP", 0.385, [0.577])]), [FOLD], width=2.0)
    assert (verdict.found, verdict.missed, verdict.false) == (0, 1, 1)


def test_what_no_eigenvalue_confirms_is_no_reference():
    one = Outcome(10, [("LP", 0.3849001794597505, [-0.5773502691896258]), ("HB", 0.2, [1.09]), ("BP", 0.1, [1.05])])
    other = Outcome(10, [("LP", 0.384901, [-0.5773]), ("LP", -0.3849001794597505, [0.5773502691896258])])
    known = reference(EquilibriumProblem(CUBIC, 0), [one, other], width=2.0)
    assert [(k.label, round(k.parameter, 4)) for k in known] == [("LP", 0.3849), ("LP", -0.3849)]


def test_the_library_knows_its_special_points():
    points = known_points("cubic_fold")
    assert points is not None
    assert [k.label for k in points] == ["LP", "LP"]
    assert known_points("model.toml") is None


@pytest.fixture(scope="module")
def measured():
    known = [
        Known("LP", 0.3849001794597505, (-0.5773502691896258,)),
        Known("LP", -0.3849001794597505, (0.5773502691896258,)),
    ]
    return bench(CUBIC, "p", (-1.0, 1.0), engines=["native", "pycont"], repeat=2, known=known)


def test_engines_run_in_processes_of_their_own(measured):
    native, pycont = measured.timings
    assert [native.engine, pycont.engine] == ["native", "pycont"]
    assert native.cold > native.warm > 0.0
    assert native.points > 10
    for timing in measured.timings:
        assert (timing.found, timing.missed, timing.false) == (2, 0, 0), timing.error
        assert timing.worst_error < 1e-10


def test_the_table_says_what_its_columns_mean(measured):
    text = str(measured)
    assert text.startswith("cubic\n")
    assert "times as fast as pycont" in text
    for word in ("cold:", "found, missed, false:", "worst error:"):
        assert word in text


def test_as_json(measured):
    data = measured.to_json()
    assert data["schema"] == "bifrncrn.bench/1"
    assert data["published"] is True
    assert [row["engine"] for row in data["engines"]] == ["native", "pycont"]
    assert data["engines"][0]["per_point"] == pytest.approx(data["engines"][0]["warm"] / data["engines"][0]["points"])


def test_an_engine_that_is_not_installed_says_so():
    missing = next((name for name in ENGINES if name not in installed()), None)
    if missing is None:
        pytest.skip("every engine is installed")
    with pytest.raises(InputError, match="not installed"):
        prepare(missing, Job(CUBIC, "p", (-1.0, 1.0), -1.0))
    measured = bench(CUBIC, "p", (-1.0, 1.0), engines=["native", missing], repeat=1)
    assert f"{missing}: did not run" in str(measured)


def test_an_unknown_engine_is_refused():
    with pytest.raises(InputError, match="the engines are native"):
        bench(CUBIC, "p", (-1.0, 1.0), engines=["matcont"])


def test_no_engine_runs():
    away = System.from_equations({"x": "1 + x**2 + 0*p"}, parameters={"p": 0}, state={"x": 0.3})
    with pytest.raises(InputError, match="no engine traced the model"):
        bench(away, "p", (-1.0, 1.0), engines=["native"], repeat=1)


@pytest.mark.parametrize("name", ["xpplab", "jaxcont"])
def test_other_packages_find_the_folds_too(name):
    pytest.importorskip(name)
    outcome = prepare(name, Job(CUBIC, "p", (-1.0, 1.0), -1.0))()
    assert sorted(round(p, 6) for label, p, _ in outcome.special if label == "LP") == [-0.3849, 0.3849]
