"""From the flags of a command to an execution configuration: accelerator, settings, paths."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from conformance.connectors.connect import Proxy
from conformance.judging.observe import Observer
from conformance.scenes import configs, inputs, reactions

FLAGS: dict[str, Any] = {
    "accelerator": "cpu",
    "device": None,
    "deterministic": False,
    "num_workers": 2,
    "learning_rate": 5e-4,
    "scheduler": "Exponential",
    "accumulate_grad_batches": 3,
    "enable_checkpointing": False,
    "checkpoint_save_top_k": 2,
    "checkpoint_monitor": "train_loss",
    "checkpoint_mode": "max",
    "early_stop_patience": 7,
    "logger": "tensorboard",
    "quiet": False,
    "disable_mlflow": False,
}


@pytest.mark.clause("EXEC-010~1")
@pytest.mark.parametrize(
    ("device", "expected"), [("cpu", "cpu"), ("cuda", "gpu"), ("cuda:1", "gpu")], ids=["cpu", "cuda", "index"]
)
def test_a_device_alone_is_deprecated_and_obeyed(backend: Proxy, observe: Observer, device: str, expected: str) -> None:
    """The old flag is reported and translated.

    If this fails, suspect a flag that is warned of and then dropped.
    """
    with observe.warns("deprecation", DeprecationWarning, "--device is deprecated"):
        found = backend.resolve_accelerator("auto", device)

    observe.equal("accelerator", found, expected)


@pytest.mark.clause("EXEC-010~1")
def test_beside_an_accelerator_a_device_is_ignored_aloud(backend: Proxy, observe: Observer) -> None:
    """With both flags the newer one counts, and the older one is said to be ignored.

    If this fails, suspect the older flag applied last.
    """
    with observe.warns("ignored", Warning, "Ignoring --device value"):
        found = backend.resolve_accelerator("cpu", "cuda")

    observe.equal("accelerator", found, "cpu")
    with observe.warns("ignored where they agree", Warning, "Ignoring --device value"):
        found = backend.resolve_accelerator("cpu", "cpu")
    observe.equal("accelerator where they agree", found, "cpu")


@pytest.mark.clause("EXEC-010~1")
def test_without_both_flags_the_accelerator_is_detected(backend: Proxy, observe: Observer) -> None:
    """Detection warns exactly where it ends on the CPU.

    If this fails, suspect a default for the device.
    """
    found, said = reactions.quietly(lambda: backend.resolve_accelerator())

    warned = any(text.startswith("UserWarning") and "POLICY-001" in text for text in said)
    observe.holds("resolved", found in ("cpu", "cuda"), "cpu or cuda", repr(found))
    observe.equal("warned", warned, found == "cpu")
    observe.equal("deprecations", [text for text in said if "--device" in text], [])


@pytest.mark.clause("EXEC-011~1")
def test_flags_arrive_in_the_execution_configuration(backend: Proxy, observe: Observer) -> None:
    """Every flag sets its setting.

    If this fails, suspect a flag that is parsed and dropped.
    """
    expected = {
        **{name: FLAGS[name] for name in ("accelerator", "deterministic", "num_workers", "learning_rate", "scheduler")},
        **{name: FLAGS[name] for name in ("enable_checkpointing", "checkpoint_save_top_k", "checkpoint_mode")},
        **{
            "accum_steps": 3,
            "checkpoint_monitor_metric": "train_loss",
            "early_stop_patience": 7,
            "logger_backend": "tensorboard",
        },
        "enable_progress_bar": True,
    }

    found = backend.execution_from_flags(FLAGS, "training")

    observe.equal("settings", configs.attributes(found, expected), expected)


@pytest.mark.clause("EXEC-011~1")
@pytest.mark.parametrize(
    ("flag", "value"),
    [("checkpoint_save_top_k", 0), ("num_workers", 0), ("deterministic", False), ("enable_checkpointing", False)],
)
def test_a_zero_is_a_value(backend: Proxy, observe: Observer, flag: str, value: Any) -> None:
    """No flag that was left out. If this fails, suspect a test for truth where one for none belongs."""
    found = backend.execution_from_flags({**FLAGS, "num_workers": 1, flag: value}, "training")

    observe.equal(flag, getattr(found, flag), value)


@pytest.mark.clause("EXEC-011~1")
def test_flags_of_inference_arrive(backend: Proxy, observe: Observer) -> None:
    """The same translation serves the other command, without its warning.

    If this fails, suspect two translations that drifted apart.
    """
    flags = {"accelerator": "cpu", "device": None, "num_workers": 2, "inference_batch_size": 32, "quiet": True}

    found, said = reactions.quietly(lambda: backend.execution_from_flags(flags, "inference"))

    expected = {"accelerator": "cpu", "num_workers": 2, "inference_batch_size": 32, "enable_progress_bar": False}
    observe.equal("settings", configs.attributes(found, expected), expected)
    observe.equal("warnings", [text for text in said if "performance degradation" in text], [])
    loud = backend.execution_from_flags({**flags, "quiet": False, "logger": "none"}, "inference")
    observe.equal("bar", loud.enable_progress_bar, True)
    observe.holds("logger", loud.logger_backend in (None, "none"), "no logger", repr(loud.logger_backend))


@pytest.mark.clause("EXEC-011~1")
def test_an_unknown_mode_is_refused(backend: Proxy, observe: Observer) -> None:
    """Only training and inference have flags.

    If this fails, suspect a mode that falls through to inference.
    """
    with observe.raises("mode", ValueError, "Invalid mode", "rehearsal"):
        backend.execution_from_flags(FLAGS, "rehearsal")


@pytest.mark.clause("EXEC-011~1")
@pytest.mark.parametrize(
    ("changes", "bar"),
    [({}, True), ({"quiet": True}, False), ({"disable_mlflow": True}, False)],
    ids=["plain", "quiet", "mlflow"],
)
def test_the_progress_bar_is_on_unless_it_is_silenced(
    backend: Proxy, observe: Observer, changes: dict[str, Any], bar: bool
) -> None:
    """Two flags silence it.

    If this fails, suspect a bar that follows one of the two.
    """
    found, said = reactions.quietly(lambda: backend.execution_from_flags({**FLAGS, **changes}, "training"))

    observe.equal("bar", found.enable_progress_bar, bar)
    observe.equal("a flag called deprecated", any("disable_mlflow" in text for text in said), "disable_mlflow" in changes)


@pytest.mark.clause("EXEC-011~1")
def test_switching_mlflow_off_is_deprecated_and_means_no_logger(backend: Proxy, observe: Observer) -> None:
    """The old flag is reported, and leaves no logger.

    If this fails, suspect a flag that is accepted and ignored.
    """
    with observe.warns("deprecation", DeprecationWarning, "disable_mlflow"):
        found = backend.execution_from_flags({**FLAGS, "disable_mlflow": True}, "training")

    observe.holds("logger", found.logger_backend in (None, "none"), "no logger", repr(found.logger_backend))


@pytest.mark.clause("EXEC-011~1")
def test_the_logger_none_means_no_logger(backend: Proxy, observe: Observer) -> None:
    """`--logger none` is understood.

    If this fails, suspect a logger of that name.
    """
    found = backend.execution_from_flags({**FLAGS, "logger": "none"}, "training")

    observe.holds("logger", found.logger_backend in (None, "none"), "no logger", repr(found.logger_backend))


@pytest.mark.clause("EXEC-011~1")
@pytest.mark.parametrize(
    ("mode", "deterministic", "workers", "warned"),
    [("training", True, 2, True), ("training", False, 2, False), ("training", True, 0, False), ("inference", True, 2, False)],
    ids=["training", "not-deterministic", "no-workers", "inference"],
)
def test_deterministic_training_with_workers_is_said_to_be_slow(
    backend: Proxy, observe: Observer, mode: str, deterministic: bool, workers: int, warned: bool
) -> None:
    """The warning comes for this combination and for no other.

    If this fails, suspect a warning that looks at one of the three.
    """
    flags = {**FLAGS, "deterministic": deterministic, "num_workers": workers}

    _, said = reactions.quietly(lambda: backend.execution_from_flags(flags, mode))

    slow = [text for text in said if text.startswith("UserWarning") and "performance degradation" in text]
    observe.equal("warned", bool(slow), warned)


@pytest.mark.clause("EXEC-012~2")
@pytest.mark.parametrize(
    ("train", "test", "fragment", "name"),
    [(None, "data", "Training data file not found", "train.npz"), ("data", None, "Test data file not found", "test.npz")],
    ids=["train", "test"],
)
def test_a_missing_file_is_named(
    backend: Proxy, observe: Observer, tmp_path: Path, train: str | None, test: str | None, fragment: str, name: str
) -> None:
    """The two files have errors of their own.

    If this fails, suspect a check left to the reader of the file.
    """
    paths = [inputs.put(tmp_path / "train.npz", train), inputs.put(tmp_path / "test.npz", test)]

    with observe.raises("paths", FileNotFoundError, fragment, name):
        backend.validate_paths(*paths, tmp_path / "out")


@pytest.mark.clause("EXEC-012~2")
@pytest.mark.parametrize("kind", ["Training", "Test"])
def test_a_folder_is_no_data_file(backend: Proxy, observe: Observer, tmp_path: Path, kind: str) -> None:
    """It is there, and holds no data. If this fails, suspect a test for existence alone."""
    (tmp_path / "scans").mkdir()
    paths = {"Training": (tmp_path / "scans", None), "Test": (None, tmp_path / "scans")}[kind]

    with observe.raises("paths", FileNotFoundError, f"{kind} data file not found", "scans"):
        backend.validate_paths(*paths, tmp_path / "out")


@pytest.mark.clause("EXEC-012~2")
def test_files_may_be_left_out_and_the_folder_is_made(backend: Proxy, observe: Observer, tmp_path: Path) -> None:
    """None is no path, and the output folder exists afterwards with its parents; one that is there may be used again.

    If this fails, suspect a folder made without its parents, or one that must not be there.
    """
    backend.validate_paths(None, None, tmp_path / "a" / "b" / "out")
    with observe.accepts("a folder that is there"):
        backend.validate_paths(None, None, tmp_path / "a" / "b" / "out")

    observe.equal("folder", (tmp_path / "a" / "b" / "out").is_dir(), True)


@pytest.mark.clause("EXEC-012~2")
@pytest.mark.parametrize(("train", "test"), [("train.npz", None), (None, "test.npz")], ids=["train", "test"])
def test_nothing_is_made_where_a_file_is_missing(
    backend: Proxy, observe: Observer, tmp_path: Path, train: Any, test: Any
) -> None:
    """The paths come first, and the folder last.

    If this fails, suspect a folder that is made on the way.
    """
    paths = [name and tmp_path / name for name in (train, test)]

    with observe.raises("paths", FileNotFoundError, str(train or test)):
        backend.validate_paths(*paths, tmp_path / "a" / "out")

    observe.equal("folder", sorted(path.name for path in tmp_path.iterdir()), [])
