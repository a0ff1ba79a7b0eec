"""PtyLab: it reads what `convert` reads, both are asked about one file. `python with_ptylab.py write|read SCAN FOLDER`."""

from __future__ import annotations

import contextlib
import json
import sys
from pathlib import Path

import h5py
import numpy as np


def write(scan: dict[str, np.ndarray], folder: Path) -> dict[str, list[str]]:
    """PtyLab has no writer of measurements: the file is written as its manual says, and PtyLab has to accept it."""
    x, y = (scan[axis] * float(scan["pixel"]) for axis in ("x", "y"))
    with h5py.File(folder / "ptylab.hdf5", "w") as file:
        file["ptychogram"], file["encoder"] = scan["counts"].astype(np.float32), np.stack([y - y.mean(), x - x.mean()], axis=1)
        file["wavelength"], file["zo"], file["dxd"] = scan["wavelength"], scan["distance"], scan["pitch"]
    accepted(folder / "ptylab.hdf5")
    np.save(folder / "probe.npy", scan["probe"])
    np.save(folder / "good.npy", scan["good"])
    flags = ["--source", str(folder / "ptylab.hdf5"), "--probe", str(folder / "probe.npy"), "--mask", str(folder / "good.npy")]
    return {"a file as its manual says, which it accepts": flags}


def accepted(path: Path) -> np.ndarray:
    """Positions (row, column) in pixels, as PtyLab's own `Reconstruction` has them."""
    from PtyLab.ExperimentalData.ExperimentalData import ExperimentalData
    from PtyLab.Params.Params import Params
    from PtyLab.Reconstruction.Reconstruction import Reconstruction

    with contextlib.redirect_stdout(sys.stderr):
        data = ExperimentalData(path)
        return np.asarray(Reconstruction(data, Params()).positions)


def read(scan: dict[str, np.ndarray], folder: Path) -> dict[str, float]:
    """The largest deviation, in pixels, of PtyLab's rounded positions from those of the scan."""
    found = accepted(folder / "ptylab.hdf5").astype(np.float64)
    wanted = np.stack([scan["y"], scan["x"]], axis=1)
    moved = (found - found.mean(axis=0)) - (wanted - wanted.mean(axis=0))
    return {"positions beyond the rounding, pixels": float(max(0.0, np.abs(moved).max() - 1.0))}


if __name__ == "__main__":
    verb, file, folder = sys.argv[1:]
    with np.load(file) as arrays:
        print(json.dumps({"write": write, "read": read}[verb](dict(arrays), Path(folder))))
