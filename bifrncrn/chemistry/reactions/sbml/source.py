"""From the bytes of an SBML file to text that libSBML can be trusted with."""

from __future__ import annotations

import os
import re
import zlib
from xml.parsers import expat

from bifrncrn.base.errors import InputError
from bifrncrn.base.files import read_limited

MAX_BYTES = 200_000_000
"""The largest document that is read, unpacked: twenty times the largest in public collections."""
MAX_NESTING = 500
"""Elements nested deeper are refused: libSBML recurses, and crashes at some thousands."""
MAX_OPERANDS = 20_000
"""More operands of one operation are refused for the same reason: libSBML makes them a chain."""
GZIP = b"\x1f\x8b"
BYTE_ORDER_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_DECLARATION = re.compile(r"\A\s*<\?xml\b[^>]*\?>")
_ENCODING = re.compile(rb"""\A\s*<\?xml\b[^>]*?\bencoding\s*=\s*["']([A-Za-z][A-Za-z0-9._-]*)["']""")


def sbml_text(path: str | os.PathLike[str]) -> str:
    """Return the text of an SBML file, unpacked and decoded, as a document in UTF-8.

    Raises
    ------
    InputError
        If the file cannot be read, is too large, or is not text of the encoding it names.
    """
    name = os.fspath(path)
    raw = read_limited(path, MAX_BYTES)
    if raw.startswith(GZIP):
        raw = _unpacked(raw, name)
    text = _decoded(raw, name)
    return '<?xml version="1.0" encoding="UTF-8"?>' + _DECLARATION.sub("", text, count=1)


def _unpacked(raw: bytes, name: str) -> bytes:
    unpacker = zlib.decompressobj(wbits=31)
    try:
        out = unpacker.decompress(raw, MAX_BYTES + 1)
    except zlib.error as error:
        raise InputError(f"{name}: is a damaged gzip file ({error}); get it anew") from error
    if len(out) > MAX_BYTES:
        raise InputError(f"{name}: is larger than {MAX_BYTES / 1e6:g} MB when unpacked; check it")
    return out


def _decoded(raw: bytes, name: str) -> str:
    """Decode a document by its byte order mark, else by what its first line says, else as UTF-8."""
    encoding = next((code for mark, code in BYTE_ORDER_MARKS.items() if raw.startswith(mark)), "")
    if not encoding and raw[:2] in (b"<\0", b"\0<"):
        encoding = "utf-16-le" if raw[:1] == b"<" else "utf-16-be"
    if not encoding:
        declared = _ENCODING.match(raw[:1000])
        encoding = declared[1].decode("ascii") if declared else "utf-8"
    try:
        text = raw.decode(encoding)
    except LookupError as error:
        raise InputError(f"{name}: names the encoding {encoding}, which is unknown; save it as UTF-8") from error
    except (UnicodeDecodeError, UnicodeError, ValueError) as error:
        raise InputError(f"{name}: is not text in the encoding {encoding.upper()}; save it as UTF-8") from error
    return text.removeprefix("\ufeff")


def check_shape(text: str, name: str) -> None:
    """Raise InputError where a document is no XML, or is built so that it would exhaust libSBML."""
    parser = expat.ParserCreate("utf-8")
    counts = [0]

    def opened(_tag: str, _attributes: dict[str, str]) -> None:
        counts[-1] += 1
        if counts[-1] > MAX_OPERANDS and _tag in ("ci", "cn", "apply", "csymbol", "piece"):
            raise _refused(f"an operation has more than {MAX_OPERANDS} operands; name parts of it by assignment rules")
        counts.append(0)
        if len(counts) > MAX_NESTING:
            raise _refused(f"elements are nested more than {MAX_NESTING} deep; no model needs that")

    def closed(_tag: str) -> None:
        counts.pop()

    def declared(*_args: object) -> None:
        raise _refused("it has a document type declaration, which no SBML file has; remove it")

    def _refused(problem: str) -> InputError:
        return InputError(f"{name}, line {parser.CurrentLineNumber}: {problem}")

    parser.StartElementHandler = opened
    parser.EndElementHandler = closed
    parser.StartDoctypeDeclHandler = declared
    try:
        parser.Parse(text.encode("utf-8", "surrogatepass"), True)
    except expat.ExpatError as error:
        problem = expat.ErrorString(error.code)
        raise InputError(f"{name}, line {error.lineno}: is no well-formed XML ({problem}); correct the file") from error
