"""The execution configuration: settings, defaults, ranges, resolution, and what training does with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from conformance.connectors.connect import Proxy
from conformance.judging.observe import Observer
from conformance.scenes import configs, reactions, runs, workflows


@pytest.mark.clause("EXEC-001~1")
def test_settings_have_the_names_and_defaults_of_the_contract(backend: Proxy, observe: Observer) -> None:
    """Every setting is there, under its name, with its default and its type.

    If this fails, suspect a default taken from an older release.
    """
    config = configs.by_default(backend, "execution")

    names = [name for name in configs.FIELDS["execution"] if name != "accelerator"]
    observe.contract("settings", configs.attributes(config, names))


@pytest.mark.clause("EXEC-001~1")
def test_every_setting_takes_the_value_it_is_given(backend: Proxy, observe: Observer) -> None:
    """What is stated at construction is what the object says.

    If this fails, suspect a setting that construction overwrites.
    """
    config = configs.execution(backend)

    observe.equal("settings", configs.attributes(config, configs.EXECUTION), configs.EXECUTION)


@pytest.mark.clause("EXEC-001~1", "EXEC-006~1")
@pytest.mark.parametrize(
    ("name", "value", "fragment"),
    [
        ("accelerator", "abacus", "accelerator"),
        ("accum_steps", 0, "accum_steps must be positive"),
        ("accum_steps", -2, "accum_steps must be positive"),
        ("num_workers", -1, "num_workers must be non-negative"),
        ("learning_rate", 0.0, "learning_rate must be positive"),
        ("learning_rate", -1e-3, "learning_rate must be positive"),
        ("learning_rate", float("nan"), "learning_rate must be positive"),
        ("checkpoint_save_top_k", -2, "checkpoint_save_top_k"),
        ("checkpoint_mode", "median", "Invalid checkpoint_mode"),
        ("early_stop_patience", 0, "early_stop_patience"),
        ("early_stop_patience", -3, "early_stop_patience"),
        ("logger_backend", "papyrus", "logger_backend"),
        ("inference_batch_size", 0, "inference_batch_size"),
        ("inference_batch_size", -4, "inference_batch_size"),
    ],
    ids=[
        *("accelerator", "accum_steps-0", "accum_steps-neg", "num_workers", "learning_rate-0", "learning_rate-neg"),
        "learning_rate-nan",
        *("save_top_k", "checkpoint_mode", "patience", "patience-neg", "logger"),
        *("inference_batch_size", "inference_batch_size-neg"),
    ],
)
def test_values_out_of_range_are_refused_at_construction(
    backend: Proxy, observe: Observer, name: str, value: Any, fragment: str
) -> None:
    """The object cannot be made with a value outside its range.

    If this fails, suspect a range that is checked in the command line alone.
    """
    with observe.raises("constructed", ValueError, fragment, clause=("EXEC-001", "EXEC-006")):
        backend.canonical("execution", **{"accelerator": "cpu", name: value})


@pytest.mark.clause("EXEC-001~1")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("checkpoint_save_top_k", -1),
        ("checkpoint_save_top_k", 0),
        ("num_workers", 0),
        ("accum_steps", 1),
        ("early_stop_patience", 1),
        ("inference_batch_size", 1),
        *(("logger_backend", name) for name in ("csv", "tensorboard", "mlflow", "none")),
        *(("accelerator", name) for name in ("cpu", "gpu", "cuda", "mps")),
    ],
)
def test_the_ends_of_the_ranges_are_accepted(backend: Proxy, observe: Observer, name: str, value: Any) -> None:
    """Every value that the contract names can be stated.

    If this fails, suspect a strict comparison, or a list of names that is too short.
    """
    stated = {"accelerator": "cpu", name: value}

    observe.equal("refusal", reactions.refusal(lambda: backend.canonical("execution", **stated)), "")
    observe.equal(name, getattr(backend.canonical("execution", **stated), name), value)


@pytest.mark.clause("EXEC-002~1")
@pytest.mark.parametrize("accelerator", ["cpu", "cuda"])
def test_an_explicit_accelerator_is_neither_changed_nor_warned_of(backend: Proxy, observe: Observer, accelerator: str) -> None:
    """Whoever names a device gets it without comment.

    If this fails, suspect a detection that runs whatever was asked.
    """
    config, said = reactions.quietly(lambda: backend.canonical("execution", accelerator=accelerator))

    observe.equal("accelerator", config.accelerator, accelerator)
    observe.equal("warnings", said, [])


@pytest.mark.clause("EXEC-002~1")
def test_auto_resolves_at_construction_and_warns_exactly_on_the_cpu(backend: Proxy, observe: Observer) -> None:
    """`auto` is gone once the object is made; the CPU comes with the warning, CUDA without.

    If this fails, suspect a resolution left to the trainer.
    """
    config, said = reactions.quietly(lambda: backend.canonical("execution", accelerator="auto"))

    warned = any(text.startswith("UserWarning") and "POLICY-001" in text for text in said)
    observe.holds("resolved", config.accelerator in ("cpu", "cuda"), "cpu or cuda", repr(config.accelerator))
    observe.equal("warned", warned, config.accelerator == "cpu")


@pytest.mark.clause("EXEC-002~1")
def test_every_run_on_the_cpu_is_said(backend: Proxy, observe: Observer) -> None:
    """As often as `auto` ends there. If this fails, suspect an answer that is remembered without its warning."""
    made = [reactions.quietly(lambda: backend.canonical("execution", accelerator="auto")) for _ in range(3)]
    told = [said for _, said in made]

    observe.equal("the same each time", [sorted(said) for said in told[1:]], [sorted(told[0])] * 2)
    warned = [any("POLICY-001" in text for text in said) for said in told]
    observe.equal("warned", warned, [config.accelerator == "cpu" for config, _ in made])


@pytest.mark.clause("EXEC-003~1")
@pytest.mark.parametrize("workflow", ["train", "run"])
def test_an_unknown_strategy_of_the_execution_is_refused(
    backend: Proxy, observe: Observer, tmp_path: Path, workflow: str
) -> None:
    """The strategy that counts is the one of the execution configuration, in training alone and in the whole workflow.

    If this fails, suspect a strategy read from the backend's own training settings, or a workflow that trains by another path.
    """
    config = runs.configuration(backend, runs.SMALL, tmp_path)
    execution = backend.canonical("execution", accelerator="cpu", strategy="no_such_strategy")

    with observe.raises("training", (ValueError, RuntimeError), "no_such_strategy"):
        getattr(backend, workflow)(runs.training_record(backend), None, config, execution)


@pytest.mark.clause("EXEC-004~1")
def test_accumulation_by_the_trainer_is_refused_before_the_first_step(backend: Proxy, observe: Observer, tmp_path: Path) -> None:
    """Accumulation around a step that optimises by itself fails loudly, and leaves nothing behind.

    If this fails, suspect settings passed on to the trainer without a look at who optimises.
    """
    config = runs.configuration(backend, runs.SMALL, tmp_path)
    execution = backend.canonical("execution", accelerator="cpu", accum_steps=2)

    with observe.raises("training", RuntimeError, "accumulate_grad_batches"):
        backend.train(runs.training_record(backend), None, config, execution)
    observe.equal("checkpoints", sorted(path.name for path in tmp_path.rglob("*.ckpt")), [])


@pytest.mark.clause("EXEC-004~1")
def test_training_with_clipping_runs(backend: Proxy, observe: Observer) -> None:
    """Clipping is the step's own affair, so that the trainer has nothing to refuse.

    If this fails, suspect the clip value handed to the trainer.
    """
    observe.equal("refusal", reactions.refusal(lambda: runs.trained(backend, workflows.PLAIN)), "")

    observe.equal("epochs", len(runs.losses(runs.trained(backend, workflows.PLAIN))), 1)
