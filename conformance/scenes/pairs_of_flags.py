"""Conversions under several flags each: of every two flags one call has the first without the second, another the reverse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from conformance.connectors import process
from conformance.connectors.names import NotClaimed
from conformance.scenes import commands, converting, lights, solving, sources
from conformance.scenes.covering import shared_out
from conformance.scenes.shared import once

SIDE, CROP, BIN, LEAST, LIMIT, HIGH = converting.SIDE, 32, 2, 3, 2, 60_000
DARK, SATURATED, DROPPED = 4, 9, (3, 7)
MASKED, MARKED, NEGATIVE, FULL = np.s_[22:24, 30:33], np.s_[25, 36], np.s_[40, 27], np.s_[30, 34]
"""Pixels that a mask hides, that are -1 in all frames, that are below zero in some, and the one that is full in a frame."""
MASK = "good.npy"
ALWAYS = {"--position-unit": "um", "--object-pixel": "50 nm", "--measurement": "counts", "--zero-frequency": "centre",
          "--columns": "x y"}  # fmt: skip
FLAGS: dict[str, Any] = {
    **{"--transpose": None, "--flip-rows": None, "--flip-columns": None, "--swap-xy": None, "--flip-x": None, "--flip-y": None},
    **{
        "--crop": CROP,
        "--bin": BIN,
        "--threshold": LEAST,
        "--clip-negatives": LIMIT,
        "--mask": "good.npy",
        "--mask-marked": None,
    },
    **{"--drop": "3,7", "--drop-dark": 0.1, "--drop-saturated": HIGH, "--keep-origin": None},
}
"""Flag → its value; None: a switch."""
CALLS = range(6)


def known(backend: Any, shared: Path) -> list[str]:
    """The flags that the help of `convert` lists; `NotClaimed` where it has none, or not those that every call has."""
    sources.understood(backend, shared, "--positions", "--probe", *ALWAYS)
    listed = solving.offered(backend, "convert", shared)
    if not (found := [flag for flag in FLAGS if flag in listed]):
        raise NotClaimed("command `convert`: its help lists no flag that changes a file")
    return found


def frames(typed: set[str]) -> tuple[np.ndarray, np.ndarray]:
    """`(n, N, N)` int32 counts with what the flags of a call are there for, and the pixels of its mask that are good.

    Nothing is in the first row and column, and the rows and columns on both sides of the window are one: what is turned over
    about the middle has either of them.
    """
    counts, good = converting.exposures(SIDE, SIDE, 13), np.ones((SIDE, SIDE), bool)
    counts[DARK] //= 100
    near, far = SIDE // 2 - CROP // 2, SIDE // 2 + CROP // 2
    counts[:, far], counts[:, 0] = counts[:, near], 0
    counts[:, :, far], counts[:, :, 0] = counts[:, :, near], 0
    counts[SATURATED][FULL] = HIGH
    if "--clip-negatives" in typed:
        counts[(1, 5), *NEGATIVE] = (-LIMIT, -1)
    if "--mask-marked" in typed:
        counts[:, *MARKED] = -1
    if "--mask" in typed:
        counts[:, *MASKED], good[MASKED] = 3000, False
    return counts, good


def called(backend: Any, shared: Path, call: int) -> tuple[process.Completed, Path, set[str]]:
    """A call, once for all checks of a session: how it ended, its file, and its flags."""
    typed = shared_out(known(backend, shared), len(CALLS))[call]

    def run(folder: Path) -> process.Completed:
        counts, good = frames(typed)
        np.save(folder / "frames.npy", counts)
        np.save(folder / MASK, good)
        np.save(folder / "probe.npy", lights.field(SIDE)[0])
        np.savetxt(folder / "places.txt", converting.places())
        files = {"--source": "frames.npy", "--positions": "places.txt", "--probe": "probe.npy", "--output": "scan.npz"}
        words = [str(word) for flag in FLAGS if flag in typed for word in (flag, FLAGS[flag]) if word is not None]
        return commands.call([*backend.command("convert"), *commands.listed(files | ALWAYS), *words], folder)

    place = f"converted-beside-{call}"
    done = process.Completed(**once(shared, place, lambda folder: vars(run(folder))))
    return done, shared / place / "scan.npz", typed


def truth(typed: set[str]) -> converting.Truth:
    """What the file of a call holds."""
    counts, good = frames(typed)
    if "--mask-marked" in typed:
        good[MARKED] = False
    counts = np.where(good, np.maximum(counts, 0), 0)
    counts = np.where(counts < LEAST, 0, counts) if "--threshold" in typed else counts
    counts, good = (_turned(one, typed) for one in (counts[_kept(typed)], good))
    hidden = None if good.all() else good
    return converting.Truth(np.sqrt(counts.astype(float)) * good, _placed(typed), hidden)


def _kept(typed: set[str]) -> list[int]:
    out = {"--drop": set(DROPPED), "--drop-dark": {DARK}, "--drop-saturated": {SATURATED}}
    gone = set().union(*(numbers for flag, numbers in out.items() if flag in typed))
    return [number for number in range(converting.COUNT) if number not in gone]


def _turned(stack: np.ndarray, typed: set[str]) -> np.ndarray:
    """Rows for columns, turned over about the middle, cut and binned; counts are added up, pixels are good where all are."""
    stack = stack.swapaxes(-1, -2) if "--transpose" in typed else stack
    side = CROP if "--crop" in typed else SIDE
    from_middle = np.arange(side) - side // 2
    rows, columns = (SIDE // 2 + (-1 if flag in typed else 1) * from_middle for flag in ("--flip-rows", "--flip-columns"))
    stack = stack[..., rows % SIDE, :][..., columns % SIDE]
    if "--bin" not in typed:
        return stack
    parts = stack.reshape(*stack.shape[:-2], side // BIN, BIN, side // BIN, BIN)
    return parts.all(axis=(-3, -1)) if stack.dtype == bool else parts.sum(axis=(-3, -1))


def _placed(typed: set[str]) -> np.ndarray:
    """Positions `(n, 2)` [x, y] in object pixels: exchanged, then negated."""
    places = converting.places()[_kept(typed)] * 1e-6 / converting.PIXEL
    places = places[:, ::-1] if "--swap-xy" in typed else places
    return places * [-1 if flag in typed else 1 for flag in ("--flip-x", "--flip-y")]


def laid(places: np.ndarray, typed: set[str]) -> np.ndarray:
    """Positions as they stand where the call keeps their origin; else set from the first one on."""
    return places if "--keep-origin" in typed else places - places[:1]
