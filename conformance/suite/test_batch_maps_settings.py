"""BATCH-040, BATCH-049, BATCH-056, BATCH-059: settings of a map, files of every form in one, what is said of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from conformance.judging.observe import Observer
from conformance.scenes import map_settings, maps


@pytest.mark.clause("BATCH-040~1", evidence="algebraic", needs=("GROUP-030",))
@pytest.mark.parametrize("name", map_settings.GROUPS)
def test_settings_of_groups_act_through_a_map(backend: Any, observe: Observer, tmp_path: Path, name: str) -> None:
    """The groups of each file are those of its container. If this fails, suspect a setting that reaches one of two paths."""
    paths, config = maps.scans(tmp_path / "data")[:2], maps.config(backend, **map_settings.GROUPS[name])

    with observe.accepts("settings"):
        dataset = backend.mapped(paths, tmp_path / "map", config)

    found = [map_settings.groups_of_map(dataset, number) for number in (0, 1)]
    observe.equal("groups", found, [map_settings.groups_in_memory(backend, path, config) for path in paths])


@pytest.mark.clause("BATCH-056~1")
@pytest.mark.parametrize("name", map_settings.KEPT)
def test_a_map_holds_what_was_asked_for(backend: Any, observe: Observer, tmp_path: Path, name: str) -> None:
    """Whatever it was made with. If this fails, suspect a setting that shapes a map and is not in its key."""
    found, anew = map_settings.kept(backend, tmp_path, name)

    fine = found == "refused" or map_settings.alike(found, anew)
    observe.holds("map", fine, "a refusal, or what a map holds that is built anew", "a map that was made otherwise")


@pytest.mark.axes("map:legacy", "map:dtype", "map:byteorder", "map:memory")
@pytest.mark.clause("BATCH-049~2", evidence="differential", needs=("DATA-013", "DATA-018"))
@pytest.mark.filterwarnings("ignore:.*frame_index.*:RuntimeWarning", "ignore:.*measurement.*:UserWarning")
def test_files_of_every_form_lie_beside_each_other(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """Each is what it is alone. If this fails, suspect room that a file took and left, or a form that outlives its file."""
    paths = map_settings.in_every_form(tmp_path / "data")
    config = maps.config(backend, 1, N=64, n_groups=9, neighbor_count=4)

    with observe.accepts("files"):
        dataset = backend.mapped(list(paths.values()), tmp_path / "map", config)

    observe.equal("changed", map_settings.changed(backend, dataset, paths, config), {})


@pytest.mark.clause("BATCH-059~1", needs=("DATA-003", "DATA-013"))
@pytest.mark.parametrize("form", map_settings.SAID)
def test_a_map_says_what_its_files_are_read_with(backend: Any, observe: Observer, tmp_path: Path, form: str) -> None:
    """By name, two among three. If this fails, suspect a second reader with the checks of the first, and not its words."""
    found = map_settings.warned_of(backend, tmp_path, form)

    observe.equal("warned of", found, ["first.npz", "last.npz"])


@pytest.mark.clause("BATCH-049~2", needs=("BATCH-012", "CONFIG-065"))
def test_photons_of_an_override_reach_a_map(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """They stand above those of a file, as in memory. If this fails, suspect a setting whose source is forgotten."""
    observe.equal("changed", map_settings.overridden(backend, tmp_path), [])


@pytest.mark.clause("BATCH-056~1", needs=("BATCH-047",))
def test_a_map_that_skips_a_file_is_for_who_skips_it(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """Asked for whole, it is refused as the file is. If this fails, suspect an argument of the call that is in no key."""
    paths, config = map_settings.skipping(backend, tmp_path)

    with observe.raises("map", ValueError):
        backend.mapped(paths, tmp_path / "map", config)
