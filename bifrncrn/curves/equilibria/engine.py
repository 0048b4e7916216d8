"""The compiled kernels of equilibrium curves."""

from bifrncrn.compile.engine import Kernels

POINTS = Kernels(
    "equilibria",
    {
        "bifrncrn.curves.equilibria.step_kernels": {"newton_step": 5, "solve_again": 2, "spectrum": 4, "user_tests": 4},
        "bifrncrn.curves.equilibria.point_kernels": {
            "measure": 3, "judge": 4, "tangent": 4, "examine": 5,
        },
        "bifrncrn.curves.equilibria.branch_kernels": {"refine": 5, "directions": 5, "holds_along": 4},
        "bifrncrn.curves.equilibria.newton_kernels": {"slide": 4, "descend": 4},
    },
)  # fmt: skip
