"""Figures of an object beside a reference, each with its unit, its range and what a constant would score."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy.ndimage import distance_transform_cdt
from torchmetrics.functional.image import (
    multiscale_structural_similarity_index_measure,
    structural_similarity_index_measure,
)

from reference_impl.errors import ContractError
from reference_impl.evaluate.gauge import Gauge, Pair, registered
from reference_impl.evaluate.read import Picture, picture_of
from reference_impl.evaluate.rings import Rings, rings

BETAS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""Weights of the scales (Wang, Simoncelli and Bovik, Asilomar 2003); fewer scales are weighted to sum to 1."""
KERNEL = 11
SMALLEST = 16
"""Pixels of the side of a square that structural similarity and rings say anything about."""


@dataclass(frozen=True)
class Figures:
    """One object beside the reference.

    `error`: relative complex error of the common pixels; `mae_amplitude` in units of the reference, `mae_phase` rad; `psnr` dB of
    the amplitude at `peak`, the reference's range there; SSIM and MS-SSIM of the `side` px square that both show, beside those of
    a constant, the reference's mean (`…_null`); `rings`.
    """

    name: str
    gauge: Gauge
    pixels: int
    error: float
    error_null: float
    mae_amplitude: float
    mae_phase: float
    psnr: float
    peak: float
    side: int
    ssim_amplitude: float
    ssim_amplitude_null: float
    ssim_phase: float
    ssim_phase_null: float
    ms_ssim_amplitude: float
    ms_ssim_amplitude_null: float
    ms_ssim_phase: float
    ms_ssim_phase_null: float
    scales: int
    rings: Rings

    def row(self) -> dict[str, float | str]:
        """The numbers, flat, for a table of numbers."""
        kept = {name: value for name, value in vars(self).items() if name not in ("gauge", "rings")}
        gauge = {"factor_modulus": abs(self.gauge.factor), "factor_phase_rad": float(np.angle(self.gauge.factor))}
        gauge |= {f"ramp_{axis}_rad_per_px": value for axis, value in zip("xy", self.gauge.ramp, strict=True)}
        gauge |= {f"shift_{axis}_px": value for axis, value in zip("xy", self.gauge.shift, strict=True)}
        crossings = {"half_bit": self.rings.crossing, "one_bit": self.rings.crossing_one_bit}
        return {**kept, **gauge, **{f"frc_{name}_cycles_per_px": value for name, value in crossings.items()}}


def compare(image: Picture, truth: Picture) -> tuple[Figures, Pair]:
    """Figures of `image` beside `truth`, and both in one place and gauge. `ContractError`: too little in common."""
    pair = registered(image, truth)
    square = largest_square(pair.common)
    side = square[0].stop - square[0].start
    if side < SMALLEST:
        found = f"{side} x {side}"
        expected = f"a square of {SMALLEST} x {SMALLEST} pixels that {truth.name} shows too"
        raise ContractError(field=image.name, expected=expected, found=found)
    found, wanted = pair.image[pair.common], pair.truth[pair.common]
    mean = np.vdot(np.ones_like(wanted), wanted) / len(wanted)
    size = np.linalg.norm(wanted)
    peak = float(np.ptp(np.abs(wanted)))
    square_error = float(np.mean((np.abs(found) - np.abs(wanted)) ** 2))
    return Figures(
        name=image.name,
        gauge=pair.gauge,
        pixels=len(wanted),
        error=float(np.linalg.norm(found - wanted) / size),
        error_null=float(np.linalg.norm(wanted - mean) / size),
        mae_amplitude=float(np.mean(np.abs(np.abs(found) - np.abs(wanted)))),
        mae_phase=float(np.mean(np.abs(np.angle(found * wanted.conj())))),
        psnr=float(10 * np.log10(peak**2 / square_error)) if square_error > 0 and peak > 0 else float("inf"),
        peak=peak,
        side=side,
        **_similar(pair.image[square], pair.truth[square]),
        rings=rings(pair.image[square], pair.truth[square]),
    ), pair


def compared(image: np.ndarray, truth: np.ndarray) -> dict[str, float | str]:
    """Figures of one complex plane `(H, W)` beside another, both covered, as a flat row. `ContractError` as of `compare`."""
    pictures = (picture_of(plane, name) for plane, name in ((image, "image"), (truth, "truth")))
    return compare(*pictures)[0].row()


def largest_square(common: np.ndarray) -> tuple[slice, slice]:
    """Rows and columns of the largest square of True; empty where there is none."""
    room = np.asarray(distance_transform_cdt(np.pad(common, 1), "chessboard"))
    row, column = np.unravel_index(int(np.argmax(room)), room.shape)
    reach = int(room[row, column])
    first_row, first_column = int(row) - reach, int(column) - reach  # the margin of one is taken off again
    side = max(0, 2 * reach - 1)
    return slice(first_row, first_row + side), slice(first_column, first_column + side)


def _similar(image: np.ndarray, truth: np.ndarray) -> dict[str, float | int]:
    """SSIM and MS-SSIM of amplitude and phase, each beside that of a constant; phases about the reference's mean phase."""
    scales = max(count for count in range(1, len(BETAS) + 1) if count == 1 or len(truth) // (count - 1) ** 2 >= KERNEL)
    betas = tuple(beta / sum(BETAS[:scales]) for beta in BETAS[:scales])
    about = np.exp(-1j * np.angle(truth.mean()))
    kinds = {"amplitude": (np.abs(image), np.abs(truth)), "phase": (np.angle(image * about), np.angle(truth * about))}
    found: dict[str, float | int] = {"scales": scales}
    for kind, (one, other) in kinds.items():
        width = float(np.ptp(other)) or 1.0
        for name, shown in {kind: one, f"{kind}_null": np.full_like(other, other.mean())}.items():
            pair = [torch.from_numpy(np.ascontiguousarray(part))[None, None] for part in (shown, other)]
            found[f"ssim_{name}"] = float(structural_similarity_index_measure(*pair, data_range=width))
            found[f"ms_ssim_{name}"] = float(
                multiscale_structural_similarity_index_measure(*pair, data_range=width, betas=betas, normalize="relu")
            )
    return found
