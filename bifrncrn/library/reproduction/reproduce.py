"""The verb `reproduce`: the problems of the papers from shipped networks, a table of checks and a figure each."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from bifrncrn.base.errors import InputError
from bifrncrn.base.files import write_atomic
from bifrncrn.base.progress import progress
from bifrncrn.base.records import read_json, write_json
from bifrncrn.base.tables import format_table
from bifrncrn.chemistry.networks.controlled import ControlledNetwork
from bifrncrn.chemistry.networks.network import Network
from bifrncrn.library.controlled import CONTROLLED
from bifrncrn.library.reproduction.checks import CHECKS
from bifrncrn.library.reproduction.row import Row

SCHEMA = "bifrncrn.reproduction/1"
VERSION = 1
"""Of the checks: a finished problem is looked at again when they have changed."""
HEADER = ("problem", "what", "target", "published", "ours", "")
Learned = Network | ControlledNetwork


@dataclass(frozen=True)
class Reproduction:
    """What became of the papers' problems.

    Attributes
    ----------
    rows : tuple of Row
        One for each thing that was looked at.
    figures : dict
        The file of each problem's figure.
    missing : tuple of str
        Problems no network is shipped for; `train` makes one.
    """

    rows: tuple[Row, ...]
    figures: dict[str, Path]
    missing: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return the table."""
        table = [
            (row.problem, row.what, row.wanted, row.published or "-", row.ours, "yes" if row.holds else "no")
            for row in self.rows
        ]
        held = sum(row.holds for row in self.rows)
        lines = [f"{held} of {len(self.rows)} checks hold", "", format_table(HEADER, table)]
        if self.missing:
            lines += ["", f"no network is shipped for {', '.join(self.missing)}; train one with --train"]
        return "\n".join(lines)

    def markdown(self) -> str:
        """Return the table as Markdown."""
        lines = ["| problem | what | target | published | ours | holds |", "|---|---|---|---|---|---|"]
        for row in self.rows:
            cells = (row.problem, row.what, row.wanted, row.published, row.ours, "yes" if row.holds else "**no**")
            lines.append("| " + " | ".join(cells) + " |")
        return "\n".join(lines) + "\n"

    def to_json(self) -> dict[str, Any]:
        """Return everything as plain JSON data of schema ``bifrncrn.reproduction/1``."""
        return {
            "schema": SCHEMA,
            "rows": [row.to_json() for row in self.rows],
            "figures": {name: str(path) for name, path in self.figures.items()},
            "missing": list(self.missing),
        }


def reproduce(
    names: Sequence[str] = (), out: str | os.PathLike[str] = "bifrncrn-reproduced", *, train: bool = False
) -> Reproduction:
    """Look at the problems of the papers with networks that this project trained, by numpy and scipy alone.

    What is finished in the folder is not done again, so an interrupted run goes on where it was.

    Parameters
    ----------
    names : sequence of str
        Problems; all by default.
    out : path
        Folder of the figures, of a record for each problem and of the table (table.md).
    train : bool
        Train the networks anew, ten starts each, and keep them in the folder; otherwise those shipped are taken.

    Raises
    ------
    InputError
        If there is no such problem, or the folder cannot be made.
    """
    chosen = list(dict.fromkeys([names] if isinstance(names, str) else names)) or list(CHECKS)
    for name in chosen:
        if name not in CHECKS:
            raise InputError(f"there is no problem {name!r:.40} of the papers; there are {', '.join(CHECKS)}")
    folder = Path(out)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot make the folder {out}: {error.strerror}; give another one") from error
    rows: list[Row] = []
    figures: dict[str, Path] = {}
    missing = []
    with progress("reproducing", len(chosen)) as step:
        for name in chosen:
            network = _trained(name, folder) if train else shipped(name)
            if network is None:
                missing.append(name)
            else:
                rows += _looked_at(name, network, folder)
                figures[name] = folder / f"{name}.png"
            step()
    found = Reproduction(tuple(rows), figures, tuple(missing))
    write_atomic(folder / "table.md", found.markdown())
    return found


def shipped(name: str) -> Learned | None:
    """Return the network that is shipped for a problem, if there is one."""
    place = files("bifrncrn.library") / "data" / f"{name}_network.json"
    if not place.is_file():
        return None
    with as_file(place) as path:
        return _loader(name)(path)


def _loader(name: str) -> Callable[[Path], Learned]:
    return ControlledNetwork.load if name in CONTROLLED else Network.load


def _trained(name: str, folder: Path) -> Learned:
    """Train a network, or return the one that an earlier run trained; finished starts are kept, too."""
    path = folder / f"{name}_network.json"
    if path.exists():
        return _loader(name)(path)
    if name in CONTROLLED:
        from bifrncrn.library.controlled import train_controlled

        network: Learned = train_controlled(name).network
    else:
        from bifrncrn.library import targets
        from bifrncrn.training.train import train

        starts = folder / "starts" / name
        starts.mkdir(parents=True, exist_ok=True)
        network = train(targets.TARGETS[name](), checkpoints=str(starts)).network
    network.save(path)
    return network


def _looked_at(name: str, network: Learned, folder: Path) -> list[Row]:
    """Return the rows of a problem: those of an earlier run, where network and checks are the same."""
    from bifrncrn.plots.panels import save_panels

    record, figure = folder / f"{name}.json", folder / f"{name}.png"
    text = json.dumps([VERSION, network.to_json()], sort_keys=True)
    digest = hashlib.sha256(text.encode()).hexdigest()
    if record.exists() and figure.exists():
        kept = read_json(record)
        if isinstance(kept, dict) and kept.get("digest") == digest:
            return [Row(**row) for row in kept["rows"]]
    begun = time.perf_counter()
    checked = CHECKS[name](network)
    save_panels(checked.panels, figure)
    rows = [row.to_json() for row in checked.rows]
    write_json(record, {"digest": digest, "rows": rows, "seconds": round(time.perf_counter() - begun, 2)})
    return list(checked.rows)
