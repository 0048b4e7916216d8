"""What several commands do: check where results go, print and write them, put values in."""

from __future__ import annotations

import json
import shlex
import sys
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bifrncrn.base.errors import InputError
from bifrncrn.base.files import check_writable, write_atomic
from bifrncrn.base.tables import printable

if TYPE_CHECKING:
    from bifrncrn.chemistry.reactions.network import ReactionNetwork
    from bifrncrn.models.system import System

OK, FINDING = 0, 1


def check_outputs(json_file: str | None, *files: str | None) -> None:
    """Find out before the computation whether its results can be written.

    The second of the files and later ones may have any suffix; the first is a picture.
    """
    picture = files[0] if files else None
    if picture is not None:
        from bifrncrn.plots.style import check_suffix

        check_suffix(picture)
    for name in (*files, None if json_file == "-" else json_file):
        if name is not None:
            check_writable(name)


def check_report(page: str | None) -> None:
    """Find out before the computation whether its report can be written."""
    if page is not None:
        from bifrncrn.cli.page.write import check_page

        check_page(page)


def command_line() -> str:
    """Return the command as it was given."""
    return shlex.join(["bifrncrn", *sys.argv[1:]])


def reactions_of(source: str, mu: float | None = None) -> ReactionNetwork | None:
    """Return the reactions of a model's file; None where it is no network, or one without a time-scale."""
    from bifrncrn.chemistry.networks.controlled import Classifier, ControlledNetwork
    from bifrncrn.chemistry.networks.network import Network
    from bifrncrn.chemistry.reactions.network import ReactionNetwork
    from bifrncrn.library.formats import read_model

    if Path(source).suffix.lower() not in (".json", ".mat", ".txt"):
        return None
    model = read_model(source)
    if isinstance(model, ReactionNetwork):
        return model
    if not isinstance(model, Network | Classifier | ControlledNetwork):
        return None
    parts = (model.network, model.classifier) if isinstance(model, ControlledNetwork) else (model,)
    known = mu is not None or all(part.mu is not None for part in parts)
    return model.reactions(mu) if known else None


def report(text: str, data: dict[str, Any] | None, json_file: str | None, *files: str | None) -> None:
    """Print the text, write the data, and say what was written; with `--json -` print the data and nothing else.

    `files` were written already.
    """
    if json_file is not None and data is not None:
        plain = json.dumps(data, allow_nan=False) + "\n"
        if json_file == "-":
            sys.stdout.write(plain)
            return
        write_atomic(json_file, plain)
    written = [f"wrote {name}" for name in (json_file, *files) if name is not None]
    sys.stdout.write(printable("\n".join([text, *([""] if written and text else []), *written])).lstrip("\n") + "\n")


def bounds_of(options: Namespace) -> tuple[float, float]:
    """Return the range that was asked for."""
    low, high = options.range
    if not low < high:
        raise InputError(f"--range {low:g} {high:g} is empty; give the lower end first and a higher one after it")
    return low, high


def merged(parts: list[dict[str, Any]] | None, option: str) -> dict[str, Any]:
    """Return the values of a repeated option together."""
    out: dict[str, Any] = {}
    for part in parts or []:
        for name in part:
            if name in out:
                raise InputError(f"{option} gives {name} twice; give it once")
        out |= part
    return out


def with_values(system: System, options: Namespace) -> System:
    """Return the system with the values of --set, those of conserved sums among them."""
    values = merged(options.set, "--set")
    if getattr(options, "parameter", None) in values:
        raise InputError(
            f"--set gives {options.parameter}, the continuation parameter; give its first value by --start"
        )
    totals = {name: values.pop(name) for name in [*values] if _is_total(name, system)}
    return system.with_(values=values, totals=totals) if values or totals else system


def _is_total(name: str, system: System) -> bool:
    """Tell whether a name is that of a conserved sum rather than of a parameter."""
    return name.startswith("total_") and name not in system.parameters
