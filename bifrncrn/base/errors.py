"""The errors and warnings of the package."""

import re

_LONG = re.compile(r"\S{240,}")
"""A word of a message that is longer is shown by its two ends; names of files in deep folders are shorter."""


def _readable(message: str) -> str:
    from bifrncrn.base.tables import printable

    message = printable(message).replace("\n", "\\n")  # names out of damaged files hold anything
    return _LONG.sub(lambda word: f"{word[0][:60]}...{word[0][-40:]}", message)


class InputError(ValueError):
    """Bad input: one sentence that says what, the value, the rule, and what to try."""

    def __str__(self) -> str:
        """Return the sentence; a value that fills pages is shown by its ends, what is no letter as its escape."""
        return _readable(super().__str__())


class ConvergenceError(RuntimeError):
    """A computation that cannot start because nothing converged (once started, failure is data)."""


class ContinuationWarning(UserWarning):
    """A result that is usable but of lower quality than asked for."""
