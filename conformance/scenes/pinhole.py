"""A conversion whose probe is that of a pinhole, with a part of its optics and a table whose frames count from 1 (CLI-060)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from conformance.connectors import native, process
from conformance.scenes import converting
from conformance.scenes.converting import COUNT, PIXEL, SIDE, WAVELENGTH, Case, Truth

DIAMETER, BEHIND = 1.6e-6, 100e-6
"""Of the hole, and from it to the sample, in metres."""


def _files(folder: Path) -> dict[str, Any]:
    np.save(folder / "frames.npy", converting.exposures(SIDE, SIDE, 15))
    lines = [f"{number + 1},{x:.12f},{y:.12f}" for number, (x, y) in enumerate(converting.places())][::-1]
    (folder / "table.csv").write_text("\n".join(["frame,x (um),y (um)", *lines]) + "\n", encoding="utf-8")
    return {"--source": folder / "frames.npy", "--positions": folder / "table.csv"}


def truth() -> Truth:
    """Frames and positions in their order."""
    return Truth(np.sqrt(converting.exposures(SIDE, SIDE, 15).astype(float)), converting.places() * 1e-6 / PIXEL, None)


CASE = Case(
    {"--measurement": "counts", "--zero-frequency": "centre", "--object-pixel": "50 nm", "--energy": "10000 eV",
     "--aperture": "1.6 um", "--defocus": "100 um", "--detector-pixel": "75 um"},
    (), _files, truth,
)  # fmt: skip


def converted(backend: Any, shared: Path) -> tuple[process.Completed, Path]:
    """The call, once for all checks of a session: how it ended, and the folder of what it wrote."""
    return converting.called(backend, shared, "pinhole", CASE)


def light(backend: Any, path: Path) -> np.ndarray:
    """The probe `(N, N)` of a file."""
    return np.squeeze(native.array(backend.read(path).probeGuess)).astype(complex)


def hole(probe: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What a probe was in the plane of the hole, up to a factor, and the hole; but for the pixels next to its edge."""
    q = np.fft.fftfreq(SIDE, PIXEL)
    way = np.exp(1j * np.pi * WAVELENGTH * BEHIND * (q[:, None] ** 2 + q**2))
    field = np.fft.fftshift(np.fft.ifft2(np.fft.fft2(np.fft.ifftshift(probe)) * way))
    beside = PIXEL * np.hypot(*(np.indices(probe.shape) - SIDE // 2)) - DIAMETER / 2
    inside, sure = (beside < 0).astype(complex), np.abs(beside) > PIXEL
    return field[sure] / field[inside * sure > 0].mean(), inside[sure]


def power(probe: np.ndarray) -> tuple[float, float]:
    """The light of a probe, and that of a mean pattern."""
    return float(np.sum(np.abs(probe) ** 2)), float(np.sum(truth().amplitudes ** 2) / COUNT)
