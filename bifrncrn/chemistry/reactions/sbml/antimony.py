"""Antimony, the text form of SBML, read and checked through the antimony library, which stays optional."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from xml.etree.ElementTree import tostring

from bifrncrn.base.errors import InputError
from bifrncrn.chemistry.reactions.mass_action import rate_names
from bifrncrn.chemistry.reactions.network import NAME, ReactionNetwork
from bifrncrn.chemistry.reactions.sbml.child import converted
from bifrncrn.chemistry.reactions.sbml.document import open_document, require
from bifrncrn.chemistry.reactions.sbml.imports import imported_from
from bifrncrn.chemistry.reactions.sbml.math_out import ROOT_FUNCTION, math_element
from bifrncrn.chemistry.reactions.sbml.write import SCALE, fresh, records_scale
from bifrncrn.models.system import System
from bifrncrn.models.transitions import Transition

ROOT_TEXT = (
    f"function {ROOT_FUNCTION}(z, g, t)\n"
    "  piecewise((z + sqrt(z^2 + 4*g*t))/(2*t), z >= 0, 2*g/(sqrt(z^2 + 4*g*t) - z))\n"
    "end\n"
)

MAX_STATEMENT = 100_000
"""Characters of a statement: the library takes minutes for longer ones."""
_LISTED = """
at in is has function model module end import species reaction compartment const var formula gene
operator DNA event unit substanceOnly after priority delete ext constraint maximize minimize time pi
avogadro infinity inf nan true false notanumber exponentiale piecewise sin cos tan sec csc cot sinh cosh
tanh sech csch coth arcsin arccos arctan arcsec arccsc arccot asin acos atan exp normal uniform gamma
poisson exponential binomial bernoulli cauchy chisquare laplace lognormal rayleigh truncatedNormal delay
floor ceil ceiling factorial rateOf and or not xor quotient rem implies max min abs ln log log10 sqr sqrt
root pow power area volume length extent substance time_unit persistent fromTrigger t0 network
"""
WORDS = frozenset(_LISTED.split())
"""What the library takes for a word or a function of its own, found by trying."""


def antimony_to_sbml(text: str, name: str = "the Antimony text", folder: Path | None = None) -> str:
    """Return the main model of an Antimony text as SBML.

    The library hands numbers on with 15 digits. It runs in a process of its own: some texts crash it.

    Parameters
    ----------
    text, name : str
        The text, and what stands for it in messages.
    folder : Path, optional
        Where files lie that it imports; without it, or outside it, there are none.

    Raises
    ------
    InputError
        If the library is not installed or finds an error; the message repeats it.
    """
    require("antimony", "reading or writing Antimony")
    if "\0" in text:
        raise InputError(f"{name}: holds a null character, which is no text; check the file")
    longest = max(map(len, re.split(r"[;\n]", text)))
    if longest > MAX_STATEMENT:
        raise InputError(f"{name}: has a statement of {longest} characters, more than {MAX_STATEMENT}; name its parts")
    where = imported_from(text, name, folder)
    return converted("from antimony", text, name, "the Antimony text", where)


def sbml_to_antimony(text: str, name: str = "the SBML document") -> str:
    """Return an SBML document as Antimony, reaction by reaction; the library writes numbers with 15 digits.

    Raises
    ------
    InputError
        If a library is not installed, or finds an error.
    """
    require("antimony", "writing Antimony")
    open_document(text, name)
    return converted("to antimony", text, name, "the SBML file")


def reactions_to_antimony(network: ReactionNetwork) -> str:
    """Return mass-action reactions as Antimony, with a global parameter for every rate.

    Names that are words of Antimony get an underscore, which a comment tells.

    Raises
    ------
    InputError
        If the library is not installed.
    """
    rates = rate_names(len(network.reactions), set(network.species))
    taken = {*network.species, *rates}
    called = _renamed(network.species, taken)
    held = set(network.constants)
    species = {name: called.get(name, name) for name in network.species}
    lines = _comments(called)
    lines.append("species " + ", ".join(f"${own}" if name in held else own for name, own in species.items()) + ";")
    for reaction, rate in zip(network.reactions, rates):
        before, after = ([species[name] for name in side] for side in (reaction.reactants, reaction.products))
        law = "*".join([rate, *before])
        lines.append(f"{fresh(f'reaction_{rate}', taken)}: {' + '.join(before)} => {' + '.join(after)}; {law};")
    lines += [f"{own} = {network.start.get(name, 0.0)!r};" for name, own in species.items()]
    lines += [f"{rate} = {reaction.rate!r};" for rate, reaction in zip(rates, network.reactions)]
    constant = [*(own for name, own in species.items() if name in held), *rates]
    if records_scale(network):
        lines.append(f"{SCALE} = {network.mu!r};  // the time-scale the rates were made with; unused")
        constant.append(SCALE)
    lines.append(f"const {', '.join(constant)};")
    return _checked(lines, network.title)


def system_to_antimony(system: System) -> str:
    """Return a system as Antimony rate rules.

    Names that are words of Antimony get an underscore, which a comment tells; so does what is left out.

    Raises
    ------
    InputError
        If the library is not installed, or a name or function is not possible in Antimony.
    """
    names = (*system.parameters, *system.definitions, *system.variables)
    for name in (*names, *(one.name for one in system.transitions)):
        if not NAME.fullmatch(name):
            raise InputError(f"{name!r} cannot be a name in Antimony; rename it with plain letters and underscores")
    named = dict.fromkeys((*names, *(one.name for one in system.transitions)))
    called = _renamed(named, set(named))
    own = {name: called.get(name, name) for name in named}
    lines = [f"// {' '.join(note.split())}" for note in system.notes] + _comments(called)
    if system.nonnegative is True:
        lines.append("species " + ", ".join(own[name] for name in system.variables) + ";")
    lines += [f"{own[name]} := {_formula(text, own)};" for name, text in system.definitions.items()]
    lines += [f"{own[name]}' = {_formula(system.equations[name], own)};" for name in system.variables]
    values = zip((*system.parameters, *system.variables), (*system.values.tolist(), *system.state.tolist()))
    texts = {name: repr(value) for name, value in values}
    texts |= {name: _formula(text, own) for name, text in system.starts.items()}
    lines += [f"{own[name]} = {text};" for name, text in texts.items()]
    lines += [_event(one, own) for one in system.transitions]
    used = (*system.definitions.values(), *system.equations.values())
    return _checked(lines, system.title, ROOT_TEXT if any(ROOT_FUNCTION in text for text in used) else "")


def _renamed(names: Iterable[str], taken: set[str]) -> dict[str, str]:
    """Return other names for those that are words of Antimony."""
    called = {}
    for name in names:
        if name in WORDS:
            called[name] = fresh(f"{name}_", taken)
            taken.add(called[name])
    return called


def _event(one: Transition, own: Mapping[str, str]) -> str:
    """Return the line of an event."""
    late = "" if one.delay == "0" else f"{_formula(one.delay, own)} after "
    said = [f"t0={_word(one.initially)}", f"persistent={_word(one.persistent)}"]
    said += [f"fromTrigger={_word(one.from_trigger)}"]
    said += [f"priority={_formula(one.priority, own)}"] if one.priority else []
    changes = ", ".join(f"{own[name]} = {_formula(text, own)}" for name, text in one.assignments.items())
    return f"{own[one.name]}: at {late}({_formula(one.trigger, own)} != 0), {', '.join(said)}: {changes};"


def _word(flag: bool) -> str:
    return "true" if flag else "false"


def _comments(called: dict[str, str]) -> list[str]:
    return [f"// {own} is {name}, which is a word of Antimony" for name, own in called.items()]


def _formula(text: str, own: Mapping[str, str]) -> str:
    """Return an expression as Antimony writes it, under its own names; numbers have 15 digits."""
    libsbml = require("libsbml", "writing Antimony")
    content = math_element(text, own)
    for element in content.iter("ci"):
        element.text = own.get(element.text or "", element.text)
    return str(libsbml.formulaToL3String(libsbml.readMathMLFromString(tostring(content, encoding="unicode"))))


def _checked(lines: list[str], title: str, before: str = "") -> str:
    """Return the text of a model after the library has read it."""
    printable = " ".join("".join(c for c in title if c.isprintable() and c != '"').split())
    body = "".join(f"  {line}\n" for line in lines)
    name_line = f'network is "{printable}"\n' if printable else ""
    text = f"{before}model network()\n{body}end\n{name_line}"
    name = "the Antimony text written"
    open_document(antimony_to_sbml(text, name), name)
    return text
