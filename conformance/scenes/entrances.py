"""The same data through every entrance: in other clothes, rewritten between two calls, beside the registry of another run."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from conformance.connectors import native
from conformance.scenes import backend_sides, batches, configs, runs, workflows
from conformance.scenes.inputs import training_file
from conformance.scenes.records import record, write_npz

N, COUNT = 64, 9
NAME = "scan.npz"
Arrays = dict[str, Any]
ENTRANCES = ("file", "header", "factory", "container")
RECORD = ("xcoords", "ycoords", "xcoords_start", "ycoords_start", "diff3d", "probeGuess", "scan_index", "objectGuess")
CONTAINER = ("X", "coords_relative", "coords_nominal", "probe", "physics_scaling_constant", "nn_indices")


def whole(seed: int = 5, photons: float = 30000.0) -> Arrays:
    """Arrays of a file all of whose real numbers are whole and below 2048, so that half precision and integers hold them."""
    given = record(COUNT, N, seed=seed)
    x, y = np.rint(given["xcoords"]), np.rint(given["ycoords"])
    stack = np.rint(given["diff3d"] * (200 / given["diff3d"].max()))
    places = {"xcoords": x, "ycoords": y, "xcoords_start": x + 1, "ycoords_start": y - 1}
    rest = {"diff3d": stack.astype(np.float32), "scan_index": np.arange(COUNT) % 3, "_metadata": stated(photons)}
    return {**given, **places, **rest}


def another() -> Arrays:
    """The arrays of another file of the same size: another scan, another object, another photon number."""
    given = whole(seed=8, photons=70000.0)
    side = whole()["objectGuess"].shape
    image = np.resize(given["objectGuess"], side)
    return {**given, "objectGuess": image, "probeGuess": given["probeGuess"].T.copy()}


def stated(photons: float) -> np.ndarray:
    """Metadata with a photon number, as text; a whole number stays one."""
    return np.array(json.dumps({"schema_version": "1.0.0", "physics_parameters": {"nphotons": photons, "gridsize": 1, "N": N}}))


# -- other clothes ---------------------------------------------------------------------------------------------------------------


def _each(change: Callable[[np.ndarray], np.ndarray]) -> Callable[[Arrays], Arrays]:
    return lambda given: {name: change(a) if a.ndim else a for name, a in given.items()}


def _double(array: np.ndarray) -> np.ndarray:
    return array.astype({"f": np.float64, "c": np.complex128}.get(array.dtype.kind, array.dtype))


def _most_significant_first(array: np.ndarray) -> np.ndarray:
    return array.astype(array.dtype.newbyteorder(">"))


def _halves(given: Arrays) -> Arrays:
    return {**given, "diff3d": given["diff3d"].astype(np.float16), **{k: given[k].astype(np.float32) for k in RECORD[:4]}}


def _integers(given: Arrays) -> Arrays:
    return {**given, "diff3d": given["diff3d"].astype(np.uint16), **{k: given[k].astype(np.int32) for k in RECORD[:4]}}


def _patterns_last(given: Arrays) -> Arrays:
    return {**given, "diff3d": np.ascontiguousarray(np.moveaxis(given["diff3d"], 0, -1))}


def _read_only(array: np.ndarray) -> np.ndarray:
    copy = np.array(array)
    copy.flags.writeable = False
    return copy


def _every_second(array: np.ndarray) -> np.ndarray:
    larger = np.zeros((*array.shape[:-1], 2 * array.shape[-1]), dtype=array.dtype)
    larger[..., ::2] = array
    return larger[..., ::2]


def _backwards(array: np.ndarray) -> np.ndarray:
    turned = (slice(None, None, -1),) * array.ndim
    return array[turned].copy()[turned]


def _numpys_photons(given: Arrays) -> Arrays:
    """A mean of counts, as NumPy has it; in memory alone, for a file holds text."""
    return {**given, "_metadata": np.float32(30000)}


CLOTHES: dict[str, Callable[[Arrays], Arrays]] = {
    "double": _each(_double),
    "half": _halves,
    "integers": _integers,
    "big-endian": _each(_most_significant_first),
    "fortran": _each(np.asfortranarray),
    "whole-photons": lambda given: {**given, "_metadata": stated(30000)},
}
"""Name → the same numbers otherwise, as a file and as arrays."""
IN_FILES = {**CLOTHES, "patterns-last": _patterns_last}
IN_MEMORY = {
    **CLOTHES,
    **{"read-only": _each(_read_only), "views": _each(_every_second), "backwards": _each(_backwards)},
    "numpys-photons": _numpys_photons,
}
CASES = [(entrance, name) for entrance in ENTRANCES for name in (IN_MEMORY if entrance == "container" else IN_FILES)]
IDS = [f"{entrance}-{name}" for entrance, name in CASES]


def dressed(name: str, given: Arrays) -> Arrays:
    """The arrays in these clothes."""
    return {"plain": dict, **IN_FILES, **IN_MEMORY}[name](given)


OTHER_STACKS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "brighter": lambda stack: stack * 2 + 1,
    "another-side": lambda stack: stack[:, 8:-8, 8:-8],
    "fewer": lambda stack: stack[:-2],
    "oblong": lambda stack: stack[:, 4:],
}
"""What an older tool may have left under the name that does not count."""

# -- files -----------------------------------------------------------------------------------------------------------------------


def put(folder: Path, given: Arrays) -> Path:
    """The arrays as a file."""
    folder.mkdir(parents=True, exist_ok=True)
    return write_npz(folder / NAME, **given)


def in_format(path: Path, version: tuple[int, int]) -> Path:
    """The same arrays in the same file, compressed, each under a header of NumPy's format `version`."""
    with np.load(path) as found:
        arrays = dict(found)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w") as stream:
                np.lib.format.write_array(stream, array, version=version)
    return path


def rewrite(path: Path, data: bytes) -> bool:
    """Other bytes in the place of a file's, which keeps its times; True where it keeps its size as well."""
    before = path.stat()
    path.write_bytes(data)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    return before.st_size == len(data)


# -- what an entrance makes of them ------------------------------------------------------------------------------------------


def answer(backend: Any, entrance: str, path: Path) -> Arrays:
    """What an entrance makes of a file: name → number, text or array."""
    if entrance == "file":
        return _of_record(backend.read(path))
    if entrance == "container":
        return _of_container(backend, backend.read(path))
    if entrance == "header":
        payload = backend.payload(path, path.parent / "out", {"n_groups": 4})
        return _of_payload(backend, payload)
    bundle = runs.trained(backend, workflows.PLAIN).folder
    payload = backend.inference_payload(bundle, path, path.parent / "out", {"n_groups": 4})
    return _of_payload(backend, payload)


def through(backend: Any, entrance: str, given: Arrays, folder: Path) -> Arrays:
    """What an entrance makes of arrays: those of files as a file, `container` as a record."""
    return in_memory(backend, given) if entrance == "container" else answer(backend, entrance, put(folder, given))


def in_memory(backend: Any, given: Arrays) -> Arrays:
    """What becomes of a record of these arrays."""
    arrays = {name: value for name, value in given.items() if name != "_metadata"}
    said = given["_metadata"]
    metadata = json.loads(str(said)) if said.dtype.kind == "U" else {"physics_parameters": {"nphotons": said}}
    return _of_container(backend, backend.record(**arrays, metadata=metadata))


def truth(backend: Any, entrance: str, given: Arrays) -> Arrays:
    """What an entrance has to make of `whole()` or `another()`, without a file."""
    photons = json.loads(str(given["_metadata"]))["physics_parameters"]["nphotons"]
    if entrance == "file":
        return {**{name: given[name] for name in RECORD}, "nphotons": photons}
    if entrance == "container":
        return in_memory(backend, given)
    return {"N": N, "nphotons": photons, "N in the registry": N, "source": "metadata"}


def _of_record(raw: Any) -> Arrays:
    return {
        **{name: native.array(getattr(raw, name)) for name in RECORD},
        "nphotons": native.item(native.item(raw.metadata, "physics_parameters"), "nphotons"),
    }


def _of_payload(backend: Any, payload: Any) -> Arrays:
    """What an inference says of photons, which it has no use for, only where it says something."""
    training = getattr(payload, "tf_training_config", None)
    canonical = training or payload.tf_inference_config
    found = {"N": backend_sides.said(payload, "N", otherwise=canonical.model.N), "N in the registry": backend.registry().get("N")}
    photons = backend_sides.said(payload, "nphotons", otherwise=getattr(training, "nphotons", None))
    told = {"nphotons": photons, "source": payload.overrides_applied.get("nphotons_source")}
    return {**found, **{name: value for name, value in told.items() if training or value is not None}}


def _of_container(backend: Any, raw: Any) -> Arrays:
    """Attributes of a container of all exposures in their order, in groups of four, and its first batch."""
    model = {"N": N, "gridsize": 2}
    own = {"n_groups": COUNT, "neighbor_count": 4, "sequential_sampling": True, "nphotons": 5.0e5}
    config = batches.training(backend, N=N, gridsize=2, model=model, train_data_file=training_file(), **own)
    container = backend.container(raw, config)
    batch = next(iter(backend.loaders(container, None, config)[0]))
    found = {name: native.array(getattr(container, name)) for name in CONTAINER}
    return {**found, "images": native.array(batches.field(batch, "images"))}


def two() -> dict[str, Arrays]:
    """Two files of one size."""
    return {"one": whole(), "other": another()}


def spoken(found: Mapping[str, Any], expected: Mapping[str, Any]) -> Arrays:
    """What is expected, but for that of which a payload does not speak (`_of_payload`)."""
    return {name: value for name, value in expected.items() if name in found}


def unlike(found: Mapping[str, Any], expected: Mapping[str, Any]) -> list[str]:
    """The names under which something else was found than expected; numbers by their values, whatever their dtype."""

    def same(name: str, value: Any) -> bool:
        if isinstance(value, str):
            return bool(found[name] == value)
        a, b = np.asarray(found[name]), np.asarray(value)
        return a.shape == b.shape and bool(np.all(a == b))

    return [name for name, value in spoken(found, expected).items() if not same(name, value)]


def numbers(found: Mapping[str, Any], expected: Mapping[str, Any]) -> np.ndarray:
    """All numbers in one vector, each array in units of the largest of those expected; of another shape, it is malformed."""
    parts = []
    for name, value in expected.items():
        if not isinstance(value, str):
            a, b = (np.asarray(side).astype(complex) for side in (found[name], value))
            if a.shape != b.shape:
                raise native.Malformed(f"expected {name} of shape {b.shape}, found {a.shape}")
            parts.append(np.ravel(a) / max(float(np.abs(b).max()), 1e-30))
    return np.concatenate(parts)


def words(found: Mapping[str, Any], expected: Mapping[str, Any]) -> dict[str, Any]:
    """What is text."""
    return {name: found[name] for name, value in expected.items() if isinstance(value, str)}


def left_behind(backend: Any) -> None:
    """The live registry as another run leaves it: every value another than the default, and a subsample of five."""
    backend.synchronise(configs.training(backend, n_subsample=5))
