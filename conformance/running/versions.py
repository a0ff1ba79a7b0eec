"""The versions of a backend, from its repository or from a package index, each laid into a tree of its own.

A repository is only read (`git log`, `git ls-tree`, `git archive`): it may be bare, and nothing is checked out in it.
"""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from conformance.connectors.process import PACKAGE

SHORT = 10
"""Digits of a commit that name its folder; git itself shows seven and more."""


class NoHistory(LookupError):
    """There are no versions, or one that cannot be laid out: what was asked for, what was found, what to do."""


@dataclass(frozen=True)
class Version:
    """A commit, or a release; `date` (ISO) is empty where nobody tells it."""

    name: str
    date: str = ""

    @property
    def short(self) -> str:
        """As a folder is called."""
        whole = len(self.name) == 40 and all(digit in "0123456789abcdef" for digit in self.name)
        return self.name[:SHORT] if whole else self.name


class Versions(Protocol):
    """Where versions come from. `label` is how people call it, without any path."""

    label: str

    def listed(self) -> list[Version]:
        """All of them, the oldest first."""

    def lay(self, version: Version, folder: Path) -> list[Path]:
        """Put a version into an empty folder; returns what belongs on the path of an interpreter."""


@dataclass(frozen=True)
class Commits:
    """The first parents of a branch; of the tree only some of its folders, where they are named, and never those of `without`."""

    repository: Path
    branch: str = "HEAD"
    only: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    called: str = ""

    @property
    def label(self) -> str:
        """As it is called; else the last word of the origin's address, else the folder's name."""
        if self.called:
            return self.called
        told = _git(self.repository, "config", "--get", "remote.origin.url", fine=(0, 1)).decode().strip()
        return Path(told or self.repository.resolve().name).name.removesuffix(".git")

    def listed(self) -> list[Version]:
        """Commits with the day on which they were committed."""
        told = _git(self.repository, "log", "--first-parent", "--reverse", "--format=%H %cs", self.branch, "--")
        return [Version(*line.split()) for line in told.decode().splitlines()]

    def lay(self, version: Version, folder: Path) -> list[Path]:
        """The tree of a commit, without links that lead out of it."""
        there = _git(self.repository, "ls-tree", "-z", "--name-only", version.name, *self.only).decode().split("\0")
        taken = [name for name in there if name]
        if not taken:
            raise NoHistory(f"{version.short}: has none of {', '.join(self.only)}")
        wanted = [*(taken if self.only else ()), *(f":(exclude){name}" for name in self.without)]
        packed = _git(self.repository, "archive", "--format=tar", version.name, "--", *wanted)
        _unpacked(packed, folder)
        inner = folder / "src"
        return [folder, *[inner] * inner.is_dir()]


@dataclass(frozen=True)
class Releases:
    """The releases of a distribution that pip finds; each is installed without what it needs, which the environment has."""

    distribution: str
    python: str

    @property
    def label(self) -> str:
        """The distribution."""
        return self.distribution

    def listed(self) -> list[Version]:
        """As `pip index versions` tells them: those that fit this Python."""
        found = re.search(r"^Available versions: (.+)$", self._pip("index", "versions", self.distribution), re.MULTILINE)
        if not found:
            raise NoHistory(f"pip index versions {self.distribution}: expected a line `Available versions: …`, found none")
        return [Version(name) for name in reversed(found[1].split(", "))]

    def lay(self, version: Version, folder: Path) -> list[Path]:
        """One release, as pip installs it into a folder."""
        self._pip("install", "--no-deps", "--target", str(folder), f"{self.distribution}=={version.name}")
        return [folder]

    def _pip(self, *words: str) -> str:
        argv = [self.python, "-m", "pip", "--disable-pip-version-check", *words]
        done = subprocess.run(argv, capture_output=True, text=True, encoding="utf-8", errors="replace")
        if done.returncode != 0:
            last = (done.stderr.strip().splitlines() or ["without a word"])[-1]
            raise NoHistory(f"pip {words[0]} {self.distribution}: {last} ({self.python})")
        return done.stdout


def chosen(found: Sequence[Version], last: int | None, since: str, until: str) -> list[Version]:
    """The newest `last`, or those from one day to another. Raises `NoHistory` where none is left."""
    taken = [one for one in found if (not since or one.date >= since) and (not until or one.date <= until)]
    if (since or until) and any(not one.date for one in found):
        raise NoHistory("--since and --until need days, and releases have none here; use --last")
    taken = taken[-last:] if last else taken
    if not taken:
        days = f"; they lie from {found[0].date} to {found[-1].date}" if found and found[0].date else ""
        raise NoHistory(f"none of {len(found)} versions was asked for{days}")
    return taken


def environment(base: str, paths: Sequence[Path], folder: Path) -> Path:
    """An interpreter that finds a version first, and all else in the environment of `base`, which is left as it is.

    Raises `NoHistory` where a package of the version would be taken from somewhere else.
    """
    _run([base, "-m", "venv", "--without-pip", str(folder)], "the environment")
    sites = json.loads(_run([base, "-c", "import json, site; print(json.dumps(site.getsitepackages()))"], base))
    (place,) = folder.glob("lib/*/site-packages")
    lines = [*(str(path.resolve()) for path in paths), *sites]
    (place / "version.pth").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    python = folder / "bin" / "python"
    _own(python, paths)
    return python


ASK = """\
import importlib.util, json, sys
found = {name: getattr(importlib.util.find_spec(name), "origin", None) for name in sys.argv[1:]}
print(json.dumps(found))
"""


def _own(python: Path, paths: Sequence[Path]) -> None:
    """Every package of the version is found in the version: a folder on PYTHONPATH could stand before it."""
    packages = {
        init.parent.name: path for path in paths for init in path.glob("*/__init__.py") if init.parent.name.isidentifier()
    }
    environment = {**os.environ, "PYTHONPATH": _others()}
    told: Mapping[str, str | None] = json.loads(_run([str(python), "-c", ASK, *packages], "the environment", environment))
    for name, path in packages.items():
        if not Path(told[name] or "/").is_relative_to(path.resolve()):
            raise NoHistory(
                f"the package {name} would be taken from {told[name]} instead of this version; take it off PYTHONPATH"
            )


def _others() -> str:
    """PYTHONPATH as a backend's process gets it: without the harness's own folder (`connectors.far.connection`)."""
    parts = [part for part in os.environ.get("PYTHONPATH", "").split(os.pathsep) if part and Path(part) != PACKAGE.parent]
    return os.pathsep.join(parts)


def _run(argv: Sequence[str], what: str, env: Mapping[str, str] | None = None) -> str:
    done = subprocess.run(list(argv), capture_output=True, text=True, encoding="utf-8", errors="replace", env=env, cwd="/")
    if done.returncode != 0:
        raise NoHistory(f"{what} cannot be made: {(done.stderr.strip().splitlines() or ['without a word'])[-1]}")
    return done.stdout


def _git(repository: Path, *words: str, fine: Sequence[int] = (0,)) -> bytes:
    """What git says of a repository. Raises `NoHistory` with its last words."""
    try:
        done = subprocess.run(["git", "-C", str(repository), *words], capture_output=True)
    except OSError as error:
        raise NoHistory(f"git: {error.strerror}; a history needs git") from error
    if done.returncode not in fine:
        last = (done.stderr.decode(errors="replace").strip().splitlines() or ["without a word"])[-1]
        remedy = "; --only and --without FOLDER take a part of the tree" if words[0] == "archive" else ""
        raise NoHistory(f"{repository}: git {words[0]}: {last}{remedy}")
    return done.stdout


def _unpacked(packed: bytes, folder: Path) -> None:
    """A tar archive, as data: nothing outside of the folder, no devices, no rights beyond one's own."""
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        archive.extractall(folder, filter="data")
