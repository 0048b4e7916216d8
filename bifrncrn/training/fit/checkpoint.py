"""Finished starts kept in a folder, so that a long fit can be resumed."""

from __future__ import annotations

import hashlib
import json
from dataclasses import astuple
from pathlib import Path

from bifrncrn.base.errors import InputError
from bifrncrn.base.files import write_atomic
from bifrncrn.training.fit.start import FitOptions, Start
from bifrncrn.training.targets.sampling import Samples


def fingerprint(data: Samples, options: FitOptions, seed: int) -> str:
    """Return a short hash of everything a start depends on besides its index."""
    digest = hashlib.sha256(repr((astuple(options), seed)).encode())
    for array in (data.x, data.lam, data.field, data.weight):
        digest.update(repr(array.shape).encode())
        digest.update(array.tobytes())
    return digest.hexdigest()[:16]


class Store:
    """A folder of finished starts of one fit; without a folder, a store that keeps nothing.

    Raises
    ------
    InputError
        If the folder does not exist.
    """

    def __init__(self, folder: str | None, key: str) -> None:
        self.folder = None if folder is None else Path(folder)
        self.key = key
        if self.folder is not None and not self.folder.is_dir():
            raise InputError(f"checkpoint folder {folder} does not exist; make it first")

    def read(self, index: int) -> Start | None:
        """Return start `index`, or None when it is not there or was damaged."""
        if self.folder is None:
            return None
        try:
            return Start.from_json(json.loads(self._path(index).read_text()))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write(self, start: Start) -> None:
        """Keep `start`; the file appears whole or not at all."""
        if self.folder is not None:
            write_atomic(self._path(start.index), json.dumps(start.to_json()) + "\n")

    def _path(self, index: int) -> Path:
        assert self.folder is not None
        return self.folder / f"start-{self.key}-{index}.json"
