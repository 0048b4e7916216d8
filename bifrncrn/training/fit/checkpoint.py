"""Finished starts kept in a folder, so that a long fit can be resumed."""

from __future__ import annotations

import hashlib
import json
import logging
from dataclasses import astuple
from pathlib import Path

from bifrncrn.base.errors import InputError
from bifrncrn.base.files import read_text, write_atomic
from bifrncrn.training.fit.start import FitOptions, Start
from bifrncrn.training.targets.sampling import Samples

logger = logging.getLogger(__name__)
LARGEST = 100_000_000
"""Bytes of a checkpoint."""


def fingerprint(data: Samples, options: FitOptions, seed: int) -> str:
    """Return a short hash of everything a start depends on besides its index."""
    digest = hashlib.sha256(repr((astuple(options), seed)).encode())
    for array in (data.x, data.lam, data.field, data.weight):
        digest.update(repr(array.shape).encode())
        digest.update(array.tobytes())
    return digest.hexdigest()[:16]


def _digest(data: object) -> str:
    """Return the hash that a checkpoint carries: a number that was altered must not become a result."""
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()


class Store:
    """A folder of finished starts of one fit; without a folder, a store that keeps nothing.

    Raises
    ------
    InputError
        If the folder does not exist.
    """

    def __init__(self, folder: str | None, key: str) -> None:
        self.folder = None if folder is None else Path(folder).absolute()
        self.key = key
        if self.folder is not None and not self.folder.is_dir():
            raise InputError(f"checkpoint folder {folder} does not exist; make it first")

    def read(self, index: int) -> Start | None:
        """Return start `index`, or None when it is not there or was damaged."""
        if self.folder is None:
            return None
        try:
            kept = json.loads(read_text(self._path(index), LARGEST))
            if kept["sha256"] == _digest(kept["start"]):
                return Start.from_json(kept["start"])
        except (InputError, ValueError, KeyError, TypeError, RecursionError):
            pass
        if self._path(index).exists():
            logger.warning("the checkpoint %s is damaged; the start is computed again", self._path(index))
        return None

    def write(self, start: Start) -> None:
        """Keep `start`; the file appears whole or not at all."""
        if self.folder is not None:
            data = start.to_json()
            write_atomic(self._path(start.index), json.dumps({"sha256": _digest(data), "start": data}) + "\n")

    def _path(self, index: int) -> Path:
        assert self.folder is not None
        return self.folder / f"start-{self.key}-{index}.json"
