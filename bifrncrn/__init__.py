"""Bifurcation analysis built around continuation, for recurrent neural chemical reaction networks and any ODE model."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_PUBLIC = {
    "System": "bifrncrn.systems.system",
    "Network": "bifrncrn.rncrn.network",
    "Target": "bifrncrn.rncrn.target",
    "FieldPart": "bifrncrn.rncrn.target",
    "CurvePart": "bifrncrn.rncrn.designer",
    "Curve": "bifrncrn.rncrn.curve",
    "CycleWanted": "bifrncrn.rncrn.behaviours",
    "Fit": "bifrncrn.rncrn.fit",
    "Classifier": "bifrncrn.rncrn.controlled",
    "ClassifierTarget": "bifrncrn.rncrn.classifying",
    "ControlledNetwork": "bifrncrn.rncrn.controlled",
    "ReactionNetwork": "bifrncrn.rncrn.reactions",
    "Diagram": "bifrncrn.results",
    "Branch": "bifrncrn.results",
    "SpecialPoint": "bifrncrn.results",
    "Comparison": "bifrncrn.comparison",
    "Options": "bifrncrn.continuation.options",
    "Cycle": "bifrncrn.cycles",
    "Simulation": "bifrncrn.systems.simulation",
    "Event": "bifrncrn.systems.timeevents",
    "InputError": "bifrncrn.errors",
    "ConvergenceError": "bifrncrn.errors",
    "ContinuationWarning": "bifrncrn.errors",
    "diagram": "bifrncrn.diagrams",
    "extend": "bifrncrn.extension",
    "locus": "bifrncrn.loci.verbs",
    "orbits": "bifrncrn.periodic",
    "with_orbits": "bifrncrn.periodic",
    "compare": "bifrncrn.comparing",
    "train": "bifrncrn.rncrn.training",
    "train_classifier": "bifrncrn.rncrn.classifying",
    "load_model": "bifrncrn.rncrn.formats",
    "find_cycle": "bifrncrn.cycles",
    "find_homoclinic": "bifrncrn.homoclinic",
    "Homoclinic": "bifrncrn.homoclinic",
    "describe_attractor": "bifrncrn.cycles",
    "hausdorff": "bifrncrn.cycles",
    "largest_lyapunov": "bifrncrn.lyapunov",
}
_MODULES = {"library": "bifrncrn.systems.library"}

__all__ = [*_PUBLIC, *_MODULES, "__version__"]

if TYPE_CHECKING:
    from bifrncrn.comparing import compare
    from bifrncrn.comparison import Comparison
    from bifrncrn.continuation.options import Options
    from bifrncrn.cycles import Cycle, describe_attractor, find_cycle, hausdorff
    from bifrncrn.diagrams import diagram
    from bifrncrn.errors import ContinuationWarning, ConvergenceError, InputError
    from bifrncrn.extension import extend
    from bifrncrn.homoclinic import Homoclinic, find_homoclinic
    from bifrncrn.loci.verbs import locus
    from bifrncrn.lyapunov import largest_lyapunov
    from bifrncrn.periodic import orbits, with_orbits
    from bifrncrn.results import Branch, Diagram, SpecialPoint
    from bifrncrn.rncrn.behaviours import CycleWanted
    from bifrncrn.rncrn.classifying import ClassifierTarget, train_classifier
    from bifrncrn.rncrn.controlled import Classifier, ControlledNetwork
    from bifrncrn.rncrn.curve import Curve
    from bifrncrn.rncrn.designer import CurvePart
    from bifrncrn.rncrn.fit import Fit
    from bifrncrn.rncrn.formats import load_model
    from bifrncrn.rncrn.network import Network
    from bifrncrn.rncrn.reactions import ReactionNetwork
    from bifrncrn.rncrn.target import FieldPart, Target
    from bifrncrn.rncrn.training import train
    from bifrncrn.systems import library
    from bifrncrn.systems.simulation import Simulation
    from bifrncrn.systems.system import System
    from bifrncrn.systems.timeevents import Event


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(_MODULES[name])
    if name in _PUBLIC:
        return getattr(importlib.import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
