"""CLI-073, CLI-074, CLI-080: an export is under the flags of a conversion; what a file lacks stands in another one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from conformance.judging.observe import Observer
from conformance.scenes import converting, exporting, learning

pytestmark = pytest.mark.slow


@pytest.mark.clause("CLI-073~1", needs=("CLI-062",), evidence="differential")
@pytest.mark.parametrize("case", exporting.CALLS)
def test_an_export_is_a_conversion_for_others(backend: Any, observe: Observer, shared_folder: Path, case: str) -> None:
    """Each flag acts as in `convert`. If this fails, suspect a flag that one of two commands drops."""
    done, contract = exporting.converted(backend, shared_folder, case)
    observe.holds("convert", done.returncode == 0, "0", f"{done.returncode}: {done.stderr[-1500:]}")
    done, path = exporting.exported_alike(backend, shared_folder, case)
    observe.holds("export", done.returncode == 0, "0", f"{done.returncode}: {done.stderr[-1500:]}")

    found = exporting.alike(backend, case, contract, path)

    observe.equal("good pixels", exporting.good_pixels(path), converting.found(backend, contract).good)
    observe.close("counts", *found["counts"])
    observe.close("positions", *found["positions"])
    observe.close("probe", *found["probe"])


@pytest.mark.clause("CLI-074~2", needs=("CLI-027",), evidence="analytic")
def test_what_a_file_lacks_stands_in_another_one(backend: Any, observe: Observer, shared_folder: Path) -> None:
    """Positions and pixels of `--parameters`. If this fails, suspect a second file that is found by its name alone."""
    done, path = exporting.converted(backend, shared_folder, "beside")
    observe.holds("exit code", done.returncode == 0, "0", f"{done.returncode}: {done.stderr[-1500:]}")
    truth = exporting.BESIDE.truth()

    found = converting.found(backend, path)

    observe.equal("good pixels", found.good, truth.good)
    observe.close("patterns", found.amplitudes, truth.amplitudes)
    observe.close("positions", found.positions - found.positions[:1], truth.positions - truth.positions[:1], dtype="float64")


@pytest.mark.clause("CLI-080~1", needs=("CLI-063",), evidence="analytic")
def test_a_probe_is_refined_by_good_pixels(backend: Any, observe: Observer, shared_folder: Path, tmp_path: Path) -> None:
    """Exact patterns, the true probe, rows that hold nothing. If this fails, suspect a mask that the refinement does not see."""
    done, error = learning.masked(backend, shared_folder, tmp_path)
    observe.holds("exit code", done.returncode == 0, "0", f"{done.returncode}: {done.stderr[-1500:]}")

    observe.close("probe", error, 0.0)
