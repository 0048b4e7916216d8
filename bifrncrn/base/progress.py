"""What takes longer than two seconds is seen to go on: on a terminal and in a notebook; silence everywhere else."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

AFTER = 2.0
"""Seconds before anything is shown."""
OFTEN = 0.3
"""Seconds between two looks at how far it is."""


def _nothing() -> None:
    """Nobody looks."""


_SILENCE = contextlib.nullcontext(_nothing)


def progress(what: str, total: int | None = None) -> AbstractContextManager[Callable[[], None]]:
    """Show how long something takes, and how far it is, while the body of this context runs.

    Parameters
    ----------
    what : str
        What goes on.
    total : int, optional
        How often the function that the context gives will be called.
    """
    return _progress(what, total) if seen() else _SILENCE


@contextlib.contextmanager
def _progress(what: str, total: int | None) -> Iterator[Callable[[], None]]:
    done = [0]

    def step() -> None:
        done[0] += 1

    over = threading.Event()
    watcher = threading.Thread(target=_show, args=(what, total, done, over), daemon=True)
    watcher.start()
    try:
        yield step
    finally:
        over.set()
        watcher.join()


def seen() -> bool:
    """Say whether somebody looks: standard error is a terminal, or this is a notebook."""
    return "ipykernel" in sys.modules or bool(sys.stderr and sys.stderr.isatty())


def _show(what: str, total: int | None, done: list[int], over: threading.Event) -> None:
    if over.wait(AFTER):
        return
    from tqdm.auto import tqdm

    form = None if total else "{desc}: {elapsed}"
    bar = tqdm(total=total, desc=what, leave=False, file=sys.stderr, bar_format=form)
    while not over.wait(OFTEN):
        bar.n = done[0]
        bar.refresh()
    bar.close()
