"""What a client uses is read from its source, and what a backend lacks is told; nothing of either is run."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path

import pytest

from conformance.clients import compare as clients
from conformance.clients.client import uses
from conformance.clients.uses import dumped, loaded
from conformance.clients.world import World
from conformance.connectors import process

CLIENT = """
from __future__ import annotations
raise SystemExit("a client is read, never run")

class Settings:
    def __init__(self, group):
        self.rate = group.create_real_parameter("Rate", 1e-3)
        self.epochs = group.create_integer_parameter("Epochs", 50)

class Others:
    def __init__(self, group):
        self.epochs = group.create_integer_parameter("Epochs", 7)

def build(settings: Settings, others: Others):
    from engine.config import Config
    return Config(rate=settings.rate.get_value(), epochs=settings.epochs.get_value(), {extra})

def work(payload):
    import engine.data
    from engine.model import Model
    engine.data.load("file", {option}=3)
    model = Model.open("here")
    model.note = "set by the client itself"
    print(model.note)
    return model.{method}(1, 2), model.weights
"""
BACKEND = {
    "__init__.py": 'raise SystemExit("a backend is read, never run")\n',
    "config.py": "from .fields import Config\n",
    "fields.py": (
        "from dataclasses import dataclass\n@dataclass\nclass Config:\n    rate: float = 1e-3\n"
        "    epochs: int = 50\n    width: int | None = None\n"
    ),
    "data.py": "def load(path, *, mode=0):\n    ...\n",
    "model.py": (
        "class Model:\n    def __init__(self, path):\n        self.weights = path\n    @classmethod\n"
        "    def open(cls, path):\n        return cls(path)\n    def predict(self, x, y=0):\n        ...\n"
    ),
}


def found(root: Path, changes: dict[str, tuple[str, str]] | None = None, **client: str) -> list[clients.Finding]:
    """The findings for a client and a backend, one of whose files has a text replaced."""
    words = {"extra": "width=4", "option": "mode", "method": "predict", **client}
    source = CLIENT
    for name, word in words.items():
        source = source.replace(f"{{{name}}}", word)
    for name, text in {"client/use.py": source, **{f"engine/{name}": text for name, text in BACKEND.items()}}.items():
        path = root / name
        path.parent.mkdir(exist_ok=True)
        old, new = (changes or {}).get(name.removeprefix("engine/"), ("", ""))
        assert old in text
        path.write_text(text.replace(old, new) if old else text, encoding="utf-8")
    return held(root)


def held(root: Path) -> list[clients.Finding]:
    """The client of a folder against the backend beside it."""
    found = uses(root / "client", {"engine"})
    return clients.compare(found, World({"engine": root / "engine"}, gives=found.gives))


def told(findings: list[clients.Finding]) -> dict[str, str]:
    return {finding.detail: finding.state for finding in findings if finding.state != "present"}


def test_a_backend_that_has_everything_has_no_finding(tmp_path: Path) -> None:
    findings = found(tmp_path)

    assert told(findings) == {}
    named = {finding.use.whole for finding in findings}
    assert {"engine.config:Config", "engine.data:load", "engine.model:Model.open", "engine.model:Model.open().predict"} <= named
    assert "engine.model:Model.open().weights" in named


@pytest.mark.parametrize(
    ("changes", "client", "detail", "state"),
    [
        ({}, {"extra": "depth=4"}, "Config(depth=…)", "missing field"),
        ({}, {"option": "form"}, "load(form=…)", "missing parameter"),
        ({}, {"method": "infer"}, "Model.open() has no infer", "missing attribute"),
        ({"data.py": ("mode=0", "mode, key")}, {}, "load needs key, which the client does not give", "missing argument"),
        ({"data.py": ("def load", "def read")}, {}, "engine.data has no load", "missing name"),
        ({"model.py": ("y=0", "*, y=0")}, {}, "predict takes 1 by position, 2 are given", "missing parameter"),
        ({"model.py": ("self.weights", "self.values")}, {}, "Model.open() has no weights", "missing attribute"),
        ({"fields.py": ("epochs: int = 50", "epochs: int = 60")}, {},
         "Config.epochs: 50 in the client, 60 in the backend", "different default"),
        ({"fields.py": ("rate: float", "rate: str")}, {},
         "Config.rate: the client sends float, the backend takes str", "different type"),
        ({"config.py": ("from .fields import Config", "from nowhere.at_all import Config")}, {},
         "Config is imported from nowhere.at_all, whose source is not here", "not followed"),
        ({"config.py": ("from .fields import Config", "from .gone import Config")}, {}, "engine.gone", "missing module"),
        ({"config.py": ("from .fields", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from .fields")}, {},
         "engine.config has no Config", "missing name"),
        ({}, {"extra": "width='x'"}, "Config.width: the client sends str, the backend takes int | None", "different type"),
        ({"data.py": ("mode=0", "mode: int = 0")}, {"option": "mode=None, x"},
         "load.mode: the client sends None, the backend declares int", "undeclared None"),
    ],
)  # fmt: skip
def test_what_differs_is_told(
    tmp_path: Path, changes: dict[str, tuple[str, str]], client: dict[str, str], detail: str, state: str
) -> None:
    assert told(found(tmp_path, changes, **client))[detail] == state


def test_a_module_that_is_gone_is_told_once(tmp_path: Path) -> None:
    found(tmp_path)
    (tmp_path / "engine" / "data.py").unlink()
    (gone,) = [finding for finding in held(tmp_path) if finding.use.module == "engine.data"]
    assert (gone.state, gone.clause, len(gone.use.places)) == ("missing module", "DRIFT-001", 2)


@pytest.mark.parametrize(
    ("mark", "told_by"),
    [
        ("@dataclass(frozen=True)", "cannot be set"),
        ("@dataclass", ""),
    ],
)
def test_a_frozen_configuration_cannot_be_set(tmp_path: Path, mark: str, told_by: str) -> None:
    found(tmp_path, {"fields.py": ("@dataclass", mark)})
    text = "from engine.config import Config\ndef f(config: Config):\n    config.rate = 1.0\n    config.Rate = 2.0\n"
    (tmp_path / "client" / "use.py").write_text(text, encoding="utf-8")
    states = {finding.use.name: finding.state for finding in held(tmp_path) if finding.use.act == "set"}
    assert states == {"Config().rate": told_by or "present", "Config().Rate": told_by or "missing field"}


def test_a_setter_of_its_own_thaws_a_frozen_base(tmp_path: Path) -> None:
    found(tmp_path, {"fields.py": ("@dataclass", "@dataclass(frozen=True)")})
    thawed = "from .fields import Config as Frozen\nclass Config(Frozen):\n    __setattr__ = object.__setattr__\n"
    (tmp_path / "engine" / "config.py").write_text(thawed, encoding="utf-8")
    text = "from engine.config import Config\ndef f(config: Config):\n    config.rate = 1.0\n"
    (tmp_path / "client" / "use.py").write_text(text, encoding="utf-8")
    assert {finding.state for finding in held(tmp_path)} == {"present"}


def test_what_is_recorded_is_what_was_read(tmp_path: Path) -> None:
    found(tmp_path)
    whole = uses(tmp_path / "client", {"engine"}, "7")
    (tmp_path / "record.json").write_text(dumped(whole), encoding="utf-8")
    assert loaded(tmp_path / "record.json") == whole
    (tmp_path / "record.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ValueError, match="record.json: expected recorded uses"):
        loaded(tmp_path / "record.json")


def test_the_recorded_ptychodus_is_whole() -> None:
    record = loaded(clients.PTYCHODUS)
    acts = Counter(use.act for use in record.uses)
    assert (record.client, record.version, record.packages) == ("ptychodus", "1.7.0", ("ptycho", "ptycho_torch"))
    assert acts == {"module": 12, "read": 34, "call": 37, "set": 3} and len(record.sha256) == 64
    fields = {name for use in record.uses if use.name == "TrainingConfig" for name in use.keywords}
    assert len(fields) > 40 and {"finetune_val_split", "nphotons"} <= fields


def test_the_command_ends_with_one_for_what_is_missing_and_four_for_what_is_not_there(tmp_path: Path) -> None:
    def ended(*flags: str) -> process.Completed:
        argv = [sys.executable, "-m", "conformance", "drift", "--client", str(tmp_path / "client"), *flags]
        return process.run(argv, timeout=60)

    found(tmp_path, method="infer")
    backend = f"engine={tmp_path / 'engine'}"

    done = ended("--backend", backend, "--json")
    assert (done.returncode, json.loads(done.stdout)["exit"]) == (1, 1)
    assert "has no infer" in ended("--backend", backend).stdout
    found(tmp_path)
    assert ended("--backend", backend).returncode == 0
    assert ended("--backend", "no_such_engine").returncode == 4
    assert ended("--backend", f"other={tmp_path / 'engine'}").returncode == 4
    assert ended("--backend", backend, "--backend", "reference").returncode == 4
    assert ended("--backend", "numpy").returncode == 4
    recorded = tmp_path / "record.json"
    assert ended("--backend", backend, "--record", str(recorded)).returncode == 0
    assert {use.module for use in loaded(recorded).uses} == {"engine.config", "engine.data", "engine.model"}
