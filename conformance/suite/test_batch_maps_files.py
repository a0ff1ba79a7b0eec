"""BATCH-044 … BATCH-047: maps that are stale, files that cannot be used."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conformance.judging.observe import Observer
from conformance.scenes import groups, map_folders, maps, pairings
from conformance.scenes.maps import everything, opened
from conformance.scenes.records import write_npz

REBUILD = "Rebuild it with remake_map=True"
FAULTS = pytest.mark.parametrize("fault", ["no-archive", *maps.BAD])


@pytest.mark.clause("BATCH-045~2")
def test_a_map_that_fits_is_opened_as_it_stands(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """Not a byte is written. If this fails, suspect a map that is built at every start."""
    paths = maps.scans(tmp_path / "data")
    first = maps.values(everything(opened(backend, tmp_path, paths)))
    before = maps.kept(tmp_path / "map")

    again = opened(backend, tmp_path, paths)

    content = json.loads((tmp_path / "map" / maps.MANIFEST).read_text(encoding="utf-8"))
    observe.holds("manifest", "schema_version" in content, "schema_version", str(sorted(content)))
    observe.equal("rows", maps.unlike(maps.values(everything(again)), first), [])
    observe.holds("files", maps.kept(tmp_path / "map") == before, "the files of before", "others")


@pytest.mark.clause("BATCH-045~2")
@pytest.mark.parametrize("name", maps.OTHER_SETTINGS)
def test_a_map_made_with_other_settings_is_refused(backend: Any, observe: Observer, tmp_path: Path, name: str) -> None:
    """If this fails, suspect a test for the folder's existence alone."""
    paths, stated = maps.scans(tmp_path / "data"), maps.OTHER_SETTINGS[name]
    opened(backend, tmp_path, paths)
    before = maps.kept(tmp_path / "map")

    with observe.raises("refusal", ValueError, REBUILD):
        backend.mapped(paths, tmp_path / "map", maps.config(backend, **stated))

    observe.holds("files", maps.kept(tmp_path / "map") == before, "the files of before", "others")


@pytest.mark.axes("map:rewritten", "stored-map:rewritten", "stored-map:damaged")
@pytest.mark.clause("BATCH-045~2")
@pytest.mark.parametrize("kind", maps.STALE)
def test_a_map_of_other_files_is_refused(backend: Any, observe: Observer, tmp_path: Path, kind: str) -> None:
    """If this fails, suspect names and times in the place of content, or arrays that are read without being checked."""
    paths = maps.scans(tmp_path / "data")
    opened(backend, tmp_path, paths)
    others = maps.STALE[kind](tmp_path, paths)

    with observe.raises("refusal", ValueError, REBUILD):
        opened(backend, tmp_path, others)


@pytest.mark.clause("BATCH-045~2")
@pytest.mark.parametrize(
    "change",
    [lambda version: 0, lambda version: None, map_folders.as_text, map_folders.later],
    ids=["older", "none", "text", "later"],
)
def test_another_schema_is_refused(backend: Any, observe: Observer, tmp_path: Path, change: Any) -> None:
    """If this fails, suspect a version that is written and never read."""
    paths = maps.scans(tmp_path / "data")
    opened(backend, tmp_path, paths)
    maps.with_schema(tmp_path / "map", change)

    with observe.raises("refusal", ValueError, REBUILD, "schema_version"):
        opened(backend, tmp_path, paths)


@pytest.mark.clause("BATCH-045~2")
@pytest.mark.parametrize("kind", ["other-content", "dropped", "flipped-byte"])
def test_a_map_is_built_anew_on_demand(backend: Any, observe: Observer, tmp_path: Path, kind: str) -> None:
    """As if nothing had been there. If this fails, suspect rows of before, or a switch without effect."""
    others = maps.STALE[kind](tmp_path, _made(backend, tmp_path))

    with observe.accepts("a map to be built anew"):
        anew = backend.mapped(others, tmp_path / "map", maps.config(backend), remake=True)

    truth = backend.mapped(others, tmp_path / "other", maps.config(backend))
    observe.equal("rows", len(anew), len(truth))
    observe.equal("changed", maps.unlike(maps.values(everything(anew)), maps.values(everything(truth))), [])


@pytest.mark.clause("BATCH-045~2")
def test_a_rebuild_that_fails_leaves_the_map(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """If this fails, suspect a map that is cleared before its files are looked at."""
    paths = _made(backend, tmp_path)
    before = maps.kept(tmp_path / "map")
    broken = [*paths, maps.scan(tmp_path / "more", 2, probeGuess=None)]

    with observe.raises("refusal", ValueError, "scan-2"):
        backend.mapped(broken, tmp_path / "map", maps.config(backend), remake=True)

    observe.holds("files", maps.kept(tmp_path / "map") == before, "the files of before", "others")


@pytest.mark.clause("BATCH-047~1")
@FAULTS
def test_a_bad_file_is_refused_by_name(backend: Any, observe: Observer, tmp_path: Path, fault: str) -> None:
    """The second of three. If this fails, suspect an error about an array whose file nobody names."""
    paths = maps.with_a_bad_one(tmp_path, fault)

    with observe.raises("refusal", ValueError, "scan-1.npz"):
        opened(backend, tmp_path, paths)

    there = (tmp_path / "map" / maps.MANIFEST).exists()
    observe.holds("nothing", not there, "no map", "a map of half of the files")


@pytest.mark.clause("BATCH-044~1")
def test_a_dark_file_is_refused_by_name(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """Its constants would be infinite. If this fails, suspect a division without a look, or a floor."""
    paths = maps.scans(tmp_path / "data")
    maps.scan(tmp_path / "data", 1, diff3d=np.zeros_like(maps.arrays(1)["diff3d"]))

    with observe.raises("refusal", ValueError, "scan-1.npz"):
        opened(backend, tmp_path, paths)


@pytest.mark.clause("BATCH-047~1")
def test_a_file_without_an_object_has_no_labels(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """Refused where labels are needed. If this fails, suspect labels of ones."""
    paths = maps.scans(tmp_path / "data")
    maps.scan(tmp_path / "data", 1, objectGuess=None)

    with observe.raises("refusal", ValueError, "scan-1.npz"):
        opened(backend, tmp_path, paths, model={"model_type": "supervised"})


@pytest.mark.clause("BATCH-047~1")
@FAULTS
def test_a_skipped_file_takes_along_what_is_its_own(backend: Any, observe: Observer, tmp_path: Path, fault: str) -> None:
    """The others are as if it were not there. If this fails, suspect a counter that runs on, or constants collected too early."""
    paths, config = maps.with_a_bad_one(tmp_path, fault), maps.config(backend)

    with observe.warns("warning", UserWarning, "scan-1.npz"):
        found = backend.mapped(paths, tmp_path / "map", config, skip=True)

    truth = backend.mapped([paths[0], paths[2]], tmp_path / "other", config)
    names = (*maps.FIELDS, "experiment_id", "coords_global", "coords_center", "nn_indices")
    observe.equal("rows", len(found), len(truth))
    observe.equal("changed", maps.unlike(maps.values(everything(found), names), maps.values(everything(truth), names)), [])


@pytest.mark.clause("BATCH-047~1")
def test_labels_stay_with_their_file(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """A skipped file's object goes with it. If this fails, suspect labels of the file before."""
    paths, config = maps.with_a_bad_one(tmp_path, "no-probe"), maps.config(backend, model={"model_type": "supervised"})
    found = backend.mapped(paths, tmp_path / "map", config, skip=True)

    labels = ("label_amp", "label_phase")
    own = maps.rows(maps.values(everything(found), labels), maps.of_file(found, 1))

    truth = maps.in_memory(backend, paths[2], config, (*maps.FIELDS, *labels))
    observe.equal("changed", maps.unlike(own, {name: truth[name] for name in labels}), [])


@pytest.mark.clause("BATCH-046~1", "BATCH-047~1")
def test_a_map_of_skipped_files_alone_is_none(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """If this fails, suspect a dataset of no rows, or a division by their number."""
    paths = [maps.scan(tmp_path / "data", number, diff3d=np.zeros_like(maps.arrays(number)["diff3d"])) for number in (0, 1)]
    config = maps.config(backend)

    with observe.raises("refusal", ValueError, "resulted in 0 items", clause="BATCH-046"):
        backend.mapped(paths, tmp_path / "map", config, skip=True)

    there = (tmp_path / "map" / maps.MANIFEST).exists()
    observe.holds("nothing", not there, "no map", "a map of no rows", clause="BATCH-047")


def _made(backend: Any, folder: Path) -> list[Path]:
    """The three files, of which a map is there already."""
    paths = maps.scans(folder / "data")
    opened(backend, folder, paths)
    return paths


@pytest.mark.clause("BATCH-049~2", evidence="differential", needs=("DATA-013",))
@pytest.mark.filterwarnings("ignore:.*frame_index.*:RuntimeWarning")
@pytest.mark.parametrize("pairing", pairings.PAIRS[:6], ids=str)
def test_a_map_pairs_patterns_with_positions(backend: Any, observe: Observer, tmp_path: Path, pairing: pairings.Pairing) -> None:
    """What has no partner is in no row. If this fails, suspect rows that are moved, or written over."""
    path, config = pairing.write(tmp_path), maps.config(backend, 1, n_groups=50)
    truth = maps.in_memory(backend, path, config)

    with observe.accepts("file"):
        found = maps.values(everything(backend.mapped([path], tmp_path / "map", config)))

    observe.equal("changed", maps.unlike(found, truth), [])


@pytest.mark.clause("BATCH-040~1", evidence="algebraic")
@pytest.mark.parametrize("beside", map_folders.BESIDE)
def test_a_folder_stands_for_nothing_else(backend: Any, observe: Observer, tmp_path: Path, beside: str) -> None:
    """A copy, a folder of older scans, files of other kinds. If this fails, suspect a pattern that matches more than NPZ."""
    folder = tmp_path / "data [1]"  # a name that a pattern would mean something else by
    paths = maps.scans(folder)
    map_folders.BESIDE[beside](folder, paths[0])
    listed = opened(backend, tmp_path / "a", paths)

    with observe.accepts("a folder"):
        found = opened(backend, tmp_path / "b", [folder])

    observe.equal("rows", len(found), len(listed))
    observe.equal("changed", maps.unlike(maps.values(everything(found)), maps.values(everything(listed))), [])


@pytest.mark.axes("map:M", "map:N")
@pytest.mark.clause("BATCH-049~2", evidence="differential", needs=("GROUP-030",))
def test_a_map_of_large_patterns_is_that_of_memory(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """The last of them are the brightest. If this fails, suspect patterns that are read or scaled by blocks."""
    path = write_npz(tmp_path / "large.npz", **groups.growing(150, 64))
    config = maps.config(backend, 1, N=64, n_groups=150)
    truth = maps.in_memory(backend, path, config)

    with observe.accepts("file"):
        found = maps.values(everything(backend.mapped([path], tmp_path / "map", config)))

    observe.equal("changed", maps.unlike(found, truth), [])


@pytest.mark.clause("BATCH-047~1")
@pytest.mark.parametrize("place", [0, 1, 3], ids=["first", "between", "last"])
def test_a_source_that_is_not_there_is_named(backend: Any, observe: Observer, tmp_path: Path, place: int) -> None:
    """And there is no map. If this fails, suspect files that are listed as far as they are found."""
    paths = maps.scans(tmp_path / "data")
    paths.insert(place, tmp_path / "data" / "scan-9.npz")

    with observe.raises("refusal", (ValueError, FileNotFoundError), "scan-9.npz"):
        opened(backend, tmp_path, paths)

    there = (tmp_path / "map" / maps.MANIFEST).exists()
    observe.holds("nothing", not there, "no map", "a map of the others")


@pytest.mark.axes("stored-map:damaged")
@pytest.mark.clause("BATCH-045~2")
@pytest.mark.parametrize("place", map_folders.PLACES)
def test_damage_of_a_large_map_is_found_wherever_it_lies(backend: Any, observe: Observer, tmp_path: Path, place: str) -> None:
    """At its beginning, its middle, its end. If this fails, suspect a sum of the first block, or of a sample."""
    path = map_folders.large(tmp_path / "data")
    opened(backend, tmp_path, [path])
    map_folders.damage(tmp_path / "map", map_folders.PLACES[place])

    with observe.raises("refusal", ValueError, REBUILD):
        opened(backend, tmp_path, [path])


@pytest.mark.clause("BATCH-045~2")
def test_a_map_of_one_exposure_is_opened_as_it_stands(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """One pattern, one row. If this fails, suspect a least number that is two."""
    whole = maps.arrays(0)
    one = {name: value[:1] for name, value in whole.items() if len(np.atleast_1d(value)) == maps.COUNTS[0]}
    path, config = maps.scan(tmp_path / "data", 0, **one), maps.config(backend, 1, n_groups=1)
    first = maps.values(everything(backend.mapped([path], tmp_path / "map", config)))

    with observe.accepts("a map that fits"):
        again = maps.values(everything(backend.mapped([path], tmp_path / "map", config)))

    observe.equal("rows", len(again["images"]), 1)
    observe.equal("changed", maps.unlike(again, first), [])
