"""What has to stay as it was: parts of a record beside its exposures, arrays that are given, draws of others; masks in files."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from conformance.connectors import native
from conformance.connectors.names import NotClaimed
from conformance.scenes import batches, files, reactions
from conformance.scenes.records import write_npz

EXPOSURES = ("xcoords", "ycoords", "xcoords_start", "ycoords_start", "diff3d", "scan_index")


def plain(value: Any) -> Any:
    """An array as lists, a mapping as a mapping, None as None."""
    if value is None or isinstance(value, Mapping):
        return None if value is None else dict(value)
    return native.array(value).tolist()


def masked_if_claimed(backend: Any, good: np.ndarray) -> dict[str, Any]:
    """A mask for a file, where the backend takes masks (DATA-012)."""
    try:
        backend.masked  # noqa: B018 - the harness answers for a method that is not there
    except NotClaimed:
        return {}
    return {"mask": good}


MASKED: dict[str, Callable[[Any, Path, np.ndarray], Any]] = {
    "record": lambda backend, folder, good: backend.masked(backend.read(files.contract_file(folder)), good),
    "file": lambda backend, folder, good: backend.read(files.contract_file(folder, mask=good)),
}
"""Records that have a mask already."""


# -- masks in files --------------------------------------------------------------------------------------------------------------


def _npy(folder: Path, values: np.ndarray, version: tuple[int, int] = (1, 0)) -> Path:
    path = folder / "good.npy"
    with open(path, "wb") as stream:
        np.lib.format.write_array(stream, values, version)
    return path


MASK_FILES: dict[str, Callable[[Path, np.ndarray], Path]] = {
    "npy": lambda folder, good: _npy(folder, good),
    "version-2": lambda folder, good: _npy(folder, good, (2, 0)),
    "fortran": lambda folder, good: _npy(folder, np.asfortranarray(good)),
    "bytes": lambda folder, good: _npy(folder, good.astype(np.uint8)),
    "big-endian": lambda folder, good: _npy(folder, good.astype(">i4")),
    "floats": lambda folder, good: _npy(folder, np.asfortranarray(good.astype(np.float32))),
    "single-member": lambda folder, good: write_npz(folder / "good.npz", bad_or_good=good),
    "member-mask": lambda folder, good: write_npz(folder / "good.npz", remark=np.zeros(3), mask=good),
}
"""Form → a file of the mask."""


def _cut(folder: Path, good: np.ndarray) -> Path:
    path = _npy(folder, good)
    path.write_bytes(path.read_bytes()[:-9])
    return path


def _longer(folder: Path, good: np.ndarray) -> Path:
    path = _npy(folder, good)
    path.write_bytes(path.read_bytes() + b"\0" * 16)
    return path


def _hostile(folder: Path, good: np.ndarray) -> Path:
    trap = np.empty(good.shape, dtype=object)
    trap[...] = files.Trap(folder / "it-ran")
    path = folder / "good.npy"
    np.save(path, trap, allow_pickle=True)
    return path


WRONG_MASK_FILES: dict[str, Callable[[Path, np.ndarray], Path]] = {
    "absent": lambda folder, good: folder / "nowhere.npy",
    "cut": _cut,
    "longer": _longer,
    "hostile": _hostile,
    "text": lambda folder, good: _text(folder),
    "no-member": lambda folder, good: write_npz(folder / "good.npz", first=good, second=good),
}
"""What is no file of a mask."""


def _text(folder: Path) -> Path:
    path = folder / "good.npy"
    path.write_text("1 1 0 1\n")
    return path


def takes_files(backend: Any, raw: Any, folder: Path) -> None:
    """Not claimed where a mask is an array and nothing else (DATA-027 is a MAY): said with a file that is as plain as can be."""
    (folder / "plain").mkdir()
    path = _npy(folder / "plain", np.ones((16, 16), dtype=bool))
    try:
        backend.masked(raw, path)
    except TypeError as error:
        raise NotClaimed(f"masks in files: {error}") from error


# -- what is given ---------------------------------------------------------------------------------------------------------------

Call = Callable[[Any], tuple[Mapping[str, np.ndarray], Callable[[], Any]]]


def _record(backend: Any) -> tuple[Mapping[str, np.ndarray], Callable[[], Any]]:
    given = files.arrays()
    return given, lambda: backend.record(**given)


def _masked_record(backend: Any) -> tuple[Mapping[str, np.ndarray], Callable[[], Any]]:
    given, good = files.arrays(), np.tri(16, dtype=bool)
    return {**given, "mask": good}, lambda: backend.masked(backend.record(**given), good)


def _container(backend: Any) -> tuple[Mapping[str, np.ndarray], Callable[[], Any]]:
    given = files.arrays()
    config = batches.training(backend, N=16, gridsize=2)
    return given, lambda: list(backend.loaders(backend.container(backend.record(**given), config), None, config)[0])


def _group(backend: Any) -> tuple[Mapping[str, np.ndarray], Callable[[], Any]]:
    given = files.arrays()
    return given, lambda: backend.group(backend.record(**given), N=16, K=6, nsamples=9, seed=3, gridsize=2)


def _loaders(backend: Any) -> tuple[Mapping[str, np.ndarray], Callable[[], Any]]:
    container = batches.tagged()
    config = batches.training(backend, N=12, gridsize=2)
    given = {name: value for name, value in vars(container).items() if isinstance(value, np.ndarray)}
    return given, lambda: list(backend.loaders(container, None, config)[0])


CALLS: dict[str, Call] = {
    "record": _record,
    "masked": _masked_record,
    "group": _group,
    "container-and-loaders": _container,
    "loaders": _loaders,
}
"""Name → the arrays that are given, and the call."""


# -- draws -----------------------------------------------------------------------------------------------------------------------

DRAWS: dict[str, Callable[[Any, Path], Callable[[], Any]]] = {
    "read": lambda backend, path: lambda: backend.read(path, n_subsample=9, subsample_seed=4),
    "group": lambda backend, path: _grouping(backend, path, {"nsamples": 9}),
    "oversampled": lambda backend, path: _grouping(backend, path, {"nsamples": 60, "enable_oversampling": True}),
    "sequential": lambda backend, path: _grouping(backend, path, {"nsamples": 9, "sequential_sampling": True}),
}
"""Calls that draw by a seed of their own."""


def _grouping(backend: Any, path: Path, options: dict[str, Any]) -> Callable[[], Any]:
    raw = backend.read(path)
    return lambda: backend.group(raw, N=16, K=6, seed=3, gridsize=2, **options)


def around(act: Callable[[], Any]) -> tuple[list[float], list[float]]:
    """Draws of NumPy's global generator in one go, and the same with a call between."""
    before = np.random.get_state()
    try:
        np.random.seed(77)
        truth = np.random.random_sample(6).tolist()
        np.random.seed(77)
        first = np.random.random_sample(3).tolist()
        act()
        return truth, first + np.random.random_sample(3).tolist()
    finally:
        np.random.set_state(before)


def wide() -> dict[str, Any]:
    """A record of numbers that a narrower type would change."""
    given = files.arrays()
    steps = np.arange(23)
    places = {name: 4.0e6 + given[name] + 2.0**-20 for name in EXPOSURES[:4]}
    return {**given, **places, "scan_index": 2**40 + 3 * steps, "diff3d": given["diff3d"] * np.float32(1.0001)}


def long_metadata() -> str:
    """JSON of 200 kB that states photons at its end."""
    log = [f"{number:05d}: motor at {number / 7:.9f} mm" for number in range(5500)]
    return json.dumps({"log": log, **files.METADATA})


def written(backend: Any, arrays: dict[str, Any], metadata: dict[str, Any], path: Path) -> str:
    """Why a record with these metadata is not written; empty where it is."""
    return reactions.refusal(lambda: backend.write(backend.record(**arrays, metadata=metadata), path))


def metadata_unless_refused(backend: Any, raw: Any, path: Path) -> dict[str, Any] | None:
    """The metadata of a record behind its file; None where it is not written."""
    if reactions.refusal(lambda: backend.write(raw, path)):
        return None
    return dict(backend.read(path).metadata or {})
