"""Sums are conserved whatever the words: sin(x-y) is -sin(y-x), and a sum of parameters is a number."""

import numpy as np
import pytest

import bifrncrn as bf

EXCHANGES = [
    ("p*sin(y-x) + y - x", "p*sin(x-y) + x - y", {}, (1.0, 1.0)),
    ("p*tanh(y-x)", "p*tanh(x-y)", {}, (1.0, 1.0)),
    ("-p*x/(K+x) + y", "p*(x/K)/(1+x/K) - y", {"K": 0.3}, (1.0, 1.0)),
    ("-p*x^2/(K^2+x^2) + y", "p/(1+(K/x)^2) - y", {"K": 0.3}, (1.0, 1.0)),
    ("-p*x + y", "(p*x-y)*V/(V+W)", {"V": 2, "W": 3}, (1.0, 2.5)),
    ("-p*x + y", "(p*x-y)*V^(2/3)", {"V": 8}, (1.0, 0.25)),
    ("-p*x + y", "(p*x-y)*exp(q)", {"q": 1}, (1.0, np.exp(-1.0))),
    ("-p*x^n + y", "p*x^2 - y", {"n": 2}, (1.0, 1.0)),
    ("-p*x + exp(q+y) - 1", "p*x - exp(q)*exp(y) + 1", {"q": 0.5}, (1.0, 1.0)),
    ("-p*sqrt(x)*sqrt(x) + y", "p*x - y", {}, (1.0, 1.0)),
    ("-p*x*(1/(1/(1+y))) + y", "p*(x+x*y) - y", {}, (1.0, 1.0)),
]


@pytest.mark.parametrize(("x", "y", "values", "law"), EXCHANGES)
def test_a_sum_is_conserved_in_other_words(x, y, values, law):
    system = bf.System.from_equations({"x": x, "y": y}, parameters={"p": 1, **values}, state={"x": 1, "y": 0.5})
    diagram = bf.diagram(system, "p", (0.5, 2))
    (branch,) = diagram.branches
    assert diagram.special_points == ()
    total = np.asarray(branch.points)[:, 1:] @ law
    # laws whose coefficients are found from values, not read, have the digits that a null vector has
    assert total == pytest.approx(np.full(len(total), law[0] + 0.5 * law[1]), rel=1e-12)
    assert set(branch.unstable.tolist()) == {0}


def test_a_function_left_alone_beside_fast_terms_is_no_conserved_sum():
    """x + y flows out by a saturating rate 1e12 times slower than the exchange: it is at rest at zero only."""
    equations = {"x": "k*(y-x) - p*x/(1+x)", "y": "k*(x-y)"}
    system = bf.System.from_equations(equations, parameters={"p": 1, "k": 1e12}, state={"x": 0, "y": 0})
    diagram = bf.diagram(system, "p", (0.5, 2))
    assert not any("Conserved" in note for note in diagram.notes)
    (branch,) = diagram.branches
    assert np.abs(np.asarray(branch.points)[:, 1:]).max() < 1e-12
    assert set(branch.unstable.tolist()) == {0}


@pytest.mark.parametrize(
    ("right", "span", "folds"),
    [
        ("x*(p-1-x^2*(x-1)^2)", (0.5, 1.5), [(1.0625, 0.5), (1, 1)]),
        ("x*(p-1-x*(x-2)^2)", (0.5, 3), [(1 + 32 / 27, 2 / 3), (1, 2)]),
        ("x*(p-1-x^6)", (0.5, 2), []),
    ],
)
def test_a_fold_at_the_parameter_of_a_branch_point_stays(right, span, folds):
    diagram = bf.diagram(bf.System.from_equations({"x": right}, parameters={"p": 0.7}, state={"x": 0}), "p", span)
    found = sorted((p.state["x"], p.parameters["p"]) for p in diagram.special_points if p.label == "LP")
    # a fold's state is known to the root of rounding
    assert found == [pytest.approx((x, p), abs=1e-8) for p, x in sorted(folds, key=lambda pair: pair[1])]
