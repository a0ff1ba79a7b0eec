"""Two stacks that differ in the frames that are held out, and the probe that a conversion refines by the others (CLI-063)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from conformance.connectors import native, process
from conformance.connectors.names import NotEvaluated
from conformance.scenes import commands, converting, sources, tuned
from conformance.scenes.shared import once

COUNT = converting.COUNT - converting.SURPLUS
FLAGS = {"--columns": "x y", "--position-unit": "um", "--object-pixel": "50 nm", "--measurement": "counts",
         "--zero-frequency": "centre", "--refine-probe": 3, "--held-out": converting.HELD}  # fmt: skip


def _held_out(backend: Any, shared: Path) -> np.ndarray:
    """Numbers of the exposures that a conversion of as many holds out: those of the window."""
    done, folder = converting.converted(backend, shared, "window")
    if done.returncode:
        raise NotEvaluated("the conversion whose held-out exposures are to be changed did not end well")
    return _rows(backend, folder, "scan")


def _rows(backend: Any, folder: Path, name: str) -> np.ndarray:
    whole, part = (converting.found(backend, folder / f"{name}{end}.npz").positions for end in ("", "_test"))
    return np.flatnonzero((np.abs(whole[:, None] - part[None]).max(axis=-1) < 1e-9).any(axis=1))


def refined(backend: Any, shared: Path) -> tuple[process.Completed, list[np.ndarray]]:
    """One call for both stacks: how it ended, the probe that it was given, and the two that it made.

    `NotEvaluated` where another choice is made than of as many exposures before.
    """
    sources.understood(backend, shared, *FLAGS)
    rows = _held_out(backend, shared)

    def run(folder: Path) -> process.Completed:
        frames = converting.exposures(converting.SIDE, converting.SIDE, 9)[:COUNT]
        other = frames.copy()
        other[rows] = other[rows, ::-1, ::-1] * 3
        np.save(folder / "one.npy", frames)
        np.save(folder / "other.npy", other)
        np.save(folder / "probe.npy", converting.probe(converting.SIDE)[0])
        np.savetxt(folder / "places.txt", converting.places(COUNT))
        files = {"--positions": folder / "places.txt", "--probe": folder / "probe.npy", "--output": folder / "out"}
        argv = [*backend.command("convert"), "--source", folder / "one.npy", folder / "other.npy", "--quiet"]
        return commands.call([*argv, *commands.listed(files | FLAGS)], folder)

    done, folder = process.Completed(**once(shared, "learned", lambda folder: vars(run(folder)))), shared / "learned" / "out"
    if done.returncode:
        return done, []
    if any(not np.array_equal(_rows(backend, folder, name), rows) for name in ("one", "other")):
        raise NotEvaluated("which exposures are held out is drawn anew in each call")
    made = [np.squeeze(native.array(backend.read(folder / f"{name}_train.npz").probeGuess)) for name in ("one", "other")]
    return done, [converting.probe(converting.SIDE)[0], *made]


MASKED = {"--columns": "x y", "--position-unit": "pixel", "--object-pixel": "50 nm", "--measurement": "amplitude",
          "--zero-frequency": "centre", "--refine-probe": 6}  # fmt: skip
HIDDEN = slice(tuned.N // 2 + 2, tuned.N // 2 + 5)
"""Rows of the detector that nobody measured, beside the middle, where most light falls."""


def masked(backend: Any, shared: Path, folder: Path) -> tuple[process.Completed, float]:
    """`convert --refine-probe` of exact patterns under their probe, with rows that hold nothing: how it ended, the probe's error.

    That is the relative distance from the true probe, a factor aside.
    """
    sources.understood(backend, shared, *MASKED, "--mask")
    sources.taken(backend, shared, "--position-unit", MASKED["--position-unit"])
    given, good = tuned.experiment(), np.ones((tuned.N, tuned.N), bool)
    good[HIDDEN] = False
    np.save(folder / "patterns.npy", np.where(good, given["diff3d"], 0))
    np.save(folder / "good.npy", good)
    np.save(folder / "probe.npy", given["probeGuess"])
    np.savetxt(folder / "places.txt", np.stack([given["xcoords"], given["ycoords"]], axis=1))
    files = {"--source": "patterns.npy", "--mask": "good.npy", "--probe": "probe.npy", "--positions": "places.txt"}
    argv = [*backend.command("convert"), *commands.listed(files | MASKED), "--quiet", "--output", folder / "out.npz"]
    done = commands.call(argv, folder)
    if done.returncode:
        return done, np.inf
    truth = np.asarray(given["probeGuess"], complex)
    found = np.squeeze(native.array(backend.read(folder / "out.npz").probeGuess)).astype(complex)
    factor = np.vdot(truth, found) / np.vdot(truth, truth)
    return done, float(np.linalg.norm(found / factor - truth) / np.linalg.norm(truth))
