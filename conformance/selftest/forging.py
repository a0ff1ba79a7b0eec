"""What a forger does to a submission, and what a stranger puts into its folder: every digest is computed anew."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from conformance.evidence import report as reports
from conformance.evidence import submission
from conformance.evidence.submission import ENVIRONMENT, LIMITS, LOG, MANIFEST, REPORT, STATEMENT
from conformance.evidence.verdict import exit_code, verdicts

Lines = list[dict[str, Any]]
STEP = {"tier": "Trains", "means": "it trains", "reached": True, "waits": {}}
BACKEND = """\
from conformance.selftest.fakes import Pure


class Backend(Pure):
    def translate(self, images, offsets):
        return images + (offsets[0, 0] == 3)  # wrong for one case of four
"""
NEWER = """\
from dataclasses import replace

import mine


class Backend(mine.Backend):
    def info(self):
        return replace(super().info(), version="9")
"""


def forged(files: dict[str, bytes], edit: Callable[[Lines], Any], honest: bool = True) -> dict[str, bytes]:
    """The files after `edit` of the report's lines, every digest computed anew; `honest`: the footer's sums and verdicts too."""
    lines: Lines = [json.loads(line) for line in files[REPORT].decode().splitlines()]
    edit(lines)
    texts = [reports.encode(line) for line in lines[:-1]]
    report = reports.assemble(texts)
    sums = {"equation": reports.equation(report.plan, report.states())} if honest else {}
    sums |= {"verdicts": [one.plain() for one in verdicts(report)], "exit": exit_code(report)} if honest else {}
    footer = reports.encode(lines[-1] | sums | {"sha256": reports.digest(texts)})
    closed = reports.assemble([*texts, footer])
    words = json.loads(files[STATEMENT])["words"]
    told = {REPORT: "".join([*texts, footer]).encode(), LOG: resealed(files[LOG], closed)}
    told |= {ENVIRONMENT: submission._encode(submission._environment(closed.header))}
    return repacked(files | told | {STATEMENT: submission._encode(submission._statement(closed.header, words))})


def repacked(files: dict[str, bytes]) -> dict[str, bytes]:
    """Files under a manifest that a forger wrote for them, without asking whether they close."""
    lines = [json.loads(line) for line in files[REPORT].splitlines()]
    told = json.loads(files[MANIFEST]) | {"report": lines[-1].get("sha256"), "device": lines[0].get("device")}
    told["verdicts"] = {one["profile"]: one["verdict"] for one in lines[-1].get("verdicts", ())}
    told["files"] = {name: submission._entry(files[name]) for name in LIMITS if name != MANIFEST}
    told["sha256"] = hashlib.sha256(submission._encode({key: told[key] for key in told if key != "sha256"})).hexdigest()
    return files | {MANIFEST: submission._encode(told)}


def resealed(log: bytes, report: reports.Report) -> bytes:
    """The log with a seal of its own, and the exit code that a report says."""
    code = report.footer["exit"] if report.footer else 6
    body = log[: log.rfind(b"\n# exit=") + 1]
    return body + f"# exit={code} seconds=1.0 sha256={hashlib.sha256(body).hexdigest()}\n# conform={code}\n".encode()


def first(lines: Lines, **wanted: Any) -> dict[str, Any]:
    return next(line for line in lines if wanted.items() <= line.items())


def red(lines: Lines) -> dict[str, Any]:
    return first(lines, state="fail")


def block(lines: Lines) -> None:
    """The failure blocked by a check that passed."""
    lines.insert(-1, {"kind": "blocked", "check": red(lines)["check"], "by": [lines[2]["check"]], "was": "fail"})


def weaken(lines: Lines) -> None:
    """The clause that fails as if nobody had to keep it."""
    lines[0]["clauses"]["PHYS-001~1"].update(level="MAY", profiles={"core": "optional"})


def deselect(lines: Lines) -> None:
    """The failure left out of the run."""
    gone = red(lines)
    lines[1]["deselected"][gone["check"]] = lines[1]["collected"].pop(gone["check"])
    lines.remove(gone)


def undeclare(lines: Lines) -> None:
    """The failure left out of the suite."""
    gone = red(lines)
    lines[1]["here"].remove(gone["check"])
    del lines[1]["collected"][gone["check"]]
    lines.remove(gone)


def invented(lines: Lines) -> None:
    """A pass that somebody made up, consistently."""
    line = first(lines, state="fail")
    line.update(state="pass", message="", observations=first(lines, state="pass")["observations"])
    del line["stop"]


def link(folder: Path) -> None:
    (folder / LOG).rename(folder.parent / "elsewhere")
    (folder / LOG).symlink_to(folder.parent / "elsewhere")


def pipe(folder: Path) -> None:
    (folder / LOG).unlink()
    os.mkfifo(folder / LOG)


def huge(folder: Path) -> None:
    os.truncate(folder / REPORT, 1 << 40)


def room(folder: Path) -> None:
    (folder / LOG).unlink()
    (folder / LOG).mkdir()
