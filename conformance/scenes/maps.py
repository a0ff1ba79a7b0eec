"""Scans for a memory map: files that differ in everything that a map might mix up, and what makes a map of them stale."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from conformance.connectors import native
from conformance.connectors.beside import beside
from conformance.scenes import batches, entrances, inputs, masks
from conformance.scenes.optics import curved_probe
from conformance.scenes.records import record, write_npz

N = 16
COUNTS = (23, 17, 29)
"""Patterns of each file."""
MANIFEST = "mmap_manifest.json"
FIELDS = ("images", "coords_relative", "rms_scaling_constant", "physics_scaling_constant")


def arrays(number: int) -> dict[str, Any]:
    """File `number`: patterns, brightness, place, probe, object and photons of its own; the second one states its photons."""
    whole = record(COUNTS[number], N, photons=2.0e4 * 7.0**number, seed=5 + number)
    probe = np.roll(curved_probe(N)[0], number, axis=1) * (1 + 0.5 * number)
    own = {axis: whole[axis] + 130.0 * number for axis in ("xcoords", "ycoords")}
    size = np.array(whole["objectGuess"].shape) + 130 * number
    placed = np.zeros(size, np.complex64)
    placed[130 * number :, 130 * number :] = whole["objectGuess"] * np.exp(0.3j * number)
    stated = {"_metadata": inputs.metadata(4.0e5, "text")} if number == 1 else {}
    return {**whole, **own, "probeGuess": probe.astype(np.complex64), "objectGuess": placed, **stated}


def scan(folder: Path, number: int, **changes: Any) -> Path:
    """The file of `arrays(number)`, some of them changed, or left out where the change is None."""
    folder.mkdir(parents=True, exist_ok=True)
    return write_npz(folder / f"scan-{number}.npz", **{**arrays(number), **changes})


def scans(folder: Path) -> list[Path]:
    """The three files."""
    return [scan(folder, number) for number in range(3)]


def config(backend: Any, g: int = 2, **stated: Any) -> Any:
    """A training configuration for patterns of side `N`: nine groups a file, in sequence."""
    return batches.training(backend, **{"N": N, "gridsize": g, "sequential_sampling": True, **stated})


def opened(backend: Any, folder: Path, sources: Sequence[Path] | None = None, g: int = 2, **stated: Any) -> Any:
    """The dataset of the three files (of `sources`), in a map beside them."""
    paths = scans(folder / "data") if sources is None else list(sources)
    return backend.mapped(paths, folder / "map", config(backend, g, **stated))


def everything(dataset: Any) -> Any:
    """All rows in one batch."""
    return native.item(dataset, list(range(len(dataset))))


def field(batch: Any, name: str) -> np.ndarray:
    """An array of the fields of a batch."""
    return native.array(native.item(native.item(batch, 0), name))


def values(batch: Any, names: Sequence[str] = FIELDS) -> dict[str, np.ndarray]:
    """Fields, probe and scaling of a batch as arrays."""
    found = {name: field(batch, name) for name in ("images", *names)}
    found |= {name: native.array(native.item(batch, place)) for place, name in enumerate(("probe", "scaling"), start=1)}
    found |= {name: np.broadcast_to(*_whole(found, name)) for name in ("probe", "scaling")}
    return {name: found[name] for name in (*names, "probe", "scaling")}


def copied(batch: Any) -> dict[str, np.ndarray]:
    """`values` in memory of their own."""
    return {name: array.copy() for name, array in values(batch).items()}


def rows(whole: dict[str, np.ndarray], chosen: Any) -> dict[str, np.ndarray]:
    """Some rows of `values`."""
    return {name: array[chosen] for name, array in whole.items()}


def in_memory(backend: Any, path: Path, configuration: Any, names: Sequence[str] = FIELDS) -> dict[str, np.ndarray]:
    """`values` of all samples of a file through a container, in sequence."""
    loader, _ = backend.loaders(backend.container(backend.read(path), configuration), None, configuration)
    found = [values(batch, names) for batch in loader]
    return {name: np.concatenate([batch[name] for batch in found]) for name in found[0]}


def _whole(batch: dict[str, np.ndarray], name: str) -> tuple[np.ndarray, tuple[int, ...]]:
    """One probe or scaling may serve a whole batch, and all its channels (BATCH-028, BATCH-029)."""
    array, (count, channels) = batch[name], batch["images"].shape[:2]
    lead = (count, channels) if name == "probe" else (count,)
    return array, (*lead, *array.shape[len(lead) :])


def unlike(found: dict[str, np.ndarray], truth: dict[str, np.ndarray]) -> list[str]:
    """The names under which two mappings of arrays differ in a bit, a shape or a dtype."""
    same = {n: found[n].dtype == truth[n].dtype and np.array_equal(found[n], truth[n]) for n in truth if n in found}
    return sorted(n for n in truth if not same.get(n, False))


def points(number: int) -> np.ndarray:
    """`(n, 2)` positions of a file."""
    return np.column_stack([arrays(number)["xcoords"], arrays(number)["ycoords"]])


def of_file(dataset: Any, number: int) -> list[int]:
    """The rows of a file."""
    return [int(row) for row in np.flatnonzero(field(everything(dataset), "experiment_id") == number)]


class Spy:
    """A dataset of numbers that keeps what it was asked for."""

    def __init__(self, count: int) -> None:
        self.count, self.asked = count, []  # type: ignore[var-annotated]

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, rows: Any) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
        self.asked.append(rows if isinstance(rows, int) else [int(row) for row in rows])
        shape = (1,) if isinstance(rows, int) else (len(rows),)
        return {"rows": np.asarray(rows).reshape(shape)}, np.ones(shape), np.ones(shape)


@beside
def overwrite(batch: Any, sample: int) -> str:
    """Zeros over images, probe and scaling of one sample, in place; what came of it."""
    fields, probe, scaling = batch
    try:
        for array in (fields["images"], probe, scaling):
            array[sample] = 0
    except Exception as error:  # read-only, or a view that cannot be written to
        return f"{type(error).__name__}: {error}"
    return "written"


# -- the same data in other clothes ----------------------------------------------------------------------------------------------


def _scaled(name: str, factor: float, given: dict[str, Any]) -> dict[str, Any]:
    return {key: value * value.dtype.type(factor) if key.startswith(name) else value for key, value in given.items()}


FORMS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    **entrances.IN_FILES,
    "dim": lambda given: _scaled("diff3d", 2.0**-12, given),
    "bright": lambda given: _scaled("diff3d", 2.0**12, given),
    "far": lambda given: _scaled("xcoords", 60.0, _scaled("ycoords", 60.0, given)),
    "masked": lambda given: {**given, "mask": masks.mask(entrances.N)},
    "masked-last": lambda given: entrances.dressed("patterns-last", {**given, "mask": masks.mask(entrances.N)}),
    "paired": lambda given: {
        **given,
        "frame_index": np.arange(entrances.COUNT)[::-1],
        "position_index": np.arange(entrances.COUNT),
    },
    "four": lambda given: {key: a[:4] if np.ndim(a) and len(a) == entrances.COUNT else a for key, a in given.items()},
}
"""Name → one file of data, otherwise."""


def of_form(backend: Any, folder: Path, form: str) -> dict[str, np.ndarray]:
    """`values` of a map of one file in this form."""
    path = entrances.put(folder, FORMS[form](entrances.whole()))
    return values(everything(opened(backend, folder, [path], **_of_form(form))))


def of_form_in_memory(backend: Any, folder: Path, form: str) -> dict[str, np.ndarray]:
    """The same through a container."""
    path = entrances.put(folder / "plain", FORMS[form](entrances.whole()))
    return in_memory(backend, path, config(backend, **_of_form(form)))


def _of_form(form: str) -> dict[str, Any]:
    return {"N": entrances.N, "n_groups": 4 if form == "four" else entrances.COUNT, "neighbor_count": 4}


# -- what makes a map stale ------------------------------------------------------------------------------------------------------

OTHER_SETTINGS: dict[str, dict[str, Any]] = {
    "gridsize": {"g": 1},
    "n_groups": {"n_groups": 8},
    "neighbor_count": {"neighbor_count": 5},
    "subsample_seed": {"subsample_seed": 6},
    "sequential_sampling": {"sequential_sampling": False},
    "nphotons": {"nphotons": 4.0e5},
    "N": {"N": 32},
    "n_subsample": {"n_subsample": 15},
}


def other_content(folder: Path, paths: list[Path]) -> list[Path]:
    """One pattern of the second file is another; its size and times are those of before."""
    stack, before = arrays(1)["diff3d"].copy(), paths[1].stat()
    stack[4] = stack[5]
    scan(folder / "data", 1, diff3d=stack)
    os.utime(paths[1], ns=(before.st_atime_ns, before.st_mtime_ns))
    return paths


def exchanged(folder: Path, paths: list[Path]) -> list[Path]:
    return [paths[1], paths[0], paths[2]]


def dropped(folder: Path, paths: list[Path]) -> list[Path]:
    return paths[:2]


def added(folder: Path, paths: list[Path]) -> list[Path]:
    return [*paths, write_npz(folder / "data" / "scan-3.npz", **arrays(0))]


def cut(folder: Path, paths: list[Path]) -> list[Path]:
    """The largest file of the map ends 4 kB too early."""
    largest = _largest(folder / "map")
    os.truncate(largest, largest.stat().st_size - 4096)
    return paths


def flipped(folder: Path, paths: list[Path]) -> list[Path]:
    """A byte in the middle of the largest file of the map is another."""
    largest = _largest(folder / "map")
    with open(largest, "r+b") as stream:
        stream.seek(largest.stat().st_size // 2)
        byte = stream.read(1)[0]
        stream.seek(-1, os.SEEK_CUR)
        stream.write(bytes([byte ^ 0x55]))
    return paths


def _largest(folder: Path) -> Path:
    return max((path for path in folder.rglob("*") if path.is_file()), key=lambda path: path.stat().st_size)


STALE: dict[str, Callable[[Path, list[Path]], list[Path]]] = {
    "other-content": other_content,
    "exchanged": exchanged,
    "dropped": dropped,
    "added": added,
    "cut": cut,
    "flipped-byte": flipped,
}


def with_schema(folder: Path, change: Callable[[Any], Any]) -> None:
    """The manifest with another `schema_version`."""
    path = folder / MANIFEST
    content = json.loads(path.read_text(encoding="utf-8"))
    content["schema_version"] = change(content["schema_version"])
    path.write_text(json.dumps(content), encoding="utf-8")


def kept(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Every file of a map: when it was written, and its content."""
    files: Iterator[Path] = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in files}


# -- files that cannot be used -------------------------------------------------------------------------------------------------

BAD: dict[str, Callable[[], dict[str, Any]]] = {
    "patterns-of-rank-4": lambda: {"diff3d": arrays(1)["diff3d"][:, None]},
    "other-side": lambda: {"diff3d": arrays(1)["diff3d"][:, :-2, :-2], "probeGuess": arrays(1)["probeGuess"][:-2, :-2]},
    "column-of-positions": lambda: {"xcoords": arrays(1)["xcoords"][:, None]},
    "no-probe": lambda: {"probeGuess": None},
    "probe-of-another-side": lambda: {"probeGuess": arrays(1)["probeGuess"][:-2, :-2]},
    "more-modes": lambda: {"probeGuess": np.stack([arrays(1)["probeGuess"]] * 2)},
    "too-few-positions": lambda: {axis: arrays(1)[axis][:-3] for axis in ("xcoords", "ycoords")},
}
"""What is wrong with the second of three files."""


def with_a_bad_one(folder: Path, fault: str) -> list[Path]:
    """The three files, the second one with this fault, or cut in half (`no-archive`)."""
    paths = scans(folder / "data")
    if fault != "no-archive":
        return [paths[0], scan(folder / "data", 1, **BAD[fault]()), paths[2]]
    paths[1].write_bytes(paths[1].read_bytes()[:-2000])
    return paths


# -- rules of grouping ---------------------------------------------------------------------------------------------------------


def raster(side: int = 8) -> np.ndarray:
    """`(side², 2)` points `[x, y]` of a raster, 3 px wide and 2 px high steps, row after row."""
    y, x = np.mgrid[:side, :side]
    return np.column_stack([3.0 * x.ravel() + 20, 2.0 * y.ravel() + 7])


def scattered(n: int = 60) -> np.ndarray:
    """`(n, 2)` points without order, an extent of 40 by 15 px."""
    return np.random.default_rng(2).uniform((10, 30), (50, 45), (n, 2))
