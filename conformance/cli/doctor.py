"""`conform doctor`: looks around, asks the backend in a process of its own, and tells what it found."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conformance.cli.shared import specification

if TYPE_CHECKING:
    from conformance.running.doctor import Answer, Facts, Folder, Library

PATIENCE = 120.0
"""Seconds for a backend to be imported and made; torch took 6 s on one core."""

PROJECT = Path(__file__).resolve().parents[2] / "pyproject.toml"
DISTRIBUTION = "ptycho-conformance"
TITLES = {
    "environment": "here",
    "not evaluated": "would not be evaluated here",
    "misconfigured": "misconfigured",
    "blocking": "a run could not start",
}


def add(verbs: Any) -> None:
    """doctor."""
    verb = verbs.add_parser(
        "doctor", help="what is here, what a run would not evaluate here, and what stands in its way",
        description="Looks around and asks the backend who it is; runs no check. Exit code 0, or 4 where a run could not start.",
    )  # fmt: skip
    verb.add_argument("--backend", default="reference", help="as for `conform run`; default: reference")
    verb.add_argument("--device", default="cpu", help="cpu (default), cuda, …")
    verb.add_argument("--output", type=Path, default=Path("reports"), help="where a run would write (default: reports)")
    verb.add_argument("--json", action="store_true", help="the findings for machines")
    verb.set_defaults(act=_doctor)


def _doctor(arguments: argparse.Namespace) -> int:
    from dataclasses import asdict

    from conformance.running.doctor import KINDS, code, findings

    facts = gather(arguments)
    found = findings(facts)
    ended = code(found)
    if arguments.json:
        told = {
            "backend": facts.backend,
            "device": facts.device,
            "findings": [asdict(finding) for finding in found],
            "exit": ended,
        }
        print(json.dumps(told, ensure_ascii=False, indent=1))
        return ended
    wide = max(len(finding.subject) for finding in found)
    for kind in KINDS:
        mine = [finding for finding in found if finding.kind == kind]
        print(f"{TITLES[kind]}:{'' if mine else ' nothing'}")
        for finding in mine:
            print(f"  {finding.subject:{wide}}  {finding.found}{f' ({finding.advice})' if finding.advice else ''}")
    blocking = [finding for finding in found if finding.kind == "blocking"]
    more = f" (and {len(blocking) - 1} more reasons above)" if len(blocking) > 1 else ""
    print(f"exit {ended}: a run could not start: {blocking[0].found}{more}" if blocking else f"exit {ended}: a run can start")
    return ended


def gather(arguments: argparse.Namespace) -> Facts:
    """The facts of this machine, this checkout and this backend."""
    import platform
    import shutil

    from conformance.evidence import checkout
    from conformance.running.doctor import THREADS, Facts
    from conformance.running.workers import cores
    from conformance.specification.bindings import scan
    from conformance.specification.lint import lint

    spec = specification(arguments)
    bindings, _ = scan(arguments.suite)
    names = (*THREADS, "TMPDIR", "TEMP", "TMP", "CONFORM_DRAFT")
    return Facts(
        backend=arguments.backend,
        device=arguments.device,
        python=tuple(sys.version_info[:3]),
        executable=sys.executable,
        platform=platform.platform(),
        cores=cores(),
        machine=os.cpu_count() or 1,
        memory=_memory(),
        variables={name: os.environ[name] for name in names if name in os.environ},
        libraries=libraries(),
        checkout=checkout.state(),
        folders=(_temporary(), _folder("reports", arguments.output)),
        problems=lint(spec, arguments.suite),
        profiles=tuple(spec.profiles),
        untestable={clause.key: clause.untestable for clause in spec.clauses.values() if clause.untestable},
        pending={clause.key: clause.pending for clause in spec.clauses.values() if clause.pending},
        checks=len(bindings),
        device_checks=sum(binding.device for binding in bindings),
        accelerator=Path("/dev/nvidiactl").exists() or shutil.which("nvidia-smi") is not None,
        answer=_answer(arguments.backend, arguments.device),
    )


def _memory() -> int | None:
    """Bytes of the machine, where it tells."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None


def libraries() -> list[Library]:
    """What pyproject.toml (of the checkout, else of the installed distribution) asks for, and what is installed."""
    from importlib import metadata

    from packaging.requirements import Requirement

    from conformance.running.doctor import Library

    found = []
    for extra, text in asked_for():
        wanted = Requirement(text)
        try:
            version = metadata.version(wanted.name)
        except metadata.PackageNotFoundError:
            version = None
        fits = version is not None and wanted.specifier.contains(version, prereleases=True)
        found.append(Library(wanted.name, str(wanted.specifier), extra, version, fits))
    return found


def asked_for(project: Path = PROJECT) -> list[tuple[str, str]]:
    """`(extra, requirement)`; the extra is empty for what the harness itself needs."""
    import tomllib
    from importlib import metadata

    from packaging.requirements import Requirement

    if project.is_file():
        table = tomllib.loads(project.read_text(encoding="utf-8"))["project"]
        extras = table.get("optional-dependencies", {})
        return [("", text) for text in table["dependencies"]] + [(name, text) for name, texts in extras.items() for text in texts]
    told = []
    extras = metadata.metadata(DISTRIBUTION).get_all("Provides-Extra") or []
    for text in metadata.requires(DISTRIBUTION) or ():
        marker = Requirement(text).marker
        mine = [name for name in extras if marker and not marker.evaluate({"extra": ""}) and marker.evaluate({"extra": name})]
        told += [(mine[0] if mine else "", text)] if mine or marker is None or marker.evaluate({"extra": ""}) else []
    return told


def _temporary() -> Folder:
    import tempfile

    from conformance.running.doctor import Folder

    try:
        return _folder("temporary", Path(tempfile.gettempdir()))
    except FileNotFoundError as error:
        return Folder("temporary", os.environ.get("TMPDIR", "/tmp"), fault=str(error))


def _folder(role: str, path: Path) -> Folder:
    """The folder, or the one in which it would be made; that it can be written to is tried."""
    import shutil
    import tempfile

    from conformance.running.doctor import Folder

    place = path.resolve()
    while not os.path.lexists(place) and place != place.parent:
        place = place.parent
    try:
        with tempfile.TemporaryFile(dir=place):
            return Folder(role, str(path), shutil.disk_usage(place).free)
    except OSError as error:
        return Folder(role, str(path), fault=error.strerror or str(error))


def _answer(backend: str, device: str) -> Answer:
    """What the backend says, from a process that it may take down."""
    from conformance.connectors import process
    from conformance.running.doctor import Answer

    code = "import json, sys; from conformance.cli.doctor import ask; print(json.dumps(ask(*sys.argv[1:])))"
    argv = [sys.executable, "-c", code, backend, device]
    try:
        done = process.run(argv, timeout=PATIENCE)
    except process.NoAnswer as error:
        return Answer(trouble=str(error))
    try:
        told = json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        return Answer(trouble=f"its process ended with {done.returncode}: {last}")
    return Answer(**{name: tuple(value) if isinstance(value, list) else value for name, value in told.items()})


def ask(backend: str, device: str) -> dict[str, Any]:
    """The fields of `Answer`, from a backend that is made here."""
    from conformance.connectors.connect import connect, information
    from conformance.connectors.names import SURFACES, UnknownBackend, claimed, methods_of, offered

    try:
        made = connect(backend, device)
        info = information(made)
    except UnknownBackend as error:
        return {"trouble": str(error)}
    within = offered(info.surfaces)
    offers = claimed(made, within)
    absent = {
        surface: [name for name in methods_of(surface) if name not in offers[surface] and (within is None or name in within)]
        for surface in SURFACES
    }
    return {
        "name": info.name,
        "version": info.version,
        "devices": info.devices,
        "profiles": info.profiles,
        "surfaces": info.surfaces,
        "libraries": info.numeric_libraries,
        "absent": {surface: names for surface, names in absent.items() if names},
        "offered": sum(map(len, offers.values())),
    }
