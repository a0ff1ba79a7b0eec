"""CLI-024, CLI-025, CLI-029, CLI-109: flags beyond those of CLI-001 and CLI-006, several in one call."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conformance.judging.observe import Observer
from conformance.scenes import conduct, flags, gaps, networks, pictured, runs, tuned
from conformance.scenes.images import apart

pytestmark = pytest.mark.slow


@pytest.mark.clause("CLI-024~3", needs=("CLI-005", "CLI-007"))
def test_an_inference_by_flags_is_its_library_call(backend: Any, observe: Observer, shared_folder: Path, tmp_path: Path) -> None:
    """Counts, mask, scale, window, seed and turns, all at once. If this fails, suspect a flag that is parsed and dropped."""
    found = flags.turned(backend, shared_folder)
    observe.holds("exit code", found.done.returncode == 0, "0", f"{found.done.returncode}: {found.done.stderr[-1500:]}")

    library = flags.by_the_library(backend, shared_folder, tmp_path)

    field = flags.field_of(found)
    observe.shape("object", field, library.field.shape)
    observe.close("object", apart(field, library.field), 0.0, dtype="float64")


@pytest.mark.clause("CLI-030~1", needs=("CLI-024",))
@pytest.mark.parametrize("name", ["origin", "offsets"])
def test_an_inference_tells_where_it_lies(
    backend: Any, observe: Observer, shared_folder: Path, tmp_path: Path, name: str
) -> None:
    """The canvas's corner, and each patch, [x, y]. If this fails, suspect [y, x], or positions that were not flipped."""
    found = flags.turned(backend, shared_folder)
    observe.holds("exit code", found.done.returncode == 0, "0", f"{found.done.returncode}: {found.done.stderr[-1500:]}")

    told, truth = flags.places(found, flags.by_the_library(backend, shared_folder, tmp_path))[name]

    observe.close(name, told, truth)


@pytest.mark.clause("CLI-030~1", needs=("CLI-103",))
@pytest.mark.parametrize("call", gaps.FLIPS)
def test_a_flip_negates_its_own_axis(backend: Any, observe: Observer, shared_folder: Path, call: str) -> None:
    """One flip alone, y or x. If this fails, suspect two flags that are exchanged, which both together hide."""
    observe.close("offsets", gaps.away_from_flipped(backend, shared_folder, call), 0.0, dtype="float64")


@pytest.mark.clause("CLI-025~1", needs=("CLI-005", "CLI-014"))
def test_every_further_flag_reaches_the_training(backend: Any, observe: Observer, shared_folder: Path, tmp_path: Path) -> None:
    """Losses and rates are the library's. If this fails, suspect a flag that is parsed and dropped."""
    flow = flags.understood_training(backend, shared_folder)
    observe.holds("exit code", flow.train.returncode == 0, "0", f"{flow.train.returncode}: {flow.train.stderr[-1500:]}")

    library = flow.by_the_library(tmp_path)

    names = backend.loss_names(backend.module(library.config))
    observe.close("rates", runs.rates(flow.as_run), runs.rates(library), dtype="float64")
    observe.close("training", runs.last_of(flow.as_run, names["train"]), runs.losses(library), dtype="float64")
    observe.close("validation", runs.last_of(flow.as_run, names["val"]), runs.losses(library, "val"), dtype="float64")
    _, parameters = backend.load(flow.output)
    expected = {name: value for name, value in flow.said.items() if name in parameters and name != "accelerator"}
    observe.equal("parameters", {name: parameters[name] for name in expected}, expected)


@pytest.mark.clause("CLI-001~2", "CLI-004~1", needs=("CLI-025",))
def test_one_ranked_checkpoint_is_kept_by_default(backend: Any, observe: Observer, shared_folder: Path) -> None:
    """Of three epochs the one of the greatest loss of validation, as is asked with nothing said of what ranks them.

    If this fails, suspect a help that tells another default, or a flag that waits for another one.
    """
    flow = flags.understood_training(backend, shared_folder)

    losses = runs.last_of(flow.as_run, backend.loss_names(backend.module(networks.settings(backend, {}, **flags.MAE)))["val"])
    observe.equal("ranked", len(flow.kept), 1, clause="CLI-001")
    observe.equal("epoch", flow.kept, [int(np.argmax(losses))], clause="CLI-004")


@pytest.mark.clause("CLI-029~3", needs=("CLI-017",))
def test_flags_undo_what_was_done_to_a_file(backend: Any, observe: Observer, shared_folder: Path) -> None:
    """Counts, another unit, hot pixels. If this fails, suspect a flag that is dropped, or a mask upside down."""
    found = flags.undone(backend, shared_folder)
    observe.holds("exit code", found.done.returncode == 0, "0", f"{found.done.returncode}: {found.done.stderr[-1500:]}")

    match = found.match(flags.ASIDE)
    observe.close("object", match.error, 0.0)
    observe.close("shift", np.array(match.shift), np.zeros(2))
    observe.close("positions", found["positions"], np.stack(flags.aside(), axis=-1), dtype="float64")


@pytest.mark.clause("CLI-029~3", needs=("CLI-017",))
@pytest.mark.parametrize("flag", ["seed", "batch"])
def test_another_order_of_steps_gives_another_object(backend: Any, observe: Observer, shared_folder: Path, flag: str) -> None:
    """Bit for bit. If this fails, suspect a flag that is parsed and dropped."""
    found, other = (flags.undone(backend, shared_folder, name) for name in ("", flag))
    observe.holds("exit code", other.done.returncode == 0, "0", f"{other.done.returncode}: {other.done.stderr[-1500:]}")

    same = np.array_equal(found["object"], other["object"])
    observe.holds("object", not same, "another one", "the same bits")


@pytest.mark.clause("CLI-109~1", needs=("CLI-005", "CLI-007"))
@pytest.mark.parametrize("command", ["train", "infer", "reconstruct", "evaluate"])
def test_a_relative_folder_is_where_one_stands(backend: Any, observe: Observer, shared_folder: Path, command: str) -> None:
    """Whatever folder the data lie in. If this fails, suspect a path that is joined to another one."""
    called = {
        "train": lambda: (conduct.continued(backend, shared_folder)[0], "continued"),
        "infer": lambda: (gaps.windowed(backend, shared_folder)["gaps"], "windowed-gaps"),
        "reconstruct": lambda: (tuned.cold(backend, shared_folder).done, "cold"),
        "evaluate": lambda: (pictured.evaluated(backend, shared_folder)[0], "evaluated"),
    }

    done, place = called[command]()
    observe.holds("exit code", done.returncode == 0, "0", f"{done.returncode}: {done.stderr[-1500:]}")

    observe.equal("the folder is there", (shared_folder / place / "out").is_dir(), True)
