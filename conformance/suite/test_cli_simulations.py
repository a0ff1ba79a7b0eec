"""CLI-047, CLI-072, CLI-075: files of a simulation, each held against its own truth, and against the others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conformance.connectors import native
from conformance.judging.observe import Observer
from conformance.scenes import pupils, simulations

pytestmark = pytest.mark.slow


@pytest.mark.clause("CLI-047~2", needs=("DATA-001", "CLI-028"), evidence="analytic")
@pytest.mark.parametrize("name", simulations.FILES)
def test_patterns_of_a_simulation_are_those_of_its_truth(backend: Any, observe: Observer, shared_folder: Path, name: str) -> None:
    """Poisson counts of its far fields, in all modes. If this fails, suspect an object or a probe that is not behind them."""
    done, folder = simulations.made(backend, shared_folder)
    observe.holds("exit code", done.returncode == 0, "0", f"{done.returncode}: {done.stderr[-1500:]}")

    given = simulations.arrays(backend.read(folder / f"{name}.npz"))

    total, square = simulations.deviations(given)
    observe.close("light", total, 0.0, spread=1.0)
    observe.close("spread", square, 0.0, spread=1.0)
    observe.equal("mask", simulations.seen(folder, name), simulations.open_pixels())
    powers = np.sum(np.abs(given["probeGuess"]) ** 2, axis=(-2, -1))
    observe.close("shares", powers / powers.sum(), np.array(simulations.POWERS), spread=1e-3)


@pytest.mark.clause("CLI-047~2", needs=("CLI-028",), evidence="conservation")
@pytest.mark.parametrize("name", simulations.FILES)
def test_a_simulation_states_the_photons_that_were_counted(
    backend: Any, observe: Observer, shared_folder: Path, name: str
) -> None:
    """Not those asked for, of which a beam stop keeps most. If this fails, suspect the flag written into the file."""
    _, folder = simulations.made(backend, shared_folder)

    counts = native.array(backend.read(folder / f"{name}.npz").diff3d).astype(float) ** 2

    observe.close("photons", simulations.photons(folder, name), float(np.mean(np.sum(counts, axis=(-2, -1)))), dtype="float64")


@pytest.mark.clause("CLI-047~2", needs=("CLI-028",))
@pytest.mark.parametrize("what", ["object", "positions"])
def test_no_two_scans_of_a_simulation_are_alike(backend: Any, observe: Observer, shared_folder: Path, what: str) -> None:
    """Two of one kind, and the test's. If this fails, suspect one generator, or one object, for several scans."""
    done, folder = simulations.made(backend, shared_folder)
    observe.holds("exit code", done.returncode == 0, "0", f"{done.returncode}: {done.stderr[-1500:]}")

    observe.equal("alike", simulations.alike(folder, what), [])


@pytest.mark.clause("CLI-047~2", needs=("CLI-028",))
def test_a_recipe_makes_the_same_files(backend: Any, observe: Observer, shared_folder: Path, tmp_path: Path) -> None:
    """All of them, bit for bit. If this fails, suspect a flag that the recipe leaves out."""
    done, again = simulations.made_again(backend, shared_folder, tmp_path)
    observe.holds("exit code", done.returncode == 0, "0", f"{done.returncode}: {done.stderr[-1500:]}")

    observe.equal("other", simulations.differ(simulations.made(backend, shared_folder)[1], again), [])


@pytest.mark.clause("CLI-047~2", needs=("CLI-028",), evidence="analytic")
def test_a_simulation_takes_a_probe_of_ones_own(backend: Any, observe: Observer, shared_folder: Path, tmp_path: Path) -> None:
    """But for a factor. If this fails, suspect a probe of another kind, or one that is turned."""
    done, folder, own = simulations.of_a_probe(backend, shared_folder, tmp_path)
    observe.holds("exit code", done.returncode == 0, "0", f"{done.returncode}: {done.stderr[-1500:]}")

    found = np.squeeze(native.array(backend.read(folder / "train.npz").probeGuess))

    factor = np.linalg.norm(found) / np.linalg.norm(own)
    observe.close("probe", found / factor, own, spread=1e-6)
    observe.equal("mask", simulations.seen(folder, "train"), simulations.open_pixels())


@pytest.mark.clause("CLI-047~2", needs=("CLI-028",), evidence="conservation")
def test_a_probe_of_ones_own_has_modes_too(backend: Any, observe: Observer, shared_folder: Path, tmp_path: Path) -> None:
    """Both flags in one call, and others beside them. If this fails, suspect shares that only probes of the simulation's own
    know, or a flag that one of the two takes away.
    """
    done, folder = simulations.of_a_probe_in_modes(backend, shared_folder, tmp_path)
    observe.holds("exit code", done.returncode == 0, "0", f"{done.returncode}: {done.stderr[-1500:]}")

    given = simulations.arrays(backend.read(folder / "train.npz"))
    probe = given["probeGuess"]

    powers = np.sum(np.abs(probe) ** 2, axis=(-2, -1))
    observe.close("shares", powers / powers.sum(), np.array(simulations.POWERS), spread=1e-3)
    asked, counted = simulations.FLAGS["--photons"], float(given["counts"].sum() / len(given["counts"]))
    observe.close("photons asked for", counted / asked, 1.0, spread=0.01)
    observe.equal("scans of another seed", simulations.repeated(simulations.made(backend, shared_folder)[1], folder), [])


@pytest.mark.clause("CLI-047~2", needs=("CLI-028",), evidence="analytic")
def test_every_real_number_of_a_recipe_acts(backend: Any, observe: Observer, shared_folder: Path, tmp_path: Path) -> None:
    """Another one, other patterns. If this fails, suspect a number that is read, told, and replaced by a default."""
    codes, same = simulations.without_effect(backend, shared_folder, tmp_path)

    observe.equal("exit codes", codes, [0] * len(codes))
    observe.equal("without effect", same, [])


@pytest.mark.clause("CLI-072~2", needs=("CLI-028",))
def test_an_object_has_the_side_that_help_says(backend: Any, observe: Observer, shared_folder: Path) -> None:
    """Five times that of a pattern. If this fails, suspect a number in the place of a multiple of `--N`."""
    done, folder = simulations.untold(backend, shared_folder)
    simulations.of_five_patterns(backend, shared_folder)
    observe.holds("exit code", done.returncode == 0, "0", f"{done.returncode}: {done.stderr[-1500:]}")

    observe.equal("objects", simulations.sides_of_objects(folder), [(5 * simulations.SPARE["--N"],) * 2] * 2)


@pytest.mark.clause("CLI-072~2", needs=("CLI-028", "CLI-047"))
def test_a_recipe_leaves_out_what_flags_leave_out(backend: Any, observe: Observer, shared_folder: Path, tmp_path: Path) -> None:
    """The same simulation. If this fails, suspect a default that stands in two places."""
    done, folder = simulations.by_a_bare_recipe(backend, shared_folder, tmp_path)
    observe.holds("exit code", done.returncode == 0, "0", f"{done.returncode}: {done.stderr[-1500:]}")

    observe.equal("other", simulations.unlike(simulations.untold(backend, shared_folder)[1], folder), [])


@pytest.mark.clause("CLI-075~1", needs=("CLI-028",), evidence="analytic")
@pytest.mark.parametrize("kind", pupils.PUPILS)
def test_a_pupil_is_as_wide_as_was_asked_for(
    backend: Any, observe: Observer, shared_folder: Path, tmp_path: Path, kind: str
) -> None:
    """Light up to its edge, and none beyond. If this fails, suspect a radius for a diameter, or a default in its place."""
    done, folder = pupils.behind_a_pupil(backend, shared_folder, kind, tmp_path)
    observe.holds("exit code", done.returncode == 0, "0", f"{done.returncode}: {done.stderr[-1500:]}")

    beyond, inner = pupils.pupil(np.squeeze(native.array(backend.read(folder / "train.npz").probeGuess)))

    observe.close("light beyond", beyond, 0.0, spread=1.0)
    observe.at_least("light at the edge", inner, 0.5)


@pytest.mark.clause("CLI-075~1", needs=("CLI-028",))
def test_what_has_no_pupil_is_not_asked_for_one(backend: Any, observe: Observer, shared_folder: Path, tmp_path: Path) -> None:
    """Code 1, the flag, no file. If this fails, suspect a flag that nobody reads."""
    done, left = pupils.without_a_pupil(backend, shared_folder, tmp_path)

    observe.equal("exit code", done.returncode, 1)
    observe.holds("message", "aperture" in done.stderr, "a message that names --aperture", done.stderr[-500:])
    observe.equal("files", left, [])


@pytest.mark.clause("CLI-047~2", needs=("CLI-028",))
def test_a_recipe_goes_with_its_probe(backend: Any, observe: Observer, shared_folder: Path, tmp_path: Path) -> None:
    """The folder was moved, and nobody stands in it. If this fails, suspect a path that begins where the command is called."""
    done, other = simulations.elsewhere(backend, shared_folder, tmp_path)

    observe.holds("exit code", done.returncode == 0, "0", f"{done.returncode}: {done.stderr[-1500:]}")
    observe.equal("other", other, [])


@pytest.mark.clause("CLI-047~2", needs=("CLI-028",))
def test_every_scan_of_a_simulation_has_its_exposures(backend: Any, observe: Observer, shared_folder: Path) -> None:
    """So many of each object as were asked for. If this fails, suspect a number that several objects share."""
    done, folder = simulations.made(backend, shared_folder)
    observe.holds("exit code", done.returncode == 0, "0", f"{done.returncode}: {done.stderr[-1500:]}")

    found = {name: len(native.array(backend.read(folder / f"{name}.npz").xcoords)) for name in simulations.FILES}

    observe.equal("exposures", found, simulations.COUNTS)


@pytest.mark.clause("CLI-028~1", needs=("CLI-047",))
def test_an_object_has_the_side_that_was_asked_for(backend: Any, observe: Observer, shared_folder: Path, tmp_path: Path) -> None:
    """Odd, and of any kind. If this fails, suspect halves that are rounded down."""
    done, found = simulations.of_an_odd_side(backend, shared_folder, tmp_path)

    observe.holds("exit code", done.returncode == 0, "0", f"{done.returncode}: {done.stderr[-1500:]}")
    observe.equal("sides", set(found.values()), {(simulations.ODD["--size"],) * 2})
