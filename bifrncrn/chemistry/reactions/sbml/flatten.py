"""Hierarchical models made flat by libSBML."""

from __future__ import annotations

import os
import re
from pathlib import Path
from xml.etree.ElementTree import ParseError, fromstring

from bifrncrn.base.errors import InputError
from bifrncrn.chemistry.reactions.sbml.child import converted

COMP = "http://www.sbml.org/sbml/level3/version1/comp/version1"


def is_hierarchical(text: str) -> bool:
    """Tell whether a document uses the package comp."""
    return COMP in text


def flattened(text: str, name: str, folder: Path | None = None) -> str:
    """Return a hierarchical document as a flat one.

    Parameters
    ----------
    folder : Path, optional
        Where other documents it refers to lie; without it, or outside it, there are none.

    Raises
    ------
    InputError
        If libSBML cannot flatten it, or crashes or takes too long doing so.
    """
    outside = [source for source in _sources(text) if folder is None or not inside(folder, source)]
    if outside:
        rule = "only files in the folder of the model are read"
        raise InputError(f"{name}: refers to another document, {outside[0]!r:.100}, but {rule}; put it there")
    where = str(folder.resolve()) if folder is not None and _sources(text) else ""
    return converted("flatten", text, name, "the hierarchical model", where)


def _sources(text: str) -> list[str]:
    """Return the other documents a document refers to."""
    try:
        root = fromstring(re.sub(r"\A<\?xml[^>]*\?>", "", text))
    except ParseError:
        return []  # libSBML says what is wrong
    found = root.iter(f"{{{COMP}}}externalModelDefinition")
    return [element.get(f"{{{COMP}}}source", "") for element in found]


def inside(folder: Path, source: str) -> bool:
    """Tell whether a file referred to lies in a folder."""
    if ":" in source or os.path.isabs(source):
        return False
    path = (folder / source).resolve()
    return path.is_file() and folder.resolve() in path.parents
