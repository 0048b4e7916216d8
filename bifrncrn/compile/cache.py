"""The disk cache of compiled code, which is run as it is read: nobody else may have written it.

The folder and every file in it must belong to this user, and nobody else may be able to write them; an entry holds the
key it was made for, and a hash of itself. Where the folder cannot be trusted, read or written, everything works without
it, only slower. Of many processes that need one entry, one makes it and the others wait.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import stat
import struct
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from bifrncrn.base.progress import progress

logger = logging.getLogger(__name__)

_MAGIC = b"bifrncrn-cache-2"
_HEAD = len(_MAGIC) + 8 + 32 + 32
LARGEST = 500_000_000
"""Bytes of an entry; the largest that was ever made has some millions."""
PATIENCE = 120.0
"""Seconds to wait for another process that makes the same entry; then it is made here too."""
LOOK = 0.02
_OTHERS = stat.S_IWGRP | stat.S_IWOTH


def cache_folder() -> Path | None:
    """Return the folder of the compiled code: `$BIFRNCRN_CACHE_DIR`, or the platform's cache folder; or None.

    A relative path is none: what lies in the current folder is nobody's cache.
    """
    chosen = os.environ.get("BIFRNCRN_CACHE_DIR")
    if chosen:
        if not os.path.isabs(chosen):
            logger.warning("BIFRNCRN_CACHE_DIR is %r, no absolute path; compiled code is not kept", chosen)
            return None
        return Path(chosen)
    if sys.platform == "win32":
        candidates = [os.environ.get("LOCALAPPDATA"), os.path.expanduser("~/AppData/Local")]
    elif sys.platform == "darwin":
        candidates = [os.path.expanduser("~/Library/Caches")]
    else:
        candidates = [os.environ.get("XDG_CACHE_HOME"), os.path.expanduser("~/.cache")]
    base = next((each for each in candidates if each and os.path.isabs(each)), None)
    return None if base is None else Path(base) / "bifrncrn"


def cached(key: str, environment: str, make: Callable[[], bytes]) -> bytes:
    """Return `make()`, or what it returned before for the same key, in any process.

    Entries are written to a temporary name and moved in place; a damaged entry is made again.

    Parameters
    ----------
    key : str
        Says what is made, completely; any length.
    environment : str
        Short; entries of another environment lie in another folder.
    make : callable
        Makes the bytes; called at most once.
    """
    digest = hashlib.sha256(f"{environment} {key}".encode("utf-8", "surrogatepass")).digest()
    name = digest.hex()
    base = cache_folder()
    folder = None if base is None else _trusted(base / environment)
    if folder is None:
        return make()
    data = _read(folder, name, digest)
    if data is None:
        with progress("compiling, once for all later runs"), _alone(folder, name):
            data = _read(folder, name, digest)  # another process may have made it meanwhile
            if data is None:
                data = make()
                _write(folder, name, digest, data)
    return data


def _trusted(folder: Path) -> Path | None:
    """Return the folder, made if it was not there, if it is this user's alone."""
    try:
        with contextlib.suppress(FileExistsError):
            folder.mkdir(parents=True, mode=0o700)
        found = os.lstat(folder)
    except OSError as error:
        logger.debug("compiled code is not kept: %s", error)
        return None
    if stat.S_ISDIR(found.st_mode) and _ours(found):
        return folder
    logger.warning("%s belongs to somebody else, or others may write to it; compiled code is not kept there", folder)
    return None


def _ours(found: os.stat_result) -> bool:
    """Say whether a file or folder is this user's, and others cannot write to it."""
    return not hasattr(os, "geteuid") or (found.st_uid == os.geteuid() and not found.st_mode & _OTHERS)


def _read(folder: Path, name: str, digest: bytes) -> bytes | None:
    path = folder / f"{name}.bin"
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        handle = os.open(path, flags)
    except OSError:
        return None
    found = os.fstat(handle)
    if not stat.S_ISREG(found.st_mode) or not _ours(found) or found.st_size > LARGEST:
        os.close(handle)
        logger.warning("%s is no cache entry of this user; it is not read", path)
        return None
    with os.fdopen(handle, "rb") as stream:
        raw = stream.read(LARGEST)
    data = raw[_HEAD:]
    if raw[:_HEAD] == _head(digest, data):
        return data
    logger.debug("damaged cache entry %s is made again", path)
    return None


def _head(digest: bytes, data: bytes) -> bytes:
    return _MAGIC + struct.pack("<Q", len(data)) + digest + hashlib.sha256(data).digest()


def _write(folder: Path, name: str, digest: bytes, data: bytes) -> None:
    import tempfile  # slow to import, and seldom needed

    temporary = None
    try:
        handle, temporary = tempfile.mkstemp(dir=folder)  # readable by this user alone
        with os.fdopen(handle, "wb") as stream:
            stream.write(_head(digest, data) + data)
        os.replace(temporary, folder / f"{name}.bin")
    except OSError as error:
        logger.debug("compiled code is not kept: %s", error)
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)


@contextlib.contextmanager
def _alone(folder: Path, name: str) -> Iterator[None]:
    """Hold the lock of an entry, or go on without it when another process holds it for too long.

    The system lets a lock go when its process ends, however it ends. Entries share a few lock files.
    """
    try:
        import fcntl
    except ImportError:  # Windows: several processes may make the same entry
        yield
        return
    try:
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK
        handle = os.open(folder / f"{name[:1]}.lock", flags, 0o600)
    except OSError as error:
        logger.debug("no lock: %s", error)
        yield
        return
    try:
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                time.sleep(LOOK)
            except OSError as error:  # a file system without locks
                logger.debug("no lock: %s", error)
                break
        yield
    finally:
        os.close(handle)
