"""CLI-022, CLI-023: what goes on from a bundle by command."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conformance.judging.observe import Observer
from conformance.scenes import commands, flags, solving, tuned

pytestmark = pytest.mark.slow


@pytest.mark.clause("CLI-022~3", needs=("CLI-005", "CLI-007"), evidence="differential")
def test_an_inference_is_refined_to_the_object(backend: Any, observe: Observer, shared_folder: Path) -> None:
    """The truth, where `origin` says, whatever the network made. If this fails, suspect offsets about another mean."""
    found = tuned.refined(backend, shared_folder)
    observe.holds("exit code", found.done.returncode == 0, "0", f"{found.done.returncode}: {found.done.stderr[-1500:]}")

    match = found.match()

    observe.close("object", match.error, 0.0)
    observe.equal("sweeps, or fewer", len(found["residuals"]) <= tuned.SWEEPS, True)
    names = ("reconstructed_amplitude.png", "reconstructed_phase.png")
    pictures = [commands.picture(folder / name)["format"] for folder in (found.folder, found.folder.parent) for name in names]
    observe.equal("pictures", pictures, ["png"] * 4)
    same = [(folder / names[0]).read_bytes() for folder in (found.folder, found.folder.parent)]
    observe.equal("the network's picture is the refined one", same[0] == same[1], False)


@pytest.mark.clause("CLI-022~3", needs=("CLI-005", "CLI-017"), evidence="symmetry")
def test_a_refinement_begins_with_the_networks_object(backend: Any, observe: Observer, shared_folder: Path) -> None:
    """Not what the engine makes of nothing. If this fails, suspect an object that is not handed over."""
    found, cold = tuned.refined(backend, shared_folder), tuned.cold(backend, shared_folder)
    observe.holds("exit code", found.done.returncode == 0, "0", f"{found.done.returncode}: {found.done.stderr[-1500:]}")

    observe.differs("first residual", found["residuals"][:1], cold["residuals"][:1], dtype="float64")


@pytest.mark.clause("CLI-022~3", needs=("CLI-005",), evidence="symmetry")
def test_a_refinement_begins_with_the_object_of_its_crop(backend: Any, observe: Observer, shared_folder: Path) -> None:
    """More of each patch, another beginning. If this fails, suspect a crop of the refinement's own."""
    found, wide = tuned.refined(backend, shared_folder), tuned.cropped(backend, shared_folder)
    observe.holds("exit code", wide.done.returncode == 0, "0", f"{wide.done.returncode}: {wide.done.stderr[-1500:]}")

    observe.differs("first residual", wide["residuals"][:1], found["residuals"][:1], dtype="float64")


@pytest.mark.clause("CLI-022~3", needs=("CLI-005",), evidence="differential")
def test_what_is_turned_for_the_stitching_is_not_refined(backend: Any, observe: Observer, shared_folder: Path) -> None:
    """Code 1, both flags. If this fails, suspect an engine that sees other positions than the stitching."""
    solving.understood(backend, "infer", "--flip-x", shared_folder)

    done = tuned.refined(backend, shared_folder, "--flip-x").done

    observe.equal("exit code", done.returncode, 1)
    silent = [flag for flag in ("--refine", "--flip-x") if flag not in commands.hyphened(done.stderr)]
    observe.equal("not named", silent, [])
    observe.equal("traceback", "Traceback (most recent call last)" in done.output, False)


@pytest.mark.clause("CLI-023~2", needs=("CLI-005",))
def test_a_training_begins_with_the_bundles_weights(backend: Any, observe: Observer, shared_folder: Path) -> None:
    """At a rate at which nothing moves they are left. If this fails, suspect weights drawn anew."""
    flow = flags.trained(backend, shared_folder)
    done, folder = tuned.begun(backend, shared_folder)
    observe.holds("exit code", done.returncode == 0, "0", f"{done.returncode}: {done.stderr[-1500:]}")

    before, after = (tuned.weights(backend, place) for place in (flow.output, folder))

    observe.equal("names", sorted(after), sorted(before))
    observe.equal("changed", [name for name in before if not np.array_equal(after[name], before[name])], [])


@pytest.mark.clause("CLI-023~2", needs=("CLI-005",))
def test_a_training_keeps_the_bundles_model(backend: Any, observe: Observer, shared_folder: Path) -> None:
    """All that the bundle says of it, though no flag does. If this fails, suspect a default that goes before the bundle."""
    done, folder = tuned.begun(backend, shared_folder)
    observe.holds("exit code", done.returncode == 0, "0", f"{done.returncode}: {done.stderr[-1500:]}")

    observe.equal("model", tuned.model_of(backend, folder), tuned.model_of(backend, flags.trained(backend, shared_folder).output))


@pytest.mark.clause("CLI-023~2", needs=("CLI-005",))
def test_another_grid_than_the_bundles_is_refused(backend: Any, observe: Observer, shared_folder: Path) -> None:
    """Code 1, the flag's name, no bundle. If this fails, suspect a flag that is overruled without a word."""
    done, folder = tuned.begun(backend, shared_folder, "--gridsize", 2)

    observe.equal("exit code", done.returncode, 1)
    observe.holds("message", "gridsize" in done.stderr, "a message that names --gridsize", done.stderr[-500:])
    observe.equal("traceback", "Traceback (most recent call last)" in done.output, False)
    observe.equal("bundle", sorted(path.name for path in folder.rglob("wts.h5.zip")), [])
