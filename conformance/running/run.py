"""`conform run`: the suite in a child process, everything tee'd, the exit code taken from the report.

The child may die without taking the verdict with it: a report that does not close is incomplete (6), never green.
"""

from __future__ import annotations

import json
import os
import platform
import re
import shlex
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from conformance.connectors import warm
from conformance.connectors.process import INTERPRETER, QUIET
from conformance.evidence import checkout
from conformance.evidence import report as reports
from conformance.running.teeing import Log, Watch, tee, unwatched
from conformance.running.workers import enough
from conformance.specification.bindings import default_suite
from conformance.specification.choosing import Choice
from conformance.specification.texts import named, said

# A worker that a backend takes down is replaced; this many times, then the rest of the suite is given up (exit 6).
RESTARTS = 32
# Hypothesis works without its plug-in, which imports all of it into every process (0.8 s each).
PLUGINS = (
    "conformance.plugin",
    "syrupy",
    "no:cacheprovider",
    "no:hypothesispytest",
    "no:unraisableexception",
    "no:threadexception",
)
REPRODUCE = "conformance.plugin.reproduce"


@dataclass(frozen=True, kw_only=True)
class Options:
    """What a run is asked for. `stamp` names the dated folder where several runs share one; `suite` and `specs` replace the
    built-in ones in the harness's own tests; `condition`: what the suite asks of itself is examined too; `release`: 1.0 or
    current; None: as the backend claims; `warm`: processes that checks start find the large libraries imported."""

    backend: str = "reference"
    device: str = "cpu"
    profiles: tuple[str, ...] = ()
    areas: tuple[str, ...] = ()
    levels: tuple[str, ...] = ()
    select: tuple[str, ...] = ()
    workers: int | None = None
    output: Path = Path("reports")
    label: str | None = None
    stamp: str | None = None
    patience: float = 600.0
    shuffle: int | None = None
    warm: bool = False
    expect: Path | None = None
    repro: bool = True
    condition: bool = True
    release: str | None = None
    suite: Path | None = None
    specs: Path | None = None


@dataclass(frozen=True)
class Ended:
    """A finished run: its folder, its code, the report as far as it goes, and why the code is not the report's own."""

    folder: Path
    code: int
    report: reports.Report | None
    trouble: str = ""


def command(options: Options, report: Path) -> list[str]:
    """The pytest command line. An accelerator is examined by one process, the CPU by one a core, a few tests by the child."""
    choice = Choice(options.areas, options.profiles, options.levels)
    fitting = enough(options.device, choice, options.select, options.suite, options.specs)
    workers = options.workers if options.workers is not None else fitting
    argv = [sys.executable, "-m", "pytest", "-q", "--tb=short", "-rN", "--disable-warnings", "--assert=plain"]
    argv += [part for name in (*PLUGINS, *["xdist"] * bool(workers), *[REPRODUCE] * options.repro) for part in ("-p", name)]
    # A check that hangs takes its worker with it: a crash of that check alone, instead of a run without end.
    argv += ["-o", f"faulthandler_timeout={options.patience:g}", "-o", "faulthandler_exit_on_timeout=true"]
    argv += ["--backend", options.backend, "--device", options.device, "--report", str(report)]
    argv += [part for name in options.profiles for part in ("--profile", name)]
    argv += [part for area in options.areas for part in ("--area", area)]
    argv += [part for level in options.levels for part in ("--level", level)]
    argv += [part for pattern in options.select for part in ("--select", pattern)]
    argv += ["--shuffle", str(options.shuffle)] if options.shuffle is not None else []
    argv += [] if options.condition else ["--without-own"]
    given = {"--expect": options.expect, "--release": options.release, "--suite": options.suite, "--specs": options.specs}
    argv += [part for flag, value in given.items() if value for part in (flag, str(value))]
    argv += ["-n", str(workers), "--dist=worksteal", f"--max-worker-restart={RESTARTS}"] if workers else []
    return [*argv, str(options.suite or default_suite())]


def now() -> str:
    """The name of a dated folder."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H%M%SZ")


def folder_for(options: Options) -> Path:
    """A new folder `<output>/<UTC>/<label>`."""
    label = options.label or f"{re.sub(r'[^A-Za-z0-9_.-]+', '-', options.backend)}-{options.device}"
    stamp = options.stamp or now()
    names = [label, *(f"{label}-{number}" for number in range(2, 1000))]
    folder = next(path for name in names if not (path := options.output / stamp / name).exists())
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise OSError(error.errno, f"{error.strerror}; expected a folder to write to (--output)", str(options.output)) from error
    return folder


def environment() -> dict[str, str]:
    """What a child that runs pytest finds: one thread, and nothing that somebody else (an xdist worker, too) has for pytest."""
    foreign = ("PYTEST_XDIST_", "PYTEST_ADDOPTS", "PYTEST_PLUGINS")
    outer = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return {**outer, **QUIET, "CUBLAS_WORKSPACE_CONFIG": ":4096:8", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}


@contextmanager
def started(warmed: bool) -> Iterator[dict[str, str]]:
    """The environment of a run; with `warmed` it names an interpreter that has the large libraries, as long as this lasts."""
    if not warmed:
        yield environment()
        return
    with warm.interpreter() as stub:
        yield {**environment(), INTERPRETER: stub}


def run(options: Options, watch: Watch = unwatched) -> Ended:
    """Run the suite; leaves run.log and report.jsonl in the folder. `watch` sees the report grow and shows the child's lines."""
    folder = folder_for(options)
    target = folder / "report.jsonl"
    argv = command(options, target)
    header = [
        "conform run",
        f"argv      {shlex.join(argv)}",
        f"started   {datetime.now(UTC).isoformat(timespec='seconds')}",
        f"git       {checkout.told(checkout.state())}",
        f"python    {platform.python_version()} on {platform.platform()}",
        f"report    {target}",
    ]
    with started(options.warm) as env, watch(target) as show:
        code, words, lost = tee(argv, folder / "run.log", header, env=env, show=show)
    try:
        finish_the_dead(folder, code, options.repro)
    except OSError as error:
        lost = lost or said(named(error, target))
    ended = judge(folder, code, words)
    ended = replace(ended, code=6 if ended.code in (0, 1, 3) else ended.code, trouble=ended.trouble or lost) if lost else ended
    Log(folder / "run.log").keep(f"# conform={ended.code}{f' ({ended.trouble})' if ended.trouble else ''}\n")
    return ended


def finish_the_dead(folder: Path, code: int, repro: bool) -> None:
    """A check that took the report's process with it gets its line: a crash. The report stays open."""
    ready, path = folder / reports.RUNNING, folder / "report.jsonl"
    if not ready.is_file():
        return
    words, text = ready.read_text(encoding="utf-8"), path.read_text(encoding="utf-8")
    ready.unlink()
    told = [json.loads(line) for line in text.splitlines()[1:]] if text.endswith("\n") else None
    if told is None or not words.endswith("\n"):
        return  # killed while it wrote: half a line is no evidence, and nothing is put behind it
    line = json.loads(words)
    if any(other["kind"] == "footer" or other.get("check") == line["check"] for other in told):
        return
    if repro:
        from conformance.repro import shelf  # late: `diff` and `ledger` need no NumPy

        line |= shelf.of_the_dead(folder, line["check"], line["message"].rpartition("  repeat    ")[2])
    how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
    with path.open("a", encoding="utf-8") as stream:
        stream.write(reports.encode(line | {"message": line["message"].replace(reports.HOW, how)}))


def judge(folder: Path, code: int, words: str) -> Ended:
    """The run's own exit code: the report's, unless it does not close or the process did not end as the report says."""
    path = folder / "report.jsonl"
    text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    try:
        report = reports.read(text)
    except reports.ReportError as error:
        return _unclosed(folder, code, words, text, f"{type(error).__name__}: {error}")
    promised = report.footer["exit"] if report.footer else None
    if code != promised:
        return Ended(folder, 6, report, f"the report says {promised}, the process ended with {code}")
    return Ended(folder, code, report)


def _unclosed(folder: Path, code: int, words: str, text: str, why: str) -> Ended:
    """Before there was a plan, pytest's own words decide (a usage error is 4); after it, the run is incomplete."""
    try:
        partial = reports.assemble(text.splitlines(keepends=True))
    except reports.ReportError:
        partial = None
    planned = partial is not None and bool(partial.plan["collected"] or partial.plan["deselected"])
    spoken = {
        2: "Interrupted" in words or "KeyboardInterrupt" in words,
        3: "INTERNALERROR" in words,
        4: "ERROR: " in words,
        5: "no tests ran" in words and "node down: " not in words,
    }
    if code in (-2, 130) or (code == 2 and spoken[2]):
        return Ended(folder, 2, partial, why)
    if not planned and spoken.get(code):
        return Ended(folder, code, partial, _complaint(words) if code == 4 else _internal(words) or why)
    why = _internal(words) or why
    early = "" if text else ", before the backend had said who it is"
    return Ended(folder, 6, partial, f"{why}; the process ended with {code}{early}")


def _complaint(words: str) -> str:
    """What a usage error says: the lines behind `ERROR: `, without pytest's own marks."""
    _, _, complaint = words.partition("ERROR: ")
    return "\n".join(line.removeprefix("ERROR: ") for line in complaint.strip().splitlines() if line.strip())


def _internal(words: str) -> str:
    """The last line of an error inside pytest or the harness, or why it gave up; empty where there was none."""
    if given_up := re.search(r"^!+ (?:_pytest\.outcomes\.)?Exit: (.*?) !+$", words, re.MULTILINE):
        return given_up[1]
    told = [line.removeprefix("INTERNALERROR>").strip() for line in words.splitlines() if line.startswith("INTERNALERROR>")]
    told = [line for line in told if line]
    return told[-1] if told else ""
