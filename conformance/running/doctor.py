"""What stands in a run's way here, and what it would leave unanswered. Pure: facts in, findings out.

A finding is of one kind: `environment` (what is here), `not evaluated` (what a run would not answer here, and why),
`misconfigured` (a run starts, but not as it should), `blocking` (a run could not start: it would end with 4).
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from conformance.connectors.names import PLANTED
from conformance.specification.texts import counted

KINDS = ("environment", "not evaluated", "misconfigured", "blocking")
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
ROOM = 1 << 30
"""Free bytes below which a disk is told. A run of the suite left 7 MB of report; its trainings' checkpoints come and go."""

LONGEST_TEMPORARY = 75
"""Bytes of the temporary folder's path beyond which sockets of loading processes have no room in it (107 in all, unix(7))."""

SHOWN = 10
EXTRAS = {
    "reference": "the reference backend cannot be examined",
    "lint": "nox -s lint",
    "page": "report.html in a browser",
    "tensorboard": "the reference's TensorBoard logger",
    "mlflow": "the reference's MLflow logger",
}
"""What is not possible without an optional dependency of the distribution."""


@dataclass(frozen=True)
class Finding:
    """One line: what it is about, what was found, and what to do."""

    kind: str
    subject: str
    found: str
    advice: str = ""


@dataclass(frozen=True)
class Library:
    """A distribution that is asked for: by the harness itself (no extra) or by an extra; `version` None where it is missing."""

    name: str
    wanted: str
    extra: str
    version: str | None
    fits: bool


@dataclass(frozen=True)
class Folder:
    """A place that a run writes to; `fault` says why it cannot."""

    role: str
    path: str
    free: int | None = None
    fault: str = ""


@dataclass(frozen=True)
class Answer:
    """What the backend says of itself, from a process of its own; `trouble`: why it cannot be made."""

    name: str = ""
    version: str = ""
    devices: tuple[str, ...] = ()
    profiles: tuple[str, ...] = ()
    surfaces: tuple[str, ...] = ()
    libraries: tuple[str, ...] = ()
    absent: Mapping[str, Sequence[str]] = field(default_factory=dict)
    offered: int = 0
    trouble: str = ""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Everything that is looked at, gathered by `conformance.cli.doctor`."""

    backend: str
    device: str
    python: tuple[int, ...]
    executable: str
    platform: str
    cores: int
    machine: int
    memory: int | None
    variables: Mapping[str, str]
    libraries: Sequence[Library]
    checkout: Mapping[str, Any]
    folders: Sequence[Folder]
    problems: Sequence[str]
    profiles: Sequence[str]
    untestable: Mapping[str, str]
    pending: Mapping[str, str]
    checks: int
    device_checks: int
    accelerator: bool
    answer: Answer


def findings(facts: Facts) -> list[Finding]:
    """All findings, by kind; what concerns the backend comes first."""
    parts = (_backend, _devices, _machine, _threads, _libraries, _checkout, _folders, _registry, _clauses)
    found = [finding for part in parts for finding in part(facts)]
    return sorted(found, key=lambda finding: KINDS.index(finding.kind))


def code(found: Sequence[Finding]) -> int:
    """4 where a run could not start, else 0."""
    return 4 if any(finding.kind == "blocking" for finding in found) else 0


def _machine(facts: Facts) -> Iterator[Finding]:
    version = ".".join(map(str, facts.python))
    yield Finding("environment", "python", f"{version} at {facts.executable}, {facts.platform}")
    if facts.python < (3, 11):
        yield Finding("blocking", "python", version, "expected 3.11 or newer")
    memory = f", {facts.memory / 2**30:.0f} GiB of memory" if facts.memory else ""
    yield Finding("environment", "processors", f"{facts.cores} of {facts.machine} for this process{memory}")


def _threads(facts: Facts) -> Iterator[Finding]:
    stated = {name: facts.variables[name] for name in THREADS if name in facts.variables}
    told = ", ".join(f"{name}={value}" for name, value in stated.items()) or "no variable set"
    yield Finding("environment", "threads", f"{told}; a run uses one thread in each of its {counted(facts.cores, 'process')}")
    for name, value in stated.items():
        if not value.isdecimal() or int(value) < 1:
            yield Finding("misconfigured", name, repr(value), "expected a whole number from 1 on")
        elif int(value) > facts.cores:
            advice = f"more threads than the {facts.cores} processors here slow down everything but `conform run`; set it to 1"
            yield Finding("misconfigured", name, value, advice)


def of_the_reference(backend: str) -> bool:
    """The reference, or what is planted into it: of another backend the extras of this distribution say nothing."""
    return bool({"reference", *PLANTED} & set(backend.split(":")))


def _libraries(facts: Facts) -> Iterator[Finding]:
    asked = [library for library in facts.libraries if not library.extra or of_the_reference(facts.backend)]
    here = [library for library in asked if library.version is not None]
    yield Finding("environment", "libraries", ", ".join(dict.fromkeys(f"{lib.name} {lib.version}" for lib in here)) or "none")
    for library in asked:
        told = f"{library.name} {library.version or 'is missing'}"
        if library.version is None and not library.extra:
            yield Finding("blocking", "library", told, f"expected {library.name}{library.wanted}: pip install ptycho-conformance")
        elif library.version is None:
            why = f"{EXTRAS.get(library.extra, 'a part of the project')}; pip install 'ptycho-conformance[{library.extra}]'"
            yield Finding("not evaluated", "optional library", told, why)
        elif not library.fits:
            yield Finding("misconfigured", "library", told, f"expected {library.name}{library.wanted}")


def _checkout(facts: Facts) -> Iterator[Finding]:
    found = facts.checkout
    if found["commit"] is None:
        yield Finding("environment", "git", "no checkout here", "no check can be entered in the ledger as done, [x]")
    elif found["dirty"]:
        others = f", untracked {', '.join(found['untracked'][:3])}" if found["untracked"] else ""
        told = f"{found['commit'][:10]} with local changes" if found["diff"] else found["commit"][:10]
        yield Finding("environment", "git", told + others, "`conform ledger add` refuses local changes")
    else:
        yield Finding("environment", "git", f"{found['commit'][:10]}, clean")


def _folders(facts: Facts) -> Iterator[Finding]:
    for folder in facts.folders:
        if folder.fault:
            yield Finding("blocking", f"{folder.role} folder", folder.path, f"expected a folder to write to: {folder.fault}")
        elif folder.free is not None:
            told = f"{folder.path}, {folder.free / 2**30:.1f} GiB free"
            yield Finding("environment", f"{folder.role} folder", told)
            if folder.free < ROOM:
                yield Finding("misconfigured", f"{folder.role} folder", told, f"expected {ROOM / 2**30:.0f} GiB at least")
            if folder.role == "temporary" and len(os.fsencode(folder.path)) > LONGEST_TEMPORARY:
                told = f"{folder.path}, {len(os.fsencode(folder.path))} bytes long"
                advice = (
                    f"loading processes open sockets in it, and hang beyond {LONGEST_TEMPORARY}; set TMPDIR to a shorter path"
                )
                yield Finding("misconfigured", "temporary folder", told, advice)
    stated = next((facts.variables[name] for name in ("TMPDIR", "TEMP", "TMP") if name in facts.variables), None)
    used = next((folder.path for folder in facts.folders if folder.role == "temporary"), stated)
    if stated and used and stated.rstrip("/") != used.rstrip("/"):
        yield Finding("misconfigured", "TMPDIR", stated, f"cannot be written to; {used} is used instead")


def _registry(facts: Facts) -> Iterator[Finding]:
    draft = bool(facts.variables.get("CONFORM_DRAFT"))
    if draft:
        advice = "problems of the specification are warnings, and the report is no evidence (`draft`); unset it"
        yield Finding("misconfigured", "CONFORM_DRAFT", facts.variables["CONFORM_DRAFT"], advice)
    for problem in facts.problems[:SHOWN]:
        yield Finding("misconfigured" if draft else "blocking", "specification", problem, "`conform trace` checks it")
    if more := len(facts.problems) - SHOWN:
        if more > 0:
            yield Finding(
                "misconfigured" if draft else "blocking", "specification", f"and {more} more", "`conform trace` shows all"
            )


def _clauses(facts: Facts) -> Iterator[Finding]:
    yield Finding(
        "environment", "suite", f"{counted(facts.checks, 'check')} before parametrisation, {facts.device_checks} for accelerators"
    )
    for name, reason in facts.untestable.items():
        yield Finding("not evaluated", name, "no check can test it", reason)
    for name, reason in facts.pending.items():
        yield Finding("not evaluated", name, "no check yet", reason)


def _backend(facts: Facts) -> Iterator[Finding]:
    answer = facts.answer
    if answer.trouble:
        yield Finding("blocking", "backend", answer.trouble, "expected an adapter that can be made here")
        return
    libraries = f"; {', '.join(answer.libraries)}" if answer.libraries else ""
    claims = f"claims {', '.join(answer.profiles) or 'no profile'}, {counted(answer.offered, 'method')}"
    yield Finding("environment", "backend", f"{answer.name} {answer.version}, {claims}{libraries}")
    for name in answer.profiles:
        if name not in facts.profiles:
            yield Finding("misconfigured", "profile", name, f"claimed, but unknown; known: {', '.join(facts.profiles)}")
    if answer.surfaces:
        yield Finding("not evaluated", "surfaces", f"all but {', '.join(answer.surfaces)}", "the backend offers nothing else")
    for surface, methods in answer.absent.items():
        yield Finding(
            "not evaluated",
            f"surface {surface}",
            f"no {', '.join(methods)}",
            "the backend does not have it: its checks are not evaluated",
        )


def _devices(facts: Facts) -> Iterator[Finding]:
    answer = facts.answer
    if answer.trouble:
        return
    yield Finding("environment", "devices", ", ".join(answer.devices) or "none")
    if facts.device not in answer.devices:
        why = f"no check on {facts.device} is evaluated: a run ends with 5"
        yield Finding("not evaluated", f"device {facts.device}", f"the backend sees {', '.join(answer.devices) or 'none'}", why)
    elif not [device for device in answer.devices if device != "cpu"]:
        why = f"{facts.device_checks} checks that mean something on an accelerator are examined on the CPU only"
        yield Finding("not evaluated", "accelerator", "the backend sees none", why)
    if facts.accelerator and "cuda" not in answer.devices:
        yield Finding(
            "misconfigured", "accelerator", "an NVIDIA device is here, but the backend sees no cuda", "a build for the CPU?"
        )
