"""The compiled kernels of curves in two parameters, an engine of their own: who follows none does not wait for it."""

from bifrncrn.compile.engine import Kernels

LOCI = Kernels(
    "loci",
    {
        "bifrncrn.curves.loci.step_kernels": {
            "locus_evaluate": 2, "locus_step": 5, "locus_solve": 2, "locus_accept": 2, "locus_linearize": 3,
        },
        "bifrncrn.curves.loci.indicator_kernels": {"locus_tests": 4, "locus_spectra": 6},
    },
)  # fmt: skip
