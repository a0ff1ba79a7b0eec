"""*Your own network in thirty lines*: the page's own code, installed, keeps the profile `generators`, trains and reconstructs."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from conformance.connectors import process

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "reference_impl" / "model" / "README.md"
RUN = [sys.executable, "-m", "conformance", "run", "--profile", "generators", "--workers", "1"]


def fence(language: str) -> str:
    """The page's first block of a language."""
    found = re.search(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    return found[1]


def installed(folder: Path, change: Callable[[str], str] = str) -> dict[str, str]:
    """What an installation of the page's package leaves on the path; `change` of its module. Returns the environment for it."""
    project = tomllib.loads(fence("toml"))["project"]
    info = folder / f"my_network-{project['version']}.dist-info"
    info.mkdir(parents=True)
    head = f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    (info / "METADATA").write_text(head, encoding="utf-8")
    groups = [
        f"[{group}]\n" + "".join(f"{k} = {v}\n" for k, v in rows.items()) for group, rows in project["entry-points"].items()
    ]
    (info / "entry_points.txt").write_text("".join(groups), encoding="utf-8")
    code = change(fence("python"))
    (folder / "my_network.py").write_text(code, encoding="utf-8")
    return {"PYTHONPATH": f"{folder}:{ROOT}"}


def test_the_page_keeps_its_promise_of_thirty_lines() -> None:
    lines = [line for line in fence("python").splitlines() if line.strip() and not line.startswith("#")]
    assert len(lines) <= 30
    assert [node.name for node in ast.parse(fence("python")).body if isinstance(node, ast.ClassDef)] == ["Mixer"]


def test_the_pages_network_keeps_the_profile(tmp_path: Path) -> None:
    done = process.run([*RUN, "--output", str(tmp_path / "reports")], env=installed(tmp_path / "site"), cwd=tmp_path, timeout=600)

    assert done.returncode == 0, done.output
    assert "generators on cpu: CONFORMANT" in done.stdout


@pytest.mark.parametrize(
    ("old", "new", "check", "code"),
    [
        ("self.leave(functional.gelu(seen + mixed))", "self.leave(functional.gelu(seen + mixed)).double()", "MODEL-029", 1),
        (
            "self.columns = nn.Linear(config.N, config.N)",
            "self.columns = nn.Linear(config.N, config.N).requires_grad_(False)",
            "MODEL-034",
            0,
        ),
        ("seen = functional.gelu(self.enter(patterns))", "seen = self.enter(patterns - patterns.mean(0))", "MODEL-031", 1),
    ],
    ids=["double", "frozen", "mean-of-the-batch"],
)
def test_a_strangers_fault_is_found_and_its_network_named(tmp_path: Path, old: str, new: str, check: str, code: int) -> None:
    """A frozen layer is the network's own affair; the rest is not."""
    assert old in fence("python")
    env = installed(tmp_path / "site", lambda module: module.replace(old, new))

    done = process.run([*RUN, "-k", check, "--output", str(tmp_path / "reports")], env=env, cwd=tmp_path, timeout=600)

    assert done.returncode == code, done.output
    assert code == 0 or (f"✗ {check}" in done.stdout and "mixer" in done.stdout)


def test_a_strangers_network_is_trained_opened_and_missed(tmp_path: Path) -> None:
    """By the commands; and where its package is gone, one line says so."""
    env, command = installed(tmp_path / "site"), [sys.executable, "-m", "reference_impl"]
    scan, small = tmp_path / "sim" / "train.npz", ["--size", "128", "--patterns", "16", "--test-patterns", "4"]
    infer = [
        *command,
        "infer",
        "--model-path",
        "run",
        "--test-data",
        str(scan),
        "--output-dir",
        "picture",
        "--accelerator",
        "cpu",
    ]
    train = ["--architecture", "mixer", "--max-epochs", "1", "--gridsize", "1", "--accelerator", "cpu", "--quiet"]
    steps = [
        [*command, "simulate", "--output-dir", "sim", *small],
        [*command, "train", "--train-data-file", str(scan), "--output-dir", "run", *train],
        infer,
    ]

    done = [process.run(step, env=env, cwd=tmp_path, timeout=600) for step in steps]
    alone = process.run(infer, env={"PYTHONPATH": str(ROOT)}, cwd=tmp_path, timeout=600)

    assert [one.returncode for one in done] == [0, 0, 0], done[-1].output
    assert np.isfinite(np.load(tmp_path / "picture" / "reconstruction.npz")["object"]).all()
    assert alone.returncode == 1 and len(alone.stderr.splitlines()) == 1 and "'mixer'" in alone.stderr


@pytest.mark.parametrize(
    ("module", "said"),
    [
        ("import no_such_package\n", "ModuleNotFoundError: No module named 'no_such_package'"),
        ("class Mixer(:\n", "SyntaxError"),
        ("other = 1\n", "AttributeError"),
        ("raise RuntimeError('no licence')\n", "RuntimeError: no licence"),
    ],
    ids=["import", "syntax", "name", "anything"],
)
def test_a_package_that_cannot_be_imported_is_one_line(tmp_path: Path, module: str, said: str) -> None:
    env = installed(tmp_path / "site", lambda code: module)
    code = (
        "from reference_impl import model; from reference_impl.config import ModelConfig; print(model.makeable_architectures());"
        "model.create_network(ModelConfig(architecture='mixer'))"
    )

    done = process.run([sys.executable, "-c", code], env=env, cwd=tmp_path)

    assert "mixer" not in done.stdout and "cnn" in done.stdout
    last = done.stderr.splitlines()[-1]
    assert f"architecture: expected a package that brings 'mixer' (my_network:Mixer), found {said}" in last


def test_the_projects_own_plug_is_where_pyproject_says() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    module, _, name = project["entry-points"]["reference_impl.architectures"]["fno"].partition(":")
    tree = ast.parse((ROOT / Path(*module.split("."))).with_suffix(".py").read_text(encoding="utf-8"))

    assert name in {node.name for node in tree.body if isinstance(node, ast.ClassDef)}
    assert any(one.startswith("neuraloperator") for one in project["optional-dependencies"]["fno"])
