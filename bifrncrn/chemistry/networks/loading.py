"""Read a network from a file of any kind that can hold one."""

from __future__ import annotations

import os
from pathlib import Path

from bifrncrn.base.checks import file_name, naming
from bifrncrn.base.errors import InputError
from bifrncrn.base.files import read_text
from bifrncrn.base.records import read_json
from bifrncrn.chemistry.networks.mat import read_mat
from bifrncrn.chemistry.networks.network import Network
from bifrncrn.chemistry.reactions.network import ReactionNetwork

LARGEST = 5_000_000  # bytes of a text that is read
SUFFIXES = (".json", ".mat", ".txt", ".xml", ".sbml", ".ant")


def load_network(path: str | os.PathLike[str]) -> Network:
    """Return the network a file holds, by the file's suffix; see `Network.load`."""
    source = Path(file_name(path))
    suffix = source.suffix.lower()
    if suffix == ".json":
        data = read_json(source)
        _refuse_others(source, data)
        with naming(source):
            return Network.from_json(data)
    if suffix == ".mat":
        found = read_mat(source)
        if isinstance(found, Network):
            return found
        raise InputError(f"{source} holds a classifier, not a network; load it with Classifier or convert it")
    if suffix not in SUFFIXES:
        raise InputError(f"{source}: a network is read from {', '.join(SUFFIXES)}; give one of these")
    reactions = (
        ReactionNetwork.from_text(read_text(source, LARGEST), str(source)) if suffix == ".txt" else _from_sbml(source)
    )
    with naming(source):
        return Network.from_reactions(reactions)


OTHERS = {
    "bifrncrn.controlled/1": "a controlled network; ControlledNetwork.load reads it, and its network is the driven one",
    "bifrncrn.classifier/1": "a classifier, not a network; Classifier.from_json reads its data",
    "bifrncrn.fit/1": "the record of a fit; the network in it stands under the key network",
}
"""What JSON files of other schemas hold, and what to do with them."""


def _refuse_others(source: Path, data: object) -> None:
    """Say what a JSON file holds that is no network."""
    schema = data.get("schema") if isinstance(data, dict) else None
    if isinstance(schema, str) and schema in OTHERS:
        raise InputError(f"{source} holds {OTHERS[schema]}")


def _from_sbml(source: Path) -> ReactionNetwork:
    """Return the reactions of an SBML or Antimony file."""
    from bifrncrn.chemistry.reactions.sbml.recognise import sbml_to_reactions

    text = read_text(source, LARGEST)
    if source.suffix.lower() == ".ant":
        from bifrncrn.chemistry.reactions.sbml.antimony import antimony_to_sbml

        text = antimony_to_sbml(text, str(source), source.parent)
    return sbml_to_reactions(text, str(source))
