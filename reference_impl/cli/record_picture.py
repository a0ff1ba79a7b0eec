"""A raw record in one picture: mean pattern, scan, probe, histogram."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from reference_impl.cli.panels import draw_image, draw_scale_bar, draw_scan, save
from reference_impl.data.evidence import Evidence
from reference_impl.data.metadata import object_pixel

BINS = 60


def draw_record(record: Any, path: Path) -> Path:
    """Draw a record to `path` (PNG); returns the path."""
    seen = Evidence(record)
    figure = Figure(figsize=(12, 10), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.2, h_pad=0.1)
    (pattern, scan), (probe, histogram) = figure.subplots(2, 2)
    _draw_pattern(pattern, seen)
    draw_scan(scan, seen.positions)
    draw_scale_bar(scan, object_pixel(record.metadata))
    _draw_probe(probe, record)
    _draw_histogram(histogram, seen)
    figure.suptitle(
        f"{Path(record.file).name if record.file else 'record'}: {len(record)} patterns of {seen.N} x {seen.N} pixels"
    )
    return save(figure, path)


def _draw_pattern(axes: Any, seen: Evidence) -> None:
    mask = getattr(seen.record, "mask", None)
    lit = seen.mean_pattern > 0
    lowest = seen.mean_pattern[lit].min() if lit.any() else 1.0
    values = np.log10(np.where(lit, seen.mean_pattern, lowest))
    values = values if mask is None else np.where(mask, values, np.nan)
    hidden = "" if mask is None else f", {int((~mask).sum())} pixels masked"
    label = "log10 mean intensity (amplitude²)"
    draw_image(axes, values, title=f"mean pattern{hidden}", label=label, colours="magma", pixels="detector pixels")


def _draw_probe(axes: Any, record: Any) -> None:
    modes = record.probeGuess if record.probeGuess.ndim == 3 else record.probeGuess[None]
    amplitude = np.sqrt(np.sum(np.abs(modes) ** 2, axis=0))
    count = "" if len(modes) == 1 else f", {len(modes)} modes together"
    draw_image(axes, amplitude, title=f"probe amplitude{count}", label="amplitude (as in the file)", colours="gray")
    draw_scale_bar(axes, object_pixel(record.metadata))


def _draw_histogram(axes: Any, seen: Evidence) -> None:
    """How many pixels hold how much, zero apart."""
    flat = seen.patterns.reshape(-1)
    values = np.asarray(flat[:: max(1, flat.size // (1 << 22))], np.float64) ** 2
    lit = values[values > 0]
    if lit.size:
        low, high = float(lit.min()), float(lit.max())
        axes.hist(lit, bins=np.geomspace(low, max(high, low * 1.001), BINS))
        axes.set(xscale="log", yscale="log")
    axes.set(
        xlabel="intensity of a pixel (amplitude²)", ylabel="pixels", title=f"histogram; {1 - lit.size / values.size:.1%} are zero"
    )
