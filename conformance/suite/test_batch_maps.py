"""BATCH-040 … BATCH-044, BATCH-046, BATCH-048, BATCH-049: what a memory map of several files holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conformance.connectors import native
from conformance.judging.observe import Observer
from conformance.oracles import batch_maps as oracle
from conformance.scenes import batches, entrances, maps
from conformance.scenes.maps import everything, field, opened

GRIDS = pytest.mark.parametrize("g", [1, 2], ids=["g1", "g2"])
FORMS = {
    **{name: ((4, 1, 1, 1), "float32") for name in maps.FIELDS[2:]},
    "images": ((4, 4, 16, 16), "float32"),
    "coords_relative": ((4, 4, 1, 2), "float32"),
    "coords_global": ((4, 4, 1, 2), "float32"),
    "coords_center": ((4, 1, 1, 2), "float32"),
    "nn_indices": ((4, 4), "int64"),
    "experiment_id": ((4,), "int64"),
}


@pytest.mark.clause("BATCH-040~1")
def test_a_map_gives_batches(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """The triple of a container, and where its members lie. If this fails, suspect a field left out, or an axis squeezed."""
    batch = native.item(opened(backend, tmp_path), [3, 11, 20, 26])

    fields = native.item(batch, 0)
    found = {name: (native.shape(native.item(fields, name)), native.dtype(native.item(fields, name))) for name in FORMS}
    observe.equal("forms", found, FORMS)
    observe.equal("probe", native.shape(native.item(batch, 1))[2:], (1, 16, 16))
    observe.equal("dtypes", [native.dtype(native.item(batch, k)) for k in (1, 2)], ["complex64", "float32"])
    observe.equal("scaling", native.shape(native.item(batch, 2))[1:], (1, 1, 1))


@pytest.mark.axes("map:g")
@pytest.mark.clause("BATCH-040~1", evidence="algebraic")
@GRIDS
@pytest.mark.parametrize("number", [0, 1, 2])
def test_rows_lie_where_their_members_were_taken(backend: Any, observe: Observer, tmp_path: Path, g: int, number: int) -> None:
    """Positions of the file's own members. If this fails, suspect indices that count through all files, or a sign."""
    dataset = opened(backend, tmp_path, g=g)

    whole = everything(dataset)
    own = field(whole, "experiment_id") == number
    observe.equal("rows", own.nonzero()[0].tolist(), list(range(9 * number, 9 * number + 9)))
    points, members = maps.points(number), field(whole, "nn_indices")[own]
    observe.equal("no members", members[(members < 0) | (members >= len(points))].tolist(), [])
    placed = oracle.positions(points, members)
    centre = placed.mean(axis=1, keepdims=True)
    observe.close("coords_global", field(whole, "coords_global")[own], placed, dtype="float32")
    observe.close("coords_center", field(whole, "coords_center")[own], centre, dtype="float32")
    relative, shift = field(whole, "coords_relative")[own], np.abs(placed).max()
    observe.close("coords_relative", relative + shift, centre - placed + shift, dtype="float32")


@pytest.mark.clause("BATCH-040~1", evidence="algebraic")
def test_a_folder_stands_for_its_files(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """NPZ files by name, among files. If this fails, suspect the order of the file system, or files of other kinds."""
    paths = maps.scans(tmp_path / "data")
    (tmp_path / "data" / "notes.txt").write_text("no scan")
    single = maps.scan(tmp_path / "more", 0)
    listed = opened(backend, tmp_path / "a", [*paths, single])

    found = opened(backend, tmp_path / "b", [tmp_path / "data", single])

    observe.equal("rows", len(found), len(listed))
    observe.equal("changed", maps.unlike(maps.values(everything(found)), maps.values(everything(listed))), [])


@pytest.mark.clause("BATCH-041~1")
@pytest.mark.parametrize(
    ("index", "truth"),
    [([14, 3, 3, 26], [14, 3, 3, 26]), (slice(2, 21, 6), [2, 8, 14, 20]), (7, [7]), ([25], [25])],
    ids=["list", "slice", "one", "list-of-one"],
)
def test_rows_are_asked_for_by_index(backend: Any, observe: Observer, tmp_path: Path, index: Any, truth: list[int]) -> None:
    """In the order asked for. If this fails, suspect sorted rows, or a single index that loses its axis."""
    dataset = opened(backend, tmp_path)

    found = maps.values(native.item(dataset, index))

    observe.equal("changed", maps.unlike(found, maps.rows(maps.values(everything(dataset)), truth)), [])


@pytest.mark.clause("BATCH-041~1")
@pytest.mark.parametrize("index", [int, lambda rows: [3, rows]], ids=["one", "in-a-list"])
def test_a_row_that_is_not_there_is_an_error(backend: Any, observe: Observer, tmp_path: Path, index: Any) -> None:
    """The one behind the last. If this fails, suspect indices that are clipped or taken modulo."""
    dataset = opened(backend, tmp_path)

    with observe.raises("refusal", IndexError):
        dataset[index(len(dataset))]


@pytest.mark.clause("BATCH-042~1")
def test_a_loader_asks_for_whole_batches(backend: Any, observe: Observer) -> None:
    """Four questions for 14 rows. If this fails, suspect a framework's own way to fetch, row by row."""
    spy = maps.Spy(14)

    answers = list(backend.mapped_loader(spy, 4))

    truth = [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11], [12, 13]]
    observe.equal("asked", spy.asked, truth)
    observe.equal("answers", [field(answer, "rows").tolist() for answer in answers], truth)


@pytest.mark.clause("BATCH-043~1")
@GRIDS
def test_samples_share_no_memory(backend: Any, observe: Observer, tmp_path: Path, g: int) -> None:
    """What is written to one sample reaches no other. If this fails, suspect `expand` without a copy, or a view of the map."""
    dataset, config = opened(backend, tmp_path, g=g), maps.config(backend, g)
    batch, following = list(backend.loaders(dataset, None, config)[0])[:2]
    before, next_before, map_before = (maps.copied(part) for part in (batch, following, everything(dataset)))

    done = maps.overwrite(batch, 2)

    observe.equal("written", done, "written")
    others = [row for row in range(8) if row != 2]
    observe.equal("others", maps.unlike(maps.rows(maps.values(batch), others), maps.rows(before, others)), [])
    observe.equal("next batch", maps.unlike(maps.values(following), next_before), [])
    observe.equal("map", maps.unlike(maps.values(everything(dataset)), map_before), [])


@pytest.mark.clause("BATCH-044~1", evidence="conservation")
@GRIDS
@pytest.mark.parametrize(("number", "photons"), [(0, 3.0e5), (1, 4.0e5), (2, 3.0e5)])
def test_constants_are_those_of_the_file(
    backend: Any, observe: Observer, tmp_path: Path, g: int, number: int, photons: float
) -> None:
    """`(N/2)²` and the file's photons. If this fails, suspect one mean for all files, or `N²` in the place of `(N/2)²`."""
    dataset = opened(backend, tmp_path, g=g)

    own = maps.rows(maps.values(everything(dataset)), maps.of_file(dataset, number))

    observe.close("energy", oracle.energy(own["images"]), (maps.N / 2) ** 2)
    physics = np.unique(own["physics_scaling_constant"])
    observe.close("physics", physics.astype(np.float64), np.array([np.sqrt(photons) / (maps.N / 2)]))


@pytest.mark.clause("BATCH-044~1", evidence="symmetry")
def test_other_files_change_nothing(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """The same rows alone and beside brighter scans. If this fails, suspect a reduction over the whole map."""
    alone = opened(backend, tmp_path / "alone", [maps.scan(tmp_path / "one", 0)])
    together = opened(backend, tmp_path / "together")

    found = maps.rows(maps.values(everything(together)), maps.of_file(together, 0))

    observe.equal("changed", maps.unlike(found, maps.values(everything(alone))), [])


@pytest.mark.clause("BATCH-046~1")
@GRIDS
@pytest.mark.parametrize("groups", [9, 17], ids=["some", "as-many-as-the-smallest-has"])
def test_every_row_is_written(backend: Any, observe: Observer, tmp_path: Path, g: int, groups: int) -> None:
    """No image is black. If this fails, suspect an upper bound taken for a count."""
    dataset = opened(backend, tmp_path, g=g, n_groups=groups)

    images = field(everything(dataset), "images")

    observe.equal("rows", len(dataset), 3 * groups)
    observe.equal("images", len(images), len(dataset))
    observe.equal("black", int(np.sum(~images.reshape(-1, maps.N**2).any(axis=1))), 0)


@pytest.mark.clause("BATCH-046~1")
def test_single_patterns_are_counted_by_file(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """Groups of one are capped in each file by its own patterns (GROUP-005). If this fails, suspect rows for groups asked for."""
    dataset = opened(backend, tmp_path, g=1, n_groups=25)

    found = [len(maps.of_file(dataset, number)) for number in range(3)]

    observe.equal("rows", found, [23, 17, 25])
    observe.equal("black", int(np.sum(~field(everything(dataset), "images").any(axis=(1, 2, 3)))), 0)


@pytest.mark.clause("BATCH-046~1")
def test_nothing_makes_no_map(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """An empty folder. If this fails, suspect a dataset of no rows, which a training passes over."""
    (tmp_path / "empty").mkdir()
    config = maps.config(backend)

    with observe.raises("refusal", ValueError, "resulted in 0 items"):
        backend.mapped([tmp_path / "empty"], tmp_path / "map", config)


@pytest.mark.clause("BATCH-048~1", evidence="differential")
@pytest.mark.parametrize("number", [0, 1, 2])
def test_the_centre_is_that_of_the_rows(backend: Any, observe: Observer, tmp_path: Path, number: int) -> None:
    """Each file about its own middle. If this fails, suspect the centre of the last file."""
    dataset = opened(backend, tmp_path)
    rows = maps.of_file(dataset, number)[1:6]

    centre = native.array(backend.mapped_centre(dataset, rows))

    members = field(native.item(dataset, rows), "nn_indices")
    observe.close("centre", centre, oracle.positions(maps.points(number), members).mean(axis=(0, 1, 2)), dtype="float64")


@pytest.mark.clause("BATCH-048~1", evidence="symmetry")
def test_the_centre_does_not_know_other_files(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """The same rows alone and beside others. If this fails, suspect one value for the folder."""
    alone = opened(backend, tmp_path / "alone", [maps.scan(tmp_path / "one", 0)])
    together = opened(backend, tmp_path / "together")

    found = [native.array(backend.mapped_centre(dataset, maps.of_file(dataset, 0))) for dataset in (together, alone)]

    observe.close("centre", found[0], found[1], dtype="float64")


@pytest.mark.clause("BATCH-049~2", evidence="differential")
@GRIDS
@pytest.mark.parametrize("number", [0, 1, 2])
def test_batches_are_those_of_data_in_memory(backend: Any, observe: Observer, tmp_path: Path, g: int, number: int) -> None:
    """Bit for bit. If this fails, suspect a second implementation of the normalisation."""
    paths, config = maps.scans(tmp_path / "data"), maps.config(backend, g)
    dataset = opened(backend, tmp_path, paths, g=g)

    found = maps.rows(maps.values(everything(dataset)), maps.of_file(dataset, number))

    observe.equal("changed", maps.unlike(found, maps.in_memory(backend, paths[number], config)), [])


@pytest.mark.axes(
    "map:dtype", "map:scalars", "map:memory", "map:byteorder", "map:N", "map:M", "map:spacing", "map:brightness", "map:legacy"
)  # fmt: skip
@pytest.mark.clause("BATCH-049~2", evidence="differential", needs=("DATA-018",))
@pytest.mark.filterwarnings("ignore:.*measurement.*:UserWarning")
@pytest.mark.parametrize("form", maps.FORMS)
def test_a_map_takes_every_form_of_a_file(backend: Any, observe: Observer, tmp_path: Path, form: str) -> None:
    """Whatever the reader takes. If this fails, suspect a map with a reader of its own."""
    truth = maps.of_form_in_memory(backend, tmp_path, form)

    with observe.accepts("file"):
        found = maps.of_form(backend, tmp_path, form)

    observe.equal("changed", maps.unlike(found, truth), [])


@pytest.mark.axes("map:registry")
@pytest.mark.clause("BATCH-049~2", evidence="differential")
def test_what_another_run_left_plays_no_part_in_a_map(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """The registry is another run's. If this fails, suspect a setting that is looked up where it was not passed on."""
    truth = maps.of_form_in_memory(backend, tmp_path, "double")

    entrances.left_behind(backend)
    with observe.accepts("file"):
        found = maps.of_form(backend, tmp_path, "double")

    observe.equal("changed", maps.unlike(found, truth), [])


@pytest.mark.clause("BATCH-049~2", evidence="differential")
def test_labels_are_those_of_data_in_memory(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """Amplitude and phase of each file's own object. If this fails, suspect one object for all files."""
    paths, names = maps.scans(tmp_path / "data"), ("label_amp", "label_phase")
    stated = {"model": {"model_type": "supervised"}}
    dataset = opened(backend, tmp_path, paths, **stated)

    found = maps.rows(maps.values(everything(dataset), (*maps.FIELDS, *names)), maps.of_file(dataset, 2))

    truth = maps.in_memory(backend, paths[2], maps.config(backend, **stated), (*maps.FIELDS, *names))
    observe.equal("changed", maps.unlike(found, truth), [])


@pytest.mark.clause("BATCH-049~2", evidence="differential")
def test_the_loaders_take_a_map(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """Sizes of a pass, and its last batch. If this fails, suspect a loader that wraps what is a dataset already."""
    dataset, config = opened(backend, tmp_path), maps.config(backend)

    train, test = (list(loader) for loader in backend.loaders(dataset, dataset, config))

    observe.equal("sizes", batches.sizes(train), [8, 8, 8, 3])
    truth = maps.rows(maps.values(everything(dataset)), range(24, 27))
    observe.equal("train", maps.unlike(maps.values(train[3]), truth), [])
    observe.equal("validation", maps.unlike(maps.values(test[3]), truth), [])
