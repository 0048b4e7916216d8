"""SBML models as systems of differential equations."""

from pathlib import Path

from bifrncrn.chemistry.reactions.sbml.assemble import Assembly
from bifrncrn.chemistry.reactions.sbml.contents import read_content
from bifrncrn.models.system import System


def sbml_to_system(text: str, name: str = "the SBML document", folder: Path | None = None) -> System:
    """Return an SBML model as a system, under the names the document uses.

    Species that reactions or rate rules change become variables, as does everything else with a rate rule; reaction
    rates and assignment rules become definitions; everything constant becomes a parameter. Starts that are functions of
    parameters follow them. Events become transitions, which act in simulations.

    Arguments as for `bifrncrn.chemistry.reactions.sbml.document.open_document`.

    Raises
    ------
    InputError
        If libSBML is not installed, or the model has an error or uses something that is not supported.
    """
    return Assembly(read_content(text, name, folder)).system()
