"""Contract files that commands make: `convert` of counts, positions and a probe of somebody else's, and `simulate`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from conformance.connectors import process
from conformance.scenes import commands, solving
from conformance.scenes.shared import once

N, COUNT, DROPPED, PIXEL = 64, 12, (3, 7), 5e-8
"""Pixels of a frame, frames, those that are left out, and an object pixel in metres."""
THRESHOLD = 2
CONVERT = {"--position-unit": "um", "--object-pixel": "50 nm", "--measurement": "counts", "--zero-frequency": "centre",
           "--threshold": THRESHOLD, "--drop": "3,7", "--columns": "x y"}  # fmt: skip
TURNS = ("--transpose", "--flip-rows", "--swap-xy", "--flip-y")
PATTERNS, TESTS, PHOTONS, SEED = 24, 8, 2.0e4, 3
SIMULATE = {"--N": N, "--size": 160, "--patterns": PATTERNS, "--test-patterns": TESTS, "--photons": PHOTONS, "--seed": SEED}


def frames() -> np.ndarray:
    """`(n, N, N)` uint32 counts without a symmetry, whose middle is row and column N//2."""
    y, x = np.mgrid[:N, :N] - N / 2
    rng, drift = np.random.default_rng(3), np.arange(COUNT)[:, None, None] - 5
    return rng.poisson(3000 * np.exp(-((x + drift) ** 2 + 1.5 * y**2) / 200) + 0.4 * (x > 3)).astype(np.uint32)


def places() -> np.ndarray:
    """`(n, 2)` positions [x, y] in micrometres."""
    index, rng = np.arange(COUNT), np.random.default_rng(5)
    return np.stack([0.31 * (index % 4), 0.27 * (index // 4)], axis=-1) + rng.uniform(-0.05, 0.05, (COUNT, 2))


def probe() -> np.ndarray:
    """`(N, N)` complex64 without a symmetry."""
    y, x = np.mgrid[:N, :N] - N / 2
    return (np.exp(-((x - 3) ** 2 + y**2) / 50) * np.exp(0.1j * x)).astype(np.complex64)


def expected() -> tuple[np.ndarray, np.ndarray]:
    """`(amplitudes (n, N, N), positions (n, 2) [x, y] px, the first of them at [0, 0])` of the file that `convert` makes.

    The pixel of the zero frequency, row and column N//2, is where it was, whatever is turned about it.
    """
    kept = [number for number in range(COUNT) if number not in DROPPED]
    counts = frames()[kept].astype(float)
    turned = np.roll(np.where(counts < THRESHOLD, 0, counts).transpose(0, 2, 1)[:, ::-1], 1, axis=1)
    x, y = places()[kept].T * 1e-6 / PIXEL
    moved = np.stack([y, -x], axis=-1)
    return np.sqrt(turned), moved - moved[0]


KINDS = {"xcoords": "float64 (M,)", "ycoords": "float64 (M,)", "diff3d": "float32 (M, N, N)", "probeGuess": "complex64 (N, N)"}
"""What a contract file holds (DATA-001), of M patterns of N pixels a side under one mode."""


def kinds(path: Path, N: int = N) -> dict[str, str]:
    """The same of a file as it lies there, whoever reads it; one mode may have an axis of its own (DATA-017)."""
    with np.load(path, allow_pickle=False) as file:
        found = {name: np.squeeze(file[name]) if name == "probeGuess" else file[name] for name in KINDS if name in file}
    axes = {N: "N", len(found.get("xcoords", ())): "M"}
    sides = {name: ", ".join(axes.get(side, str(side)) for side in value.shape) for name, value in found.items()}
    return {name: f"{value.dtype} ({sides[name]}{',' * (value.ndim == 1)})" for name, value in found.items()}


def files(folder: Path) -> dict[str, Path]:
    """Flag → the file that it names, written into `folder`."""
    np.save(folder / "frames.npy", np.asfortranarray(frames()))  # an NPY may have either order
    np.save(folder / "probe.npy", probe())
    np.savetxt(folder / "places.txt", places())
    return {"--source": folder / "frames.npy", "--positions": folder / "places.txt", "--probe": folder / "probe.npy"}


def converted(backend: Any, shared: Path) -> tuple[process.Completed, Path]:
    """`convert` with all of these flags, once for all checks of a session: how it ended, and the file."""
    for flag in (*CONVERT, *TURNS):
        solving.understood(backend, "convert", flag, shared)

    def run(folder: Path) -> process.Completed:
        argv = [*backend.command("convert"), *commands.listed(files(folder) | CONVERT), *TURNS, "--output", folder / "out.npz"]
        return commands.call(argv, folder)

    return process.Completed(**once(shared, "converted", lambda folder: vars(run(folder)))), shared / "converted" / "out.npz"


def simulated(backend: Any, shared: Path, name: str = "", **other: Any) -> tuple[process.Completed, Path]:
    """`simulate`, once for all checks of a session; `other`: flags that have another value than in `SIMULATE`."""
    for flag in SIMULATE:
        solving.understood(backend, "simulate", flag, shared)
    given = SIMULATE | {f"--{flag}": value for flag, value in other.items()}

    def run(folder: Path) -> process.Completed:
        argv = [*backend.command("simulate"), *commands.listed(given), "--output-dir", folder / "out", "--quiet"]
        return commands.call(argv, folder)

    place = f"simulated{name}"
    return process.Completed(**once(shared, place, lambda folder: vars(run(folder)))), shared / place / "out"
