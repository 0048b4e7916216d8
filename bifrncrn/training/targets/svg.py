"""The path of a drawing: the `d` attribute of an SVG path, flattened to points."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import numpy as np

from bifrncrn.base.checks import Array
from bifrncrn.base.errors import InputError
from bifrncrn.base.files import read_text

LARGEST_SVG = 20_000_000
"""Bytes of a drawing, pictures in it included."""
LONGEST_PATH = 500_000
"""Characters of a path: some fifty thousand pieces, a hundred times what a curve is sampled by."""
_TOKEN = re.compile(r"\s*,?\s*(?:([A-Za-z])|([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?))")
_NUMBERS = {"M": 2, "L": 2, "H": 1, "V": 1, "C": 6, "S": 4, "Q": 4, "T": 2, "Z": 0}
# points on every curved piece
_PIECES = 16


def path_of(file: str | os.PathLike[str]) -> str:
    """Return the `d` attribute of the one path in an SVG file.

    Raises
    ------
    InputError
        If the file cannot be read, holds no path or several, or one that is turned or scaled by its groups.
    """
    try:
        text = read_text(file, LARGEST_SVG)
        if "<!ENTITY" in text:  # which can blow up a small file to gigabytes
            raise InputError(f"{file} defines XML entities; save it as plain SVG")
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise InputError(f"cannot read {file}: {error}; give an SVG file with one path") from error
    found = list(_paths(root))
    if len(found) != 1:
        raise InputError(f"{file} holds {len(found)} paths; leave one (convert other shapes to a path)")
    drawn, moved = found[0]
    if moved:
        raise InputError(f"the path in {file} is turned or scaled by a transform; apply it to the path first")
    return drawn


def _paths(root: Element) -> Iterator[tuple[str, bool]]:
    """Yield the paths of a drawing, and whether a transform other than a shift applies to them."""
    waiting = [(root, False)]
    while waiting:
        element, moved = waiting.pop()
        transform = element.get("transform", "").strip()
        moved = moved or (bool(transform) and re.fullmatch(r"translate\([^()]*\)", transform) is None)
        if element.tag.rpartition("}")[2] == "path" and element.get("d"):
            yield element.get("d", ""), moved
        inner = [child for child in element if child.tag.rpartition("}")[2] not in ("defs", "clipPath", "marker")]
        waiting += [(child, moved) for child in reversed(inner)]


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
    if not isinstance(path, str):
        raise InputError(f"the SVG path is {path!r:.60}; give the text of a path's d attribute")
    if len(path) > LONGEST_PATH:
        raise InputError(f"the SVG path has {len(path)} characters, more than {LONGEST_PATH}; simplify it")
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
        if not math.isfinite(numbers[-1]):
            raise InputError(f"the SVG path has the number {match[2]:.20}, which is too large")
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
