"""JSON from files: read strictly, and taken apart with a sentence for whatever is not as it must be."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from bifrncrn.base.arrays import frozen
from bifrncrn.base.checks import file_name, naming
from bifrncrn.base.errors import InputError
from bifrncrn.base.files import read_text, write_atomic

LARGEST = 1_000_000_000
"""Bytes of a JSON file that is read."""


def read_json(path: str | os.PathLike[str], limit: int = LARGEST) -> Any:
    """Read a JSON file strictly: no NaN, no infinity, no key given twice.

    Raises
    ------
    InputError
        If the file cannot be read or is not JSON.
    """
    content = read_text(file_name(path), limit)
    try:
        with naming(path):
            return json.loads(content, parse_constant=_no_constant, object_pairs_hook=_unique)
    except json.JSONDecodeError as error:
        raise InputError(f"{path}, line {error.lineno}: not JSON ({error.msg}); check the file") from error
    except RecursionError as error:
        raise InputError(f"{path}: is nested too deeply; check the file") from error
    except InputError:
        raise
    except ValueError as error:  # an integer of thousands of digits
        raise InputError(f"{path}: holds a number that cannot be read ({error})") from error


def write_json(path: str | os.PathLike[str], data: Any) -> None:
    """Write JSON data to a file.

    Raises
    ------
    InputError
        If the data holds something JSON cannot, or the file cannot be written.
    """
    try:
        content = json.dumps(data, indent=1, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(
            f"the record cannot be written as JSON ({error}); keep to text, finite numbers, lists"
        ) from error
    write_atomic(path, content + "\n")


def _no_constant(word: str) -> float:
    raise InputError(f"holds {word}, which is no number; every value must be finite")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        twice = next(key for i, (key, _) in enumerate(pairs) if key in (k for k, _ in pairs[:i]))
        raise InputError(f"holds the key {twice!r} twice; keep one")
    return result


class Record:
    """A JSON object whose entries are taken out one by one, each as what it must be.

    Every method raises InputError, which names the entry, where it is not that. null stands for a number that is none.

    Parameters
    ----------
    data
        What should be an object.
    where : str
        What it is called in messages.
    """

    def __init__(self, data: Any, where: str) -> None:
        self.where = where
        if not isinstance(data, dict):
            raise InputError(f"{where} is {_short(data)}, but must be a JSON object")
        self.data: dict[str, Any] = data

    def fail(self, key: str, rule: str) -> InputError:
        """Return the error of an entry that breaks a rule."""
        return InputError(f"{self.where}: {key} is {_short(self.data.get(key))}, but must be {rule}")

    def has(self, key: str) -> bool:
        """Say whether there is an entry, and it is not null."""
        return self.data.get(key) is not None

    def get(self, key: str) -> Any:
        """Return an entry that must be there."""
        if key not in self.data:
            raise InputError(f"{self.where} lacks the entry {key!r}; was it cut off or edited?")
        return self.data[key]

    def text(self, key: str, *allowed: str) -> str:
        """Return a text, one of those allowed if any are."""
        value = self.get(key)
        if not isinstance(value, str) or (allowed and value not in allowed):
            raise self.fail(key, f"one of {', '.join(allowed)}" if allowed else "text")
        return value

    def whole(self, key: str, below: float = math.inf) -> int:
        """Return a whole number from 0 to less than `below`."""
        value = self.get(key)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < below:
            raise self.fail(key, f"a whole number from 0{f' to {below - 1:.0f}' if math.isfinite(below) else ''}")
        return value

    def number(self, key: str, null: bool = True) -> float:
        """Return a number; NaN for null."""
        value = self.get(key)
        if (value is None and null) or _is_number(value):
            return math.nan if value is None else float(value)
        raise self.fail(key, "a finite number" + " or null" * null)

    def interval(self, key: str) -> tuple[float, float]:
        """Return two finite numbers, the first not above the second."""
        value = self.get(key)
        if not (isinstance(value, list) and len(value) == 2 and all(map(_is_number, value)) and value[0] <= value[1]):
            raise self.fail(key, "two finite numbers, the lower one first")
        return float(value[0]), float(value[1])

    def items(self, key: str, length: int | None = None) -> list[Any]:
        """Return a list, of a length if one is given."""
        value = self.get(key)
        if not isinstance(value, list) or (length is not None and len(value) != length):
            raise self.fail(key, "a list" + (f" of {length} entries" if length is not None else ""))
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list of texts."""
        value = self.items(key)
        if not all(isinstance(each, str) for each in value):
            raise self.fail(key, "a list of texts")
        return tuple(value)

    def records(self, key: str, length: int | None = None) -> list[Record]:
        """Return a list of objects."""
        return [Record(each, f"{self.where}, {key}[{k}]") for k, each in enumerate(self.items(key, length))]

    def named_numbers(self, key: str) -> dict[str, float]:
        """Return an object of numbers (NaN for null) by name."""
        inner = Record(self.get(key), f"{self.where}, {key}")
        return {name: inner.number(name) for name in inner.data}

    def rows(self, key: str, count: int | None = None, width: int | None = None) -> np.ndarray:
        """Return a list of rows of numbers, all of one width, as an array (count, width); NaN for null."""
        value = self.items(key, count)
        width = (len(value[0]) if value and isinstance(value[0], list) else 0) if width is None else width
        for k, row in enumerate(value):
            if not isinstance(row, list) or len(row) != width or not all(v is None or _is_number(v) for v in row):
                raise InputError(f"{self.where}: {key}[{k}] is {_short(row)}, but must be a row of {width} numbers")
        return frozen([[math.nan if v is None else v for v in row] for row in value]).reshape(len(value), width)

    def complexes(self, key: str, count: int | None = None) -> np.ndarray:
        """Return a list of [real, imaginary] as a complex array; empty where there is no entry."""
        if not self.has(key):
            return frozen([], complex)
        pairs = self.rows(key, count, 2)
        return frozen(pairs[:, 0] + 1j * pairs[:, 1], complex)

    def complex_rows(self, key: str, count: int) -> np.ndarray:
        """Return a list of such lists, all of one length, as an array (count, length); no columns without an entry."""
        if not self.data.get(key):
            return frozen(np.empty((count, 0)), complex)
        value = self.items(key, count)
        rows = [Record({key: row}, f"{self.where}, {key}[{k}]").complexes(key) for k, row in enumerate(value)]
        if len({len(row) for row in rows}) > 1:
            raise self.fail(key, "rows of one length")
        return frozen(rows, complex).reshape(count, -1)


def _is_number(value: Any) -> bool:
    """Say whether a value is a number that a float can hold."""
    return not isinstance(value, bool) and isinstance(value, int | float) and abs(value) <= 1.7976931348623157e308


def _short(value: Any) -> str:
    text = repr(value) if not isinstance(value, Mapping) else "an object"
    return text if len(text) <= 60 else text[:57] + "..."
