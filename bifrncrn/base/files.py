"""Writing files so that nothing is ever half written."""

import os
from pathlib import Path

from bifrncrn.base.errors import InputError


def write_atomic(path: str | os.PathLike[str], data: str | bytes) -> None:
    """Write `data` to a temporary name beside `path` and move it in place.

    Raises
    ------
    InputError
        If the folder does not exist or cannot be written.
    """
    import tempfile  # slow to import, and not everybody writes

    target = Path(path)
    raw = data.encode() if isinstance(data, str) else data
    try:
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    except OSError as error:
        raise InputError(
            f"cannot write {target}: {error.strerror}; name a file in a folder that exists and is writable"
        ) from error
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(raw)
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, target)
    except OSError as error:
        Path(temporary).unlink(missing_ok=True)
        raise InputError(
            f"cannot write {target}: {error.strerror}; name a file in a folder that exists and is writable"
        ) from error


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
