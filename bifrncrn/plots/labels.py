"""The labels of special points in a picture: their texts, and what they may not cover."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bifrncrn.plots.branches import Layer, curves_of, marked_points
from bifrncrn.plots.label_placement import place_labels
from bifrncrn.plots.style import FONT_SIZE, MARKER_SIZE, Style, root_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from bifrncrn.diagrams.results import Diagram


GROUP = "labels of special points"
COINCIDENT = 3.0  # pixels at 72 dpi: labels of points closer than this are written as one
FAR = 8.0  # points between a marker and its label beyond which a line joins them
SPACING = 4.0  # pixels: how densely curves are sampled as obstacles to labels
ENDS = {"homoclinic": "HOM", "heteroclinic": "HET", "snic": "SNIC"}
"""What is written at the end of a branch of cycles that ends so."""


@dataclass(frozen=True)
class _Label:
    """A label: the place of its point in pixels and in units of the axes, its text and how it is drawn."""

    anchor: np.ndarray
    point: tuple[float, float]
    text: str
    colour: str
    layer: float


def add_labels(ax: Axes, layers: Sequence[Layer]) -> None:
    """Write the special points' labels where they cover nothing; those of an earlier diagram there make room."""
    root = root_of(ax)
    root.draw_without_rendering()  # settles the layout, which the places depend on
    frame = ax.get_window_extent()
    unit = root.dpi / 72
    labels = _labels(ax, layers, unit)
    labels += [label for label in _earlier(ax) if not any(_same(label, other, unit) for other in labels)]
    if not labels:
        return
    anchors = np.array([label.anchor for label in labels])
    sizes = [_text_size(label.text, unit) for label in labels]
    bounds = (frame.x0 + 2, frame.y0 + 2, frame.x1 - 2, frame.y1 - 2)
    centres = place_labels(anchors, sizes, _obstacles(ax), bounds, marker=0.6 * MARKER_SIZE * unit, unit=unit)
    for label, size, centre in zip(labels, sizes, centres):
        shift = (np.array(centre) - label.anchor) / unit
        gap = np.abs(shift) - np.array(size) / unit / 2
        far = np.hypot(*np.maximum(gap, 0.0)) > FAR
        ax.annotate(
            label.text,
            label.point,
            xytext=(float(shift[0]), float(shift[1])),
            textcoords="offset points",
            ha="center",
            va="center",
            fontsize=FONT_SIZE,
            color=label.colour,
            arrowprops={"arrowstyle": "-", "linewidth": 0.6, "color": "#4d4d4d", "shrinkB": 4.0} if far else None,
            zorder=label.layer,
            gid=GROUP,
        )


def _same(label: _Label, other: _Label, unit: float) -> bool:
    return label.text == other.text and bool(np.hypot(*(label.anchor - other.anchor)) < COINCIDENT * unit)


def _earlier(ax: Axes) -> list[_Label]:
    """Take away the labels of diagrams that are in the axes already, and return them."""
    from matplotlib.text import Annotation

    found = []
    for text in [text for text in ax.texts if isinstance(text, Annotation) and text.get_gid() == GROUP]:
        anchor = np.asarray(ax.transData.transform(text.xy))
        found.append(_Label(anchor, text.xy, text.get_text(), str(text.get_color()), text.get_zorder()))
        text.remove()
    return found


def _labels(ax: Axes, layers: Sequence[Layer], unit: float) -> list[_Label]:
    out = []
    for anchor, text, style in _label_entries(ax, layers, unit):
        x, y = ax.transData.inverted().transform(anchor)
        out.append(_Label(anchor, (x, y), text, "black" if style.filled else "#4d4d4d", style.layer + 3))
    return out


def _label_entries(ax: Axes, layers: Sequence[Layer], unit: float) -> list[tuple[np.ndarray, str, Style]]:
    """Return anchor (pixels), text and style of each label; coincident points share one."""
    frame = ax.get_window_extent()
    entries: list[tuple[np.ndarray, list[str], Style]] = []
    for diagram, name, style in reversed(layers):
        for p, vertical, text in _named(diagram, name):
            anchor = ax.transData.transform((p, vertical))
            if not (frame.x0 <= anchor[0] <= frame.x1 and frame.y0 <= anchor[1] <= frame.y1):
                continue
            near = [texts for place, texts, _ in entries if np.hypot(*(place - anchor)) < COINCIDENT * unit]
            if not near:
                entries.append((anchor, [text], style))
            elif text not in near[0]:
                near[0].append(text)
    return [(anchor, ", ".join(texts), style) for anchor, texts, style in entries]


def _named(diagram: Diagram, name: str) -> list[tuple[float, float, str]]:
    """Return what is written in the picture, and where: labels of special points, and how branches of cycles end."""
    out = [
        (point.parameters[diagram.parameter], height, point.label if point.status == "converged" else f"{point.label}?")
        for point, height in marked_points(diagram, name)
    ]
    for branch in diagram.branches:
        for row, end in zip((0, -1), branch.ended):
            if branch.kind == "periodic" and end.reason in ENDS and curves_of(branch, name):
                p, height = branch.column(diagram.parameter)[row], curves_of(branch, name)[-1][row]
                out.append((float(p), float(height), ENDS[end.reason]))
    return out


def _obstacles(ax: Axes) -> np.ndarray:
    """Return points every few pixels along all lines of the axes, and densely on a legend, in pixels, shape (m, 2)."""
    found = [np.empty((0, 2))]
    for line in ax.get_lines():
        pixels = line.get_transform().transform(np.asarray(line.get_xydata()))
        found.append(_resample(pixels[np.isfinite(pixels).all(axis=1)]))
    legend = ax.get_legend()
    if legend is not None:
        box = legend.get_window_extent()
        sides = [np.arange(low, high, SPACING / 2) for low, high in ((box.x0, box.x1), (box.y0, box.y1))]
        found.append(np.stack(np.meshgrid(*sides), axis=-1).reshape(-1, 2))
    return np.concatenate(found)


def _resample(points: np.ndarray) -> np.ndarray:
    if len(points) < 2:
        return points
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
    count = int(min(along[-1] / SPACING, 1e5)) + 2
    places = np.linspace(0.0, along[-1], count)
    return np.stack([np.interp(places, along, points[:, k]) for k in (0, 1)], axis=1)


def _text_size(text: str, unit: float) -> tuple[float, float]:
    """Return the width and height of a label in pixels, a little padded."""
    from matplotlib.textpath import TextPath

    extent = TextPath((0, 0), text, size=FONT_SIZE).get_extents()
    return (extent.width + 3) * unit, (FONT_SIZE + 2) * unit
