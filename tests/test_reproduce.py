"""The papers' problems again: what holds, what does not, and that finished ones are not done again."""

import json

import numpy as np

import bifrncrn as bf


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


def test_the_command(tmp_path, capsys):
    assert bf.main(["reproduce", "bistable", "--out", str(tmp_path), "--json", str(tmp_path / "all.json")]) == 0
    assert json.loads((tmp_path / "all.json").read_text())["rows"][0]["holds"] is True
    assert bf.main(["reproduce", "bistible", "--out", str(tmp_path)]) == 2
    assert "there is no problem 'bistible' of the papers" in capsys.readouterr().err
