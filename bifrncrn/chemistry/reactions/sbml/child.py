"""Conversions that can crash or hang a library, each in a process of its own.

Run as a module it is that process: a job comes as JSON on standard input, the answer goes to standard output.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from typing import Any

from bifrncrn.base.errors import InputError

SECONDS = 60
"""The longest a conversion may take; the largest public models take some ten."""
BYTES = 8_000_000_000
"""The memory it may take."""


def converted(kind: str, text: str, name: str, what: str, folder: str = "") -> str:
    """Return a text converted in a process of its own.

    Parameters
    ----------
    kind : {"flatten", "from antimony", "to antimony"}
    text : str
        What is to be converted.
    name, what : str
        Stand for the text, and for what it holds, in messages.
    folder : str
        The folder in which the library may look for other files; empty where it may look nowhere.

    Raises
    ------
    InputError
        If the library finds an error, crashes or takes too long.
    """
    from bifrncrn.base.processes import start

    process = start(__name__, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    job = json.dumps({"kind": kind, "text": text, "folder": folder}).encode("utf-8")
    try:
        out, _ = process.communicate(job, timeout=SECONDS)
        answer = json.loads(out)
    except subprocess.TimeoutExpired:
        raise InputError(f"{name}: {what} takes the library more than {SECONDS} s to convert; simplify it") from None
    except ValueError:
        raise InputError(
            f"{name}: the library that reads it breaks down on {what}; look for what is odd in it"
        ) from None
    finally:
        process.kill()
        process.wait()
    if not answer["text"]:
        said = " ".join(answer["said"].split()).rstrip(".") or "it does not say why"
        raise InputError(f"{name}: {said:.300}; correct {what}")
    return str(answer["text"])


def _answer(job: dict[str, str]) -> dict[str, str]:
    """Return the converted text, or what the library says instead."""
    work = _flatten if job["kind"] == "flatten" else _antimony
    return work(job)


def _flatten(job: dict[str, str]) -> dict[str, str]:
    import libsbml

    _confine(job["folder"])
    document = libsbml.readSBMLFromString(job["text"])
    if job["folder"]:
        document.setLocationURI(f"file:{job['folder']}/model.xml")
    options = libsbml.ConversionProperties()
    for key, value in (("flatten comp", True), ("leavePorts", False), ("performValidation", False)):
        options.addOption(key, value)
    if document.convert(options) == libsbml.LIBSBML_OPERATION_SUCCESS:
        return {"text": libsbml.writeSBMLToString(document), "said": ""}
    errors = [document.getError(i) for i in range(document.getNumErrors())]
    said = [error.getMessage() for error in errors if error.getSeverity() >= libsbml.LIBSBML_SEV_ERROR]
    return {"text": "", "said": said[-1] if said else "it cannot be made flat"}


def _antimony(job: dict[str, str]) -> dict[str, str]:
    import antimony as library

    _confine(job["folder"])
    try:
        if job["kind"] == "from antimony":
            code = library.loadAntimonyString(job["text"])
            text = "" if code < 0 else library.getSBMLString(library.getMainModuleName())
        else:
            code = library.loadSBMLString(job["text"])
            text = "" if code < 0 else library.getAntimonyString(library.getMainModuleName())
        return {"text": text or "", "said": "" if text else library.getLastError() or "it holds no model"}
    except UnicodeError:
        return {"text": "", "said": "it holds characters that Antimony cannot read; write plain ASCII names"}


def _confine(folder: str) -> None:
    """Let the library open no more files than it may, and take no more than its share; where the system can."""
    if folder:
        os.chdir(folder)
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES))
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if not folder:
            resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN, OPEN))


OPEN = 5
"""Files open at the start: the three standard ones, the answer, and one to spare."""


def main() -> None:
    """Take a job, do it, and answer."""
    job = json.loads(sys.stdin.buffer.read())
    answer = os.dup(1)
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)  # the library writes there
    os.close(silent)
    text: Any = json.dumps(_answer(job)).encode("utf-8")
    with os.fdopen(answer, "wb") as stream:
        stream.write(text)
    os._exit(0)


if __name__ == "__main__":
    main()
