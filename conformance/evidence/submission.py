"""A submission: the evidence of one whole run in five files whose digests close. Pure: from texts to files, and to what is wrong.

`submission.json` holds the digest of each other file and its own; made twice from one run it is the same, byte for byte.
What digests can see: any change that does not compute them anew. What the rest can see: a verdict, a count or a pass that does
not follow from the lines, a check left out, other words than those of the specification here. What only a second run can see:
observations that somebody invented as a whole, consistently.
"""

from __future__ import annotations

import hashlib
import json
import math
import random
import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from conformance.evidence import report as reports
from conformance.evidence.closing import listed
from conformance.evidence.report import Line, Report, ReportError
from conformance.evidence.verdict import exit_code, required_checks, verdicts
from conformance.specification import releases
from conformance.specification.clauses import OWN, Specification
from conformance.specification.texts import counted, parsed

SCHEMA = 1
MANIFEST, REPORT, LOG, ENVIRONMENT, STATEMENT = "submission.json", "report.jsonl", "run.log", "environment.json", "statement.json"
LIMITS = {MANIFEST: 1 << 16, REPORT: 1 << 24, LOG: 1 << 24, ENVIRONMENT: 1 << 20, STATEMENT: 1 << 20}
"""The five files, and the most bytes of each. A whole run of 1,900 checks is a report of 1.3 MB and a log of 4 kB."""

BINDING = ("title", "area", "level", "profiles", "bounds", "gauge", "pending", "untestable", "digest", "unscored", "deprecated")
"""What of a clause in a report's header decides how a backend is judged by it."""

DEVICE = re.compile(r"[a-z]+(:[0-9]+)?")
PARTIAL = ("--select", "--area", "--level", "--expect", "--without-own", "--trials")
"""Options of a run that leave something out, as its log names them."""

_SEAL = re.compile(rb"# exit=(-?\d+) seconds=[0-9.]+ sha256=([0-9a-f]{64})\n((?:# [^\n]*\n)*)")
_CODE = re.compile(rb"^# conform=(\d+)\n", re.MULTILINE)


class BrokenSubmission(ReportError):
    """A submission that does not close."""


@dataclass(frozen=True)
class Declared:
    """What the suite here declares on the run's device: checks with their clauses' keys; `here`: what means something there."""

    checks: Mapping[str, list[str]]
    here: frozenset[str]


def packed(report: str, log: bytes, words: str) -> dict[str, bytes]:
    """The files of a submission, from a closed report, the run's log, and what its maintainers say of the backend."""
    header = reports.read(report).header
    files = {REPORT: report.encode(), LOG: log}
    files |= {ENVIRONMENT: _encode(_environment(header)), STATEMENT: _encode(_statement(header, words))}
    return {MANIFEST: _manifest(files), **files}


def check_digests(files: Mapping[str, bytes]) -> None:
    """Raise `BrokenSubmission` for the first file that is not the one of which the manifest holds size and digest."""
    told = _document(files[MANIFEST], MANIFEST)
    kept = told.get("files") if isinstance(told, dict) else None
    for name in (name for name in LIMITS if name != MANIFEST):
        if not isinstance(kept, dict) or kept.get(name) != _entry(files[name]):
            raise BrokenSubmission(f"{name} is not the file of which {MANIFEST} holds the digest: edited, cut or damaged")


def opened(files: Mapping[str, bytes]) -> Report:
    """The report of files whose digests and shapes are right, if all five say the same; else `ReportError`."""
    report = reports.read(_text(files[REPORT], REPORT))
    words = _document(files[STATEMENT], STATEMENT)
    words = words.get("words") if isinstance(words, dict) else None
    if not isinstance(words, str) or files[STATEMENT] != _encode(_statement(report.header, words)):
        raise BrokenSubmission(f"{STATEMENT} says something else of the backend than the report's header")
    if files[ENVIRONMENT] != _encode(_environment(report.header)):
        raise BrokenSubmission(f"{ENVIRONMENT} says something else than the report's header")
    if files[MANIFEST] != _manifest(files):
        raise BrokenSubmission(f"{MANIFEST} is not the one of these files: edited, or its own digest is not right")
    if not DEVICE.fullmatch(report.header["device"]):
        raise BrokenSubmission(f"the report's device is none: {report.header['device'][:40]!r}")
    return report


def identity(files: Mapping[str, bytes]) -> str:
    """The digest by which a submission is named: that of its manifest's file."""
    return hashlib.sha256(files[MANIFEST]).hexdigest()


def faults(
    files: Mapping[str, bytes], report: Report, spec: Specification, declared: Declared, tiers: Callable[[Report], list[Line]]
) -> list[str]:
    """Why a submission that closes is no evidence of a whole run under the specification here, a line each; empty: it is.

    `tiers` gives the steps that a report reaches by this specification. What the lines add up to is looked at only where they are
    those of this suite.
    """
    found, strange = [*_open(report)], [*_other_words(report, spec), *_absent(report, declared)]
    sums = [] if strange else [*_skipped(report), *_inconsistent(report, tiers(report)), *_unlike(files[LOG], report)]
    return [*found, *strange, *sums]


def drawn(report: Report, share: float, seed: int) -> list[str]:
    """The checks of a report to run again: this share of them, at least one, drawn from the seed."""
    checks = sorted(report.plan["collected"])
    return sorted(random.Random(seed).sample(checks, min(len(checks), math.ceil(share * len(checks)))))


def contradicted(submitted: Report, again: Report) -> list[str]:
    """`check: submitted as pass, fail here` for each check of a second run whose own result is another one."""
    before = {line["check"]: line["state"] for line in submitted.results}
    return [
        f"{line['check']}: submitted as {before.get(line['check'], 'absent')}, {line['state']} here"
        for line in again.results
        if before.get(line["check"], line["state"]) != line["state"]
    ]


# -- the files -----------------------------------------------------------------------------------------------------------------


def _encode(value: Any) -> bytes:
    return (json.dumps(value, ensure_ascii=True, allow_nan=False, indent=1) + "\n").encode()


def _entry(content: bytes) -> Line:
    return {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}


def _manifest(files: Mapping[str, bytes]) -> bytes:
    """submission.json: what was judged, by which words, and the digests; the last one is of all that stands above it."""
    report = reports.read(_text(files[REPORT], REPORT))
    header, footer = report.header, report.footer or {}
    told = {"schema": SCHEMA, "specification": header["lock"], "suite": header["suite"], "backend": header["backend"]["name"]}
    told |= {"version": header["backend"].get("version"), "device": header["device"]}
    told |= {"verdicts": {one["profile"]: one["verdict"] for one in footer["verdicts"]}, "report": footer["sha256"]}
    told |= {"files": {name: _entry(files[name]) for name in LIMITS if name != MANIFEST}}
    return _encode(told | {"sha256": hashlib.sha256(_encode(told)).hexdigest()})


def _environment(header: Line) -> Line:
    """Where the run was made, as its header says."""
    names = ("suite", "checkout", "python", "platform", "device", "libraries", "workers", "started")
    return {"schema": SCHEMA} | {name: header.get(name) for name in names}


def _statement(header: Line, words: str) -> Line:
    """What the backend says of itself, and what its maintainers say of it."""
    names = ("connection", "backend", "surfaces", "imports_audited")
    return {"schema": SCHEMA} | {name: header.get(name) for name in names} | {"words": words}


def _text(content: bytes, name: str) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise BrokenSubmission(f"{name}: expected text in UTF-8, found the byte 0x{content[error.start]:02x}") from error


def _document(content: bytes, name: str) -> Any:
    try:
        return parsed(_text(content, name))
    except ReportError:
        raise
    except ValueError as error:
        raise BrokenSubmission(f"{name}: expected JSON: {error}") from error


# -- what is wrong -------------------------------------------------------------------------------------------------------------


def _open(report: Report) -> Iterator[str]:
    """A run that was a selection, a draft, or made under a file of known failures; one that did not come to a verdict."""
    header, code = report.header, (report.footer or {}).get("exit")
    if header.get("select"):
        yield f"a part of the suite was selected ({listed(header['select'])}); submit a run without -k, --area and --level"
    if header.get("draft"):
        yield "the run was a draft (CONFORM_DRAFT), which is no evidence"
    if header.get("expectations") or report.expectations:
        yield "the run took known failures out of its result (--expect); submit one without that"
    if code not in (0, 1):
        yield f"the run ended with {code}, without a verdict on all that was asked; submit one that ended with 0 or 1"


def _other_words(report: Report, spec: Specification) -> Iterator[str]:
    """The header's clauses are those of the specification here, in all that decides a verdict, and so are its profiles."""
    told, judged = report.header["clauses"], report.header.get("release", "")
    release = releases.load(spec.folder).get(judged)
    if judged and release is None:
        yield f"the run was judged by specification {judged}, which is not here"
    if dict(report.unscored) != (releases.later(release, spec, report.plan["collected"]) if release else {}):
        yield "the checks that are not scored are not those that came after the release that the run was judged by"
    here = {clause.key: releases.stated(clause, release) for clause in spec.clauses.values()}
    bind = [{key: [one.get(name) for name in BINDING] for key, one in known.items()} for known in (told, here)]
    if other := sorted(key for key in {*told, *here} if bind[0].get(key) != bind[1].get(key)):
        yield f"{counted(len(other), 'clause')} of the header {_is(other)} not as in the specification here: {listed(other)}"
    if unknown := [name for name in report.header["profiles"] if name not in spec.profiles]:
        yield f"{counted(len(unknown), 'profile')} of the run {_is(unknown)} not in the specification here: {listed(unknown)}"


def _absent(report: Report, declared: Declared) -> Iterator[str]:
    """Every check of the suite is declared with its clauses, and every one that the run's profiles ask for was run."""
    plan, clauses = report.plan, report.header["clauses"]
    told = {**plan["collected"], **plan["deselected"]}
    if gone := sorted(set(declared.checks) - set(told)):
        yield f"{counted(len(gone), 'check')} of the suite {_is(gone)} not in the report: {listed(gone, 3)}"
    if strange := sorted(name for name in told if declared.checks.get(name) != told[name] and name not in gone):
        yield f"{counted(len(strange), 'check')} {_is(strange)} unknown here, or bound otherwise: {listed(strange, 3)}"
    if set(plan["here"]) - set(gone) != declared.here - set(gone):
        yield f"the report says otherwise than the suite here which checks mean something on {report.header['device']}"
    if moved := [line["check"] for line in report.results if line["clauses"] != told.get(line["check"])]:
        yield f"{counted(len(moved), 'result')} {_is(moved)} of other clauses than the plan says: {listed(moved, 3)}"
    profiles = {*report.header["profiles"], OWN}
    asked = [
        name
        for name in sorted(declared.here - set(plan["collected"]))
        if any(profiles & set(clauses.get(key, {}).get("profiles", ())) for key in declared.checks[name])
    ]
    if asked := [name for name in asked if name not in gone]:
        yield f"{counted(len(asked), 'check')} that the run's profiles ask for {_is(asked)} left out: {listed(asked, 3)}"


def _skipped(report: Report) -> Iterator[str]:
    states, must = report.states(), required_checks(report)
    if silent := [name for name, state in states.items() if state == "not-evaluated"]:
        yield f"{counted(len(silent), 'check')} {_is(silent)} skipped (not evaluated): {listed(silent, 3)}"
    if unclaimed := [name for name, state in states.items() if state == "not-claimed" and must.get(name)]:
        told = listed(unclaimed, 3)
        yield f"{counted(len(unclaimed), 'required check')} {_is(unclaimed)} skipped, for methods the backend lacks: {told}"


def _inconsistent(report: Report, tiers: list[Line]) -> Iterator[str]:
    """Verdicts, exit code, steps and blocked checks follow from the results, and no pass has an observation beyond its bound."""
    footer = report.footer or {}
    found = json.loads(
        json.dumps({"verdicts": [one.plain() for one in verdicts(report)], "exit": exit_code(report), "tiers": tiers})
    )
    for name, value in found.items():
        if footer.get(name, []) != value:
            yield f"the footer's {name} does not follow from the results; they say {_short(value)}"
    if list(report.blocked) != reports.blocked_lines(report.results, report.unscored):
        yield "the blocked checks do not follow from the results"
    if beyond := [
        line["check"] for line in report.results if line["state"] == "pass" and not all(map(_holds, line["observations"]))
    ]:
        yield f"{counted(len(beyond), 'check')} passed with an observation beyond its bound: {listed(beyond, 3)}"


def _holds(seen: Line) -> bool:
    """A record of a pass lies within its bound; what is no number is the bound itself."""
    value, bound = seen["value"], seen["bound"]
    if not (isinstance(value, int | float) and isinstance(bound, int | float)):
        return bool(value == bound)
    return value >= bound if seen.get("sense") == "above" else value <= bound


def _unlike(log: bytes, report: Report) -> Iterator[str]:
    """run.log is sealed, and it is the log of a whole run of this backend that ended as the report says."""
    start = log.rfind(b"\n# exit=") + 1
    seal = _SEAL.fullmatch(log, start) if start else None
    if seal is None:
        yield f"{LOG} has no seal (# exit=… sha256=…) at its end"
        return
    if hashlib.sha256(log[:start]).hexdigest() != seal[2].decode():
        yield f"{LOG} is not what its last lines sealed"
    code = str((report.footer or {}).get("exit")).encode()
    if {seal[1], *_CODE.findall(seal[3])} != {code} or b"# conform=" not in seal[3]:
        yield f"{LOG} ended otherwise than the report, which says {code.decode()}"
    argv = re.search(rb"^# argv +(.*)$", log, re.MULTILINE)
    try:
        words = shlex.split(argv[1].decode(errors="replace")) if argv else []
    except ValueError:
        words = []
    if {"--backend", report.header["connection"], "--device", report.header["device"]} - set(words):
        yield f"{LOG} is that of another run: its command does not name the report's backend and device"
    if part := [word for word in words if word in PARTIAL]:
        yield f"{LOG} is that of a part of the suite: {listed(part)}"


def _is(names: list[str]) -> str:
    return "is" if len(names) == 1 else "are"


def _short(value: Any) -> str:
    if isinstance(value, list):
        return (
            listed([f"{one.get('profile', one.get('tier'))} {one.get('verdict', one.get('reached'))}" for one in value], 12)
            or "none"
        )
    return str(value)
