"""POLICY-011: whatever opens a file, nothing of what is stored in it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from conformance.judging.observe import Observer
from conformance.scenes import readers


@pytest.mark.slow
@pytest.mark.axes("record:hostile", "yaml:hostile", "bundle:hostile", "checkpoint:hostile")
@pytest.mark.clause("POLICY-011~1")
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("reader", readers.READERS)
def test_nothing_that_is_stored_runs(backend: Any, observe: Observer, tmp_path: Path, reader: str) -> None:
    """The same calls in files of every kind. If this fails, suspect a second reader, less careful than the first."""
    with observe.accepts("an honest file"):
        readers.honest(backend, readers.READERS[reader], tmp_path)

    ran = readers.tried(backend, readers.READERS[reader], tmp_path)

    observe.at_least("files", len(ran), 40)
    observe.equal("what ran", [name for name, canary in ran.items() if canary], [])


@pytest.mark.slow
@pytest.mark.axes("stored-map:hostile")
@pytest.mark.clause("POLICY-012~1", needs=("BATCH-040",))
@pytest.mark.filterwarnings("ignore")
def test_nothing_that_a_map_holds_runs(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """The same calls in the place of its arrays, then of all its files. If this fails, suspect a map that is unpickled."""
    with observe.accepts("an honest map"):
        readers.honest(backend, readers.MAP, tmp_path)

    ran = readers.tried(backend, readers.MAP, tmp_path)

    observe.at_least("files", len(ran), 40)
    observe.equal("what ran", [name for name, canary in ran.items() if canary], [])
