"""Units of what is written as SBML, declared so that libSBML can check every formula."""

from __future__ import annotations

from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement

from bifrncrn.base.errors import InputError

PREFIXES = {"M": 0, "mM": -3, "uM": -6, "nM": -9}
"""The powers of ten of a mole per litre."""
SECONDS = {"s": 1, "min": 60, "h": 3600}
AMOUNT, VOLUME, TIME = "amount_unit", "volume_unit", "time_unit"


@dataclass(frozen=True)
class Units:
    """What one unit of concentration and one of time are: numbers of a network do not say it.

    Parameters
    ----------
    concentration : str
        "M" (moles per litre), "mM", "uM" or "nM".
    time : str
        "s", "min" or "h".
    """

    concentration: str = "M"
    time: str = "s"

    def __post_init__(self) -> None:
        for what, value, known in (("concentration", self.concentration, PREFIXES), ("time", self.time, SECONDS)):
            if value not in known:
                raise InputError(f"the unit of {what} is {value!r:.40} but must be one of {', '.join(known)}")

    def rate(self, order: int) -> str:
        """Return the unit of the rate of a mass-action reaction of so many reactants, as people write it."""
        power = 1 - order
        shown = "" if power == 0 else self.concentration if power == 1 else f"{self.concentration}^{power}"
        return " ".join([*([shown] if shown else []), f"{self.time}^-1"])

    def declare(self, model: Element, orders: set[int]) -> None:
        """Write the definitions of the units: amount, volume, time, and rates of these orders."""
        model.attrib.update(substanceUnits=AMOUNT, extentUnits=AMOUNT, timeUnits=TIME, volumeUnits=VOLUME)
        group = SubElement(model, "listOfUnitDefinitions")
        amount, volume = ("mole", PREFIXES[self.concentration], 1), ("litre", 0, 1)
        time = ("second", 0, SECONDS[self.time])
        _define(group, AMOUNT, [(*amount, 1)])
        _define(group, VOLUME, [(*volume, 1)])
        _define(group, TIME, [(*time, 1)])
        for order in sorted(orders):
            bases = [(*amount, 1 - order), (*volume, order - 1), (*time, -1)]
            _define(group, rate_unit(order), [base for base in bases if base[3]])


def rate_unit(order: int) -> str:
    """Return the identifier of the unit of a rate."""
    return f"rate_of_order_{order}"


def declare_dimensionless(model: Element) -> None:
    """Say that no quantity of a model has a unit, as is so where only equations are given."""
    model.attrib.update(dict.fromkeys(("substanceUnits", "extentUnits", "timeUnits", "volumeUnits"), "dimensionless"))


def _define(group: Element, name: str, bases: list[tuple[str, int, int, int]]) -> None:
    units = SubElement(SubElement(group, "unitDefinition", id=name), "listOfUnits")
    for kind, scale, multiplier, exponent in bases:
        SubElement(units, "unit", kind=kind, exponent=str(exponent), scale=str(scale), multiplier=str(multiplier))
