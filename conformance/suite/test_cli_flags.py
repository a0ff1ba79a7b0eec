"""CLI: every flag of `train` in one call, held against the library; values of flags that are kept and heard."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from conformance.judging.observe import Observer
from conformance.oracles import pictures
from conformance.scenes import commands, inputs, runs, tuned


@pytest.mark.slow
@pytest.mark.clause("CLI-014~2", needs=("CLI-005", "TRAIN-011"))
def test_every_flag_reaches_the_training(backend: Any, observe: Observer, shared_folder: Path, tmp_path: Path) -> None:
    """Losses, rates, epochs and checkpoints are the library's. If this fails, suspect a flag that is parsed and dropped."""
    flow = commands.stated(backend, shared_folder)
    observe.holds("exit code", flow.train.returncode == 0, "0", f"{flow.train.returncode}: {flow.train.stderr[-1500:]}")

    library = flow.by_the_library(tmp_path)

    command = flow.as_run
    names = backend.loss_names(backend.module(library.config))
    observe.equal("epochs", len(runs.rates(command)), len(runs.losses(library)))
    observe.close("rates", runs.rates(command), runs.rates(library), dtype="float64")
    observe.close("training", runs.last_of(command, names["train"]), runs.losses(library), dtype="float64")
    observe.close("validation", runs.last_of(command, names["val"]), runs.losses(library, "val"), dtype="float64")
    observe.equal("ranked", sorted(runs.ranked(command).values()), sorted(runs.ranked(library).values()))


@pytest.mark.slow
@pytest.mark.clause("CLI-008~1", needs=("CLI-005",))
@pytest.mark.parametrize("call", ["validated", "begun", "refined"])
def test_further_calls_report_no_progress(backend: Any, observe: Observer, shared_folder: Path, call: str) -> None:
    """A training with validation, one that begins with weights, an inference that is refined: `--quiet` holds for all of them.

    If this fails, suspect a part of the work that has a way of its own to say how far it is.
    """
    calls = {
        "validated": lambda: commands.stated(backend, shared_folder).train,
        "begun": lambda: tuned.begun(backend, shared_folder)[0],
        "refined": lambda: tuned.refined(backend, shared_folder).done,
    }

    done = calls[call]()
    observe.holds("exit code", done.returncode == 0, "0", f"{done.returncode}: {done.stderr[-1500:]}")

    observe.equal("said", commands.progress(done.stdout), [])


@pytest.mark.clause("CLI-002~2")
@pytest.mark.parametrize(
    ("sign", "which", "more"),
    [("=", "--train_data_file", ()), (" ", "--train_data_file data.npz --test_data_file", ("--batch_size", "12"))],
    ids=["equals", "apart"],
)
def test_a_value_is_kept_as_it_was_typed(
    backend: Any, observe: Observer, tmp_path: Path, sign: str, which: str, more: tuple[str, ...]
) -> None:
    """A path with underscores behind a flag with underscores: of the training file, or of the validation file beside a setting
    that cannot be. If this fails, suspect a spelling that is made even everywhere, or one of two files that is not looked for.
    """
    inputs.data_file(tmp_path, "data.npz")
    flags = f"{which}{sign}no_such_file-here.npz --output_dir{sign}an_output-folder".split()

    done = commands.call([*backend.command("train"), *flags, *more], tmp_path)

    observe.equal("exit code", done.returncode, 1)
    observe.holds("message", "no_such_file-here.npz" in done.output, "the path as it was typed", done.output[-500:])


@pytest.mark.slow
@pytest.mark.clause("CLI-006~2", needs=("CLI-007",))
def test_infer_places_as_many_groups_as_it_is_told(backend: Any, observe: Observer, shared_folder: Path, tmp_path: Path) -> None:
    """Three of them give another picture than 24. If this fails, suspect a number that every call has alike."""
    flow = commands.brief(backend, shared_folder)
    plain, few = flow.pictures, commands.stitched(flow, tmp_path, "n_images", 3)
    observe.holds("exit code", few.done.returncode == 0, "0", f"{few.done.returncode}: {few.done.stderr[-1500:]}")

    seen = [pictures.pixels(folder / "reconstructed_amplitude.png") for folder in (plain, few.folder)]

    same = seen[0].shape == seen[1].shape and bool((seen[0] == seen[1]).all())
    observe.holds("pictures", not same, "another amplitude", "the same picture")
