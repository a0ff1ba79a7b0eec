"""BATCH: which exposures and groups a configuration draws, by which seed; and whose photons hold in a map."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conformance.connectors import native
from conformance.judging.observe import Observer
from conformance.scenes import batches, drawn, entrances, files, maps

HELD = ("X", "coords_relative", "global_offsets")
DRAWS: dict[str, dict[str, Any]] = {
    "part": {"n_subsample": 12},
    "whole": {},
    "more": {"n_groups": 40, "enable_oversampling": True},
}
GRIDS = pytest.mark.parametrize("g", [1, 2], ids=["g1", "g2"])


def held(backend: Any, raw: Any, g: int, **settings: Any) -> dict[str, np.ndarray]:
    """What a container of a record holds: seven groups, unless it is said otherwise."""
    config = batches.training(backend, N=16, gridsize=g, **{"n_groups": 7, **settings})
    np.random.seed(sum(map(ord, repr(settings))))  # what is left to NumPy's global generator shows
    container = backend.container(raw, config)
    return {name: native.array(getattr(container, name)) for name in HELD}


def differ(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> list[str]:
    """The names under which they differ."""
    return [name for name in HELD if not np.array_equal(one[name], other[name])]


@pytest.mark.clause("BATCH-054~1", needs=("DATA-008",))
@pytest.mark.parametrize(("seed", "stated"), [(None, 42), (0, 0), (5, 5)], ids=["none", "0", "5"])
@GRIDS
def test_a_configuration_draws_what_the_reader_draws(
    backend: Any, observe: Observer, tmp_path: Path, g: int, seed: int | None, stated: int
) -> None:
    """The exposures of DATA-008. If this fails, suspect a second draw, or a seed that does not reach it."""
    path = files.contract_file(tmp_path)
    drawn = backend.read(path, n_subsample=12, subsample_seed=stated)

    found = held(backend, backend.read(path), g, n_subsample=12, subsample_seed=seed)

    observe.equal("unlike what was read", differ(found, held(backend, drawn, g, subsample_seed=seed)), [])


@pytest.mark.clause("BATCH-054~1")
@pytest.mark.parametrize(
    "settings", [{"n_subsample": 12}, {}, {"n_groups": 40, "enable_oversampling": True}], ids=["part", "whole", "more"]
)
@GRIDS
def test_no_seed_is_forty_two_for_what_a_container_holds(
    backend: Any, observe: Observer, g: int, settings: dict[str, Any]
) -> None:
    """And 0 is a seed. If this fails, suspect draws that nobody can repeat, or the truth value of a seed."""
    raw = backend.record(**files.arrays())

    none, stated, zero = (held(backend, raw, g, subsample_seed=seed, **settings) for seed in (None, 42, 0))

    observe.equal("unlike seed 42", differ(none, stated), [])
    drawn = g == 2 or settings.get("n_groups") is None
    observe.equal("seed 0 draws others", bool(differ(zero, stated)), drawn)


@pytest.mark.clause("BATCH-011~1")
@pytest.mark.parametrize("seed", [0, 5])
@GRIDS
def test_an_inference_draws_as_a_training(backend: Any, observe: Observer, g: int, seed: int) -> None:
    """It has no order of its own to ask for. If this fails, suspect a default that differs between the two."""
    raw = backend.record(**files.arrays())
    config = batches.inference(backend, N=16, gridsize=g, n_groups=7, subsample_seed=seed)

    container = backend.container(raw, config)

    found = {name: native.array(getattr(container, name)) for name in HELD}
    observe.equal("unlike a training", differ(found, held(backend, raw, g, subsample_seed=seed)), [])


@pytest.mark.clause("BATCH-049~2", evidence="differential")
@pytest.mark.parametrize("seed", [None, 0], ids=["none", "0"])
@GRIDS
def test_a_map_draws_what_a_container_draws(backend: Any, observe: Observer, tmp_path: Path, g: int, seed: int | None) -> None:
    """Of each file, with a seed or without. If this fails, suspect a default of the map's own."""
    stated = {"n_subsample": 15, "subsample_seed": seed, "sequential_sampling": False}
    paths, config = maps.scans(tmp_path / "data"), maps.config(backend, g, **stated)
    dataset = maps.opened(backend, tmp_path, paths, g=g, **stated)

    found = maps.values(maps.everything(dataset))["images"]

    containers = [native.array(backend.container(backend.read(path), config).X) for path in paths]
    observe.equal("images", found, np.concatenate(containers).transpose(0, 3, 1, 2))


@pytest.mark.clause("BATCH-049~2", evidence="differential", needs=("BATCH-012", "CONFIG-065"))
@pytest.mark.parametrize("stated", [{"nphotons": 7.0e5}, {}], ids=["by-hand", "of-the-file"])
def test_a_map_has_the_photons_of_a_container(backend: Any, observe: Observer, tmp_path: Path, stated: dict[str, float]) -> None:
    """Those by hand before those of the file. If this fails, suspect a map that looks into its files alone."""
    path = entrances.put(tmp_path / "data", entrances.whole())
    settings = {"n_groups": 9, "gridsize": 1, "sequential_sampling": True, **stated}
    config = backend.payload(path, tmp_path / "out", settings).tf_training_config

    found = maps.values(maps.everything(backend.mapped([path], tmp_path / "map", config)))

    observe.equal("changed", maps.unlike(found, maps.in_memory(backend, path, config)), [])


@pytest.mark.slow
@pytest.mark.clause("BATCH-060~1", needs=("BATCH-054", "TRAIN-003"))
def test_what_is_validated_on_is_drawn(backend: Any, observe: Observer) -> None:
    """Twelve exposures of thirty. If this fails, suspect a setting that the training data alone are drawn by."""
    found = drawn.validated_on(backend)

    observe.equal("exposures that were not drawn", drawn.beside(found), [])


@pytest.mark.slow
@pytest.mark.clause("BATCH-060~1", needs=("BATCH-054", "INFER-003"))
@pytest.mark.parametrize("kind", ["training", "inference"])
def test_what_is_inferred_is_drawn(backend: Any, observe: Observer, kind: str) -> None:
    """By either configuration. If this fails, suspect an image of the whole scan, whatever part was asked for."""
    found = drawn.inferred_from(backend, kind)

    observe.equal("exposures that were not drawn", drawn.beside(found), [])
