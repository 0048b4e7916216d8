"""The compiled kernels of curves of fixed points, beside those of equilibria."""

from bifrncrn.compile.engine import Kernels

MULTIPLIERS = Kernels("fixed_points", {"bifrncrn.curves.fixed_points.kernels": {"growth": 4, "doubling_tests": 4}})
