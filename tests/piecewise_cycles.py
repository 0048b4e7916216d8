"""Counting the cycles of small piecewise linear networks by trying every sequence of sides."""

import itertools

import numpy as np


def tried(a, outer, inner, h1, h2, period):
    """Return how many cycles of least period `period` z -> a z + outer relu(inner z + h2) + h1 has."""
    n, m = outer.shape
    known = []
    for sides in itertools.product(itertools.product((0.0, 1.0), repeat=m), repeat=period):
        matrix, shift = np.eye(n), np.zeros(n)
        for on in np.array(sides):
            step = np.diag(a) + outer @ (on[:, None] * inner)
            matrix, shift = step @ matrix, step @ shift + outer @ (on * h2) + h1
        states = [np.linalg.solve(np.eye(n) - matrix, shift)]
        for _ in range(period - 1):
            z = states[-1]
            states.append(a * z + outer @ np.maximum(inner @ z + h2, 0.0) + h1)
        if any(np.any((inner @ z + h2 >= 0.0) != (np.array(on) > 0.0)) for z, on in zip(states, sides, strict=True)):
            continue
        # a state comes from one linear solve, good to 1e-12 or so; different cycles are farther apart
        lower = any(period % k == 0 and np.allclose(states[k], states[0], atol=1e-9) for k in range(1, period))
        if not lower and not any(np.allclose(z, states[0], atol=1e-9) for cycle in known for z in cycle):
            known.append(states)
    return len(known)
