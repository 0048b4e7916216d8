"""Kernels written for numba, as an engine that needs numba only once per installation, or never.

Whoever owns kernels names them in a `Kernels` of its own. numba's disk cache is not used: it does not notice a changed
callee in another file, and it needs numba (0.3 s) in every process. The optimised LLVM IR of a set is shipped with the
package where it fits (see `shipped`), else taken from numba; it is compiled to one object file and kept under a key of
the kernels' sources and the versions. The kernels raise nothing and allocate nothing, so the calls of numba's error
paths in them are never reached and are given empty bodies.
"""

import ctypes
import functools
import hashlib
import importlib
import importlib.util
import json
import logging
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bifrncrn.base.processes import start
from bifrncrn.compile import native, shipped
from bifrncrn.compile.native import Library, cached, compile_ir, load, optimised_ir

logger = logging.getLogger(__name__)

_UNREACHED = re.compile(r"^declare\s+([^@]*?)(@(?:numba_|NRT_|Py)\w+)(\([^)]*\))[^\n]*$", re.MULTILINE)
_IMPORT = re.compile(r"^(?:from|import)\s+(bifrncrn[\w.]*)", re.MULTILINE)
_ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Engine:
    """Compiled kernels.

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


@dataclass(frozen=True)
class Kernels:
    """A set of kernels that are compiled together when one of them is first needed.

    Attributes
    ----------
    name : str
        Of the set, and of the file it is shipped in.
    modules : dict of str to dict of str to int
        The modules they stand in; of each its kernels with their numbers of arguments, all int64, as is the result.
    vectorised : bool
        Whether their loops are over so many states that vectors pay.
    """

    name: str
    modules: Mapping[str, Mapping[str, int]]
    vectorised: bool = False

    @functools.cached_property
    def engine(self) -> Engine:
        """The compiled set; the first call after an installation compiles it."""
        key = f"engine {self.name} {self.digest} {_numba_version()}"
        library = load(cached(key, lambda: compile_ir(shipped.read(self.name, self.digest) or self.ir(), passes=False)))
        counts = {name: count for kernels in self.modules.values() for name, count in kernels.items()}
        address = {name: library.address(f"bifrncrn_{name}") for name in counts}
        call = {
            name: ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_int64] * count)(address[name])
            for name, count in counts.items()
        }
        return Engine(address, call, library)

    @functools.cached_property
    def digest(self) -> str:
        """A hash of all sources that are compiled into the set."""
        digest = hashlib.sha256(json.dumps([self.name, self.vectorised, *self.modules.items()]).encode())
        for name, text in sorted(sources(self.modules).items()):
            digest.update(name.encode() + text)
        return digest.hexdigest()

    def ir(self) -> str:
        """Return the set's optimised IR as numba makes it from the sources, one process for each module."""
        import llvmlite.binding as llvm

        logger.info("compiling the %s kernels, once per installation (about ten seconds)", self.name)
        # optimisation is left to the one pass over the linked kernels, which halves the time
        processes = [
            start(__name__, [module, json.dumps(kernels)], {"NUMBA_OPT": "0"}, stdout=subprocess.PIPE)
            for module, kernels in self.modules.items()
        ]
        outputs = [process.communicate()[0] for process in processes]
        if any(process.returncode for process in processes):
            raise RuntimeError(f"the {self.name} kernels could not be compiled: the message above says why")
        first, *others = [llvm.parse_assembly(text) for output in outputs for text in json.loads(output)]
        for other in others:
            first.link_in(other)
        return optimised_ir(str(first), vectorised=self.vectorised)


def sources(modules: Iterable[str]) -> dict[str, bytes]:
    """Return the source of every module of the package that kernels in these modules can reach, by module name.

    numba compiles what a kernel calls into it, so an edit of any of these makes other code. So does one of this module
    and of `native`; but not of what they import.
    """
    texts = {name: _source(name) for name in (__name__, native.__name__)}
    waiting = [*modules]
    while waiting:
        name = waiting.pop()
        if name not in texts:
            texts[name] = _source(name)
            waiting += _IMPORT.findall(texts[name].decode("utf-8"))
    return texts


def _source(module: str) -> bytes:
    place = _ROOT.joinpath(*module.split(".")[1:])
    return (place / "__init__.py" if place.is_dir() else place.with_suffix(".py")).read_bytes()


def _numba_version() -> str:
    """Return what tells one version of numba from another; reading it is quicker than `importlib.metadata` (15 ms)."""
    spec = importlib.util.find_spec("numba")
    if spec is None or spec.origin is None:
        raise ImportError("the continuation engine is compiled by the package numba, which is not installed")
    return Path(spec.origin).with_name("_version.py").read_text()


def _kernel_ir(module: str, name: str, count: int) -> str:
    """Compile one kernel with numba; return its IR with the kernel under its own name."""
    from numba import cfunc, types

    signature = types.int64(*[types.int64] * count)
    kernel = getattr(importlib.import_module(module), name)
    compiled = cfunc(signature, error_model="numpy")(kernel.py_func)
    text = compiled.inspect_llvm().replace(compiled.native_name, f"bifrncrn_{name}")
    return _UNREACHED.sub(_empty, text)


def _empty(match: re.Match[str]) -> str:
    """Return an empty body for a function of an error path, in place of its declaration."""
    result, name, arguments = match.group(1).strip(), match.group(2), match.group(3)
    return f"define linkonce_odr {result} {name}{arguments} {{ unreachable }}"


if __name__ == "__main__":  # the process that `Kernels.ir` starts
    of, kernels = sys.argv[1], json.loads(sys.argv[2])
    sys.stdout.write(json.dumps([_kernel_ir(of, name, count) for name, count in kernels.items()]))
