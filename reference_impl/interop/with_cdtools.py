"""cdtools: its `Ptycho2DDataset` writes and reads CXI. `python with_cdtools.py write|read SCAN FOLDER`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np


def write(scan: dict[str, np.ndarray], folder: Path) -> dict[str, list[str]]:
    """Label → flags of `convert`. cdtools' translations are those of the probe, x to the left, y up."""
    from cdtools.datasets import Ptycho2DDataset

    pitch, pixel = float(scan["pitch"]), float(scan["pixel"])
    places = np.stack([-scan["x"] * pixel, -scan["y"] * pixel, 0 * scan["x"]], axis=1)
    geometry = {
        "distance": float(scan["distance"]),
        "basis": np.array([[0, -pitch], [-pitch, 0], [0, 0]]),
        "corner": None,
    }
    counts, wavelength = scan["counts"].astype(np.float32), float(scan["wavelength"])
    data = Ptycho2DDataset(places, counts, wavelength=wavelength, detector_geometry=geometry, mask=scan["good"])
    data.to_cxi(folder / "cdtools.cxi")
    np.save(folder / "probe.npy", scan["probe"])
    return {"CXI": ["--source", str(folder / "cdtools.cxi"), "--probe", str(folder / "probe.npy")]}


def read(scan: dict[str, np.ndarray], folder: Path) -> dict[str, float]:
    """Label → the largest deviation of what cdtools finds in our file, in pixels or counts."""
    from cdtools.datasets import Ptycho2DDataset
    from cdtools.tools.interactions import translations_to_pixel

    data = Ptycho2DDataset.from_cxi(folder / "ours.cxi")
    basis = np.asarray(data.detector_geometry["basis"], np.float64)
    directions = basis / np.linalg.norm(basis, axis=0) * float(scan["pixel"])
    import torch

    found = translations_to_pixel(torch.as_tensor(directions), data.translations.double()).numpy()
    wanted = np.stack([scan["y"], scan["x"]], axis=1)
    moved = (found - found.min(axis=0)) - (wanted - wanted.min(axis=0))
    counts = np.abs(data.patterns.numpy() - scan["counts"] * scan["good"]).max()
    bad = float((data.mask.numpy() != scan["good"]).sum())
    return {"CXI positions, pixels": float(np.abs(moved).max()), "CXI counts": float(counts), "CXI mask, pixels": bad}


if __name__ == "__main__":
    verb, file, folder = sys.argv[1:]
    with np.load(file) as arrays:
        print(json.dumps({"write": write, "read": read}[verb](dict(arrays), Path(folder))))
