"""DATA: the same data through every entrance, in other clothes, after another file, beside another run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from conformance.judging.observe import Observer
from conformance.scenes import entrances, readers

EVERYWHERE = pytest.mark.parametrize("entrance", entrances.ENTRANCES)


@pytest.mark.axes(
    "file:dtype", "file:scalars", "file:memory", "file:byteorder", "file:legacy", "header:dtype", "header:scalars",
    "header:memory", "header:byteorder", "header:legacy", "factory:dtype", "factory:scalars", "factory:memory",
    "factory:byteorder", "factory:legacy", "container:dtype", "container:scalars", "container:memory", "container:byteorder",
)  # fmt: skip
@pytest.mark.clause("DATA-018~1", evidence="differential")
@pytest.mark.filterwarnings("ignore:.*measurement.*:UserWarning")
@pytest.mark.parametrize(("entrance", "clothes"), entrances.CASES, ids=entrances.IDS)
def test_the_same_numbers_are_the_same_data(backend: Any, observe: Observer, tmp_path: Path, entrance: str, clothes: str) -> None:
    """Precision, byte order and memory are no part of the data. If this fails, suspect an array that is used as it came."""
    given = entrances.dressed(clothes, entrances.whole())
    expected = entrances.truth(backend, entrance, entrances.whole())

    with observe.accepts("data"):
        found = entrances.through(backend, entrance, given, tmp_path)

    expected = entrances.spoken(found, expected)
    observe.equal("words", entrances.words(found, expected), entrances.words(expected, expected))
    numbers = entrances.numbers(expected, expected)
    observe.close("numbers", entrances.numbers(found, expected), numbers, dtype="float32")


@pytest.mark.clause("DATA-018~1", evidence="differential")
@pytest.mark.parametrize("version", [(2, 0), (3, 0)], ids=["2", "3"])
@EVERYWHERE
def test_every_format_of_numpy_is_read(
    backend: Any, observe: Observer, tmp_path: Path, entrance: str, version: tuple[int, int]
) -> None:
    """The header is no part of the data. If this fails, suspect a reader that knows NumPy's first format alone."""
    path = entrances.put(tmp_path, entrances.whole())
    expected = entrances.answer(backend, entrance, path)

    with observe.accepts("file"):
        found = entrances.answer(backend, entrance, entrances.in_format(path, version))

    observe.equal("changed", entrances.unlike(found, expected), [])


@pytest.mark.axes("file:rewritten", "header:rewritten", "factory:rewritten", "container:rewritten", "record:rewritten")
@pytest.mark.clause("DATA-019~1")
@EVERYWHERE
def test_a_file_that_was_replaced_is_read_anew(backend: Any, observe: Observer, tmp_path: Path, entrance: str) -> None:
    """Another of the same name, size and age. If this fails, suspect an answer that is kept under the name of its file."""
    path, other = (entrances.put(tmp_path / name, given) for name, given in entrances.two().items())
    first = entrances.answer(backend, entrance, path)

    same_size = entrances.rewrite(path, other.read_bytes())
    with observe.accepts("the second file"):
        second = entrances.answer(backend, entrance, path)

    expected = [entrances.truth(backend, entrance, given) for given in entrances.two().values()]
    observe.equal("same size", same_size, True)
    observe.equal("unlike the first file", entrances.unlike(first, expected[0]), [])
    observe.equal("unlike the second file", entrances.unlike(second, expected[1]), [])


@pytest.mark.axes("file:registry", "header:registry", "factory:registry", "container:registry", "record:registry")
@pytest.mark.clause("DATA-019~1")
@EVERYWHERE
def test_what_another_run_left_plays_no_part(backend: Any, observe: Observer, tmp_path: Path, entrance: str) -> None:
    """Every value of the registry is another's. If this fails, suspect a setting that is looked up where it was not passed on."""
    expected = entrances.truth(backend, entrance, entrances.whole())
    path = entrances.put(tmp_path, entrances.whole())

    entrances.left_behind(backend)
    with observe.accepts("file"):
        found = entrances.answer(backend, entrance, path)

    observe.equal("unlike the data", entrances.unlike(found, expected), [])


@pytest.mark.slow
@pytest.mark.axes("yaml:rewritten", "bundle:rewritten", "checkpoint:rewritten")
@pytest.mark.clause("DATA-019~1", needs=("BUNDLE-030", "TRAIN-060"))
@pytest.mark.parametrize("reader", readers.PAIRS)
def test_what_was_stored_anew_is_opened_anew(backend: Any, observe: Observer, tmp_path: Path, reader: str) -> None:
    """Settings, bundles, checkpoints. If this fails, suspect a model that is kept under the name of its file."""
    path, other = readers.pair(backend, reader, tmp_path)
    first = readers.told(backend, reader, path)

    entrances.rewrite(path, other.read_bytes())
    with observe.accepts("the second file"):
        second = readers.told(backend, reader, path)

    observe.equal("opened again", second, readers.told(backend, reader, other))
    observe.holds("another", second != first, "other values than at first", "the same values")


@pytest.mark.slow
@pytest.mark.axes("yaml:registry", "bundle:registry", "checkpoint:registry")
@pytest.mark.clause("DATA-019~1", needs=("BUNDLE-030", "TRAIN-060"))
@pytest.mark.parametrize("reader", readers.PAIRS)
def test_what_another_run_left_changes_nothing_stored(backend: Any, observe: Observer, tmp_path: Path, reader: str) -> None:
    """A registry full of another run's values. If this fails, suspect a network that is built from the live registry."""
    path, _ = readers.pair(backend, reader, tmp_path)
    first = readers.told(backend, reader, path)

    entrances.left_behind(backend)
    with observe.accepts("file"):
        second = readers.told(backend, reader, path)

    observe.equal("opened beside another run", second, first)
