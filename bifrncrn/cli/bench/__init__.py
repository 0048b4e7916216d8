"""The speed and the completeness of every installed engine on one model, side by side."""

from bifrncrn.cli.bench.judging import Known, known_points
from bifrncrn.cli.bench.measuring import Bench, Timing, bench

__all__ = ["Bench", "Known", "Timing", "bench", "known_points"]
