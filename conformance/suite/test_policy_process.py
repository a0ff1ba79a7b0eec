"""POLICY-013, POLICY-014: what a process is afterwards that has worked for somebody who goes on computing in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from conformance.judging.observe import Observer
from conformance.scenes import processes


@pytest.mark.clause("POLICY-013~2")
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("work", processes.WORK)
def test_work_leaves_the_switches_of_its_process(backend: Any, observe: Observer, tmp_path: Path, work: str) -> None:
    """The same after it as before it. If this fails, suspect a switch that is set for a training and never set back."""
    before, after = processes.switched(backend, work, tmp_path)

    observe.equal("switches", after, before)


@pytest.mark.clause("POLICY-014~2")
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("work", processes.SILENT)
def test_work_that_is_not_random_draws_nothing(backend: Any, observe: Observer, tmp_path: Path, work: str) -> None:
    """The process's generators stand where they stood. If this fails, suspect weights that are drawn to be overwritten."""
    before, after = processes.moved(backend, work, tmp_path)

    observe.equal("generators", after, before)
