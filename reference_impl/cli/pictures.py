"""Pictures that a person can read: axes in object pixels, colour bars with units, nothing drawn where nothing was measured."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from reference_impl.atomic import atomic_write
from reference_impl.stored.finite import refuse_not_finite

AMPLITUDE, PHASE = "amplitude (normalised)", "phase (rad), mean phase removed"
COVERED_NOTHING = "0.85"  # the grey of pixels that no patch covers
Losses = Mapping[str, list[float]]


def losses_of(model_path: Path) -> dict[str, list[float]]:
    """Loss curves, one value an epoch, of the newest `metrics.csv` beside a bundle; empty where there is none."""
    tables = sorted(model_path.glob("lightning_logs/version_*/metrics.csv"), key=lambda path: int(path.parent.name[8:]))
    if not tables:
        return {}
    with open(tables[-1], newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    names = sorted({name for row in rows for name in row if name and name.endswith("_loss")})
    curves = {name: [float(row[name]) for row in rows if row.get(name)] for name in names}
    return {name: values for name, values in curves.items() if values}


def draw_reconstruction(results: Mapping[str, Any], losses: Losses, folder: Path, residual: float, M: int) -> list[Path]:
    """Write the three pictures and `reconstruction.npz` of a reconstruction; returns their paths.

    `reconstruction.npz`: `object` (H, W) complex64, `offsets` (m, 2) float64 [x, y], `origin` [x, y] (object position of the
    canvas pixel [0, 0]), `covered` (H, W) bool, `amplitude_residual`, `stitch_crop_size`.
    """
    field = results["recon_amp"] * np.exp(1j * results["recon_phase"])
    places = results["global_offsets"].reshape(-1, 2)
    refuse_not_finite({"object": field, "amplitude_residual": residual}, folder / "reconstruction.npz")
    view = View(field.astype(np.complex64), results["canvas_frame"].origin, M)
    panels: dict[str, Callable[[Any], None]] = {"amplitude": view.draw_amplitude, "phase": view.draw_phase}
    written = [_single(draw, folder / f"reconstructed_{name}.png") for name, draw in panels.items()]
    written.append(_overview(view, places, losses, residual, folder / "overview.png"))
    with atomic_write(folder / "reconstruction.npz") as temporary, open(temporary, "wb") as stream:
        np.savez(
            stream,
            object=view.field,
            offsets=places,
            origin=np.array(view.origin),
            covered=view.covered,
            amplitude_residual=residual,
            stitch_crop_size=M,
        )
    return [*written, folder / "reconstruction.npz"]


class View:
    """A complex image, cut to what was measured, with its place in object pixels."""

    def __init__(self, field: np.ndarray, origin: tuple[float, float], M: int) -> None:
        self.field, self.origin = field, origin
        self.covered = field != 0  # the stitcher leaves exact zeros where no patch lies
        rows, columns = (np.flatnonzero(self.covered.any(axis=axis)) for axis in (1, 0))
        self.box = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)) if rows.size else (slice(None),) * 2
        left, top = origin[0] + self.box[1].start - 0.5, origin[1] + self.box[0].start - 0.5
        height, width = self.covered[self.box].shape
        self.extent = (left, left + width, top + height, top)

    def draw_amplitude(self, axes: Any) -> None:
        """Modulus, grey, between its 0.5th and 99.5th percentile."""
        values = np.where(self.covered, np.abs(self.field), np.nan)[self.box]
        self._draw(axes, values, AMPLITUDE, "gray")

    def draw_phase(self, axes: Any) -> None:
        """Argument after the mean phase is removed: a constant phase is no property of an object."""
        mean = self.field[self.covered].mean() if self.covered.any() else 1.0
        turned = self.field * np.conj(mean / max(abs(mean), np.finfo(np.float32).tiny))
        self._draw(axes, np.where(self.covered, np.angle(turned), np.nan)[self.box], PHASE, "viridis")

    def _draw(self, axes: Any, values: np.ndarray, label: str, colours: str) -> None:
        finite = values[np.isfinite(values)]
        low, high = np.percentile(finite, [0.5, 99.5]) if finite.size else (0.0, 1.0)
        axes.set_facecolor(COVERED_NOTHING)
        image = axes.imshow(values, cmap=colours, vmin=low, vmax=high, extent=self.extent, interpolation="nearest")
        axes.figure.colorbar(image, ax=axes, label=label)
        axes.set(xlabel="column x (pixels)", ylabel="row y (pixels)")


def _single(draw: Callable[[Any], None], path: Path) -> Path:
    figure = Figure(figsize=(6.4, 5.2), layout="constrained")
    draw(figure.add_subplot())
    return save(figure, path)


def _overview(view: View, places: np.ndarray, losses: Losses, residual: float, path: Path) -> Path:
    figure = Figure(figsize=(12, 10), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.2, h_pad=0.1)
    (amplitude, phase), (scan, curve) = figure.subplots(2, 2)
    view.draw_amplitude(amplitude)
    view.draw_phase(phase)
    draw_scan(scan, places)
    draw_losses(curve, losses)
    figure.suptitle(f"{len(places)} patches, relative amplitude residual {residual:.4f}")
    return save(figure, path)


def draw_scan(axes: Any, places: np.ndarray) -> None:
    """Positions `(m, 2)` [x, y] in object pixels, rows downwards as in the images."""
    axes.scatter(places[:, 0], places[:, 1], s=4, linewidths=0)
    axes.set(xlabel="column x (pixels)", ylabel="row y (pixels)", title="scan positions", aspect="equal")
    axes.invert_yaxis()


def draw_losses(axes: Any, losses: Losses) -> None:
    """Loss over epochs, logarithmic where all values are positive."""
    for name, values in losses.items():
        axes.plot(range(1, len(values) + 1), values, marker=".", label=name.replace("_", " "))
    if losses:
        axes.legend()
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.set(xlabel="epoch", ylabel="loss (per mean amplitude)", title="losses of the training")
        axes.set_yscale("log" if min(min(values) for values in losses.values()) > 0 else "linear")
    else:
        axes.text(0.5, 0.5, "no table of losses beside the bundle", ha="center", va="center", transform=axes.transAxes)
        axes.set_axis_off()


def save(figure: Figure, path: Path) -> Path:
    """Write a figure as PNG, whole or not at all."""
    FigureCanvasAgg(figure)
    with atomic_write(path) as temporary:
        figure.savefig(temporary, dpi=110)
    return path
