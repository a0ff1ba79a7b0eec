"""`simulate` with probes that have a pupil, and with one that has none (CLI-075)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from conformance.connectors import process
from conformance.connectors.names import NotClaimed
from conformance.scenes import commands, solving
from conformance.scenes.optics import curved_probe
from conformance.scenes.simulations import simulate, understood

APERTURE = 0.4
"""Diameter of a pupil as a share of the detector."""
PUPILS = ("zernike", "zone_plate")
OPEN = {"--N": 32, "--size": 96, "--patterns": 4, "--test-patterns": 4, "--aperture": APERTURE}


def behind_a_pupil(backend: Any, shared: Path, kind: str, folder: Path) -> tuple[process.Completed, Path]:
    """`simulate` with a probe that has a pupil; `NotClaimed` where the help of `--probe` does not name it."""
    understood(backend, shared, *OPEN, "--probe")
    if kind not in re.findall(r"\w+", solving.offered(backend, "simulate", shared)["--probe"]):
        raise NotClaimed(f"command `simulate`: its help of --probe does not name {kind}")
    return simulate(backend, folder, *commands.listed(OPEN), "--probe", kind), folder / "out"


def without_a_pupil(backend: Any, shared: Path, folder: Path) -> tuple[process.Completed, list[str]]:
    """The same with a probe of a file, which has none: how it ended, and what it left."""
    understood(backend, shared, *OPEN, "--probe-file")
    np.save(folder / "probe.npy", curved_probe(OPEN["--N"], seed=23)[0])
    done = simulate(backend, folder, *commands.listed(OPEN), "--probe-file", folder / "probe.npy")
    return done, [path.name for path in (folder / "out").rglob("*.npz")]


def pupil(probe: np.ndarray) -> tuple[float, float]:
    """Of a probe `(N, N)`: the share of its light beyond the pupil, and the mean light at its edge over that of all of it.

    A pixel next to the edge is neither within nor beyond.
    """
    light = np.abs(np.fft.fftshift(np.fft.fft2(np.fft.ifftshift(probe)))) ** 2
    away, edge = np.hypot(*(np.indices(light.shape) - len(light) // 2)), APERTURE * len(light) / 2
    inner = light[(away > edge - 3) & (away < edge - 1)].mean() / light[away < edge - 1].mean()
    return float(light[away > edge + 1].sum() / light.sum()), float(inner)
