"""CLI-059: files of several programs, one scan in all of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from conformance.judging.observe import Observer
from conformance.scenes import gallery

pytestmark = pytest.mark.slow


@pytest.mark.clause("CLI-059~1", needs=("CLI-027", "DATA-001"), evidence="analytic")
@pytest.mark.parametrize("kind", gallery.PROGRAMS)
def test_a_file_of_each_program_is_the_same_scan(backend: Any, observe: Observer, shared_folder: Path, kind: str) -> None:
    """Patterns, positions, good pixels, modes. If this fails, suspect an axis, a unit, an index or a link of that program's."""
    done, path = gallery.converted(backend, shared_folder, kind)
    observe.holds("exit code", done.returncode == 0, "0", f"{done.returncode}: {done.stderr[-1500:]}")
    truth = gallery.truth(kind)

    found = gallery.converting.found(backend, path)

    observe.equal("good pixels", found.good, truth.good)
    observe.close("patterns", found.amplitudes, truth.amplitudes)
    first = truth.positions - truth.positions[:1]
    observe.close("positions", found.positions - found.positions[:1], first, dtype="float64")
    observe.close("probe", *gallery.modes(backend, path, kind))
