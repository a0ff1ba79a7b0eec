"""Several objects beside one truth: a table, the objects before and after the alignment, rings, a picture (SIDE-030)."""

from __future__ import annotations

import csv
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from reference_impl.atomic import whole_set
from reference_impl.errors import ContractError
from reference_impl.evaluate.figures import Figures, compare
from reference_impl.evaluate.gauge import Pair
from reference_impl.evaluate.read import Picture

TABLE, PICTURE = "comparison_metrics.csv", "comparison_plot.png"
BEFORE, AFTER, RINGS = "reconstructions.npz", "reconstructions_aligned.npz", "{name}_frc_curves.csv"
COLUMNS = {
    "mae_amplitude": lambda f, pair: f.mae_amplitude,
    "mae_phase": lambda f, pair: f.mae_phase,
    "mse_amplitude": lambda f, pair: float(np.mean((np.abs(pair.image) - np.abs(pair.truth))[pair.common] ** 2)),
    "psnr_amplitude": lambda f, pair: f.psnr,
    "ssim_amplitude": lambda f, pair: f.ssim_amplitude,
    "ssim_phase": lambda f, pair: f.ssim_phase,
    "ms_ssim_amplitude": lambda f, pair: f.ms_ssim_amplitude,
    "ms_ssim_phase": lambda f, pair: f.ms_ssim_phase,
    "frc50": lambda f, pair: frc50(f),
    "shift_x": lambda f, pair: f.gauge.shift[0],
    "shift_y": lambda f, pair: f.gauge.shift[1],
}


def frc50(figures: Figures) -> float:
    """Cycles a pixel where the rings' correlation first falls below one half, 0.5 where it never does."""
    below = np.flatnonzero(figures.rings.correlation < 0.5)
    return float(figures.rings.frequency[below[0]]) if below.size else 0.5


def compare_objects(objects: Mapping[str, Any], truth: Any, folder: Path) -> None:
    """Leave table, objects, rings and picture of `objects` (name → complex `(H, W)`) beside `truth` in `folder`, all or none.

    Each is brought into the place and the gauge of the truth first. Raises `OSError`, `ContractError` for what is no object.
    """
    compare_pictures({name: _picture(name, value) for name, value in objects.items()}, _picture("truth", truth), folder)


def compare_pictures(objects: Mapping[str, Picture], truth: Picture, folder: Path) -> None:
    """The same of pictures, each of which may cover a part of its canvas and know its place. Raises as `compare_objects`."""
    if not objects:
        raise ContractError(field="objects", expected="one object or more", found="none")
    unfit = [name for name in objects if not name or not all(c.isalnum() or c in "_-" for c in name)]
    if unfit:
        raise ContractError(field="objects", expected="names of letters, digits, _ and -", found=repr(unfit[0]))
    found = {name: compare(value, truth) for name, value in objects.items()}
    with whole_set(folder, also=(TABLE, PICTURE, BEFORE, AFTER)) as stage:
        _table(stage / TABLE, found)
        _arrays(stage / BEFORE, {"truth": truth.field, **{name: value.field for name, value in objects.items()}})
        _arrays(stage / AFTER, {name: np.where(pair.common, pair.image, 0) for name, (_, pair) in found.items()})
        for name, (figures, _) in found.items():
            _rings(stage / RINGS.format(name=name), figures)
        _draw(stage / PICTURE, found, truth.field)


def _picture(name: str, value: Any) -> Picture:
    field = np.asarray(value)
    if field.ndim != 2 or field.dtype.kind != "c" or not np.isfinite(field).all():
        raise ContractError(field=name, expected="a finite complex image (H, W)", found=f"{field.dtype} {field.shape}")
    return Picture(name, field.astype(np.complex128), np.ones(field.shape, bool))


def _arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """An NPZ of arrays of any names: `np.savez` takes `file` for an argument of its own. An object may be called `truth`."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as stream:
                np.lib.format.write_array(stream, array, allow_pickle=False)


def _table(path: Path, found: Mapping[str, tuple[Figures, Pair]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["name", *COLUMNS])
        for name, both in found.items():
            writer.writerow([name, *(f"{column(*both):.9g}" for column in COLUMNS.values())])


def _rings(path: Path, figures: Figures) -> None:
    rings = figures.rings
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["frequency_cycles_per_px", "correlation", "half_bit"])
        writer.writerows(zip(rings.frequency.tolist(), rings.correlation.tolist(), rings.threshold.tolist(), strict=True))


def _draw(path: Path, found: Mapping[str, tuple[Figures, Pair]], truth: np.ndarray) -> None:
    from matplotlib.figure import Figure

    shown = [("truth", truth), *((name, np.where(pair.common, pair.image, np.nan)) for name, (_, pair) in found.items())]
    # Stated margins, and ticks at the colours alone: a layout that measures its labels draws everything three times.
    figure = Figure(figsize=(3.2 * len(shown), 6.0))
    margins = {"left": 0.02, "right": 0.94, "bottom": 0.03, "top": 0.95, "wspace": 0.2, "hspace": 0.12}
    axes = figure.subplots(2, len(shown), squeeze=False, gridspec_kw=margins, subplot_kw={"xticks": (), "yticks": ()})
    for column, (name, field) in enumerate(shown):
        for row, (values, label) in enumerate(((np.abs(field), "amplitude"), (np.angle(field), "phase, rad"))):
            image = axes[row, column].imshow(values, cmap="gray" if row == 0 else "twilight")
            axes[row, column].set_title(f"{name}: {label}", fontsize=8)
            figure.colorbar(image, ax=axes[row, column], shrink=0.7).ax.tick_params(labelsize=7)
    figure.savefig(path, dpi=100)
