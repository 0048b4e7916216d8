"""What Newton's method on an equilibrium curve is told, and how it says that it ended; no numba needed for it."""

TOLERANCE = 1e-12
"""A Newton step below this part of the states' size is as good as none."""
SMALL = 1e-8
"""A state smaller than this part of the largest is measured by that."""
BY_ROUNDING = 1e-9
"""A step below this, relatively, need not become shorter: rounding may make it longer."""
LEAST_DAMPING = 1e-6
"""A step that must be shortened to less than this part of it leads nowhere."""
POSITION = 1e-11
"""A branch point is solved for to this part of the unit of length."""
WITHIN = 16.0
"""F is zero but for rounding where it is not larger than this many times the bound of its rounding errors."""
DOUBLE_ZERO = 1e-8
"""Unit null vectors with a product below this, the root of rounding, belong to an eigenvalue zero that is double."""
ACROSS = 8
"""Newton iterations from beside the curve onto it."""

ARRIVED, NOT_FINITE, SINGULAR, SHORT, STOPPED, NOWHERE = range(6)
"""F is zero; F is not finite (1) or the Jacobian singular (2), as a Newton step says; the step is shorter than
TOLERANCE; no shorter step, or no further iteration; no equilibrium."""
