"""CLI-043, CLI-096: flags of an inspection, and files of other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from conformance.judging.observe import Observer
from conformance.scenes import looking, solving

pytestmark = pytest.mark.slow


@pytest.mark.clause("CLI-096~3", needs=("CLI-043",))
@pytest.mark.parametrize("flag", looking.WORDS)
def test_a_flag_of_an_inspection_acts_on_any_file(backend: Any, observe: Observer, shared_folder: Path, flag: str) -> None:
    """Another picture, or a refusal that names it. If this fails, suspect a second reader that knows no flags."""
    heard, found = looking.heard(backend, shared_folder, flag)

    observe.holds("effect", heard, f"another picture, or code 1 and a message that names {flag} or a finding", found)


@pytest.mark.clause("CLI-043~3", needs=("DATA-030",))
def test_an_inspection_hears_of_a_crop_alone(backend: Any, observe: Observer, shared_folder: Path) -> None:
    """Gaps are warned of. If this fails, suspect a crop that waits for another flag."""
    solving.understood(backend, "inspect", "--stitch-crop-size", shared_folder)

    done, _ = looking.looked_at(backend, shared_folder)

    observe.holds("warning", "steps" in done.stderr, "a line with steps", done.stderr[-600:])
