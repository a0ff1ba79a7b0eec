"""What the client's training leaves as files: parameters of the model that it saved, and what `save_outputs` wrote."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np

from conformance.connectors import native
from conformance.connectors.names import NotClaimed
from conformance.scenes import archives, runs

ELSEWHERE = {"intensity_scale": 4321.5, "nphotons": 8765.0, "batch_size": 32, "probe_scale": 7.5}
"""What stands in the registry when a model is saved, and is not what its training had."""
BRIGHTER = 3
"""By how much the images that are kept are brighter than the scan's object, as `client_steps` makes them."""
PARTS = ("amplitude", "phase")
CURVES = ("train_loss", "val_loss")


def stated(folder: Path) -> dict[str, Any]:
    """The parameters in the bundle of a folder; raises `Malformed` where there is none."""
    return archives.parameters(archives.entries(folder))


def told(trained: dict[str, Any]) -> dict[str, Any]:
    """Losses and scale by the results of a training; `NotClaimed` where its results have them in a form of their own."""
    if trained["results"] is None:
        raise NotClaimed("run_cdi_example: its results are not those of TRAIN-003")
    return dict(trained["results"])


def kept(trained: dict[str, Any], folder: Path) -> Path:
    """The folder of what `save_outputs` left of a run; raises `Malformed` where it was refused."""
    if trained["kept"]:
        raise native.Malformed(f"expected save_outputs to write into a new folder, found {trained['kept']}")
    return folder


def predicted(backend: Any, module: Any, X: np.ndarray, probe: np.ndarray, limit: int = 6) -> np.ndarray:
    """`(limit, N, N)` patches of the first single patterns `X` `(n, N, N, 1)`, as MODEL-021 feeds a module with them."""
    shown = np.ascontiguousarray(np.moveaxis(X, -1, 1), dtype=np.float32)
    light = np.broadcast_to(probe.astype(np.complex64), (limit, 1, *probe.shape))
    scale = np.full((limit, 1, 1, 1), runs.input_scale(shown), dtype=np.float32)
    offsets = np.zeros((limit, 1, 1, 2), dtype=np.float32)
    return np.array(native.array(backend.predict(module, shown[:limit], offsets, np.ascontiguousarray(light), scale)))[:, 0]


def images(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Both images that `save_outputs` left below a folder; `NotClaimed` where no archive holds them by their names."""
    for path in sorted(folder.rglob("*.npz")):
        with np.load(path, allow_pickle=False) as file:
            if set(PARTS) <= set(file.files):
                return file[PARTS[0]], file[PARTS[1]]
    raise NotClaimed("save_outputs: it leaves no archive with amplitude and phase")


def curves(folder: Path) -> dict[str, list[float]]:
    """The columns of losses and epochs that `save_outputs` left below a folder; `NotClaimed` where no table holds them."""
    for path in sorted(folder.rglob("*.csv")):
        with path.open(newline="", encoding="utf-8") as stream:
            rows = list(csv.DictReader(stream))
        if rows and {"epoch", *CURVES} <= set(rows[0]):
            return {name: [float(row[name]) for row in rows] for name in ("epoch", *CURVES)}
    raise NotClaimed("save_outputs: it leaves no table of losses")
