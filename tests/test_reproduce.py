"""The papers' problems again: what holds, what does not, and that finished ones are not done again."""

import json

import numpy as np
import pytest

import bifrncrn as bf
from bifrncrn.library.reproduction.reproduce import shipped


def test_shipped_networks_do_what_is_wanted(tmp_path):
    found = bf.reproduce(["bistable", "uni_bistable"], tmp_path)
    assert {row.problem for row in found.rows} == {"bistable", "uni_bistable"}
    assert all(row.holds for row in found.rows)
    (states,) = (row for row in found.rows if row.problem == "bistable")
    np.testing.assert_allclose([float(v) for v in states.ours.split(", ")], [np.pi, 3 * np.pi], atol=0.05)
    assert all(path.stat().st_size > 5000 for path in found.figures.values())
    assert "| bistable | stable states | 3.142, 9.425 |" in (tmp_path / "table.md").read_text()
    assert str(found).startswith("6 of 6 checks hold")


def test_finished_problems_are_not_done_again(tmp_path):
    first = bf.reproduce("bistable", tmp_path)
    before = first.figures["bistable"].stat().st_mtime_ns
    assert bf.reproduce("bistable", tmp_path).rows == first.rows
    assert first.figures["bistable"].stat().st_mtime_ns == before
    first.figures["bistable"].unlink()
    assert bf.reproduce("bistable", tmp_path).figures["bistable"].exists()


def test_a_network_that_does_something_else_is_told_so(tmp_path):
    """The shipped network with every influence reversed: neither state is where it should be, and nothing says yes."""
    network = shipped("bistable")
    data = network.to_json()
    values = np.array(data["weights"]["alpha"]["values"])
    data["weights"]["alpha"]["values"] = (-values).tolist()
    (tmp_path / "bistable_network.json").write_text(json.dumps(data))
    found = bf.reproduce("bistable", tmp_path, train=True)  # it takes what an earlier run has trained
    assert not any(row.holds for row in found.rows)
    assert "**no**" in found.markdown()


def test_the_independent_fields_are_those_of_the_engine():
    from bifrncrn.library.reproduction.independent import Plain

    network = shipped("hopf")
    plain, x, lam = Plain.of(network), np.array([4.8, 5.3]), np.array([2.2])
    values = {"lam": 2.2}
    assert plain.reduced(x, lam) == pytest.approx(network.reduced().with_(values=values).rhs(x), rel=1e-12)
    assert plain.reduced_slope(x, lam) == pytest.approx(network.reduced().with_(values=values).jacobian(x), rel=1e-12)
    full, state = network.full(0.01).with_(values=values), plain.rest(x, lam) * 1.1
    assert plain.full(state, lam, 0.01) == pytest.approx(full.rhs(state), rel=1e-10)
    assert plain.full_slope(state, lam, 0.01) == pytest.approx(full.jacobian(state), rel=1e-10, abs=1e-12)


def test_loops_and_hopf_points_of_known_systems():
    """The target system of `homoclinic` itself: HB at 1.84615012, the loop at 2 (Sandstede's algebraic curve)."""
    from bifrncrn.library.reproduction.independent import hopf_value, loop_value

    system = bf.library.get("homoclinic").system

    class Known:
        def reduced(self, x, lam):
            return system.rhs(x, lam)

        def reduced_slope(self, x, lam):
            return system.jacobian(x, lam)

    at = hopf_value(Known(), np.array([4.81, 4.37]), (1.7, 1.95))
    assert at[0] == pytest.approx(1.8461501233154194, abs=1e-9)
    assert loop_value(Known(), np.array([5.0, 5.0]), np.array([4.82, 4.34]), (1.9, 2.1)) == pytest.approx(2.0, abs=1e-6)


def test_the_command(tmp_path, capsys):
    assert bf.main(["reproduce", "bistable", "--out", str(tmp_path), "--json", str(tmp_path / "all.json")]) == 0
    assert json.loads((tmp_path / "all.json").read_text())["rows"][0]["holds"] is True
    assert bf.main(["reproduce", "bistible", "--out", str(tmp_path)]) == 2
    assert "there is no problem 'bistible' of the papers" in capsys.readouterr().err
