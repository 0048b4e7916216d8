"""Conserved sums: found where they are, only there, divided out, and given back."""

import numpy as np
import pytest
from scipy.optimize import brentq, root

import bifrncrn as bf

system = bf.System.from_equations


def network(reactions, rates, state, **options):
    """Mass action: `("k", "A + B", "C")` means A + B -> C at rate k A B."""
    terms = {name: ["0"] for name in state}
    for rate, left, right in reactions:
        reactants, products = left.split(" + "), right.split(" + ")
        speed = "*".join([rate, *reactants])
        for name in reactants:
            terms[name].append(f"- {speed}")
        for name in products:
            terms[name].append(f"+ {speed}")
    return system({name: " ".join(t) for name, t in terms.items()}, rates, state, **options)


def enzyme():
    reactions = [("k1", "S + E", "C"), ("k2", "C", "S + E"), ("k3", "C", "P + E"), ("k4", "P", "S")]
    return network(
        reactions, {"k1": 1, "k2": 0.5, "k3": 2, "k4": 0.3}, {"S": 2, "E": 1, "C": 0, "P": 0}, nonnegative=True
    )


def double_phosphorylation():
    """Dual phosphorylation cycle (Markevich, Hoek & Kholodenko, J. Cell Biol. 164, 2004), distributive, bistable."""
    reactions = [
        ("k1", "S0 + E", "ES0"), ("k1r", "ES0", "S0 + E"), ("k2", "ES0", "S1 + E"),
        ("k3", "S1 + E", "ES1"), ("k3r", "ES1", "S1 + E"), ("k4", "ES1", "S2 + E"),
        ("h1", "S2 + F", "FS2"), ("h1r", "FS2", "S2 + F"), ("h2", "FS2", "S1 + F"),
        ("h3", "S1 + F", "FS1"), ("h3r", "FS1", "S1 + F"), ("h4", "FS1", "S0 + F"),
    ]  # fmt: skip
    rates = {
        "k1": 0.02, "k1r": 1, "k2": 0.01, "k3": 0.032, "k3r": 1, "k4": 15,
        "h1": 0.045, "h1r": 1, "h2": 0.092, "h3": 0.01, "h3r": 1, "h4": 0.5,
    }  # fmt: skip
    state = dict.fromkeys(["S0", "S1", "S2", "E", "F", "ES0", "ES1", "FS2", "FS1"], 0.0) | {
        "S0": 500,
        "E": 50,
        "F": 100,
    }
    return network(reactions, rates, state, nonnegative=True)


# --- detection


def laws_of(model, **options):
    return bf.conserved(model, np.array(model.state), **options)


def test_the_totals_of_an_enzyme():
    laws = laws_of(enzyme())
    assert laws.tolist() == [[1, 0, 1, 1], [0, 1, 1, 0]]  # S + C + P and E + C


def test_the_totals_of_a_double_phosphorylation():
    model = double_phosphorylation()
    names = np.array(model.variables)
    sums = [set(names[law == 1.0]) for law in laws_of(model)]
    assert sums == [{"S0", "S1", "S2", "ES0", "ES1", "FS2", "FS1"}, {"E", "ES0", "ES1"}, {"F", "FS2", "FS1"}]


def test_the_totals_do_not_depend_on_the_start_or_the_varied_parameter():
    model = double_phosphorylation()
    one = laws_of(model)
    other = bf.conserved(model, np.full(9, 3.0), varied=(model.parameter_index("k2"), 0.01, 2.0))
    assert np.array_equal(one, other)


def test_coefficients_of_a_dimer():
    model = network([("k", "A + A", "D"), ("h", "D", "A + A")], {"k": 1, "h": 1}, {"A": 1, "D": 1})
    assert laws_of(model).tolist() == [[1, 2]]


def test_coefficients_that_are_no_fractions():
    model = system({"x": "-0.7*x + 0.3*y", "y": "(0.7*x - 0.3*y)/1.37"}, {"r": 1}, {"x": 1, "y": 1})
    assert laws_of(model) == pytest.approx(np.array([[1, 1.37]]), rel=1e-12)


def test_a_constant_species():
    model = system({"x": "r - x*c", "c": "0"}, {"r": 1}, {"x": 1, "c": 2})
    assert laws_of(model).tolist() == [[0, 1]]


@pytest.mark.parametrize(
    ("equations", "state"),
    [
        ({"x": "r + x**2", "y": "x - y"}, {"x": 0, "y": 0}),  # a fold at the start
        ({"x": "x*(r - x)", "y": "-y"}, {"x": 0, "y": 0}),  # a branch point at the start
        ({"x": "1e4*(y - x)", "y": "x - y - 1e-4*y + 1e-4*r"}, {"x": 1, "y": 1}),  # stiff
        ({"x": "1e6*(y - x)", "y": "1e6*(x - y) - 1e-6*z + 1e-6", "z": "1 - z*z"}, {"x": 1, "y": 1, "z": 1}),
        ({"x": "1e-12*(r - x)", "y": "1e9*(x - y)"}, {"x": 1e-9, "y": 1e9}),  # badly scaled
        ({"x": "y", "y": "-x"}, {"x": 1, "y": 0}),
        ({"x": "(r+1)*x", "y": "(r+1)*y"}, {"x": 0, "y": 0}),
        ({"x": "r - x", "y": "sqrt(x - 5) - y"}, {"x": 1, "y": 1}),  # not finite at the start
    ],
)
def test_no_law_where_there_is_none(equations, state):
    assert len(laws_of(system(equations, {"r": 0}, state))) == 0


def test_a_sum_that_is_conserved_at_one_value_of_the_parameter_only():
    model = system({"x": "D*(1 - x) - x*y**2", "y": "-D*y + x*y**2"}, {"D": 0}, {"x": 1, "y": 0.5})
    assert len(laws_of(model)) == 1
    assert len(laws_of(model, varied=(0, 0.0, 0.2))) == 0
    found = bf.diagram(model, "D", (0.01, 0.2), start={"D": 0.1, "x": 1, "y": 0})
    assert not any("Conserved" in note for note in found.notes)


def test_a_scaled_network():
    model = system({"A": "-1e9*k*A + 1e-3*B", "B": "1e9*k*A - 1e-3*B"}, {"k": 1}, {"A": 1e-9, "B": 1})
    assert laws_of(model).tolist() == [[1, 1]]


@pytest.mark.parametrize("order", ["xyw", "wyx"])
@pytest.mark.parametrize(("fast", "slow"), [(1e6, 1e-3), (1e10, 1e-3), (1e11, 1e-3), (1e12, 1e-6)])
def test_slow_terms_beside_fast_ones(fast, slow, order):
    """x <-> y fast, y <-> w slow: x = T/(1 + 2k), y = w = k x at rest, and no sum but T = x + y + w is conserved."""
    equations = {"x": "K*(y - k*x)", "y": "K*(k*x - y) + e*(w - y)", "w": "e*(y - w)"}
    start = {"x": 1.0, "y": 1.0, "w": 0.5}
    model = system({v: equations[v] for v in order}, {"k": 1, "K": fast, "e": slow}, {v: start[v] for v in order})
    assert laws_of(model).tolist() == [[1, 1, 1]]
    found = bf.diagram(model, "k", (0.1, 2))
    (branch,) = found.branches
    # a few roundings: slow terms must not drown in fast ones
    assert branch.column("x") == pytest.approx(2.5 / (1 + 2 * branch.column("k")), rel=1e-14)
    assert set(branch.unstable) == {0}
    assert not found.special_points


@pytest.mark.parametrize("order", ["ESCP", "PSCE"])
def test_binding_at_the_limit_of_diffusion(order):
    """E + S <-> C -> E + P -> S, binding at 1e9 and the rest at 1e-3: C solves a quadratic equation."""
    equations = {
        "E": "-K*E*S + K*km*C + kc*C", "S": "-K*E*S + K*km*C + e*P", "C": "K*E*S - K*km*C - kc*C", "P": "kc*C - e*P",
    }  # fmt: skip
    start = {"E": 1.0, "S": 1.0, "C": 0.5, "P": 0.1}
    parameters = {"K": 1e9, "km": 0.5, "kc": 3e-3, "e": 1e-3}
    model = system({v: equations[v] for v in order}, parameters, {v: start[v] for v in order})
    (branch,) = bf.diagram(model, "km", (0.1, 2)).branches
    for km, c in zip(branch.column("km"), branch.column("C"), strict=True):
        exact = brentq(lambda c, k=km: (1.5 - c) * (1.6 - 4 * c) - (k + 3e-12) * c, 0, 0.4, xtol=1e-15)
        assert c == pytest.approx(exact, rel=1e-14)  # a few roundings, and as many of brentq's
    assert set(branch.unstable) == {0}


def test_terms_that_are_no_products():
    equations = {"a": "-v*a/(K + a) + w*sqrt(b)/(1 + b/K)", "b": "(v*a/(a + K) - w*b^0.5/(b/K + 1))/1.37"}
    model = system(equations, {"v": 1e7, "w": 1e-5, "K": 2}, {"a": 1, "b": 1})
    assert laws_of(model) == pytest.approx(np.array([[1, 1.37]]), rel=1e-15)  # read from the formulas


def test_volumes_that_are_parameters():
    model = system({"c": "-k*c + h*d", "d": "(k*c - h*d)*V/W"}, {"k": 1e8, "h": 1e-6, "V": 3, "W": 7}, {"c": 1, "d": 1})
    assert laws_of(model) == pytest.approx(np.array([[1, 7 / 3]]), rel=1e-15)  # read from the formulas


# --- reduction


def test_a_name_that_is_taken():
    model = system({"A": "-total_A*A + B", "B": "total_A*A - B"}, {"total_A": 1}, {"A": 1, "B": 1})
    found = bf.diagram(model, "total_A", (0.5, 3))
    (branch,) = found.branches
    assert branch.column("A") == pytest.approx(2 / (1 + branch.column("total_A")), rel=1e-12)


def test_definitions_are_kept():
    model = system(
        {"A": "-rate + B", "B": "rate - B"},
        {"k": 1},
        {"A": 1, "B": 1},
        definitions={"rate": "k*A*twice", "twice": "2 + 0*B"},
    )
    found = bf.diagram(model, "k", (0.5, 3), events=["rate = 1", "B = 1"])
    values = {p.event: p.state["B"] for p in found.special("UZ")}
    assert values == {"rate = 1": pytest.approx(1.0), "B = 1": pytest.approx(1.0)}


# --- diagrams


def test_every_equilibrium_of_the_reduced_system_is_one_of_the_whole():
    model = enzyme()
    found = bf.diagram(model, "k3", (0.1, 5))
    (branch,) = found.branches
    assert branch.columns == ("k3", "S", "E", "C", "P")
    k = model.parameter_index("k3")
    for row in branch.points[::5]:
        values = np.array(model.values)
        values[k] = row[0]
        assert np.max(np.abs(model.rhs(row[1:], values))) < 1e-11
        assert row[1] + row[3] + row[4] == pytest.approx(2.0, rel=1e-12)
        assert row[2] + row[3] == pytest.approx(1.0, rel=1e-12)
    assert found.notes[-1].startswith("Conserved and divided out: total_S = S + C + P; total_E = E + C.")


def test_a_total_is_a_parameter():
    found = bf.diagram(enzyme(), "total_E", (0.1, 4))
    (branch,) = found.branches
    assert branch.column("E") + branch.column("C") == pytest.approx(branch.column("total_E"), rel=1e-12)
    assert np.all(branch.points[:, 1:] >= 0.0)


def test_the_start_sets_the_totals():
    found = bf.diagram(enzyme(), "k3", (0.1, 5), start={"S": 7})
    row = found.branches[0].points[3]
    assert row[1] + row[3] + row[4] == pytest.approx(7.0, rel=1e-12)


def roots(model, k2):
    """Return S0 at all equilibria with S, E, F in all 500, 50, 100, by scanning the ratio u of the free enzymes.

    Given u, both balances of phosphate make S1 and S2 multiples of S0; the totals of E and F then give S0, and the
    total of S is an equation for u.
    """
    v = dict(zip(model.parameters, model.values.tolist(), strict=True)) | {"k2": k2}
    a0, a1 = v["k1"] / (v["k1r"] + v["k2"]), v["k3"] / (v["k3r"] + v["k4"])
    b2, b1 = v["h1"] / (v["h1r"] + v["h2"]), v["h3"] / (v["h3r"] + v["h4"])

    def balance(u):
        one = v["k2"] * a0 * u / (v["h4"] * b1)
        two = one * v["k4"] * a1 * u / (v["h2"] * b2)
        s0 = (100 * u - 50) / (50 * (b2 * two + b1 * one) - 100 * u * (a0 + a1 * one))
        free = 50 / (1 + s0 * (a0 + a1 * one))
        other = 100 / (1 + s0 * (b2 * two + b1 * one))
        total = s0 * (1 + one + two + free * (a0 + a1 * one) + other * (b2 * two + b1 * one))
        return np.where(s0 > 0, total - 500, np.nan), s0

    u = np.logspace(-6, 6, 200001)
    values = balance(u)[0]
    where = np.flatnonzero(np.sign(values[:-1]) * np.sign(values[1:]) < 0)
    found = [brentq(lambda u: float(balance(u)[0]), u[i], u[i + 1], xtol=1e-300, rtol=1e-14) for i in where]
    return sorted(float(balance(root)[1]) for root in found)


def test_the_folds_of_the_double_phosphorylation_against_independent_roots():
    """Three equilibria between the folds and one elsewhere, however near the folds."""
    model = double_phosphorylation()
    found = bf.diagram(model, "k2", (0.001, 0.1))
    low, high = sorted(p.parameters["k2"] for p in found.special("LP"))
    (branch,) = found.branches
    assert len(found.special_points) == 2
    assert all(p.status == "converged" and p.residual < 1e-10 for p in found.special_points)
    for k2, n in (
        (0.002, 1),
        (low * (1 - 1e-4), 1),
        (low * (1 + 1e-4), 3),
        (high * (1 - 1e-4), 3),
        (high * (1 + 1e-4), 1),
    ):
        assert len(roots(model, k2)) == n
    events = bf.diagram(model, "k2", (0.001, 0.1), events=["k2 = 0.04"])
    assert sorted(p.state["S0"] for p in events.special("UZ")) == pytest.approx(roots(model, 0.04), rel=1e-9)
    assert np.all(branch.points[:, 1:] > 0.0)


def test_the_folds_agree_with_an_extended_system_solved_by_scipy():
    model = double_phosphorylation()
    laws = laws_of(model)
    totals = laws @ model.state
    k = model.parameter_index("k2")
    scale = np.maximum(np.abs(model.state), 1.0)

    for point in bf.diagram(model, "k2", (0.001, 0.1)).special("LP"):
        x0 = np.array([point.state[name] for name in model.variables])

        def equations(z):
            x, v, values = z[:9] * scale, z[9:18], np.array(model.values)
            values[k] = z[18]
            tangent = model.jacobian(x, values) @ (v * scale)
            # the conserved combinations replace equations that depend on the others
            rows = [i for i in range(9) if i not in (0, 3, 4)]
            return np.concatenate(
                [model.rhs(x, values)[rows], laws @ x - totals, tangent[rows], laws @ (v * scale), [v @ v - 1.0]]
            )

        values = np.array(model.values)
        values[k] = point.parameters["k2"]
        stacked = np.vstack([model.jacobian(x0, values) * scale, laws * scale])
        v0 = np.linalg.svd(stacked)[2][-1]
        shift = 1.0 + 1e-4 * np.cos(np.arange(19))
        solved = root(equations, np.concatenate([x0 / scale, v0, [values[k]]]) * shift, tol=1e-14)
        assert np.max(np.abs(equations(solved.x))) < 1e-8
        assert solved.x[18] == pytest.approx(point.parameters["k2"], rel=1e-7)


def epidemic(**state):
    return system({"S": "-b*S*I + g*I", "I": "b*S*I - g*I"}, {"b": 2, "g": 1}, state, nonnegative=True)


@pytest.mark.parametrize("order", [("S", "I"), ("I", "S")])
@pytest.mark.parametrize("infected", [0.5, 0.0])
def test_an_epidemic_begins_at_a_branch_point_on_the_wall(order, infected):
    """Whichever variable is divided out, the infection dies out at b S = g and never becomes negative."""
    equations = {"S": "-b*S*I + g*I", "I": "b*S*I - g*I"}
    state = {"S": 1 - infected, "I": infected}
    model = system({n: equations[n] for n in order}, {"b": 2, "g": 1}, {n: state[n] for n in order}, nonnegative=True)
    found = bf.diagram(model, "b", (0.2, 3))
    (point,) = found.special("BP")
    assert point.parameters["b"] == pytest.approx(1.0, abs=1e-9) and point.state["I"] == pytest.approx(0.0, abs=1e-9)
    assert len(found.branches) == 2
    assert all(np.all(branch.points[:, 1:] >= -1e-9) for branch in found.branches)
    endemic = max(found.branches, key=lambda b: b.column("I").max())
    assert endemic.column("S") == pytest.approx(1 / endemic.column("b"), rel=1e-9)
    assert {end.reason for end in endemic.ended} <= {"range", "bound", "branch point"}


def test_walls_hold_for_the_variable_that_was_divided_out():
    found = bf.diagram(epidemic(S=0.5, I=0.5), "b", (0.2, 3), walls={"S": (0.4, 0.9), "I": (0.2, 2)})
    (branch,) = found.branches
    assert [end.message for end in branch.ended] == ["I reached its bound 0.2", "S reached its bound 0.4"]
    assert branch.points[0] == pytest.approx([1.25, 0.8, 0.2], abs=1e-12)
    assert branch.points[-1] == pytest.approx([2.5, 0.4, 0.6], abs=1e-12)


@pytest.mark.parametrize("order", [("A", "B"), ("B", "A")])
def test_a_divided_out_variable_that_turns_negative_ends_the_branch(order):
    equations = {"A": "k*B - r", "B": "r - k*B"}  # a drain that does not ask whether there is any A
    model = system({n: equations[n] for n in order}, {"k": 1, "r": 0.5}, dict.fromkeys(order, 1.0), nonnegative=True)
    (branch,) = bf.diagram(model, "r", (0.1, 4)).branches
    assert branch.ended[1].reason == "bound" and branch.ended[1].message == "A reached its bound 0"
    assert branch.points[-1, 0] == pytest.approx(2.0, rel=1e-12)
    assert branch.column("A")[-1] == pytest.approx(0.0, abs=1e-12) and np.all(branch.column("A") >= -1e-12)


def test_a_start_at_negative_amounts():
    model = enzyme()
    with pytest.raises(bf.InputError, match="S=-1, but S must not be below 0"):
        bf.diagram(model, "k3", (0.1, 5), start={"S": -1})


def test_search_in_a_closed_network():
    model = double_phosphorylation()
    found = bf.diagram(model, "k2", (0.02, 0.06), all=True, box={"S0": (0, 500), "S2": (0, 500), "S1": (0, 100)})
    assert len(found.branches) == 3
    assert all(np.all(branch.points[:, 1:] >= -1e-9) for branch in found.branches)


# --- totals by name


def quadratic(total_e, total_s, k1=1.0, k2=0.5):
    """Return the complex of E + S <-> C: C**2 - (E0 + S0 + k2/k1) C + E0 S0 = 0, the smaller root."""
    b = total_e + total_s + k2 / k1
    return (b - np.sqrt(b * b - 4.0 * total_e * total_s)) / 2.0


def binding():
    reactions = [("k1", "E + S", "C"), ("k2", "C", "E + S")]
    return network(reactions, {"k1": 1, "k2": 0.5}, {"E": 1, "S": 2, "C": 0}, nonnegative=True)


def test_totals_have_names_and_are_parameters():
    model = binding()
    assert model.totals == {"total_E": 1.0, "total_S": 2.0}
    branch = bf.diagram(model, "total_E", (0.1, 5)).branches[0]
    assert branch.column("C") == pytest.approx(quadratic(branch.column("total_E"), 2.0), rel=1e-10)
    other = bf.diagram(model, "k1", (0.5, 5), start={"total_E": 3.0, "total_S": 0.7}).branches[0]
    assert other.column("C") == pytest.approx(quadratic(3.0, 0.7, other.column("k1")), rel=1e-10)


def test_a_total_is_set_by_the_start_of_its_variable():
    model = binding().with_(state={"C": 0.25}, totals={"total_E": 3})
    assert model.state.tolist() == [2.75, 2.0, 0.25]
    assert model.totals == {"total_E": 3.0, "total_S": 2.25}
    with pytest.raises(bf.InputError, match="no conserved sum 'total_X'; did you mean"):
        model.with_(totals={"total_X": 1})
    with pytest.raises(bf.InputError, match=r"E would be -0\.15; give them smaller starts"):
        model.with_(totals={"total_E": 0.1})
    with pytest.raises(bf.InputError, match="nothing is conserved"):
        system({"x": "1 - x"}).with_(totals={"total_x": 1})


def test_totals_on_the_command_line(tmp_path, capsys):

    path = tmp_path / "binding.toml"
    path.write_text(binding().to_toml())
    out = tmp_path / "d.json"
    words = ["diagram", str(path), "--parameter", "k1", "--range", "0.5", "5", "--set", "total_E=3,k2=0.25"]
    assert bf.main([*words, "--json", str(out)]) == 0
    branch = bf.Diagram.load(out).branches[0]
    assert branch.column("C") == pytest.approx(quadratic(3.0, 2.0, branch.column("k1"), 0.25), rel=1e-10)
    words = ["simulate", str(path), "--time", "0", "60", "--set", "total_S=0.7", "--csv", str(tmp_path / "run.csv")]
    assert bf.main(words) == 0
    last = (tmp_path / "run.csv").read_text().splitlines()[-1].split(",")
    assert float(last[3]) == pytest.approx(quadratic(1.0, 0.7), rel=1e-5)


def test_what_was_divided_out_for_one_call_serves_no_other():
    """Of A <-> B with the rates k and 1, the rest is A = T / (1 + k): other totals, other ranges, other copies."""
    model = bf.System.from_equations(
        {"A": "B - k*A", "B": "k*A - B"}, parameters={"k": 1.0, "idle": 1.0}, state={"A": 1.0, "B": 2.0}
    )
    calls = [
        (model, {"bounds": (0.5, 3.0)}, 3.0),
        (model, {"bounds": (0.5, 3.0)}, 3.0),
        (model, {"bounds": (0.5, 3.0), "start": {"A": 4.0}}, 6.0),
        (model, {"bounds": (0.5, 3.0), "start": {"A": 4.0}}, 6.0),
        (model, {"bounds": (0.5, 3.0), "start": {"total_A": 10.0}}, 10.0),
        (model, {"bounds": (1.0, 2.0)}, 3.0),
        (model.with_(values={"idle": 2.0}), {"bounds": (0.5, 3.0)}, 3.0),
        (model.with_(state={"B": 7.0}), {"bounds": (0.5, 3.0)}, 8.0),
        (model, {"bounds": (0.5, 3.0)}, 3.0),
    ]
    for system, call, total in calls + calls[::-1]:
        (branch,) = bf.diagram(system, "k", **call).branches
        k, a = branch.column("k"), branch.column("A")
        assert (k.min(), k.max()) == call["bounds"]
        np.testing.assert_allclose(a, total / (1.0 + k), rtol=1e-12)  # a linear equation, solved to rounding
        np.testing.assert_allclose(a + branch.column("B"), total, rtol=1e-12)  # B is computed from the sum, to rounding
