"""What a laboratory needs of a fit: reactions with rates and units, SBML, the usable time-scale, what to measure."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from bifrncrn.base.errors import InputError
from bifrncrn.base.files import write_atomic
from bifrncrn.base.tables import csv_text
from bifrncrn.chemistry.reactions.network import Reaction, ReactionNetwork
from bifrncrn.chemistry.reactions.sbml.units import Units

if TYPE_CHECKING:
    from bifrncrn.training.fit_result import Fit

HEADER = ("name", "reaction", "rate", "unit", "what it does")
PERIODS = 5
"""Periods, or relaxation times, of the executive species that a measurement should take."""


def handover(
    fit: Fit, folder: str | os.PathLike[str], mu: float | None, concentration: str, time: str
) -> tuple[Path, ...]:
    """Write everything into a folder; see `Fit.handover`."""
    units = Units(concentration, time)
    scale = mu if mu is not None else fit.largest_mu if fit.largest_mu is not None else fit.network.mu
    if scale is None:
        raise InputError("the fit knows no time-scale at which its network does what is wanted; give mu")
    reactions = fit.network.reactions(scale)
    out = Path(folder)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot make the folder {out}: {error.strerror}; give another one") from error
    texts = {
        "reactions.csv": csv_text(HEADER, list(_rows(reactions, units))),
        "reactions.txt": reactions.to_text(),
        "README.md": _document(fit, reactions, scale, units),
    }
    sbml = _sbml(reactions, units)
    texts |= {} if sbml is None else {"network.xml": sbml}
    for name, text in texts.items():
        write_atomic(out / name, text)
    fit.network.save(out / "network.json")
    return (*(out / name for name in texts), out / "network.json")


def _sbml(reactions: ReactionNetwork, units: Units) -> str | None:
    """Return the reactions as SBML; None where libSBML, which checks it, is not installed."""
    import importlib.util

    if importlib.util.find_spec("libsbml") is None:
        return None
    from bifrncrn.chemistry.reactions.sbml.write import reactions_to_sbml

    return reactions_to_sbml(reactions, units)


def _rows(reactions: ReactionNetwork, units: Units) -> Iterator[tuple[str, str, float, str, str]]:
    """Yield the rows of the table; names are those in the SBML file."""
    for k, reaction in enumerate(reactions.reactions, 1):
        yield f"reaction_k{k}", _equation(reaction), reaction.rate, units.rate(len(reaction.reactants)), _role(reaction)


def _equation(reaction: Reaction) -> str:
    sides = []
    for names in (reaction.reactants, reaction.products):
        counts = {name: names.count(name) for name in dict.fromkeys(names)}
        sides.append(" + ".join(name if count == 1 else f"{count} {name}" for name, count in counts.items()) or "0")
    return " -> ".join(sides)


def _role(reaction: Reaction) -> str:
    """Say what a reaction of a network does."""
    ((target, sign),) = reaction.change().items()
    drivers = [name for name in reaction.reactants if name != target]
    if drivers:
        return f"{drivers[0]} makes {target} copy itself" if sign > 0 else f"{drivers[0]} degrades {target}"
    if not reaction.reactants:
        return f"influx of {target}"
    if reaction.reactants.count(target) > 1:
        return f"{target} degrades itself"
    return f"{target} copies itself" if sign > 0 else f"{target} decays"


def _document(fit: Fit, reactions: ReactionNetwork, mu: float, units: Units) -> str:
    """Return the page to read first."""
    m, n, p = fit.network.sizes
    c, t = units.concentration, units.time
    rates = [reaction.rate for reaction in reactions.reactions]
    held = fit.largest_mu
    usable = (
        f"Perceptrons are faster than executive species by 1/mu. All that is wanted was seen up to mu = {held:.3g}."
        if held is not None
        else "No time-scale was found at which all that is wanted holds; what is missing is listed below."
    )
    beyond = held is None or mu > held
    warning = ["**What was verified does not cover the time-scale of these rates.**", ""] if beyond else []
    robust = [f"- {one}" for one in fit.robustness] or ["- Robustness was not looked at (train with `robust=0.1`)."]
    held_constant = f" {p} parameter species L_l are catalysts, held at the concentrations set." if p else ""
    lines = [
        f"# {fit.network.title or fit.target.title}",
        "",
        f"{m} executive species X_i do what is wanted; {n} perceptrons Y_j drive them.{held_constant}",
        f"One unit of concentration is {c}, one of time {t}: nothing in the network says it, so choose them for rates",
        "that can be built.",
        "",
        "## Files",
        "",
        "- `reactions.csv`: every reaction with its name, rate constant, unit and what it does",
        "- `network.xml`: SBML with units (if libSBML was installed); names as in `reactions.csv`",
        "- `reactions.txt`, `network.json`: for bifrncrn",
        "",
        "## Time-scale and rates",
        "",
        f"{usable} The rates in these files are at mu = {mu:.4g}.",
        "",
        *warning,
        f"Rate constants lie between {min(rates):.3g} and {max(rates):.3g} in the units above.",
        "",
        "## What it does, and how sure that is",
        "",
        *([f"- {line}" for line in fit.verification.lines] if fit.verification else ["- Nothing was looked at."]),
        *robust,
        *[f"- {note}" for note in fit.notes],
        "",
        "## How to measure it",
        "",
        *_measuring(fit, reactions, units),
    ]
    return "\n".join(lines) + "\n"


def _measuring(fit: Fit, reactions: ReactionNetwork, units: Units) -> list[str]:
    """Return what to do, step by step."""
    c, t = units.concentration, units.time
    start = ", ".join(f"{name} = {value:.4g} {c}" for name, value in reactions.start.items() if name[0] in "XY")
    _, _, p = fit.network.sizes
    values = fit.target.bounds
    steps = [f"Mix all species at the start: {start}. From other perceptrons the X_i may be carried away at first."]
    if p and values is not None:
        low, high = values
        shown = ", ".join(f"{low + k * (high - low) / 4:.3g}" for k in range(5))
        steps.append(f"Hold L_1 at one of {shown} {c}; repeat for the others.")
    elif p:
        steps.append(f"Hold the parameter species at {', '.join(f'{v:.4g}' for v in fit.network.lam)} {c}.")
    steps += [
        f"Follow the X_i until they repeat themselves or rest, then {PERIODS} periods more (or {PERIODS} times as long "
        f"as they took to rest), with at least 20 readings a period; time is in {t}.",
        "Compare levels, extremes and periods with the lines above.",
        "Start again from half and from twice the X_i: where several states are stable, another one may be reached.",
    ]
    return [f"{k}. {step}" for k, step in enumerate(steps, 1)]
