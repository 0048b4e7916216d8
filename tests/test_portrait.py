"""Phase planes: equilibria by stability, cycles, separatrices; and the progress that is shown of what takes long."""

import io
import sys

import numpy as np
import pytest
from matplotlib.figure import Figure

import bifrncrn as bf

SWITCH = bf.System.from_equations({"x": "x - x^3", "y": "-y"}, {"lam": 0.0}, {"x": 0.5, "y": 0.5}, title="switch")
BOX = {"x": (-2.0, 2.0), "y": (-1.0, 1.0)}


def test_equilibria_and_separatrices():
    """x' = x - x^3, y' = -y: a saddle at 0 whose separatrices are the axes, nodes at +-1."""
    found = bf.portrait(SWITCH, box=BOX)
    kinds = {round(float(rest.state[0])): rest.kind for rest in found.rests}
    assert kinds == {-1: "stable node", 0: "saddle", 1: "stable node"}
    assert len(found.separatrices) == 4
    assert all(np.abs(curve).min(axis=1).max() < 1e-6 for curve in found.separatrices)
    assert not found.cycles and "saddle" in str(found)


def test_cycles_of_both_stabilities():
    """r' = r (1 - r^2) (r^2 - 4): circles of radius 1, unstable inside out, and 2."""
    radial = "(1 - x^2 - y^2)*(x^2 + y^2 - 4)"
    model = bf.System.from_equations({"x": f"-x*{radial} - y", "y": f"-y*{radial} + x"}, {}, {"x": 0.5, "y": 0.0})
    found = bf.portrait(model, box={"x": (-3, 3), "y": (-3, 3)})
    radii = {round(float(cycle.max[0]), 6): cycle.stable for cycle in found.cycles}
    assert radii[1.0] is True and [rest.kind for rest in found.rests] == ["unstable focus"]


def test_it_is_drawn(tmp_path, capsys):
    ax = bf.portrait(SWITCH, box=BOX, starts=[{"x": 0.1, "y": 0.9}]).plot(Figure().subplots())
    words = [text.get_text() for text in ax.get_legend().get_texts()]
    assert {"x' = 0", "y' = 0", "separatrix", "trajectory", "stable", "saddle"} <= set(words)
    assert ax.get_xlim() == (-2, 2) and ax.get_ylim() == (-1, 1)
    words = ["portrait", "ab_reaction", "--set", "D=0.12", "--plot", str(tmp_path / "p.png")]
    assert bf.main(words) == 0 and "stable cycle" in capsys.readouterr().out
    assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")


def test_other_than_two_states_are_refused():
    with pytest.raises(bf.InputError, match="two states"):
        bf.portrait(bf.library.get("lorenz"))
    with pytest.raises(bf.InputError, match="lower one first"):
        bf.portrait(SWITCH, box={"x": (1, 0)})


def test_what_is_quick_shows_nothing(monkeypatch):
    bf.diagram(SWITCH, bounds=(-1, 1))  # compiles, if need be
    stream = io.StringIO()
    stream.isatty = lambda: True
    monkeypatch.setattr(sys, "stderr", stream)
    bf.diagram(SWITCH, bounds=(-1, 1))
    assert not stream.getvalue()
