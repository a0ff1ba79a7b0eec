"""CLI-095: which way round a detector is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from conformance.judging.observe import Observer
from conformance.scenes import turning

pytestmark = pytest.mark.slow


@pytest.mark.clause("CLI-095~1", needs=("CLI-043",), evidence="symmetry")
def test_the_orientation_of_a_detector_is_found(backend: Any, observe: Observer, shared_folder: Path, tmp_path: Path) -> None:
    """Rows for columns, up to half a turn. If this fails, suspect a turn of the positions, or the worst in the first place."""
    done, first = turning.ranked(backend, shared_folder, tmp_path)
    observe.holds("exit code", done.returncode == 0, "0", f"{done.returncode}: {done.stderr[-1500:]}")

    observe.holds("first", first in (["--transpose"], sorted(turning.FLAGS)), "--transpose, or with it both flips", str(first))
