"""The compiled engine: numba compiles its kernels once per installation, everybody else loads an object file.

numba's own disk cache is not used: it does not notice a changed callee in another file, and it needs numba (0.3 s) in
every process. The optimised LLVM IR of each kernel is taken from numba instead, compiled to one object file and kept
under a key of the kernels' source and the versions. The kernels raise nothing and allocate nothing, so the calls of
numba's error paths in them are never reached and are given empty bodies.
"""

import ctypes
import functools
import hashlib
import importlib.util
import json
import logging
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bifrncrn.compile.native import Library, cached, compile_ir, load

logger = logging.getLogger(__name__)

KERNELS = {
    "march": ("bifrncrn.continuation.march_kernels", 1),
    "newton_step": ("bifrncrn.curves.equilibria.step_kernels", 5),
    "solve_again": ("bifrncrn.curves.equilibria.step_kernels", 2),
    "spectrum": ("bifrncrn.curves.equilibria.step_kernels", 4),
    "user_tests": ("bifrncrn.curves.equilibria.step_kernels", 4),
    "measure": ("bifrncrn.curves.equilibria.point_kernels", 3),
    "tangent": ("bifrncrn.curves.equilibria.point_kernels", 4),
    "fold": ("bifrncrn.curves.equilibria.point_kernels", 3),
    "hopf": ("bifrncrn.curves.equilibria.point_kernels", 4),
    "branch_point": ("bifrncrn.curves.equilibria.point_kernels", 5),
    "forms": ("bifrncrn.curves.equilibria.point_kernels", 4),
}
"""Every kernel, the module it stands in, and its number of int64 arguments; all return int64."""
ORBIT_KERNELS = dict.fromkeys(("orbit_correct", "orbit_extremes", "orbit_pair"), ("bifrncrn.curves.orbits.kernels", 1))
"""Those of periodic orbits, an engine of their own: who follows no orbit does not wait for it."""

_UNREACHED = re.compile(r"^declare\s+([^@]*?)(@(?:numba_|NRT_|Py)\w+)(\([^)]*\))[^\n]*$", re.MULTILINE)
_IMPORT = re.compile(r"^(?:from|import)\s+(bifrncrn[\w.]*)", re.MULTILINE)
_ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Engine:
    """The engine's functions.

    Attributes
    ----------
    address : dict of str to int
        Where every kernel is.
    call : dict of str to ctypes function
        Every kernel, to be called from Python.
    library : Library
        What keeps them alive.
    """

    address: dict[str, int]
    call: Mapping[str, Callable[..., int]]
    library: Library


def sources(modules: Iterable[str]) -> dict[str, bytes]:
    """Return the source of every module of the package that kernels in these modules can reach, by module name.

    Numba compiles what a kernel calls into it, so an edit of any of these makes other code.
    """
    texts: dict[str, bytes] = {}
    waiting = [*modules, __name__]
    while waiting:
        name = waiting.pop()
        if name in texts:
            continue
        place = _ROOT.joinpath(*name.split(".")[1:])
        texts[name] = (place / "__init__.py" if place.is_dir() else place.with_suffix(".py")).read_bytes()
        waiting += _IMPORT.findall(texts[name].decode("utf-8"))
    return texts


def _key(kernels: dict[str, tuple[str, int]]) -> str:
    digest = hashlib.sha256(_numba_version())
    for name, text in sorted(sources(module for module, _ in kernels.values()).items()):
        digest.update(name.encode() + text)
    return f"engine {digest.hexdigest()}"


def _numba_version() -> bytes:
    """Return what tells one version of numba from another; reading it is quicker than `importlib.metadata` (15 ms)."""
    spec = importlib.util.find_spec("numba")
    if spec is None or spec.origin is None:
        raise ImportError("the continuation engine is compiled by the package numba, which is not installed")
    return Path(spec.origin).with_name("_version.py").read_bytes()


def kernel_ir(name: str) -> str:
    """Compile one kernel with numba; return its IR with the kernel under its own name."""
    import importlib

    from numba import cfunc, types

    module, count = (KERNELS | ORBIT_KERNELS)[name]
    signature = types.int64(*[types.int64] * count)
    kernel = getattr(importlib.import_module(module), name)
    compiled = cfunc(signature, error_model="numpy")(kernel.py_func)
    text = compiled.inspect_llvm().replace(compiled.native_name, f"bifrncrn_{name}")
    return _UNREACHED.sub(_empty, text)


def _empty(match: re.Match[str]) -> str:
    """Return an empty body for a function of an error path, in place of its declaration."""
    result, name, arguments = match.group(1).strip(), match.group(2), match.group(3)
    return f"define linkonce_odr {result} {name}{arguments} {{ unreachable }}"


def _compile(jobs: tuple[list[str], ...]) -> bytes:
    """Compile kernels in fresh processes, side by side, one for each list of names, and link them.

    In a process of its own numba can be told (by its documented variable) to leave optimisation to the one pass over
    the linked kernels, which halves the time, and the caller's process does not have to load numba.
    """
    import llvmlite.binding as llvm

    logger.info("compiling the continuation engine, once per installation (about ten seconds)")
    root = str(_ROOT.parent)
    path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
    environment = dict(os.environ, NUMBA_OPT="0", PYTHONPATH=path)
    processes = [
        subprocess.Popen([sys.executable, "-m", __name__, *names], stdout=subprocess.PIPE, env=environment)
        for names in jobs
    ]
    outputs = [process.communicate()[0] for process in processes]
    if any(process.returncode for process in processes):
        raise RuntimeError("the continuation engine could not be compiled: the message above says why")
    modules = [llvm.parse_assembly(text) for output in outputs for text in json.loads(output)]
    for other in modules[1:]:
        modules[0].link_in(other)
    return compile_ir(str(modules[0]), opt=2)


@functools.cache
def engine() -> Engine:
    """Return the engine, compiling it on the first call after an installation."""
    jobs = (["march"], [name for name in KERNELS if name != "march"])
    return _loaded(KERNELS, load(cached(_key(KERNELS), functools.partial(_compile, jobs))))


@functools.cache
def orbit_engine() -> Engine:
    """Return the engine of periodic orbits, compiling it on the first call after an installation."""
    jobs = ([*ORBIT_KERNELS],)
    return _loaded(ORBIT_KERNELS, load(cached(_key(ORBIT_KERNELS), functools.partial(_compile, jobs))))


def _loaded(kernels: dict[str, tuple[str, int]], library: Library) -> Engine:
    address = {name: library.address(f"bifrncrn_{name}") for name in kernels}
    call = {
        name: ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_int64] * count)(address[name])
        for name, (_, count) in kernels.items()
    }
    return Engine(address, call, library)


if __name__ == "__main__":  # the process that `_compile` starts
    sys.stdout.write(json.dumps([kernel_ir(name) for name in sys.argv[1:]]))
