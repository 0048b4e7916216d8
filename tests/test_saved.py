"""Saved diagrams: nothing is lost, every verb works on what is loaded, and a damaged file is one sentence."""

import copy
import json
import random

import numpy as np
import pytest

import bifrncrn as bf

TANK = {"u1": "-u1 + D*(1-u1)*exp(u2)", "u2": "-u2 + D*B*(1-u1)*exp(u2) - beta*u2"}


@pytest.fixture(scope="module")
def tank():
    model = bf.System.from_equations(TANK, {"D": 0, "B": 14, "beta": 2}, {"u1": 0, "u2": 0}, title="tank")
    return bf.diagram(model, parameter="D", bounds=(0, 0.16), events=["u1 = 0.5"])


@pytest.fixture(scope="module")
def closed():
    """A switch of two species whose sum is conserved."""
    rate = "k*a*b/(1 + b) - c*b + 0.1*a"
    model = bf.System.from_equations(
        {"a": f"-({rate})", "b": rate}, {"k": 1.0, "c": 0.5}, {"a": 3.0, "b": 0.5}, nonnegative=True
    )
    return bf.diagram(model, parameter="k", bounds=(0.1, 2.0))


def again(diagram, path):
    diagram.save(path)
    return bf.Diagram.load(path)


def same(first, second):
    """Two diagrams are one to the last digit."""
    assert first.to_json() == second.to_json()
    for a, b in zip(first.branches, second.branches, strict=True):
        assert a.points.tobytes() == b.points.tobytes() and np.array_equal(a.unstable, b.unstable)


def test_nothing_is_lost(tank, closed, tmp_path):
    for diagram in (tank, closed, bf.with_orbits(tank), bf.extend(tank, (0, 0.2))):
        same(diagram, again(diagram, tmp_path / "d.json"))


def test_the_orbits_come_back(tank, tmp_path):
    diagram = bf.with_orbits(tank)
    loaded = again(diagram, tmp_path / "d.json")
    for index in (0, 5, -1):
        for first, second in zip(diagram.branches[-1].orbit(index), loaded.branches[-1].orbit(index), strict=True):
            assert np.array_equal(first, second)


@pytest.mark.parametrize("which", ["tank", "closed"])
def test_a_loaded_diagram_is_extended_as_a_fresh_one(which, request, tmp_path):
    diagram = request.getfixturevalue(which)
    wider = (0, 0.3) if which == "tank" else (0.05, 3.0)
    same(bf.extend(diagram, wider), bf.extend(again(diagram, tmp_path / "d.json"), wider))


def test_every_verb_works_on_a_loaded_point(tank, tmp_path):
    loaded = again(tank, tmp_path / "d.json")
    for diagram in (tank, loaded):
        orbits = bf.orbits(diagram.special("HB")[0])
        fold = bf.locus(diagram.special("LP")[0], "beta", (1, 3))
        hopf = bf.locus(diagram.special("HB")[0], "beta", (1, 3))
        results = [orbits, fold, hopf]
        if diagram is tank:
            fresh = results
    for first, second in zip(fresh, results, strict=True):
        assert first.branches[0].points.tobytes() == second.branches[0].points.tobytes()
        assert [p.label for p in first.special_points] == [p.label for p in second.special_points]
    same(bf.with_orbits(tank), bf.with_orbits(loaded))


def test_options_are_kept(tmp_path):
    model = bf.System.from_equations({"x": "lam - x^2"}, {"lam": 1.0}, {"x": 1.0})
    fine = bf.diagram(model, bounds=(-1, 1), options=bf.Options(step=0.01))
    loaded = again(fine, tmp_path / "d.json")
    assert loaded.options == bf.Options(step=0.01)
    same(bf.extend(fine, (-1, 2)), bf.extend(loaded, (-1, 2)))


def test_a_file_of_an_earlier_version_loads(tank, tmp_path):
    old = tank.to_json()
    for name in ("system", "options"):
        del old[name]
    (tmp_path / "d.json").write_text(json.dumps(old))
    loaded = bf.Diagram.load(tmp_path / "d.json")
    assert loaded.system is None and len(loaded.special("LP")) == 2
    with pytest.raises(bf.InputError, match="holds no model"):
        bf.extend(loaded, (0, 0.2))
    model = bf.System.from_equations(TANK, {"D": 0, "B": 14, "beta": 2}, {"u1": 0, "u2": 0})
    assert bf.extend(loaded, (0, 0.2), system=model).range == (0, 0.2)


def test_a_model_that_is_code_is_not_saved(tmp_path):
    model = bf.System.from_function(lambda x, p: [p[0] - x[0] ** 2], ["x"], {"lam": 1.0}, {"x": 1.0})
    loaded = again(bf.diagram(model, bounds=(0.5, 1)), tmp_path / "d.json")
    assert loaded.system is None and len(loaded.branches) == 1


def places(data, path=()):
    """Return the paths of all entries of a JSON value."""
    yield path
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in items:
        yield from places(value, (*path, key))


ODD = [
    None,
    True,
    -1,
    0,
    99,
    1.5,
    1e400,
    10**400,
    "",
    "zzz",
    "\x00",
    [],
    {},
    [[]],
    [None],
    {"a": 1},
    "LP",
    [1, 2],
    -0.0,
]


def mutated(data, rng):
    """Return JSON text that differs from `data` in one or two places."""
    text = copy.deepcopy(data)
    for _ in range(rng.choice((1, 1, 2))):
        every = list(places(text))
        path = rng.choice([p for p in every if p] or every)
        parent = text
        for key in path[:-1]:
            parent = parent[key]
        key = path[-1] if path else None
        action = rng.choice(("replace", "delete", "double", "swap"))
        if action == "replace" or key is None:
            parent[key] = rng.choice(ODD)
        elif action == "delete":
            del parent[key]
        elif action == "double" and isinstance(parent, list):
            parent.insert(key, copy.deepcopy(parent[key]))
        elif isinstance(parent, dict):
            parent[rng.choice(list(parent))] = parent[key]
    return json.dumps(text)


def torn(text, rng):
    """Return text with a few characters changed, or cut off."""
    at = rng.randrange(len(text))
    if rng.random() < 0.3:
        return text[:at]
    return text[:at] + rng.choice('{}[]",:0129.-eE\x00ntf\\') + text[at + rng.randrange(3) :]


def survives(load, write, data, count, seed):
    """Load `count` mutations of `data`: each is loaded, or refused by InputError alone."""
    rng, text = random.Random(seed), json.dumps(data)
    refused = 0
    for k in range(count):
        write(mutated(data, rng) if k % 3 else torn(text, rng))
        try:
            load()
        except bf.InputError as error:
            refused += 1
            assert "\n" not in str(error)
    assert refused > 0.3 * count


@pytest.mark.slow
def test_mutations_of_a_diagram(closed, tmp_path):
    model = bf.System.from_equations(
        {"x": "lam*x - y - x*(x^2 + y^2)", "y": "x + lam*y - y*(x^2 + y^2)"}, {"lam": -1.0}, {"x": 0, "y": 0}
    )
    coarse = bf.Options(step=0.5, max_points=20)
    ring = bf.with_orbits(bf.diagram(model, bounds=(-0.1, 0.1), options=coarse), options=bf.Options(max_points=3))
    path = tmp_path / "d.json"
    for diagram in (ring, closed):
        data = diagram.to_json()
        for branch in data["branches"]:  # few rows, so that many mutations meet something else than a number
            if branch["kind"] == "periodic":
                branch["orbits"] = [
                    {"period": o["period"], "phases": o["phases"][:2], "states": o["states"][:2]}
                    for o in branch["orbits"]
                ]
        survives(lambda: str(bf.Diagram.load(path)), path.write_text, data, 1000, 1)


@pytest.mark.slow
def test_mutations_of_a_network(tmp_path):
    path = tmp_path / "net.json"
    from importlib.resources import files

    data = json.loads((files("bifrncrn") / "library" / "data" / "hopf_network.json").read_text())
    survives(lambda: bf.Network.load(path).reduced(), path.write_text, data, 2000, 2)


@pytest.mark.parametrize("change", [{"label": "QQ"}, {"state": {"u1": 0.3}}])
def test_points_with_unknown_labels_or_missing_states(tank, tmp_path, change):
    path = tmp_path / "d.json"
    tank.save(path)
    data = json.loads(path.read_text())
    data["special_points"][0].update(change)
    path.write_text(json.dumps(data))
    with pytest.raises(bf.InputError, match=r"special_points\[0\]"):
        bf.Diagram.load(path)


def test_cycles_of_a_file_without_multipliers_are_told_as_they_stand(tank, tmp_path):
    whole = bf.with_orbits(tank)
    data = whole.to_json()
    (family,) = [branch for branch in data["branches"] if branch["kind"] == "periodic"]
    del family["multipliers"]
    stable = [k for k, count in enumerate(family["unstable"]) if count == 0]
    row, after = stable[len(stable) // 2 : len(stable) // 2 + 2]
    points = family["points"]  # the parameter goes back and forth where it is stable: three cycles, for all one knows
    points[row][0], points[after][0] = points[after][0], points[row][0]
    path = tmp_path / "old.json"
    path.write_text(json.dumps(data))
    assert "3 stable cycles" in " ".join(str(bf.Diagram.load(path)).split())
