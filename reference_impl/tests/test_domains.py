"""Every setting has a declared domain, and every door keeps to it: 4,000 drawn values of fields and flags, one seed."""

from __future__ import annotations

import argparse
import math
import random
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from reference_impl.bundle.parameters import refuse_incomplete
from reference_impl.cli.flags import Names, Reader, check_flags
from reference_impl.cli.main import COMMANDS, build_parser
from reference_impl.config import (
    InferenceConfig,
    ModelConfig,
    TorchDataConfig,
    TorchInferenceConfig,
    TorchModelConfig,
    TorchTrainingConfig,
    TrainingConfig,
    dataclass_to_legacy_dict,
    load_yaml_config,
    validate,
)
from reference_impl.config.registry import KEY_MAP
from reference_impl.domains.fields import FIELDS, check_fields, domain_of, shown
from reference_impl.errors import ContractError
from reference_impl.execution import PyTorchExecutionConfig

SEED = 20261129
TORCH_SIDE = (TorchDataConfig, TorchModelConfig, TorchTrainingConfig, TorchInferenceConfig)
CLASSES = (ModelConfig, TrainingConfig, InferenceConfig, PyTorchExecutionConfig, *TORCH_SIDE)
NONSENSE: tuple[Any, ...] = (
    *(math.nan, math.inf, -math.inf, 1e308, -1e308, 1e-320, 10**400, -(10**400), -1, 0, 1, 0.5, True, False, None, "", "1"),
    *("nan", "inf", "\x1b[2J", "x" * 5000, [], [1], (2, 2), {}, b"1", 1j, object(), Path("a"), Path("a\0b")),
)


def named_fields(kind: type) -> list[str]:
    return [field.name for field in fields(kind) if field.name != "model"]


def drawn(name: str, owner: str, count: int) -> Iterator[Any]:
    """Nonsense, what lies at the bounds, what lies within, what another setting would take."""
    draw, domain = random.Random(f"{SEED} {owner} {name}"), domain_of(name, owner)
    at_the_bounds = [domain.low, domain.high, domain.low - 1, domain.high + 1, domain.high * 2, *domain.options]
    for _ in range(count):
        other = draw.choice(list(FIELDS.values()))
        within = draw.randint(math.ceil(domain.low), max(math.ceil(domain.low), int(domain.high)))
        foreign = [*other.options, other.low, other.high]
        pools = (NONSENSE, at_the_bounds, [within, draw.uniform(domain.low, domain.high)], foreign)
        yield draw.choice(draw.choice([pool for pool in pools if pool]))


def inside(name: str, owner: str, value: Any) -> bool:
    """The domain as a reader of its row would say it."""
    domain = domain_of(name, owner)
    if value in [other for other in domain.also if type(other) is type(value)]:
        return True
    if domain.kind in ("whole", "real"):
        kinds = int if domain.kind == "whole" else (int, float)
        if not isinstance(value, kinds) or isinstance(value, bool) or value != value or value in (math.inf, -math.inf):
            return False
        low = value > domain.low if domain.above else value >= domain.low
        high = value < domain.high if domain.below else value <= domain.high
        return low and high and (not domain.power_of_two or value in [2**k for k in range(64)])
    return {
        "switch": isinstance(value, bool),
        "choice": value in [option for option in domain.options if type(option) is type(value)],
        "text": isinstance(value, str) and value.isprintable() and 0 < len(value) <= 4096,
        "path": isinstance(value, str | Path) and 0 < len(str(value)) <= 4096 and "\0" not in str(value),
        "pair": isinstance(value, list | tuple) and [type(part) is int and 1 <= part <= 16 for part in value] == [True, True],
        "mask": value is None or isinstance(value, bool),
    }[domain.kind]


def refusal(call: Any, *arguments: Any) -> str:
    try:
        call(*arguments)
    except ContractError as error:
        assert "\n" not in str(error) and len(str(error)) < 600 and str(error).isprintable()
        return str(error)
    return ""


def configured(kind: type, name: str, value: Any) -> None:
    """The configuration with this value, through the door that its kind has."""
    if kind is PyTorchExecutionConfig:
        PyTorchExecutionConfig(**{"accelerator": "cpu", name: value})
    elif kind in TORCH_SIDE:
        check_fields(replace(kind(), **{name: value}))
    else:
        needed = {ModelConfig: {}, TrainingConfig: {"model": ModelConfig()}}
        paths = {"model": ModelConfig(), "model_path": Path(__file__), "test_data_file": Path("b")}
        config = kind(**needed.get(kind, paths))
        object.__setattr__(config, name, value)
        validate(config)


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_every_field_has_a_domain_that_holds_its_default(kind: type) -> None:
    faults = [name for name in named_fields(kind) if name not in FIELDS]
    assert faults == []
    for field in fields(kind):
        if field.name != "model" and field.default is not field.default_factory:
            value = 512 if field.name == "n_groups" and kind is TrainingConfig else field.default  # resolved at construction
            assert domain_of(field.name, kind.__name__).accepts(value), (field.name, value)


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_no_field_takes_what_lies_outside_of_its_domain(kind: type) -> None:
    wrong = []
    for name in named_fields(kind):
        for value in drawn(name, kind.__name__, 20):
            said = refusal(configured, kind, name, value)
            # A path of a bundle is inside of its domain, and refused where no bundle lies there.
            known = said and name == "model_path" and "model_path" in said
            if (said == "") != inside(name, kind.__name__, value) and not known or (said and name not in said):
                wrong.append((name, shown(value), said))
    assert wrong == []


def test_no_bundle_brings_what_lies_outside() -> None:
    usual = dataclass_to_legacy_dict(TrainingConfig(model=ModelConfig()))
    whole = {key: value for key, value in usual.items() if value is not None}
    own = {KEY_MAP.get(name, name): (name, kind) for kind in (ModelConfig, TrainingConfig) for name in named_fields(kind)}
    keys = {**own, "_learning_rate": ("learning_rate", None), "intensity_scale": ("intensity_scale", TrainingConfig)}
    wrong = []
    for key, (name, kind) in keys.items():
        owner = kind.__name__ if kind else ""
        for value in drawn(name, owner, 12):
            said = refusal(refuse_incomplete, {**whole, key: value}, Path("run.zip"), "params.dill")
            if (said == "") != inside(name, owner, value) or (said and f"run.zip: params.dill: {key}:" not in said):
                wrong.append((key, shown(value), said))
    assert wrong == []


def test_no_yaml_brings_what_lies_outside(tmp_path: Path) -> None:
    wrong = []
    for name in named_fields(TrainingConfig):
        for value in drawn(name, "", 6):
            path = tmp_path / "experiment.yaml"
            try:
                path.write_text(yaml.safe_dump({name: value}), encoding="utf-8")
            except (yaml.YAMLError, UnicodeError, ValueError):
                continue  # nothing that a YAML file can hold
            value = yaml.safe_load(path.read_text(encoding="utf-8"))[name]
            said = refusal(load_yaml_config, path)
            if (said == "") != inside(name, "", value) or (said and f"experiment.yaml: {name}:" not in said):
                wrong.append((name, shown(value), said))
    assert wrong == []


def flags_of(command: str) -> list[argparse.Action]:
    actions = build_parser().of_command(command)._actions
    return [action for action in actions if action.option_strings and action.nargs != 0 and action.help != argparse.SUPPRESS]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_flag_has_a_domain_that_holds_its_default(command: str) -> None:
    for action in flags_of(command):
        assert isinstance(action.type, Reader), f"{command} {action.option_strings[0]}: give it `type=of(…)`"
        assert action.default is None or action.type.domain.accepts(action.default), action.option_strings[0]


def texts(reader: Reader, count: int) -> Iterator[str]:
    for value in drawn(reader.name, "", count):
        text = str(value)
        if not text.startswith("-") or text[1:].isdigit():
            yield text


@pytest.mark.parametrize("command", [name for name in COMMANDS if name != "drop-in"])
def test_no_flag_takes_what_lies_outside_of_its_domain(command: str, tmp_path: Path) -> None:
    there = tmp_path / "data.npz"
    there.write_bytes(b"")
    flags = flags_of(command)
    needed = [part for action in flags if action.required for part in (action.option_strings[0], str(there))]
    needed += [str(there) for action in build_parser().of_command(command)._actions if not action.option_strings]
    wrong = []
    for action in flags:
        assert isinstance(action.type, Reader)
        if action.type.must_exist:
            continue
        for text in texts(action.type, 25):
            hyphened = action.option_strings[0]
            flag = random.Random(text).choice([hyphened, f"--{hyphened[2:].replace('-', '_')}"])
            parser = build_parser()
            args = parser.parse_args([command, *needed, flag, text])
            said = refusal(check_flags, args, Names(parser.of_command(command), args.typed))
            value = action.type(text)
            if (said == "") != inside(action.type.name, "", value) or (said and not said.startswith(f"{flag}: expected ")):
                wrong.append((flag, shown(text), said))
    assert wrong == []
