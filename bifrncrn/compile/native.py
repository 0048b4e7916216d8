"""LLVM IR to machine code behind addresses.

Nothing here knows about models: whatever can be written as LLVM IR (or as an object file) is compiled, kept and
loaded in the same way. llvmlite is imported on first use; numba is not needed.
"""

import ctypes
import functools
import hashlib
import os
import platform
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bifrncrn.compile import cache

_LOCK = threading.RLock()


@functools.cache
def _llvm() -> Any:
    """Return llvmlite.binding, ready to compile for this machine and to find the C library's functions."""
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    jn = _bessel()
    if jn is not None:
        llvm.add_symbol("jn", jn)
    return llvm


def _bessel() -> int | None:
    """Return the address of the C library's Bessel function of the first kind (its name differs on Windows)."""
    library = ctypes.CDLL("ucrtbase" if os.name == "nt" else None)  # None: this process, which the C library is part of
    function = getattr(library, "_jn" if os.name == "nt" else "jn", None)
    return None if function is None else ctypes.cast(function, ctypes.c_void_p).value


def _target_machine(opt: int) -> Any:
    llvm = _llvm()
    target = llvm.Target.from_triple(llvm.get_process_triple())
    return target.create_target_machine(
        cpu=llvm.get_host_cpu_name(),
        features=llvm.get_host_cpu_features().flatten(),
        opt=opt,
        reloc="static" if target.name.startswith("x86") else "default",
        codemodel="jitdefault",
        jit=True,
    )


def triple() -> str:
    """Return LLVM's name of this platform."""
    return str(_llvm().get_process_triple())


def llvm_version() -> list[int]:
    """Return the version of LLVM that llvmlite was built with."""
    return list(_llvm().llvm_version_info)


def compile_ir(text: str, opt: int = 2, passes: bool = True) -> bytes:
    """Compile a module of LLVM IR for this machine.

    Parameters
    ----------
    text : str
        The module; floating point is compiled as written (no fast-math, no contraction).
    opt : int
        LLVM's optimisation level, 0 to 3.
    passes : bool
        Whether to run LLVM's optimisation passes on the module, or only its code generator.

    Returns
    -------
    bytes
        A relocatable object file, for `load` and `cached`.
    """
    with _LOCK:
        module, machine = _module(text, opt)
        if passes:
            _optimise(module, machine, opt)
        data: bytes = machine.emit_object(module)
        return data


def optimised_ir(text: str, opt: int = 2, vectorised: bool = False) -> str:
    """Return a module of LLVM IR as LLVM's optimisation passes leave it, for `compile_ir(..., passes=False)`.

    Where loops are over many states, vectors pay: `vectorised` is twice as fast at twenty of them.
    """
    with _LOCK:
        module, machine = _module(text, opt)
        for loops in (False, True) if vectorised else (False,):
            _optimise(module, machine, opt, loops)
        return str(module)


def _module(text: str, opt: int) -> tuple[Any, Any]:
    """Return a parsed module, made one of this machine, and the machine."""
    llvm = _llvm()
    module = llvm.parse_assembly(text)
    module.triple = llvm.get_process_triple()
    machine = _target_machine(opt)
    module.data_layout = str(machine.target_data)
    return module, machine


def _optimise(module: Any, machine: Any, opt: int, vectorise: bool = False) -> None:
    llvm = _llvm()
    options = llvm.create_pipeline_tuning_options(speed_level=opt)
    # most loops are over a few states: measured, such code is larger and twice as slow to compile, not faster
    options.slp_vectorization = options.loop_unrolling = False
    options.loop_vectorization = vectorise
    builder = llvm.create_pass_builder(machine, options)
    builder.getModulePassManager().run(module, builder)


class Library:
    """Machine code in memory. Its addresses are valid as long as the Library lives."""

    def __init__(self, data: bytes) -> None:
        with _LOCK:
            llvm = _llvm()
            self._engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), _target_machine(0))
            self._engine.add_object_file(llvm.ObjectFileRef.from_data(data))
            self._engine.finalize_object()

    def address(self, name: str) -> int:
        """Return the address of a function."""
        with _LOCK:
            found: int = self._engine.get_function_address(name)
        if not found:
            raise KeyError(name)
        return found


def load(data: bytes) -> Library:
    """Load an object file made by `compile_ir`."""
    return Library(data)


@functools.cache
def environment_key() -> str:
    """Return a short hash of everything compiled code depends on besides its source.

    That is the versions of llvmlite and LLVM, the processor with its features, and the text of this package's code
    generator, so that an update of any of them uses another folder.
    """
    import llvmlite

    llvm = _llvm()
    parts = [
        llvmlite.__version__,
        repr(llvm.llvm_version_info),
        llvm.get_process_triple(),
        platform.machine(),
        llvm.get_host_cpu_name(),
        llvm.get_host_cpu_features().flatten(),
    ]
    digest = hashlib.sha256("\n".join(parts).encode())
    for source in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:20]


def cached(key: str, make: Callable[[], bytes]) -> bytes:
    """Return `make()`, or what it returned before for the same key on this machine; see `bifrncrn.compile.cache`."""
    return cache.cached(key, environment_key(), make)
