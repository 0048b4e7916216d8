"""The compiled kernels of orbits, an engine of their own: who follows none does not wait for it."""

from bifrncrn.compile.engine import Kernels

ORBITS = Kernels(
    "orbits",
    {
        "bifrncrn.curves.orbits.newton_kernels": {"orbit_correct": 1, "orbit_multipliers": 1},
        "bifrncrn.curves.orbits.extreme_kernels": {"orbit_extremes": 1},
        "bifrncrn.curves.orbits.mesh_kernels": {"orbit_mesh": 2},
        "bifrncrn.curves.orbits.march_kernels": {"orbit_march": 1},
    },
)
