"""BATCH-045, BATCH-056, BATCH-061: what a map is known by, and in which order it is trained on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from conformance.judging.observe import Observer
from conformance.scenes import map_folders, map_settings, maps
from conformance.scenes.maps import everything, opened

REBUILD = "Rebuild it with remake_map=True"


@pytest.mark.clause("BATCH-045~2")
def test_a_map_of_files_that_were_touched_is_opened(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """Their content is what it was. If this fails, suspect times in the place of content."""
    paths = maps.scans(tmp_path / "data")
    first = maps.values(everything(opened(backend, tmp_path, paths)))
    map_folders.touch(paths)

    with observe.accepts("a map of these files"):
        again = maps.values(everything(opened(backend, tmp_path, paths)))

    observe.equal("rows", maps.unlike(again, first), [])


@pytest.mark.axes("stored-map:damaged")
@pytest.mark.clause("BATCH-045~2")
@pytest.mark.parametrize("fault", map_folders.FAULTS)
def test_damage_of_any_array_of_a_map_is_refused(backend: Any, observe: Observer, tmp_path: Path, fault: str) -> None:
    """Of the least one as of the largest. If this fails, suspect sums of patterns alone, or a file that has to be there."""
    paths = maps.scans(tmp_path / "data")[:1]
    opened(backend, tmp_path, paths)

    found = map_folders.unrefused(lambda: opened(backend, tmp_path, paths), tmp_path / "map", fault, REBUILD)

    observe.equal("not refused", found, [])


@pytest.mark.clause("BATCH-056~1", needs=("BATCH-012", "CONFIG-065"))
def test_photons_by_hand_are_asked_for_by_hand(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """The same number by another's word. If this fails, suspect a key with numbers and without their sources."""
    found, anew = map_settings.by_hand_later(backend, tmp_path)

    fine = found == "refused" or map_settings.alike(found, anew)
    observe.holds("map", fine, "a refusal, or what a map holds that is built anew", "photons of the file")


@pytest.mark.clause("BATCH-061~1", needs=("BATCH-031", "BATCH-032", "BATCH-052"))
@pytest.mark.parametrize("sequential", [False, True], ids=["shuffled", "sequential"])
def test_a_map_is_trained_on_in_the_order_of_a_container(
    backend: Any, observe: Observer, tmp_path: Path, sequential: bool
) -> None:
    """Drawn by its seed and anew at each pass, or as it stands. If this fails, suspect a loader for maps with one order."""
    dataset, config = opened(backend, tmp_path), maps.config(backend, sequential_sampling=sequential)

    loaders = [backend.loaders(dataset, dataset, config) for _ in range(2)]
    passes = [map_settings.order(dataset, loader) for loader in (loaders[0][0], loaders[0][0], loaders[1][0])]

    observe.equal("rows", [sorted(found) for found in passes], [list(range(27))] * 3)
    observe.equal("as it stands", [found == list(range(27)) for found in passes], [sequential] * 3)
    observe.equal("drawn anew", passes[0] != passes[1], not sequential)
    observe.equal("repeated", passes[2], passes[0])
    observe.equal("validation", map_settings.order(dataset, loaders[0][1]), list(range(27)))
