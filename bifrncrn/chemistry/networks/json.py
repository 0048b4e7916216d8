"""Networks, classifiers and controlled networks as JSON, with every digit of every number."""

from collections.abc import Mapping
from typing import Any

from bifrncrn.base.checks import number
from bifrncrn.base.errors import InputError
from bifrncrn.chemistry.networks.equations import WEIGHTS
from bifrncrn.chemistry.networks.network import Network

NETWORK = "bifrncrn.network/1"
UNITS = {
    "alpha": "1/(concentration time)",
    "omega": "1/(concentration time)",
    "psi": "1/(concentration time)",
    "theta": "1/time",
    "beta": "concentration/time",
    "gamma": "concentration/time",
    "tau": "1/(concentration time)",
}
DIMENSIONS = {"alpha": 2, "omega": 2, "psi": 2}


def network_to_json(network: Network) -> dict[str, Any]:
    """Return a network as plain JSON data."""
    return {
        "schema": NETWORK,
        "title": network.title,
        "weights": {
            name: {"unit": UNITS[name], "values": values.tolist()} for name, values in network.weights().items()
        },
        "mu": network.mu,
        "state": network.state.tolist(),
        "lam": network.lam.tolist(),
        "training": network.training,
    }


def network_from_json(data: Any) -> Network:
    """Build a network from JSON data."""
    record = table("the network", data, required={"schema", "weights"}, optional=_OPTIONAL)
    require_schema(record, NETWORK)
    weights = table("weights", record["weights"], required={"alpha", "omega"}, optional=set(WEIGHTS))
    arrays = {name: _values(name, entry) for name, entry in weights.items()}
    for name in ("state", "lam"):
        if name in record:
            arrays[name] = numbers(name, record[name], 1)
    mu = record.get("mu")
    return Network(
        **arrays,
        mu=None if mu is None else number("mu", mu),
        title=text("title", record.get("title", "")),
        training=table("training", record.get("training", {}), optional=None),
    )


_OPTIONAL = {"title", "mu", "state", "lam", "training"}


def _values(name: str, entry: Any) -> list[Any]:
    """Return the numbers of one weight array."""
    record = table(f"weights.{name}", entry, required={"values"}, optional={"unit"})
    unit = record.get("unit", UNITS[name])
    if unit != UNITS[name]:
        raise InputError(
            f"the unit of {name} is {unit!r:.60} but weights are read in {UNITS[name]!r}; convert the values"
        )
    return numbers(name, record["values"], DIMENSIONS.get(name, 1))


def numbers(name: str, value: Any, dimensions: int) -> list[Any]:
    """Return nested lists of finite numbers, `dimensions` deep."""
    if not isinstance(value, list):
        raise InputError(f"{name} is {value!r:.60} where a list of numbers is expected")
    if dimensions == 1:
        return [number(f"{name}[{i}]", entry) for i, entry in enumerate(value)]
    return [numbers(f"{name}[{i}]", entry, dimensions - 1) for i, entry in enumerate(value)]


def text(name: str, value: Any) -> str:
    """Return a string."""
    if not isinstance(value, str):
        raise InputError(f"{name} is {value!r:.60} where a text in quotes is expected")
    return value


def table(name: str, value: Any, required: set[str] | None = None, optional: set[str] | None = None) -> dict[str, Any]:
    """Return a JSON object with the required keys and none but the optional ones (any, when `optional` is None)."""
    if not isinstance(value, Mapping):
        raise InputError(f"{name} is {value!r:.60} where a JSON object is expected")
    needed = required or set()
    missing = sorted(needed - value.keys())
    if missing:
        raise InputError(f"{name} lacks the key {missing[0]!r}; it holds {', '.join(map(repr, value)) or 'nothing'}")
    unknown = sorted(value.keys() - needed - optional) if optional is not None else []
    if unknown and optional is not None:
        raise InputError(
            f"{name} holds the unknown key {unknown[0]!r}; known are {', '.join(sorted(needed | optional))}"
        )
    return dict(value)


def require_schema(record: Mapping[str, Any], schema: str) -> None:
    """Refuse JSON data of another schema."""
    if record["schema"] != schema:
        raise InputError(f"the schema is {record['schema']!r:.80} but {schema!r} is needed here")
