"""No setting and no flag is without effect: each is read by somebody, and each flag of `train` changes what is trained.

What may be without effect says why here; a new field or flag without an effect and without a reason fails.
"""

from __future__ import annotations

import argparse
import ast
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from reference_impl import config
from reference_impl.cli.flags import Reader
from reference_impl.cli.main import COMMANDS, build_parser
from reference_impl.cli.train import _warn_of_an_older_model, overrides_of
from reference_impl.execution import PyTorchExecutionConfig, build_execution_config_from_args

HERE = Path(config.__file__).parent.parent
CLASSES = (
    *(config.ModelConfig, config.TrainingConfig, config.InferenceConfig, PyTorchExecutionConfig),
    *(config.TorchDataConfig, config.TorchModelConfig, config.TorchTrainingConfig, config.TorchInferenceConfig),
)
GENERATORS = "of architectures that are registered from outside (MODEL-027); `cnn` has no such part"
INERT = {
    **dict.fromkeys(("generator_output_mode", "max_hidden_channels", "resnet_width"), GENERATORS),
    "C_model": "it follows from the gridsize (CONFIG-063), which is what is read",
    "C_forward": "as C_model",
    "C": "as C_model",
    "intensity_scale": "what a bundle was saved with, kept for whoever reads the checkpoint; a module scales by alpha and beta",
    "debug": "a field of the contract that reaches the registry (CONFIG-022); the commands have a flag of their own",
}
"""Field → why nobody has to read it."""

ELSEWHERE = {
    "train_data_file": "the file itself",
    "output_dir": "the folder itself",
    "resume": "the checkpoint itself (test_resume)",
    "override": "with --resume (test_resume)",
    "preset": "it sets other flags (test_cli)",
    "measurement": "how the file is read (test_data)",
    "mask": "what of the file is hidden (test_data)",
    "position_scale": "how the file is read (test_data)",
    "accept": "what a file is let in with (test_plausible)",
    "device": "an older name of --accelerator (EXEC-010)",
    "accumulate_grad_batches": "an override of the run: EXEC-004 closes the other door (CLI-014)",
    "ptycho_dir": "refused (CLI-002)",
    "config": "refused (CLI-002)",
    "absolute_counts": "another training (test_counts_cli)",
    "rect_s1s2_init": "with --absolute-counts (test_counts_cli)",
    "rect_s1s2_trainable": "with --absolute-counts (test_counts_cli)",
    "labels": "what is solved before the training (test_labels)",
    "views": "with --labels (test_labels)",
    "start_from": "the first weights (test_labels)",
    "map_dir": "where several files are mapped (test_mapped)",
    "remake_map": "whether a map that lies there is used (test_mapped)",
    "skip_bad_files": "which of several files are mapped: handed to the map by cli.scans",
    "debug": "what is shown of an error (test_errors)",
    "disable_mlflow": "an older name of --logger none (EXEC-011)",
    "help": "the help itself",
}
"""Flag of `train` → where its effect lies, if in neither the payload's overrides nor the execution configuration."""


def read_names() -> set[str]:
    """Names of attributes that the reference's code reads, and of what it looks up by name; its tests and tables aside."""
    own = {"domains", "tests", "drop_in", "bench"}
    found: set[str] = set()
    for path in HERE.rglob("*.py"):
        if path.relative_to(HERE).parts[0] not in own:
            found |= set(_read(ast.parse(path.read_text(encoding="utf-8"))))
    return found


def _read(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            yield node.attr
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "getattr":
            yield from (part.value for part in node.args[1:2] if isinstance(part, ast.Constant))


def test_every_field_is_read_by_somebody() -> None:
    read = read_names()
    names = {field.name for kind in CLASSES for field in fields(kind)}
    assert sorted(names - read - set(INERT)) == []
    assert sorted(set(INERT) - names) == []


def flags_of(name: str) -> list[argparse.Action]:
    return [action for action in build_parser().of_command(name)._actions if action.option_strings]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_flag_is_read_by_its_command(name: str) -> None:
    """By its destination, or by the helper that makes an execution configuration of what has a setting's name (EXEC-011)."""
    read, settings = set(), {field.name for field in fields(PyTorchExecutionConfig)}
    for path in [*(HERE / "cli").glob("*.py"), HERE / "execution.py"]:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        read |= set(_read(tree)) | {node.value for node in ast.walk(tree) if _is_name(node)}
    unread = [one.dest for one in flags_of(name) if one.dest not in read and _setting(one.dest) not in settings]
    assert [dest for dest in unread if dest not in ("help", "ptycho_dir", "config")] == []


def _is_name(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.isidentifier()


def _setting(dest: str) -> str:
    return {"checkpoint_monitor": "checkpoint_monitor_metric", "logger": "logger_backend"}.get(dest, dest)


BASE = ["train", "--train-data-file", "d.npz", "--output-dir", "out", "--accelerator", "cpu"]


def trained_with(*flags: str) -> tuple[dict[str, Any], Any]:
    """What a call of `train` hands to the factory."""
    args = build_parser().parse_args([*BASE, *flags])
    args.accumulate_grad_batches = None
    return overrides_of(args), build_execution_config_from_args(args, "training")


def another(action: argparse.Action) -> list[str]:
    """The flag with a value that is not its default."""
    flag = action.option_strings[0]
    if not isinstance(action.type, Reader):
        off = next((name for name in action.option_strings if name.startswith("--no-")), flag)
        return [off if action.default is True else flag]
    domain = action.type.domain
    if domain.kind == "choice":
        usual = (action.default, "auto", getattr(PyTorchExecutionConfig, action.dest, None))  # None leaves the setting's own
        return [flag, str(next(value for value in domain.options if value not in usual))]
    if domain.kind in ("whole", "real"):
        usual = action.default if isinstance(action.default, int | float) else 4
        return [
            flag,
            str(next(value for value in (2 * usual, usual / 2, usual + 1, 2) if value != usual and domain.accepts(value))),
        ]
    return [flag, "another"]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("action", flags_of("train"), ids=lambda action: action.option_strings[0].lstrip("-"))
def test_every_flag_of_train_changes_what_is_trained(action: argparse.Action) -> None:
    switched_off = action.default is True and action.const is True  # --enable-checkpointing: says what is the default anyway
    if action.dest in ELSEWHERE or action.dest == "accelerator" or switched_off:
        return
    assert trained_with(*another(action)) != trained_with(), f"{another(action)} changes nothing: say in ELSEWHERE what it does"


def test_training_into_a_used_folder_says_what_goes(tmp_path: Path) -> None:
    (tmp_path / "wts.h5.zip").write_bytes(b"an older model")
    args = argparse.Namespace(output_dir=tmp_path, resume=None)
    with pytest.warns(UserWarning, match="wts.h5.zip: a model of an earlier training"):
        _warn_of_an_older_model(args)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("resume", "name"), [("last.ckpt", "wts.h5.zip"), (None, "wts.h5")])
def test_resuming_and_an_empty_folder_say_nothing(tmp_path: Path, resume: str | None, name: str) -> None:
    (tmp_path / name).write_bytes(b"a model")
    _warn_of_an_older_model(argparse.Namespace(output_dir=tmp_path, resume=resume))
