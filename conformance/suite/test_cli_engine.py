"""CLI-017 … CLI-019: the engine by command."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conformance.judging.observe import Observer
from conformance.oracles import inference as oracle
from conformance.scenes import archives, commands, engines, flags, solving, told_together

pytestmark = pytest.mark.slow


def ended(observe: Observer, found: solving.Solved) -> None:
    """The command ended well."""
    observe.holds("exit code", found.done.returncode == 0, "0", f"{found.done.returncode}: {found.done.stderr[-1500:]}")


@pytest.mark.clause("CLI-017~1", evidence="differential")
def test_reconstruct_recovers_the_object_at_its_place(backend: Any, observe: Observer, shared_folder: Path) -> None:
    """The truth, where `origin` says. If this fails, suspect another corner, exchanged axes, or a flag that is dropped."""
    found = solving.plain(backend, shared_folder)
    ended(observe, found)

    match = found.match()

    observe.equal("orientation", oracle.nearest(*found.beside()), "turned by 0°")
    observe.close("object", match.error, 0.0)
    observe.close("shift", np.array(match.shift), np.zeros(2))


@pytest.mark.clause("CLI-017~1", evidence="algebraic")
def test_the_file_of_numbers_explains_the_patterns(backend: Any, observe: Observer, shared_folder: Path) -> None:
    """Object, probe and positions make the residual that is told. If this fails, suspect a probe in a unit of its own."""
    found = solving.plain(backend, shared_folder)
    ended(observe, found)

    observe.close("residual", float(found["residuals"][-1]), found.residual(), dtype="float64")


@pytest.mark.clause("CLI-017~1", evidence="algebraic")
def test_what_is_not_refined_is_the_files(backend: Any, observe: Observer, shared_folder: Path) -> None:
    """Positions row for row, the probe up to a factor. If this fails, suspect the solver's order, or a probe refined anyhow."""
    given, found = solving.arrays("plain"), solving.plain(backend, shared_folder)
    ended(observe, found)

    probe, kept = found["probe"].astype(complex), given["probeGuess"].astype(complex)
    observe.shape("probe", probe, (1, engines.N, engines.N))
    factor = np.vdot(kept, probe[0]) / np.vdot(kept, kept)
    observe.close("kept probe", probe[0] / factor, kept, dtype="complex64")
    observe.close("positions", found["positions"], np.stack([given["xcoords"], given["ycoords"]], axis=-1), dtype="float64")


@pytest.mark.clause("CLI-017~1", evidence="algebraic")
def test_a_residual_is_told_for_each_sweep(backend: Any, observe: Observer, shared_folder: Path) -> None:
    """Forty, or fewer and that it has settled. If this fails, suspect an end that is told alike however it came."""
    found = solving.plain(backend, shared_folder)
    ended(observe, found)

    sweeps, settled = len(found["residuals"]), bool(found["settled"])
    observe.at_most("sweeps", sweeps, 40)
    observe.equal("ended by itself", settled, sweeps < 40)
    observe.equal("said", commands.progress(found.done.stdout), [])


@pytest.mark.clause("CLI-018~1", evidence="conservation")
def test_a_noisy_scan_settles_at_its_noise(backend: Any, observe: Observer, shared_folder: Path) -> None:
    """It stops by itself, and leaves what noise leaves. If this fails, suspect statistics of another kind, or no end."""
    found = solving.noisy(backend, shared_folder)
    ended(observe, found)

    observe.equal("settled", bool(found["settled"]), True)
    observe.at_most("sweeps", len(found["residuals"]), solving.SETTLING - 1)
    observe.close("noise", found.residual(), solving.noise_floor(), dtype="float64")
    observe.close("object", found.match().error, 0.0)


@pytest.mark.clause("CLI-033~1", needs=("CLI-018",))
def test_counts_are_fitted_as_was_asked(backend: Any, observe: Observer, shared_folder: Path) -> None:
    """Each of two ways is the better one by its own measure. If this fails, suspect a flag that nobody reads."""
    poisson, plain = (make(backend, shared_folder) for make in (solving.noisy, solving.noisy_by_amplitudes))
    ended(observe, plain)

    gain, less = plain.unlikelihood() - poisson.unlikelihood(), poisson.residual() - plain.residual()
    observe.holds("likelihood", gain > 0, "more of it under poisson than under amplitude", f"{-gain:.6g} less")
    observe.holds("residual", less > 0, "less of it under amplitude than under poisson", f"{-less:.3g} more")


@pytest.mark.clause("CLI-018~1", evidence="differential")
def test_modes_that_are_asked_for_are_found(backend: Any, observe: Observer, shared_folder: Path) -> None:
    """Two, orthogonal, the stronger one first. If this fails, suspect a number of modes that nobody reads."""
    found = solving.two_modes(backend, shared_folder)
    ended(observe, found)

    probe = found["probe"].astype(complex)
    observe.shape("probe", probe, (2, engines.N, engines.N))
    powers = np.sum(np.abs(probe) ** 2, axis=(-2, -1))
    observe.equal("strongest first", int(np.argmax(powers)), 0)
    observe.at_least("share of the second", float(powers[1] / powers.sum()), solving.LIT)
    observe.close("orthogonal", np.vdot(probe[0], probe[1]) / powers[0], 0.0, dtype="complex64")
    observe.close("left", found.residual(), 0.0, dtype="float64")


@pytest.mark.clause("CLI-018~1", evidence="differential")
def test_positions_come_nearer_to_where_they_were(backend: Any, observe: Observer, shared_folder: Path) -> None:
    """At least halfway. If this fails, suspect a step of the wrong sign, exchanged axes, or another order of rows."""
    found = solving.positions(backend, shared_folder)
    ended(observe, found)

    observe.at_most("distance", solving.position_error(found["positions"]), solving.SHAKEN / 2)
    observe.close("object", found.match().error, 0.0)


@pytest.mark.clause("CLI-019~1")
@pytest.mark.parametrize("name", ["object", "probe", "positions", "residuals"])
def test_a_resumed_reconstruction_is_the_whole_one(backend: Any, observe: Observer, shared_folder: Path, name: str) -> None:
    """To the bit, on the CPU. If this fails, suspect a state that lacks a part, or an order of patterns that begins anew."""
    whole, resumed = (make(backend, shared_folder) for make in (solving.positions, solving.resumed))
    ended(observe, resumed)

    observe.equal(name, resumed[name], whole[name])


@pytest.mark.clause("CLI-019~1")
@pytest.mark.parametrize("name", ["residuals", "object"])
def test_a_resumed_reconstruction_settles_as_a_whole_one(backend: Any, observe: Observer, shared_folder: Path, name: str) -> None:
    """Cut after some of its steps, with noise that it is to stop at. If this fails, suspect a patience that begins anew."""
    whole, resumed = (make(backend, shared_folder) for make in (solving.noisy_by_amplitudes, solving.settling_again))
    ended(observe, resumed)

    observe.equal(name, resumed[name], whole[name])


@pytest.mark.clause("CLI-064~1", needs=("CLI-019",))
def test_a_figure_that_cannot_be_made_costs_no_result(backend: Any, observe: Observer, shared_folder: Path) -> None:
    """Numbers and pictures are there, and why there are no halves. If this fails, suspect a solution that is kept last of all."""
    solving.understood(backend, "reconstruct", "--halves", shared_folder)
    found = solving.halved(backend, shared_folder)

    kept = [name for name in flags.REFINED if name not in archives.left(found.folder)]
    observe.equal("missing", kept, [])
    observe.equal("exit code", found.done.returncode in (0, 1), True)
    named = found.done.returncode == 0 or "halves" in found.done.stderr
    observe.holds("message", named, "a message that names --halves", found.done.stderr[-400:])


@pytest.mark.clause("CLI-019~1")
def test_the_state_of_another_scan_is_refused(backend: Any, observe: Observer, shared_folder: Path, tmp_path: Path) -> None:
    """Code 1, the file's name, older results as they were. If this fails, suspect a state that is taken as it comes."""
    name = solving.halfway(backend, shared_folder).name

    found = solving.resumed_elsewhere(backend, shared_folder, tmp_path)

    observe.equal("exit code", found.done.returncode, 1)
    observe.holds("message", name in found.done.stderr, f"a message that names {name}", found.done.stderr[-500:])
    observe.equal("traceback", "Traceback (most recent call last)" in found.done.output, False)
    results = [name for name in archives.left(found.folder) if name.endswith((".npz", ".png"))]
    observe.equal("left", results, [solving.NUMBERS])
    observe.equal("older", (found.folder / solving.NUMBERS).read_bytes(), b"older")


@pytest.mark.clause("CLI-086~1", needs=("CLI-019",))
@pytest.mark.parametrize("flag", [("--likelihood", "poisson"), ("--keep-probe",)], ids=["likelihood", "probe"])
def test_a_state_is_not_contradicted_in_silence(
    backend: Any, observe: Observer, shared_folder: Path, tmp_path: Path, flag: tuple[str, Any]
) -> None:
    """Code 1, the flag's name or the file's. If this fails, suspect a state that tells arrays alone."""
    name = solving.halfway(backend, shared_folder).name

    found = solving.contradicted(backend, shared_folder, tmp_path, *flag)

    observe.equal("exit code", found.done.returncode, 1)
    said = name in found.done.stderr or flag[0] in commands.hyphened(found.done.stderr)
    observe.holds("message", said, f"a message that names {name} or {flag[0]}", found.done.stderr[-500:])
    observe.equal("traceback", "Traceback (most recent call last)" in found.done.output, False)


@pytest.mark.clause("CLI-108~1", needs=("CLI-018", "CLI-029"))
def test_an_engine_is_told_several_things_at_once(backend: Any, observe: Observer, shared_folder: Path) -> None:
    """Modes, positions, likelihood, counts, unit and mask. If this fails, suspect a flag that another one takes away."""
    found = told_together.found(backend, shared_folder)
    ended(observe, found)

    observe.shape("probe", found["probe"], (told_together.MODES, engines.N, engines.N))
    observe.at_least("positions moved", told_together.moved(found), told_together.MOVED)
    observe.at_most("left", float(found["residuals"][-1]), told_together.LEFT)


@pytest.mark.clause("CLI-108~1", needs=("CLI-086",))
def test_a_state_is_of_the_likelihood_beside_other_flags(
    backend: Any, observe: Observer, shared_folder: Path, tmp_path: Path
) -> None:
    """Under the other one it is refused. If this fails, suspect a likelihood that refined positions take away."""
    done, name = told_together.contradicted(backend, shared_folder, tmp_path)

    observe.equal("exit code", done.returncode, 1)
    said = name in done.stderr or "--likelihood" in commands.hyphened(done.stderr)
    observe.holds("message", said, f"a message that names {name} or --likelihood", done.stderr[-500:])
