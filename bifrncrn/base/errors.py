"""The errors and warnings of the package."""


class InputError(ValueError):
    """Bad input: one sentence that says what, the value, the rule, and what to try."""


class ConvergenceError(RuntimeError):
    """A computation that cannot start because nothing converged (once started, failure is data)."""


class ContinuationWarning(UserWarning):
    """A result that is usable but of lower quality than asked for."""
