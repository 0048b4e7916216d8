"""The report of a trained network."""

from __future__ import annotations

import numpy as np

from bifrncrn.cli.page.compared import both, verdict
from bifrncrn.cli.page.layers import Layer
from bifrncrn.cli.page.sections import Parts, formulas, section, table, text
from bifrncrn.comparison.comparison import Comparison
from bifrncrn.training.classifier import ClassifierFit
from bifrncrn.training.controlled_fit import ControlledFit
from bifrncrn.training.fit_result import Fit


def parts_of(found: Fit, comparison: Comparison | None) -> Parts:
    """Return what the page of a fit is made of, with the picture of a comparison where there is one."""
    m, n, p = found.network.sizes
    parts = [section("What was trained", fit(found), weights(found))]
    layers: list[Layer] = []
    if comparison is not None:
        layers = both(comparison) if comparison.names else []
        parts.append(section("Compared with the target", verdict(comparison)))
    if found.proof is not None:
        parts.append(section("Proof", f"<pre>{text(str(found.proof))}</pre>"))
    parts.append(section("Equations of the reduced network", formulas(found.network.reduced())))
    says = f"{m} executive species, {n} perceptrons, {p} parameter species"
    return Parts(f"{found.target.title}: a trained network", says, layers, parts)


def parts_of_controlled(found: ControlledFit) -> Parts:
    """Return what the page of a controlled network is made of: the whole, the network, the classifier."""
    m, n, p = found.network.network.sizes
    kind = "good" if found.reached else "bad"
    words = f'<p><span class="{kind}">{"reached" if found.reached else "not reached"}</span></p>'
    lines = "".join(f"<li>{text(line)}</li>" for line in found.lines)
    parts = [
        section("What it does in its environments", f"{words}<ul>{lines}</ul>"),
        section("The classifier", *classifier(found.classifier)),
        section("The network that is driven", fit(found.fit), weights(found.fit)),
        section("Equations of the reduced network", formulas(found.network.reduced())),
    ]
    says = f"{m} executive species, {n} perceptrons, {p} parameter species driven by a classifier"
    return Parts(f"{found.network.title}: a trained controlled network", says, [], parts)


def parts_of_classifier(found: ClassifierFit) -> Parts:
    """Return what the page of a classifier is made of."""
    p, h, k = found.classifier.sizes
    says = f"{p} environments, {h} hidden species, {k} outputs"
    part = section("What was trained", *classifier(found))
    return Parts(f"{found.record['target']}: a trained classifier", says, [], [part])


def classifier(found: ClassifierFit) -> tuple[str, str]:
    """Return how nearly a classifier does what was wanted, and its weights."""
    of = found.classifier
    names = ("first_layer", "first_biases", "output_layer", "output_biases", "gamma", "tau")
    rows = [[name, ", ".join(f"{v:.8g}" for v in np.ravel(getattr(of, name)).tolist())] for name in names]
    return f"<p>{text(found.report())}</p>", table(["weights", "row by row"], rows)


def fit(found: Fit) -> str:
    """Return what was trained, what it does, and all starts."""
    verdict = found.verification
    parts = []
    if verdict is not None:
        reached = found.reached
        words = f"reached: all that the target does, up to mu = {found.largest_mu:.3g}" if reached else "not reached"
        parts.append(f'<p><span class="{"good" if reached else "bad"}">{words}</span></p>')
        parts.append("<ul>" + "".join(f"<li>{text(line)}</li>" for line in verdict.lines) + "</ul>")
    parts.append(
        f"<p>{text(found.record['loss_kind'])} loss {found.loss:.4g} by definition, "
        f"{found.best.held_out:.4g} held out; best of {len(found.candidates)} starts, "
        f"{found.seconds:.1f} s, seed {found.record['seed']}.</p>"
    )
    rows = [
        [
            str(rank),
            str(one.start.index),
            f"{one.loss:.4g}",
            f"{one.held_out:.4g}",
            f"{one.start.weights.largest:.4g}",
            "not looked at" if one.standing is None else str(one.standing),
        ]
        for rank, one in enumerate(found.candidates, start=1)
    ]
    return "".join(parts) + table(["rank", "start", "loss", "held out", "largest rate", "behaviour"], rows)


def weights(found: Fit) -> str:
    """Return the trained weights, an array a row."""
    rows = [
        [name, ", ".join(f"{v:.8g}" for v in np.ravel(values).tolist())]
        for name, values in found.network.weights().items()
    ]
    return table(["weights", "row by row"], rows)
