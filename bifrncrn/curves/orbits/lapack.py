"""The address of LAPACK's eigenvalues of a pair of matrices, which scipy brings along."""

import ctypes
import functools


@functools.cache
def dggev() -> int:
    """Return the address of `dggev`."""
    from scipy.linalg import cython_lapack

    capsule = cython_lapack.__pyx_capi__["dggev"]
    name_of, pointer_of = ctypes.pythonapi.PyCapsule_GetName, ctypes.pythonapi.PyCapsule_GetPointer
    name_of.restype, name_of.argtypes = ctypes.c_char_p, [ctypes.py_object]
    pointer_of.restype, pointer_of.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    return int(pointer_of(capsule, name_of(capsule)))
