"""A house under git, for the tests of the ledger: what was committed, planted and mended is really so."""

from __future__ import annotations

import contextlib
import io
import subprocess
import sys
from pathlib import Path

from conformance.cli import main
from conformance.connectors import process
from conformance.evidence import ledger_file
from conformance.evidence.ledger import Ledger
from conformance.selftest.house import House

BACKEND = "mine:Backend"
SOUND = """\
from conformance.selftest.fakes import Pure


class Backend(Pure):
    shift = 0

    def translate(self, images, offsets):
        return images + self.shift
"""


def planted(word: str) -> str:
    """The backend with one line changed: `shift = 1` is wrong everywhere, `raise` crashes."""
    return SOUND.replace("shift = 0", "shift = 1") if word == "shift" else SOUND.replace("return images", "raise KeyError")


def write(house: House, text: str) -> None:
    """The backend's module."""
    (house.root / "mine.py").write_text(text, encoding="utf-8")


def git(house: House, *words: str) -> None:
    """One git command in the house, with a name of its own."""
    who = ["-c", "user.name=tester", "-c", "user.email=tester@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *who, *words], cwd=house.root, check=True, capture_output=True)


def commit(house: House) -> None:
    """All of the house, reports aside; the first commit makes the repository."""
    if not (house.root / ".git").exists():
        git(house, "init", "-q")
        (house.root / ".gitignore").write_text("reports/\n__pycache__/\n", encoding="utf-8")
    git(house, "add", "-A")
    git(house, "commit", "-q", "-m", "state")


def conform(house: House, *arguments: str) -> process.Completed:
    """`conform` in the house, with its specification and suite, on the backend of `mine.py`; checks run in one process."""
    asked = ["--specs", str(house.specs), "--suite", str(house.suite), *arguments]
    asked += ["--backend", BACKEND] if arguments[:2] != ("ledger", "add") else []
    if arguments[0] == "ledger":
        return _here(house, asked)
    env = {"CONFORM_DRAFT": None, "CI": None, "PYTHONPATH": str(house.root), "PYTHONDONTWRITEBYTECODE": "1"}
    argv = [sys.executable, "-m", "conformance", *asked, "--workers", "0"]
    return process.run(argv, cwd=house.root, env=env, timeout=120)


def _here(house: House, asked: list[str]) -> process.Completed:
    """The command line in this process: half a second less."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.chdir(house.root), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(asked)
    return process.Completed(tuple(asked), code, out.getvalue(), err.getvalue())


def ledger(house: House) -> Ledger:
    """The house's ledger, verified."""
    return ledger_file.read(ledger_path(house))


def ledger_path(house: House) -> Path:
    """Where it lies."""
    return ledger_file.file_for(house.root / "reports", BACKEND)
