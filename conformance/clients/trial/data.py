"""A known experiment as ptychodus holds it: assembled diffraction data and a product, in its own files.

Written with the client's own functions; importable where ptychodus is installed.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ptychodus.api.assemble import AssembledDiffractionData
from ptychodus.api.constants import energy_eV_to_wavelength_m
from ptychodus.api.geometry import PixelGeometry
from ptychodus.api.io import save_diffraction_data, save_product
from ptychodus.api.object import Object, ObjectCenter
from ptychodus.api.probe import ProbeSequence
from ptychodus.api.probe_positions import ProbePosition, ProbePositionSequence
from ptychodus.api.product import Product, ProductMetadata

from reference_impl.simulation import exposures, objects, probes, scans

N, HEIGHT, WIDTH = 64, 138, 162
PHOTONS = 108 * N * N  # photons a pattern: 108 counts a pixel, as in the published synthetic studies
ENERGY_EV, DISTANCE_M, DETECTOR_PIXEL_M = 10_000.0, 2.0, 75e-6
PIXEL_M = energy_eV_to_wavelength_m(ENERGY_EV) * DISTANCE_M / (N * DETECTOR_PIXEL_M)  # what the client expects of its objects
CENTRE_M = (3.1e-6, -2.2e-6)  # of the object; a centre at zero would hide a sign
BAD = ((5, 9), (40, 3))  # dead pixels, which the client fills


@dataclass(frozen=True)
class Known:
    """What was put in: the object `(H, W)`, and positions [x, y] on it in pixels."""

    truth: np.ndarray
    x: np.ndarray
    y: np.ndarray


def make(folder: Path, seed: int, count: int) -> Known:
    """Write `diffraction.h5` (int32 counts) and `product.h5` (a flat object: nothing of the truth is told) into `folder`."""
    rng = np.random.default_rng(seed)
    truth = objects.lines(320, rng, amplitude=(0.2, 1.0), phase=(-1.0, 1.0))[:HEIGHT, :WIDTH]
    probe = probes.curved_disk(N, np.random.default_rng(1))
    positions = scans.jittered_grid(count, scans.inner_bounds(HEIGHT, WIDTH, N), rng)
    arrays = exposures.expose(truth, probe, positions, PHOTONS, rng)
    counts = np.rint(arrays["diff3d"].astype(np.float64) ** 2).astype(np.int32)
    bad = np.zeros((N, N), dtype=bool)
    bad[tuple(np.array(BAD).T)] = True
    counts[:, bad] = 0
    detector = PixelGeometry(DETECTOR_PIXEL_M, DETECTOR_PIXEL_M)
    folder.mkdir(parents=True, exist_ok=True)
    save_diffraction_data(folder / "diffraction.h5", AssembledDiffractionData(np.arange(count), counts, detector, bad))
    save_product(folder / "product.h5", _product(arrays["probeGuess"], *positions, float(counts.sum(axis=(1, 2)).max())))
    return Known(truth, *positions)


def _product(probe: np.ndarray, x: np.ndarray, y: np.ndarray, photons: float) -> Product:
    pixel = PixelGeometry(PIXEL_M, PIXEL_M)
    metres_x = CENTRE_M[0] + PIXEL_M * (x - (WIDTH - 1) / 2)
    metres_y = CENTRE_M[1] + PIXEL_M * (y - (HEIGHT - 1) / 2)
    points = [ProbePosition(i, a, b) for i, (a, b) in enumerate(zip(metres_x, metres_y, strict=True))]
    return Product(
        metadata=ProductMetadata("known", "", DISTANCE_M, ENERGY_EV, photons, 1.0, 0.0, 0.0),
        probe_positions=ProbePositionSequence(points),
        probes=ProbeSequence(probe.astype(np.complex128), None, pixel),
        object_=Object(np.ones((HEIGHT, WIDTH), dtype=np.complex128), pixel, ObjectCenter(*CENTRE_M)),
        losses=[],
    )
