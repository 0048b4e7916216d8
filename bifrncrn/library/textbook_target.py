"""Textbook systems to train on: over their range of the parameter, on a box about all that they do there."""

from __future__ import annotations

import numpy as np

from bifrncrn.base.errors import InputError
from bifrncrn.library.textbook import TEXTBOOK, Problem
from bifrncrn.training.targets.target import FieldPart, Target

# the box is larger than what its branches and cycles fill by this share of it, to every side
ROOM = 0.1
# values of the parameter at which the field is sampled
VALUES = 9


def textbook_target(name: str) -> Target:
    """Return the textbook system of that name as a target.

    Raises
    ------
    InputError
        If its states or its parameter are no concentrations.
    """
    problem = TEXTBOOK[name]()
    system, (low, high) = problem.system, problem.bounds
    if not system.nonnegative or low < 0:
        raise InputError(
            f"{name} has states or a parameter below zero, and a network has concentrations; write a model file with "
            f"its equations shifted up and a [training] table, or train on one of {', '.join(trainable())}"
        )
    values = tuple((float(value),) for value in np.linspace(low, high, VALUES))
    start = float(np.clip(system.values[system.parameter_index(problem.parameter)], low, high))
    part = FieldPart(system, _box(problem), values, (problem.parameter,))
    state = tuple(system.state.tolist())
    return Target(name, system.title, (part,), state=state, lam=(start,), bounds=(float(low), float(high)))


def trainable() -> tuple[str, ...]:
    """Return the names of the textbook systems that can be trained on as they are."""
    problems = {name: maker() for name, maker in TEXTBOOK.items()}
    return tuple(name for name, one in problems.items() if one.system.nonnegative and one.bounds[0] >= 0)


def _box(problem: Problem) -> tuple[tuple[float, float], ...]:
    """Return a box about all branches of equilibria and cycles of the problem's diagram."""
    from bifrncrn.comparison.judging import completed
    from bifrncrn.diagrams.diagram import diagram

    found = completed(diagram(problem.system, problem.parameter, problem.bounds), ROOM, None)
    sides = []
    for name in problem.system.variables:
        columns = [
            branch.column(column)
            for branch in found.branches
            for column in (name, f"min {name}", f"max {name}")
            if column in branch.columns
        ]
        low, high = min(np.min(one) for one in columns), max(np.max(one) for one in columns)
        room = ROOM * (high - low)
        sides.append((max(float(low - room), 0.0), float(high + room)))
    return tuple(sides)
