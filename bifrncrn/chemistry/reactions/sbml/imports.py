"""What Antimony texts import: only files in the folder of the text, looked at before the library is."""

from __future__ import annotations

import re
from pathlib import Path

from bifrncrn.base.errors import InputError
from bifrncrn.base.files import read_limited
from bifrncrn.chemistry.reactions.sbml.flatten import inside

MAX_BYTES = 50_000_000
_PIECES = re.compile(r'"[^"\n]*"?|//[^\n]*|#[^\n]*|/\*.*?(?:\*/|\Z)|[^"/#]+|.', re.DOTALL)
_IMPORT = re.compile(r'\bimport\s*("[^"\n]*"?|[^\s;]*)')


def imported_from(text: str, name: str, folder: Path | None) -> str:
    """Return the folder from which a text imports; empty where it imports nothing.

    Raises
    ------
    InputError
        If it, or what it imports, imports a file outside the folder, or one that is not there.
    """
    waiting, seen = [(text, name)], set()
    while waiting:
        here, said = waiting.pop()
        for source in _imports(here):
            if folder is None or not inside(folder, source):
                rule = "only files in the folder of the model are read"
                raise InputError(f"{said}: imports {source!r:.100}, but {rule}; put it there, and write its name alone")
            path = (folder / source).resolve()
            if path not in seen:
                seen.add(path)
                waiting.append((read_limited(path, MAX_BYTES).decode("utf-8", "replace"), str(path)))
    return str(folder.resolve()) if folder is not None and seen else ""


def _imports(text: str) -> list[str]:
    """Return what a text imports, whatever stands in its comments."""
    pieces = _PIECES.findall(text)
    plain = "".join(" " if piece.startswith(("//", "#", "/*")) else piece for piece in pieces)
    return [source.strip('"') for source in _IMPORT.findall(plain)]
