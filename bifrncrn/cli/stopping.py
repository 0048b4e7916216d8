"""SIGTERM and SIGINT: what was begun is put away; a computation that does not listen is ended all the same."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator
from typing import NoReturn

INTERRUPTED, TERMINATED = 130, 143
PATIENCE = 0.5
"""Seconds that Python is given to notice a signal; compiled code does not."""


class Terminated(KeyboardInterrupt):
    """The process was asked to end (SIGTERM): what was begun is put away as after an interrupt from the keyboard."""


@contextlib.contextmanager
def stopping() -> Iterator[None]:
    """Let SIGTERM raise `Terminated`, so that workers are ended and no temporary file stays; see that both end it."""
    if threading.current_thread() is not threading.main_thread() or os.name != "posix":
        yield
        return
    heard = threading.Event()

    def stop(number: int, _: object) -> NoReturn:
        heard.set()
        raise Terminated if number == signal.SIGTERM else KeyboardInterrupt

    signals = (signal.SIGTERM, signal.SIGINT)
    before = [signal.signal(number, stop) for number in signals]
    ear, mouth = os.pipe()
    os.set_blocking(mouth, False)
    woken = signal.set_wakeup_fd(mouth, warn_on_full_buffer=False)
    threading.Thread(target=_insist, args=(ear, heard), daemon=True).start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(woken)
        os.close(mouth)  # ends the thread
        for number, handler in zip(signals, before, strict=True):
            signal.signal(number, handler)


def _insist(ear: int, heard: threading.Event) -> None:
    """End the process where a signal has come and Python does not get to it."""
    with open(ear, "rb", buffering=0) as stream:
        while byte := stream.read(1):
            if byte[0] in (signal.SIGTERM, signal.SIGINT) and not heard.wait(PATIENCE):
                sys.stderr.write("\nbifrncrn: stopped in the middle of a computation; files are as they were\n")
                sys.stderr.flush()
                os._exit(TERMINATED if byte[0] == signal.SIGTERM else INTERRUPTED)
