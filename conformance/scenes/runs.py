"""Short trainings, made once for each recipe and worker: N = 64, the narrowest network, a handful of groups, asymmetric data."""

from __future__ import annotations

import contextlib
import csv
import functools
import itertools
import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from conformance.connectors import beside, native
from conformance.oracles.inference import input_scale
from conformance.scenes import inputs as files
from conformance.scenes import outputs, smoothing
from conformance.scenes.records import record

N = 64
STILL = 1e-30
"""A learning rate at which no float32 weight moves: the way to the initial weights of a seed."""

Settings = tuple[tuple[str, Any], ...]


def settings(**values: Any) -> Settings:
    """Settings as a value that can be a key."""
    return tuple(sorted(values.items()))


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the outcome of a training; the last three overlay the configurations' own fields."""

    groups: int = 8
    epochs: int = 1
    seed: int | None = 42
    rate: float = 1e-3
    validation: bool = True
    gridsize: int = 1
    stitching: bool | None = None  # None: through `train`; otherwise through `run`
    model: Settings = ()
    training: Settings = ()
    execution: Settings = ()
    overrides: Settings = ()
    image: Settings = ()  # options of the image of a run that is stitched


BASE = Recipe(groups=10, epochs=2, model=(("probe_big", True),))
"""The run that most checks share: g = 1, three batches an epoch, the last one short."""
SMALL = Recipe(groups=4)
"""One batch, one epoch."""
QUAD = Recipe(
    groups=6,
    gridsize=2,
    stitching=True,
    model=settings(amp_activation="swish", probe_scale=3.0, probe_mask=True, gaussian_smoothing_sigma=0.7),
)
"""g = 2 and every field of the model away from its default; through `run`, with stitching."""


@dataclass(frozen=True)
class Run:
    """What a training returned and left; `triple` is what `run` returned."""

    recipe: Recipe
    folder: Path
    config: Any
    results: Mapping[str, Any]
    stray: list[str]
    triple: Any = None


@functools.cache
def raw(n: int = 40, seed: int = 5, side: int = N) -> dict[str, Any]:
    """Arrays of a raw record, noiseless exposures of an asymmetric object under a curved probe."""
    arrays = record(n=n, N=side, photons=3.0e4, seed=seed)
    return arrays | {"xcoords_start": arrays["xcoords"], "ycoords_start": arrays["ycoords"]}


def training_record(backend: Any, **changes: Any) -> Any:
    """The native record that every run trains on."""
    return backend.record(**{**raw(), **changes})


def test_record(backend: Any, **changes: Any) -> Any:
    """The native record that every run validates on and reconstructs: another scan of another object."""
    return backend.record(**{**raw(30, seed=8), **changes})


test_record.__test__ = False  # type: ignore[attr-defined]


def configuration(backend: Any, recipe: Recipe, folder: Path) -> Any:
    """The canonical training configuration of a recipe."""
    usual = {"N": N, "gridsize": recipe.gridsize, "n_filters_scale": 1, "probe_big": False}
    own = {"nepochs": recipe.epochs, "n_groups": recipe.groups, "batch_size": 4, "neighbor_count": 5, "nphotons": 3.0e4}
    own |= {"subsample_seed": recipe.seed, "train_data_file": files.training_file(), "output_dir": folder, "backend": "pytorch"}
    fields, chosen = own | dict(recipe.training), smoothing.taken(backend, dict(recipe.model))
    return backend.canonical("training", model=backend.canonical("model", **usual | chosen), **fields)


def execution(backend: Any, recipe: Recipe) -> Any:
    """The execution configuration of a recipe: CPU, deterministic, silent."""
    fields = {"accelerator": "cpu", "deterministic": True, "learning_rate": recipe.rate, "enable_progress_bar": False}
    return backend.canonical("execution", **(fields | dict(recipe.execution)))


@contextlib.contextmanager
def standing_in(folder: Path) -> Iterator[Path]:
    """The working directory, for a while."""
    before = Path.cwd()
    folder.mkdir(parents=True, exist_ok=True)
    os.chdir(folder)
    try:
        yield folder
    finally:
        os.chdir(before)


def three(answer: Any) -> tuple[Any, Any, Any]:
    """`(amplitude, phase, results)`."""
    if not isinstance(answer, tuple | list) or len(answer) != 3:
        raise native.Malformed(f"expected (amplitude, phase, results), found {native.kind(answer)}")
    return (answer[0], answer[1], answer[2])


def fresh(backend: Any, recipe: Recipe, folder: Path, records: tuple[Any, Any] | None = None, **changes: Any) -> Run:
    """Train now, with `folder / "out"` as the output folder, standing in an empty folder beside it.

    `records`: what to train on and to validate on, instead of the usual; `changes` of the usual ones.
    """
    out = folder / "out"
    config, settings_of_execution = configuration(backend, recipe, out), execution(backend, recipe)
    backend.synchronise(config)
    train, test = records or (training_record(backend, **changes), None)
    if records is None and recipe.validation:
        test = test_record(backend, **changes)
    with standing_in(folder / "elsewhere") as elsewhere:
        if recipe.stitching is None:
            options = {"overrides": dict(recipe.overrides)} if recipe.overrides else {}
            results, triple = backend.train(train, test, config, settings_of_execution, **options), None
        else:
            options = {"do_stitching": recipe.stitching, **dict(recipe.image)}
            triple = three(backend.run(train, test, config, settings_of_execution, **options))
            results = triple[2]
        stray = sorted(str(path.relative_to(elsewhere)) for path in elsewhere.rglob("*"))
    return Run(recipe, out, config, results, stray, triple)


_KEPT: dict[tuple[str, Recipe], Run] = {}
_COUNT = itertools.count()


@functools.cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="conform-runs-")


def life(backend: Any) -> str:
    """Names the backend, and which of its processes it is where it has its own: what one made is worth nothing in the next."""
    info = backend.info()
    return f"{info.name} {info.version} {beside.process_id(backend)}"


def trained(backend: Any, recipe: Recipe = BASE) -> Run:
    """The run of a recipe, made at the first call and kept for the session; nobody may change what it holds."""
    key = (life(backend), recipe)
    if key not in _KEPT:
        _KEPT[key] = fresh(backend, recipe, Path(_folder().name) / f"run{next(_COUNT)}")
    return _KEPT[key]


def again(backend: Any, recipe: Recipe) -> Run:
    """The recipe a second time, from start to end, after the kept run and from other states of the random generators."""
    trained(backend, recipe)
    beside.seed(backend, 1)
    return fresh(backend, recipe, Path(_folder().name) / f"again{next(_COUNT)}")


def model_of(run: Run) -> Any:
    """The trained module, `diffraction_to_obj`."""
    return native.item(native.item(run.results, "models"), "diffraction_to_obj")


def weights(backend: Any, module: Any) -> dict[str, np.ndarray]:
    """Name → weights of a module, as arrays of their own."""
    return {str(name): np.array(native.array(value)) for name, value in backend.weights(module).items()}


def flat(arrays: Mapping[str, np.ndarray]) -> np.ndarray:
    """All floating weights in one float64 vector, in the order of their names."""
    return np.concatenate([np.ravel(arrays[k]).astype(np.float64) for k in sorted(arrays) if arrays[k].dtype.kind == "f"])


def final(backend: Any, recipe: Recipe) -> np.ndarray:
    """The weights at the end of a recipe, as one vector."""
    return flat(weights(backend, model_of(trained(backend, recipe))))


def initial(backend: Any, recipe: Recipe) -> np.ndarray:
    """The weights with which a recipe begins, as one vector; a weight of zero may have moved by the rate, and is zero again."""
    found = final(backend, replace(recipe, rate=STILL))
    return np.where(np.abs(found) > STILL * 1e6, found, 0.0)


def images(container: Any) -> np.ndarray:
    """`(n, C, N, N)` float32 patterns of a container."""
    return np.ascontiguousarray(native.array(container.X).transpose(0, 3, 1, 2))


def inputs(container: Any, limit: int | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """`(images, offsets, probe, input scale)` of MODEL-021 for the first groups of a container."""
    shown = images(container)[:limit]
    offsets = native.array(container.coords_relative).transpose(0, 3, 1, 2)[:limit]
    probe = np.asarray(native.array(container.probe), dtype=np.complex64)
    probe = np.broadcast_to(probe.reshape(1, 1, -1, *probe.shape[-2:]), (len(shown), shown.shape[1], probe.size // N**2, N, N))
    scale = np.full((len(shown), 1, 1, 1), input_scale(images(container)), dtype=np.float32)
    return shown, np.ascontiguousarray(offsets, dtype=np.float32), np.ascontiguousarray(probe), scale


def prediction(backend: Any, module: Any, container: Any, limit: int | None = 3) -> np.ndarray:
    """`(n, C, N, N)` complex64 patches that a module predicts for the first groups of a container."""
    return np.array(native.array(backend.predict(module, *inputs(container, limit))))


def amplitudes(backend: Any, module: Any, container: Any, limit: int | None = 3) -> np.ndarray:
    """`(n, C, N, N)` detector amplitudes of the forward pass: what the physics makes of the prediction."""
    given = inputs(container, limit)
    return np.array(native.array(backend.forward(module, *given, np.ones_like(given[3]))[0]))


def logged(run: Run, name: str) -> list[list[float]]:
    """For each epoch in the newest metrics file, the values that stand there under `name`."""
    newest = outputs.newest_log(run.folder)
    if newest is None:
        raise native.Malformed(f"expected lightning_logs/version_<k>/metrics.csv, found {left(run.folder)}")
    with newest.open(newline="", encoding="utf-8") as stream:
        rows = [row for row in csv.DictReader(stream) if row.get("epoch")]
    column = f"{name}_epoch" if any(row.get(f"{name}_epoch") for row in rows) else name
    if not any(row.get(column) for row in rows):
        raise native.Malformed(f"expected a column {name!r} with values, found {sorted(rows[0]) if rows else 'no rows'}")
    epochs = sorted({int(row["epoch"]) for row in rows})
    return [[float(row[column]) for row in rows if int(row["epoch"]) == epoch and row.get(column)] for epoch in epochs]


def last_of(run: Run, name: str) -> list[float]:
    """The value of each epoch under a name: the one that stands last in its rows."""
    return [values[-1] for values in logged(run, name)]


def rates(run: Run) -> list[float]:
    """The learning rate of each epoch; where the rows of an epoch disagree, or say nothing, it is not a number."""
    return [values[0] if len(set(values)) == 1 else float("nan") for values in logged(run, "learning_rate")]


def ranked(run: Run) -> dict[str, int]:
    """File name → epoch of each ranked checkpoint; −1 where the name does not say it once."""
    return outputs.ranked(run.folder)


def last(run: Run) -> Path:
    """The checkpoint of the last epoch."""
    path = run.folder / "checkpoints" / "last.ckpt"
    if not path.is_file():
        raise native.Malformed(f"expected checkpoints/last.ckpt, found {left(run.folder)}")
    return path


def left(folder: Path) -> list[str]:
    """Every file below a folder, by its relative path."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def losses(run: Run, kind: str = "train") -> list[float]:
    """The loss history of a run."""
    return list(native.item(native.item(run.results, "history"), f"{kind}_loss") or [])


@contextlib.contextmanager
def without(backend: Any, *packages: str) -> Iterator[None]:
    """Packages that the backend cannot import for a while."""
    beside.hide(backend, packages)
    try:
        yield
    finally:
        beside.show(backend)


def obstruct(out: Path) -> tuple[Path, bytes]:
    """An output folder where no folder `checkpoints` can be made and an older bundle lies: the bundle and its bytes."""
    out.mkdir(parents=True)
    (out / "checkpoints").write_text("a file stands where the folder belongs")
    (out / "wts.h5.zip").write_bytes(b"an older bundle")
    return out / "wts.h5.zip", b"an older bundle"
