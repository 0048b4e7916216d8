"""Any model file as a system, and from one file format to another."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import get_args

from bifrncrn.base.checks import file_name, naming, require_kind
from bifrncrn.base.errors import InputError
from bifrncrn.base.files import read_text, write_atomic
from bifrncrn.base.records import read_json, write_json
from bifrncrn.chemistry.networks.controlled import Classifier, ControlledNetwork
from bifrncrn.chemistry.networks.network import Network
from bifrncrn.chemistry.reactions.network import FAMILY_MEMBER, ReactionNetwork
from bifrncrn.models.system import System

Model = Network | Classifier | ControlledNetwork | ReactionNetwork | System

SUFFIXES = {
    ".toml": "a model file: differential equations, or a map",
    ".json": "a network",
    ".mat": "a network of the RNCRN authors",
    ".txt": "reactions",
    ".xml": "SBML",
    ".sbml": "SBML",
    ".gz": "packed SBML, only read",
    ".ant": "Antimony",
    ".ode": "XPPAUT",
}
LARGEST = 5_000_000
"""Bytes of a file of reactions or Antimony: two hundred thousand reactions, whose equations take a minute."""
WRITTEN = {**{suffix: what for suffix, what in SUFFIXES.items() if suffix != ".gz"}, ".f90": "AUTO-07p"}
SBML = (".xml", ".sbml", ".gz", ".ant")
ACCEPTED = ", ".join(f"{suffix} ({what})" for suffix, what in SUFFIXES.items())


def load_model(source: str | os.PathLike[str], mu: float | None = None) -> System:
    """Return the system of a file, or of a name in the library.

    Parameters
    ----------
    source : str or path
        A model file (.toml, .ode), a network (.json, .mat), a reaction list (.txt, .xml, .ant), or a library name.
    mu : float, optional
        Analyse a network as its full mass-action system with this time-scale; without it, a network file gives the
        reduced system, a reaction list the mass-action system as it is written.

    Raises
    ------
    InputError
        If the file cannot be read, is nothing of the kind, or has no time-scale to set; if there is no such name.
    """
    if _is_library_name(source):
        system = _library_system(str(source))
        if mu is not None:
            raise InputError(f"mu was given, but the library system {source} has no time-scale mu to set; leave mu out")
        return system
    path = Path(file_name(source))
    model = read_model(path) if mu is None else _with_time_scale(path)
    with naming(path):
        system = system_of(model, mu)
    return system if system.title else system.with_(title=path.stem)


def read_model(source: str | os.PathLike[str]) -> Model:
    """Read a file into the richest thing it stands for.

    Raises
    ------
    InputError
        If the file cannot be read or is nothing of the kind.
    """
    path = Path(file_name(source))
    suffix = path.suffix.lower()
    readers: dict[str, Callable[[Path], Model]] = {
        ".toml": System.from_file,
        ".json": _read_json,
        ".mat": _read_mat,
        ".txt": _read_reactions,
        ".xml": _read_sbml,
        ".sbml": _read_sbml,
        ".gz": _read_sbml,
        ".ant": _read_sbml,
        ".ode": _read_ode,
    }
    if suffix not in readers:
        raise InputError(f"{path}: files ending in {suffix or 'nothing'} are not read; give one of {ACCEPTED}")
    return readers[suffix](path)


def system_of(model: Model, mu: float | None = None) -> System:
    """Return the system of a model that has been read; for `mu` see `load_model`."""
    if isinstance(model, ReactionNetwork):
        return model.to_system() if mu is None else system_of(network_of(model), mu)
    if isinstance(model, System):
        if mu is not None:
            raise InputError("mu was given, but a model of equations has no time-scale mu to set; leave mu out")
        return model
    if isinstance(model, Classifier):
        return model.full(mu)
    return model.reduced() if mu is None else model.full(mu)


def network_of(reactions: ReactionNetwork, mu: float | None = None) -> Network | Classifier | ControlledNetwork:
    """Return the network, classifier or controlled network that reactions form, going by their species.

    Raises
    ------
    InputError
        If they form none.
    """
    letters = {match[1] for match in map(FAMILY_MEMBER.fullmatch, reactions.species) if match}
    if not letters & {"Z", "R"}:
        return Network.from_reactions(reactions, mu)
    return (ControlledNetwork if "X" in letters else Classifier).from_reactions(reactions, mu)


def convert(
    source: str | os.PathLike[str],
    destination: str | os.PathLike[str],
    mu: float | None = None,
    layout: int | None = None,
    force: bool = False,
) -> None:
    """Read one file and write another, each in the format of its name.

    Parameters
    ----------
    source, destination : str or path
        Files ending in .toml, .json, .mat, .txt, .xml (or .sbml), .ant or .ode; the source may be a library name. A
        destination NAME.f90 gets the equations for AUTO-07p, and c.NAME beside it the constants.
    mu : float, optional
        The time-scale of a network: needed for reactions unless the network records one. A model file holds the
        reduced system, or with `mu` the full one.
    layout : int, optional
        Layout of a .mat file: 1 or 2 (the default) for a network, 3 for a classifier.
    force : bool
        Whether to overwrite a destination that is there and holds no model.

    Raises
    ------
    InputError
        If the source cannot be read, or the destination cannot hold it; the message says what can.
    """
    source, target = file_name(source), Path(file_name(destination))
    suffix = _suffix_to_write(target)
    if os.path.exists(source) and os.path.exists(target) and os.path.samefile(source, target):
        raise InputError(f"{target} is the file that is read; name another one to write")
    if layout is not None and suffix != ".mat":
        raise InputError(f"layout {layout!r} was given, but only .mat files have one; leave it out")
    if not force:
        _spare_foreign(target)
    text = _translated(Path(source), target) if mu is None else None
    if text is not None:
        write_atomic(target, text)
        return
    if _is_library_name(source):
        model: Model = load_model(source, mu)
    else:
        model = _source_model(Path(source), suffix) if mu is None else _with_time_scale(Path(source))
    with naming(source):
        write_model(model, target, mu, layout)


def _suffix_to_write(target: Path) -> str:
    suffix = target.suffix.lower()
    if suffix not in WRITTEN:
        accepted = ", ".join(f"{ending} ({what})" for ending, what in WRITTEN.items())
        raise InputError(f"{target}: files ending in {suffix or 'nothing'} are not written; give one of {accepted}")
    return suffix


def _spare_foreign(target: Path) -> None:
    """Raise InputError where `target` is a file that is no model: somebody's notes, say, or settings."""
    if not target.is_file() or not target.stat().st_size:
        return
    try:
        if target.suffix.lower() == ".f90" and b"SUBROUTINE FUNC(" in target.read_bytes()[:10_000]:
            return
        read_model(target)
    except InputError as error:
        raise InputError(
            f"{target} is there already and is no model; name another file, or overwrite it with --force (force=True)"
        ) from error


def write_model(
    model: Model, destination: str | os.PathLike[str], mu: float | None = None, layout: int | None = None
) -> None:
    """Write a model to a file in the format of its name; see `convert`."""
    target = Path(file_name(destination))
    require_kind(model, get_args(Model), "a model: a system, network or reaction network")
    suffix = _suffix_to_write(target)
    if isinstance(model, System) and model.kind == "map" and suffix != ".toml":
        raise InputError(f"{target} would take the map for differential equations; write it to a model file (.toml)")
    if suffix == ".toml":
        write_atomic(target, system_of(model, mu).to_toml())
    elif suffix in (".ode", ".f90"):
        _write_program(system_of(model, mu), target)
    elif suffix in (".json", ".mat"):
        _write_network(_as_network(model, mu, suffix), target, layout)
    else:
        write_atomic(target, _text(_as_reactions(model, mu, suffix), suffix))


# -- reading ----------------------------------------------------------------------------------------------------


def _is_library_name(source: str | os.PathLike[str]) -> bool:
    """Tell a name from a file: it has no ending we read, no folder, and no file of that name exists."""
    if not isinstance(source, str) or Path(source).suffix.lower() in SUFFIXES or Path(source).name != source:
        return False
    return source.isidentifier() or not os.path.exists(source)


def _library_system(name: str) -> System:
    from bifrncrn import library

    try:
        found = library.get(name)
    except InputError as error:
        raise InputError(f"{error}; or name a file: {ACCEPTED}") from error
    system = found if isinstance(found, System) else found.system
    if system is None:
        raise InputError(
            f"the library target {name} has no single system of equations to analyse; train a network on it"
        )
    return system


def _read_json(path: Path) -> Model:
    from bifrncrn.chemistry.networks.controlled_json import CLASSIFIER, CONTROLLED
    from bifrncrn.chemistry.networks.json import NETWORK

    readers: dict[str, Callable[[object], Model]] = {
        NETWORK: Network.from_json,
        CLASSIFIER: Classifier.from_json,
        CONTROLLED: ControlledNetwork.from_json,
    }
    data = read_json(path)
    schema = data.get("schema") if isinstance(data, dict) else None
    reader = readers.get(schema) if isinstance(schema, str) else None
    if reader is None:
        raise InputError(
            f"{path}: has the schema {schema!r:.80}, which is no network; give one of {', '.join(readers)}"
        )
    with naming(path):
        return reader(data)


def _read_ode(path: Path) -> System:
    from bifrncrn.models.xppaut.read import read

    return read(path)


def _read_mat(path: Path) -> Model:
    from bifrncrn.chemistry.networks.mat import read_mat

    return read_mat(path)


def _read_reactions(path: Path) -> ReactionNetwork:
    return ReactionNetwork.from_text(read_text(path, LARGEST), str(path))


def _sbml_text(path: Path) -> str:
    """Return an SBML or Antimony file as SBML text."""
    if path.suffix.lower() != ".ant":
        from bifrncrn.chemistry.reactions.sbml.source import sbml_text

        return sbml_text(path)
    from bifrncrn.chemistry.reactions.sbml.antimony import antimony_to_sbml

    return antimony_to_sbml(read_text(path, LARGEST), str(path), path.parent)


def _read_sbml(path: Path) -> System:
    """Return the general system, in which everything has the name it has in the file."""
    from bifrncrn.chemistry.reactions.sbml.read import sbml_to_system

    return sbml_to_system(_sbml_text(path), str(path), path.parent)


def _with_time_scale(path: Path) -> Model:
    """Read what may have a time-scale: SBML as the reactions of a network, if it is those."""
    if path.suffix.lower() in SBML:
        try:
            return _source_model(path, ".json")
        except InputError:
            pass  # a model of equations: whoever reads it says that it has no time-scale
    return read_model(path)


def _source_model(path: Path, suffix: str) -> Model:
    """Read a source; SBML that is to become reactions has to be mass action."""
    if path.suffix.lower() in SBML and suffix in (".txt", ".json", ".mat"):
        from bifrncrn.chemistry.reactions.sbml.recognise import sbml_to_reactions

        return sbml_to_reactions(_sbml_text(path), str(path))
    return read_model(path)


def _translated(source: Path, target: Path) -> str | None:
    """Return the text when SBML and Antimony can be translated into each other, reaction by reaction."""
    before, after = source.suffix.lower(), target.suffix.lower()
    if before not in SBML or after not in SBML:
        return None
    from bifrncrn.chemistry.reactions.sbml.document import open_document

    document = _sbml_text(source)
    if after != ".ant":
        open_document(document, str(source), source.parent)
        return document
    from bifrncrn.chemistry.reactions.sbml.antimony import sbml_to_antimony

    return sbml_to_antimony(document, str(source))


# -- writing ----------------------------------------------------------------------------------------------------


def _write_program(system: System, target: Path) -> None:
    """Write a file for XPPAUT, or the two for AUTO-07p."""
    if target.suffix.lower() == ".ode":
        from bifrncrn.models.xppaut.write import dumps

        write_atomic(target, dumps(system))
        return
    from bifrncrn.models import auto07p

    write_atomic(target, auto07p.fortran(system))
    write_atomic(target.with_name(f"c.{target.stem}"), auto07p.constants(system))


def _as_network(model: Model, mu: float | None, suffix: str) -> Network | Classifier | ControlledNetwork:
    """Return what a .json or .mat file can hold."""
    if isinstance(model, ReactionNetwork):
        return network_of(model, mu)
    if isinstance(model, System):
        raise InputError(f"differential equations are no network and cannot become {suffix}; write .toml, .xml or .ant")
    if mu is None:
        return model
    if isinstance(model, ControlledNetwork):
        return ControlledNetwork(replace(model.classifier, mu=mu), replace(model.network, mu=mu))
    return replace(model, mu=mu)


def _write_network(model: Network | Classifier | ControlledNetwork, target: Path, layout: int | None) -> None:
    if target.suffix.lower() == ".json":
        write_json(target, model.to_json())
        return
    if isinstance(model, ControlledNetwork):
        raise InputError("a .mat file holds a network or a classifier but not both; write .json")
    from bifrncrn.chemistry.networks.mat import write_mat

    write_mat(target, model, layout)


def _as_reactions(model: Model, mu: float | None, suffix: str) -> ReactionNetwork | System:
    """Return what a text of reactions can hold; SBML and Antimony can hold equations as well."""
    if isinstance(model, System):
        if suffix == ".txt":
            raise InputError(
                "differential equations have no reactions and cannot become .txt; write .toml, .xml or .ant"
            )
        return system_of(model, mu)
    if isinstance(model, ReactionNetwork):
        return model if mu is None else network_of(model).reactions(mu)
    return model.reactions(mu)


def _text(model: ReactionNetwork | System, suffix: str) -> str:
    if suffix == ".ant":
        from bifrncrn.chemistry.reactions.sbml import antimony

        return (
            antimony.system_to_antimony(model) if isinstance(model, System) else antimony.reactions_to_antimony(model)
        )
    if suffix == ".txt":
        assert isinstance(model, ReactionNetwork)
        return model.to_text()
    from bifrncrn.chemistry.reactions.sbml import write as sbml_write

    return sbml_write.system_to_sbml(model) if isinstance(model, System) else sbml_write.reactions_to_sbml(model)
