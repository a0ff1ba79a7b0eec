"""Panels that a person can read: titles, axes in pixels, colour bars with units, a scale bar where the pixel size is known."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.offsetbox import AnchoredOffsetbox, AuxTransformBox, TextArea, VPacker
from matplotlib.patches import Rectangle

from reference_impl.atomic import atomic_write

NOTHING = "0.85"  # the grey of pixels where nothing was measured
Extent = tuple[float, float, float, float]
"""`(left, right, bottom, top)` in pixels, rows downwards."""
PREFIXES = {1e-12: "pm", 1e-9: "nm", 1e-6: "µm", 1e-3: "mm", 1.0: "m"}


def draw_image(
    axes: Any, values: np.ndarray, *, title: str, label: str, colours: str, extent: Extent | None = None, pixels: str = "pixels"
) -> None:
    """An image `(H, W)` between its 0.5th and 99.5th percentile, NaN grey.

    `label` names the colour bar's quantity and unit, `pixels` the unit of the axes.
    """
    finite = values[np.isfinite(values)]
    low, high = np.percentile(finite, [0.5, 99.5]) if finite.size else (0.0, 1.0)
    axes.set_facecolor(NOTHING)
    image = axes.imshow(values, cmap=colours, vmin=low, vmax=high, extent=extent, interpolation="nearest")
    axes.figure.colorbar(image, ax=axes, label=label)
    axes.set(xlabel=f"column x ({pixels})", ylabel=f"row y ({pixels})", title=title)


def draw_scale_bar(axes: Any, pixel: float | None) -> None:
    """A bar of a round length, about a quarter of the width; nothing where the `pixel` size (m) is not known."""
    if pixel is None:
        return
    left, right = axes.get_xlim()
    length = round_length(abs(right - left) * pixel / 4)
    bar = AuxTransformBox(axes.transData)
    bar.add_artist(Rectangle((0, 0), length / pixel, 0, ec="black", lw=3, fc="none"))
    pack = VPacker(children=[bar, TextArea(in_words(length))], align="center", pad=0, sep=3)
    axes.add_artist(AnchoredOffsetbox(loc="lower right", child=pack, frameon=True, pad=0.3))


def round_length(length: float) -> float:
    """The largest of 1, 2, 5 times a power of ten that is at most `length` > 0."""
    power = 10.0 ** math.floor(math.log10(length))
    return max(step * power for step in (1, 2, 5) if step * power <= length * (1 + 1e-9))


def in_words(length: float) -> str:
    """A length in metres with its unit, `200 nm`."""
    unit = max((size for size in PREFIXES if size <= length * (1 + 1e-9)), default=1e-12)
    return f"{length / unit:g} {PREFIXES[unit]}"


def draw_scan(axes: Any, places: np.ndarray) -> None:
    """Positions `(m, 2)` [x, y] in object pixels, rows downwards as in the images."""
    axes.scatter(places[:, 0], places[:, 1], s=4, linewidths=0)
    axes.set(xlabel="column x (pixels)", ylabel="row y (pixels)", title=f"scan, {len(places)} positions", aspect="equal")
    axes.set_aspect("equal", adjustable="datalim")
    axes.invert_yaxis()


def draw_losses(axes: Any, losses: Mapping[str, list[float]]) -> None:
    """Loss over epochs, logarithmic where all values are positive."""
    for name, values in losses.items():
        axes.plot(range(1, len(values) + 1), values, marker=".", label=name.replace("_", " "))
    axes.set_title("losses of the training")
    if losses:
        axes.legend()
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.set(xlabel="epoch", ylabel="loss (per mean amplitude)")
        axes.set_yscale("log" if min(min(values) for values in losses.values()) > 0 else "linear")
    else:
        axes.text(0.5, 0.5, "no table of losses beside the bundle", ha="center", va="center", transform=axes.transAxes)
        axes.set_axis_off()


def draw_rings(axes: Any, rings: Mapping[str, Any]) -> None:
    """Fourier ring correlations (`evaluate.rings.Rings`) by name, and the thresholds of the last one."""
    for name, one in rings.items():
        axes.plot(one.frequency, one.correlation, label=name)
    axes.plot(one.frequency, one.threshold, linestyle="--", color="0.4", label="half a bit")
    axes.plot(one.frequency, one.one_bit, linestyle=":", color="0.4", label="one bit")
    axes.set(xlabel="frequency (cycles a pixel)", ylabel="Fourier ring correlation", ylim=(-0.1, 1.05), title="Fourier rings")
    axes.legend()


def save(figure: Figure, path: Path) -> Path:
    """Write a figure as PNG, whole or not at all."""
    FigureCanvasAgg(figure)
    with atomic_write(path) as temporary:
        figure.savefig(temporary, dpi=110)
    return path
