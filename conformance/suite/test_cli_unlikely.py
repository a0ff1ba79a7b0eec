"""CLI-110, CLI-111: what a conversion refuses of a scan, and of what it warns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from conformance.judging.observe import Observer
from conformance.scenes import unlikely

pytestmark = pytest.mark.slow


@pytest.mark.clause("CLI-110~3", needs=("CLI-027",))
@pytest.mark.parametrize("case", unlikely.REFUSED)
def test_a_scan_that_is_none_is_refused(backend: Any, observe: Observer, shared_folder: Path, tmp_path: Path, case: str) -> None:
    """Code 1, what does not fit, no file. If this fails, suspect an error of the array that nobody looked at."""
    done, left = unlikely.refused(backend, shared_folder, case, tmp_path)

    word = unlikely.REFUSED[case][1]
    observe.equal("exit code", done.returncode, 1)
    observe.holds("message", word in done.stderr.lower(), f"a message with the word {word}", done.stderr[-1500:])
    observe.equal("traceback", "Traceback" in done.stderr, False)
    observe.equal("files", left, [])


@pytest.mark.clause("CLI-111~2", needs=("CLI-027",))
@pytest.mark.parametrize("case", [name for name in unlikely.DOUBTED if name != "plain"])
def test_what_is_unlikely_is_said(backend: Any, observe: Observer, shared_folder: Path, case: str) -> None:
    """And of a scan as it should be nothing. If this fails, suspect a warning that always stands there, or never."""
    plain, usual = unlikely.warnings(backend, shared_folder, "plain")
    done, found = unlikely.warnings(backend, shared_folder, case)
    codes = [plain.returncode, done.returncode]
    observe.holds("exit codes", codes == [0, 0], "0 and 0", f"{codes}: {plain.stderr[-700:]} {done.stderr[-700:]}")

    observe.at_least("warnings more", found - usual, 1)
