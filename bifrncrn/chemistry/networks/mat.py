"""The three ``.mat`` layouts of the authors of recurrent neural chemical reaction networks.

1. ``first_layer_weights`` (M+P, N), ``first_layer_biases`` (1, N), ``output_layer_weights`` (N, M), scalars ``gamma``,
   ``beta`` (older: ``betas``) and tau under the key ``alpha``; absent means gamma 1, beta 0, tau 1.
2. ``alpha_mat`` (M, N), ``omega_mat`` (N, M), ``bias_vec`` (N, 1), ``beta`` (M, 1), ``gamma`` (N, 1), ``tau`` (N, 1),
   with parameter species also ``static_omega_mat`` (N, P).
3. A classifier: ``first_layer_weights`` (P, H), ``first_layer_biases`` (1, H), ``output_layer_weights`` (H, K),
   ``output_layer_biases`` (1, K), scalar ``gamma``.

What the layouts have no place for (start values, mu, title, training record) is written under further keys, which
other readers of these files do not look at.
"""

import io
import json
import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from bifrncrn.base.checks import Array, naming
from bifrncrn.base.errors import InputError
from bifrncrn.base.files import write_atomic
from bifrncrn.chemistry.networks.controlled import Classifier
from bifrncrn.chemistry.networks.mat_reader import read_variables
from bifrncrn.chemistry.networks.network import Network

FIRST = ("first_layer_weights", "first_layer_biases", "output_layer_weights")
SECOND = ("alpha_mat", "omega_mat", "bias_vec", "beta", "gamma", "tau")
RECORDED = ("loss", "rnd_seed", "loss_type")
LAYOUTS = (
    f"(1) {', '.join(FIRST)} with gamma, beta, alpha; (2) {', '.join(SECOND)}; "
    f"(3) {', '.join(FIRST)}, output_layer_biases with gamma"
)

Variables = Mapping[str, Any]


def read_mat(path: str | os.PathLike[str]) -> Network | Classifier:
    """Read a network (layouts 1 and 2) or a classifier (layout 3) from a ``.mat`` file.

    Single-precision entries keep their exact value. Start concentrations and parameter species the file does not
    give are 1.

    Raises
    ------
    InputError
        If the file cannot be read, is corrupt, or holds something else; the message lists the keys found.
    """
    variables = read_variables(path)
    with naming(path):
        if "output_layer_biases" in variables and all(key in variables for key in FIRST):
            return _read_classifier(variables)
        if all(key in variables for key in ("alpha_mat", "omega_mat")):
            return _read_second(variables)
        if all(key in variables for key in FIRST):
            return _read_first(variables)
        found = ", ".join(variables) or "nothing"
        raise InputError(f"holds {found}, which is none of the layouts {LAYOUTS}")


def write_mat(path: str | os.PathLike[str], model: Network | Classifier, layout: int | None = None) -> None:
    """Write a network in layout 2 (or 1), a classifier in layout 3.

    Raises
    ------
    InputError
        If the model does not fit the layout.
    """
    fitting = (3,) if isinstance(model, Classifier) else (1, 2)
    chosen = fitting[-1] if layout is None else layout
    if chosen not in fitting:
        kind = "a classifier" if isinstance(model, Classifier) else "a network"
        raise InputError(f"layout {chosen!r} does not hold {kind}; choose from {', '.join(map(str, fitting))}")
    if isinstance(model, Classifier):
        variables = _classifier_variables(model)
    else:
        variables = _first_variables(model) if chosen == 1 else _second_variables(model)
        variables["state"] = model.state[None, :]
        if model.training:
            variables["training"] = _record_text(model.training)
    variables["lam"] = model.lam[None, :]
    if model.mu is not None:
        variables["mu"] = np.array([[model.mu]])
    if model.title:
        variables["title"] = _escaped(model.title)
    from scipy.io import savemat

    buffer = io.BytesIO()
    savemat(buffer, variables)
    write_atomic(path, buffer.getvalue())


def _record_text(record: Mapping[str, Any]) -> str:
    try:
        return json.dumps(record, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"the training record cannot be written ({error}); keep to text, finite numbers, lists"
        ) from error


def _escaped(text: str) -> str:
    """Return a title as JSON text: the file format holds plain characters only."""
    return json.dumps(text)


def _read_first(variables: Variables) -> Network:
    weights = _matrix(variables, "first_layer_weights")
    output = _matrix(variables, "output_layer_weights")
    m = output.shape[1]
    if weights.shape[0] < m:
        raise InputError(
            f"first_layer_weights has shape {weights.shape} but output_layer_weights of shape {output.shape} asks for "
            f"at least {m} rows, one for each executive species"
        )
    beta_key = "betas" if "betas" in variables else "beta"
    return Network(
        alpha=output.T,
        omega=weights[:m].T,
        psi=weights[m:].T,
        theta=_vector(variables, "first_layer_biases"),
        beta=_spread(variables, beta_key, 0.0),
        gamma=_spread(variables, "gamma", 1.0),
        tau=_spread(variables, "alpha", 1.0),  # the key that means something else
        **_extras(variables),
    )


def _read_second(variables: Variables) -> Network:
    return Network(
        alpha=_matrix(variables, "alpha_mat"),
        omega=_matrix(variables, "omega_mat"),
        psi=_matrix(variables, "static_omega_mat") if "static_omega_mat" in variables else None,
        theta=_vector(variables, "bias_vec"),
        beta=_spread(variables, "betas" if "betas" in variables else "beta", 0.0),
        gamma=_spread(variables, "gamma", 1.0),
        tau=_spread(variables, "tau", 1.0),
        **_extras(variables),
    )


def _read_classifier(variables: Variables) -> Classifier:
    extras = _extras(variables)
    return Classifier(
        first_layer=_matrix(variables, "first_layer_weights"),
        first_biases=_vector(variables, "first_layer_biases"),
        output_layer=_matrix(variables, "output_layer_weights"),
        output_biases=_vector(variables, "output_layer_biases"),
        gamma=_scalar(variables, "gamma") if "gamma" in variables else 1.0,
        tau=_scalar(variables, "tau") if "tau" in variables else 1.0,
        **{key: extras[key] for key in ("lam", "mu", "title") if key in extras},
    )


def _extras(variables: Variables) -> dict[str, Any]:
    """Return what a file says beyond its layout."""
    extras: dict[str, Any] = {key: _vector(variables, key) for key in ("state", "lam") if key in variables}
    if "mu" in variables:
        extras["mu"] = _scalar(variables, "mu")
    if "title" in variables:
        extras["title"] = _decoded(variables, "title", str)
    if "training" in variables:
        extras["training"] = _decoded(variables, "training", dict)
    else:
        extras["training"] = {key: _plain(variables[key]) for key in RECORDED if key in variables}
    return extras


def _numeric(variables: Variables, key: str) -> Array:
    if key not in variables:
        raise InputError(f"lacks {key}; it holds {', '.join(variables)}")
    value = variables[key]
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "iuf":
        raise InputError(f"{key} is not an array of real numbers; save it as a full numeric array")
    return value.astype(np.float64)


def _matrix(variables: Variables, key: str) -> Array:
    value = _numeric(variables, key)
    if value.ndim != 2:
        raise InputError(f"{key} has shape {value.shape} but must be two-dimensional")
    return value


def _vector(variables: Variables, key: str) -> Array:
    """Return a row or column as a vector."""
    value = _numeric(variables, key)
    if value.ndim != 2 or min(value.shape) > 1:
        raise InputError(f"{key} has shape {value.shape} but must be one row or one column")
    return value.ravel()


def _scalar(variables: Variables, key: str) -> float:
    value = _numeric(variables, key)
    if value.size != 1:
        raise InputError(f"{key} has shape {value.shape} but must be a single number")
    return float(value.ravel()[0])


def _spread(variables: Variables, key: str, default: float) -> Array | float:
    """Return a vector, or a single number for all, or the default when the file has none."""
    if key not in variables:
        return default
    value = _vector(variables, key)
    return float(value[0]) if value.size == 1 else value


def _plain(value: Any) -> Any:
    """Return a recorded value as JSON holds it."""
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "iufUb":
        return None
    plain = value.ravel().tolist()
    finite = [None if isinstance(v, float) and not np.isfinite(v) else v for v in plain]
    return finite[0] if len(finite) == 1 else finite


def _decoded(variables: Variables, key: str, kind: type) -> Any:
    """Return a text of ours, written as JSON; any other text is taken as it is where a text is wanted."""
    value = variables[key]
    if not isinstance(value, np.ndarray) or value.dtype.kind != "U" or value.size != 1:
        raise InputError(f"{key} is not a text; save it as one line of characters")
    text = str(value.ravel()[0])
    try:
        decoded = json.loads(text)
    except (ValueError, RecursionError):
        decoded = text
    if not isinstance(decoded, kind):
        if kind is str:
            return text
        raise InputError(f"{key} is {text!r:.60}, which is not a JSON object; leave it out or write one")
    return decoded


def _second_variables(network: Network) -> dict[str, Any]:
    m, n, p = network.sizes
    variables: dict[str, Any] = {
        "alpha_mat": network.alpha,
        "omega_mat": network.omega,
        "bias_vec": network.theta[:, None],
        "beta": network.beta[:, None],
        "gamma": network.gamma[:, None],
        "tau": network.tau[:, None],
        "number_of_exec_species": np.array([[m]], dtype=np.int32),
        "number_chemical_perceptrons": np.array([[n]], dtype=np.int32),
    }
    if p:
        variables["static_omega_mat"] = network.psi
        variables["number_of_static_exec_species"] = np.array([[p]], dtype=np.int32)
    return variables


def _first_variables(network: Network) -> dict[str, Any]:
    return {
        "first_layer_weights": np.hstack([network.omega, network.psi]).T,
        "first_layer_biases": network.theta[None, :],
        "output_layer_weights": network.alpha.T,
        "gamma": _uniform("gamma", network.gamma),
        "beta": _uniform("beta", network.beta),
        "alpha": _uniform("tau", network.tau),
    }


def _uniform(name: str, values: Array) -> Array:
    if (values != values[0]).any():
        raise InputError(f"{name} is {values.tolist()} but layout 1 holds one value for all; choose layout 2")
    return np.array([[values[0]]])


def _classifier_variables(classifier: Classifier) -> dict[str, Any]:
    return {
        "first_layer_weights": classifier.first_layer,
        "first_layer_biases": classifier.first_biases[None, :],
        "output_layer_weights": classifier.output_layer,
        "output_layer_biases": classifier.output_biases[None, :],
        "gamma": np.array([[classifier.gamma]]),
        "tau": np.array([[classifier.tau]]),
    }
