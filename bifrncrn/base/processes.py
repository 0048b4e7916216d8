"""Child processes: they run nothing that lies in the current folder, and they end with the process that began them."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = str(Path(__file__).resolve().parents[2])
"""The folder that the package lies in."""
PARENT = "BIFRNCRN_PARENT"
LOOK = 0.2
"""Seconds between two looks of a worker at whether its parent is still there."""
_SAFE = sys.version_info >= (3, 11)  # Python has an option that keeps the current folder off its path


def start(
    module: str, words: Iterable[str] = (), environment: Mapping[str, str] | None = None, **options: Any
) -> subprocess.Popen[Any]:
    """Start a fresh Python process that runs a module of this package with these arguments.

    The current folder is not on its path, and it ends when this process does.

    Parameters
    ----------
    module : str
        Run as `__main__`.
    words : iterable of str
        Its arguments.
    environment : mapping of str to str, optional
        Variables that differ from this process's.
    **options
        For `subprocess.Popen`.
    """
    code = (
        f"import sys; sys.path.append({ROOT!r}); sys.argv[0] = {module!r}; "
        "from bifrncrn.base.processes import end_with_parent; end_with_parent(); "
        f"import runpy; runpy.run_module({module!r}, run_name='__main__')"
    )
    variables = dict(os.environ, PYTHONSAFEPATH="1", **{PARENT: str(os.getpid())}, **(environment or {}))
    command = [sys.executable, *(["-P"] if _SAFE else []), "-c", code, *words]
    return subprocess.Popen(command, cwd=ROOT, env=variables, **options)


def spread(
    function: Callable[..., Any], arguments: Iterable[tuple[Any, ...]], jobs: int | None, ordered: bool = True
) -> Iterator[Any]:
    """Yield `function(*each)` for each of `arguments`, computed in several processes.

    Parameters
    ----------
    jobs : int or None
        Processes, as joblib's ``n_jobs``; None obeys `joblib.parallel_config` and is 1 outside of one.
    ordered : bool
        Whether results come in the order of the arguments, or as they are ready.
    """
    from joblib import Parallel, delayed

    tasks = (delayed(_watched)(os.getpid(), function, each) for each in arguments)
    with _safe_start():
        yield from Parallel(n_jobs=jobs, return_as="generator" if ordered else "generator_unordered")(tasks)


def end_with_parent(parent: int | None = None) -> None:
    """Let this process, a child of `parent`, end within a second of it."""
    parent = int(os.environ.get(PARENT, "0")) if parent is None else parent
    if os.name != "posix" or _WATCHING or not parent:
        return

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(LOOK)
        os._exit(1)

    _WATCHING.append(threading.Thread(target=watch, daemon=True))
    _WATCHING[0].start()


_WATCHING: list[threading.Thread] = []


def _watched(parent: int, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    """Call the function; in a worker of this machine, see to it that the worker ends with its parent."""
    if os.name == "posix" and os.getppid() == parent:
        end_with_parent(parent)
    return function(*arguments)


@contextlib.contextmanager
def _safe_start() -> Iterator[None]:
    """Let Python processes that begin meanwhile have no current folder on their path."""
    before, folder = os.environ.get("PYTHONSAFEPATH"), os.getcwd()
    os.environ["PYTHONSAFEPATH"] = "1"
    if not _SAFE:
        os.chdir(ROOT)
    try:
        yield
    finally:
        if not _SAFE:
            os.chdir(folder)
        if before is None:
            os.environ.pop("PYTHONSAFEPATH", None)
        else:
            os.environ["PYTHONSAFEPATH"] = before
