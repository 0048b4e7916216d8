"""The speed and the completeness of every installed engine on one model, side by side."""

from bifrncrn.bench.judging import Known
from bifrncrn.bench.measuring import Bench, Timing, bench

__all__ = ["Bench", "Known", "Timing", "bench"]
