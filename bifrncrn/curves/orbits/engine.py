"""The compiled kernels of orbits, engines of their own: who follows none does not wait for them."""

from bifrncrn.compile.engine import Kernels

ORBITS = Kernels(
    "orbits",
    {
        "bifrncrn.curves.orbits.newton_kernels": {"orbit_correct": 1, "orbit_multipliers": 2},
        "bifrncrn.curves.orbits.extreme_kernels": {"orbit_extremes": 1},
        "bifrncrn.curves.orbits.mesh_kernels": {"orbit_mesh": 2},
        "bifrncrn.curves.orbits.march_kernels": {"orbit_march": 1},
    },
    vectorised=True,
)
VARIATIONS = Kernels(
    "variations",
    {
        "bifrncrn.curves.orbits.variation_kernels": {
            "variations_eliminate": 2,
            "variations_reduce": 3,
            "variations_expand": 4,
            "variations_apply": 3,
            "variations_jets": 5,
        },
    },
    vectorised=True,
)
"""What loci and normal forms of cycles are computed with."""
