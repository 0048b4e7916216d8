"""Opening SBML documents with libSBML, which stays optional."""

import importlib
from typing import Any

from bifrncrn.base.errors import InputError

EXPANSIONS = {
    "promoteLocalParameters": "local parameters",
    "expandFunctionDefinitions": "function definitions",
    "expandInitialAssignments": "initial assignments",
}


def require(module: str, purpose: str) -> Any:
    """Import an optional library, or say how to install it."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise InputError(f"{purpose} needs the package {module}; install it by pip install 'bifrncrn[sbml]'") from error


def open_document(text: str, name: str) -> Any:
    """Return the libSBML document of `text`, checked for errors.

    Raises
    ------
    InputError
        If libSBML is not installed, or finds an error; the message repeats the first one.
    """
    libsbml = require("libsbml", "reading or writing SBML")
    if "\0" in text:
        raise InputError(f"{name}: holds a null character, which is no text; check the file")
    try:
        document = libsbml.readSBMLFromString(text)
    except (TypeError, ValueError) as error:  # characters that have no UTF-8 form
        raise InputError(f"{name}: is not text that SBML can hold; check the file") from error
    _refuse_errors(libsbml, document, name)
    if document.getModel() is None:
        raise InputError(f"{name}: holds no SBML model; check that it is an SBML file")
    document.setConsistencyChecks(libsbml.LIBSBML_CAT_UNITS_CONSISTENCY, False)
    document.setConsistencyChecks(libsbml.LIBSBML_CAT_MODELING_PRACTICE, False)
    document.checkConsistency()
    _refuse_errors(libsbml, document, name)
    return document


def expanded_model(text: str, name: str, keep: str) -> Any:
    """Return the libSBML document with local parameters, functions (but `keep`) and initial assignments expanded."""
    libsbml = require("libsbml", "reading SBML")
    document = open_document(text, name)
    for option, what in EXPANSIONS.items():
        properties = libsbml.ConversionProperties()
        properties.addOption(option, True)
        if option == "expandFunctionDefinitions":
            properties.addOption("skipIds", keep)
        if document.convert(properties) != libsbml.LIBSBML_OPERATION_SUCCESS:
            raise InputError(f"{name}: libSBML cannot expand the {what}; write the model without them")
    return document


def _refuse_errors(libsbml: Any, document: Any, name: str) -> None:
    for i in range(document.getNumErrors()):
        error = document.getError(i)
        if error.getSeverity() in (libsbml.LIBSBML_SEV_ERROR, libsbml.LIBSBML_SEV_FATAL):
            message = " ".join(error.getMessage().split()).rstrip(".")
            raise InputError(f"{name}, line {error.getLine()}: {message:.300}; correct the SBML file")
