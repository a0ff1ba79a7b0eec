"""The two commands: flags, usage errors, what they leave behind, and the chain of both."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from conformance.connectors.connect import Proxy
from conformance.judging.observe import Observer
from conformance.scenes import commands, inputs, pairs_of_settings, runs

TRAIN_FLAGS: dict[str, Any] = {
    **dict.fromkeys(["--train-data-file", "--output-dir", "--test-data-file", "--device", "--disable-mlflow", "--quiet"]),
    **dict.fromkeys(["--deterministic", "--no-deterministic", "--enable-checkpointing", "--disable-checkpointing"]),
    **{"--n-images": None, "--max-epochs": 100, "--gridsize": 2, "--batch-size": 16, "--accelerator": "auto", "--num-workers": 0},
    **{"--learning-rate": 1e-3, "--scheduler": "Default", "--accumulate-grad-batches": 1, "--logger": "csv"},
    **{
        "--checkpoint-save-top-k": 1,
        "--checkpoint-monitor": "val_loss",
        "--checkpoint-mode": "min",
        "--early-stop-patience": 100,
    },
}
INFER_FLAGS: dict[str, Any] = {
    **dict.fromkeys(["--model-path", "--test-data", "--output-dir", "--inference-batch-size", "--quiet", "--device"]),
    **{"--n-images": None, "--accelerator": "auto", "--num-workers": 0},
}
"""Flag, with hyphens → the default that its help must state; None where it has none of the contract's."""


def documents(observe: Observer, done: Any, flags: dict[str, Any]) -> None:
    """A help that lists `flags`, and states their defaults."""
    found = commands.documented(done.stdout)
    observe.equal("exit code", done.returncode, 0)
    observe.equal("missing flags", sorted(set(flags) - set(found)), [])
    observe.equal("defaults not stated", commands.silent_about(found, flags), [])


@pytest.mark.clause("CLI-001~2")
def test_train_documents_its_flags_and_their_defaults(backend: Proxy, observe: Observer, tmp_path: Path) -> None:
    """The help of `train` lists every flag of the contract, with its default.

    If this fails, suspect a flag left out of the parser, or a default that moved.
    """
    documents(observe, commands.call([*backend.command("train"), "--help"], tmp_path), TRAIN_FLAGS)


@pytest.mark.clause("CLI-006~2")
def test_infer_documents_its_flags_and_their_defaults(backend: Proxy, observe: Observer, tmp_path: Path) -> None:
    """The help of `infer` lists every flag of the contract, with its default.

    If this fails, suspect a flag left out of the parser, or a default that moved.
    """
    documents(observe, commands.call([*backend.command("infer"), "--help"], tmp_path), INFER_FLAGS)


@pytest.mark.slow
@pytest.mark.clause("CLI-002~2")
@pytest.mark.parametrize(
    ("flags", "fragments"),
    [
        ([], ["--train-data-file", "--output-dir", "--max-epochs"]),
        (["--output_dir", "out"], ["--train-data-file"]),
        (["--train_data_file", "data.npz"], ["--output-dir"]),
        (["--train_data_file", "data.npz", "--output_dir", "out", "--ptycho_dir", "old"], ["--ptycho-dir"]),
        (["--train_data_file", "data.npz", "--output_dir", "out", "--config", "old.json"], ["--config"]),
    ],
    ids=["no-flags", "no-data", "no-output", "older-folder", "older-config"],
)
def test_usage_errors_of_train_end_with_code_1_and_a_message(
    backend: Proxy, observe: Observer, tmp_path: Path, flags: list[str], fragments: list[str]
) -> None:
    """Whatever is wrong with a call, the code is 1 and the message names it.

    If this fails, suspect the parser's own exit code 2, or a trace instead of a message.
    """
    inputs.data_file(tmp_path, "data.npz")

    done = commands.call([*backend.command("train"), *flags], tmp_path)

    observe.equal("exit code", done.returncode, 1)
    observe.equal("not named", [fragment for fragment in fragments if fragment not in commands.hyphened(done.output)], [])
    observe.equal("traceback", "Traceback (most recent call last)" in done.output, False)
    observe.equal("bundle", sorted(path.name for path in tmp_path.rglob("wts.h5.zip")), [])


@pytest.mark.slow
@pytest.mark.clause("CLI-003~1")
def test_the_deprecated_device_is_reported_exactly_where_it_is_given(
    backend: Proxy, observe: Observer, shared_folder: Path
) -> None:
    """The training was called without it and says nothing of it, the inference with it and warns.

    If this fails, suspect a default of the parser.
    """
    flow = commands.brief(backend, shared_folder)

    observe.equal("mentioned without the flag", "--device" in flow.train.output, False)
    observe.equal("warned with the flag", "--device is deprecated" in flow.infer.output, True)


@pytest.mark.slow
@pytest.mark.clause("CLI-004~1", needs=("CLI-005",))
def test_flags_reach_the_bundle(backend: Proxy, observe: Observer, shared_folder: Path) -> None:
    """Bundle and metrics have the values of the call, and single patches have no common canvas.

    If this fails, suspect a flag that is parsed and not passed on, or an execution configuration that is made and not used.
    """
    flow = commands.brief(backend, shared_folder)
    expected = {"gridsize": 1, "object.big": False, "batch_size": 4, "nepochs": 2, "n_groups": flow.groups, "N": 64}

    _, parameters = backend.load(flow.output)

    observe.equal("parameters", {key: parameters.get(key) for key in expected}, expected)
    observe.equal("learning rates", np.float32(flow.rates), np.float32([commands.TRAINING["--learning-rate"]] * 2))
    observe.equal("epochs of the ranked checkpoints", flow.kept, [0, 1])


@pytest.mark.axes("command:g", "command:N")
@pytest.mark.slow
@pytest.mark.clause("CLI-004~1", "CLI-001~2", needs=("CLI-005",))
def test_groups_of_patches_have_a_common_canvas(backend: Proxy, observe: Observer, shared_folder: Path) -> None:
    """With a grid size of 2 the training command switches `object_big` on.

    If this fails, suspect a constant where the grid size should be looked at.
    """
    done, folder = pairs_of_settings.called(backend, shared_folder, "groups")

    observe.equal("exit code", done.returncode, 0, clause="CLI-004")
    _, parameters = backend.load(folder)
    expected = {"object.big": True, "gridsize": 2, "N": 128, "n_groups": 2, "nepochs": 1}
    observe.equal("parameters", {name: parameters.get(name) for name in expected}, expected, clause="CLI-004")
    observe.equal("batch size by default", parameters.get("batch_size"), TRAIN_FLAGS["--batch-size"], clause="CLI-001")


@pytest.mark.axes("command:M", "command:g")
@pytest.mark.slow
@pytest.mark.clause("CLI-011~1", "CLI-004~1", needs=("CLI-005",))
def test_a_small_scan_needs_no_number_of_groups(backend: Proxy, observe: Observer, shared_folder: Path) -> None:
    """Eight exposures are trained on as eight groups of four, without a flag that says so; and without a checkpoint, as one says.

    If this fails, suspect a constant as the default of the number of groups, or a switch that is parsed and dropped.
    """
    done, folder = pairs_of_settings.called(backend, shared_folder, "small")

    observe.holds("exit code", done.returncode == 0, "0", f"{done.returncode}: {done.stderr[-1500:]}", clause="CLI-011")
    _, parameters = backend.load(folder)
    observe.equal("groups", parameters.get("n_groups"), 8, clause="CLI-011")
    observe.equal("checkpoints", sorted(path.name for path in folder.rglob("*.ckpt")), [], clause="CLI-004")


@pytest.mark.slow
@pytest.mark.clause("CLI-011~1", "CLI-001~2", needs=("CLI-005", "DATA-013"))
def test_a_scan_with_dropped_frames_needs_no_number_of_groups(backend: Proxy, observe: Observer, shared_folder: Path) -> None:
    """As many groups as patterns have a position. If this fails, suspect a header that counts those that have none."""
    done, folder = pairs_of_settings.called(backend, shared_folder, "dropped")

    observe.holds("exit code", done.returncode == 0, "0", f"{done.returncode}: {done.stderr[-1500:]}", clause="CLI-011")
    _, parameters = backend.load(folder)
    observe.equal("groups", parameters.get("n_groups"), 7, clause="CLI-011")
    rates = np.float32(runs.rates(SimpleNamespace(folder=folder)))
    observe.equal("learning rate by default", rates, np.float32([TRAIN_FLAGS["--learning-rate"]]), clause="CLI-001")
    observe.equal("grid size by default", parameters.get("gridsize"), TRAIN_FLAGS["--gridsize"], clause="CLI-001")


@pytest.mark.slow
@pytest.mark.axes(
    "command:dtype", "command:scalars", "command:memory", "command:byteorder", "command:brightness", "command:workers",
    "command:legacy",
)  # fmt: skip
@pytest.mark.clause("CLI-012~3", needs=("CLI-005",), evidence="differential")
def test_neither_form_nor_workers_change_what_is_trained(backend: Proxy, observe: Observer, shared_folder: Path) -> None:
    """The same experiment in another layout, type, byte order and unit, loaded by two processes, has the same losses.

    If this fails, suspect a command with a reader of its own, or an order of batches that hangs on who loads them.
    """
    plain, other = commands.brief(backend, shared_folder), commands.otherwise(backend, shared_folder)

    observe.holds("exit code", other.train.returncode == 0, "0", f"{other.train.returncode}: {other.train.stderr[-1500:]}")
    observe.close("losses", np.asarray(other.losses), np.asarray(plain.losses), dtype="float32")


@pytest.mark.slow
@pytest.mark.clause("CLI-005~1")
def test_train_leaves_checkpoint_bundle_and_metrics(backend: Proxy, observe: Observer, shared_folder: Path) -> None:
    """The three things that a training is for are in its output folder.

    If this fails, suspect a command on a path of its own that writes checkpoints and no bundle, or a logger that hangs on a bar.
    """
    flow = commands.brief(backend, shared_folder)

    observe.holds("exit code", flow.train.returncode == 0, "0", f"{flow.train.returncode}: {flow.train.stderr[-1500:]}")
    observe.equal("checkpoint", (flow.output / "checkpoints" / "last.ckpt").is_file(), True)
    observe.equal("bundle", (flow.output / "wts.h5.zip").is_file(), True)
    observe.at_least("metrics", len(sorted(flow.output.glob("lightning_logs/version_*/metrics.csv"))), 1)


@pytest.mark.slow
@pytest.mark.clause("CLI-006~2", needs=("CLI-005",))
def test_infer_takes_its_flags_in_any_order(backend: Proxy, observe: Observer, shared_folder: Path) -> None:
    """With the model named last, behind a switch and a deprecated flag, inference succeeds.

    If this fails, suspect a dispatch on the first argument.
    """
    flow = commands.brief(backend, shared_folder)

    observe.holds("exit code", flow.infer.returncode == 0, "0", f"{flow.infer.returncode}: {flow.infer.stderr[-1500:]}")


@pytest.mark.slow
@pytest.mark.clause("CLI-006~2")
@pytest.mark.parametrize(
    ("flags", "fragment"),
    [
        (["--test_data", "data.npz", "--output_dir", "out"], "--model-path"),
        (["--model_path", "absent_model", "--output_dir", "out"], "--test-data"),
        (["--model_path", "absent_model", "--test_data", "data.npz", "--output_dir", "out"], "absent-model"),
    ],
    ids=["no-model", "no-data", "absent-model"],
)
def test_infer_ends_with_code_1_and_a_message_otherwise(
    backend: Proxy, observe: Observer, tmp_path: Path, flags: list[str], fragment: str
) -> None:
    """Whatever is wrong with a call, the code is 1 and the message names it.

    If this fails, suspect an error that is printed and not returned.
    """
    inputs.data_file(tmp_path, "data.npz")

    done = commands.call([*backend.command("infer"), *flags, "--accelerator", "cpu"], tmp_path)

    observe.equal("exit code", done.returncode, 1)
    observe.holds("message", fragment in commands.hyphened(done.output), f"a message that names {fragment}", done.output[-500:])
    observe.equal("traceback", "Traceback (most recent call last)" in done.output, False)


@pytest.mark.slow
@pytest.mark.clause("CLI-007~1", needs=("CLI-005",))
@pytest.mark.parametrize("name", ["reconstructed_amplitude.png", "reconstructed_phase.png"])
def test_infer_leaves_pictures(backend: Proxy, observe: Observer, shared_folder: Path, name: str) -> None:
    """Amplitude and phase are there as PNG files with something in them.

    If this fails, suspect a figure saved before anything was drawn into it; without a file, whatever made `infer` end early.
    """
    flow = commands.brief(backend, shared_folder)

    found = commands.picture(flow.pictures / name)
    observe.equal("format", found["format"], "png")
    observe.at_least("bytes", found["bytes"], 1001)


@pytest.mark.slow
@pytest.mark.clause("CLI-008~1")
def test_quiet_commands_report_no_progress(backend: Proxy, observe: Observer, shared_folder: Path) -> None:
    """Both commands ran with `--quiet`: their standard output holds no bars and no lines per epoch.

    If this fails, suspect a progress bar that is on by default, or a summary table of the trainer.
    """
    flow = commands.brief(backend, shared_folder)

    observe.equal("train", commands.progress(flow.train.stdout), [])
    observe.equal("infer", commands.progress(flow.infer.stdout), [])


@pytest.mark.slow
@pytest.mark.clause("CLI-009~1", "CLI-002~2")
def test_a_missing_file_is_found_before_an_impossible_setting(backend: Proxy, observe: Observer, tmp_path: Path) -> None:
    """A data file that does not exist is named, with code 1, even beside another mistake.

    If this fails, suspect a command that looks at its settings first.
    """
    flags = {"--train_data_file": "absent.npz", "--output_dir": "out", "--batch_size": 12, "--accelerator": "cpu"}

    done = commands.call([*backend.command("train"), *commands.listed(flags)], tmp_path)

    named = "absent.npz" in done.output
    observe.equal("exit code", done.returncode, 1, clause="CLI-002")
    observe.equal("traceback", "Traceback (most recent call last)" in done.output, False, clause="CLI-002")
    observe.holds("message", named, "a message that names absent.npz", done.output[-500:], clause="CLI-009")
