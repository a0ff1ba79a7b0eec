"""`evaluate`: objects beside a reference → figures that say what they are measured with, a table, a picture."""

from __future__ import annotations

import argparse
import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from reference_impl.atomic import require_writable, sole_run
from reference_impl.cli.flags import of
from reference_impl.cli.kept import keep
from reference_impl.cli.progress import Reporter
from reference_impl.errors import ContractError

SUMMARY = "compare objects with a reference: error, SSIM, Fourier rings"
DESCRIPTION = (
    "Bring objects into the place and the gauge of the last one named (shift, ramp and complex factor are taken out and told) "
    "and compare them with it. Leaves evaluation.csv and evaluation.png in the output folder, where one is named."
)
TABLE, PICTURE = "evaluation.csv", "evaluation.png"
LARGEST_TABLE = 8
"""Objects beside one reference: more make no picture that can be read."""


def add_flags(parser: argparse.ArgumentParser) -> None:
    """The objects, and where table and picture go."""
    text = "reconstruction, contract file, product, CXI, NPY (FILE::name says which array); the last is the reference"
    parser.add_argument("objects", nargs="+", metavar="FILE", help=text)
    folder = of("evaluation_dir")
    parser.add_argument("--output-dir", type=folder, help="folder for the table and the picture; nothing is written unless given")
    parser.add_argument("--quiet", action="store_true", help="nothing on standard output")


def run(args: argparse.Namespace) -> None:
    """Read, compare, tell, keep."""
    from reference_impl.evaluate.figures import compare
    from reference_impl.evaluate.read import read

    say = Reporter(args.quiet)
    if not 2 <= len(args.objects) <= LARGEST_TABLE + 1:
        expected = f"two objects, the last one the reference, or up to {LARGEST_TABLE} beside it"
        raise ContractError(field="FILE", expected=expected, found=f"{len(args.objects)}")
    if args.output_dir is not None:
        require_writable(args.output_dir)
    *images, truth = (read(name) for name in args.objects)
    found = [compare(image, truth) for image in images]
    pixel = next((picture.pixel for picture in (truth, *images) if picture.pixel is not None), None)
    for figures, _ in found:
        for line in lines(figures, truth.name, pixel):
            say.line(line)
    if args.output_dir is not None:
        with sole_run(args.output_dir):
            for path in keep(
                args.output_dir,
                (TABLE, PICTURE),
                lambda stage: write_table([figures for figures, _ in found], stage / TABLE),
                lambda stage: [draw(found, stage / PICTURE)],
            ):
                say.line(str(path))


def lines(figures: Any, truth: str, pixel: float | None = None) -> list[str]:
    """One object beside the reference, in words."""
    gauge, f = figures.gauge, figures
    (ramp_x, ramp_y), (shift_x, shift_y) = gauge.ramp, gauge.shift
    scales = f"{f.scales} scale{'s' * (f.scales != 1)}"
    return [
        f"{f.name} beside {truth}: {f.pixels} pixels in common",
        f"  taken out: factor {abs(gauge.factor):.4g} at {np.angle(gauge.factor):.3f} rad, ramp {ramp_x:.2e}, {ramp_y:.2e} rad a "
        f"pixel (x, y), shift {shift_x:.3f}, {shift_y:.3f} pixels (x, y)",
        f"  relative complex error    {f.error:.5f}   a constant {f.error_null:.5f}",
        f"  mean error of amplitudes  {f.mae_amplitude:.5f}   of phases {f.mae_phase:.5f} rad",
        f"  PSNR of amplitudes        {f.psnr:.2f} dB, peak {f.peak:.3g}, the range of the reference",
        f"  on {f.side} x {f.side} pixels:",
        f"    SSIM of amplitude       {f.ssim_amplitude:.4f}   a constant {f.ssim_amplitude_null:.4f}",
        f"    SSIM of phase           {f.ssim_phase:.4f}   a constant {f.ssim_phase_null:.4f}",
        f"    MS-SSIM of amplitude    {f.ms_ssim_amplitude:.4f}   a constant {f.ms_ssim_amplitude_null:.4f}   ({scales})",
        f"    MS-SSIM of phase        {f.ms_ssim_phase:.4f}   a constant {f.ms_ssim_phase_null:.4f}",
        f"  {f.rings.line(pixel)}",
    ]


def write_table(found: Sequence[Any], path: Path) -> Path:
    """A line for each object, a column for each number; returns the path."""
    rows = [figures.row() for figures in found]
    with open(path, "w", newline="", encoding="utf-8") as stream:
        table = csv.DictWriter(stream, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    return path


def draw(found: Sequence[tuple[Any, Any]], path: Path) -> Path:
    """The reference and the objects, amplitude and phase, in one place and gauge; below, the Fourier rings."""
    from matplotlib.figure import Figure  # 0.4 s that no other command should pay for

    from reference_impl.cli.panels import draw_image, draw_rings, save

    figure = Figure(figsize=(4.6 * (len(found) + 1), 11.5), layout="constrained")
    axes = figure.subplots(3, len(found) + 1, squeeze=False)
    shown = [("reference", found[0][1].truth, found[0][1].common)]
    shown += [(figures.name, pair.image, pair.common) for figures, pair in found]
    about = np.exp(-1j * np.angle(found[0][1].truth[found[0][1].common].mean()))
    for column, (name, field, common) in enumerate(shown):
        short = name if len(name) <= 30 else f"…{name[-29:]}"
        for row, (values, label, colours) in enumerate(
            ((np.abs(field), "amplitude", "gray"), (np.angle(field * about), "phase (rad)", "viridis"))
        ):
            draw_image(axes[row, column], np.where(common, values, np.nan), title=short, label=label, colours=colours)
    for number, (figures, pair) in enumerate(found):
        missing = np.where(pair.common, np.abs(pair.image - pair.truth), np.nan)
        title = f"error {figures.error:.4g}"
        draw_image(axes[2, number + 1], missing, title=title, label="difference, modulus", colours="magma")
    draw_rings(axes[2, 0], {figures.name[-30:]: figures.rings for figures, _ in found})
    return save(figure, path)
