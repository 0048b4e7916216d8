"""Engines side by side: what is measured, and how what they find is judged."""

import pytest

import bifrncrn as bf
from bifrncrn.cli.bench import Known, auto07p, known_points
from bifrncrn.cli.bench.engines import ENGINES, Job, Outcome, installed, prepare
from bifrncrn.cli.bench.judging import judge, reference
from bifrncrn.curves.equilibria.problem import EquilibriumProblem
from bifrncrn.library.textbook import TEXTBOOK

FOLD = Known("LP", 0.385, (-0.577,))
CUBIC = bf.System.from_equations({"x": "p + x - x**3"}, parameters={"p": -1}, state={"x": -1.32}, title="cubic")


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


def test_an_engine_that_is_not_installed_says_so():
    missing = next((name for name in ENGINES if name not in installed()), None)
    if missing is None:
        pytest.skip("every engine is installed")
    with pytest.raises(bf.InputError, match="not installed"):
        prepare(missing, Job(CUBIC, "p", (-1.0, 1.0), -1.0))
    measured = bf.bench(CUBIC, "p", (-1.0, 1.0), engines=["native", missing], repeat=1)
    assert f"{missing}: did not run" in str(measured)


def test_an_unknown_engine_is_refused():
    with pytest.raises(bf.InputError, match="the engines are native"):
        bf.bench(CUBIC, "p", (-1.0, 1.0), engines=["matcont"])


def test_no_engine_runs():
    away = bf.System.from_equations({"x": "1 + x**2 + 0*p"}, parameters={"p": 0}, state={"x": 0.3})
    with pytest.raises(bf.InputError, match="no engine traced the model"):
        bf.bench(away, "p", (-1.0, 1.0), engines=["native"], repeat=1)


@pytest.mark.parametrize("name", ["xpplab", "jaxcont"])
def test_other_packages_find_the_folds_too(name):
    pytest.importorskip(name)
    outcome = prepare(name, Job(CUBIC, "p", (-1.0, 1.0), -1.0))()
    assert sorted(round(p, 6) for label, p, _ in outcome.special if label == "LP") == [-0.3849, 0.3849]


BRANCHES = """   0   0.0000E+00  4.0000E-01  0.0000E+00  1.0000E+09
   0    PT  TY  LAB    PAR(1)             L2-NORM              U(1)               U(2)
   1    -1   9    1  0.0000000000E+000  0.0000000000E+000  0.0000000000E+000  0.0000000000E+000
   1    -2   0    0  2.0360333434E-003  9.7905327667E-003  2.0514014088E-003  9.5732065744E-003
   1   -46   2    2  1.0573897827E-001  1.4843655620E+000  3.1101776354E-001  1.4514162299E+000
   1   103   3    4  1.3090004476E-001  4.2718681173E+000  8.9508063379E-001  4.1770429577E+000
   1  -113  -4    5  4.0000000000E-001  4.6493015562E+000  9.7416391831E-001  4.5460982855E+000
"""
REST = "      0.0000000000E+000  0.0000000000E+000  0.0000000000E+000  0.0000000000E+000  2.5484471941E+001"
SOLUTIONS = f"""     1    46     2     2     1     1       1     3       6    1    0   11    0    2    1    0
      0.0000000000E+000  3.1101776354E-001  1.4514162299E+000
    1
     -4.3148958553E-008
      2.0952892639E-001  9.7780234687E-001
      1.0573897827E-001  0.0000000000E+000  0.0000000000E+000  0.0000000000E+000  0.0000000000E+000  0.0000000000E+000
{REST}
     1   103     3     4     1     1       1     3       6    1    0   11    0    2    1    0
      0.0000000000E+000  8.9508063379E-001  4.1770429577E+000
    1
      1.6189651883E-001
      2.0676492665E-001  9.6490299129E-001
      1.3090004476E-001  0.0000000000E+000  0.0000000000E+000  0.0000000000E+000  0.0000000000E+000  0.0000000000E+000
{REST}
     1   113    -4     5     1     1       1     3       6    1    0   11    0    2    1    0
      0.0000000000E+000  9.7416391831E-001  4.5460982855E+000
    1
      9.4669638915E-001
      6.7495020049E-002  3.1497676987E-001
      4.0000000000E-001  0.0000000000E+000  0.0000000000E+000  0.0000000000E+000  0.0000000000E+000  0.0000000000E+000
{REST}
"""


def test_what_auto_writes_is_read():
    outcome = auto07p.parse(BRANCHES, SOLUTIONS, " 1 113 UZ 5 4.0E-01\n\n Total Time    0.956E-02\n")
    assert outcome.points == 5
    assert outcome.seconds == 0.00956
    assert outcome.special == [
        ("LP", 0.10573897827, [0.31101776354, 1.4514162299]),
        ("HB", 0.13090004476, [0.89508063379, 4.1770429577]),
    ]


def test_auto_that_does_not_finish_says_so():
    with pytest.raises(bf.ConvergenceError, match="AUTO did not finish: Segmentation fault"):
        auto07p.parse("", "", "\nSegmentation fault\n")


def test_every_function_is_written_in_c():
    text = "abs(x) + besselj(2, x) + max(x, p) + sign(p) + x**3 - q*x**0.3 + rncrn_s(x, 1, 2) + erf(x)"
    system = bf.System.from_equations({"x": text}, parameters={"p": -1, "q": -2.5}, state={"x": 1})
    source = auto07p.c_source(Job(system, "p", (-1.0, 1.0), -1.0))
    for word in (
        "fabs(u[0])",
        "jn((int) 2.0, u[0])",
        "fmax(u[0], par[0])",
        "signum(par[0])",
        "u[0]*u[0]*u[0]",
        "(-2.5)",
    ):
        assert word in source
    assert "root(u[0], 1.0, 2.0)" in source


@pytest.mark.skipif(auto07p.home() is None, reason="AUTO-07p is not installed")
@pytest.mark.parametrize("name", ["ab_reaction", "schlogl", "pitchfork", "lorenz"])
def test_auto_finds_what_is_known(name):
    problem = TEXTBOOK[name]()
    timing = bf.bench(
        problem.system, problem.parameter, problem.bounds, engines=["auto"], repeat=1, known=known_points(name)
    ).timings[0]
    assert (timing.missed, timing.false) == (0, 0)
    assert timing.worst_error < 1e-9
    assert 0.0 < timing.warm < timing.cold


@pytest.mark.skipif(auto07p.home() is None, reason="AUTO-07p is not installed")
def test_auto_evaluates_every_function():
    words = "abs(x-4) besselj(2,x) max(x-9,p-9) heaviside(x+4) sign(x-4) log1p(x+3) atan2(x,2) cbrt(x+5) (x+4)**(p/7)"
    more = "rncrn_s(x+9,1,q) rncrn_s(x-9,1,q) tanh(x)/cosh(x) (x+3)**-2 (x+3)**2.5 sqrt(x+8) min(x,q+9) erf(x)"
    small = " + ".join([*words.split(), *more.split()])
    system = bf.System.from_equations({"x": f"p - x**2 + ({small})/50"}, parameters={"p": 3, "q": 2}, state={"x": 2})
    job = Job(system, "p", (-3.0, 3.0), 3.0)
    auto, native = (prepare(name, job)().special for name in ("auto", "native"))
    assert [label for label, *_ in auto] == [label for label, *_ in native] == ["LP"]
    assert auto[0][1] == pytest.approx(native[0][1], abs=1e-8)
