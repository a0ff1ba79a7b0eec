"""BATCH-041, BATCH-045, BATCH-049: masks of mapped files, labels of maps that were made without, indices of other kinds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conformance.connectors import native
from conformance.judging.observe import Observer
from conformance.scenes import batches, map_masks, maps, networks
from conformance.scenes.answers import number
from conformance.scenes.maps import everything, opened

OUTSIDE = {"nan": np.nan, "infinity": np.inf, "negative": -1e-3}
"""Values that no pattern has where its mask hides nothing."""
SLICES = {
    "last": slice(-3, None),
    "beyond": slice(20, 10**6),
    "but-the-last": slice(None, -20),
    "backwards": slice(None, None, -1),
    "every-fifth": slice(None, None, 5),
    "middle": slice(9, -9, 4),
}
"""What people write in the brackets of a list."""


@pytest.mark.clause("BATCH-049~2", evidence="differential", needs=("LOSS-012",))
@pytest.mark.parametrize(("which", "first"), [(0, 0), (0, 1), (2, 0)], ids=["unmasked", "masked", "masked-otherwise"])
def test_the_loss_of_a_map_is_that_of_data_in_memory(
    backend: Any, observe: Observer, tmp_path: Path, which: int, first: int
) -> None:
    """Each file under its own mask, or none; in the second map all have one. If this fails, suspect a mask that a map loses."""
    paths, config = map_masks.masked_files(tmp_path / "data")[first:], maps.config(backend, 1, **map_masks.NARROW)
    dataset = backend.mapped(paths, tmp_path / "map", config)
    batch = native.item(dataset, maps.of_file(dataset, which))

    found = number(backend.loss(networks.module(backend, config), batch))

    alone = next(iter(backend.loaders(backend.container(backend.read(paths[which]), config), None, config)[0]))
    observe.close("loss", found, number(backend.loss(networks.module(backend, config), alone)), dtype="float32")


@pytest.mark.clause("BATCH-049~2", evidence="symmetry", needs=("LOSS-012",))
def test_rows_of_several_files_have_the_masks_of_each(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """The same rows in another order have the same loss. If this fails, suspect the first row's mask for the whole batch."""
    config = maps.config(backend, 1, **map_masks.NARROW)
    dataset = backend.mapped(map_masks.masked_files(tmp_path / "data"), tmp_path / "map", config)
    module = networks.module(backend, config)

    found = [number(backend.loss(module, native.item(dataset, rows))) for rows in ([0, 3, 6], [6, 0, 3], [3, 6, 0])]

    observe.close("loss", found[1:], [found[0]] * 2, dtype="float32")


@pytest.mark.clause("BATCH-045~2")
@pytest.mark.parametrize(
    "stated", [{"model": {"model_type": "supervised"}}, {"realspace_mae_weight": 0.5}], ids=["mode", "weight"]
)
def test_a_map_without_labels_is_none_with_labels(
    backend: Any, observe: Observer, tmp_path: Path, stated: dict[str, Any]
) -> None:
    """Asked for with labels it has them, or is refused. If this fails, suspect a map that knows nothing of what is trained."""
    paths, names = maps.scans(tmp_path / "data"), ("label_amp", "label_phase")
    opened(backend, tmp_path, paths)
    truth = maps.in_memory(backend, paths[0], maps.config(backend, **stated), names)

    answer = batches.or_refusal(
        lambda: maps.values(native.item(opened(backend, tmp_path, paths, **stated), list(range(9))), names)
    )

    fine = isinstance(answer, str) or not maps.unlike(answer, truth)
    observe.holds("labels", fine, "a ValueError, or the labels of data in memory", "others")


@pytest.mark.clause("BATCH-048~1", evidence="differential")
def test_a_row_that_is_asked_for_twice_counts_twice(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """In whatever order. If this fails, suspect rows that are sorted, or of which each is taken once."""
    dataset = opened(backend, tmp_path)
    one, other = (native.array(backend.mapped_centre(dataset, [row])) for row in (14, 3))

    centre = native.array(backend.mapped_centre(dataset, [14, 3, 14]))

    observe.close("centre", centre, (2 * one + other) / 3, dtype="float64")


@pytest.mark.clause("BATCH-041~1")
@pytest.mark.parametrize("index", [np.int64(7), np.array([7]), np.array([7], np.int32)], ids=["number", "array", "narrow"])
def test_rows_are_asked_for_by_numbers_of_any_kind(backend: Any, observe: Observer, tmp_path: Path, index: Any) -> None:
    """Samplers draw with NumPy. If this fails, suspect a type that is compared in the place of a value."""
    dataset = opened(backend, tmp_path)

    with observe.accepts("index"):
        found = maps.values(native.item(dataset, index))

    observe.equal("changed", maps.unlike(found, maps.rows(maps.values(everything(dataset)), [7])), [])


@pytest.mark.clause("BATCH-041~1")
@pytest.mark.parametrize("rows", SLICES.values(), ids=SLICES)
def test_slices_are_those_of_a_list(backend: Any, observe: Observer, tmp_path: Path, rows: slice) -> None:
    """From the end, beyond it, backwards. If this fails, suspect a range made of a slice's own numbers."""
    dataset = opened(backend, tmp_path)
    truth = list(range(len(dataset)))[rows]

    with observe.accepts("slice"):
        found = maps.values(native.item(dataset, rows))

    observe.equal("changed", maps.unlike(found, maps.rows(maps.values(everything(dataset)), truth)), [])


@pytest.mark.clause("BATCH-047~1", needs=("DATA-012",))
@pytest.mark.parametrize("kind", OUTSIDE)
def test_a_bad_value_beside_a_mask_is_refused_by_name(backend: Any, observe: Observer, tmp_path: Path, kind: str) -> None:
    """Under the mask it is none, beside it it is one. If this fails, suspect a masked file that nobody looks at."""
    paths, good = maps.scans(tmp_path / "data"), np.ones((maps.N, maps.N), bool)
    good[3, 5] = False
    patterns = maps.arrays(1)["diff3d"].copy()
    patterns[:, 3, 5] = OUTSIDE[kind]
    maps.scan(tmp_path / "data", 1, diff3d=patterns, mask=good)

    with observe.accepts("a bad value under the mask"):
        opened(backend, tmp_path / "hidden", paths)
    patterns[7, 3, 6] = OUTSIDE[kind]
    maps.scan(tmp_path / "data", 1, diff3d=patterns, mask=good)

    with observe.raises("a bad value beside the mask", ValueError, "scan-1.npz"):
        opened(backend, tmp_path / "open", paths)
