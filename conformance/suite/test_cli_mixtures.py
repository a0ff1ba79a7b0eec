"""CLI-079: what a call that fails leaves beside what an older one has left."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from conformance.judging.observe import Observer
from conformance.scenes import mixtures

pytestmark = pytest.mark.slow


@pytest.mark.clause("CLI-079~1", needs=("CLI-013",))
@pytest.mark.parametrize("command", mixtures.CALLS)
def test_older_results_do_not_stand_beside_newer_ones(
    backend: Any, observe: Observer, shared_folder: Path, tmp_path: Path, command: str
) -> None:
    """No room for the largest file: all of the old ones, or none. If this fails, suspect files that are written one by one."""
    found = mixtures.cramped(backend, shared_folder, command, tmp_path)

    observe.equal("exit code", found.done.returncode, 1)
    observe.holds("message", bool(found.done.stderr.strip()), "a line on standard error", "nothing")
    observe.equal("older files beside newer ones", found.mixed, [])
