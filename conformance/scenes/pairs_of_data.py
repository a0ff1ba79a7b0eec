"""Pairs of axes of the data path: files and settings, drawn so that every two values meet; `owed_batches` says what follows."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from conformance.oracles import data as reading
from conformance.scenes import batches, files, kept, masks
from conformance.scenes.covering import Axes, Row, covering
from conformance.scenes.optics import curved_probe
from conformance.scenes.records import write_npz

AXES: Axes = {
    "g": (2, 1, 3),
    "N": (16, 8, 13),
    "exposures": (23, 14, 40),
    "numbers": ("amplitude <f4", "amplitude >f8", "amplitude <f2", "counts <u2", "counts >i4", "counts <f4"),
    "layout": ("first", "last"),
    "memory": ("C", "F", "strided"),
    "source": ("file", "written", "record"),
    "places": ("<f8", ">f8", "<f4"),
    "moved": ("not", "flipped", "swapped"),
    "subsample": ("whole", "drawn"),
    "photons": ("metadata", "settings"),
    "mask": ("none", "file", "call", "both"),
    "groups": ("fewer", "every", "more"),
    "order": ("sequential", "shuffled"),
    "seed": (5, 0, None),
    "neighbours": ("more", "least"),
    "batch": (4, 1, 64),
    "probe": ("complex64", "complex128"),
    "probe_scale": (1.5, 4.0),
    "object_big": (True, False),
    "validation": ("none", "smaller", "larger"),
    "workers": (0, 1),
}
LABELLED: Axes = {
    **{name: AXES[name] for name in ("g", "N", "source", "subsample", "mask", "groups", "order", "batch", "validation")},
    "labels": ("object", "own"),
    "asked": ("supervised", "both"),
    "workers": (0, 1),
}
MODES: Axes = {
    **{name: AXES[name] for name in ("g", "N", "source", "photons", "mask", "order", "batch", "probe", "probe_scale")},
    "modes": (3, 2, 1),
    "probe_mask": (False, True),
    "validation": ("none", "smaller", "larger"),
}
USUAL: Row = {name: values[0] for name, values in AXES.items()} | {
    "labels": "object",
    "asked": "none",
    "modes": 0,
    "probe_mask": False,
}
"""What a row of fewer axes says of the others."""


def possible(row: Row) -> bool:
    """What files and records can be, and groups that can be made (GROUP-003, GROUP-005)."""
    row = {**USUAL, **row}
    from_file = row["numbers"].startswith("counts") or row["moved"] != "not" or row["subsample"] != "whole"
    from_file = from_file or row["mask"] in ("file", "both")
    in_memory = row["memory"] == "strided" or row["labels"] == "own"
    if row["source"] == "record" and from_file or row["source"] != "record" and in_memory:
        return False
    return not (row["groups"] == "more" and row["g"] == 1)


ARRAYS = {"plain": AXES, "labelled": LABELLED, "modes": MODES}
COUNTS = {"plain": 36, "labelled": 19, "modes": 19}
"""Arrays by name, and how many rows each has: checks are made before rows are drawn."""


@functools.cache
def rows(name: str) -> tuple[Row, ...]:
    """The rows of an array."""
    return tuple(covering(ARRAYS[name], possible))


# -- what is given ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Given:
    """A scan as it is handed over, and what it says: amplitudes float32 `(n, N, N)`, points `(n, 2)`, probe, labels, photons."""

    raw: Any
    amplitudes: np.ndarray
    points: np.ndarray
    probe: np.ndarray
    whole: np.ndarray
    own: np.ndarray | None
    photons: float
    good: np.ndarray | None


PHOTONS = 4.5e5
"""Of the settings; the file states `files.PHOTONS`."""
DRAWN = 3
"""The seed of a subsample that is read."""


def given(backend: Any, folder: Path, row: Row, exposures: int, part: int = 0) -> Given:
    """The scan of a row; `part` 1 and more are others: of validation, of further files."""
    folder.mkdir()
    arrays = _arrays(row, exposures, part)
    measurement, dtype = row["numbers"].split()
    stack = np.rint(arrays["diff3d"] ** 2) if measurement == "counts" else arrays["diff3d"]
    stack = stack.astype(dtype)
    good = np.roll(masks.mask(row["N"]), part, axis=1)
    good = good if kept.masked_if_claimed(backend, np.ones(1)) and row["mask"] != "none" else None
    other = None if good is None else good.T[::-1]
    x, y = (arrays[f"{axis}coords"].astype(row["places"]) for axis in "xy")
    handed = {**arrays, "xcoords": x, "ycoords": y, "diff3d": _laid(stack, row)}
    handed["_metadata"] = files.metadata("unicode") if row["photons"] == "metadata" else None
    handed["mask"] = good if row["mask"] in ("file", "both") else None
    raw = _handed(backend, folder, row, handed, measurement)
    if good is not None and row["mask"] in ("call", "both"):
        raw = backend.masked(raw, other)
    dark = {"file": good, "call": other, "both": None if good is None else good & other}.get(row["mask"])
    seen = np.sqrt(stack.astype(np.float64)) if measurement == "counts" else stack
    seen = np.asarray(seen, np.float32) if dark is None else reading.hidden(np.asarray(seen, np.float32), dark)
    drawn = row["subsample"] == "drawn"
    rows = reading.subsample(exposures, exposures - 2, DRAWN) if drawn else np.arange(exposures)
    own = arrays["Y"][rows] if row["labels"] == "own" else None
    photons = files.PHOTONS if row["photons"] == "metadata" else PHOTONS
    return Given(raw, seen[rows], _moved(x, y, row)[rows], arrays["probeGuess"], arrays["objectGuess"], own, photons, dark)


def _arrays(row: Row, exposures: int, part: int) -> dict[str, Any]:
    found = files.arrays(exposures, row["N"])
    # Of another scan nothing is as in the first.
    found |= {"diff3d": found["diff3d"][::-1] * np.float32(1.5**part), "scan_index": found["scan_index"][::-1]} if part else {}
    found |= {f"{axis}coords": found[f"{axis}coords"] + 3.25 * part for axis in "xy"}
    found |= {"objectGuess": np.conj(found["objectGuess"]) * np.complex64(np.exp(0.5j * part))} if part else {}
    probe = found["probeGuess"] if row["modes"] == 0 else _inside(curved_probe(row["N"], row["modes"]))
    found["probeGuess"] = (np.roll(probe, part, axis=-1) * (1 + part)).astype(row["probe"])
    if row["labels"] == "own":
        found["Y"] = np.exp(1j * found["diff3d"] / found["diff3d"].max()).astype(np.complex64) * (1 + part)
    return found


def _inside(probe: np.ndarray) -> np.ndarray:
    """Modes `(P, N, N)` without light beyond 0.2·N of the centre, which no mask of the probe takes from (PHYS-001)."""
    N = probe.shape[-1]
    return np.where(np.hypot(*(np.mgrid[:N, :N] - (N - 1) / 2)) < 0.2 * N, probe, 0)


def _laid(stack: np.ndarray, row: Row) -> np.ndarray:
    """The stack in its layout and order in memory."""
    laid = np.moveaxis(stack, 0, 2) if row["layout"] == "last" else stack
    if row["memory"] == "strided":
        larger = np.zeros((*laid.shape[:-1], 2 * laid.shape[-1]), laid.dtype)
        larger[..., ::2] = laid
        return larger[..., ::2]
    return np.asarray(laid, order=row["memory"])


def _handed(backend: Any, folder: Path, row: Row, handed: Mapping[str, Any], measurement: str) -> Any:
    if row["source"] == "record":
        plain = {name: value for name, value in handed.items() if value is not None and name != "_metadata"}
        stated = {"metadata": files.METADATA} if row["photons"] == "metadata" else {}
        return backend.record(**plain, **stated)
    options: dict[str, Any] = {"measurement": measurement, **MOVES[row["moved"]]}
    if row["subsample"] == "drawn":
        options |= {"n_subsample": len(handed["xcoords"]) - 2, "subsample_seed": DRAWN}
    raw = backend.read(write_npz(folder / "scan.npz", **handed), **options)
    if row["source"] == "written":
        backend.write(raw, folder / "again.npz")
        raw = backend.read(folder / "again.npz")
    return raw


MOVES: dict[str, dict[str, Any]] = {
    "not": {},
    "flipped": {"flip_x": True, "coord_scale": 1.25},
    "swapped": {"swap_xy": True, "flip_y": True},
}


def _moved(x: np.ndarray, y: np.ndarray, row: Row) -> np.ndarray:
    """`(n, 2)` float64: flips first, then the swap, then the scale (DATA-008)."""
    x, y = x.astype(np.float64), y.astype(np.float64)
    x, y = {"flipped": (-1.25 * x, 1.25 * y), "swapped": (-y, x)}.get(row["moved"], (x, y))
    return np.column_stack([x, y])


def settings(backend: Any, row: Row, exposures: int) -> Any:
    """The training configuration of a row, which asks for its number of groups of so many exposures."""
    points = exposures - 2 * (row["subsample"] != "whole")
    channels = row["g"] ** 2
    model = {"probe_scale": row["probe_scale"], "object_big": row["object_big"], "probe_mask": row["probe_mask"]}
    model |= {"model_type": "supervised"} if row["asked"] != "none" else {}
    stated = {"torch_loss_mode": "mae"} if row["asked"] != "none" else {}
    stated |= {"realspace_mae_weight": 0.5, "realspace_weight": 0.25} if row["asked"] == "both" else {}
    return batches.training(
        backend,
        N=row["N"],
        gridsize=row["g"],
        model=model,
        n_groups={"fewer": 7, "every": points, "more": points + 9}[row["groups"]],
        neighbor_count=channels + MORE[row["neighbours"]],
        subsample_seed=row["seed"],
        sequential_sampling=row["order"] == "sequential",
        enable_oversampling=row["groups"] == "more",
        batch_size=row["batch"],
        nphotons=PHOTONS,
        **stated,
    )


MORE = {"more": 2, "least": 0}
"""Neighbours beyond the members of a group."""
