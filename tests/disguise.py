"""Normal forms whose special points are known exactly, disguised by what must not matter.

A form is disguised by fast unknowns, by units, by a linear mixing of its states, by a species that completes a
conserved sum, or by several of them. Each disguise keeps every special point, and adds none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

import bifrncrn as bf


@dataclass(frozen=True)
class Form:
    """Fields in u0, u1, ... and p, a start, the interval of p, and the special points (label, p)."""

    fields: tuple[str, ...]
    start: tuple[float, ...]
    p: float
    span: tuple[float, float]
    known: tuple[tuple[str, float], ...]
    rounding: float = 1.0


def number(value: float) -> str:
    """Return a number as text for an equation."""
    return f"({float(value)!r})"


def fold(rng: np.random.Generator) -> Form:
    """One fold at p = a."""
    a, c, k = rng.uniform(-1, 1), rng.uniform(-2, 2), rng.uniform(0.3, 3)
    field = f"p - {number(a)} - {number(k)}*(u0 - {number(c)})^2"
    return Form((field,), (c - np.sqrt(1.0 / k),), a + 1.0, (a - 1.0, a + 1.5), (("LP", a),))


def hysteresis(rng: np.random.Generator) -> Form:
    """Two folds, at a -+ 2 w^3 / 3."""
    a, c, w = rng.uniform(-1, 1), rng.uniform(-2, 2), rng.uniform(0.2, 1.2)
    x = f"(u0 - {number(c)})"
    field = f"p - {number(a)} - ({x}^3/3 - {number(w * w)}*{x})"
    gap = 2.0 * w**3 / 3.0
    at = c - 2.5 * w
    p = a + ((at - c) ** 3 / 3.0 - w * w * (at - c))
    return Form((field,), (at,), p, (p, a + (a - p)), (("LP", a - gap), ("LP", a + gap)))


def hopf(rng: np.random.Generator) -> Form:
    """One Hopf point at p = a."""
    a, c, d = rng.uniform(-1, 1), rng.uniform(-2, 2), rng.uniform(-2, 2)
    omega, sign, g = rng.uniform(0.2, 5), rng.choice([-1.0, 1.0]), rng.uniform(0.3, 3)
    x, y = f"(u0 - {number(c)})", f"(u1 - {number(d)})"
    rate = f"({number(g)}*(p - {number(a)}) + {number(sign)}*({x}^2 + {y}^2))"
    fields = f"{rate}*{x} - {number(omega)}*{y}", f"{number(omega)}*{x} + {rate}*{y}"
    return Form(fields, (c, d), a - 1.0, (a - 1.0, a + rng.uniform(0.5, 1.5)), (("HB", a),))


def pitchfork(rng: np.random.Generator) -> Form:
    """One branch point at p = a, met from the middle or from the side, where the parameter turns."""
    a, c, sign = rng.uniform(-1, 1), rng.uniform(-2, 2), rng.choice([-1.0, 1.0])
    x = f"(u0 - {number(c)})"
    field = f"{x}*(p - {number(a)} - {number(sign)}*{x}^2)"
    side = rng.uniform() < 0.5
    p = a + sign * 0.8
    return Form((field,), (c + np.sqrt(0.8) if side else c,), p, (a - 1.0, a + 1.2), (("BP", a),))


def transcritical(rng: np.random.Generator) -> Form:
    """A branch point at p = a, and a fold at a - w^2 on the branch that leaves it."""
    a, c, w = rng.uniform(-1, 1), rng.uniform(-2, 2), rng.uniform(0.3, 0.9)
    x = f"(u0 - {number(c)})"
    field = f"{x}*(p - {number(a - w * w)} - ({x} - {number(w)})^2)"
    return Form((field,), (c,), a + 0.7, (a - 1.0, a + 0.9), (("BP", a), ("LP", a - w * w)))


def ring(rng: np.random.Generator) -> Form:
    """A closed branch on a straight one."""
    a, c, r = rng.uniform(-1, 1), rng.uniform(-2, 2), rng.uniform(0.4, 0.9)
    m = rng.choice([0.0, rng.uniform(-0.8, 0.8) * r])
    x = f"(u0 - {number(c)})"
    field = f"{x}*({number(r * r)} - (p - {number(a)})^2 - ({x} - {number(m)})^2)"
    gap = np.sqrt(r * r - m * m)
    folds = (("LP", a - r), ("LP", a + r)) if m else ()
    return Form((field,), (c,), a - 1.0, (a - 1.0, a + 1.1), (("BP", a - gap), ("BP", a + gap), *folds))


def two_modes(rng: np.random.Generator) -> Form:
    """Two modes with reflection symmetry: x and y grow from p = a and b on, and with x or -x, y grows from c on."""
    a, gap, k = rng.uniform(-0.5, 0), rng.uniform(0.2, 0.5), rng.uniform(0.2, 0.5)
    b = a + gap
    c = (b - k * a) / (1.0 - k)
    fields = (
        f"u0*(p - {number(a)} - u0^2 - {number(k)}*u1^2)",
        f"u1*(p - {number(b)} - u1^2 - {number(k)}*u0^2)",
    )
    return Form(fields, (0.0, 0.0), a - 0.5, (a - 0.5, c + 0.5), (("BP", a), ("BP", b), ("BP", c), ("BP", c)))


FORMS: dict[str, Callable[[np.random.Generator], Form]] = {
    f.__name__: f for f in (fold, hysteresis, hopf, pitchfork, transcritical, ring, two_modes)
}


def fast(form: Form, rng: np.random.Generator) -> Form:
    """Add unknowns that follow the others at rates of 1e3 to 1e12, in any order among them."""
    n, more = len(form.fields), int(rng.integers(1, 4))
    fields, start = list(form.fields), list(form.start)
    for k in range(n, n + more):
        c = rng.normal(size=n)
        rate = 10.0 ** rng.uniform(3, 12)
        drive = " + ".join(f"{number(v)}*u{i}" for i, v in enumerate(c))
        fields.append(f"{number(rate)}*({drive} - u{k})")
        start.append(float(c @ form.start))
    return permuted(replace(form, fields=tuple(fields), start=tuple(start)), rng)


def units(form: Form, rng: np.random.Generator) -> Form:
    """Measure every state in a unit of its own, 1e-15 to 1e15."""
    unit = 10.0 ** rng.uniform(-15, 15, len(form.fields))
    return changed(form, np.diag(unit), np.diag(1.0 / unit))


def mixed(form: Form, rng: np.random.Generator) -> Form:
    """Mix all states by a matrix of moderate condition, and measure time in another unit."""
    n = len(form.fields)
    rotation = np.linalg.qr(rng.normal(size=(n, n)))[0]
    matrix = rotation @ np.diag(rng.uniform(0.5, 2.0, n)) @ np.linalg.qr(rng.normal(size=(n, n)))[0]
    return replace(changed(form, matrix, np.linalg.inv(matrix)), rounding=10.0 * form.rounding)


def conserved(form: Form, rng: np.random.Generator) -> Form:
    """Add a species that is made where another is used up."""
    n = len(form.fields)
    k = int(rng.integers(n))
    fields = (*form.fields, f"-({form.fields[k]})")
    return permuted(replace(form, fields=fields, start=(*form.start, float(rng.uniform(0.5, 2)))), rng)


DISGUISES: dict[str, tuple[Callable[[Form, np.random.Generator], Form], ...]] = {
    "fast": (fast,),
    "units": (units,),
    "mixed": (mixed,),
    "conserved": (conserved,),
    "fast in units": (fast, units),
    "mixed, then fast": (mixed, fast),
    "conserved and mixed": (mixed, conserved),
    "conserved and fast": (conserved, fast),
}


def permuted(form: Form, rng: np.random.Generator) -> Form:
    """Bring the states into another order."""
    order = np.eye(len(form.fields))[rng.permutation(len(form.fields))]
    return changed(form, order, order.T)


def changed(form: Form, matrix: np.ndarray, inverse: np.ndarray) -> Form:
    """Return the equations of v = matrix u."""
    n = len(form.fields)
    names = [f"v{i}" for i in range(n)]
    back = [combination(row, names) for row in inverse]
    fields = []
    for field in form.fields:
        for i in reversed(range(n)):
            field = field.replace(f"u{i}", f"@{i}@")
        for i in range(n):
            field = field.replace(f"@{i}@", f"({back[i]})")
        fields.append(f"({field})")
    new = [combination(row, fields).replace("v", "u") for row in matrix]
    return replace(form, fields=tuple(new), start=tuple((matrix @ np.array(form.start)).tolist()))


def combination(row: np.ndarray, terms: list[str]) -> str:
    """Return a linear combination of terms as text."""
    parts = [f"{number(c)}*{term}" if c != 1.0 else term for c, term in zip(row.tolist(), terms, strict=True) if c]
    return " + ".join(parts) or "0"


def complaints(form: Form) -> list[str]:
    """Return what a diagram has too little, or too much, or only bracketed."""
    names = [f"u{i}" for i in range(len(form.fields))]
    system = bf.System.from_equations(
        dict(zip(names, form.fields, strict=True)),
        parameters={"p": form.p},
        state=dict(zip(names, form.start, strict=True)),
    )
    try:
        d = bf.diagram(system, "p", form.span)
    except bf.ConvergenceError as error:
        return [f"raised {error}"]
    width = form.span[1] - form.span[0]
    tolerance = 1e-9 * form.rounding * width
    rest = [(point.label, point.parameters["p"], point.status) for point in d.special_points]
    out = []
    for label, p in form.known:
        near = [q for q in rest if q[0] == label and abs(q[1] - p) <= tolerance]
        if not near:
            out.append(f"missing {label} at {p}")
            continue
        rest.remove(near[0])
        if near[0][2] != "converged":
            out.append(f"{label} at {p} is {near[0][2]}")
    out += [f"false or twice: {label} at {p} ({status})" for label, p, status in rest]
    if max(sum(len(branch.points) for branch in d.branches), 0) > 5000:
        out.append("more than 5000 rows")
    return out


def hunt(form: str, disguise: str, seeds: range) -> list[str]:
    """Return the complaints about disguised forms, one a seed."""
    out = []
    for seed in seeds:
        rng = np.random.default_rng([seed, sum(map(ord, form)), sum(map(ord, disguise))])
        made = FORMS[form](rng)
        for step in DISGUISES[disguise]:
            made = step(made, rng)
        out += [f"{form}, {disguise}, {seed}: {text}" for text in complaints(made)]
    return out
