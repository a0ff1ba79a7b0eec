"""PtyLab (PyPI `ptylab`), an iterative engine on NumPy: its far field, and reconstruction without training by its ePIE.

What is mapped, and nothing else: positions are `[x, y]` pixels here and (row, column) metres there; amplitudes here are
intensities there. A measurement enters as its manual says, by an HDF5 file. It keeps no records, makes no groups and trains
nothing; its one function that moves an image (`fraccircshift`) goes round by name and is called by none of its engines, so
`translate` is not offered. What was found stands in `ptylab.md` beside this file.
"""

from __future__ import annotations

import contextlib
import io
import logging
import tempfile
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from PtyLab import DummyMonitor, Engines, ExperimentalData, Params, Reconstruction

from conformance.protocol import BackendInfo

WAVELENGTH, DISTANCE, PITCH = 1.0e-10, 1.0, 1.0e-4
"""Metres, of any experiment: what comes of them is the size of a pixel, in which positions are given back."""

logging.getLogger("Reconstruction").setLevel(logging.WARNING)


class PtyLab:
    """The surfaces `physics` (`diffract`) and `inference` (`reconstruct`), on the CPU."""

    def __init__(self, device: str = "cpu") -> None:
        self.device = device

    def info(self) -> BackendInfo:
        return BackendInfo(
            name="ptylab",
            version=metadata.version("ptylab"),
            profiles=("core", "reconstruct"),
            numeric_libraries=(f"numpy {np.__version__}",),
            distribution="ptylab",
            surfaces=("physics.diffract", "inference.reconstruct"),
        )

    def diffract(self, field: np.ndarray, probe: np.ndarray) -> np.ndarray:
        """One exposure a patch by the engine's way to the detector; modes add as its intensity projection adds them."""
        B, C, *sides = field.shape
        if sides[0] != sides[1]:
            raise ValueError(f"field: PtyLab knows square patterns alone, expected equal sides, found {sides}")
        lit = np.broadcast_to(probe, (B, C, *probe.shape[2:])).reshape(B * C, *probe.shape[2:])
        engine = _engine(np.ones((2, *sides)), np.zeros((2, 2)), lit[0])
        engine._checkMISC()
        return np.stack([_pattern(engine, *pair) for pair in zip(field.reshape(-1, *sides), lit, strict=True)]).reshape(
            field.shape
        )

    def reconstruct(self, results: Mapping[str, Any] | None, test: Any, config: Any) -> tuple[Any, Any, dict[str, Any]]:
        """ePIE with PtyLab's own settings, the probe's power corrected and the probe refined, from an object of ones."""
        if results is not None:
            raise ValueError(f"results: PtyLab is not trained, expected None, found {type(results).__name__}")
        positions = np.stack([test.ycoords, test.xcoords], axis=-1)
        modes = np.asarray(test.probeGuess)
        np.random.seed(config.subsample_seed)  # it draws the order of patterns from the process's generator
        engine = _engine(np.asarray(test.diff3d) ** 2, positions - positions.mean(axis=0), modes)
        engine.numIterations = config.nepochs
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            engine.reconstruct()
        found, probe = engine.reconstruction.object[0, 0, 0, 0], engine.reconstruction.probe[0, 0, :, 0]
        return np.abs(found), np.angle(found), {"object": found, "probe": probe}


def _pattern(engine: Any, patch: np.ndarray, modes: np.ndarray) -> np.ndarray:
    """`(N, N)` amplitudes of one exposure; intensities add over modes as in `BaseEngine.intensityProjection`."""
    engine.reconstruction.esw = modes[None, None, :, None] * patch
    engine.object2detector()
    return np.sqrt(np.sum(np.abs(engine.reconstruction.ESW) ** 2, axis=(0, 1, 2))[-1])


def _engine(intensity: np.ndarray, positions: np.ndarray, modes: np.ndarray) -> Any:
    """An ePIE of an experiment `(n, N, N)` at `positions` `(n, 2)` (row, column) px, with a probe `(N, N)` or `(P, N, N)`."""
    modes = modes.reshape(-1, *modes.shape[-2:])
    pixel = WAVELENGTH * DISTANCE / (PITCH * intensity.shape[-1])
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        path = Path(folder) / "measurement.hdf5"
        with h5py.File(path, "w") as file:
            file["ptychogram"], file["encoder"] = intensity, positions * pixel
            file["wavelength"], file["zo"], file["dxd"] = WAVELENGTH, DISTANCE, PITCH
        data, params = ExperimentalData(path, "CPM"), Params()
        params.probePowerCorrectionSwitch = True  # its own way to bring a probe to the energy of the patterns
        reconstruction = Reconstruction(data, params)
        reconstruction.initialObject, reconstruction.npsm = "ones", len(modes)
        reconstruction.initializeObjectProbe()
        reconstruction.probe = modes[None, None, :, None].astype(np.complex64)
        return Engines.ePIE(reconstruction, data, params, DummyMonitor())
