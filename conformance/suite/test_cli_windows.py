"""CLI-077, CLI-078, CLI-094: what a conversion does to positions, probe and object beside a window; names of units."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from conformance.judging.observe import Observer
from conformance.scenes import converting, spellings, windows

pytestmark = pytest.mark.slow


@pytest.mark.clause("CLI-077~3", needs=("CLI-027", "DATA-001"), evidence="analytic")
@pytest.mark.parametrize("case", windows.CASES)
def test_positions_go_with_a_window(backend: Any, observe: Observer, shared_folder: Path, case: str) -> None:
    """In pixels and in metres, and the patterns with them. If this fails, suspect positions that stay as they were."""
    done, folder = windows.converted(backend, shared_folder, case)
    observe.holds("exit code", done.returncode == 0, "0", f"{done.returncode}: {done.stderr[-1500:]}")
    truth = windows.CASES[case].truth()

    found = converting.found(backend, folder / "scan.npz")

    observe.equal("good pixels", found.good, truth.good)
    observe.close("patterns", found.amplitudes, truth.amplitudes)
    observe.close("positions", windows.steps(found.positions), windows.steps(truth.positions), dtype="float64")


@pytest.mark.clause("CLI-077~3", needs=("CLI-066",), evidence="analytic")
def test_the_middle_of_a_probe_is_kept(backend: Any, observe: Observer, shared_folder: Path) -> None:
    """On as many pixels as a binned pattern has. If this fails, suspect a corner, or a probe that is binned itself."""
    done, folder = windows.converted(backend, shared_folder, "summed")
    observe.holds("exit code", done.returncode == 0, "0", f"{done.returncode}: {done.stderr[-1500:]}")

    found, truth = windows.light(backend, folder / "scan.npz")

    observe.shape("shape", found, (windows.SIDE // windows.BIN,) * 2)
    observe.close("probe", found, truth)


@pytest.mark.clause("CLI-078~1", needs=("CLI-057",))
def test_a_unit_has_several_names(backend: Any, observe: Observer, shared_folder: Path) -> None:
    """Both letters that look like a Greek one among them. If this fails, suspect a table with one of them."""
    done, made = spellings.converted(backend, shared_folder)
    observe.holds("exit code", done.returncode == 0, "0", f"{done.returncode}: {done.stderr[-1500:]}")

    observe.equal("read in another unit", spellings.otherwise(backend, made), [])


@pytest.mark.clause("CLI-094~1", needs=("CLI-027", "DATA-001"), evidence="analytic")
@pytest.mark.parametrize("case", windows.WITH_AN_OBJECT)
def test_a_contract_file_is_converted(backend: Any, observe: Observer, shared_folder: Path, case: str) -> None:
    """Its patterns and positions. If this fails, suspect a root that is taken twice, or an origin that is moved."""
    done, folder = windows.with_an_object(backend, shared_folder, case)
    observe.holds("exit code", done.returncode == 0, "0", f"{done.returncode}: {done.stderr[-1500:]}")
    truth = windows.WITH_AN_OBJECT[case].truth()

    found = converting.found(backend, folder / "scan.npz")

    observe.close("patterns", found.amplitudes, truth.amplitudes)
    observe.close("positions", windows.steps(found.positions), windows.steps(truth.positions), dtype="float64")


@pytest.mark.clause("CLI-094~1", needs=("CLI-027", "DATA-001"))
def test_an_object_goes_with_its_positions(backend: Any, observe: Observer, shared_folder: Path) -> None:
    """Both as they were. If this fails, suspect an object that is left behind, or an origin that is moved."""
    done, folder = windows.with_an_object(backend, shared_folder, "whole")
    observe.holds("exit code", done.returncode == 0, "0", f"{done.returncode}: {done.stderr[-1500:]}")

    observe.equal("object", windows.thing(backend, folder / "scan.npz"), windows.given_thing())
    found = converting.found(backend, folder / "scan.npz").positions
    observe.close("positions", found, windows.WITH_AN_OBJECT["whole"].truth().positions, dtype="float64")


@pytest.mark.clause("CLI-094~1", needs=("CLI-027", "DATA-001"))
def test_an_object_of_other_pixels_stays_behind(backend: Any, observe: Observer, shared_folder: Path) -> None:
    """Those of a window are larger. If this fails, suspect an object that is written beside positions of another scale."""
    done, folder = windows.with_an_object(backend, shared_folder, "part")
    observe.holds("exit code", done.returncode == 0, "0", f"{done.returncode}: {done.stderr[-1500:]}")

    found = windows.thing(backend, folder / "scan.npz")

    own = found is None or found.shape != windows.given_thing().shape
    observe.holds("object", own, "none, or one of other pixels", "the object of the file")


@pytest.mark.clause("CLI-094~1", needs=("CLI-057",), evidence="analytic")
def test_pixels_turn_with_their_detector(backend: Any, observe: Observer, shared_folder: Path) -> None:
    """Wider than high, and transposed. If this fails, suspect a pitch that stays where the frames are turned."""
    done, folder = windows.turned(backend, shared_folder)
    observe.holds("exit code", done.returncode == 0, "0", f"{done.returncode}: {done.stderr[-1500:]}")
    truth = windows.TURNED.truth()

    found = converting.found(backend, folder / "scan.npz")

    observe.equal("good pixels", found.good, truth.good)
    observe.close("patterns", found.amplitudes, truth.amplitudes)
    observe.close("positions", windows.steps(found.positions), windows.steps(truth.positions), dtype="float64")
