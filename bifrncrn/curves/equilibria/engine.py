"""The compiled kernels of equilibrium curves."""

from bifrncrn.compile.engine import Kernels

POINTS = Kernels(
    "equilibria",
    {
        "bifrncrn.curves.equilibria.step_kernels": {"newton_step": 5, "solve_again": 2, "spectrum": 4, "user_tests": 4},
        "bifrncrn.curves.equilibria.point_kernels": {
            "measure": 3, "judge": 5, "tangent": 4, "fold": 3, "hopf": 4, "branch_point": 5, "forms": 4,
        },
    },
)  # fmt: skip
