"""POLICY-015, POLICY-016: nothing runs of the files that commands are told to read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from conformance.judging.observe import Observer
from conformance.scenes import commanded

pytestmark = pytest.mark.slow


@pytest.mark.clause("POLICY-015~1", needs=("CLI-059",))
@pytest.mark.parametrize("door", commanded.CONVERSIONS)
def test_nothing_runs_of_what_is_converted(
    backend: Any, observe: Observer, shared_folder: Path, tmp_path: Path, door: str
) -> None:
    """Arrays of objects among its members, or in its place. If this fails, suspect another reader than that of `read`."""
    commanded.CONVERSIONS[door](backend, shared_folder, tmp_path, tmp_path / "canary")

    observe.equal("what ran", (tmp_path / "canary").exists(), False)


@pytest.mark.clause("POLICY-016~1", needs=("CLI-019",))
@pytest.mark.parametrize("door", commanded.RECONSTRUCTIONS)
def test_nothing_runs_of_what_a_reconstruction_goes_on_with(
    backend: Any, observe: Observer, shared_folder: Path, tmp_path: Path, door: str
) -> None:
    """A state whose parts are objects. If this fails, suspect settings that are kept as an object beside the arrays."""
    commanded.RECONSTRUCTIONS[door](backend, shared_folder, tmp_path, tmp_path / "canary")

    observe.equal("what ran", (tmp_path / "canary").exists(), False)
