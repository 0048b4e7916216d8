"""What a chemist is handed: every reaction with rate and unit, no idle ones, and a fit of every name there is."""

import json
import re

import numpy as np
import pytest

import bifrncrn as bf


def network(**changes):
    arrays = {
        "alpha": [[-1.5, 2.0], [0.0, 3.0]],
        "omega": [[1.0, 0.0], [-2.0, 0.5]],
        "psi": [[0.25], [0.0]],
        "theta": [0.0, -4.0],
        "beta": [1.0, 7.0],
        "lam": [2.0],
    }
    return bf.Network(**arrays | changes)


def rows(text):
    """Return (reactants, products, number, whether it carries 1/mu, unit) of every line of the table."""
    found = re.findall(r"^(.+?) -> (.+?)\s{2,}(\S+?)(/mu)?\s+(\S.*)$", text, flags=re.M)
    return [(a.strip(), b.strip(), float(c), bool(d), e.strip()) for a, b, c, d, e in found]


def test_the_table_is_the_network_itself():
    """The rates of change written out from the printed table are those of the equations of a network."""
    net = network()
    table = rows(str(net))
    assert len(table) == sum(int((np.asarray(net.weights()[n]) != 0).sum()) for n in net.weights())
    mu, amounts = 0.1, {"X_1": 1.3, "X_2": 0.7, "Y_1": 2.1, "Y_2": 0.4, "L_1": 2.0}
    change = dict.fromkeys(amounts, 0.0)
    for before, after, rate, fast, unit in table:
        sides = [[], []]
        for side, text in zip(sides, (before, after)):
            for word in [] if text == "nothing" else text.split(" + "):
                count, _, name = word.rpartition(" ")
                side += [name] * int(count or 1)
        assert unit == {0: "c/t", 1: "1/t", 2: "1/(c t)"}[len(sides[0])]
        speed = rate / (mu if fast else 1.0) * np.prod([amounts[name] for name in sides[0]])
        for name in change:
            change[name] += speed * (sides[1].count(name) - sides[0].count(name))
    x, y = np.array([1.3, 0.7]), np.array([2.1, 0.4])
    z = net.theta + net.omega @ x + net.psi @ [2.0]
    expected = [*(net.beta + x * (net.alpha @ y)), *((1 + y * z - y**2) / mu), 0.0]
    assert list(change.values()) == pytest.approx(expected, rel=1e-7)


def test_the_role_of_each_species_and_the_time_scale_are_said():
    text = str(network(mu=0.01, training={"largest_mu": 0.02}))
    text = " ".join(text.split())
    for words in ("X_1 ", "executive", "Y_2 ", "perceptron", "L_1 ", "catalyst", "usable mu: up to 0.02", "mu = 0.01"):
        assert words in text
    assert "usable mu: not known" in str(network())


def test_rates_too_far_apart_are_a_warning():
    assert "warning" not in str(network())
    wide = str(network(alpha=[[-1.5, 2e-7], [0.0, 3.0]]))
    assert "warning: they spread over more than 1e+06" in " ".join(wide.split())  # its lines are folded


def test_a_fit_ends_with_the_table_of_its_network():
    fit = bf.train(bf.library.bistable(), seeds=1, rank="loss", evaluations=20)
    assert str(fit).endswith(str(fit.network))


@pytest.mark.parametrize("name", ["pitchfork", "lorenz"])
def test_a_textbook_system_that_is_no_concentration_says_what_to_do(name, capsys):
    assert bf.main(["train", name]) == 2
    message = capsys.readouterr().err
    assert f"{name} has states or a parameter below zero" in message and "brusselator" in message


@pytest.mark.slow
def test_a_textbook_system_trains_on_a_box_about_what_it_does(capsys, tmp_path):
    """Schloegl's folds are at x = 2 -+ 1/sqrt 3: b = x^3 - 6 x^2 + 11 x."""
    out = tmp_path / "schlogl.json"
    assert bf.main(["train", "schlogl", "--seeds", "1", "--jobs", "1", "--out", str(out)]) == 0
    text = capsys.readouterr().out
    learned = bf.Network.load(out)
    folds = bf.diagram(learned.reduced(), "lam", (0, 10)).special("LP")
    found = sorted(point.parameters["lam"] for point in folds)
    known = sorted(v**3 - 6 * v**2 + 11 * v for v in (2 - 3**-0.5, 2 + 3**-0.5))
    assert found == pytest.approx(known, abs=0.1)  # a hundredth of the range, as a verification allows
    assert "usable mu" in text and "executive" in text


def test_what_is_no_network_says_what_it_is(tmp_path):
    classifier = bf.Classifier([[1.0]], 0.0, [[1.0]])
    whole = bf.ControlledNetwork(classifier, network())
    whole.save(tmp_path / "controlled.json")
    (tmp_path / "classifier.json").write_text(json.dumps(classifier.to_json()))
    with pytest.raises(bf.InputError, match=r"holds a controlled network; ControlledNetwork\.load reads it"):
        bf.Network.load(tmp_path / "controlled.json")
    with pytest.raises(bf.InputError, match="holds a classifier"):
        bf.Network.load(tmp_path / "classifier.json")
    assert bf.ControlledNetwork.load(tmp_path / "controlled.json").network.sizes == (2, 2, 1)
