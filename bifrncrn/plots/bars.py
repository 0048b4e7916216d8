"""Bars on a logarithmic axis."""

from __future__ import annotations

import os
from collections.abc import Mapping

import numpy as np

from bifrncrn.plots.style import form_of, name_axes, new_figure, save_figure


def save_bars(bars: Mapping[str, float], path: str | os.PathLike[str], axis: str, title: str) -> None:
    """Write a picture of positive values as horizontal bars on a logarithmic axis, each with its name and number."""
    labels, values = list(bars), list(bars.values())
    form_of(path)
    figure = new_figure()
    ax = figure.subplots()
    places = np.arange(len(labels))[::-1]
    ax.barh(places, values, height=0.5, color="#9a9a9a", edgecolor="black")
    ax.set_xscale("log")
    ax.set_xlim(min(values) / 5, max(values) * 5)
    ax.set_yticks(places, labels)
    name_axes(ax, title, axis)
    for place, value in zip(places, values):
        ax.annotate(
            f"{float(f'{value:.3g}'):,g}", (value, place), xytext=(4, 0), textcoords="offset points", va="center"
        )
    save_figure(figure, path)
