"""DATA: files that were damaged, and files that want much."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from conformance.connectors import native
from conformance.judging.observe import Observer
from conformance.scenes import damage, files

NAMES = ("xcoords", "ycoords", "xcoords_start", "ycoords_start", "diff3d", "probeGuess", "scan_index", "objectGuess")


def content(backend: Any, path: Path) -> dict[str, Any]:
    """Arrays and metadata of a file, as values that can be compared."""
    raw = backend.read(path)
    return {**damage.plain({name: native.array(getattr(raw, name)) for name in NAMES}), "metadata": raw.metadata}


@pytest.mark.axes("record:damaged")
@pytest.mark.clause("DATA-015~1", needs=("DATA-001",))
@pytest.mark.parametrize("kind", damage.RECORDS)
def test_damage_is_not_absence(backend: Any, observe: Observer, tmp_path: Path, kind: str) -> None:
    """Refused by name. If this fails, suspect a member that is looked up by a name, and defaults where it is not found."""
    path = files.contract_file(tmp_path, _metadata=files.metadata("unicode"))
    path.write_bytes(damage.RECORDS[kind](path.read_bytes()))

    with observe.raises("refusal", (ValueError, RuntimeError), path.name):
        backend.read(path)


@pytest.mark.slow
@pytest.mark.clause("DATA-015~1", needs=("DATA-001",))
@pytest.mark.parametrize("writer", ["the-backend", "another"])
@pytest.mark.parametrize("seed", range(2))
def test_changed_bytes_are_read_as_what_was_written_or_not_at_all(
    backend: Any, observe: Observer, tmp_path: Path, seed: int, writer: str
) -> None:
    """Bits, bytes and pieces, in content and structure. If this fails, suspect a checksum that is never reached."""
    path = files.contract_file(tmp_path, _metadata=files.metadata("unicode"))
    backend.write(backend.read(path), tmp_path / "own.npz")
    data = {"the-backend": tmp_path / "own.npz", "another": path}[writer].read_bytes()
    path.write_bytes(data)
    honest = content(backend, path)

    found = damage.outcomes(lambda: content(backend, path), path, path.name, damage.changed(data, seed, 60), honest)

    observe.equal("read with another content", found.silent, [])
    observe.equal("not refused by name", found.unnamed, [])


@pytest.mark.axes("record:greedy")
@pytest.mark.slow
@pytest.mark.clause("DATA-016~1")
def test_small_files_that_want_much_are_refused(
    backend: Any, observe: Observer, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    """In time, in memory, and alive. If this fails, suspect limits behind the work."""
    given = damage.records(tmp_path)

    found = damage.openings(backend, pytestconfig.getoption("--backend"), "read", given)

    observe.equal("outcomes", {name: one["outcome"] for name, one in found.items()}, dict.fromkeys(given, "refused"))
    observe.equal("unnamed", [name for name, one in found.items() if given[name].name not in one["message"]], [])
    observe.at_most("seconds", max(one["seconds"] for one in found.values()), 10)
    observe.at_most("mebibytes", max(one["mebibytes"] for one in found.values()), 512)
