"""Which behaviours a target asks for: read off its parts."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from bifrncrn.training.targets.behaviours import (
    PLACE,
    Behaviour,
    CycleWanted,
    EquilibriaWanted,
    HomoclinicWanted,
    SwitchWanted,
    allowed,
    wanted_of_ode,
)
from bifrncrn.training.targets.curve_part import CurvePart
from bifrncrn.training.targets.target import FieldPart, Target

# a homoclinic orbit may be this share of the parameter's range away
LOOP = 1 / 300
# an equilibrium beside a curve may be this share of the box's sides away. The two compete for few perceptrons; with the
# five of `eq_cycle`, by the weight of samples near the equilibrium (0, 300, 1000, 5000), one of the better starts of
# seed 0 had it 0.19, 0.12, 0.083 and 0.047 away, the cycle 0.04, 0.07, 0.103 and 0.145 (0.1 is allowed), the loss 0.21,
# 0.23, 0.28 and 0.30; both within a twentieth were had at a loss of 0.33 only, above the 0.30 to be reached
BESIDE = 0.15


def behaviours_of(target: Target) -> tuple[Behaviour, ...]:
    """Return what a network trained on `target` is wanted to do.

    The equilibria of every ODE in its box, the attractor from its start when none of them is stable, a cycle along
    every closed curve (or the target's own `cycles`), and between different parts the bifurcation that separates
    them. Parts that leave much open, an ODE over a whole range of parameters, are for diagrams to compare.
    """
    wanted: list[Behaviour] = list(target.cycles)
    # beside a curve, which takes most of the perceptrons, an equilibrium has to be there rather than in its place
    mixed = any(isinstance(part, CurvePart) for part in target.parts)
    within = BESIDE if mixed else PLACE
    for part in target.parts:
        if isinstance(part, FieldPart):
            for row in part.lam:
                values = dict(zip(part.names, row))
                wanted += wanted_of_ode(part.system.with_(values=values or None), part.box, row, within)
        elif isinstance(part, CurvePart) and part.curve.closed and not target.cycles:
            points = part.curve.points
            wanted.append(CycleWanted(points, part.lam, part.attractor, allowed(points), over=part.over))
    switch = _switch(target, wanted)
    return (*wanted, switch) if switch is not None else tuple(wanted)


def loops_of(target: Target) -> tuple[HomoclinicWanted, ...]:
    """Return the homoclinic orbits, known points labelled ``HOM``, that a diagram of equilibria does not show."""
    if target.bounds is None or target.parameter is None or target.system is None:
        return ()
    low, high = target.bounds
    variables = target.system.variables
    return tuple(
        HomoclinicWanted(
            float(point.parameters[target.parameter]),
            np.array([point.state[name] for name in variables]),
            LOOP * (high - low),
        )
        for point in target.known
        if point.label == "HOM"
    )


def _switch(target: Target, wanted: list[Behaviour]) -> Behaviour | None:
    """Return the bifurcation wanted between parts at different values of one parameter species, if there are such."""
    boxes = [part.box for part in target.parts if isinstance(part, FieldPart)]
    if target.bounds is None or target.sizes[1] != 1 or len(target.parts) < 2 or not boxes:
        return None
    counts = [len(one.points) for one in wanted if isinstance(one, EquilibriaWanted)]
    only = len(counts) == len(wanted)
    folds = sum(abs(a - b) for a, b in pairwise(counts)) // 2 if only else None
    return SwitchWanted(target.bounds, boxes[0], folds)
