"""Model files: lossless round trips, and errors that say where and what."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import bifrncrn as bf

TANK = """title = "A -> B reaction in a stirred tank"

[variables]            # the state, and a start value for each
u1 = 0.0
u2 = 0.0

[parameters]           # numbers, or exact fractions as strings: "8/3"
D = 0
B = 14.0
beta = "6/3"

[definitions]
heat = "D*(1 - u1)*exp(u2)"

[equations]
u1 = "-u1 + heat"
u2 = "-u2 + B*heat - beta*u2"

[options]
nonnegative = true

[training]
box = { u1 = [0, 1], u2 = [0.0, 10.0] }
samples = 100
"""


def test_read(tmp_path: Path) -> None:
    path = tmp_path / "tank.toml"
    path.write_text(TANK)
    system = bf.System.from_file(path)
    assert system.title == "A -> B reaction in a stirred tank"
    assert (system.variables, system.parameters) == (("u1", "u2"), ("D", "B", "beta"))
    assert system.values.tolist() == [0.0, 14.0, 2.0]
    assert system.nonnegative
    assert system.training == {"box": {"u1": [0, 1], "u2": [0.0, 10.0]}, "samples": 100}
    assert system.rhs([0.5, 0.0], [1, 2, 3]).tolist() == [0.0, 1.0]


def assert_same(one: bf.System, other: bf.System) -> None:
    """Compare everything a file holds."""
    for name in ("title", "variables", "parameters", "equations", "definitions", "nonnegative", "periodic", "training"):
        assert getattr(one, name) == getattr(other, name), name
    assert np.array_equal(one.state, other.state)
    assert np.array_equal(one.values, other.values)


def test_round_trip(tmp_path: Path) -> None:
    system = bf.System.from_toml(TANK)
    bf.write_model(system, tmp_path / "again.toml")
    assert_same(system, bf.System.from_file(tmp_path / "again.toml"))
    assert_same(system, bf.System.from_toml(system.to_toml()))


@given(
    title=st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=20),
    values=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=4),
    names=st.lists(st.from_regex(r"[^\W\d]\w{0,6}", fullmatch=True), min_size=8, max_size=8, unique=True),
)
def test_random_round_trip(title: str, values: list[float], names: list[str]) -> None:
    variables, parameters = names[: len(values)], names[4 : 4 + len(values)]
    system = bf.System.from_equations(
        {name: f"{name}\n + 2*{other}" for name, other in zip(variables, parameters)},
        parameters=dict(zip(parameters, values)),
        state=dict(zip(variables, reversed(values))),
        title=title,
        training={"nested": {"deep": {"list": [1, 2.5, "x\t\"'\\", True]}}, "odd key": values},
    )
    assert_same(system, bf.System.from_toml(system.to_toml()))


def changed(old: str, new: str) -> str:
    """Return the tank's file with one thing different."""
    assert old in TANK
    return TANK.replace(old, new)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (changed("B*heat", "B*haet"), 17, "unknown name 'haet'; did you mean 'heat'"),
        (changed("D*(1", "d*(1"), 13, "unknown name 'd'; did you mean 'D'"),
        (changed('u2 = "-u2', 'u3 = "-u2'), 17, "equation for 'u3', which is no variable; did you mean"),
        (changed('u1 = "-u1 + heat"\n', ""), 15, "no equation for the variable 'u1'"),
        (changed("u1 = 0.0", "u1 = true"), 4, "'u1' must be a number or a fraction .* not true or false"),
        (changed("u1 = 0.0", "u1 = [0.0]"), 4, "not a list"),
        (changed("u1 = 0.0", "u1 = 2020-01-01"), 4, "not a date"),
        (changed("u1 = 0.0", "u1 = inf"), 4, "finite"),
        (changed("B = 14.0", "B = nan"), 9, "finite"),
        (changed("B = 14.0", 'B = "14/x"'), 9, "unknown name 'x'"),
        (changed("B = 14.0", 'B = "1e999"'), 9, "too large"),
        (changed("B = 14.0", "u1 = 14.0"), 9, "'u1' is both in variables and in parameters"),
        (changed("B = 14.0", '"B 2" = 14.0'), 9, "not a name"),
        (changed("B = 14.0", "B.c = 14.0"), None, "'B' must be a number .* not a table"),
        (changed('"-u1 + heat"', "true"), 16, "must be text, not true or false"),
        (changed('"-u1 + heat"', '"-u1 + heat)"'), 16, "never opened"),
        (changed('"-u1 + heat"', '""'), 16, "empty"),
        (changed("nonnegative = true", "nonnegative = 1"), 20, "true, false or a list"),
        (changed("nonnegative = true", "nonegative = true"), 20, "did you mean 'nonnegative'"),
        (changed("[options]", "[option]"), 19, "unknown table 'option'; did you mean 'options'"),
        (changed("[equations]", "[equation]"), 15, "unknown table 'equation'; did you mean 'equations'"),
        (changed('title = "A', 'titel = "A'), 1, "unknown entry 'titel'; did you mean 'title'"),
        (changed('title = "A -> B reaction in a stirred tank"', "title = 3"), 1, "title must be text"),
        (changed('heat = "D', 'heat = "heat + D'), 13, "heat -> heat"),
        ('equations = "x"', 1, "must be a table"),
    ],
)
def test_errors_name_file_line_and_word(tmp_path: Path, text: str, line: int | None, words: str) -> None:
    path = tmp_path / "model.toml"
    path.write_text(text)
    with pytest.raises(bf.InputError, match=words) as caught:
        bf.System.from_file(path)
    message = str(caught.value)
    assert message.startswith(str(path))
    if line is not None:
        assert f"line {line}:" in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is missing or empty"),
        ("[variables]\nx = 1\n", r"table \[equations\] is missing"),
        ("[equations]\nx = 'x'\n", r"table \[variables\] is missing"),
        ("[variables\n", "not valid TOML"),
        ("[states]\nx = 1\n", "did you mean 'variables'"),
        ("[variables]\nx = 1,5\n", r"decimal point: x = 1\.5"),
        ("[variables]\nx = 1\n[equations]\nx = '1 - e^x'", r"write exp\(x\)"),
        ("[variables]\nx = 1\n[equations]\nx = '1 - np.exp(x)'", r"write exp\(x\), not np\.exp"),
        ("[variables]\nx = 1\n[equations]\nx = '1 \N{MINUS SIGN} x'", "here; write -"),
        ("[variables]\nx = 1\n[equations]\nx = '1 - hill(x, 1, 2)'", r"write x\^n/\(K\^n"),
        ("[variables]\nx = 1\nx = 2\n", "not valid TOML"),
        ("[variables]\nx = 0\n[equations]\nx = -x + 1\n", 'stands in quotes: x = "-x'),
        ("x = " + "[" * 100_000, "TOML"),
        ("[variables]\nx = 0\n[equations]\nx = a" + "(" * 100_000 + "'", "not valid TOML"),
        ("[variables]\nx = 0\n[" + " " * 100_000 + "equations]\nx = 'y'", "line 4: .*unknown name 'y'"),
        ("[variables]\nx = " + "9" * 5000 + "\n[equations]\nx = 'x'", "finite|TOML|digits"),
        ("[variables]\nx = 0\n[equations]\nx = '" + "(" * 100_000 + "'", "nested more than"),
    ],
)
def test_broken_files(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "model.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(bf.InputError, match=words):
        bf.System.from_file(path)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"[variables]\nx = 1\n\0", "NUL character"),
        (b"[variables]\n\xff\xfe = 1\n", "line 2: not UTF-8"),
        (b"\x89PNG\r\n\x1a\n", "UTF-8"),
    ],
)
def test_files_that_are_no_text(tmp_path: Path, raw: bytes, words: str) -> None:
    path = tmp_path / "model.toml"
    path.write_bytes(raw)
    with pytest.raises(bf.InputError, match=words):
        bf.System.from_file(path)


def test_files_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(bf.InputError, match=r"cannot read .*missing\.toml: No such file"):
        bf.System.from_file(tmp_path / "missing.toml")
    with pytest.raises(bf.InputError, match="is a folder"):
        bf.System.from_file(tmp_path)
    with pytest.raises(bf.InputError, match=r"cannot be the name of a file|cannot read"):
        bf.System.from_file("bad\0name.toml")


def test_huge_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.toml"
    with path.open("wb") as file:
        file.truncate(10_000_001)  # of zeros, which take no room
    with pytest.raises(bf.InputError, match="larger than 10 MB"):
        bf.System.from_file(path)


def test_windows_line_ends_and_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "model.toml"
    path.write_bytes(b"\xef\xbb\xbf" + TANK.replace("\n", "\r\n").encode())
    assert_same(bf.System.from_file(path), bf.System.from_toml(TANK))


def test_writing_where_nothing_can_be_written(tmp_path: Path) -> None:
    with pytest.raises(bf.InputError, match="cannot write"):
        bf.write_model(bf.System.from_toml(TANK), tmp_path / "no" / "folder.toml")


def test_what_toml_cannot_hold(tmp_path: Path) -> None:
    system = bf.System.from_equations({"x": "x"}, training={"f": object()})
    with pytest.raises(bf.InputError, match="cannot be written to a model file"):
        system.to_toml()


@pytest.mark.parametrize("suffix", [".ode", ".xml", ".ant"])
def test_a_file_of_another_format_is_sent_to_where_it_is_read(tmp_path, suffix):
    path = tmp_path / f"model{suffix}"
    path.write_text("x' = a - x\npar a=1\ndone\n")
    with pytest.raises(bf.InputError, match=r"bf\.load_model reads the other formats"):
        bf.System.from_file(path)
