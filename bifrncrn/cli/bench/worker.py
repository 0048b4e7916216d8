"""One engine in a process of its own: `python -m bifrncrn.cli.bench.worker`, a job on standard input, JSON out.

What an engine prints itself, from Python or from C, goes to standard error.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Mapping
from typing import Any

from bifrncrn.base.errors import ConvergenceError, InputError
from bifrncrn.cli.bench.engines import Job, prepare
from bifrncrn.models.toml import loads

LEAST = 0.5
"""Seconds that later runs take together, at least: a quick engine is run more often."""
PATIENCE = 20.0
"""Seconds after which no further run is started."""


def main() -> int:
    """Read a job, run it, write what came out; return the exit code."""
    answer = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    request = json.loads(sys.stdin.read())
    try:
        result = _measure(request)
    except (InputError, ConvergenceError) as error:
        result = {"error": str(error)}
    answer.write(json.dumps(result))
    answer.close()
    return 2 if "error" in result else 0


def _measure(request: Mapping[str, Any]) -> dict[str, Any]:
    job = Job(loads(request["model"]), request["parameter"], tuple(request["bounds"]), request["first"])
    run = prepare(request["engine"], job)
    outcome = run()
    cold = time.time() - request["began"]
    seconds: list[float] = []
    spent = 0.0
    while spent < PATIENCE and (len(seconds) < request["repeat"] or spent < LEAST):
        before = time.perf_counter()
        own = run().seconds
        elapsed = time.perf_counter() - before
        spent += elapsed
        seconds.append(elapsed if own is None else own)
    return {"outcome": outcome.to_json(), "cold": cold, "warm": seconds}


if __name__ == "__main__":
    sys.exit(main())
