"""Writing files so that nothing is half written, and reading them so that nothing endless is read."""

import codecs
import contextlib
import os
import stat
from pathlib import Path

from bifrncrn.base.errors import InputError


def write_atomic(path: str | os.PathLike[str], data: str | bytes) -> None:
    """Write `data` so that a file appears whole or not at all.

    It is written to a temporary name and moved in place. A link is followed, and a file that was there keeps its mode
    and owner. What is no file of its own (a device, a pipe, one of several hard links) is written to, not replaced.

    Raises
    ------
    InputError
        If it is no name of a file, the folder does not exist, or it or the file cannot be written.
    """
    if not isinstance(path, (str, os.PathLike)):
        raise InputError(f"{path!r:.60} is not the name of a file; give the name of one to write")
    raw = data.encode("utf-8", "backslashreplace") if isinstance(data, str) else data
    try:
        before = os.stat(path) if os.path.lexists(path) and not _dangles(path) else None
        if before is not None and (not stat.S_ISREG(before.st_mode) or before.st_nlink > 1):
            with open(path, "wb") as stream:
                stream.write(raw)
        else:
            _replace(Path(os.path.realpath(path)), raw, before)
    except (OSError, ValueError) as error:  # ValueError: a null character in the name
        reason = getattr(error, "strerror", None) or error
        raise InputError(
            f"cannot write {os.fspath(path)}: {reason}; name a file in a folder that exists and is writable"
        ) from error


def check_writable(path: str | os.PathLike[str]) -> None:
    """Raise InputError, with a sentence, if `write_atomic` could not write there."""
    folder = os.path.dirname(os.path.realpath(path))
    why = None
    if os.path.isdir(path):
        why = "it is a folder; name a file"
    elif os.path.exists(path) and not os.access(path, os.W_OK):
        why = "it is write-protected; name another file"
    elif os.path.exists(path) and not os.path.isfile(path):
        return  # a device or pipe
    elif not os.path.isdir(folder):
        why = f"there is no folder {os.path.dirname(path) or folder}; make it or name another file"
    elif not os.access(folder, os.W_OK):
        why = f"the folder {os.path.dirname(path) or folder} is not writable; name another one"
    if why is not None:
        raise InputError(f"cannot write {os.fspath(path)}: {why}")


def _dangles(path: str | os.PathLike[str]) -> bool:
    return os.path.islink(path) and not os.path.exists(path)


def _replace(target: Path, raw: bytes, before: os.stat_result | None) -> None:
    """Put a new file in place of `target`, whose state was `before` (None: it is not there)."""
    import tempfile  # slow to import, and not everybody writes

    if before is not None and not os.access(target, os.W_OK):
        raise PermissionError(0, "it is write-protected")
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:100]}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(raw)
        if before is not None and hasattr(os, "chown"):
            with contextlib.suppress(OSError):  # only root can give files away
                os.chown(temporary, before.st_uid, before.st_gid)
        os.chmod(temporary, stat.S_IMODE(before.st_mode) if before is not None else 0o666 & ~_umask())
        os.replace(temporary, target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current


def read_limited(path: str | os.PathLike[str], limit: int) -> bytes:
    """Return what is in a file (or comes through a pipe), if it is no more than `limit` bytes.

    Raises
    ------
    InputError
        If it cannot be read, or is larger.
    """
    from bifrncrn.base.checks import file_name  # loads numpy, which --help does without

    path = file_name(path)
    try:
        with open(path, "rb") as stream:
            raw = stream.read(limit + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{os.fspath(path)}: cannot be read ({reason}); check the name") from error
    if len(raw) > limit:
        raise InputError(f"{os.fspath(path)}: is larger than {limit / 1e6:g} MB, more than such a file holds; check it")
    return raw


def decoded(raw: bytes) -> str:
    """Return text in UTF-8, or in UTF-16 where a byte order mark says so, without that mark.

    Raises
    ------
    UnicodeDecodeError
        If it is neither.
    """
    return raw.decode("utf-16" if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig")


def read_text(path: str | os.PathLike[str], limit: int) -> str:
    """Return a text file of at most `limit` bytes with its line ends; see `decoded`.

    Raises
    ------
    InputError
        If it cannot be read, is larger, or is not UTF-8 text.
    """
    try:
        return decoded(read_limited(path, limit))
    except UnicodeDecodeError as error:
        raise InputError(f"{os.fspath(path)}: is not a UTF-8 text file; check the name or save it as UTF-8") from error
