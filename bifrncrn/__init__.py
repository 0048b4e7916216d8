"""Bifurcation analysis built around continuation, for recurrent neural chemical reaction networks and any ODE model."""

from __future__ import annotations

import importlib

TYPE_CHECKING = False  # typing itself is not imported: `python -m bifrncrn` still has the current folder on its path

__version__ = "0.1.0"

_PUBLIC = {
    "System": "bifrncrn.models.system",
    "Network": "bifrncrn.chemistry.networks.network",
    "Target": "bifrncrn.training.targets.target",
    "FieldPart": "bifrncrn.training.targets.target",
    "CurvePart": "bifrncrn.training.targets.curve_part",
    "Curve": "bifrncrn.training.targets.curve",
    "AttractorsWanted": "bifrncrn.training.targets.behaviours",
    "CycleWanted": "bifrncrn.training.targets.behaviours",
    "Fit": "bifrncrn.training.fit_result",
    "Classifier": "bifrncrn.chemistry.networks.controlled",
    "ClassifierTarget": "bifrncrn.training.classifier",
    "ControlledNetwork": "bifrncrn.chemistry.networks.controlled",
    "ReactionNetwork": "bifrncrn.chemistry.reactions.network",
    "Diagram": "bifrncrn.diagrams.results",
    "Branch": "bifrncrn.diagrams.results",
    "SpecialPoint": "bifrncrn.diagrams.results",
    "Comparison": "bifrncrn.comparison.comparison",
    "Options": "bifrncrn.continuation.options",
    "LABELS": "bifrncrn.base.labels",
    "CurveKind": "bifrncrn.continuation.kind",
    "follow": "bifrncrn.diagrams.follow",
    "End": "bifrncrn.diagrams.results",
    "ChaosWanted": "bifrncrn.training.targets.behaviours",
    "SwitchWanted": "bifrncrn.training.targets.behaviours",
    "Known": "bifrncrn.cli.bench",
    "behaviours_of": "bifrncrn.training.targets.wanted",
    "check_proof": "bifrncrn.cli.checker",
    "find_equilibria": "bifrncrn.curves.equilibria.find",
    "find_onsets": "bifrncrn.diagrams.onset",
    "stochastic": "bifrncrn.training.molecules",
    "save_diagram": "bifrncrn.plots.diagram",
    "save_report": "bifrncrn.cli.page.write",
    "compare_diagrams": "bifrncrn.comparison.compare",
    "conserved": "bifrncrn.models.conservation",
    "convert": "bifrncrn.library.formats",
    "read_model": "bifrncrn.library.formats",
    "write_model": "bifrncrn.library.formats",
    "EquilibriaWanted": "bifrncrn.training.targets.behaviours",
    "HomoclinicWanted": "bifrncrn.training.targets.behaviours",
    "Reaction": "bifrncrn.chemistry.reactions.network",
    "bench": "bifrncrn.cli.bench",
    "main": "bifrncrn.cli.main",
    "Cycle": "bifrncrn.trajectories.cycles",
    "MapCycle": "bifrncrn.curves.fixed_points.cycles",
    "MapCycles": "bifrncrn.curves.fixed_points.cycles",
    "cycles": "bifrncrn.curves.fixed_points.cycles",
    "Simulation": "bifrncrn.trajectories.simulation",
    "Event": "bifrncrn.trajectories.events",
    "Transition": "bifrncrn.models.transitions",
    "InputError": "bifrncrn.base.errors",
    "ConvergenceError": "bifrncrn.base.errors",
    "ContinuationWarning": "bifrncrn.base.errors",
    "diagram": "bifrncrn.diagrams.diagram",
    "extend": "bifrncrn.diagrams.extend",
    "locus": "bifrncrn.diagrams.locus",
    "with_loci": "bifrncrn.diagrams.locus",
    "with_snic": "bifrncrn.diagrams.snic",
    "orbits": "bifrncrn.diagrams.orbits",
    "with_orbits": "bifrncrn.diagrams.orbits",
    "prove": "bifrncrn.proofs.prove",
    "Proof": "bifrncrn.proofs.result",
    "with_cycle": "bifrncrn.diagrams.orbits",
    "with_doublings": "bifrncrn.diagrams.orbits",
    "compare": "bifrncrn.comparison.compare",
    "train": "bifrncrn.training.train",
    "train_classifier": "bifrncrn.training.classifier",
    "load_model": "bifrncrn.library.formats",
    "reproduce": "bifrncrn.library.reproduction.reproduce",
    "Reproduction": "bifrncrn.library.reproduction.reproduce",
    "portrait": "bifrncrn.trajectories.portrait",
    "Portrait": "bifrncrn.trajectories.portrait",
    "find_cycle": "bifrncrn.trajectories.cycles",
    "find_homoclinic": "bifrncrn.trajectories.homoclinic",
    "Homoclinic": "bifrncrn.trajectories.homoclinic",
    "find_heteroclinic": "bifrncrn.trajectories.heteroclinic",
    "Heteroclinic": "bifrncrn.trajectories.heteroclinic",
    "describe_attractor": "bifrncrn.trajectories.cycles",
    "hausdorff": "bifrncrn.trajectories.cycles",
    "largest_lyapunov": "bifrncrn.trajectories.lyapunov",
    "lyapunov_spectrum": "bifrncrn.trajectories.spectrum",
    "LyapunovSpectrum": "bifrncrn.trajectories.spectrum",
    "attractors": "bifrncrn.trajectories.attractors",
    "Attractor": "bifrncrn.trajectories.attractor_results",
    "Attractors": "bifrncrn.trajectories.attractor_results",
}
_MODULES = {"library": "bifrncrn.library"}

__all__ = [*_PUBLIC, *_MODULES, "__version__"]

if TYPE_CHECKING:
    from typing import Any

    from bifrncrn import library
    from bifrncrn.base.errors import ContinuationWarning, ConvergenceError, InputError
    from bifrncrn.base.labels import LABELS
    from bifrncrn.chemistry.networks.controlled import Classifier, ControlledNetwork
    from bifrncrn.chemistry.networks.network import Network
    from bifrncrn.chemistry.reactions.network import Reaction, ReactionNetwork
    from bifrncrn.cli.bench import Known, bench
    from bifrncrn.cli.checker import check_proof
    from bifrncrn.cli.main import main
    from bifrncrn.cli.page.write import save_report
    from bifrncrn.comparison.compare import compare, compare_diagrams
    from bifrncrn.comparison.comparison import Comparison
    from bifrncrn.continuation.kind import CurveKind
    from bifrncrn.continuation.options import Options
    from bifrncrn.curves.equilibria.find import find_equilibria
    from bifrncrn.curves.fixed_points.cycles import MapCycle, MapCycles, cycles
    from bifrncrn.diagrams.diagram import diagram
    from bifrncrn.diagrams.extend import extend
    from bifrncrn.diagrams.follow import follow
    from bifrncrn.diagrams.locus import locus, with_loci
    from bifrncrn.diagrams.onset import find_onsets
    from bifrncrn.diagrams.orbits import orbits, with_cycle, with_doublings, with_orbits
    from bifrncrn.diagrams.results import Branch, Diagram, End, SpecialPoint
    from bifrncrn.diagrams.snic import with_snic
    from bifrncrn.library.formats import convert, load_model, read_model, write_model
    from bifrncrn.library.reproduction.reproduce import Reproduction, reproduce
    from bifrncrn.models.conservation import conserved
    from bifrncrn.models.system import System
    from bifrncrn.models.transitions import Transition
    from bifrncrn.plots.diagram import save_diagram
    from bifrncrn.proofs.prove import prove
    from bifrncrn.proofs.result import Proof
    from bifrncrn.training.classifier import ClassifierTarget, train_classifier
    from bifrncrn.training.fit_result import Fit
    from bifrncrn.training.molecules import stochastic
    from bifrncrn.training.targets.behaviours import (
        AttractorsWanted,
        ChaosWanted,
        CycleWanted,
        EquilibriaWanted,
        HomoclinicWanted,
        SwitchWanted,
    )
    from bifrncrn.training.targets.curve import Curve
    from bifrncrn.training.targets.curve_part import CurvePart
    from bifrncrn.training.targets.target import FieldPart, Target
    from bifrncrn.training.targets.wanted import behaviours_of
    from bifrncrn.training.train import train
    from bifrncrn.trajectories.attractor_results import Attractor, Attractors
    from bifrncrn.trajectories.attractors import attractors
    from bifrncrn.trajectories.cycles import Cycle, describe_attractor, find_cycle, hausdorff
    from bifrncrn.trajectories.events import Event
    from bifrncrn.trajectories.heteroclinic import Heteroclinic, find_heteroclinic
    from bifrncrn.trajectories.homoclinic import Homoclinic, find_homoclinic
    from bifrncrn.trajectories.lyapunov import largest_lyapunov
    from bifrncrn.trajectories.portrait import Portrait, portrait
    from bifrncrn.trajectories.simulation import Simulation
    from bifrncrn.trajectories.spectrum import LyapunovSpectrum, lyapunov_spectrum


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        found: Any = importlib.import_module(_MODULES[name])
    elif name in _PUBLIC:
        found = getattr(importlib.import_module(_PUBLIC[name]), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = found  # the next time it is found at once
    return found


def __dir__() -> list[str]:
    return sorted(__all__)
