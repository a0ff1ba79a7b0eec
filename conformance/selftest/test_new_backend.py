"""A new backend's package: whole or not at all, made from the protocol, and red without an error at its first run."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import os
import subprocess
import sys
import tomllib
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from conformance import protocol
from conformance.cli import main, scaffold
from conformance.connectors import names, process
from conformance.connectors.names import SURFACES, claimed, methods_of
from conformance.evidence import expectations, report
from conformance.protocol import BackendInfo

CONFORM = (sys.executable, "-m", "conformance")
JOBS = (".github/workflows/conform.yml", ".gitlab-ci.yml")
EVERY = tuple(word for profile in sorted(set(scaffold.ONLY_IN.values())) for word in ("--profile", profile))
PLACES = {"pyproject.toml", "README.md", "noxfile.py", "mine/__init__.py", "mine/adapter.py", "expectations/mine.toml", *JOBS}


def made(folder: Path, name: str = "mine", *words: str) -> Path:
    """The package in a folder."""
    assert main(["new-backend", name, "--to", str(folder), *words]) == 0
    return folder / name


def adapter(folder: Path, *words: str) -> ModuleType:
    """The adapter's module."""
    spec = importlib.util.spec_from_file_location("made_adapter", made(folder, "mine", *words) / "mine" / "adapter.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def left(folder: Path) -> list[str]:
    """Everything below a folder."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


# -- what is written -----------------------------------------------------------------------------------------------------------


def test_the_package_is_whole_and_readable(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = made(tmp_path)
    assert {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()} == PLACES
    assert root.stat().st_mode & 0o777 == 0o755 and left(tmp_path)[0] == "mine", "no temporary folder is left"
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["entry-points"] == {names.ENTRY_POINTS: {"mine": "mine.adapter:Backend"}}
    assert expectations.parse((root / "expectations" / "mine.toml").read_text(encoding="utf-8"), date(2026, 1, 1)).entries == ()
    page = (root / "README.md").read_text(encoding="utf-8")
    assert "conform run --backend mine.adapter:Backend" in page and 20 < len(page.splitlines()) < 60
    tree = ast.parse((root / "noxfile.py").read_text(encoding="utf-8"))
    sessions = [node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.decorator_list]
    assert sessions == ["conform"]
    assert capsys.readouterr().out.splitlines()[-1] == f"next: cd {root} && conform run --backend mine.adapter:Backend"


def test_the_example_of_an_expectation_is_one(tmp_path: Path) -> None:
    """The comment in the file, uncommented, is an entry."""
    text = (made(tmp_path) / "expectations" / "mine.toml").read_text(encoding="utf-8")
    example = text[text.index("# [") :]
    found = expectations.parse("\n".join(line.removeprefix("# ") for line in example.splitlines()), date(2026, 1, 1))
    assert [entry.state for entry in found.entries] == ["fail"]


def test_every_method_of_every_surface_says_that_it_is_not_written(tmp_path: Path) -> None:
    backend = adapter(tmp_path, "--profile", "core", *EVERY).Backend(device="cpu")
    assert isinstance(backend.info(), BackendInfo) and (backend.info().name, backend.info().distribution) == ("mine", "mine")
    assert claimed(backend) == {surface: list(methods_of(surface)) for surface in SURFACES}
    for surface in SURFACES:
        for method in methods_of(surface):
            if method == "info":
                continue
            found = getattr(backend, method)
            needed = [p for p in inspect.signature(found).parameters.values() if p.default is p.empty and p.kind < 4]
            names = {p.name: None for p in needed if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)}
            with pytest.raises(NotImplementedError, match=f"^surface {surface}: {method}$"):
                found(**names)


def test_the_signatures_are_the_protocols(tmp_path: Path) -> None:
    backend = adapter(tmp_path, *EVERY).Backend
    for surface, declared in SURFACES.items():
        for method in methods_of(surface):
            mine, theirs = getattr(backend, method), getattr(declared, method)
            assert inspect.signature(mine) == inspect.signature(theirs), method
            if theirs.__doc__:
                assert inspect.getdoc(mine) == inspect.getdoc(theirs) or method == "info"


def test_a_surface_that_comes_new_is_there_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The package is made from the protocol as it is; annotations bring their imports along."""
    source = Path(protocol.__file__).read_text(encoding="utf-8")
    source = source.replace("from pathlib import Path\n", "from pathlib import Path, PurePath\n")
    new = '    def probe_of(self, path: PurePath = "x", *, loud: bool = False) -> Native:\n        """New."""\n\n'
    source = source.replace("    def record(self", f"{new}    def record(self", 1)
    changed = tmp_path / "protocol.py"
    changed.write_text(source, encoding="utf-8")
    monkeypatch.setattr(protocol, "__file__", str(changed))
    text = scaffold.files("mine", ("core",))["mine/adapter.py"]
    assert "from pathlib import Path, PurePath\n" in text and 'profiles=("core",),' in text
    assert new.rstrip("\n") + '\n        raise NotImplementedError("surface data: probe_of")\n' in text


def test_the_adapter_is_formatted(tmp_path: Path) -> None:
    """Nobody's first commit should be a reformatting; ruff is the project's own."""
    root = made(tmp_path)
    for words in (("check", "--select", "E,F,I"), ("format", "--check")):
        argv = [sys.executable, "-m", "ruff", *words, "--isolated", "--line-length", "130", str(root)]
        done = subprocess.run(argv, capture_output=True, text=True, cwd=root)
        assert done.returncode == 0, done.stdout + done.stderr


# -- what is refused -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["folder", "file", "dangling link"])
def test_what_is_there_is_left_as_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str) -> None:
    target = tmp_path / "mine"
    {"folder": target.mkdir, "file": target.touch, "dangling link": lambda: target.symlink_to("nowhere")}[kind]()
    assert main(["new-backend", "mine", "--to", str(tmp_path)]) == 4
    told = capsys.readouterr()
    assert told.out == "" and told.err == f"refused: {target}: expected nothing there, found something; it was left as it is\n"
    assert left(tmp_path) == ["mine"] and target.is_symlink() is (kind == "dangling link")


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("Mine", "expected a name for a package"), ("my-backend", "expected a name for a package"), ("", "expected a name for"),
        ("../mine", "expected a name for a package"), ("class", "expected a name for a package"),
        ("json", "expected a name of its own"), ("conformance", "expected a name of its own"),
        ("reference", "expected a name of its own"), ("pytest", "found a package that is installed here"),
    ],
)  # fmt: skip
def test_a_name_that_is_none_or_taken_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, why: str) -> None:
    assert main(["new-backend", name, "--to", str(tmp_path)]) == 4
    told = capsys.readouterr().err
    assert told.startswith(f"refused: {name}: ") and why in told and len(told.splitlines()) == 1
    assert left(tmp_path) == []


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["new-backend", "mine", "--to", str(tmp_path / "gone")]) == 4
    assert capsys.readouterr().err == f"refused: {tmp_path / 'gone'}: expected a folder, found none\n"
    assert left(tmp_path) == []


@pytest.mark.parametrize("step", ["fsync", "rename"])
def test_a_write_that_breaks_leaves_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(*{"fsync": (os, "fsync"), "rename": (Path, "rename")}[step], full)
    assert main(["new-backend", "mine", "--to", str(tmp_path)]) == 4
    assert capsys.readouterr().err == f"refused: {tmp_path / 'mine'}: No space left on device; nothing was written\n"
    assert left(tmp_path) == []


# -- its first run -------------------------------------------------------------------------------------------------------------


def test_the_first_run_is_red_without_an_error(tmp_path: Path) -> None:
    """On the suite itself, from the package's folder; a part of each kind: numbers, files, registries, commands, refusals."""
    root = made(tmp_path)
    argv = [*CONFORM, "run", "--backend", "mine.adapter:Backend", "--workers", "0", "--output", str(tmp_path / "reports")]
    argv += [
        "--expect",
        "expectations/mine.toml",
        *(p for name in ("PHYS-002:far", "DATA-001", "CONFIG-012", "CLI-002") for p in ("-k", name)),
    ]
    done = process.run(argv, cwd=root, env={"CONFORM_DRAFT": None, "CI": None})
    assert done.returncode == 1, done.output
    found = report.read(next((tmp_path / "reports").rglob("report.jsonl")).read_text(encoding="utf-8"))
    states = set(found.states().values())
    assert states <= {"fail", "crash", "blocked"} and "crash" in states and len(found.states()) > 20
    assert "core on cpu: NON-CONFORMANT" in done.stdout
    words = [line["message"] for line in found.results if line["check"].startswith("PHYS-002:")]
    assert words and all("NotImplementedError: surface physics: diffract" in message for message in words)


def test_an_installed_package_is_found_by_its_name(tmp_path: Path) -> None:
    """The metadata is what an installation of the package leaves."""
    root = made(tmp_path)
    info = root / "mine-0.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: mine\nVersion: 0.1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text(f"[{names.ENTRY_POINTS}]\nmine = mine.adapter:Backend\n", encoding="utf-8")
    code = "from conformance.connectors import resolve; print(resolve.made('mine').info().name); resolve.resolve('yours')"
    done = process.run([sys.executable, "-c", code], env={"PYTHONPATH": str(root)}, cwd=tmp_path)
    assert (
        done.stdout == "mine\n"
        and "backend 'yours' is neither one of" in done.stderr
        and ", mine (built in, or an entry point" in done.stderr
    )


def test_writing_it_needs_no_framework(tmp_path: Path) -> None:
    argv = [*CONFORM, "new-backend", "mine", "--to", str(tmp_path)]
    assert process.block_imports(argv, ("torch", "lightning", "h5py", "matplotlib")).returncode == 0


# -- what is claimed -----------------------------------------------------------------------------------------------------------


def test_it_claims_what_was_asked_for_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    info = adapter(tmp_path).Backend().info()
    assert (info.profiles, info.surfaces) == (("core",), ())
    assert "claims core (--profile and --surfaces claim otherwise)" in capsys.readouterr().out


def test_surfaces_and_methods_are_written_alone(tmp_path: Path) -> None:
    module = adapter(tmp_path, "--profile", "reconstruct", "--surfaces", "inference", "physics.diffract")
    info = module.Backend().info()
    assert (info.profiles, info.surfaces) == (("reconstruct",), ("inference", "physics.diffract"))
    found = {surface: methods for surface, methods in claimed(module.Backend()).items() if methods}
    assert found == {"describe": ["info"], "physics": ["diffract"], "inference": ["stitch", "reconstruct"]}


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--surfaces", "physcs"), "refused: --surfaces 'physcs', which is neither a surface nor a method of one; near: physics"),
        (("--profile", "cor"), "refused: --profile cor: no such profile; near: core"),
    ],
)
def test_what_is_no_surface_or_profile_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], why: str
) -> None:
    assert main(["new-backend", "mine", "--to", str(tmp_path), *words]) == 4
    assert capsys.readouterr().err.startswith(why) and left(tmp_path) == []
