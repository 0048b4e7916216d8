"""One engine in a process of its own: `python -m bifrncrn.bench.worker`, a job on standard input, JSON lines out.

The first line is the outcome of the first run; the second the seconds of later runs. What an engine prints itself
goes to standard error.
"""

from __future__ import annotations

import contextlib
import json
import sys
import time
from typing import Any

from bifrncrn.bench.engines import Job, prepare
from bifrncrn.errors import ConvergenceError, InputError
from bifrncrn.systems.modelfile import loads

PATIENCE = 20.0
"""Seconds after which no further run is started."""


def main() -> int:
    """Read a job, run it, write what came out; return the exit code."""
    request = json.loads(sys.stdin.read())
    out = sys.stdout
    with contextlib.redirect_stdout(sys.stderr):
        try:
            job = Job(loads(request["model"]), request["parameter"], tuple(request["bounds"]), request["first"])
            run = prepare(request["engine"], job)
            _say(out, run().to_json())
        except (InputError, ConvergenceError) as error:
            _say(out, {"error": str(error)})
            return 2
        seconds: list[float] = []
        began = time.perf_counter()
        for _ in range(request["repeat"]):
            before = time.perf_counter()
            run()
            seconds.append(time.perf_counter() - before)
            if time.perf_counter() - began > PATIENCE:
                break
        _say(out, {"warm": seconds})
    return 0


def _say(out: Any, what: dict[str, Any]) -> None:
    out.write(json.dumps(what) + "\n")
    out.flush()


if __name__ == "__main__":
    sys.exit(main())
