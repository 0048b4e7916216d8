"""What is written where: names, links, modes, pipes; and what is read with limits."""

import json
import os
import stat
import threading

import pytest

import bifrncrn as bf

FOLD = ["diagram", "ab_reaction", "--parameter", "D", "--range", "0", "0.1"]


def run(capsys, *words):
    code = bf.main([str(word) for word in words])
    return code, *capsys.readouterr()


@pytest.mark.parametrize("name", ["-1.json", "-2e3.json", "a b.json", " x.json"])
def test_a_file_gets_exactly_its_name(tmp_path, monkeypatch, capsys, name):
    monkeypatch.chdir(tmp_path)
    assert run(capsys, *FOLD, "--json", name)[0] == 0
    assert os.listdir(tmp_path) == [name]
    assert run(capsys, *FOLD, f"--json={name}")[0] == 0
    assert os.listdir(tmp_path) == [name]


def test_links_and_modes_are_kept(tmp_path):
    diagram = bf.diagram(bf.library.get("ab_reaction"), parameter="D", bounds=(0, 0.1))
    real, link, dangling = tmp_path / "real.json", tmp_path / "link.json", tmp_path / "dangling.json"
    real.write_text("old")
    real.chmod(0o640)
    link.symlink_to("real.json")
    dangling.symlink_to("new.json")
    diagram.save(link)
    diagram.save(dangling)
    assert link.is_symlink() and dangling.is_symlink()
    assert real.read_bytes() == (tmp_path / "new.json").read_bytes() != b"old"
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    other = tmp_path / "hard.json"
    os.link(real, other)
    real.write_text("old")
    diagram.save(other)
    assert real.read_bytes() == other.read_bytes() and real.stat().st_nlink == 2


def test_a_pipe_is_written_to_and_stays(tmp_path):
    pipe, got = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: got.append(pipe.read_text()))
    reader.start()
    bf.diagram(bf.library.get("ab_reaction"), parameter="D", bounds=(0, 0.1)).save(pipe)
    reader.join(10)
    assert json.loads(got[0])["schema"] == "bifrncrn.diagram/1" and stat.S_ISFIFO(pipe.stat().st_mode)


def test_what_cannot_be_written_is_told_before_the_computation(tmp_path, capsys):
    for name, why in ((tmp_path, "is a folder"), (tmp_path / "no" / "x.json", "there is no folder")):
        code, _, err = run(capsys, *FOLD, "--json", name)
        assert code == 2 and why in err


def test_convert_spares_files_that_are_no_models(tmp_path, capsys):
    notes = tmp_path / "notes.json"
    notes.write_text('{"name": "somebody\'s settings"}')
    code, _, err = run(capsys, "convert", "ab_reaction", tmp_path / "a.toml")
    assert code == 0
    code, _, err = run(capsys, "convert", "ab_reaction", tmp_path / "a.toml")  # a model of ours may be written again
    assert code == 0
    (tmp_path / "a.toml").write_text("[tool.ruff]\nline-length = 100\n")
    code, _, err = run(capsys, "convert", "ab_reaction", tmp_path / "a.toml")
    assert code == 2 and "--force" in err and "ruff" in (tmp_path / "a.toml").read_text()
    assert run(capsys, "convert", "ab_reaction", tmp_path / "a.toml", "--force")[0] == 0
    assert "equations" in (tmp_path / "a.toml").read_text()


def test_a_title_cannot_speak_to_the_terminal(tmp_path, capsys):
    model = tmp_path / "m.toml"
    model.write_text(
        'title = "\\u001b[31mred\\u0007 \\u202e"\n'
        '[variables]\nx = 0.5\n[parameters]\nlam = 0.5\n[equations]\nx = "lam - x"\n'
    )
    code, out, err = run(capsys, "diagram", model, "--range", 0, 1)
    assert code == 0 and "red" in out
    assert not [c for c in out + err if not c.isprintable() and c != "\n"]
    code, out, err = run(capsys, "diagram", "\x1b[31mnot_there", "--range", 0, 1)
    assert code == 2 and "\x1b" not in err


@pytest.mark.parametrize(
    "title", ["$$ a_b $x^{$", "\\frac{", "50 % & # ~", "line\nbreak", "\x00\x1b", "α → β", "x" * 500]
)
@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_any_title_can_be_drawn(tmp_path, title, suffix):
    model = bf.System.from_equations({"x": "lam - x^2"}, {"lam": 1.0}, {"x": 1.0}, title=title)
    bf.save_diagram(bf.diagram(model, bounds=(-1, 1)), tmp_path / f"p.{suffix}")
    assert (tmp_path / f"p.{suffix}").stat().st_size > 1000
    if suffix == "svg":
        import xml.etree.ElementTree as ET

        ET.parse(tmp_path / "p.svg")


CORNERS = "1,1\n3,1.2\n3.5,2.5\n2,3\n1.1,2.2\n"


@pytest.mark.parametrize("start", ["", "\ufeff", "x,y\n", "\ufeffx1,x2\n", "'u','v'\n", "\n"])
def test_no_row_of_a_curve_is_dropped(tmp_path, start):
    path = tmp_path / "c.csv"
    path.write_text(start + CORNERS, encoding="utf-8")
    points = bf.Curve.from_csv(path).points
    for corner in ([1, 1], [3, 1.2], [3.5, 2.5], [2, 3], [1.1, 2.2]):
        assert ((points - corner) ** 2).sum(axis=1).min() < 1e-3  # of 629 samples along a length of about 7


@pytest.mark.parametrize("start", ["1,x\n", "O.5e,1.2.3\n1;1\n", "1.0.0,2\n", "1;1\n", "nan,nan\n", "#1,1\n"])
def test_a_first_row_that_is_neither_numbers_nor_names_is_refused(tmp_path, start):
    path = tmp_path / "c.csv"
    path.write_text(start + CORNERS)
    with pytest.raises(bf.InputError):
        bf.Curve.from_csv(path)


@pytest.mark.parametrize("name", ["a", "b", "c", "omega", "l1", "period", "label", "branch", "status", "residual"])
def test_a_name_of_the_model_keeps_its_column(name):
    model = bf.System.from_equations({"x": f"{name} - x^2"}, {name: 1.0}, {"x": 1.0})
    table = bf.diagram(model, parameter=name, bounds=(-1, 1)).table()
    assert list(table[name]) == pytest.approx([0.0], abs=1e-12)  # the fold of lam - x^2
    assert len(set(table.columns)) == len(table.columns)
    assert table[f"{name}_"].notna().any() or name in ("b", "c", "omega", "l1", "period")


def test_a_state_keeps_its_column_too():
    model = bf.System.from_equations({"a": "p - a^2"}, {"p": 1.0}, {"a": 1.0})
    table = bf.diagram(model, bounds=(-1, 1)).table()
    assert list(table["a"]) == pytest.approx([0.0], abs=1e-7) and list(abs(table["a_"])) == pytest.approx([1.0])
