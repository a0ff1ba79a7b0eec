"""Pictures and numbers of a reconstruction: axes in object pixels, nothing drawn where nothing was measured."""

from __future__ import annotations

import csv
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from reference_impl.cli.panels import draw_image, draw_losses, draw_scale_bar, draw_scan, save
from reference_impl.data.npz import write_npz
from reference_impl.data.report import Report, as_text
from reference_impl.stored.finite import refuse_not_finite

Losses = Mapping[str, list[float]]
NUMBERS = "reconstruction.npz"
FILES = (NUMBERS, "reconstructed_amplitude.png", "reconstructed_phase.png", "overview.png")
"""What a reconstruction leaves; one that lacks a picture leaves none of an older one's."""


def losses_of(model_path: Path) -> dict[str, list[float]]:
    """Loss curves, one value an epoch, of the newest `metrics.csv` beside a bundle; empty where there is none.

    A resumed run's begins with a later epoch: what lies before it stands in the tables of the runs that it goes on from. One that
    cannot be read is empty too, with a warning. The panel is a decoration: no table stops a reconstruction.
    """
    tables: dict[int, Path] = {}
    for path in model_path.glob("lightning_logs/version_*/metrics.csv"):
        version = path.parent.name.removeprefix("version_")
        if version.isdecimal() and version.isascii():
            tables[int(version)] = path
    if not tables:
        return {}
    rows: list[dict[str, Any]] = []
    for version in sorted(tables, reverse=True):
        try:
            first = _epoch(rows[0]) if rows else None
            rows = [row for row in _rows(tables[version]) if first is None or _epoch(row) < first] + rows
            curves = _curves(rows)
        except Exception as error:  # a table of anybody's: whatever is wrong with it costs the panel, not the result
            reason = " ".join(str(error).split()) or type(error).__name__
            warnings.warn(f"{tables[version]}: losses are not drawn: {reason}", UserWarning, stacklevel=2)
            return {}
        if not rows or _epoch(rows[0]) == 0:
            break
    return curves


def _rows(table: Path) -> list[dict[str, Any]]:
    with open(table, newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def _epoch(row: dict[str, Any]) -> int:
    """The epoch of a row; 0 where it says none, so that nothing is looked for before it."""
    return int(row.get("epoch") or 0)


def _curves(rows: list[dict[str, Any]]) -> dict[str, list[float]]:
    names = sorted({name for row in rows for name in row if name and name.endswith("_loss")})
    curves = {name: [float(row[name]) for row in rows if row.get(name)] for name in names}
    curves = {name: values for name, values in curves.items() if values}
    if not all(np.isfinite(values).all() for values in curves.values()):
        raise ValueError("a loss that is not finite")
    return curves


def keep_numbers(
    results: Mapping[str, Any], figures: Any, folder: Path, M: int, reports: Sequence[Report], pixel: float | None = None
) -> Path:
    """Write `reconstruction.npz`; returns its path.

    `object` (H, W) complex64, `offsets` (m, 2) float64 [x, y], `origin` [x, y] (object position of the canvas pixel [0, 0]),
    `covered` (H, W) bool, by how often the stitcher saw a pixel, `amplitude_residual`, `flat_residual`, `covered_share`,
    `stitch_crop_size`, `checked` (what was checked and assumed, JSON); where patches overlap `overlap_disagreement`,
    `…_aligned` and `…_shuffled`; where it is known `object_pixel` (m), `varpro_scales` where parts were scaled, and
    `count_ratio` of measured over predicted counts where these are absolute.
    """
    from reference_impl.inference.routes import origin_of

    refuse_not_finite({"object": _field(results), "amplitude_residual": figures.residual}, folder / NUMBERS)
    numbers = {
        "object": _field(results),
        "offsets": results["global_offsets"].reshape(-1, 2),
        "origin": np.array(origin_of(results)),
        "covered": figures.covered,
        "amplitude_residual": figures.residual,
        "flat_residual": figures.flat_residual,
        "covered_share": figures.share,
        "stitch_crop_size": M,
        "checked": as_text(reports),
        "overlap_disagreement": figures.overlap.plain,
        "overlap_disagreement_aligned": figures.overlap.aligned,
        "overlap_disagreement_shuffled": figures.overlap.shuffled,
        "object_pixel": np.nan if pixel is None else pixel,
    }
    numbers |= {name: results[name] for name in ("varpro_scales", "count_ratio") if name in results}
    known = {name: np.asarray(value) for name, value in numbers.items()}
    write_npz(
        folder / NUMBERS, {name: value for name, value in known.items() if value.dtype.kind != "f" or np.isfinite(value).all()}
    )
    return folder / NUMBERS


def draw_reconstruction(
    results: Mapping[str, Any], figures: Any, losses: Losses, folder: Path, M: int, pixel: float | None = None
) -> list[Path]:
    """Write the three pictures of a reconstruction; returns their paths. `pixel`: side of an object pixel in metres, or None."""
    from reference_impl.inference.routes import origin_of

    view = View(_field(results), origin_of(results), M, figures.covered, pixel)
    panels: dict[str, Callable[[Any], None]] = {"amplitude": view.draw_amplitude, "phase": view.draw_phase}
    written = [_single(draw, folder / f"reconstructed_{name}.png") for name, draw in panels.items()]
    places = results["global_offsets"].reshape(-1, 2)
    return [*written, _overview(view, places, losses, figures, folder / "overview.png")]


def _field(results: Mapping[str, Any]) -> np.ndarray:
    return (results["recon_amp"] * np.exp(1j * results["recon_phase"])).astype(np.complex64)


class View:
    """A complex image, cut to what was measured, with its place in object pixels.

    `covered` bool `(H, W)`: what the stitcher's count says was seen, None for all of it; what is opaque was measured too.
    `pixel`: side of an object pixel in metres, None where it is not known.
    """

    def __init__(
        self,
        field: np.ndarray,
        origin: tuple[float, float],
        M: int,
        covered: np.ndarray | None = None,
        pixel: float | None = None,
    ) -> None:
        self.field, self.origin, self.pixel = field, origin, pixel
        self.covered = np.ones(field.shape, bool) if covered is None else covered
        rows, columns = (np.flatnonzero(self.covered.any(axis=axis)) for axis in (1, 0))
        height, width = field.shape
        self.box = (
            (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
            if rows.size
            else (slice(0, height), slice(0, width))
        )
        left, top = origin[0] + self.box[1].start - 0.5, origin[1] + self.box[0].start - 0.5
        height, width = self.covered[self.box].shape
        self.extent = (left, left + width, top + height, top)

    def draw_amplitude(self, axes: Any) -> None:
        """Modulus, grey, between its 0.5th and 99.5th percentile."""
        self._draw(axes, np.abs(self.field), "object amplitude", "amplitude (normalised)", "gray")

    def draw_phase(self, axes: Any) -> None:
        """Argument after the mean phase is removed: a constant phase is no property of an object."""
        mean = self.field[self.covered].mean() if self.covered.any() else 1.0
        turned = self.field * np.conj(mean / max(abs(mean), np.finfo(np.float32).tiny))
        self._draw(axes, np.angle(turned), "object phase, mean phase removed", "phase (rad)", "viridis")

    def _draw(self, axes: Any, values: np.ndarray, title: str, label: str, colours: str) -> None:
        shown = np.where(self.covered, values, np.nan)[self.box]
        draw_image(axes, shown, title=title, label=label, colours=colours, extent=self.extent)
        draw_scale_bar(axes, self.pixel)


def _single(draw: Callable[[Any], None], path: Path) -> Path:
    figure = Figure(figsize=(6.4, 5.2), layout="constrained")
    draw(figure.add_subplot())
    return save(figure, path)


def _overview(view: View, places: np.ndarray, losses: Losses, figures: Any, path: Path) -> Path:
    figure = Figure(figsize=(12, 10), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.2, h_pad=0.1)
    (amplitude, phase), (scan, curve) = figure.subplots(2, 2)
    view.draw_amplitude(amplitude)
    view.draw_phase(phase)
    draw_scan(scan, places)
    draw_losses(curve, losses)
    residual, overlap, covered = figures.lines()
    figure.suptitle(f"{len(places)} patches; {residual}; {covered}\n{overlap}", fontsize="medium")
    return save(figure, path)
