"""How a curve is followed: a frozen set of numbers, each with its meaning, range and consequence."""

import math
import time
from dataclasses import dataclass, replace

from bifrncrn.base.checks import require_kind
from bifrncrn.base.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Options:
    """Step control and limits of a march.

    Lengths are relative: a step of 0.05 changes the parameter by 5 % of its range, or the states by 5 % of their size
    (root mean square).

    Attributes
    ----------
    step : float
        The largest step, in (0, 0.5]. Smaller: more points, slower, no other special points.
    angle : float
        The largest change of the unit tangent in a step, in (0, 0.5]. It keeps a step on its branch.
    least_step : float
        Where a step would have to be smaller than this, the branch ends with the reason `step`.
    event_step : float
        A change of determinant is pinned to a step of this length before it is called a branch point.
    tolerance : float
        The relative error of a point that the corrector aims for.
    max_points : int
        The branch ends after this many points in one direction, with the reason `points`.
    seconds : float, optional
        A time limit for all that one call does. What was found until then is kept; branches that were being followed
        end with the reason `time`.
    until : float, optional
        When the limit is reached, by `time.monotonic`; `begun` sets it.
    """

    step: float = 0.05
    angle: float = 0.15
    least_step: float = 1e-10
    event_step: float = 2e-3
    tolerance: float = 1e-13
    max_points: int = 4000
    seconds: float | None = None
    until: float | None = None

    def __post_init__(self) -> None:
        for name, least, most in (
            ("step", 0.0, 0.5),
            ("angle", 0.0, 0.5),
            ("least_step", 0.0, 1e-3),
            ("event_step", 0.0, 0.1),
            ("tolerance", 0.0, 1e-6),
            ("max_points", 2, math.inf),
        ):
            value = getattr(self, name)
            if not _is_number(value) or not least < value <= most:
                raise InputError(
                    f"option {name} = {value!r} must lie in ({least:g}, {most:g}]; "
                    f"the default is {getattr(type(self), name):g}"
                )
        if self.seconds is not None and not (_is_number(self.seconds) and self.seconds > 0.0):
            raise InputError(f"option seconds = {self.seconds!r} must be a positive number of seconds, or None")

    @property
    def late(self) -> bool:
        """Whether the time limit is reached."""
        return self.until is not None and time.monotonic() >= self.until

    @property
    def said(self) -> str:
        """The sentence of what ends by the time limit."""
        return f"the time limit of {self.seconds or 0.0:g} s was reached; raise seconds (--seconds) to go on"


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


DEFAULT = Options()


def begun(options: Options | None) -> Options:
    """Return the options, or those by default, with a time limit running from now, unless it runs already.

    Raises
    ------
    InputError
        If they are something else.
    """
    if options is None:
        return DEFAULT
    require_kind(options, Options, "bf.Options(...)")
    if options.seconds is None or options.until is not None:
        return options
    return replace(options, until=time.monotonic() + options.seconds)
