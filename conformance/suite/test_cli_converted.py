"""CLI-031, CLI-032, CLI-057, CLI-060, CLI-065, CLI-066, CLI-071: further flags of a conversion, and what it leaves alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conformance.connectors import native
from conformance.judging.observe import Observer
from conformance.scenes import beams, converting, exporting, learning, lens, lights, pinhole, sources, untouched

pytestmark = pytest.mark.slow


@pytest.mark.clause("CLI-031~4", needs=("CLI-027", "DATA-001"), evidence="analytic")
@pytest.mark.parametrize("case", converting.CASES)
def test_further_flags_of_a_conversion_act(backend: Any, observe: Observer, shared_folder: Path, case: str) -> None:
    """Window, bins, masks, rasters, names. If this fails, suspect a flag that is dropped, or a step in another order."""
    done, folder = converting.converted(backend, shared_folder, case)
    observe.holds("exit code", done.returncode == 0, "0", f"{done.returncode}: {done.stderr[-1500:]}")
    truth = converting.CASES[case].truth()

    found = converting.found(backend, folder / "scan.npz")

    observe.equal("good pixels", found.good, truth.good)
    observe.close("patterns", found.amplitudes, truth.amplitudes * truth.good)
    observe.close("positions", *converting.laid(case, found.positions, truth.positions), dtype="float64")


@pytest.mark.clause("CLI-060~2", needs=("CLI-031",), evidence="analytic")
def test_a_probe_is_made_of_optics(backend: Any, observe: Observer, shared_folder: Path) -> None:
    """The light of a lens with a stop, before its focus. If this fails, suspect a sign, or a radius for a diameter."""
    sources.understood(backend, shared_folder, *lens.FLAGS)
    done, folder = converting.converted(backend, shared_folder, "window")
    observe.holds("exit code", done.returncode == 0, "0", f"{done.returncode}: {done.stderr[-1500:]}")

    found, truth = converting.spectrum(backend, folder / "scan.npz")

    observe.close("far field", found, truth)


@pytest.mark.clause("CLI-060~2", needs=("CLI-031",), evidence="analytic")
def test_a_probe_is_made_of_a_pinhole(backend: Any, observe: Observer, shared_folder: Path) -> None:
    """A disc, seen from behind it, with the light of a pattern. If this fails, suspect a lens, or a way the other way round."""
    done, folder = pinhole.converted(backend, shared_folder)
    observe.holds("exit code", done.returncode == 0, "0", f"{done.returncode}: {done.stderr[-1500:]}")

    probe = pinhole.light(backend, folder / "scan.npz")

    found, truth = pinhole.hole(probe)
    observe.close("in the hole", found, truth)
    observe.close("light", *pinhole.power(probe))


@pytest.mark.clause("CLI-057~4", needs=("CLI-027",), evidence="analytic")
def test_frames_of_a_table_may_count_from_one(backend: Any, observe: Observer, shared_folder: Path) -> None:
    """The last of them is their number. If this fails, suspect positions that are each the next frame's."""
    done, folder = pinhole.converted(backend, shared_folder)
    observe.holds("exit code", done.returncode == 0, "0", f"{done.returncode}: {done.stderr[-1500:]}")
    truth = pinhole.truth()

    found = converting.found(backend, folder / "scan.npz")

    observe.close("patterns", found.amplitudes, truth.amplitudes)
    observe.close("positions", found.positions - found.positions[:1], truth.positions - truth.positions[:1], dtype="float64")


@pytest.mark.clause("CLI-031~4", needs=("CLI-027",), evidence="conservation")
def test_what_is_held_out_is_in_one_file_alone(backend: Any, observe: Observer, shared_folder: Path) -> None:
    """Train and test are the whole, without an exposure in both. If this fails, suspect a test file that was trained on."""
    done, folder = converting.converted(backend, shared_folder, "window")
    observe.holds("exit code", done.returncode == 0, "0", f"{done.returncode}: {done.stderr[-1500:]}")

    whole, *parts = (converting.found(backend, folder / f"scan{part}.npz") for part in ("", "_train", "_test"))

    counts = [len(part.positions) for part in parts]
    observe.equal("exposures", counts, [7, 3])
    both = [np.concatenate([getattr(part, name) for part in parts]) for name in ("positions", "amplitudes")]
    order, usual = (np.lexsort(places.T) for places in (both[0], whole.positions))
    observe.equal("positions", both[0][order], whole.positions[usual])
    observe.equal("patterns", both[1][order], whole.amplitudes[usual])


@pytest.mark.clause("CLI-031~4", needs=("CLI-027",))
def test_a_quiet_conversion_says_nothing(backend: Any, observe: Observer, shared_folder: Path) -> None:
    """Standard output is empty. If this fails, suspect a table that is printed past the flag."""
    done, _ = converting.converted(backend, shared_folder, "names")

    observe.holds("exit code", done.returncode == 0, "0", f"{done.returncode}: {done.stderr[-1500:]}")
    observe.equal("quiet", done.stdout, "")


@pytest.mark.clause("CLI-065~2", needs=("CLI-031",), evidence="analytic")
def test_a_beam_is_found_where_nobody_says_where_it_is(backend: Any, observe: Observer, shared_folder: Path) -> None:
    """A raw stack, the beam beside its corner. If this fails, suspect a centroid that is counted from the window's edge."""
    done, folder = beams.converted(backend, shared_folder)
    observe.holds("exit code", done.returncode == 0, "0", f"{done.returncode}: {done.stderr[-1500:]}")
    truth = beams.truth()

    found = converting.found(backend, folder / "scan.npz")

    observe.equal("good pixels", found.good, truth.good)
    observe.close("patterns", found.amplitudes, truth.amplitudes)
    observe.close("positions", found.positions - found.positions[:1], truth.positions - truth.positions[:1], dtype="float64")


@pytest.mark.clause("CLI-065~2", needs=("CLI-031",), evidence="analytic")
@pytest.mark.parametrize("case", beams.UNSTATED)
def test_a_corner_is_found_where_nobody_says_anything(backend: Any, observe: Observer, shared_folder: Path, case: str) -> None:
    """Nor a centre. If this fails, suspect photons that are not looked at, or a mark that is one in a single type of number."""
    done, folder = beams.unstated(backend, shared_folder, case)
    observe.holds("exit code", done.returncode == 0, "0", f"{done.returncode}: {done.stderr[-1500:]}")
    truth = beams.UNSTATED[case].truth()

    found = converting.found(backend, folder / "scan.npz")

    observe.equal("good pixels", found.good, truth.good)
    observe.close("patterns", found.amplitudes, truth.amplitudes)


@pytest.mark.clause("CLI-066~1", needs=("CLI-027",), evidence="analytic")
@pytest.mark.parametrize("case", beams.LIGHTS)
def test_a_probe_goes_with_its_detector(backend: Any, observe: Observer, shared_folder: Path, case: str) -> None:
    """All modes, the same far field on other pixels. If this fails, suspect a probe that is cut in real space."""
    call, side, modes = beams.LIGHTS[case]
    done, folder = call(backend, shared_folder)
    observe.holds("exit code", done.returncode == 0, "0", f"{done.returncode}: {done.stderr[-1500:]}")

    found = lights.of(backend.read(folder / "scan.npz"))

    observe.close("probe", found, lights.field(side, modes), dtype="complex64")


@pytest.mark.clause("CLI-071~1", needs=("CLI-065",))
@pytest.mark.parametrize("edge", beams.EDGES)
def test_a_window_that_leaves_the_detector_is_refused(backend: Any, observe: Observer, tmp_path: Path, edge: str) -> None:
    """One column or row too many. If this fails, suspect zeros that nobody measured, one edge alone, or an index below zero."""
    done, left = beams.beside(backend, tmp_path, edge)

    observe.equal("exit code", done.returncode, 1)
    observe.holds("reason", "crop" in done.stderr, "a message with the word crop", done.stderr[-1500:])
    observe.equal("files", left, [])


@pytest.mark.clause("CLI-032~2", needs=("CLI-031",))
def test_a_rehearsal_writes_nothing(backend: Any, observe: Observer, shared_folder: Path, tmp_path: Path) -> None:
    """Code 0, some words, no file and no folder. If this fails, suspect parts that are written all the same."""
    done, new = untouched.rehearsed(backend, shared_folder, tmp_path)

    observe.holds("exit code", done.returncode == 0, "0", f"{done.returncode}: {done.stderr[-1500:]}")
    observe.equal("files", new, [])
    observe.holds("said", bool(done.output.strip()), "what would be done", "nothing was said")


@pytest.mark.clause("CLI-032~2", needs=("CLI-031",))
def test_a_file_is_not_converted_onto_itself(backend: Any, observe: Observer, shared_folder: Path, tmp_path: Path) -> None:
    """Code 1, the same bytes. If this fails, suspect names that are compared and not files."""
    done, before, after = untouched.onto_itself(backend, shared_folder, tmp_path)

    observe.equal("exit code", done.returncode, 1)
    observe.equal("source", after, before)


@pytest.mark.clause("CLI-057~4", needs=("CLI-027",), evidence="analytic")
@pytest.mark.parametrize("case", converting.OTHERS)
def test_a_file_of_another_program_is_read_by_what_it_states(
    backend: Any, observe: Observer, shared_folder: Path, case: str
) -> None:
    """Its units, pixels, mask and columns. If this fails, suspect a layout's default before what a file says."""
    done, folder = converting.converted(backend, shared_folder, case)
    observe.holds("exit code", done.returncode == 0, "0", f"{done.returncode}: {done.stderr[-1500:]}")
    truth = converting.OTHERS[case].truth()

    found = converting.found(backend, folder / "scan.npz")

    observe.equal("good pixels", found.good, truth.good)
    observe.close("patterns", found.amplitudes, truth.amplitudes)
    observe.close("positions", *converting.laid(case, found.positions, truth.positions), dtype="float64")


@pytest.mark.clause("CLI-057~4", needs=("SIDE-002",), evidence="symmetry")
def test_an_experiment_is_exported_as_a_product(backend: Any, observe: Observer, shared_folder: Path) -> None:
    """Positions, pixels and the object's corner. If this fails, suspect x and y exchanged in one place of two."""
    done, path = exporting.exported(backend, shared_folder)
    observe.holds("exit code", done.returncode == 0, "0", f"{done.returncode}: {done.stderr[-1500:]}")
    truth = converting.OTHERS["cxi"].truth()

    found = backend.read_product(path)

    positions = np.stack([native.array(native.item(found, f"{axis}coords")) for axis in "xy"], axis=-1)
    observe.close("positions", positions - positions[:1], truth.positions - truth.positions[:1])
    observe.close("origin", np.array([float(one) for one in native.item(found, "origin")]), np.zeros(2))
    energy = float(native.item(found, "probe_energy_eV"))
    observe.close("energy and distance", [energy, float(native.item(found, "detector_object_distance_m"))], [1e4, 2.0])


@pytest.mark.clause("CLI-062~2", needs=("CLI-057",), evidence="analytic")
@pytest.mark.parametrize("part", ["counts", "positions", "distance", "height", "width", "energy", "probe"])
def test_an_experiment_is_exported_as_cxi(backend: Any, observe: Observer, shared_folder: Path, part: str) -> None:
    """Under the flags of a conversion, in SI units. If this fails, suspect a width for a height, or a flag dropped."""
    done, path = exporting.exported_as_cxi(backend, shared_folder)
    observe.holds("exit code", done.returncode == 0, "0", f"{done.returncode}: {done.stderr[-1500:]}")

    found = exporting.parts(path)

    observe.equal("missing", [name for name in exporting.truth() if name not in found], [])
    observe.close(part, np.squeeze(found[part]), exporting.truth()[part])


@pytest.mark.clause("CLI-062~2", needs=("CLI-057",), evidence="analytic")
def test_an_exported_mask_is_that_of_its_frames(backend: Any, observe: Observer, shared_folder: Path) -> None:
    """Zero where a pixel is good, turned as they are. If this fails, suspect a mask of the other sense."""
    done, path = exporting.exported_as_cxi(backend, shared_folder)
    observe.holds("exit code", done.returncode == 0, "0", f"{done.returncode}: {done.stderr[-1500:]}")

    observe.equal(
        "good pixels", np.isin(exporting.parts(path)["mask"], (0, converting.ABOVE_BACKGROUND)), exporting.truth()["mask"]
    )


@pytest.mark.clause("CLI-063~1", needs=("CLI-031",))
def test_what_is_held_out_teaches_a_probe_nothing(backend: Any, observe: Observer, shared_folder: Path) -> None:
    """Other patterns there, the same bits of the probe. If this fails, suspect a probe that is refined before the division."""
    done, probes = learning.refined(backend, shared_folder)
    observe.holds("exit code", done.returncode == 0, "0", f"{done.returncode}: {done.stderr[-1500:]}")
    given, one, other = probes

    observe.equal("with other patterns held out", other, one)
    observe.differs("refined", one, given, dtype="complex64")
