"""What a laboratory gets: reactions with names, rates and units, SBML without a warning, what was verified."""

import csv

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import bifrncrn as bf


@pytest.fixture(scope="module")
def fit():
    return bf.train(bf.library.get("bistable"), seeds=1, jobs=1)


def rates_of(rows):
    """Return mass-action rates of a table of reactions, written for this test: dx/dt by species."""
    parsed = []
    for row in rows:
        sides = []
        for side in row["reaction"].split(" -> "):
            counts = {}
            for term in side.split(" + ") if side != "0" else []:
                number, _, name = term.rpartition(" ")
                counts[name] = counts.get(name, 0) + int(number or 1)
            sides.append(counts)
        parsed.append((*sides, float(row["rate"])))
    names = sorted({name for before, after, _ in parsed for name in (*before, *after)})

    def rhs(_, x):
        now, out = dict(zip(names, x)), dict.fromkeys(names, 0.0)
        for before, after, rate in parsed:
            speed = rate * np.prod([now[name] ** count for name, count in before.items()])
            for name in out:
                out[name] += speed * (after.get(name, 0) - before.get(name, 0))
        return list(out.values())

    return names, rhs


def test_the_table_of_reactions_does_what_is_wanted(fit, tmp_path):
    """Integrated by scipy from the table alone, X comes to rest at pi and at 3 pi, as sin x does."""
    fit.handover(tmp_path, mu=1e-3)  # perceptrons that settle at once, wherever they start
    with (tmp_path / "reactions.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert {row["unit"] for row in rows} <= {"uM min^-1", "min^-1", "uM^-1 min^-1"}
    assert all(row["what it does"] for row in rows)
    names, rhs = rates_of(rows)
    for begin, end in ((2.0, np.pi), (8.0, 3 * np.pi)):
        start = [begin if name == "X_1" else 1.0 for name in names]
        run = solve_ivp(rhs, (0.0, 200.0), start, "LSODA", rtol=1e-8, atol=1e-10)
        assert run.y[names.index("X_1"), -1] == pytest.approx(end, abs=0.1)  # what the target itself allows


def test_sbml_has_units_and_no_warning(fit, tmp_path):
    libsbml = pytest.importorskip("libsbml", reason="python-libsbml is not installed")
    fit.handover(tmp_path, mu=0.02, concentration="nM", time="h")
    document = libsbml.readSBMLFromFile(str(tmp_path / "network.xml"))
    document.checkConsistency()
    assert document.getNumErrors() == 0
    model = document.getModel()
    unit = model.getSpecies(0).getDerivedUnitDefinition()
    assert libsbml.UnitDefinition.printUnits(unit, True) == "(1e-09 mole)^1, (1 litre)^-1"
    with (tmp_path / "reactions.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [row["name"] for row in rows] == [model.getReaction(k).getId() for k in range(model.getNumReactions())]
    assert "(3600 second)^-1" in libsbml.UnitDefinition.printUnits(
        model.getParameter("k1").getDerivedUnitDefinition(), True
    )


def test_the_page_says_what_was_verified_and_where(fit, tmp_path):
    fit.handover(tmp_path)
    page = (tmp_path / "README.md").read_text()
    assert fit.largest_mu is not None
    assert f"up to mu = {fit.largest_mu:.3g}" in page
    assert "does not cover" not in page
    assert "How to measure it" in page
    fit.handover(tmp_path, mu=10 * fit.largest_mu)
    assert "does not cover the time-scale of these rates" in (tmp_path / "README.md").read_text()


def test_other_units_are_refused(fit, tmp_path):
    with pytest.raises(bf.InputError, match="the unit of time is 'year' but must be one of s, min, h"):
        fit.handover(tmp_path, time="year")
