"""The optimised IR of the kernels that comes with the package, so that a first run need not wait for numba.

A file is used where it fits: made from the very sources that are installed, for this platform, by this LLVM. Else the
kernels are compiled from their sources. `.ci/ship` writes the files.
"""

import json
import logging
import lzma
from pathlib import Path

from bifrncrn.base.files import write_atomic
from bifrncrn.compile.native import llvm_version, triple

logger = logging.getLogger(__name__)

FOLDER = Path(__file__).with_name("ir")


def read(name: str, digest: str) -> str | None:
    """Return the IR shipped for a set of kernels whose sources have this digest, or None where none fits."""
    try:
        head, text = lzma.decompress((FOLDER / f"{name}.xz").read_bytes()).decode("utf-8").split("\n", 1)
        fits = json.loads(head) == _head(digest)
    except (OSError, ValueError, lzma.LZMAError) as error:
        logger.debug("no kernels were shipped for %s: %s", name, error)
        return None
    return text if fits else None


def made_from(name: str) -> str | None:
    """Return the digest of the sources that the shipped IR of a set of kernels was made from, on any platform."""
    try:
        head = lzma.decompress((FOLDER / f"{name}.xz").read_bytes()).split(b"\n", 1)[0]
        return str(json.loads(head)["sources"])
    except (OSError, ValueError, KeyError, lzma.LZMAError):
        return None


def write(name: str, digest: str, text: str) -> None:
    """Keep the IR of a set of kernels as a file of the package."""
    content = f"{json.dumps(_head(digest))}\n{text}".encode()
    FOLDER.mkdir(exist_ok=True)
    write_atomic(FOLDER / f"{name}.xz", lzma.compress(content, preset=9 | lzma.PRESET_EXTREME))


def _head(digest: str) -> dict[str, object]:
    return {"sources": digest, "triple": triple(), "llvm": llvm_version()}
