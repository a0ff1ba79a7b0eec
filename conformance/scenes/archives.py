"""Bundles: good ones, made once, and what becomes of them in other hands."""

from __future__ import annotations

import contextlib
import functools
import io
import json
import os
import pickle
import struct
import sys
import tempfile
import time
import warnings
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from conformance.connectors import beside, native, process
from conformance.connectors.names import NotClaimed, NotEvaluated
from conformance.oracles import bundle as oracle
from conformance.scenes import networks, runs
from conformance.scenes.records import write_npz
from conformance.scenes.runs import BASE, Recipe

NAME = "wts.h5.zip"
SMALL = 6
"""The level of what has to be small in the file and large in memory, or to break where it is unpacked."""
SCALE = 2.5
MODEL = "diffraction_to_obj"
Entries = dict[str, bytes]
IDS = [name.replace("/", "-") for name in oracle.ENTRIES]

_KEPT: dict[tuple[str, Recipe], Path] = {}


@functools.cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="conform-bundles-")


def good(backend: Any, recipe: Recipe = BASE) -> Path:
    """The folder of a bundle that the backend saved from a recipe's run, with the intensity scale 2.5; nobody may change it."""
    run = runs.trained(backend, recipe)
    key = (str(run.folder), recipe)
    if key not in _KEPT:
        folder = Path(_folder().name) / f"bundle{len(_KEPT)}"
        backend.save(native.item(run.results, "models"), folder / "wts.h5", run.config, SCALE)
        _KEPT[key] = folder
    return _KEPT[key]


def of_files(backend: Any, folder: Path) -> runs.Run:
    """A run on a map of three files, with a scale that is trained for each.

    `NotEvaluated` where a training refuses the map: that its loaders take one (BATCH-043) says nothing of the workflow.
    """
    recipe = Recipe(groups=4, training=(("intensity_scale_trainable", True),))
    paths = [write_npz(folder / f"scan-{seed}.npz", **runs.raw(20, seed=seed)) for seed in (5, 6, 8)]
    dataset = backend.mapped(paths, folder / "map", runs.configuration(backend, recipe, folder))
    try:
        return runs.fresh(backend, recipe, folder / "run", (dataset, None))
    except (TypeError, ValueError) as error:
        raise NotEvaluated(f"a training refuses a map: {error}") from error


def scaled_apart(backend: Any, run: runs.Run) -> Any:
    """The module of `of_files` with another value of each number that it has for each of three experiments."""
    scales = networks.intensity_scales(backend)
    own = {
        name: value for name, value in runs.weights(backend, runs.model_of(run)).items() if name in scales and 3 in value.shape
    }
    apart = {}
    for name, value in own.items():
        steps = np.array([0.0, 0.5, 1.25]).reshape([3 if axis == value.shape.index(3) else 1 for axis in range(value.ndim)])
        apart[name] = (value + steps).astype(value.dtype)
    return backend.with_weights(runs.model_of(run), apart)


def entries(folder: Path) -> Entries:
    """Name → content of every entry of a folder's bundle."""
    try:
        with zipfile.ZipFile(folder / NAME) as archive:
            return {name: archive.read(name) for name in archive.namelist()}
    except (OSError, zipfile.BadZipFile) as error:
        raise native.Malformed(f"expected the archive {NAME}, found {type(error).__name__}: {error}") from error


def parameters(content: Mapping[str, bytes]) -> dict[str, Any]:
    """The parameters of a bundle's entries."""
    return dict(oracle.plain(content[f"{MODEL}/params.dill"]))


def content(backend: Any, folder: Path) -> tuple[list[tuple[str, bytes]], dict[str, Any]]:
    """Weights and parameters of a folder's bundle as the backend loads them, as values that can be compared."""
    models, found = backend.load(folder)
    weights = runs.weights(backend, native.item(models, MODEL))
    return [(f"{name} {array.dtype} {array.shape}", array.tobytes()) for name, array in weights.items()], dict(found)


def put(folder: Path, content: Mapping[str, bytes], *also: tuple[str, bytes], level: int = 0) -> Path:
    """Write a bundle with these entries and, after them, further ones whatever their names; returns the folder.

    `level`: of the deflation; weights hardly shrink, so that 0 spares most of what such a file costs.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings(), zipfile.ZipFile(folder / NAME, "w", zipfile.ZIP_DEFLATED) as archive:
        warnings.simplefilter("ignore", UserWarning)  # a name that stands twice is what some scenes are about
        for name, data in (*content.items(), *also):
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED, level)
    return folder


def sealed(content: Mapping[str, bytes], **manifest: Any) -> Entries:
    """The entries with a manifest that fits them; fields given as None are left out."""
    old = oracle.plain(content["manifest.dill"])
    fields = {**old, "sha256": oracle.digests(content), **manifest}
    return {**content, "manifest.dill": pickle.dumps({k: v for k, v in fields.items() if v is not None}, protocol=4)}


def with_parameters(content: Mapping[str, bytes], change: Callable[[dict[str, Any]], Any]) -> Entries:
    """The entries with changed parameters in both folders, sealed."""
    changed = parameters(content)
    change(changed)
    data = pickle.dumps(changed, protocol=4)
    return sealed({name: data if name.endswith("params.dill") else old for name, old in content.items()})


def with_state(content: Mapping[str, bytes], model: str, edit: Callable[[dict[str, np.ndarray]], Any]) -> Entries:
    """The entries with changed weights of one model, sealed."""
    weights = oracle.state(content[f"{model}/model.pth"])
    edit(weights)
    return sealed({**content, f"{model}/model.pth": state_bytes(weights)})


def shared_weight(content: Mapping[str, bytes]) -> dict[str, str]:
    """Model → the name of a weight that both models of an archive hold, told by its bytes; `NotClaimed` where there is none."""
    part, whole = (oracle.state(content[f"{name}/model.pth"]) for name in ("autoencoder", MODEL))
    there = {(value.shape, value.tobytes()): name for name, value in whole.items() if value.size > 8}
    both = [(name, there[v.shape, v.tobytes()]) for name, v in part.items() if (v.shape, v.tobytes()) in there]
    if not both:
        raise NotClaimed("wts.h5.zip: no weight stands in both of its models")
    return dict(zip(("autoencoder", MODEL), both[0], strict=True))


def spoil(weights: dict[str, np.ndarray], name: str) -> None:
    """The last bit of one number of a weight is another one."""
    changed = weights[name].copy()
    last = changed.reshape(-1)[-1:]
    last[:] = np.nextafter(last, np.inf) if changed.dtype.kind == "f" else last + 1
    weights[name] = changed


def turn_over(weights: dict[str, np.ndarray]) -> None:
    """The same weights, each with its first axis fastest."""
    weights.update({name: value.copy(order="F") for name, value in weights.items()})  # one number stays one


def signs_turned(weights: dict[str, np.ndarray]) -> None:
    """The same weights with the other sign; counts and switches, which a state holds too, as they are."""
    weights.update({name: np.asarray(-value) for name, value in weights.items() if value.dtype.kind in "fc"})


def first_weight(weights: Mapping[str, np.ndarray]) -> str:
    """The name of the first weight that has units: a state may begin with a count, one number without an axis."""
    return next(name for name, value in weights.items() if value.ndim)


def rename(weights: dict[str, np.ndarray]) -> None:
    """Give the first weight another name."""
    name = first_weight(weights)
    weights["renamed_" + name] = weights.pop(name)


def drop(weights: dict[str, np.ndarray]) -> None:
    """Leave the first weight out."""
    del weights[first_weight(weights)]


def reshape(weights: dict[str, np.ndarray]) -> None:
    """Cut the first unit off the first weight."""
    name = first_weight(weights)
    weights[name] = weights[name][1:]


def add(weights: dict[str, np.ndarray]) -> None:
    """Bring a weight that the model does not have."""
    weights["surplus"] = np.ones((2, 3), np.float32)


# -- weights, written without PyTorch -------------------------------------------------------------------------------------------


def state_bytes(weights: Mapping[str, np.ndarray], first: bytes = b"") -> bytes:
    """A state dictionary in PyTorch's zip format; `first` are opcodes that leave one value, kept under the name `extra`."""
    parts = [b"\x80\x02", imported("collections", "OrderedDict"), b")R("]
    parts += [text_of("extra"), first] if first else []
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for key, (name, array) in enumerate(weights.items()):
            parts += [text_of(name), _tensor(array, str(key))]
            archive.writestr(f"archive/data/{key}", array.tobytes("A"))
        archive.writestr("archive/data.pkl", b"".join([*parts, b"u."]))
        archive.writestr("archive/byteorder", b"little")
        archive.writestr("archive/version", b"3\n")
    return buffer.getvalue()


def imported(module: str, name: str) -> bytes:
    return f"c{module}\n{name}\n".encode()


def text_of(text: str) -> bytes:
    return b"X" + struct.pack("<I", len(text.encode())) + text.encode()


def _numbers(numbers: tuple[int, ...]) -> bytes:
    return b"(" + b"".join(b"J" + struct.pack("<i", number) for number in numbers) + b"t"


def _tensor(array: np.ndarray, key: str) -> bytes:
    if not isinstance(array, np.ndarray):
        raise native.Malformed(f"expected weights that are arrays, found {native.kind(array)}")
    storage = next(name for name, kind in oracle.STORAGES.items() if np.dtype(kind) == array.dtype)
    first_fastest = array.flags.f_contiguous and not array.flags.c_contiguous
    steps = tuple(int(np.prod(array.shape[:i] if first_fastest else array.shape[i + 1 :])) for i in range(array.ndim))
    size = b"J" + struct.pack("<i", array.size)
    place = b"(" + text_of("storage") + imported("torch", storage) + text_of(key) + text_of("cpu") + size + b"tQ"
    rest = _numbers(array.shape) + _numbers(steps) + b"\x89" + imported("collections", "OrderedDict") + b")R"
    return imported("torch._utils", "_rebuild_tensor_v2") + b"(" + place + b"J\0\0\0\0" + rest + b"tR"


# -- circumstances --------------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def small_files(backend: Any, limit: int) -> Iterator[None]:
    """No file that the backend writes can grow beyond `limit` bytes: writing fails with OSError, as on a full disk."""
    before = beside.limit_files(backend, limit)
    try:
        yield
    finally:
        beside.limit_files(backend, before)


def answer(backend: Any, folder: Path, container: Any) -> tuple[str, np.ndarray | None]:
    """`("refused: …", None)`, or `("loaded", amplitudes)` of the forward pass of what was loaded."""
    try:
        models, _ = backend.load(folder)
    except (ValueError, RuntimeError) as error:
        return f"refused: {error}", None
    return "loaded", runs.amplitudes(backend, models[MODEL], container)


def left(folder: Path) -> list[str]:
    """Every file below a folder, hidden ones too."""
    return sorted(os.path.relpath(Path(place, name), folder) for place, _, names in os.walk(folder) for name in names)


def saved_apart(backend: Any, run: runs.Run, folders: list[Path]) -> list[bytes]:
    """The bytes of the same bundle saved into several folders, more than two seconds apart by the clock of the files."""
    written = []
    for folder in folders:
        backend.save(native.item(run.results, "models"), folder / "wts.h5", run.config, SCALE)
        written.append((folder / NAME).read_bytes())
        time.sleep(2.1 if folder is not folders[-1] else 0)  # zip counts time in steps of two seconds
    return written


def reloaded(backend: str, folder: Path, inputs: tuple[np.ndarray, ...], place: Path) -> dict[str, Any]:
    """What a fresh process makes of a bundle (`conformance.connectors.child`): `prediction`, `amplitude`, `registry`.

    The child computes on as many threads as this process, so that sums are taken in the same order.
    """
    np.savez(place / "inputs.npz", *inputs)
    torch = sys.modules.get("torch")
    threads = str(torch.get_num_threads()) if torch else os.environ.get("OMP_NUM_THREADS", "1")
    flags = {"--backend": backend, "--device": "cpu", "--bundle": folder, "--inputs": place / "inputs.npz"}
    argv = [sys.executable, "-m", "conformance.connectors.child", *(str(part) for flag in flags.items() for part in flag)]
    path = os.pathsep.join(part for part in sys.path if part)
    variables = {"OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads, "PYTHONPATH": path}
    ended = process.run([*argv, "--output", str(place / "outputs.npz")], env=variables, cwd=place)
    if ended.returncode:
        raise native.Malformed(
            f"expected a prediction from a fresh process, found code {ended.returncode}: {ended.stderr[-800:]}"
        )
    with np.load(place / "outputs.npz", allow_pickle=False) as found:
        return {
            "prediction": found["prediction"],
            "amplitude": found["amplitude"],
            "registry": json.loads(str(found["registry"])),
        }
