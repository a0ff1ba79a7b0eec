"""A test file, models with one and with four patterns a group, and a reconstruction of somebody else's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from conformance.scenes import archives, interop_figures, runs
from conformance.scenes.records import write_npz

M = 56
"""The window: with narrower ones the test scan shows too little to be compared."""
RECIPES = {"single": runs.BASE, "group": runs.QUAD}
ALGORITHM = "ePIE-7"
MOVED = (13, 8)


def scan(folder: Path, moved: tuple[int, int] = (0, 0), thing: np.ndarray | None = None) -> Path:
    """The test record as a file, with another object (`thing`); `moved` [x, y]: object and positions lie as much further on."""
    given = runs.raw(30, seed=8)
    places = {name: values + moved[name[0] == "y"] for name, values in given.items() if "coords" in name}
    thing = np.pad(given["objectGuess"] if thing is None else thing, ((moved[1], 0), (moved[0], 0)), mode="edge")
    folder.mkdir(parents=True, exist_ok=True)
    return write_npz(folder / "test.npz", **{**given, **places, "objectGuess": thing.astype(np.complex64)})


def bundles(backend: Any, *names: str) -> dict[str, Path]:
    """Name → folder of a trained model."""
    return {name: archives.good(backend, RECIPES[name]) for name in names or RECIPES}


def reconstruction(folder: Path, **changes: Any) -> Path:
    """What another program found: the truth with ripples; parts that are None are missing."""
    given = runs.raw(30, seed=8)
    y, x = np.indices(given["objectGuess"].shape)
    found = {
        "reconstructed_object": (given["objectGuess"] * (1 + 0.1 * np.sin(x / 3) * np.cos(y / 5))).astype(np.complex64),
        "reconstructed_probe": given["probeGuess"],
        "algorithm": ALGORITHM,
    }
    path = folder / "other.npz"
    np.savez(path, **{name: value for name, value in {**found, **changes}.items() if value is not None})
    return path


def compared(backend: Any, folder: Path, asked: dict[str, Path], test: Path, **settings: Any) -> dict[str, np.ndarray]:
    """A comparison in `folder`; the objects as they came."""
    backend.compare_models(asked, test, folder, **{"stitch_crop_size": M, **settings})
    return interop_figures.kept(folder)


NO_COMPARISON: dict[str, tuple[str | tuple[str, ...], Callable[[Path], dict[str, Any]]]] = {
    "no-window": ("stitch_crop_size", lambda folder: {"stitch_crop_size": 0}),
    "window-beyond": ("stitch_crop_size", lambda folder: {"stitch_crop_size": runs.N + 1}),
    "half-a-window": ("", lambda folder: {"stitch_crop_size": 20.5}),
    "no-object": ("reconstructed_object", lambda folder: {"reconstruction": reconstruction(folder, reconstructed_object=None)}),
    "no-probe": ("reconstructed_probe", lambda folder: {"reconstruction": reconstruction(folder, reconstructed_probe=None)}),
    "no-name": ("algorithm", lambda folder: {"reconstruction": reconstruction(folder, algorithm=None)}),
    "name-twice": (
        ("algorithm", "reconstruction", "single"),
        lambda folder: {"reconstruction": reconstruction(folder, algorithm="single")},
    ),
}
"""What is refused, and the name in the refusal."""
