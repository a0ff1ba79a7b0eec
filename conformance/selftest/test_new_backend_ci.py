"""The jobs that a new backend's package brings for CI: pinned, and run as they are written, from a built wheel."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import venv
from pathlib import Path

import pytest
import yaml

from conformance import __version__
from conformance.connectors import process
from conformance.selftest.test_new_backend import JOBS, made
from conformance.specification.clauses import find_specs
from conformance.specification.lint import digest


def commands(job: Path) -> list[str]:
    """What a job runs, line by line, with its variables as it sets them, the harness aside."""
    text = job.read_text(encoding="utf-8")
    variable = re.search(r"CONFORM_SPECIFICATION: (\w+)", text)
    assert variable and variable[1] == digest(find_specs())
    lines = re.findall(r"^ +- (?:run: )?((?:python -m pip|conform) .*)$", text, re.MULTILINE)
    return [f"export CONFORM_SPECIFICATION={variable[1]}", *lines]


@pytest.mark.parametrize("job", JOBS)
def test_a_job_pins_suite_and_words_and_keeps_page_and_junit(tmp_path: Path, job: str) -> None:
    root = made(tmp_path)
    text = (root / job).read_text(encoding="utf-8")
    told = yaml.safe_load(text)
    assert "conform" in (told["jobs"] if "jobs" in told else told)
    assert f"CONFORM_HARNESS: ptycho-conformance=={__version__}" in text and "reports/*/conform/" in text and "cache" in text
    assert [line.split(" ")[:2] for line in commands(root / job)[1:]] == [
        ["python", "-m"],
        ["conform", "doctor"],
        ["conform", "run"],
    ]
    assert "--expect expectations/mine.toml" in text


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The distribution, built."""
    folder = tmp_path_factory.mktemp("wheel")
    argv = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "--no-index", "-w", str(folder)]
    done = process.run([*argv, str(Path(__file__).resolve().parents[2])], timeout=300)
    assert done.returncode == 0, done.output
    return next(folder.glob("*.whl"))


@pytest.mark.slow
@pytest.mark.parametrize("job", JOBS)
def test_the_jobs_commands_run_from_the_wheel_in_an_empty_folder(tmp_path: Path, wheel: Path, job: str) -> None:
    """In an environment of its own, which sees the libraries that are here, without an index; one clause of the suite."""
    root = made(tmp_path, "mine", "--surfaces", "physics.diffract")
    venv.create(tmp_path / "env", with_pip=False)
    site = next((tmp_path / "env").glob("lib/python*/site-packages"))
    (site / "here.pth").write_text(str(Path(pytest.__file__).parent.parent) + "\n", encoding="utf-8")
    lines = [line + (" -k PHYS-001" if " run " in line else "") for line in commands(root / job)]
    env = {"PATH": f"{tmp_path / 'env' / 'bin'}{os.pathsep}{os.environ['PATH']}", "CONFORM_HARNESS": str(wheel)}
    env |= {"PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "0", "PIP_NO_DEPS": "1", "PYTHONPATH": "", "CI": "true"}
    done = subprocess.run(
        ["bash", "-e", "-c", "\n".join(lines)], cwd=root, env={**os.environ, **env}, capture_output=True, text=True, timeout=400
    )
    assert done.returncode == 1, done.stdout[-3000:] + done.stderr[-3000:]
    assert (
        "not written yet (NotImplementedError):" in done.stdout
        and "core on cpu: NON-CONFORMANT for physics.diffract" in done.stdout
    )
    kept = {path.name for path in next(root.glob("reports/*/conform")).iterdir()}
    assert {"junit.xml", "report.html", "report.jsonl", "summary.md"} <= kept
