"""Settings of a map that say which groups it has, and files of every form beside each other in one."""

from __future__ import annotations

import hashlib
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from conformance.connectors import native
from conformance.scenes import batches, entrances, maps
from conformance.scenes.records import record, write_npz

GROUPS: dict[str, dict[str, Any]] = {
    "drawn": {"sequential_sampling": False},
    "by-another-seed": {"sequential_sampling": False, "subsample_seed": 0},
    "by-no-seed": {"sequential_sampling": False, "subsample_seed": None},
    "nearest": {"neighbor_count": 4},
    "part": {"n_subsample": 14, "n_groups": 14},
    "part-drawn": {"n_subsample": 14, "sequential_sampling": False},
    "more": {"n_groups": 60, "enable_oversampling": True},
    "pool": {"n_groups": 60, "enable_oversampling": True, "neighbor_pool_size": 12},
    "pool-of-a-part": {"n_groups": 40, "enable_oversampling": True, "neighbor_pool_size": 9, "n_subsample": 14},
    "pool-drawn": {"n_groups": 60, "enable_oversampling": True, "neighbor_pool_size": 12, "sequential_sampling": False},
}
"""Every setting of groups, and those together that act together."""

KEPT: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "pool": (GROUPS["pool"], {**GROUPS["pool"], "neighbor_pool_size": 7}),
    "no-pool": (GROUPS["pool"], GROUPS["more"]),
    "oversampling": (GROUPS["more"], {**GROUPS["more"], "enable_oversampling": False}),
    "probe-scale": ({}, {"model": {"probe_scale": 5.0}}),
    "probe-mask": ({}, {"model": {"probe_mask": True}}),
    "whole": ({"n_subsample": 14}, {}),
}
"""What a map is made with, and what it is asked for with afterwards."""

NAMES = (*maps.FIELDS, "experiment_id", "coords_global", "coords_center", "nn_indices")


def groups_of_map(dataset: Any, number: int) -> list[str]:
    """The groups of a file, each by its patterns, in whatever order members and groups stand."""
    return _groups(maps.field(native.item(dataset, maps.of_file(dataset, number)), "images"))


def groups_in_memory(backend: Any, path: Path, config: Any) -> list[str]:
    """The same of a container of the file."""
    return _groups(native.array(backend.container(backend.read(path), config).X).transpose(0, 3, 1, 2))


def _groups(images: np.ndarray) -> list[str]:
    return sorted(" ".join(sorted(_name(image) for image in group)) for group in images)


def _name(image: np.ndarray) -> str:
    return hashlib.blake2b(np.ascontiguousarray(image).tobytes(), digest_size=6).hexdigest()


def kept(backend: Any, folder: Path, name: str) -> tuple[Any, Any]:
    """What a map answers that was made with one setting and is asked for with another, and what one built anew answers."""
    before, now = KEPT[name]
    paths = maps.scans(folder / "data")[:2]
    maps.opened(backend, folder, paths, **before)
    config = maps.config(backend, **now)
    return tuple(  # type: ignore[return-value]
        batches.or_refusal(lambda place=place: maps.values(maps.everything(backend.mapped(paths, folder / place, config)), NAMES))
        for place in ("map", "anew")
    )


def alike(found: Any, anew: Any) -> bool:
    """Whether both are batches, and the same."""
    return isinstance(found, dict) and isinstance(anew, dict) and not maps.unlike(found, anew)


def _without(given: dict[str, Any], names: tuple[str, ...], rows: list[int]) -> dict[str, Any]:
    return {key: np.delete(value, rows, axis=0) if key in names else value for key, value in given.items()}


def _numbered(given: dict[str, Any], frames: list[int], positions: list[int]) -> dict[str, Any]:
    """Both are numbered; these frames and these positions are missing."""
    count = len(given["xcoords"])
    places = ("xcoords", "ycoords", "xcoords_start", "ycoords_start", "scan_index", "position_index")
    whole = {**given, "frame_index": np.arange(count), "position_index": np.arange(count)}
    return _without(_without(whole, ("diff3d", "frame_index"), frames), places, positions)


BESIDE = {
    **{name: change for name, change in maps.FORMS.items() if name != "four"},
    "frames-missing": lambda given: _numbered(given, [2], []),
    "positions-missing": lambda given: _numbered(given, [], [2, 5]),
    "both-missing": lambda given: _numbered(given, [7], [0]),
    "last-and-positions-missing": lambda given: entrances.dressed("patterns-last", _numbered(given, [], [4])),
}
"""Name → a file in this form, which leaves the files that come after it as they are."""


def both_missing(folder: Path) -> Path:
    """A file of eight patterns of which one has no position, and of eight positions of which one has no pattern: seven pairs."""
    given = record(entrances.COUNT, entrances.N)  # no whole numbers, which are no amplitudes (DATA-030)
    starts = {f"{axis}_start": given[axis] for axis in ("xcoords", "ycoords")}
    return entrances.put(folder, BESIDE["both-missing"]({**given, **starts}))


def in_every_form(folder: Path) -> dict[str, Path]:
    """A file of each form, each of a scan of its own."""
    made = {}
    for number, (name, change) in enumerate(BESIDE.items()):
        (folder / name).mkdir(parents=True)
        made[name] = entrances.put(folder / name, change(entrances.whole(seed=20 + number)))
    return made


def changed(backend: Any, dataset: Any, paths: dict[str, Path], config: Any) -> dict[str, list[str]]:
    """Form → what of its file is another in the map than in memory."""
    whole = maps.values(maps.everything(dataset))
    own = [maps.rows(whole, maps.of_file(dataset, number)) for number in range(len(paths))]
    unlike = [maps.unlike(one, maps.in_memory(backend, path, config)) for one, path in zip(own, paths.values(), strict=True)]
    return {name: names for name, names in zip(paths, unlike, strict=True) if names}


SAID: dict[str, tuple[type[Warning], tuple[str, ...]]] = {
    "integers": (UserWarning, ("measurement",)),
    "frames-missing": (RuntimeWarning, ("frame_index", "position_index")),
}
"""Form of a file → the warning that reading it gives, and what it names."""


def warned_of(backend: Any, folder: Path, form: str) -> list[str]:
    """The names of the files, two in this form among three, for which making their map gives the warning of the form."""
    kind, words = SAID[form]
    names = ("first.npz", "plain.npz", "last.npz")
    given = {name: entrances.whole(seed=30 + number) for number, name in enumerate(names)}
    dressed = {name: arrays if name == "plain.npz" else BESIDE[form](arrays) for name, arrays in given.items()}
    paths = [write_npz(folder / name, **arrays) for name, arrays in dressed.items()]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        backend.mapped(paths, folder / "map", maps.config(backend, 1, N=64, n_groups=8, neighbor_count=4))
    told = [str(one.message) for one in caught if issubclass(one.category, kind)]
    return [name for name in names if any(name in text and all(word in text for word in words) for text in told)]


def order(dataset: Any, loader: Any) -> list[int]:
    """The rows of a map in the order in which a loader has them: each has a centre of its own."""
    places = {centre: row for row, centre in enumerate(_centres(maps.everything(dataset)))}
    return [places.get(centre, -1) for batch in loader for centre in _centres(batch)]


def _centres(batch: Any) -> list[tuple[float, ...]]:
    return [tuple(row.ravel().tolist()) for row in maps.field(batch, "coords_center")]


def by_hand_later(backend: Any, folder: Path) -> tuple[Any, Any]:
    """A map made for photons that its file stands above, asked for where the same number is an override; the one built anew."""
    path = entrances.put(folder / "data", entrances.whole())
    other = entrances.put(folder / "other", entrances.whole(photons=4.5e5))
    stated = {"n_groups": entrances.COUNT, "gridsize": 1, "sequential_sampling": True}
    given = backend.canonical("execution", accelerator="cpu")
    of_a_file = backend.payload(other, folder / "out", stated, given).tf_training_config
    by_hand = backend.payload(path, folder / "out", {**stated, "nphotons": 4.5e5}, given).tf_training_config
    backend.mapped([path], folder / "map", of_a_file)
    return tuple(  # type: ignore[return-value]
        batches.or_refusal(
            lambda place=place: maps.values(maps.everything(backend.mapped([path], folder / place, by_hand)), NAMES)
        )
        for place in ("map", "anew")
    )


def overridden(backend: Any, folder: Path) -> list[str]:
    """What of the batches of a map differs from those in memory, where an override states other photons than the file."""
    path = entrances.put(folder / "data", entrances.whole())
    stated = {"nphotons": 4.5e5, "n_groups": entrances.COUNT, "gridsize": 1, "sequential_sampling": True}
    execution = backend.canonical("execution", accelerator="cpu")
    config = backend.payload(path, folder / "out", stated, execution).tf_training_config
    found = maps.values(maps.everything(backend.mapped([path], folder / "map", config)))
    return maps.unlike(found, maps.in_memory(backend, path, config))


def skipping(backend: Any, folder: Path) -> tuple[list[Path], Any]:
    """Three files, of which the second one is left out of the map that was made of them, and their configuration."""
    paths, config = maps.with_a_bad_one(folder, "more-modes"), maps.config(backend)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        backend.mapped(paths, folder / "map", config, skip=True)
    return paths, config
