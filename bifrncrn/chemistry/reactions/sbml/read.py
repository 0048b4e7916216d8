"""SBML models as systems of differential equations."""

from bifrncrn.base.errors import InputError
from bifrncrn.chemistry.reactions.sbml.model import SbmlModel
from bifrncrn.models.system import System


def sbml_to_system(text: str, name: str = "the SBML document") -> System:
    """Return an SBML model as a system.

    Species that reactions or rate rules change become variables, as do parameters with rate rules; reaction rates and
    assignment rules become definitions; everything constant becomes a parameter.

    Raises
    ------
    InputError
        If libSBML is not installed, or the model has an error or uses something that is not supported.
    """
    return model_system(SbmlModel(text, name))


def model_system(model: SbmlModel) -> System:
    """Return an opened SBML model as a system; see `sbml_to_system`."""
    laws = {r.getId(): model.formula(model.law(r), f"the rate of {r.getId()}") for r in model.reactions}
    state, equations = _equations(model)
    if not equations:
        raise model.error("nothing changes in this model, so there is nothing to analyse")
    needed = {model.divisor(identifier) for identifier in state if identifier in model.species}
    fixed = [name for name in model.species if name not in state and name not in model.definitions]
    values = {name: model.start(name) for name in fixed}
    values.update({k: v for k, v in model.compartments.items() if k in needed or k in model.used})
    for name, parameter in model.parameters.items():
        if name not in state and name not in model.definitions:
            values[name] = model.value(parameter)
    try:
        return System.from_equations(
            equations,
            parameters=values,
            state=state,
            definitions={**model.definitions, **laws},
            nonnegative=all(name in model.species for name in state),
            title=model.title,
        )
    except InputError as error:
        raise model.error(str(error)) from error


def _equations(model: SbmlModel) -> tuple[dict[str, float], dict[str, str]]:
    """Return start values and time derivatives of everything that changes."""
    state: dict[str, float] = {}
    equations: dict[str, str] = {}
    nets = {reaction.getId(): model.net(reaction) for reaction in model.reactions}
    for species in model.species:
        terms = [_term(net[species], reaction) for reaction, net in nets.items() if species in net]
        if species in model.rates:
            equations[species] = model.rates[species]
        elif terms and species not in model.definitions:
            divisor = model.divisor(species)
            total = " + ".join(terms).replace("+ -", "- ")
            equations[species] = f"({total})/{divisor}" if divisor else total
        else:
            continue
        state[species] = model.start(species)
    for name, parameter in model.parameters.items():
        if name in model.rates:
            equations[name] = model.rates[name]
            state[name] = model.value(parameter)
    return state, equations


def _term(count: float, reaction: str) -> str:
    sign = "-" if count < 0 else ""
    size = abs(count)
    factor = "" if size == 1 else f"{int(size) if size.is_integer() else repr(size)}*"
    return f"{sign}{factor}{reaction}"
