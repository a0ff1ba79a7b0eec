"""`train` on the map of `conduct.odd`, asked for under another mask, or another word of how its files are read (CLI-067)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from conformance.connectors import process
from conformance.scenes import commands, conduct, maps


def under_another_mask(backend: Any, shared: Path, folder: Path) -> tuple[process.Completed, bool, bool]:
    """The training once more, its mask turned round: how it ended, is there a bundle, and is the map as it was."""
    data = conduct.odd(backend, shared, mapped=True).output.parent
    np.save(folder / "good.npy", np.load(data / "good.npy")[::-1, ::-1])
    return _again(backend, data, folder, {"--test_data_file": data / "test.npz", "--mask": folder / "good.npy"})


def under_another_word(backend: Any, shared: Path, folder: Path, flag: str, value: Any) -> tuple[process.Completed, bool, bool]:
    """The same with its mask and another value of a flag of `conduct.ODD`, and no file that is read beside the map."""
    data = conduct.odd(backend, shared, mapped=True).output.parent
    return _again(backend, data, folder, {"--mask": data / "good.npy", flag: value})


def place(backend: Any, shared: Path) -> str:
    """The folder of the map."""
    return str(conduct.odd(backend, shared, mapped=True).output.parent / "map")


def _again(backend: Any, data: Path, folder: Path, other: dict[str, Any]) -> tuple[process.Completed, bool, bool]:
    before = maps.kept(data / "map")
    words = {"--map-dir": data / "map", **conduct.ODD, **conduct.TYPED, **other}
    argv = [*backend.command("train"), *commands.listed(words), *conduct.MAPPED]
    argv += ["--train_data_file", data / "train.npz", data / conduct.BAD, "--accept", "position-outlier"]
    done = commands.call([*argv, "--output_dir", folder / "out", "--accelerator", "cpu", "--quiet"], folder)
    return done, any((folder / "out").rglob("wts.h5.zip")), maps.kept(data / "map") == before
