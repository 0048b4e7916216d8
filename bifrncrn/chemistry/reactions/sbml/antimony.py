"""Antimony, the text form of SBML, read and checked through the antimony library, which stays optional."""

from pathlib import Path

from bifrncrn.base.errors import InputError
from bifrncrn.chemistry.reactions.mass_action import rate_names
from bifrncrn.chemistry.reactions.network import NAME, ReactionNetwork
from bifrncrn.chemistry.reactions.sbml.child import converted
from bifrncrn.chemistry.reactions.sbml.document import open_document, require
from bifrncrn.chemistry.reactions.sbml.imports import imported_from
from bifrncrn.chemistry.reactions.sbml.math_out import OPERATORS, ROOT_FUNCTION
from bifrncrn.chemistry.reactions.sbml.write import SCALE, fresh, records_scale
from bifrncrn.models.expressions import tokenize
from bifrncrn.models.system import System

ROOT_TEXT = (
    f"function {ROOT_FUNCTION}(z, g, t)\n"
    "  piecewise((z + sqrt(z^2 + 4*g*t))/(2*t), z >= 0, 2*g/(sqrt(z^2 + 4*g*t) - z))\n"
    "end\n"
)


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

    Raises
    ------
    InputError
        If the library is not installed, or a species has a name that is a word of Antimony.
    """
    rates = rate_names(len(network.reactions), set(network.species))
    taken = {*network.species, *rates}
    constants = set(network.constants)
    lines = ["species " + ", ".join(f"${name}" if name in constants else name for name in network.species) + ";"]
    for reaction, rate in zip(network.reactions, rates):
        law = "*".join([rate, *reaction.reactants])
        sides = f"{' + '.join(reaction.reactants)} => {' + '.join(reaction.products)}"
        lines.append(f"{fresh(f'reaction_{rate}', taken)}: {sides}; {law};")
    lines += [f"{name} = {network.start.get(name, 0.0)!r};" for name in network.species]
    lines += [f"{rate} = {reaction.rate!r};" for rate, reaction in zip(rates, network.reactions)]
    constant = [*(name for name in network.species if name in constants), *rates]
    if records_scale(network):
        lines.append(f"{SCALE} = {network.mu!r};  // the time-scale the rates were made with; unused")
        constant.append(SCALE)
    lines.append(f"const {', '.join(constant)};")
    return _checked(lines, network.title)


def system_to_antimony(system: System) -> str:
    """Return a system as Antimony rate rules.

    Raises
    ------
    InputError
        If the library is not installed, or a name or function is not possible in Antimony.
    """
    for name in (*system.parameters, *system.definitions, *system.variables):
        if not NAME.fullmatch(name):
            raise InputError(f"{name!r} cannot be a name in Antimony; rename it with plain letters and underscores")
    lines = []
    if system.nonnegative is True:
        lines.append("species " + ", ".join(system.variables) + ";")
    lines += [f"{name} := {_formula(text)};" for name, text in system.definitions.items()]
    lines += [f"{name}' = {_formula(system.equations[name])};" for name in system.variables]
    values = zip((*system.parameters, *system.variables), (*system.values.tolist(), *system.state.tolist()))
    lines += [f"{name} = {value!r};" for name, value in values]
    texts = (*system.definitions.values(), *system.equations.values())
    return _checked(lines, system.title, ROOT_TEXT if any(ROOT_FUNCTION in text for text in texts) else "")


def _formula(text: str) -> str:
    """Return an expression with the operators and function names of Antimony."""
    tokens = tokenize(text)
    words = []
    for token, following in zip(tokens, [*tokens[1:], None]):
        called = token.kind == "name" and following is not None and following.text == "("
        words.append(_function(token.text) if called else {"**": "^"}.get(token.text, token.text))
    return " ".join(words)


def _function(name: str) -> str:
    if name in (ROOT_FUNCTION, "sqrt", "log10", *OPERATORS.values()) and name != "log":
        return name
    if name not in OPERATORS:
        raise InputError(f"the function {name} has no word in Antimony; write it by {', '.join(OPERATORS)}")
    return OPERATORS[name]


def _checked(lines: list[str], title: str, before: str = "") -> str:
    """Return the text of a model after the library has read it."""
    printable = " ".join("".join(c for c in title if c.isprintable() and c != '"').split())
    body = "".join(f"  {line}\n" for line in lines)
    name_line = f'network is "{printable}"\n' if printable else ""
    text = f"{before}model network()\n{body}end\n{name_line}"
    name = "the Antimony text written"
    open_document(antimony_to_sbml(text, name), name)
    return text
