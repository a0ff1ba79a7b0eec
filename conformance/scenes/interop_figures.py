"""Scans for figures of overlap, and objects beside a truth."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from conformance.scenes.records import anisotropic_scan

# -- overlap --------------------------------------------------------------------------------------------------------------------


def places() -> np.ndarray:
    """`(14, 2)` positions, two of them the same place."""
    x, y = anisotropic_scan(12)
    return np.stack([np.append(x, [x[3], x[7] + 40.0]), np.append(y, [y[3], y[7]])], axis=1)


def groups(C: int) -> np.ndarray:
    """`(5, C)` members, the seed first."""
    return np.array([[(3 * k + j * (2 + k)) % 14 for j in range(C)] for k in range(5)])


# -- comparison -----------------------------------------------------------------------------------------------------------------

SIDE, EPSILON, LOST = 96, 0.02, 0.5
FILES = ("comparison_metrics.csv", "comparison_plot.png", "reconstructions.npz", "reconstructions_aligned.npz")
COLUMNS = ["name", "mae_amplitude", "mae_phase", "mse_amplitude", "psnr_amplitude", "ssim_amplitude", "ssim_phase",
           "ms_ssim_amplitude", "ms_ssim_phase", "frc50", "shift_x", "shift_y"]  # fmt: skip
RINGS = ("frequency_cycles_per_px", "correlation")


def smooth_object(rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """A smooth object without symmetry at any points of the plane."""
    y, x = rows[:, None].astype(float), columns[None, :].astype(float)
    modulus = 0.8 + 0.12 * np.sin(0.31 * x + 0.11 * y) * np.cos(0.17 * y) + 0.05 * np.exp(-((x - 30) ** 2 + (y - 61) ** 2) / 90)
    return modulus * np.exp(1j * (0.5 * np.sin(0.12 * x - 0.07 * y) + 0.3 * np.cos(0.21 * y + 0.02 * x)))


def compared() -> tuple[dict[str, np.ndarray], np.ndarray]:
    """`(objects, truth)`: the truth itself, one that was moved by (3, -2) pixels, turned and scaled, one with stripes."""
    pixel = np.arange(SIDE)
    truth = smooth_object(pixel, pixel)
    stripes = 1 + EPSILON * (-1.0) ** pixel
    # What the truth shows at (x, y), the moved one shows at (x + 3, y - 2).
    moved = 1.7 * np.exp(0.6j) * smooth_object(pixel + 2, pixel - 3)
    return {"itself": truth.copy(), "moved": moved, "stripes": truth * stripes}, truth


def under_names_of_python() -> tuple[dict[str, np.ndarray], np.ndarray]:
    """`compared()`, the moved one and the one with stripes under names that writers of tables and archives use for themselves."""
    objects, truth = compared()
    other = {"moved": "file", "stripes": "name"}
    return {other.get(name, name): value for name, value in objects.items()}, truth


def nearly_alike() -> tuple[dict[str, np.ndarray], np.ndarray]:
    """`(objects, truth)`: two objects with stripes, one error larger than the other by a five-thousandth."""
    objects, truth = compared()
    more = truth + (objects["stripes"] - truth) * 1.0002
    return {"less": objects["stripes"], "more": more}, truth


def worn() -> tuple[dict[str, np.ndarray], np.ndarray]:
    """`(objects, truth)`: an object that agrees with the truth less and less: ring by ring from all to three tenths."""
    rng, q = np.random.default_rng(4), np.fft.fftfreq(SIDE)
    radius = np.hypot(q[:, None], q)
    share = np.clip(1 - 1.4 * radius, 0.3, 1.0)  # of the correlation of a ring
    level = (radius < 0.5) / (radius + 0.02)
    truth, other = (level * np.exp(2j * np.pi * rng.uniform(size=(SIDE, SIDE))) for _ in range(2))
    both = (np.fft.ifft2(spectrum) for spectrum in (truth, share * truth + np.sqrt(1 - share**2) * other))
    wanted, found = (image / np.abs(image).std() for image in both)
    return {"worn": found + 3}, wanted + 3


def table(folder: Path) -> tuple[list[str], dict[str, dict[str, float]]]:
    """Columns and lines of the table; what further columns hold is not looked at."""
    with (folder / FILES[0]).open(newline="", encoding="utf-8") as stream:
        reader = csv.DictReader(stream)
        rows = {row["name"]: {key: float(row[key]) for key in COLUMNS[1:] if key in row} for row in reader}
    return list(reader.fieldnames or []), rows


def unseen(row: Mapping[str, float]) -> list[str]:
    """Of an object whose amplitude alone is disturbed: the columns of amplitudes that tell no more of it than those of phases."""
    likeness = ("ssim_amplitude", "ms_ssim_amplitude")
    found = [name for name in likeness if not row[name] < row[name.replace("amplitude", "phase")]]
    return found + [name for name in ("mae_amplitude",) if not row[name] > row["mae_phase"]]


def curves(folder: Path, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Frequencies (cycles a pixel) of an object's rings, ascending, and their correlation."""
    with (folder / f"{name}_frc_curves.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    found = np.array([[float(row[column]) for column in RINGS] for row in rows]).reshape(-1, 2)
    return tuple(found[np.argsort(found[:, 0], kind="stable")].T)


def aligned(folder: Path, name: str) -> np.ndarray:
    """An object in the place and gauge of the truth; the margins, which moving emptied, aside."""
    with np.load(folder / FILES[3]) as file:
        return file[name][8:-8, 8:-8]


def kept(folder: Path) -> dict[str, np.ndarray]:
    """The objects as they came."""
    with np.load(folder / FILES[2]) as file:
        return dict(file)


def figures(found: Mapping[str, Any], names: tuple[str, ...]) -> np.ndarray:
    """The figures that there are."""
    return np.array([float(found[name]) for name in names if found[name] is not None])


def no_scan(kind: str) -> tuple[np.ndarray, np.ndarray, dict[str, Any]]:
    """Places, groups and settings that are no scan."""
    whole, four = places(), groups(4)
    return {
        "one-place": (np.repeat(whole[:1], 14, axis=0), four, {}),
        "beyond": (whole, four + 9, {}),
        "before": (whole, four - 1, {}),
        "no-share": (whole, four, {"s_img": 0.0}),
        "less-than-none": (whole, four, {"s_img": -0.5}),
        "more-than-all": (whole, four, {"s_img": 1.5}),
    }[kind]
