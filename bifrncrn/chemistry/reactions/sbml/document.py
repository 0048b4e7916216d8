"""Opening SBML documents with libSBML, which stays optional."""

import importlib
import re
from pathlib import Path
from typing import Any

from bifrncrn.base.errors import InputError
from bifrncrn.chemistry.reactions.sbml.drawing import without_drawing
from bifrncrn.chemistry.reactions.sbml.flatten import flattened, is_hierarchical
from bifrncrn.chemistry.reactions.sbml.source import check_shape

DRAWING = re.compile(r"package '(?:layout|render)\w*'|Package (?:layout|render) ")
"""What libSBML says of where the drawing of a network stands in a document."""


def require(module: str, purpose: str) -> Any:
    """Import an optional library, or say how to install it."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise InputError(f"{purpose} needs the package {module}; install it by pip install 'bifrncrn[sbml]'") from error


def open_document(text: str, name: str, folder: Path | None = None) -> Any:
    """Return the libSBML document of `text`, flat, and checked for errors.

    Parameters
    ----------
    text : str
        The document.
    name : str
        Stands for it in messages.
    folder : Path, optional
        Where documents lie to which a hierarchical one refers.

    Raises
    ------
    InputError
        If libSBML is not installed, or finds an error; the message repeats the first one.
    """
    libsbml = require("libsbml", "reading or writing SBML")
    if "\0" in text:
        raise InputError(f"{name}: holds a null character, which is no text; check the file")
    check_shape(text, name)
    if is_hierarchical(text):
        text = flattened(text, name, folder)
    document = _checked(libsbml, text, name)
    if any(_is_of_drawing(libsbml, error) for error in _errors(libsbml, document)):
        document = _checked(libsbml, without_drawing(text), name)  # after an error libSBML does not look at the rest
    for error in _errors(libsbml, document):
        raise InputError(f"{name}, line {error.getLine()}: {_said(error):.300}; correct the SBML file")
    if document.getModel() is None:
        raise InputError(f"{name}: holds no SBML model; check that it is an SBML file")
    return document


def _checked(libsbml: Any, text: str, name: str) -> Any:
    """Read a document, and check its consistency where reading found no error."""
    try:
        document = libsbml.readSBMLFromString(text)
    except (TypeError, ValueError) as error:  # characters that have no UTF-8 form
        raise InputError(f"{name}: is not text that SBML can hold; check the file") from error
    if document.getModel() is None or _errors(libsbml, document):
        return document
    document.setConsistencyChecks(libsbml.LIBSBML_CAT_UNITS_CONSISTENCY, False)
    document.setConsistencyChecks(libsbml.LIBSBML_CAT_MODELING_PRACTICE, False)
    document.setConsistencyChecks(libsbml.LIBSBML_CAT_SBO_CONSISTENCY, False)  # terms that describe, and change nothing
    document.checkConsistency()
    return document


def _errors(libsbml: Any, document: Any) -> list[Any]:
    """Return what libSBML found that is more than a warning."""
    found = [document.getError(i) for i in range(document.getNumErrors())]
    return [error for error in found if error.getSeverity() in (libsbml.LIBSBML_SEV_ERROR, libsbml.LIBSBML_SEV_FATAL)]


def _is_of_drawing(libsbml: Any, error: Any) -> bool:
    """Say whether an error concerns how a network is drawn: where the drawing stands, or one of its elements."""
    syntax = error.getErrorId() in (libsbml.NotSchemaConformant, libsbml.UnrecognizedElement)
    return syntax and DRAWING.search(error.getMessage()) is not None


def _said(error: Any) -> str:
    """Return what an error says of this document, after the rule of the specification where both are given."""
    rule, reference, own = " ".join(error.getMessage().split()).partition("Reference: ")
    # the reference itself is a section's name and number: "L2V4 Section 4.1"
    own = re.sub(r"^(?:L\dV\d )?Sections? [\d., and]*(?:Appendix \w)?", "", own).strip() if reference else ""
    return (own or rule).strip().rstrip(".")
