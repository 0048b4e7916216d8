"""What a network is to learn: fields on boxes, curves to be driven along, and what is known about them."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from bifrncrn.base.checks import Array, concentrations
from bifrncrn.base.errors import InputError
from bifrncrn.models.system import System
from bifrncrn.training.targets.behaviours import CycleWanted
from bifrncrn.training.targets.sampling import METHODS, Samples, box_points, cell_points, check_box, join

LOSSES = ("field", "relative")
# samples a side that give some 1,500 points at several values of the parameter, by the number of executive species
GRID = {1: 61, 2: 13, 3: 9}


@dataclass(frozen=True)
class KnownPoint:
    """A special point or behaviour the target has, with its source.

    Attributes
    ----------
    label : str
        `HB`, `LP`, `BP`, ..., as in the contract, or `HOM`, a homoclinic orbit.
    parameters, state : dict of str to float
        Where it is; of a homoclinic orbit its saddle.
    source : str
        Closed form, paper or computation it comes from.
    """

    label: str
    parameters: Mapping[str, float]
    state: Mapping[str, float]
    source: str = ""
    omega: float | None = None
    l1: float | None = None


class Part(Protocol):
    """One piece of a target: anything that can be sampled."""

    @property
    def dimension(self) -> int:
        """Number of executive species."""

    @property
    def inputs(self) -> int:
        """Number of parameter species."""

    def samples(self, method: str, count: int | None, seed: int) -> Samples:
        """Return samples to learn from."""

    def definition(self) -> Samples:
        """Return the samples on which the published loss is defined."""


@dataclass(frozen=True, eq=False)
class FieldPart:
    """An ODE to be imitated over a box, at given values of the parameter species.

    Attributes
    ----------
    system : System
        The wanted dynamics; its variables are the executive species, in order.
    box : ((low, high), ...)
        One side for each variable, in the positive orthant.
    lam : (L, P) nested tuples
        The values of the parameter species at which the field is sampled; ``((),)`` when there are none.
    names : tuple of str
        The system's parameter that each parameter species stands for; empty when the field does not depend on them.
    count : int or None
        Grid samples a side; None takes 61, 13 or 9 for one, two or three variables.
    definition_lam, definition_count
        The grid on which the loss is stated (upper ends left out); None means `lam`, and about 40,000 points.
    weight : float
        Of this part's whole set of samples, relative to those of other parts; None weighs every sample alike.
    """

    system: System
    box: tuple[tuple[float, float], ...]
    lam: tuple[tuple[float, ...], ...] = ((),)
    names: tuple[str, ...] = ()
    count: int | None = None
    definition_lam: tuple[tuple[float, ...], ...] | None = None
    definition_count: int | None = None
    weight: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "box", check_box(self.box, self.system.variables))
        for name in self.names:
            self.system.parameter_index(name)
        rows = isinstance(self.lam, Sequence) and all(isinstance(row, Sequence) for row in self.lam)
        if not rows or not self.lam or len({len(row) for row in self.lam}) != 1:
            raise InputError(
                f"parameter values {self.lam!r} are not rows of one length; give one value per parameter species, "
                "for instance ((0.0,), (1.0,))"
            )
        object.__setattr__(self, "lam", tuple(concentrations("a parameter value", row) for row in self.lam))
        if self.names and len(self.names) != len(self.lam[0]):
            raise InputError(
                f"{len(self.names)} parameters are named but rows hold {len(self.lam[0])} values; give one each"
            )

    @property
    def dimension(self) -> int:
        """Number of executive species."""
        return len(self.system.variables)

    @property
    def inputs(self) -> int:
        """Number of parameter species."""
        return len(self.lam[0])

    def field(self, x: Array, lam: Array) -> Array:
        """Return the field (K, M) at states `x` (K, M) and parameter species `lam` (K, P)."""
        values = np.tile(self.system.values, (len(x), 1))
        for column, name in enumerate(self.names):
            values[:, self.system.parameter_index(name)] = lam[:, column]
        return field_of(self.system, x, values)

    def samples(self, method: str = "grid", count: int | None = None, seed: int = 0) -> Samples:
        """Return samples to learn from: the same points of the box at every value of `lam`.

        `count` is what `sampling.box_points` says; None takes the part's own.
        """
        chosen = count or self.count or GRID.get(self.dimension, 5)
        if count is None and method != "grid":
            chosen = chosen**self.dimension
        return self._at(box_points(self.box, chosen, method, seed), self.lam)

    def definition(self) -> Samples:
        """Return the samples on which the published loss is defined."""
        count = self.definition_count or round(40000 ** (1 / self.dimension))
        return self._at(cell_points(self.box, count), self.definition_lam or self.lam)

    def _at(self, points: Array, rows: Sequence[Sequence[float]]) -> Samples:
        lam = np.array(rows, dtype=float).reshape(len(rows), -1)
        x = np.repeat(points, len(lam), axis=0)
        every = np.tile(lam, (len(points), 1))
        weight = np.full(len(x), 1.0 if self.weight is None else self.weight / len(x))
        return Samples(x, every, self.field(x, every), weight)


@dataclass(frozen=True, eq=False)
class Target:
    """A problem to train a network on.

    Attributes
    ----------
    name, title : str
        A word for the command line, a line for people.
    parts : tuple of Part
        Fields and curves; their samples together are what is learned.
    loss : {"field", "relative"}
        Mean square, over samples and species, of `g_i - f_i`, or of `(g_i - f_i) / x_i`.
    perceptrons : int
        Number of perceptrons unless another is asked for: the published network's, or what the problem takes.
    mu : float or None
        Time-scale at which the network is meant to run.
    state : tuple of float
        Start of the executive species (where a diagram of the network starts).
    lam : tuple of float
        Values of the parameter species at the start.
    bounds : (low, high) or None
        Range of the first parameter species over which diagrams are compared.
    known : tuple of KnownPoint
        What the target is known to do.
    cycles : tuple of CycleWanted
        Cycles a network is wanted to have, where they are not just the closed curves among the parts.
    guides : tuple of Part
        Parts that are trained on but no loss is stated on: they say what the others leave open, or weigh some more.
    """

    name: str
    title: str
    parts: tuple[Part, ...]
    loss: str = "field"
    perceptrons: int = 5
    mu: float | None = None
    state: tuple[float, ...] = ()
    lam: tuple[float, ...] = ()
    bounds: tuple[float, float] | None = None
    known: tuple[KnownPoint, ...] = field(default_factory=tuple)
    cycles: tuple[CycleWanted, ...] = ()
    guides: tuple[Part, ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.parts, Sequence) or not all(hasattr(part, "definition") for part in self.parts):
            raise InputError(
                f"the parts of target {self.name!r} are {self.parts!r:.60}; give a tuple of FieldPart and CurvePart"
            )
        if not self.parts:
            raise InputError(f"target {self.name!r} has no parts; give a field on a box or a curve")
        if self.loss not in LOSSES:
            raise InputError(f"loss {self.loss!r} is unknown; choose one of {', '.join(LOSSES)}")
        shapes = {(part.dimension, part.inputs) for part in (*self.parts, *self.guides)}
        if len(shapes) != 1:
            raise InputError(
                f"the parts of target {self.name!r} disagree in (species, parameter species): {sorted(shapes)}"
            )
        m, p = self.sizes
        if self.state and len(self.state) != m:
            raise InputError(f"the start state {self.state} has {len(self.state)} entries but there are {m} species")
        if len(self.lam) != p:
            raise InputError(f"the start values lam = {self.lam} do not fit {p} parameter species; give {p}")
        for name in ("state", "lam"):
            object.__setattr__(self, name, concentrations(f"the start {name}", getattr(self, name)))
        if self.bounds is not None:
            low, high = concentrations("bounds", self.bounds)
            if not low < high:
                raise InputError(f"bounds is ({low:g}, {high:g}); give the lower end first and a higher one after it")

    @property
    def sizes(self) -> tuple[int, int]:
        """Numbers of executive and of parameter species (M, P)."""
        return self.parts[0].dimension, self.parts[0].inputs

    @property
    def system(self) -> System | None:
        """The one ODE behind the target at the start state and values, or None when there is not exactly one."""
        if len(self.parts) != 1 or not isinstance(self.parts[0], FieldPart):
            return None
        part = self.parts[0]
        values = dict(zip(part.names, self.lam))
        return part.system.with_(state=np.array(self.state) if self.state else None, values=values or None)

    @property
    def box(self) -> dict[str, tuple[float, float]] | None:
        """The region of the ODE's states that is learned, or None when there is not exactly one ODE."""
        if len(self.parts) != 1 or not isinstance(self.parts[0], FieldPart):
            return None
        return dict(zip(self.parts[0].system.variables, self.parts[0].box))

    @property
    def parameter(self) -> str | None:
        """Name of the ODE's parameter that the first parameter species stands for, if there is one."""
        names = [name for part in self.parts if isinstance(part, FieldPart) for name in part.names[:1]]
        return names[0] if names else None

    @classmethod
    def from_file(cls, path: str | os.PathLike[str]) -> Target:
        """Return what a model file with a ``[training]`` table says is to be learned.

        Raises
        ------
        InputError
            If the file cannot be read, or says something that cannot be learned.
        """
        from bifrncrn.training.targets.file import target_from_file

        return target_from_file(path)

    def samples(self, method: str = "grid", count: int | None = None, seed: int = 0) -> Samples:
        """Return the samples to learn from; see `FieldPart.samples`."""
        if method not in METHODS:
            raise InputError(f"sampling method {method!r} is unknown; choose one of {', '.join(METHODS)}")
        return self._checked(join([part.samples(method, count, seed) for part in self.parts]))

    def training_samples(self, method: str = "grid", count: int | None = None, seed: int = 0) -> Samples:
        """Return the samples to learn from, those of the guides among them."""
        guides = [part.samples(method, None, seed) for part in self.guides]
        return self._checked(join([self.samples(method, count, seed), *guides]))

    def definition(self) -> Samples:
        """Return the samples on which the published loss is defined."""
        return self._checked(join([part.definition() for part in self.parts]))

    def _checked(self, samples: Samples) -> Samples:
        if self.loss == "relative" and (samples.x <= 0).any():
            raise InputError(
                f"target {self.name!r} has a relative loss, which divides by the concentrations, "
                "but a sample has a zero concentration; start the box above zero or use the field loss"
            )
        return samples


def field_of(system: System, x: Array, values: Array) -> Array:
    """Return the system's right-hand side (K, n) at states `x` (K, n) and parameter values (K, m)."""
    states = np.ascontiguousarray(x, dtype=float)
    rows = np.ascontiguousarray(values, dtype=float)
    out = np.empty_like(states)
    native = system.native
    call = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)(native.f)
    a, p, f = states.ctypes.data, rows.ctypes.data, out.ctypes.data
    da, dp = states.strides[0], rows.strides[0]
    for k in range(len(states)):
        call(a + k * da, p + k * dp, f + k * da)
    return out
