"""Each problem looked at with `independent`: special points, equilibria, cycles, losses; published figures beside.

Published figures are those of the networks of arXiv 2406.03456 and arXiv 2602.02374, recomputed from their weights.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from bifrncrn.base.checks import Array
from bifrncrn.chemistry.networks.controlled import ControlledNetwork
from bifrncrn.chemistry.networks.network import Network
from bifrncrn.library import targets
from bifrncrn.library.reproduction.independent import (
    Plain,
    equilibria,
    follow,
    furthest,
    hopf_value,
    loop_value,
    lyapunov,
    outputs,
    settled_cycle,
)
from bifrncrn.library.reproduction.pictures import dots, fields, plane, ring
from bifrncrn.library.reproduction.row import Checked, Row
from bifrncrn.plots.panels import BLUE, GREY, Line, Panel

PLACE = 0.05
"""Special points may be off by this part of the range, as in `compare`; equilibria by this part of the box."""
SHAPE = 0.1
"""Extents, periods and distances of cycles may be off by this part, as in `compare`."""
COPIES = 100
WIDE = ((0.1, 60.0), (0.1, 60.0))
NONE = np.zeros(0)
TURN = np.linspace(0.0, 2.0 * np.pi, 400, endpoint=False)
Check = Callable[[Network], Checked]


def _circle(centre: tuple[float, float], radius: float) -> Array:
    return np.column_stack([centre[0] + radius * np.cos(TURN), centre[1] + radius * np.sin(TURN)])


def _loss(name: str, network: Network, published: float | None) -> tuple[Row, ...]:
    """Return the row of the loss by definition, in numpy on the samples it is stated on; none without a figure."""
    if published is None:
        return ()
    target = targets.TARGETS[name]()
    samples = target.definition()
    off = Plain.of(network).reduced_many(samples.x, samples.lam) - samples.field
    loss = float(np.mean((off / samples.x if target.loss == "relative" else off) ** 2))
    return (Row(name, f"{target.loss} loss", "0", f"{published:.3g}", f"{loss:.3g}", loss <= published),)


def _value(x: float | None, digits: int = 5) -> str:
    return "none found" if x is None else f"{x:.{digits}g}"


def _cycle_of(
    plain: Plain, start: Array, lam: Array, rest: float, window: float, mu: float | None = None
) -> tuple[float, Array] | None:
    """Return period and points (K, M) of the cycle that the executive species come to from a start."""
    if mu is None:
        return settled_cycle(plain.at(lam), start, rest, window, lambda x: plain.reduced_slope(x, lam))
    whole = plain.rest(start, lam)
    found = settled_cycle(lambda x: plain.full(x, lam, mu), whole, rest, window, lambda x: plain.full_slope(x, lam, mu))
    return None if found is None else (found[0], found[1][:, : len(start)])


# -- bifurcations ---------------------------------------------------------------------------------------------------


def hopf(network: Network) -> Checked:
    """Check the Hopf normal form: where it is, at the published time-scale too, and the cycle beyond it."""
    plain, name = Plain.of(network), "hopf"
    row = partial(Row, name)
    rows = [*_loss(name, network, 3.43e-3)]
    for mu, published in ((None, 2.14369), (0.0075, 2.14543)):
        at = hopf_value(plain, np.array([5.0, 5.0]), (1.0, 3.0), mu)
        what = "HB, lam" if mu is None else f"HB, lam at mu = {mu:g}"
        good = at is not None and abs(at[0] - 2.0) <= PLACE * 2.0
        rows.append(row(what, "2", _value(published), _value(at and at[0]), good))
    lam = np.array([2.5])
    cycle = _cycle_of(plain, np.array([5.5, 5.0]), lam, 100.0, 40.0)
    radius = None if cycle is None else float(np.mean(np.ptp(cycle[1], axis=0)) / 2)
    good = radius is not None and abs(radius - np.sqrt(0.5)) <= SHAPE * np.sqrt(0.5)
    rows.append(row("radius of the cycle, lam = 2.5", "0.70711", "0.75385", _value(radius), good))
    period = None if cycle is None else cycle[0]
    good = period is not None and abs(period - 2 * np.pi) <= SHAPE * 2 * np.pi
    rows.append(row("its period", "6.2832", "6.8915", _value(period), good))
    box = ((3.5, 6.5), (3.5, 6.5))
    learned = () if cycle is None else (ring(cycle[1], "learned"),)
    picture = plane("lam = 2.5", plain, lam, box, (ring(_circle((5, 5), np.sqrt(0.5)), "target", GREY), *learned))
    return Checked(tuple(rows), (_amplitudes(plain), picture, _hopf_by_mu(plain)))


def _amplitudes(plain: Plain) -> Panel:
    """Return extents of the settled states against lam, of target and network."""
    values = np.linspace(1.5, 2.9, 15)
    low, high = [], []
    for value in values:
        lam = np.array([value])
        end = follow(plain.at(lam), np.array([5.3, 5.0]), np.linspace(0, 120, 2400))
        part = np.full(2, np.nan) if end is None else end[1600:, 0]
        low.append(part.min())
        high.append(part.max())
    fine = np.linspace(1.5, 2.9, 400)
    size = np.sqrt(np.maximum(fine - 2.0, 0.0))
    lines = (
        Line(fine, 5 + size, "target", GREY, "-", 4.0),
        Line(fine, 5 - size, "", GREY, "-", 4.0),
        dots(values, np.array(high), "learned, settled"),
        dots(values, np.array(low), ""),
    )
    return Panel("extremes of x1", "lam", "x1", lines)


def _hopf_by_mu(plain: Plain) -> Panel:
    scales = np.logspace(-4, -1, 10)
    places = [hopf_value(plain, np.array([5.0, 5.0]), (1.0, 3.0), mu) for mu in scales]
    values = np.array([np.nan if place is None else place[0] for place in places])
    lines = (Line(scales, np.full_like(scales, 2.0), "target", GREY, "-", 4.0), Line(scales, values, "learned"))
    return Panel("HB by time-scale", "mu", "lam", lines, logarithmic=True, limits=((1e-4, 0.1), (1.8, 2.2)))


def homoclinic(network: Network) -> Checked:
    """Check where the cycle is born at a Hopf point and ends in a homoclinic loop."""
    plain, name = Plain.of(network), "homoclinic"
    row = partial(Row, name)
    width = 0.6
    at = hopf_value(plain, np.array([4.81, 4.37]), (1.7, 1.95))
    loop = loop_value(plain, np.array([5.0, 5.0]), np.array([4.82, 4.34]), (1.9, 2.1))
    rows = [
        *_loss(name, network, 9.7e-7),
        row(
            "HB, lam",
            "1.84615",
            "1.82537",
            _value(at and at[0], 6),
            at is not None and abs(at[0] - 1.84615) <= PLACE * width,
        ),
        row(
            "homoclinic loop, lam",
            "2",
            "1.99509",
            _value(loop, 6),
            loop is not None and abs(loop - 2.0) <= PLACE * width,
        ),
    ]
    target = targets.homoclinic().system
    assert target is not None
    panels = []
    box = ((4.3, 5.5), (3.8, 5.5))
    for value in (1.9, 1.98, 2.02):
        lam, times = np.array([value]), np.linspace(0, 60, 3000)
        wanted = follow(partial(target.rhs, values=[value]), np.array([4.85, 4.34]), times)
        learned = follow(plain.at(lam), np.array([4.85, 4.34]), times)
        lines = [] if wanted is None else [Line(wanted[:, 0], wanted[:, 1], "target", GREY, "-", 3.0)]
        lines += [] if learned is None else [Line(learned[:, 0], learned[:, 1], "learned")]
        panels.append(plane(f"lam = {value:g}", plain, lam, box, tuple(lines)))
    return Checked(tuple(rows), tuple(panels))


def hopf_critical(network: Network) -> Checked:
    """Check the critical Hopf point, and in how many copies with rates 10 % off the equilibrium attracts."""
    plain, name = Plain.of(network), "hopf_critical"
    row = partial(Row, name)
    places = equilibria(plain, NONE, ((3.5, 6.5), (3.5, 6.5)))
    real = [float(np.linalg.eigvals(plain.reduced_slope(x, NONE)).real.max()) for x in places]
    rng = np.random.default_rng(0)
    found = []
    for _ in range(COPIES):
        copy = Plain(
            *(
                getattr(plain, key) * rng.uniform(0.9, 1.1, np.shape(getattr(plain, key)))
                for key in plain.__dataclass_fields__
            )
        )
        rest = equilibria(copy, NONE, WIDE, starts=40)  # which may move far
        found.append(
            max((-float(np.linalg.eigvals(copy.reduced_slope(x, NONE)).real.max()) for x in rest), default=np.nan)
        )
    keep = int(np.sum(np.array(found) > 0.0))
    rows = (
        row(
            "real part at the equilibrium",
            "0",
            "",
            _value(real[0] if len(real) == 1 else None, 2),
            len(real) == 1 and abs(real[0]) <= PLACE,
        ),
        row(
            "copies, rates 10 % off, with a stable equilibrium",
            "",
            f"99 of {COPIES}",
            f"{keep} of {COPIES}",
            keep >= 0.95 * COPIES,
        ),
    )
    box = ((3.5, 6.5), (3.5, 6.5))
    counts, edges = np.histogram([-value for value in found if np.isfinite(value)], 20)
    bars = Line(np.repeat(edges, 2)[1:-1], np.repeat(counts, 2), "", BLUE)
    times = np.linspace(0, 60, 2000)
    run = follow(plain.at(NONE), np.array([5.8, 5.0]), times)
    lines = () if run is None else (Line(run[:, 0], run[:, 1], "learned"),)
    spread = Panel("real parts in 100 copies", "real part", "copies", (bars,))
    return Checked(rows, (plane("trajectory", plain, NONE, box, lines), spread))


# -- one species ----------------------------------------------------------------------------------------------------


def _rests(plain: Plain, lam: Array, side: tuple[float, float], mu: float | None = None) -> list[float]:
    """Return the stable equilibria of one species in a range."""
    return [float(x[0]) for x in equilibria(plain, lam, (side,)) if plain.stable(x, lam, mu)]


def _row_of_rests(
    name: str, what: str, wanted: tuple[float, ...], found: list[float], width: float, published: str = ""
) -> Row:
    good = len(found) == len(wanted) and all(abs(a - b) <= PLACE * width for a, b in zip(found, wanted))
    shown = ", ".join(f"{value:.3f}" for value in found) or "none"
    return Row(name, what, ", ".join(f"{value:.3f}" for value in wanted), published, shown, good)


def sine(name: str, high: float, count: int, network: Network) -> Checked:
    """Check the stable equilibria of sin x."""
    plain = Plain.of(network)
    wanted = tuple(np.pi * (2 * k + 1) for k in range(count))
    rows = (_row_of_rests(name, "stable states", wanted, _rests(plain, NONE, (1.0, high)), high - 1.0),)
    return Checked(rows, (fields(name, plain, NONE, (1.0, high), np.sin),))


def uni_bistable(network: Network) -> Checked:
    """Check the stable equilibria at both ends, in the reduced network and at mu = 0.1."""
    plain, name, side = Plain.of(network), "uni_bistable", (1.0, 9.0)
    rows = [*_loss(name, network, 4.27)]
    for value, wanted in ((1.0, (5.0,)), (0.0, (2.0, 8.0))):
        for mu in (None, 0.1):
            where = f"stable states, lam = {value:g}" + ("" if mu is None else f", mu = {mu:g}")
            rows.append(_row_of_rests(name, where, wanted, _rests(plain, np.array([value]), side, mu), 8.0))
    panels = (
        fields("lam = 1", plain, np.array([1.0]), side, lambda x: 6 * (5 - x)),
        fields("lam = 0", plain, np.array([0.0]), side, lambda x: -(x - 2) * (x - 5) * (x - 8)),
    )
    return Checked(tuple(rows), panels)


# -- designed curves ------------------------------------------------------------------------------------------------


def designed(
    name: str, published: float | None, within: float, network: Network, far: str = "", mu: float = 0.01
) -> Checked:
    """Check the cycle of a curve that was drawn: how far from it, in the reduced network and at a time-scale."""
    plain = Plain.of(network)
    parts = targets.TARGETS[name]().parts
    curves = [np.asarray(part.curve.points) for part in parts]  # type: ignore[attr-defined]
    if name == "heart":
        curves = [_heart()]
    rows, lines, panels = [*_loss(name, network, published)], [], []
    length = max(float(np.linalg.norm(np.diff(curve, axis=0), axis=1).sum()) for curve in curves)
    for k, curve in enumerate(curves):
        which = "" if len(curves) == 1 else f" {k + 1}"
        lines.append(ring(curve, "target" if not k else "", GREY))
        for scale in (None, mu):
            start = curve[0] * 1.001 + 1e-3
            cycle = _cycle_of(plain, start, NONE, 20.0 * length, 6.0 * length, scale)
            distance = None if cycle is None else furthest(cycle[1], curve)
            what = f"cycle{which}, distance from the design" + ("" if scale is None else f", mu = {scale:g}")
            shown = "no cycle" if distance is None else f"{distance:.3g}"
            rows.append(
                Row(name, what, "0", far if scale is None else "", shown, distance is not None and distance <= within)
            )
            if scale is None and cycle is not None:
                lines.append(ring(cycle[1], "learned" if not k else ""))
    box = tuple(
        (float(min(c[:, i].min() for c in curves)), float(max(c[:, i].max() for c in curves))) for i in range(2)
    )
    if curves[0].shape[1] == 2:
        panels.append(plane(name, plain, NONE, box, tuple(lines), 0.25))
    else:
        panels += [
            Panel(name, f"x{a + 1}", f"x{b + 1}", _projected(plain, curves[0], length, (a, b)))
            for a, b in ((0, 1), (0, 2))
        ]
    return Checked(tuple(rows), tuple(panels))


def _projected(plain: Plain, curve: Array, length: float, axes: tuple[int, int]) -> tuple[Line, ...]:
    run = follow(plain.at(NONE), curve[0], np.linspace(0, 3 * length, 6000))
    learned = () if run is None else (Line(run[3000:, axes[0]], run[3000:, axes[1]], "learned"),)
    return (ring(curve, "target", GREY, axes), *learned)


def _heart() -> Array:
    t = np.linspace(0.0, 2.0 * np.pi, 1000, endpoint=False)
    height = 13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)
    return np.column_stack([2 + 1.12 * np.sin(t) ** 3, 2 + 0.07 * height])


def repeller(network: Network) -> Checked:
    """Check the repelling cycle, which attracts in backward time."""
    plain, name = Plain.of(network), "repeller"
    curve = _circle((2.0, 2.0), 1.0)
    cycle = settled_cycle(
        lambda x: -plain.reduced(x, NONE), curve[0], 120.0, 40.0, lambda x: -plain.reduced_slope(x, NONE)
    )
    distance = None if cycle is None else furthest(cycle[1], curve)
    good = distance is not None and distance <= 2 * SHAPE
    inside = [x for x in equilibria(plain, NONE, ((1.0, 3.0), (1.0, 3.0))) if plain.stable(x, NONE)]
    rows = (
        Row(name, "repelling cycle, distance from the design", "0", "", _value(distance, 3), good),
        Row(name, "stable states inside", "1", "", str(len(inside)), len(inside) == 1),
    )
    learned = () if cycle is None else (ring(cycle[1], "learned"),)
    return Checked(
        rows, (plane(name, plain, NONE, ((1.0, 3.0), (1.0, 3.0)), (ring(curve, "target", GREY), *learned), 0.25),)
    )


def eq_cycle(network: Network) -> Checked:
    """Check the equilibrium at lam = 0.1 and the cycle from lam = 0.9 to 1.1."""
    plain, name = Plain.of(network), "eq_cycle"
    box, curve = ((0.0, 3.0), (0.0, 3.0)), _circle((1.5, 1.5), 1.0)
    low = np.array([0.1])
    rest = [x for x in equilibria(plain, low, box) if plain.stable(x, low)]
    near = float(np.linalg.norm(rest[0])) if len(rest) == 1 else None
    rows = [
        *_loss(name, network, 0.483),
        Row(
            name,
            "stable state, lam = 0.1, distance from the origin",
            "0",
            "",
            _value(near, 3),
            near is not None and near <= PLACE * 3.0,
        ),
    ]
    panels = [plane("lam = 0.1", plain, low, box, (), 0.02)]
    for value in (0.9, 1.0, 1.1):
        lam = np.array([value])
        cycle = _cycle_of(plain, np.array([2.5, 1.6]), lam, 120.0, 60.0)
        distance = None if cycle is None else furthest(cycle[1], curve)
        shown = "no cycle" if distance is None else f"{distance:.3g}"
        good = distance is not None and distance <= 2 * SHAPE
        rows.append(Row(name, f"cycle, lam = {value:g}, distance from the circle", "0", "", shown, good))
        if value == 1.0:
            learned = () if cycle is None else (ring(cycle[1], "learned"),)
            panels.append(plane("lam = 1", plain, lam, box, (ring(curve, "target", GREY), *learned), 0.02))
    return Checked(tuple(rows), tuple(panels))


# -- equations over a box -------------------------------------------------------------------------------------------


def oscillator(network: Network) -> Checked:
    """Check period and extent of the Bessel oscillator's cycle."""
    from scipy.special import j0

    plain, name = Plain.of(network), "oscillator"

    def wanted(x: Array) -> Array:
        return np.array([6.0 + 4.0 * j0(1.5 * x[0]) - x[1], x[0] - 4.0])

    start = np.array([4.0, 7.0])
    true, cycle = settled_cycle(wanted, start, 200.0, 40.0), _cycle_of(plain, start, NONE, 200.0, 60.0)
    assert true is not None
    size = float(np.ptp(true[1], axis=0).max())
    distance = None if cycle is None else furthest(cycle[1], true[1])
    period = None if cycle is None else cycle[0]
    rows = (
        *_loss(name, network, 0.688),
        Row(
            name,
            "period",
            _value(true[0]),
            "",
            _value(period),
            period is not None and abs(period - true[0]) <= SHAPE * true[0],
        ),
        Row(
            name,
            "cycle, distance from the target's",
            "0",
            "",
            _value(distance, 3),
            distance is not None and distance <= SHAPE * size,
        ),
    )
    learned = () if cycle is None else (ring(cycle[1], "learned"),)
    box = ((0.5, 9.0), (1.0, 11.0))
    return Checked(rows, (plane(name, plain, NONE, box, (ring(true[1], "target", GREY), *learned)),))


def hastings_powell(network: Network) -> Checked:
    """Check that the food chain is chaotic: largest Lyapunov exponents of both, and the ranges of the species."""
    plain, name = Plain.of(network), "hastings_powell"

    def wanted(s: Array) -> Array:
        x, y, z = s
        f1, f2 = 4.0 * x / (1.0 + 3.0 * x), 4.0 * y / (1.0 + 3.0 * y)
        return np.array([2.5 * x * (1.0 - 1.5 * x) - f1 * y, f1 * y - f2 * z - 0.4 * y, f2 * z - 0.6 * z])

    start = np.array([0.4, 0.35, 0.3])
    true = lyapunov(wanted, start, 500.0, 300, 10.0)
    ours = lyapunov(plain.at(NONE), start, 500.0, 300, 10.0)
    assert true is not None
    good = ours is not None and ours[0] > 0.5 * true[0]
    rows = (
        Row(
            name,
            "largest Lyapunov exponent",
            f"{true[0]:.3f}",
            "",
            "runs away" if ours is None else f"{ours[0]:.4f}",
            good,
        ),
    )
    times = np.linspace(0, 400, 8000)
    panels = []
    for title, field in (("target", wanted), ("learned", plain.at(NONE))):
        run = follow(field, start, times)
        lines = (
            ()
            if run is None
            else (Line(run[1000:, 0], run[1000:, 2], "", GREY if title == "target" else BLUE, "-", 0.7),)
        )
        panels.append(Panel(title, "x1", "x3", lines))
    return Checked(rows, tuple(panels))


# -- controlled networks --------------------------------------------------------------------------------------------


def xor(whole: ControlledNetwork) -> Checked:
    """Check a plane of environments: two stable states where just one of them is above 1, else one."""
    plain, name = Plain.of(whole.network), "xor"
    side = (np.arange(20) + 0.5) / 10
    seen = np.array(
        [[len(_rests(plain, outputs(whole.classifier, np.array([a, b])), (0.5, 9.5))) for a in side] for b in side]
    )
    wanted = np.where((side[None] > 1) != (side[:, None] > 1), 2, 1)
    share = float(np.mean(seen == wanted))
    double = float(np.mean(seen[wanted == 2] == 2))
    rows = (
        Row(name, "environments with the right number of stable states", "100 %", "", f"{share:.1%}", share >= 0.95),
        Row(name, "of those to be bistable", "100 %", "67 %", f"{double:.1%}", double >= 0.95),
    )
    return Checked(rows, (Panel("number of stable states", "Lambda1", "Lambda2", image=(side, side, seen)),))


def eq_cycle_controlled(whole: ControlledNetwork) -> Checked:
    """Check rest in environments below 2.5 and a cycle above."""
    plain, name, box = Plain.of(whole.network), "eq_cycle_controlled", ((0.0, 3.0), (0.0, 3.0))
    rows, drawn, places = [], [], np.concatenate([np.linspace(0.25, 2.25, 7), np.linspace(2.75, 4.75, 7)])
    for environment in places:
        lam = outputs(whole.classifier, np.array([environment]))
        rest = [x for x in equilibria(plain, lam, box) if plain.stable(x, lam)]
        cycle = None if rest else _cycle_of(plain, np.array([2.5, 1.6]), lam, 120.0, 80.0)
        drawn.append((len(rest) == 1, cycle is not None, 0.0 if cycle is None else float(np.ptp(cycle[1][:, 0]))))
    rested = sum(state for state, _, _ in drawn[:7])
    cycled = sum(moves for _, moves, _ in drawn[7:])
    rows = [
        Row(name, "environments below 2.5 at rest", "7 of 7", "", f"{rested} of 7", rested == 7),
        Row(name, "environments above 2.5 that cycle", "7 of 7", "", f"{cycled} of 7", cycled == 7),
    ]
    extent = np.array([size for _, _, size in drawn])
    lines = (Line(places, np.where(places > 2.5, 2.0, 0.0), "target", GREY, "-", 4.0), dots(places, extent, "learned"))
    return Checked(tuple(rows), (Panel("extent of x1", "Lambda", "extent", lines),))


CHECKS: dict[str, Callable[..., Checked]] = {
    "hopf": hopf,
    "homoclinic": homoclinic,
    "hopf_critical": hopf_critical,
    "uni_bistable": uni_bistable,
    "xor": xor,
    "bistable": partial(sine, "bistable", 12.0, 2),
    "tristable": partial(sine, "tristable", 18.0, 3),
    "circle": partial(designed, "circle", 0.1795, 0.2),
    "circle_linear": partial(designed, "circle_linear", None, 0.2),
    "repeller": repeller,
    "heart": partial(designed, "heart", 0.242, 0.3),
    "two_cycles": partial(designed, "two_cycles", 0.473, 0.1),
    "torus": partial(designed, "torus", None, 0.5, far="1.5"),
    "eq_cycle": eq_cycle,
    "eq_cycle_controlled": eq_cycle_controlled,
    "oscillator": oscillator,
    "hastings_powell": hastings_powell,
}
"""What looks at each problem."""
