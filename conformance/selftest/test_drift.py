"""What a client uses is read from its source, and what a backend lacks is told; nothing of either is run."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from conformance import drift, process
from conformance.drift.client import uses
from conformance.drift.source import Package

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
        "    def open(cls, path):\n        ...\n    def predict(self, x, y=0):\n        ...\n"
    ),
}


def found(root: Path, changes: dict[str, tuple[str, str]] | None = None, **client: str) -> list[drift.Finding]:
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
    return drift.compare(uses(root / "client", {"engine"}), {"engine": Package(root / "engine")})


def told(findings: list[drift.Finding]) -> dict[str, str]:
    return {finding.detail: finding.state for finding in findings if finding.state != "present"}


def test_a_backend_that_has_everything_has_no_finding(tmp_path: Path) -> None:
    findings = found(tmp_path)

    assert told(findings) == {}
    named = {f"{finding.use.module}:{finding.use.name}" for finding in findings}
    assert {"engine.config:Config", "engine.data:load", "engine.model:Model.open", "engine.model:Model.predict"} <= named
    assert "engine.model:Model.weights" in named and "engine.model:Model.note" not in named


@pytest.mark.parametrize(
    ("changes", "client", "detail", "state"),
    [
        ({}, {"extra": "depth=4"}, "Config(depth=…)", "missing parameter"),
        ({}, {"option": "form"}, "load(form=…)", "missing parameter"),
        ({}, {"method": "infer"}, "engine.model has no Model.infer", "missing name"),
        ({"data.py": ("mode=0", "mode, key")}, {}, "load needs key, which the client does not give", "missing argument"),
        ({"data.py": ("def load", "def read")}, {}, "engine.data has no load", "missing name"),
        ({"model.py": ("y=0", "*, y=0")}, {}, "Model.predict takes 1 by position, 2 are given", "missing argument"),
        ({"model.py": ("self.weights", "self.values")}, {}, "engine.model has no Model.weights", "missing name"),
        ({"fields.py": ("epochs: int = 50", "epochs: int = 60")}, {},
         "Config.epochs: 50 in the client, 60 in the backend", "different default"),
        ({"fields.py": ("rate: float", "rate: str")}, {},
         "Config.rate: the client holds float, the backend str", "different type"),
        ({"config.py": ("from .fields import Config", "from torch import Config")}, {},
         "Config is imported from torch", "not followed"),
    ],
)  # fmt: skip
def test_what_differs_is_told(
    tmp_path: Path, changes: dict[str, tuple[str, str]], client: dict[str, str], detail: str, state: str
) -> None:
    assert told(found(tmp_path, changes, **client))[detail] == state


def test_a_module_that_is_gone(tmp_path: Path) -> None:
    found(tmp_path)
    (tmp_path / "engine" / "data.py").unlink()

    findings = drift.compare(uses(tmp_path / "client", {"engine"}), {"engine": Package(tmp_path / "engine")})

    assert "missing module" in {finding.state for finding in findings if finding.use.module == "engine.data"}


def test_the_command_ends_with_one_for_what_is_missing_and_four_for_what_is_not_there(tmp_path: Path) -> None:
    def ended(*flags: str) -> process.Completed:
        argv = [sys.executable, "-m", "conformance", "drift", "--client", str(tmp_path / "client"), *flags]
        return process.run(argv, timeout=60)

    found(tmp_path, method="infer")
    backend = f"engine={tmp_path / 'engine'}"

    done = ended("--backend", backend, "--json")
    assert (done.returncode, json.loads(done.stdout)["exit"]) == (1, 1)
    assert "Model.infer" in ended("--backend", backend).stdout
    found(tmp_path)
    assert ended("--backend", backend).returncode == 0
    assert ended("--backend", "no_such_engine").returncode == 4
    assert ended("--backend", f"other={tmp_path / 'engine'}").returncode == 4
