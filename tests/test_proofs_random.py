"""Random polynomial models and maps of two states in a box: what Newton's method finds from many starts was proved.

The models have species that may be absent, or are unchanged when the two states are swapped, or neither.
"""

import numpy as np
import pytest
import sympy

import bifrncrn as bf

X = x, y, r = sympy.symbols("x y r")
LOW, HIGH = np.array([-1.03, -1.07, -0.97]), np.array([1.01, 0.99, 1.03])
CLOSE = 1e-3
"""Newton's method settles so near to a branch point, where what it solves is singular."""

FAR = 1e3
"""Newton's method is given up so far out of the box."""


def model(seed):
    """Return right-hand sides with coefficients in eighths, which are doubles."""
    rng = np.random.default_rng(seed)
    terms = [sympy.Integer(1), x, y, x * x, x * y, y * y, r, r * x, r * y, x**3, y**3]

    def polynomial():
        factors = rng.integers(-10, 11, size=len(terms)) * (rng.random(len(terms)) < 0.7)
        return sum(sympy.Rational(int(c), 8) * term for c, term in zip(factors, terms, strict=True))

    f, g = polynomial(), polynomial()
    if seed % 3 == 1:
        g = f.subs({x: y, y: x}, simultaneous=True)
    if seed % 3 == 2:
        f, g = x * f, y * g
    return [sympy.expand(f), sympy.expand(g)]


def settled(equations, accept, rng, starts=50, steps=25):
    """Return solutions of three equations in the box, of those that Newton's method settles on."""
    jacobian = sympy.lambdify(X, sympy.Matrix(equations).jacobian(X).tolist())
    values = sympy.lambdify(X, equations)
    found = []
    for z in LOW + (HIGH - LOW) * rng.random((starts, 3)):
        try:
            for _ in range(steps):
                if np.abs(z).max() > FAR:
                    break
                z = z - np.linalg.solve(np.array(jacobian(*z), float), np.array(values(*z), float))
        except np.linalg.LinAlgError:
            continue
        inside = np.isfinite(z).all() and (z > LOW).all() and (z < HIGH).all()
        if inside and np.abs(values(*z)).max() < 1e-11 and accept(*z):
            found.append(z)
    return found


@pytest.mark.parametrize("is_map", [False, True])
@pytest.mark.parametrize("seed", [3, 4, 8])
def test_what_newton_finds_was_proved(seed, is_map):
    """Hopf points have a positive determinant; at Neimark-Sacker points the multipliers' sum is between -2 and 2."""
    f = model(seed)
    make = bf.System.from_map if is_map else bf.System.from_equations
    system = make({"x": str(f[0]), "y": str(f[1])}, {"r": 0.0}, {"x": 0.1, "y": 0.1})
    box = {"x": (LOW[0], HIGH[0]), "y": (LOW[1], HIGH[1])}
    proof = bf.prove(system, parameter="r", bounds=(LOW[2], HIGH[2]), box=box, seconds=20)
    assert proof.proved
    places = {label: [] for label in ("LP", "BP", "HB", "PD", "NS")}
    for point in proof.special_points:
        sides = [*point.state.values(), *point.parameters.values()]
        places[point.label].append(np.mean(sides, axis=1))
    flow = [f[0] - x, f[1] - y] if is_map else f
    matrix = sympy.Matrix(flow).jacobian([x, y])
    trace, det = matrix.trace(), matrix.det()
    known = sympy.lambdify(X, [trace, det])
    tests = {"LP": (det, lambda *z: True)}
    if is_map:
        tests["PD"] = 4 + 2 * trace + det, lambda *z: True
        tests["NS"] = trace + det, lambda *z: -4 + 1e-6 < known(*z)[0] < -1e-6
    else:
        tests["HB"] = trace, lambda *z: known(*z)[1] > 1e-6
    for label, (test, accept) in tests.items():
        listed = places[label] + (places["BP"] if label == "LP" else [])
        for z in settled([*flow, test], accept, np.random.default_rng(seed)):
            assert any(np.abs(z - place).max() < CLOSE for place in listed), (label, z)
