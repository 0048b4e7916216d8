"""Bifurcations of orbits: seen between two places of a branch, located, and refined until the mesh does not matter."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from bifrncrn.curves.orbits.branch import Place, between, orbit_from
from bifrncrn.curves.orbits.corrector import Corrector
from bifrncrn.curves.orbits.layout import MOST
from bifrncrn.curves.orbits.orbit import Mesh

FOLD, DOUBLING, TORUS, BRANCHING = "LPC", "PD", "NS", "BPC"
NO_SLOPE = 1e-9
"""A parameter component of the unit tangent below this at both ends of a step is rounding, not a fold."""
SETTLED = 1e-10
"""The parameter of an event has converged when a finer mesh moves it by less than this, in its unit."""
AT_EVENT = 1e-5
"""How close the multiplier of an event must be to where it belongs."""
AT_FOLD = 1e-3
"""The same at a fold, which is not located by its multiplier: along a canard that may change by 1e3 in a step."""
HUGE = 1e9
"""The sign of a larger multiplier is rounding (the largest that are computed at all are about 1e12)."""
NEAR_EVENT = 0.5
"""An event that is not located is one where a multiplier is so near to where it passes at both ends of a tiny step."""
MOST_BLUR = 1e-2
"""The error of an event's multiplier that is put down to the error of its place, at most."""
TOUCH = 0.05
"""Where the parameter turns and no multiplier is this close to 1, a multiplier has passed through 1 and through -1."""
SAME_SIZE = 1e-12
"""Multipliers near the unit circle whose sizes differ by less than this are a pair."""
SAMPLES, ENOUGH = 9, 7
"""Places through which a branch point of cycles is interpolated, and how many of them must be found."""
CLOSE = 0.05
"""The part of the step on both sides of a branch point of cycles on which it is interpolated in the end."""

Indicator = Callable[[Place], float]


@dataclass(frozen=True, eq=False)
class Located:
    """An event: its place, how far the last finer mesh moved its parameter or rounding may, and its defect.

    `blur` is the error of its multipliers that the error of its place makes: they may change by 1e4 a unit.
    """

    label: str
    place: Place
    moved: float
    residual: float
    blur: float = 0.0


def signature(here: Place, there: Place) -> str | None:
    """Return the label of the one event between two places, an empty text for none, None for more than one.

    A multiplier passes through 1 where the number of real ones beyond 1 changes, through -1 where that of the real ones
    below -1 does: two that pass in opposite directions leave the number of unstable ones as it is, but are seen.
    """
    slope0, slope1 = slope(here), slope(there)
    flat = still(here, there)
    fold = slope0 * slope1 < 0.0 and not flat
    if not (here.decided and there.decided):
        return FOLD if fold else ""
    changed = changes(here, there)
    if changed is None:
        return None
    real, flips, pairs = changed
    if real == flips == pairs == 0 or (real % 2 == flips % 2 == 0 and real * flips == 0 and real + flips + pairs == 0):
        # nothing passed, though two that are outside may have met on the real line, or left it
        return "" if not fold else (BRANCHING if _touches(here) and _touches(there) else None)
    if abs(real) == 1 and flips == pairs == 0:
        return FOLD if fold or flat else BRANCHING
    if abs(flips) == 1 and real == pairs == 0 and not fold:
        return DOUBLING
    return TORUS if abs(pairs) == 2 and real == flips == 0 and not fold else None


def still(here: Place, there: Place) -> bool:
    """Say whether the parameter stands still between two places but for rounding: whether it turns is not seen."""
    return max(abs(slope(here)), abs(slope(there))) <= NO_SLOPE


def changes(here: Place, there: Place) -> tuple[int, int, int] | None:
    """Return by how much the numbers of real multipliers above 1, below -1, and of complex ones outside change.

    The signs of huge multipliers mean nothing: as many as are huge at either place are left out at both, which is
    possible where they are outside the unit circle at both; None where they are not.
    """
    huge = max(int(np.sum(np.abs(place.multipliers[1:]) > min(place.sure, HUGE))) for place in (here, there))
    counts = []
    for place in (here, there):
        if np.any(np.abs(place.multipliers[1 : 1 + huge]) < 1.0):
            return None
        rest = place.multipliers[1 + huge :]
        outside = rest[np.abs(rest) > 1.0]
        real = outside[outside.imag == 0.0].real
        counts.append((int(np.sum(real > 0.0)), int(np.sum(real < 0.0)), len(outside) - len(real)))
    (a0, b0, c0), (a1, b1, c1) = counts
    return a1 - a0, b1 - b0, c1 - c0


def likeliest(here: Place, there: Place) -> str:
    """Return the label of one of several events between two places that nothing tells apart, an empty text for none."""
    if slope(here) * slope(there) < 0.0 and resolved(FOLD, here, there):
        return FOLD
    labels = [label for label in (BRANCHING, DOUBLING, TORUS) if resolved(label, here, there)]
    if not labels:
        return ""
    # where the parameter stands still to rounding its turn is not seen, and folds are common, branch points are not
    return FOLD if labels[0] == BRANCHING and still(here, there) else labels[0]


def certain(here: Place, there: Place) -> bool:
    """Say whether what was concluded from the multipliers at two places is sure: then continuity makes the event so."""
    return here.trusted and there.trusted


def resolved(label: str, here: Place, there: Place) -> bool:
    """Say whether an event between two places that cannot be located is one all the same.

    The multipliers tell, if they are near where they pass at both places: where they jump from far off, along canards
    for one, they are rounding. So is a turn of the parameter there; but where nothing is known of them, it is a fold.
    """
    if label == FOLD and not certain(here, there):
        return True
    return certain(here, there) and all(_off(label, place) < NEAR_EVENT for place in (here, there))


def _off(label: str, place: Place) -> float:
    """Return how far the multipliers are from those of an event."""
    others = place.multipliers[1:]
    if label == TORUS:
        return float(np.min(np.abs(np.abs(others[others.imag > 0.0]) - 1.0), initial=np.inf))
    return float(np.min(np.abs(others - (-1.0 if label == DOUBLING else 1.0)), initial=np.inf))


def _touches(place: Place) -> bool:
    """Say whether a multiplier is so close to 1 that it may touch it without passing through."""
    return bool(np.min(np.abs(place.multipliers[1:] - 1.0)) < TOUCH)


def slope(place: Place) -> float:
    """Return the parameter component of the unit tangent, in units of the parameter."""
    return float(place.tangent[-1] / place.metric.unit)


def indicator(label: str, here: Place, there: Place) -> Indicator:
    """Return the function of a place that changes sign at the event."""
    if label == FOLD or (label == BRANCHING and slope(here) * slope(there) < 0.0 and here.unstable == there.unstable):
        return slope
    if label == TORUS:
        return _product_of_pair(min(here.unstable, there.unstable))
    return _distance_to(-1.0 if label == DOUBLING else 1.0)


def _distance_to(root: float) -> Indicator:
    def value(place: Place) -> float:
        others = place.multipliers[1:]
        others = others[np.isfinite(others)]
        return float(np.prod((others - root) / (1.0 + np.abs(others))).real)

    return value


def _product_of_pair(which: int) -> Indicator:
    def value(place: Place) -> float:
        pair = np.abs(place.multipliers[1 + which : 3 + which])
        return float(np.sum(np.log(np.maximum(pair, 1e-300))))

    return value


def locate(corrector: Corrector, here: Place, there: Place, label: str) -> Located | None:
    """Find the event between two places; None where it does not converge or turns out to be none.

    Bracketing with inverse quadratic interpolation (Chandrupatla, Adv. Eng. Software 28, 1997) along the branch, then
    the secant method on finer and finer meshes.
    """
    tests = [indicator(label, here, there)]
    if label == BRANCHING:
        return _branching(corrector, here, there, tests[0])
    if label == FOLD:  # where the parameter hardly moves the multiplier tells more
        tests.append(_distance_to(1.0))
    for test in tests:
        found = bracketed(corrector, here, there, test)
        refined = _refine(corrector, *found, test) if found is not None else None
        if refined is not None:
            return Located(label, *refined, refined[0].corrected.noise)
    return None


def explains(found: Located) -> bool:
    """Say whether the multipliers of a located event are those of its label."""
    allowed = AT_FOLD if found.label == FOLD else AT_EVENT
    return _off(found.label, found.place) < allowed + min(found.blur, MOST_BLUR)


def correct_at(corrector: Corrector, near: Place, coordinates: np.ndarray, normal: np.ndarray) -> Place | None:
    """Return the place of the branch in the hyperplane through the coordinates, measured as `near` is."""
    guess = orbit_from(near.orbit, coordinates)
    done = corrector.correct(guess, normal, near.orbit, near.metric)
    return None if isinstance(done, int) else Place.of(done, near.metric)


def asked_for(
    corrector: Corrector, here: Place, there: Place, test: Indicator, part: tuple[float, float]
) -> Located | None:
    """Find where a function of the user's vanishes in a part of the step between two places."""
    found = bracketed(corrector, here, there, test, part)
    refined = _refine(corrector, *found, test) if found is not None else None
    return None if refined is None else Located("UZ", *refined)


def margin(found: Located) -> tuple[float, float] | None:
    """Return the parameters between which an event lies whose place has not settled, None for one that has."""
    if not found.moved > 10.0 * SETTLED:
        return None
    off = found.moved * found.place.metric.unit
    return found.place.orbit.parameter - off, found.place.orbit.parameter + off


def bracketed(
    corrector: Corrector, here: Place, there: Place, test: Indicator, part: tuple[float, float] = (0.0, 1.0)
) -> tuple[Place, float] | None:
    """Return the place of a sign change between two places, and the rate of change of the indicator by length.

    It is looked for in a part of the step between them.
    """
    known = {0.0: here, 1.0: there}
    ends = [known.get(share) or correct_at(corrector, here, *between(here, there, share)) for share in part]
    if ends[0] is None or ends[1] is None:
        return None
    f0, f1 = test(ends[0]), test(ends[1])
    if not f0 * f1 < 0.0:
        return None
    length = here.length(there.coordinates - here.coordinates)
    low, high = part
    a, fa, b, fb, c, fc = high, f1, low, f0, high, f1
    theta = low + (high - low) * min(max(f0 / (f0 - f1), 1e-3), 1.0 - 1e-3)
    best: Place | None = None
    rate = (f1 - f0) / (length * (high - low))
    for _ in range(50):
        at = correct_at(corrector, here, *between(here, there, theta))
        if at is None:
            return None
        best, value = at, test(at)
        if not np.isfinite(value):
            return None
        if abs(theta - a) * length > 1e-7:
            rate = (value - fa) / ((theta - a) * length)
        if (value > 0.0) == (fa > 0.0):
            c, fc = a, fa
        else:
            c, fc, b, fb = b, fb, a, fa
        a, fa = theta, value
        width = abs(b - a)
        if width * length < 1e-11 or abs(value) < 1e-13 * max(abs(f0), abs(f1)):
            break
        least = 0.2e-11 / (width * length)
        xi, phi = (a - b) / (c - b), (fa - fb) / (fc - fb) if fc != fb else 2.0
        t = 0.5
        if phi * phi < xi and (1.0 - phi) * (1.0 - phi) < 1.0 - xi:
            t = fa / (fb - fa) * fc / (fb - fc) + (c - a) / (b - a) * fa / (fc - fa) * fb / (fc - fb)
        theta = a + min(max(t, least), 1.0 - least) * (b - a)
    else:
        return None
    return best, rate


def _branching(corrector: Corrector, here: Place, there: Place, test: Indicator) -> Located | None:
    """Find a branch point of cycles by interpolation, on finer meshes until the parameter stays.

    Newton's method fails close to it, where the bordered matrix is singular, but all that is asked for is smooth along
    the branch: polynomials through places at both sides give it to their accuracy.
    """
    found = _interpolated(corrector, here, there, test)
    moved = np.inf
    while found is not None and moved > SETTLED:
        place = found[0]
        count = int(1.5 * here.orbit.count)
        if count > 2 * MOST:
            break
        mesh = corrector.mesh(place.orbit, place.metric, count)
        ends = [_moved(corrector, end, mesh) for end in (here, there)]
        if ends[0] is None or ends[1] is None:
            return None
        here, there = ends[0], ends[1]
        found = _interpolated(corrector, here, there, test)
        if found is not None:
            moved = abs(found[0].orbit.parameter - place.orbit.parameter) / place.metric.unit
    return None if found is None else Located(BRANCHING, found[0], max(float(moved), found[1]), found[1], found[2])


def _moved(corrector: Corrector, place: Place, mesh: Mesh) -> Place | None:
    guess = place.on(mesh)
    done = corrector.correct(guess.orbit, guess.tangent, guess.orbit, place.metric)
    return None if isinstance(done, int) else Place.of(done, place.metric).measured(place.metric)


def _interpolated(
    corrector: Corrector, here: Place, there: Place, test: Indicator
) -> tuple[Place, float, float] | None:
    """Return the place where an indicator vanishes between two others, and the errors of parameter and multiplier.

    First through places all over the step, then through such as are close to the zero but not at it.
    """
    there = replace(there, tangent=here.without_shift(there.tangent))
    wide = 0.5 - 0.5 * np.cos(np.pi * np.arange(SAMPLES) / (SAMPLES - 1))
    first = _through(corrector, here, there, test, wide)
    if first is None:
        return None
    root, found = first
    around = root + CLOSE * np.cos(np.pi * (np.arange(SAMPLES - 1) + 0.5) / (SAMPLES - 1))[::-1]
    second = _through(corrector, here, there, test, around)
    return found if second is None or second[1][1] > found[1] else second[1]


def _through(
    corrector: Corrector, here: Place, there: Place, test: Indicator, thetas: np.ndarray
) -> tuple[float, tuple[Place, float, float]] | None:
    """Return where an indicator vanishes by interpolation through places at parts of the step, and what is there."""
    ends = {0.0: here, 1.0: there}
    places = [ends.get(theta) or correct_at(corrector, here, *between(here, there, theta)) for theta in thetas.tolist()]
    kept = [(theta, place) for theta, place in zip(thetas, places, strict=True) if place is not None]
    if len(kept) < ENOUGH:
        return None
    t, samples = np.array([theta for theta, _ in kept]), [place for _, place in kept]
    values = np.array([test(place) for place in samples])
    parameters = np.array([place.orbit.parameter for place in samples])
    fewer = np.delete(np.arange(len(t)), [1, -2])  # the error is the difference that two places make
    root, other = _root(t, values), _root(t[fewer], values[fewer])
    multipliers = np.array([place.multipliers for place in samples])
    if root is None or other is None or not np.all(np.isfinite(multipliers[:, 0])):
        return None
    weights = _lagrange(t, root)
    error = abs(float(weights @ parameters - _lagrange(t[fewer], other) @ parameters[fewer])) / here.metric.unit
    nearest = samples[int(np.argmin(np.abs(t - root)))]
    known, there_too = nearest.multipliers.copy(), nearest.multipliers.copy()
    finite = np.all(np.isfinite(multipliers), axis=0)  # the huge ones are not
    known[finite], there_too[finite] = (w @ multipliers[:, finite] for w in (weights, _lagrange(t, other)))
    coordinates = weights @ np.array([place.coordinates for place in samples])
    tangent = weights @ np.array([place.tangent for place in samples])
    orbit = orbit_from(here.orbit, coordinates)
    near = 1 + int(np.argmin(np.abs(known[1:] - 1.0)))
    blur = float(np.abs(known[near] - there_too[near]))
    return root, (replace(nearest, orbit=orbit, tangent=tangent, known=known), error, blur)


def _root(t: np.ndarray, values: np.ndarray) -> float | None:
    """Return the zero of the polynomial through the values, by the secant method from where the sign changes."""
    change = np.flatnonzero(np.sign(values[:-1]) * np.sign(values[1:]) < 0.0)
    if len(change) != 1 or not np.all(np.isfinite(values)):
        return None
    k = int(change[0])
    a, b = float(t[k]), float(t[k + 1])
    fa, fb = float(values[k]), float(values[k + 1])
    for _ in range(60):
        if abs(b - a) < 1e-15 or fa == fb:
            break
        c = b - fb * (b - a) / (fb - fa)
        a, fa, b, fb = b, fb, c, float(_lagrange(t, c) @ values)
    return b if t[k] <= b <= t[k + 1] else None


def _lagrange(t: np.ndarray, at: float) -> np.ndarray:
    """Return the weights of values at t in their polynomial's value."""
    gaps = t[:, None] - t[None]
    ratios = (at - t[None]) / np.where(gaps == 0.0, 1.0, gaps)
    np.fill_diagonal(ratios, 1.0)
    weights: np.ndarray = np.prod(ratios, axis=1)
    return weights


def _refine(corrector: Corrector, place: Place, rate: float, test: Indicator) -> tuple[Place, float, float] | None:
    """Locate again on finer meshes until the parameter stays; return place, last move in units, and defect."""
    moved = np.inf
    while moved > SETTLED:
        orbit = place.orbit
        count = min(int(1.5 * orbit.count), 2 * MOST)
        if count == orbit.count:
            break
        guess = place.on(corrector.mesh(orbit, place.metric, count))
        done = corrector.correct(guess.orbit, guess.tangent, guess.orbit, place.metric)
        if isinstance(done, int):
            return None
        finer = _secant(corrector, Place.of(done, place.metric).measured(place.metric), test, rate)
        if finer is None:
            return None
        moved = abs(finer.orbit.parameter - orbit.parameter) / place.metric.unit
        place = finer
    moved = max(float(moved), _rounding(place, test, rate))
    return place, moved, max(abs(test(place)), place.corrected.first)


def _rounding(place: Place, test: Indicator, rate: float) -> float:
    """Return how far the rounding of the multiplier of an event may move its parameter, in its unit."""
    sizes = np.abs(place.multipliers[1:])
    gaps = np.abs(np.where(np.isfinite(sizes), sizes, np.inf) - 1.0)
    moved = place.multipliers.copy()
    moved[1:][gaps <= gaps.min() + SAME_SIZE] *= 1.0 + place.corrected.noise  # one, or a pair
    off = replace(place, known=moved)
    return abs(slope(place) * (test(off) - test(place)) / rate) if rate != 0.0 else np.inf


def _secant(corrector: Corrector, base: Place, test: Indicator, rate: float) -> Place | None:
    """Return the zero of the indicator near a place, stepping along its tangent."""
    s, at = 0.0, correct_at(corrector, base, base.coordinates, base.tangent)
    if at is None:
        return None
    value = test(at)
    for _ in range(12):
        if not (np.isfinite(value) and rate != 0.0):
            return None
        change = -value / rate
        if abs(change) < 1e-11 or value == 0.0:
            return at
        if abs(change) > 0.05:
            return None
        after = correct_at(corrector, base, base.coordinates + (s + change) * base.tangent, base.tangent)
        if after is None:
            return None
        new = test(after)
        if abs(change) < 1e-7 and abs(new) >= 0.5 * abs(value):
            return after if abs(new) < abs(value) else at  # at the level of rounding
        rate = (new - value) / change if new != value else rate
        s, value, at = s + change, new, after
    return None
