"""DATA-017, BATCH-051: a probe of several modes, from a file to a batch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conformance.connectors import native
from conformance.judging.observe import Observer
from conformance.scenes import batches, entrances, modes

KINDS = pytest.mark.parametrize("kind", sorted(modes.PROBES))
GRIDS = pytest.mark.parametrize("g", [1, 2], ids=["g1", "g2"])


@pytest.mark.axes("file:modes")
@pytest.mark.clause("DATA-017~1")
@KINDS
def test_modes_are_read_as_they_stand(backend: Any, observe: Observer, tmp_path: Path, kind: str) -> None:
    """All modes, in order. If this fails, suspect a reader that keeps the first, or guesses which axis is theirs."""
    probe = modes.PROBES[kind]()

    with observe.accepts("file"):
        raw = backend.read(modes.file_with(tmp_path, probe))

    found = native.array(raw.probeGuess)
    observe.dtype("dtype", raw.probeGuess, "complex64")
    observe.equal("modes", np.array(batches.as_modes(found)), probe)


@pytest.mark.clause("DATA-017~1", needs=("DATA-007",))
@KINDS
def test_modes_are_written_as_they_are(backend: Any, observe: Observer, tmp_path: Path, kind: str) -> None:
    """What is written is read again. If this fails, suspect a writer that squeezes or sorts."""
    probe = modes.PROBES[kind]()
    raw = backend.read(modes.file_with(tmp_path, probe))

    backend.write(raw, tmp_path / "again.npz")

    found = backend.read(tmp_path / "again.npz").probeGuess
    observe.equal("modes", np.array(batches.as_modes(found)), probe)


@pytest.mark.clause("DATA-017~1")
@pytest.mark.parametrize("wrong", sorted(modes.WRONG))
def test_what_are_no_modes_is_refused(backend: Any, observe: Observer, tmp_path: Path, wrong: str) -> None:
    """By the name of the key. If this fails, suspect a check of the first mode alone."""
    path = modes.file_with(tmp_path, modes.WRONG[wrong]())

    with observe.raises("refusal", ValueError, "probeGuess"):
        backend.read(path)


@pytest.mark.axes("header:modes", "factory:modes")
@pytest.mark.clause("DATA-017~1", needs=("CONFIG-064",))
@pytest.mark.parametrize("entrance", ["header", "factory"])
def test_the_side_of_modes_is_not_their_number(backend: Any, observe: Observer, tmp_path: Path, entrance: str) -> None:
    """Both factories read N off three modes. If this fails, suspect a header whose first axis is taken for the side."""
    given = entrances.whole()
    path = entrances.put(tmp_path, {**given, "probeGuess": np.stack([given["probeGuess"]] * 3)})

    with observe.accepts("file"):
        found = entrances.answer(backend, entrance, path)

    observe.equal("side", found["N"], entrances.N)


@pytest.mark.clause("BATCH-051~1", evidence="differential", needs=("DATA-017",))
@GRIDS
@KINDS
def test_modes_reach_the_batch(backend: Any, observe: Observer, tmp_path: Path, kind: str, g: int) -> None:
    """The file's modes over one number. If this fails, suspect a norm a mode, or a mode that got lost."""
    probe = modes.PROBES[kind]()

    container, batch = modes.container_of(backend, modes.file_with(tmp_path, probe), g)

    observe.equal("container", np.array(batches.as_modes(container.probe)), probe)
    seen = batches.broadcast(native.item(batch, 1), (8, g * g, *probe.shape))
    factor = np.vdot(probe, seen[0, 0]).real / np.vdot(probe, probe).real
    observe.close("batch", seen, np.broadcast_to(factor * probe.astype(complex), seen.shape), dtype="complex64")


@pytest.mark.clause("BATCH-051~1", evidence="conservation", needs=("DATA-017",))
def test_powers_keep_their_ratios(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """Each mode's share of the light. If this fails, suspect a norm for each mode."""
    probe = modes.PROBES["three"]()

    _, batch = modes.container_of(backend, modes.file_with(tmp_path, probe), 1)

    seen = native.array(native.item(batch, 1))
    observe.close("powers", modes.powers(seen[0, 0]), modes.powers(probe), dtype="float32")


@pytest.mark.clause("DATA-017~1", needs=("CONFIG-064",))
@pytest.mark.parametrize("entrance", ["file", "header", "factory"])
@pytest.mark.parametrize("count", [1, 64, 65])
def test_there_are_as_many_modes_as_there_are(backend: Any, observe: Observer, tmp_path: Path, count: int, entrance: str) -> None:
    """One, as many as rows, more. If this fails, suspect a header that tells modes from rows by their number."""
    given = {**entrances.whole(), "probeGuess": modes.many(count)}

    with observe.accepts("file"):
        found = entrances.answer(backend, entrance, entrances.put(tmp_path, given))

    expected = {**entrances.truth(backend, entrance, given)}
    observe.equal(
        "unlike", entrances.unlike({**found, **modes.whole_probe(found)}, {**expected, **modes.whole_probe(expected)}), []
    )
