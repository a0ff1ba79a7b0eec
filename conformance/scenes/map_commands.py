"""`train` on the map of `conduct.odd`, asked for under another mask (CLI-067)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from conformance.connectors import process
from conformance.scenes import commands, conduct, maps


def under_another_mask(backend: Any, shared: Path, folder: Path) -> tuple[process.Completed, bool, bool]:
    """The training once more, its mask turned round: how it ended, is there a bundle, and is the map as it was."""
    data = conduct.odd(backend, shared, mapped=True).output.parent
    before = maps.kept(data / "map")
    np.save(folder / "good.npy", np.load(data / "good.npy")[::-1, ::-1])
    files = {"--test_data_file": data / "test.npz", "--map-dir": data / "map", "--mask": folder / "good.npy"}
    argv = [*backend.command("train"), *commands.listed(files | conduct.ODD | conduct.TYPED), *conduct.MAPPED]
    argv += ["--train_data_file", data / "train.npz", data / conduct.BAD, "--accept", "position-outlier"]
    done = commands.call([*argv, "--output_dir", folder / "out", "--accelerator", "cpu", "--quiet"], folder)
    return done, any((folder / "out").rglob("wts.h5.zip")), maps.kept(data / "map") == before
