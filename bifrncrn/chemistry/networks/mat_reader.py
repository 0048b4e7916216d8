"""Reading the arrays of a MATLAB file, version 5, without trusting a single byte of it.

The usual reader crashes the interpreter on damaged files, so the part of the format that arrays and texts need is
read here. Source: MathWorks, "MAT-File Format" (version 5 chapter).
"""

import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bifrncrn.base.errors import InputError

HEADER = 128
LARGEST = 1 << 28  # bytes a compressed variable may unpack to
NUMBERS = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
TEXTS = {1: "latin-1", 2: "latin-1", 4: "utf-16", 16: "utf-8", 17: "utf-16", 18: "utf-32"}
MATRIX, COMPRESSED = 14, 15
CHARACTERS = 4
CLASSES = range(6, 16)  # double, single and the integers
COMPLEX = 0x0800

Value = NDArray[np.generic] | None


class _BrokenError(ValueError):
    """Something in the file that cannot be; says what."""


@dataclass(frozen=True)
class _Element:
    kind: int
    data: bytes


def read_variables(path: str | os.PathLike[str]) -> dict[str, Value]:
    """Return the variables of a version 5 ``.mat`` file by name.

    Numeric arrays keep their stored precision, texts become arrays of one string; a variable that is neither (a cell,
    a structure, a sparse or complex array) is None.

    Raises
    ------
    InputError
        If the file cannot be read, is of another version, or is corrupt.
    """
    try:
        raw = Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check the name") from error
    except ValueError as error:  # a null character in the name
        raise InputError(f"{str(path)!r}: is no file name; check the name") from error
    if raw.startswith((b"MATLAB 7.3", b"\x89HDF")):
        raise InputError(f"{path}: is a version 7.3 (HDF5) file; save it in MATLAB with the option '-v7'")
    if not raw.startswith(b"MATLAB 5.0") or len(raw) < HEADER:
        raise InputError(f"{path}: is not a MATLAB version 5 file; save it in MATLAB with the option '-v7'")
    try:
        return _variables(raw)
    except (_BrokenError, zlib.error, UnicodeDecodeError) as error:
        raise InputError(f"{path}: is a corrupt MATLAB file ({error}); save or copy it again") from error


def _variables(raw: bytes) -> dict[str, Value]:
    order = {b"IM": "<", b"MI": ">"}.get(raw[126:128])
    if order is None:
        raise _BrokenError("no byte order")
    variables: dict[str, Value] = {}
    for element in _elements(raw[HEADER:], order):
        if element.kind == COMPRESSED:
            element = next(_elements(_unpacked(element.data), order), _Element(0, b""))
        if element.kind != MATRIX:
            raise _BrokenError(f"data of type {element.kind} where a variable is expected")
        name, value = _variable(element.data, order)
        if name in variables:
            raise _BrokenError(f"two variables called {name!r:.40}")
        variables[name] = value
    return variables


def _unpacked(data: bytes) -> bytes:
    unpacker = zlib.decompressobj()
    result = unpacker.decompress(data, LARGEST)
    if not unpacker.eof:
        raise _BrokenError("a compressed variable is cut off or too large")
    return result


def _elements(data: bytes, order: str) -> Iterator[_Element]:
    """Yield the data elements one after another; small ones hold their data inside the tag."""
    at = 0
    while at < len(data):
        if at + 8 > len(data):
            raise _BrokenError("a tag is cut off")
        kind, size = (int(word) for word in np.frombuffer(data, order + "u4", 2, at))
        if kind >> 16:
            kind, size, start, after = kind & 0xFFFF, kind >> 16, at + 4, at + 8
            if size > 4:
                raise _BrokenError("a small data element is too large")
        else:
            start = at + 8
            after = start + size
            if kind != COMPRESSED:
                after += -size % 8
        if start + size > len(data):
            raise _BrokenError("a data element is cut off")
        yield _Element(kind, data[start : start + size])
        at = after


def _variable(data: bytes, order: str) -> tuple[str, Value]:
    """Return name and value of one variable."""
    parts = _elements(data, order)
    flags = _numbers(next(parts, None), order)
    sizes = [int(size) for size in _numbers(next(parts, None), order)]
    name = next(parts, None)
    if name is None or len(flags) == 0 or len(sizes) < 2 or min(sizes) < 0 or len(sizes) > 32:
        raise _BrokenError("a variable lacks its head")
    word = name.data.rstrip(b"\0").decode("ascii")
    kind, is_complex = int(flags[0]) & 0xFF, int(flags[0]) & COMPLEX
    if is_complex or (kind not in CLASSES and kind != CHARACTERS):
        return word, None
    content = next(parts, _Element(9, b""))
    if kind == CHARACTERS:
        return word, np.array([_text(content, order)])
    values = _numbers(content, order)
    count = 1
    for size in sizes:
        count *= size
    if values.size != count:
        raise _BrokenError(f"{word!r:.40} has {values.size} entries for a shape of {count}")
    return word, values.reshape(sizes, order="F")


def _numbers(element: _Element | None, order: str) -> NDArray[np.generic]:
    if element is None or element.kind not in NUMBERS:
        raise _BrokenError("no numbers where numbers are expected")
    dtype = np.dtype(order + NUMBERS[element.kind])
    if len(element.data) % dtype.itemsize:
        raise _BrokenError("a number is cut off")
    return np.frombuffer(element.data, dtype).astype(dtype.newbyteorder("="))


def _text(element: _Element, order: str) -> str:
    if element.kind not in TEXTS and element.data:
        raise _BrokenError("no characters where a text is expected")
    coding = TEXTS.get(element.kind, "utf-8")
    if coding in ("utf-16", "utf-32"):
        coding += "-le" if order == "<" else "-be"
    return element.data.decode(coding)
