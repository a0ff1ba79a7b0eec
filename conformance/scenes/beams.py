"""A conversion whose caller states no zero frequency and no centre: a detector's raw stack, with the beam beside its corner."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from conformance.connectors import process
from conformance.scenes import archives, commands, converting, lights, sources
from conformance.scenes.converting import Case, Truth

SHAPE, DETECTOR, CROP = (3, 4), 80, 64
"""Rows and columns of the raster, pixels across the detector, and across the window that is kept."""
BEAM = (5, -6)
"""Row and column of the beam from the corner of a frame, counted round its edges."""
STEP, LEFT_OUT = (80e-9, 60e-9), (3, 10, 11)
MODES = 2
LENGTH, DISTANCE, PITCH = 0.124e-9, 2.0, 75e-6
DEAD, MARK = (20, 10), 2**32 - 1
"""A pixel of a frame that never counts, and what a detector of 32 bits writes there."""


def _shown() -> np.ndarray:
    """Counts `(rows, columns, DETECTOR, DETECTOR)` uint32 with the beam in the middle, DETECTOR//2.

    A spot that is even about the beam, another in each frame, and beside it a faint block that says which way up it is: the
    centroid is a hundredth of a pixel off, less than nothing along the columns.
    """
    y, x = np.mgrid[:DETECTOR, :DETECTOR] - DETECTOR // 2
    strength = 1000.0 + 150 * np.arange(SHAPE[0] * SHAPE[1]).reshape(*SHAPE, 1, 1)
    counts = np.rint(strength * np.exp(-(x**2 + 1.5 * y**2) / 60)).astype(np.uint32)
    counts[..., DETECTOR // 2 + 12 : DETECTOR // 2 + 16, DETECTOR // 2 - 14 : DETECTOR // 2 - 11] += 2
    return counts


def _moved() -> tuple[int, int]:
    """By how much a frame is rolled that has the beam in the middle."""
    return BEAM[0] - DETECTOR // 2, BEAM[1] - DETECTOR // 2


def _files(folder: Path) -> dict[str, Any]:
    stack = np.roll(_shown(), _moved(), axis=(2, 3))
    stack[..., DEAD[0], DEAD[1]] = MARK
    np.savez(folder / "raster.npz", counts=stack)
    np.save(folder / "light.npy", lights.field(DETECTOR, MODES))
    return {"--source": f"{folder / 'raster.npz'}::counts", "--probe": folder / "light.npy"}


def truth() -> Truth:
    """The window about the beam, the raster in object pixels, and the pixel that never counts."""
    low = DETECTOR // 2 - CROP // 2
    kept = np.delete(np.arange(SHAPE[0] * SHAPE[1]), LEFT_OUT)
    good = np.ones((DETECTOR, DETECTOR), bool)
    good[DEAD] = False
    window = (slice(low, low + CROP), slice(low, low + CROP))
    good = np.roll(good, [-move for move in _moved()], axis=(0, 1))[window]
    counts = _shown().reshape(-1, DETECTOR, DETECTOR)[kept][:, *window]
    row, column = np.divmod(kept, SHAPE[1])
    metres = np.stack([column * STEP[1], row * STEP[0]], axis=-1)
    return Truth(np.sqrt(counts.astype(float)) * good, metres / (LENGTH * DISTANCE / (CROP * PITCH)), good)


CASE = Case(
    {"--axes": "sy sx y x", "--measurement": "counts", "--centre": "found", "--crop": CROP, "--step": "80 nm,60 nm",
     "--drop": "3,10-11", "--energy": "0.124 nm", "--distance": "2000 mm", "--detector-pixel": "75 um"},
    ("--mask-marked",), _files, truth,
)  # fmt: skip


def converted(backend: Any, shared: Path) -> tuple[process.Completed, Path]:
    """The call, once for all checks of a session: how it ended, and the folder of what it wrote."""
    return converting.called(backend, shared, "beam", CASE)


def _in_the_corner(folder: Path) -> dict[str, Any]:
    """Square frames whose beam is pixel [0, 0], as a transform leaves them, row by row of the raster, in doubles."""
    stack = np.fft.ifftshift(_shown(), axes=(2, 3)).reshape(-1, DETECTOR, DETECTOR).astype(float)
    stack[:, DEAD[0], DEAD[1]] = MARK
    np.save(folder / "frames.npy", stack)
    return {"--source": folder / "frames.npy"}


def _from_the_corner() -> Truth:
    """The window about the beam, without the pixel that never counts; no frame is left out."""
    plain = _about_the_beam()
    good = np.ones((DETECTOR, DETECTOR), bool)
    good[DEAD] = False
    low = DETECTOR // 2 - CROP // 2
    good = np.fft.fftshift(good)[low : low + CROP, low : low + CROP]
    return Truth(plain.amplitudes * good, plain.positions, good)


def _about_the_beam() -> Truth:
    """The window about the beam of every frame."""
    low = DETECTOR // 2 - CROP // 2
    counts = _shown().reshape(-1, DETECTOR, DETECTOR)[:, low : low + CROP, low : low + CROP]
    row, column = np.divmod(np.arange(len(counts)), SHAPE[1])
    metres = np.stack([column * STEP[1], row * STEP[0]], axis=-1)
    return Truth(np.sqrt(counts.astype(float)), metres / 50e-9, None)


def _uneven(folder: Path) -> dict[str, Any]:
    """Frames that are wider than high, their beam in the middle of neither."""
    stack = np.pad(_shown().reshape(-1, DETECTOR, DETECTOR), ((0, 0), (0, 0), WIDER))
    np.save(folder / "frames.npy", stack)
    return {"--source": folder / "frames.npy"}


WIDER = (7, 13)
"""Columns before and behind a square detector, of another one that is not square."""
RASTER = {"--measurement": "counts", "--step": "80 nm,60 nm", "--scan-shape": "3,4", "--object-pixel": "50 nm"}
UNSTATED: dict[str, Case] = {
    "corner": Case({**RASTER, "--crop": CROP}, ("--mask-marked",), _in_the_corner, _from_the_corner),
    "uneven": Case(RASTER, (), _uneven, _about_the_beam),
}
"""Neither a zero frequency nor a centre is stated; in the second no side, either."""


def unstated(backend: Any, shared: Path, name: str) -> tuple[process.Completed, Path]:
    """A call of `UNSTATED`, once for all checks of a session."""
    return converting.called(backend, shared, name, UNSTATED[name])


EDGES = {"far": (DETECTOR // 2, DETECTOR - CROP // 2 + 1), "near": (CROP // 2 - 1, DETECTOR // 2)}
"""Row and column of a centre whose window has one column more than the detector, at its far edge; or one row, before all."""


def beside(backend: Any, folder: Path, edge: str) -> tuple[process.Completed, list[str]]:
    """The call with a window that leaves the detector: how it ended, and what lies in its folder of results."""
    flags = {"--axes": "sy sx y x", "--measurement": "counts", "--zero-frequency": "centre", "--step": "80 nm,60 nm",
             "--centre": ",".join(map(str, EDGES[edge])), "--crop": CROP, "--object-pixel": "50 nm"}  # fmt: skip
    sources.understood(backend, folder, *flags, "--mask-marked")
    (out := folder / "out").mkdir()
    argv = [*backend.command("convert"), *commands.listed(_files(folder) | flags), "--mask-marked", "--output", out / "scan.npz"]
    return commands.call(argv, folder), archives.left(out)


LIGHTS = {
    "cut": (converted, CROP, MODES),
    "filled-up": (lambda *given: converting.converted(*given, "raster"), converting.PAD, 1),
}
"""Conversions that keep fewer pixels than the detector has, or more: the call, pixels across its patterns, and modes."""
