"""Engines side by side: what is measured, and how what they find is judged."""

import pytest

import bifrncrn as bf

CUBIC = bf.System.from_equations({"x": "p + x - x**3"}, parameters={"p": -1}, state={"x": -1.32}, title="cubic")


@pytest.fixture(scope="module")
def measured():
    known = [
        bf.Known("LP", 0.3849001794597505, (-0.5773502691896258,)),
        bf.Known("LP", -0.3849001794597505, (0.5773502691896258,)),
    ]
    return bf.bench(CUBIC, "p", (-1.0, 1.0), engines=["native", "pycont"], repeat=2, known=known)


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


def test_an_unknown_engine_is_refused():
    with pytest.raises(bf.InputError, match="the engines are native"):
        bf.bench(CUBIC, "p", (-1.0, 1.0), engines=["matcont"])


def test_no_engine_runs():
    away = bf.System.from_equations({"x": "1 + x**2 + 0*p"}, parameters={"p": 0}, state={"x": 0.3})
    with pytest.raises(bf.InputError, match="no engine traced the model"):
        bf.bench(away, "p", (-1.0, 1.0), engines=["native"], repeat=1)


@pytest.mark.parametrize("name", ["ab_reaction", "schlogl", "pitchfork", "lorenz"])
def test_auto_finds_what_is_known(name):
    problem = bf.library.problem(name)
    known = [bf.Known(point.label, point.parameter, point.state) for point in problem.known]
    engines = ["native", "auto"]
    timings = bf.bench(
        problem.system, problem.parameter, problem.bounds, engines=engines, repeat=1, known=known
    ).timings
    timing = timings[1]
    if timing.error and "not installed" in timing.error:
        pytest.skip("AUTO-07p is not installed")
    assert (timing.missed, timing.false) == (0, 0)
    assert timing.worst_error < 1e-9
    assert 0.0 < timing.warm < timing.cold
