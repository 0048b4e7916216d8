"""Small diagrams made by hand, for tests of what works on finished results."""

import numpy as np

import bifrncrn as bf


def frozen(values, dtype=float):
    array = np.array(values, dtype)
    array.setflags(write=False)
    return array


def branch(points, unstable, id=0, columns=("lam", "x1", "x2"), kind="equilibrium", origin=None):
    points = frozen(points)
    ended = (bf.End("range", "lam reached its lower end"), bf.End("range", "lam reached its upper end"))
    return bf.Branch(
        id,
        kind,
        tuple(columns),
        points,
        frozen(unstable, int),
        frozen(np.zeros((len(points), 2)), complex),
        origin,
        ended,
    )


def point(label, parameter, state, branch=0, index=0, l1=None, omega=None, a=None, name="lam", status="converged"):
    values = {f"x{k}": float(v) for k, v in enumerate(state, 1)}
    return bf.SpecialPoint(
        label, branch, index, {name: float(parameter)}, values, status, 1e-14, omega=omega, l1=l1, a=a
    )


def diagram(branches, points=(), model="handmade", bounds=(1.0, 3.0), parameter="lam"):
    return bf.Diagram(model, parameter, bounds, tuple(branches), tuple(points))


def hopf_diagram(at=2.0, l1=-1.0, level=5.0, rows=41, model="hopf", slope=0.0):
    """A straight branch with one Hopf point."""
    lam = np.unique(np.append(np.linspace(1, 3, rows), at))
    height = level + slope * (lam - 1)
    index = int(np.searchsorted(lam, at))
    only = branch(np.column_stack([lam, height, height]), np.where(lam < at, 0, 2))
    where = [height[index]] * 2
    return diagram([only], [point("HB", at, where, index=index, l1=l1, omega=1.0)], model)


def crowded_diagram(shift=0.0, model="crowded"):
    """Folds, a pitchfork with four arms, and Hopf points close together."""
    x = np.linspace(-1.6, 1.6, 161)
    s_curve = branch(np.column_stack([x**3 - x + 2 + shift, x, x]), (np.abs(x) < 3**-0.5).astype(int))
    points = []
    for sign in (-1, 1):
        index = int(np.argmin(np.abs(x - sign * 3**-0.5)))
        points.append(point("LP", s_curve.points[index, 0], s_curve.points[index, 1:], index=index, a=0.5))
    lam = np.linspace(1, 3, 81)
    flat = branch(np.column_stack([lam, 0 * lam, 0 * lam]), np.where(lam < 1.5, 0, 1), id=1)
    points.append(point("BP", 1.5, (0, 0), branch=1, index=20))
    arms = []
    for k, sign in enumerate((-1, 1), 2):
        y = sign * np.sqrt(np.maximum(lam[20:] - 1.5, 0))
        arms.append(branch(np.column_stack([lam[20:], y, y]), np.where(lam[20:] < 2.0, 0, 2), id=k, origin=2))
        for row in (20, 22, 24, 25):
            points.append(point("HB", lam[20 + row], (y[row], y[row]), branch=k, index=row, l1=-1.0))
    return diagram([s_curve, flat, *arms], points, model)
