"""The `d` attribute of an SVG path, flattened to points."""

from __future__ import annotations

import re

import numpy as np

from bifrncrn.errors import InputError
from bifrncrn.rncrn.checks import Array

_TOKEN = re.compile(r"\s*,?\s*(?:([A-Za-z])|([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?))")
_NUMBERS = {"M": 2, "L": 2, "H": 1, "V": 1, "C": 6, "S": 4, "Q": 4, "T": 2, "Z": 0}
# points on every curved piece
_PIECES = 16


def flatten(path: str) -> tuple[Array, bool]:
    """Return the points (k, 2) of one subpath, and whether it is closed.

    Raises
    ------
    InputError
        If the text is no path, has an arc or a second subpath.
    """
    points: list[Array] = []
    here, control, previous, closed = np.zeros(2), None, "", False
    for command, numbers in _commands(path):
        upper = command.upper()
        if upper == "Z":
            closed = True
            continue
        if closed or (upper == "M" and points):
            raise InputError("the SVG path has a second subpath; give one curve at a time")
        values = _absolute(upper, np.array(numbers), here if command.islower() else np.zeros(2), here)
        if upper in "ST":  # the first control point mirrors the last one
            mirrored = (
                2 * here - control if control is not None and previous in ("CS" if upper == "S" else "QT") else here
            )
            values = np.vstack([mirrored, values])
        points += _bezier(np.vstack([here, values])) if upper not in "M" else [values[-1]]
        control = values[-2] if len(values) > 1 else None
        here, previous = values[-1], upper
    if len(points) < 4:
        raise InputError(f"the SVG path has {len(points)} points; a curve needs at least 4")
    keep = [k for k in range(len(points)) if k == 0 or not np.array_equal(points[k], points[k - 1])]
    return np.array(points)[keep], closed


def _commands(path: str) -> list[tuple[str, list[float]]]:
    """Return the commands with their numbers, repeated ones written out."""
    found: list[tuple[str, list[float]]] = []
    at, letter, numbers = 0, "", []  # type: ignore[var-annotated]
    text = path.strip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise InputError(
                f"the SVG path has {text[at : at + 10]!r} at character {at}, which is no command and no number"
            )
        at = match.end()
        if match[1]:
            if numbers:
                raise InputError(f"the SVG path's command {letter} has {len(numbers)} numbers too few or too many")
            letter = match[1]
            if letter.upper() not in _NUMBERS:
                raise InputError(
                    f"the SVG path has the command {letter}, which is not supported; use M L H V C S Q T Z"
                )
            if letter.upper() == "Z":
                found.append((letter, []))
            continue
        if not letter or letter.upper() == "Z":
            raise InputError("the SVG path has a number without a command; begin with M")
        numbers.append(float(match[2]))
        if len(numbers) == _NUMBERS[letter.upper()]:
            found.append((letter, numbers))
            numbers = []
            letter = {"M": "L", "m": "l"}.get(letter, letter)
    if numbers or not found or found[0][0] not in "Mm":
        raise InputError("the SVG path does not begin with M or ends within a command")
    return found


def _absolute(upper: str, numbers: Array, origin: Array, here: Array) -> Array:
    """Return the command's points (k, 2) in absolute coordinates."""
    if upper == "H":
        return np.array([[numbers[0] + origin[0], here[1]]])
    if upper == "V":
        return np.array([[here[0], numbers[0] + origin[1]]])
    return numbers.reshape(-1, 2) + origin


def _bezier(control: Array) -> list[Array]:
    """Return points of the Bezier curve of 2 to 4 control points, its start left out (de Casteljau)."""
    out = []
    for t in np.linspace(0, 1, _PIECES + 1)[1:]:
        level = control
        while len(level) > 1:
            level = (1 - t) * level[:-1] + t * level[1:]
        out.append(level[0])
    return out
