"""Onsets of cycles: named from normal forms of known kind, and for the published network."""

import numpy as np
import pytest

import bifrncrn as bf


def onsets(equations, bounds, state, box=None, **rest):
    parameter = {"lam": bounds[0]}
    system = bf.System.from_equations(equations, parameter, state, **rest)
    points = bf.diagram(system, parameter="lam", bounds=bounds, box=box, all=box is not None).special_points
    return bf.find_onsets(system, "lam", [p for p in points if p.label != "EP"], bounds)


def polar(radial, angular):
    """Return Cartesian equations of r' = r * radial, angle' = angular; R is r^2."""
    return {"x": f"({radial})*x - ({angular})*y", "y": f"({radial})*y + ({angular})*x"}


def test_a_fold_on_the_cycle_is_a_snic():
    # angle' = lam - cos(angle): the period is 2 pi / sqrt(lam^2 - 1), which is sqrt(2) pi / sqrt(lam - 1) close to 1
    equations = polar("1 - x^2 - y^2", "lam - x/sqrt(x^2 + y^2)")
    (onset,) = onsets(equations, (0.5, 1.5), {"x": 0.5, "y": -np.sqrt(0.75)}, {"x": (0.1, 2), "y": (-2, 2)})
    assert onset.kind == "SNIC"
    assert onset.value == pytest.approx(1.0, abs=1e-9)
    assert onset.constant == pytest.approx(np.sqrt(2) * np.pi, rel=1e-2)
    assert onset.growth == pytest.approx(2.0, abs=0.05)
    assert str(onset).startswith("SNIC at lam = 1 (period ~ 4.4")


@pytest.mark.parametrize(
    ("radial", "kind"),
    [("lam - x^2 - y^2", "supercritical Hopf"), ("lam + (x^2 + y^2) - (x^2 + y^2)^2", "subcritical Hopf")],
)
def test_hopf_points_are_told_by_their_criticality(radial, kind):
    (onset,) = onsets(polar(radial, "1"), (-0.5, 0.5), {"x": 0.0, "y": 0.0})
    assert (onset.kind, onset.growth, onset.constant) == (kind, None, None)
    assert onset.value == pytest.approx(0.0, abs=1e-9)


def test_a_fold_beside_a_cycle_is_no_snic():
    # u rests on the lower branch, where the plane is at rest too, until lam = 2/3; on the upper the plane turns
    equations = {"u": "lam + u - u^3/3", **polar("u - x^2 - y^2", "1")}
    (onset,) = onsets(equations, (0.2, 1.5), {"u": -1.7, "x": 0.0, "y": 0.0})
    assert onset.value == pytest.approx(2 / 3, abs=1e-9)
    assert onset.kind == "fold beside a cycle"


def test_a_fold_that_leads_to_another_equilibrium_is_none():
    assert onsets({"x": "lam + x - x^3/3"}, (-1.0, 1.0), {"x": -2.1}) == ()


@pytest.mark.parametrize("mu", [None, 0.01])
def test_the_published_network_switches_by_a_snic(reference, mu):
    network = bf.read_model(reference / "networks" / "eqcycle.mat")
    system = network.reduced() if mu is None else network.full(mu)
    name = system.parameters[0]
    system = system.with_(values={name: 0.1})
    points = [p for p in bf.diagram(system, parameter=name, bounds=(0.1, 1.0)).special_points if p.label != "EP"]
    (onset,) = bf.find_onsets(system, name, points, (0.1, 1.0))
    assert onset.kind == "SNIC"
    assert onset.value == pytest.approx(0.8037066910375866, rel=1e-9)
    if mu is None:
        assert onset.constant == pytest.approx(0.304, abs=0.01)
