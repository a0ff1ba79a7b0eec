"""The matrix of versions: which bounds a column installs, which Pythons it finds, and what `-s cpu` still means."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from conformance.connectors import process

ROOT = Path(__file__).resolve().parents[2]
TABLE = """\
[project]
dependencies = ["numpy>=2.0", "syrupy>=7.0.2,<8"]
[project.optional-dependencies]
reference = ["torch>=2.10", "lightning>=2.6,!=2.6.2", "numpy>={numpy}"]
free = ["mlflow"]
"""


@pytest.fixture(scope="module")
def environments() -> ModuleType:
    spec = importlib.util.spec_from_file_location("environments", ROOT / ".ci" / "environments.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_lowest_column_is_every_lower_bound(environments: ModuleType) -> None:
    bare = ["numpy==2.0", "syrupy==7.0.2"]
    text = TABLE.format(numpy="2.0")
    assert environments.lowest(text) == bare
    assert environments.lowest(text, "reference") == [*bare, "torch==2.10", "lightning==2.6"]
    assert environments.lowest(TABLE.format(numpy="2.10"), "reference")[0] == "numpy==2.10", "the higher of two"


def test_a_missing_bound_is_refused(environments: ModuleType) -> None:
    with pytest.raises(ValueError, match=r"pyproject.toml: mlflow: expected a lower bound \(>=\), found none"):
        environments.lowest(TABLE.format(numpy="2.0"), "free")


def test_every_requirement_of_the_columns_has_one_bound(environments: ModuleType) -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert len(environments.lowest(text, "reference")) > len(environments.lowest(text)) > 10


def test_torch_can_be_named_for_lowest_and_newest_alone(environments: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CONFORM_TORCH", raising=False)
    bounds, pins = environments.constraints("lowest", "cpu").split(), environments.constraints("pinned", "cpu")
    assert "torch==2.10" in bounds and environments.constraints("newest", "cpu") == ""
    monkeypatch.setenv("CONFORM_TORCH", "2.13.0")
    stated = environments.constraints("lowest", "cpu").split()
    assert set(stated) ^ set(bounds) == {"torch==2.10", "torch==2.13.0"}
    assert environments.constraints("newest", "cpu") == "torch==2.13.0\n"
    assert environments.constraints("pinned", "cpu") == environments.constraints("python3.12", "numpy") == pins


def test_a_python_of_pyenv_is_found_and_its_shim_is_not(
    environments: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for place in ("shims/python3.13", "versions/3.12.9/bin/python", "versions/3.12.10/bin/python", "plain/python3.14"):
        (tmp_path / place).parent.mkdir(parents=True)
        (tmp_path / place).write_text("")
        (tmp_path / place).chmod(0o755)
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    monkeypatch.setenv("PATH", f"{tmp_path / 'shims'}:{tmp_path / 'plain'}")
    found = {minor: environments.interpreter(minor) for minor in (12, 13, 14)}
    assert found == {12: f"{tmp_path}/versions/3.12.10/bin/python", 13: "", 14: f"{tmp_path}/plain/python3.14"}


def test_the_newest_run_of_each_column_is_shown(environments: ModuleType, tmp_path: Path) -> None:
    for place in ("2026-01-01/cpu", "2026-01-03/cpu", "2026-01-02/cpu-lowest", "2026-01-04/cpu-newest"):
        (tmp_path / place).mkdir(parents=True)
    for place in ("2026-01-01/cpu", "2026-01-03/cpu", "2026-01-02/cpu-lowest"):
        (tmp_path / place / "report.jsonl").write_text("")
    assert environments.newest(tmp_path) == [f"{tmp_path}/2026-01-03/cpu", f"{tmp_path}/2026-01-02/cpu-lowest"]


def test_an_extra_is_installed_beside_the_house_and_sees_it(
    environments: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A session with an extra leaves the environment that all others share as a fresh clone's."""
    asked, run = [], environments.subprocess.run

    def without_pip(words: list[str], **options: Any) -> Any:
        asked.append([Path(words[0]).parents[1].name, *words[1:]])
        return run(words, **options) if "pip" not in words else None

    monkeypatch.setattr(environments, "HOUSE", tmp_path / "house")
    monkeypatch.setattr(environments.subprocess, "run", without_pip)
    monkeypatch.setattr(sys, "argv", ["nox"])
    python = environments.over(lambda text: None, "fno")
    (shared,) = (tmp_path / "house").glob("[Ll]ib*/**/site-packages")
    (shared / "of_the_house.py").write_text("")
    assert process.run([python, "-c", "import of_the_house; print(of_the_house.__file__)"]).stdout.strip() == str(
        shared / "of_the_house.py"
    )
    installed = {words[0]: words[-1] for words in asked if "pip" in words}
    assert installed == {"house": f"{ROOT}[reference,lint]", "house-fno": f"{ROOT}[fno]"}
    asked.clear()
    assert environments.over(lambda text: None, "fno") == python and asked == [], "once for each state of the pins"


@pytest.mark.parametrize("name", ["cpu", "cpu(pinned)", "cpu(lowest)", "cpu(newest)", "cuda(lowest)", "numpy(pinned)", "columns"])
def test_a_session_is_asked_for_by_its_name_alone(name: str) -> None:
    done = process.run([sys.executable, "-m", "nox", "-f", str(ROOT / "noxfile.py"), "-l", "-s", name])
    chosen = [line.split(" -> ")[0] for line in done.stdout.splitlines() if line.startswith("* ")]
    assert chosen == [f"* {name}"], done.output
