"""CLI-041 … CLI-046: files that need words, training that goes on, what is found and said, left and heard."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conformance.judging.observe import Observer
from conformance.scenes import archives, commands, compared, conduct, flags, gaps, networks, runs, solving, tuned

ARRAYS = (".npz", ".npy")

pytestmark = pytest.mark.slow


@pytest.mark.clause("CLI-041~3", needs=("CLI-005", "CLI-014"))
def test_a_training_reads_its_files_as_it_is_told(backend: Any, observe: Observer, shared_folder: Path, tmp_path: Path) -> None:
    """Counts, mask and scale, of validation as of training. If this fails, suspect a file that is read without the flags."""
    flow = conduct.odd(backend, shared_folder)
    observe.holds("exit code", flow.train.returncode == 0, "0", f"{flow.train.returncode}: {flow.train.stderr[-1500:]}")

    library = flow.by_the_library(tmp_path)

    names = backend.loss_names(backend.module(library.config))
    observe.close("rates", runs.rates(flow.as_run), runs.rates(library), dtype="float64")
    observe.close("training", runs.last_of(flow.as_run, names["train"]), runs.losses(library), dtype="float64")
    observe.close("validation", runs.last_of(flow.as_run, names["val"]), runs.losses(library, "val"), dtype="float64")


@pytest.mark.clause("CLI-061~4", needs=("CLI-041",))
@pytest.mark.parametrize("kind", ["train", "val"])
def test_a_training_on_a_map_is_that_of_its_file(backend: Any, observe: Observer, shared_folder: Path, kind: str) -> None:
    """The same losses under the same flags. If this fails, suspect a flag that files in memory know alone."""
    plain, mapped = (conduct.odd(backend, shared_folder, way) for way in (False, True))
    observe.holds("exit code", mapped.train.returncode == 0, "0", f"{mapped.train.returncode}: {mapped.train.stderr[-1500:]}")

    one = networks.settings(backend, {"gridsize": 1}, torch_loss_mode=conduct.SAID["torch_loss_mode"])
    name = backend.loss_names(backend.module(one))[kind]

    observe.close("losses", runs.last_of(mapped.as_run, name), runs.last_of(plain.as_run, name), dtype="float64")


@pytest.mark.clause("CLI-061~4", needs=("CLI-043",))
@pytest.mark.parametrize("file", ["test.npz", conduct.BAD], ids=["validation", "left-out"])
def test_what_a_map_does_not_hold_is_said(backend: Any, observe: Observer, shared_folder: Path, file: str) -> None:
    """Of the validation file, and of one left out. If this fails, suspect that only what is mapped is looked at."""
    done = conduct.odd(backend, shared_folder, mapped=True).train
    observe.holds("exit code", done.returncode == 0, "0", f"{done.returncode}: {done.stderr[-1500:]}")

    told = [line for line in done.stderr.splitlines() if file in line]

    observe.holds("warning", bool(told), f"a line with {file}", done.stderr[-600:])


@pytest.mark.clause("CLI-042~1", needs=("CLI-005", "TRAIN-065"))
def test_a_training_goes_on_by_command(backend: Any, observe: Observer, shared_folder: Path) -> None:
    """One epoch more, at the rate that is stated. If this fails, suspect a training that begins anew, or an override dropped."""
    done, rates = conduct.continued(backend, shared_folder)

    observe.holds("exit code", done.returncode == 0, "0", f"{done.returncode}: {done.stderr[-1500:]}")
    observe.close("rates", rates, [conduct.LATER], dtype="float64")


@pytest.mark.clause("CLI-003~1", needs=("CLI-042",))
def test_a_training_is_told_of_the_deprecated_device(backend: Any, observe: Observer, shared_folder: Path) -> None:
    """As an inference is. If this fails, suspect a warning that is hidden, or one that a single command gives."""
    done, _ = conduct.continued(backend, shared_folder)

    observe.equal("warned with the flag", "--device is deprecated" in done.output, True)


@pytest.mark.clause("CLI-043~3", needs=("DATA-030",))
def test_what_is_found_is_said_of_both_files(backend: Any, observe: Observer, shared_folder: Path) -> None:
    """A repeated pattern to validate on. If this fails, suspect warnings that are hidden, or a file that nobody looked at."""
    done = conduct.odd(backend, shared_folder).train
    observe.holds("exit code", done.returncode == 0, "0", f"{done.returncode}: {done.stderr[-1500:]}")

    told = [line for line in done.stderr.splitlines() if "test.npz" in line and "repeated-patterns" in line]

    observe.holds("warning", bool(told), "a line with test.npz and repeated-patterns", done.stderr[-600:])


@pytest.mark.clause("CLI-043~3", needs=("DATA-030",))
def test_an_implausible_file_does_not_pass_inspection(backend: Any, observe: Observer, shared_folder: Path) -> None:
    """Code 1, and every finding by name. If this fails, suspect findings that are printed and not acted on."""
    done, _ = conduct.inspected(backend, shared_folder, answered=False)

    observe.equal("exit code", done.returncode, 1)
    found = [name for name in ("whole-numbers", "positions-unit", "zero-frequency") if name not in done.stderr]
    observe.equal("not named", found, [])


@pytest.mark.clause("CLI-043~3", needs=("DATA-030",))
@pytest.mark.parametrize("command", ["train", "infer", "reconstruct", "validation"])
def test_nothing_is_made_of_an_implausible_file(backend: Any, observe: Observer, shared_folder: Path, command: str) -> None:
    """Code 1, every finding by name, no file. If this fails, suspect findings that are printed and not acted on."""
    done, left = conduct.refused(backend, shared_folder, command)

    observe.equal("exit code", done.returncode, 1)
    found = [name for name in ("whole-numbers", "positions-unit", "zero-frequency") if name not in done.stderr]
    observe.equal("not named", found, [])
    observe.equal("left", left, [])


@pytest.mark.clause("CLI-043~3", needs=("DATA-030",))
def test_flags_answer_what_an_inspection_finds(backend: Any, observe: Observer, shared_folder: Path) -> None:
    """Code 0, a picture and nothing else, not a word. If this fails, suspect a flag that is dropped."""
    done, new = conduct.inspected(backend, shared_folder, answered=True)

    observe.holds("exit code", done.returncode == 0, "0", f"{done.returncode}: {done.stderr[-1500:]}")
    observe.equal("files", new, ["picture.png"])
    observe.equal("quiet", done.stdout, "")


@pytest.mark.clause("CLI-043~3", needs=("DATA-030",))
def test_an_inspection_looks_at_the_steps_as_it_is_told(backend: Any, observe: Observer, shared_folder: Path) -> None:
    """A crop that leaves gaps is warned of. If this fails, suspect a crop of the command's own."""
    solving.understood(backend, "inspect", "--stitch-crop-size", shared_folder)
    bare, told = (conduct.inspected(backend, shared_folder, answered)[0] for answered in (False, True))

    observe.equal("of the usual crop", any("steps" in line for line in bare.stderr.splitlines()), False)
    observe.holds("warning", "steps" in told.stderr, "a line with steps", told.stderr[-600:])


@pytest.mark.clause("CLI-103~1", needs=("DATA-030", "CLI-010"))
def test_an_inference_looks_at_the_steps_as_it_places(backend: Any, observe: Observer, shared_folder: Path) -> None:
    """Of gaps, and of no gaps. If this fails, suspect a crop of the judgement's own."""
    found = gaps.windowed(backend, shared_folder)

    said = {name: [line for line in done.stderr.splitlines() if "steps" in line] for name, done in found.items()}
    observe.equal("exit codes", [done.returncode for done in found.values()], [0, 0])
    named = any("data.npz" in line for line in said["gaps"])
    observe.holds("warning", named, "a line with the file", found["gaps"].stderr[-600:])
    observe.equal("of no gaps", said["none"], [])


@pytest.mark.clause("CLI-044~2", needs=("CLI-022", "CLI-024"))
def test_an_older_refinement_does_not_stay(backend: Any, observe: Observer, shared_folder: Path) -> None:
    """Beside a new inference. If this fails, suspect a folder that is only ever added to."""
    found = flags.turned(backend, shared_folder)
    observe.holds("exit code", found.done.returncode == 0, "0", f"{found.done.returncode}: {found.done.stderr[-1500:]}")

    refined = [name for name in archives.left(found.folder) if name.startswith("refined")]
    observe.equal("older files", [name for name in refined if name not in flags.THEIRS], [])


@pytest.mark.clause("CLI-044~2", needs=("CLI-019", "CLI-029"))
def test_a_reconstruction_leaves_nothing_of_an_older_one(backend: Any, observe: Observer, shared_folder: Path) -> None:
    """A used folder has what a new one has, and what is somebody else's. If this fails, suspect a state left behind."""
    new, used = (flags.undone(backend, shared_folder, name) for name in ("", flags.USED))
    observe.holds("exit code", used.done.returncode == 0, "0", f"{used.done.returncode}: {used.done.stderr[-1500:]}")

    observe.equal("files", archives.left(used.folder), sorted([*archives.left(new.folder), flags.NOTES]))


@pytest.mark.clause("CLI-044~2", needs=("CLI-023",))
def test_a_training_leaves_no_ranked_checkpoint_of_an_older_one(backend: Any, observe: Observer, shared_folder: Path) -> None:
    """Whose epochs and losses would stand beside its own. If this fails, suspect a folder that is only ever added to."""
    done, folder = tuned.begun(backend, shared_folder)
    observe.holds("exit code", done.returncode == 0, "0", f"{done.returncode}: {done.stderr[-1500:]}")

    observe.equal("older checkpoints", tuned.older(backend, shared_folder, folder), [])


@pytest.mark.clause("CLI-045~4", needs=("CLI-024",))
def test_a_file_of_somebody_else_stays(backend: Any, observe: Observer, shared_folder: Path) -> None:
    """In the folder that results are written to. If this fails, suspect a folder that takes the place of another."""
    found = flags.turned(backend, shared_folder)
    observe.holds("exit code", found.done.returncode == 0, "0", f"{found.done.returncode}: {found.done.stderr[-1500:]}")

    observe.equal("somebody else's", [name for name in archives.left(found.folder) if name in flags.THEIRS], list(flags.THEIRS))


@pytest.mark.clause("CLI-045~4", needs=("CLI-023",))
def test_a_file_of_somebody_else_stays_beside_a_training(backend: Any, observe: Observer, shared_folder: Path) -> None:
    """Though an older training's goes. If this fails, suspect a folder that is emptied before a training begins."""
    done, folder = tuned.begun(backend, shared_folder)
    observe.holds("exit code", done.returncode == 0, "0", f"{done.returncode}: {done.stderr[-1500:]}")

    observe.equal("somebody else's", [name for name in archives.left(folder) if name in tuned.THEIRS], list(tuned.THEIRS))


@pytest.mark.clause("CLI-045~4", needs=("CLI-028",))
def test_nobody_has_to_listen_to_a_simulation(backend: Any, observe: Observer, shared_folder: Path) -> None:
    """A closed pipe; a full disk, which costs no file. If this fails, suspect a line whose failure is the command's."""
    found = conduct.unheard(backend, shared_folder)

    observe.equal("nobody listens", found["codes"][1], 0)
    observe.equal("made beside a full disk", found["made"], ["train_1.npz", "train_2.npz"])


@pytest.mark.clause("CLI-045~4", needs=("CLI-103",))
def test_nobody_has_to_listen_to_an_inference(backend: Any, observe: Observer, shared_folder: Path) -> None:
    """A closed pipe costs nothing. If this fails, suspect lines that go past what forgives a stream."""
    done = gaps.windowed(backend, shared_folder)["none"]

    observe.holds("exit code", done.returncode == 0, "0", f"{done.returncode}: {done.stderr[-1500:]}")


@pytest.mark.clause("CLI-045~4", needs=("CLI-028",))
def test_what_is_lost_of_the_output_is_told(backend: Any, observe: Observer, shared_folder: Path) -> None:
    """A full disk is no success. If this fails, suspect a stream that is silenced for good and all."""
    found = conduct.unheard(backend, shared_folder)
    conduct.lossy(found)

    observe.equal("success", found["codes"][0] == 0, False)
    observe.holds("said", bool(found["full"].strip()), "a line on standard error", "nothing")


@pytest.mark.clause("CLI-044~2", needs=("CLI-028",))
def test_a_smaller_simulation_leaves_no_larger_one(backend: Any, observe: Observer, shared_folder: Path) -> None:
    """One set is left. If this fails, suspect files that are added to."""
    found = conduct.unheard(backend, shared_folder)
    left = found["left"]

    observe.equal("scans to train on", [name for name in left if name.startswith("train")], ["train.npz"])
    observe.equal("arrays of the older one", [name for name in left if name.endswith(ARRAYS) and name not in found["new"]], [])


@pytest.mark.clause("CLI-045~4", needs=("CLI-005", "CLI-007"))
@pytest.mark.parametrize("command", ["train", "infer", "refined"])
def test_what_is_left_can_be_read_by_others(
    backend: Any, observe: Observer, shared_folder: Path, tmp_path: Path, command: str
) -> None:
    """Rights as of any new file. If this fails, suspect a temporary file that became the result."""
    flow = commands.brief(backend, shared_folder)
    refined = lambda: tuned.refined(backend, shared_folder).folder  # noqa: E731
    folder = {"train": lambda: flow.output, "infer": lambda: flow.pictures, "refined": refined}[command]()

    observe.equal("other rights", conduct.closed_to_others(folder, tmp_path), [])


@pytest.mark.clause("CLI-046~3", needs=("CLI-024", "INFER-054", "INFER-056"))
def test_an_inference_tells_its_figures(backend: Any, observe: Observer, shared_folder: Path, tmp_path: Path) -> None:
    """Residuals by their names. If this fails, suspect two figures exchanged."""
    told, library = flags.figures(backend, shared_folder, tmp_path)

    observe.close("residuals", list(told.values()), list(library.values()), dtype="float64")


@pytest.mark.clause("CLI-046~3", needs=("CLI-021",), evidence="symmetry")
def test_objects_of_files_are_compared_at_their_places(backend: Any, observe: Observer, shared_folder: Path) -> None:
    """No shift beyond the origins, no error where both are covered. If this fails, suspect [y, x], or whole pixels."""
    done, rows = conduct.placed(backend, shared_folder)
    observe.holds("exit code", done.returncode == 0, "0", f"{done.returncode}: {done.stderr[-1500:]}")

    observe.equal("lines", len(rows), 2)
    piece, holed = (compared.figures(row, "shift_x_px", "shift_y_px", "error") for row in rows)

    observe.close("shifts and errors", np.array([*piece[:2], *holed]), np.zeros(5), dtype="float64")
    observe.close("between pixels", piece[2], 0.0, dtype="float64")
