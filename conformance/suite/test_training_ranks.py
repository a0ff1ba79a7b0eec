"""TRAIN-080 … TRAIN-083: two processes that train together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from conformance.judging.observe import Observer
from conformance.scenes import ranks
from conformance.scenes.runs import left

pytestmark = pytest.mark.slow
KINDS = pytest.mark.parametrize("kind", ["train", "val"])


@pytest.mark.clause("TRAIN-080~1")
def test_two_processes_come_to_an_end(backend: Any, observe: Observer, shared_folder: Path) -> None:
    """With a sample left over for one of them. If this fails, suspect a process that makes one step more than the other."""
    ended = ranks.Pair(backend, shared_folder).ended("two")

    observe.holds("code", ended.code == 0, "code 0", f"code {ended.code}: {ended.err[-300:]}")


@pytest.mark.clause("TRAIN-080~1", needs=("TRAIN-081",))
@pytest.mark.parametrize("name", ["one", "two"])
def test_an_epoch_has_the_steps_of_the_whole(backend: Any, observe: Observer, shared_folder: Path, name: str) -> None:
    """Three batches of eight, the last one short. If this fails, suspect processes that each see every sample."""
    steps = ranks.Pair(backend, shared_folder).last_steps(name)

    observe.equal("last steps", steps, [ranks.STEPS * epoch + ranks.STEPS - 1 for epoch in range(ranks.EPOCHS)])


@pytest.mark.clause("TRAIN-081~1", needs=("TRAIN-080",))
def test_two_processes_leave_what_one_leaves(backend: Any, observe: Observer, shared_folder: Path) -> None:
    """File for file. If this fails, suspect a time stamp that each process takes for itself."""
    pair = ranks.Pair(backend, shared_folder)

    found, truth = (ranks.plain(left(pair.folder(name))) for name in ("two", "one"))

    observe.equal("files", found, truth)
    observe.equal("folders", sorted(path.name for path in pair.folder("two").parent.iterdir() if path.is_dir()), ["output"])
    observe.equal("bundle", found.count("wts.h5.zip"), 1)


@pytest.mark.clause("TRAIN-081~1", needs=("TRAIN-080",))
@KINDS
def test_an_epoch_has_one_row(backend: Any, observe: Observer, shared_folder: Path, kind: str) -> None:
    """One value of each loss an epoch. If this fails, suspect a logger in every process."""
    losses = ranks.Pair(backend, shared_folder).losses("two", kind)

    observe.equal("values", len(losses), ranks.EPOCHS)


@pytest.mark.clause("TRAIN-081~1", needs=("TRAIN-080",))
def test_the_first_process_speaks(backend: Any, observe: Observer, shared_folder: Path) -> None:
    """No line on standard output twice that one process says once. If this fails, suspect a command that everybody runs."""
    pair = ranks.Pair(backend, shared_folder)
    said, truth = (pair.ended(name).out.splitlines() for name in ("two", "one"))

    again = [line for line in set(said) if line.strip() and said.count(line) > max(1, truth.count(line))]
    observe.equal("said again", sorted(again), [])


@pytest.mark.clause("TRAIN-082~3", evidence="differential", needs=("TRAIN-080",))
@pytest.mark.parametrize(("kind", "name"), [("train", "first epoch"), ("val", "first validation")], ids=["train", "val"])
def test_the_first_losses_are_those_of_one_process(
    backend: Any, observe: Observer, shared_folder: Path, kind: str, name: str
) -> None:
    """The same batches. If this fails, suspect a mean of means, a normaliser of each part, or another order."""
    pair = ranks.Pair(backend, shared_folder)

    found, truth = (pair.losses(which, kind)[:1] for which in ("two", "one"))

    observe.close(name, found, truth, dtype="float64")


@pytest.mark.clause("TRAIN-082~3", evidence="symmetry", needs=("TRAIN-080",))
@KINDS
def test_later_losses_are_those_of_one_process(backend: Any, observe: Observer, shared_folder: Path, kind: str) -> None:
    """The same steps. If this fails, suspect gradients that are weighted by the size of a part."""
    pair = ranks.Pair(backend, shared_folder)

    found, truth = (pair.losses(which, kind)[1:] for which in ("two", "one"))

    observe.close({"train": "losses", "val": "later validation"}[kind], found, truth, dtype="float64")


@pytest.mark.clause("TRAIN-083~1")
def test_a_map_is_built_once(backend: Any, observe: Observer, shared_folder: Path) -> None:
    """Two files, two processes, one map. If this fails, suspect a map that everyone builds for himself."""
    backend.mapped  # noqa: B018 - the harness answers for a method that is not there
    ended = ranks.Pair(backend, shared_folder).ended("mapped")

    observe.holds("code", ended.code == 0, "code 0", f"code {ended.code}: {ended.err[-300:]}")
    observe.equal("maps", len(ended.manifests), 1)
