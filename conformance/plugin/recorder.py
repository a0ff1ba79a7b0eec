"""The controller's part of a run: who is examined, what was planned, what came back, and how it ends."""

from __future__ import annotations

import json
import os
import platform
import tempfile
import time
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from conformance import __version__
from conformance.connectors import process
from conformance.connectors.connect import information
from conformance.connectors.names import UnknownBackend, claimed
from conformance.evidence import checkout, expectations, report, tiers, verdict
from conformance.judging import states
from conformance.plugin import deaths
from conformance.plugin.released import released, within
from conformance.protocol import BackendInfo
from conformance.specification.clauses import OWN
from conformance.specification.lint import digest
from conformance.specification.releases import later, stated
from conformance.specification.texts import named, read, said

if TYPE_CHECKING:
    from conformance.plugin.station import Station


class Recorder:
    """Streams report.jsonl (where `--report` names it) and sets the exit code."""

    def __init__(self, config: pytest.Config, station: Station) -> None:
        self.config, self.station = config, station
        target = config.getoption("--report")
        self.file = Path(target) if target else None
        self.exchange = tempfile.TemporaryDirectory(prefix="conform-")
        self.lines: list[str] = []
        self.checks: dict[str, dict[str, Any]] = {}
        self.open: dict[str, dict[str, Any]] = {}
        self.surfaces: dict[str, list[str]] = {}
        self.expected: expectations.Expectations | None = None
        self.done: set[str] = set()
        self.drafts: tuple[str, ...] = ()
        self.planned_once = self.fault = self.lost = False
        self.began = time.monotonic()

    # -- before ----------------------------------------------------------------------------------------------------------------

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        station = self.station
        self.expected = self._expectations()
        info = self._ask()
        unknown = [name for name in station.profiles or () if name not in station.spec.profiles]
        if fault := station.choice.fault(station.spec.profiles):
            raise pytest.UsageError(fault)
        if unknown:
            raise pytest.UsageError(f"unknown profile {', '.join(unknown)}; known: {', '.join(station.spec.profiles)}")
        station.devices = list(info.devices)
        given = station.profiles
        station.profiles = given or tuple(name for name in info.profiles if name in station.spec.profiles and name != OWN)
        station.release = released(self.config.getoption("--release") or info.specification, station.spec)
        if station.release is not None:
            claimed_here = station.profiles
            station.profiles = within(station.release, claimed_here, given)
            self.drafts = tuple(name for name in claimed_here if name not in station.profiles)
        self._write(self._header(info))

    def _expectations(self) -> expectations.Expectations | None:
        """The file of `--expect`; one that cannot be used is a usage error."""
        path = self.config.getoption("--expect")
        try:
            return expectations.parse(read(Path(path)), datetime.now(UTC).date()) if path else None
        except (OSError, ValueError) as error:
            raise pytest.UsageError(f"{path}: {error}") from error

    def _ask(self) -> BackendInfo:
        """What the backend says of itself; one that cannot be made is a broken environment, and no broken contract."""
        try:
            info = information(self.station.backend())
            self.surfaces = claimed(self.station.backend(), self.station.offered)
        except UnknownBackend as error:
            raise pytest.UsageError(str(error)) from error
        return info

    def _header(self, info: BackendInfo) -> dict[str, Any]:
        station = self.station
        choice = station.choice
        return {
            "kind": "header",
            "schema": report.SCHEMA,
            "suite": __version__,
            "checkout": checkout.state(),
            "lock": digest(station.spec.folder),
            "connection": station.backend_name,
            "backend": _plain_info(info),
            "imports_audited": station.connection is not None,
            "surfaces": self.surfaces,
            "device": station.device,
            "profiles": list(station.profiles or ()),
            "select": [*station.select, *(f"--area {a}" for a in choice.areas), *(f"--level {word}" for word in choice.levels)],
            "draft": station.draft,
            **({"release": station.release.name, "drafts": list(self.drafts)} if station.release else {}),
            **self._told_expectations(),
            "python": platform.python_version(),
            "platform": platform.platform(),
            "libraries": _versions(("numpy", "pytest", "pytest-xdist", "syrupy", *info.numeric_libraries)),
            **({"warm": True} if process.INTERPRETER in os.environ else {}),
            "workers": getattr(self.config.option, "numprocesses", None) or 0,
            "started": datetime.now(UTC).isoformat(timespec="seconds"),
            "clauses": {clause.key: stated(clause, station.release) for clause in station.spec.clauses.values()},
        }

    def _told_expectations(self) -> dict[str, Any]:
        path, found = self.config.getoption("--expect"), self.expected
        return {"expectations": {"file": path, "sha256": found.sha256, "entries": len(found.entries)}} if found else {}

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """What every worker must know before it collects."""
        node.workerinput["conform_exchange"] = self.exchange.name
        node.workerinput["conform_devices"] = self.station.devices
        node.workerinput["conform_profiles"] = self.station.profiles

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: Any, ids: list[str]) -> None:
        plan = Path(self.exchange.name, f"{node.gateway.id}.json")
        if plan.is_file():
            self.planned(plan.read_text(encoding="utf-8"))
            self._write_plan(ids)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        if self.checks:
            self._write_plan([item.nodeid for item in session.items])

    def planned(self, text: str) -> None:
        """Take over the plan of the process that collected; its problems are usage errors, raised here on the controller."""
        plan = json.loads(text)
        if plan["problems"]:
            raise pytest.UsageError("the suite is inconsistent:\n" + "\n".join(f"  {problem}" for problem in plan["problems"]))
        if plan["unmatched"]:
            raise pytest.UsageError(f"-k {plan['unmatched'][0]} matches no check; conform list --checks shows what there is")
        if self.expected and (found := expectations.faults(self.expected, [c["id"] for c in plan["checks"].values()])):
            told = "\n".join(f"  {fault}" for fault in found)
            raise pytest.UsageError(f"{self.config.getoption('--expect')} does not fit the suite:\n{told}")
        self.checks = plan["checks"]

    def _write_plan(self, ids: list[str]) -> None:
        """Once: replacement workers collect again."""
        if self.planned_once:
            return
        self.planned_once = True
        kept = set(ids)
        collected = {c["id"]: c["clauses"] for node, c in self.checks.items() if node in kept}
        deselected = {c["id"]: c["clauses"] for node, c in self.checks.items() if node not in kept}
        here = [c["id"] for c in self.checks.values() if c["device"] or self.station.device == "cpu"]
        plan = {"kind": "plan", "collected": collected, "deselected": deselected, "here": here}
        self._write(
            plan | ({"unscored": later(self.station.release, self.station.spec, collected)} if self.station.release else {})
        )

    # -- during ----------------------------------------------------------------------------------------------------------------

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Gather the phases of a check; the last one writes its line. A worker that died reports the phase `???`."""
        check = self.checks.get(report.nodeid)
        if check is None or report.nodeid in self.done:
            return
        entry = self.open.setdefault(
            report.nodeid, {"state": "pass", "message": "", "observations": [], "seconds": 0.0, "judged": False}
        )
        entry["seconds"] += report.duration
        for name, found in report.user_properties:
            if name == "conform":
                entry["judged"] = True
                if states.worst(entry["state"], found["state"]) != entry["state"]:
                    entry["state"], entry["message"] = found["state"], found["message"]
                    entry |= {"stop": found["stop"]} if "stop" in found else {}
                entry["observations"] += found["observations"]
                entry |= {"artefacts": found["artefacts"]} if found["artefacts"] else {}
                entry |= {"repro": found["repro"]} if "repro" in found else {}
                entry |= {name: found[name] for name in ("printed", "at") if found.get(name)}
        if report.when == "???":
            message = deaths.message(check, self.station, str(report.longrepr))
            entry |= {"state": "crash", "judged": True, "worker_died": True, "message": message, "stop": deaths.stop(check)}
            entry |= deaths.script(self.config, self.file, check, self.station)
            report.longrepr = f"CRASH {message}"
        if report.when in ("teardown", "???"):
            self._finish(report.nodeid, check, entry, getattr(getattr(report, "node", None), "gateway", None))

    def _finish(self, nodeid: str, check: dict[str, Any], entry: dict[str, Any], gateway: Any) -> None:
        if not entry.pop("judged"):
            entry |= {"state": "error", "message": f"{check['id']} ended without an outcome"}
        self.done.add(nodeid)
        entry["seconds"] = round(entry["seconds"], 4)
        told = {key: check[key] for key in ("clauses", "needs", "evidence")}
        self._write({"kind": "result", "check": check["id"], **told, **entry, "worker": getattr(gateway, "id", "main")})

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self.fault |= report.failed

    def pytest_internalerror(self) -> None:
        self.fault = True

    # -- after -----------------------------------------------------------------------------------------------------------------

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Close the report; pytest's own code stays only where nothing was planned and nothing of ours broke."""
        self.exchange.cleanup()
        if self.lost:
            session.exitstatus = 6
        if self.lost or not (self.planned_once or self.fault):
            return
        scored = report.assemble(self.lines)
        for line in report.blocked_lines(scored.results, scored.unscored):
            self._write(line)
        for line in expectations.judged(self.expected, report.assemble(self.lines)) if self.expected else ():
            self._write(line)
        closed = report.assemble(self.lines)
        sums = report.equation(closed.plan, closed.states())
        code = verdict.exit_code(
            closed,
            interrupted=exitstatus == pytest.ExitCode.INTERRUPTED and not self.fault,
            fault=self.fault,
            broken=bool(sums["missing"]),
        )
        self._write(
            {
                "kind": "footer",
                "equation": sums,
                "verdicts": [found.plain() for found in verdict.verdicts(closed)],
                "tiers": tiers.reached(closed, self.station.tiers),
                "exit": code,
                "seconds": round(time.monotonic() - self.began, 2),
                "sha256": report.digest(self.lines),
            }
        )
        session.exitstatus = code

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """The equation of the checks, and each profile's verdict, under pytest's own lines."""
        closed = report.assemble(self.lines)
        if closed.footer is None:
            return
        sums = closed.footer["equation"]
        told = " + ".join(f"{number} {state}" for state, number in sums["states"].items() if number)
        terminalreporter.write_line(
            f"checks: {sums['declared']} declared = {sums['collected']} collected + {sums['deselected']} deselected"
        )
        terminalreporter.write_line(f"        {sums['collected']} collected = {told or '0'}")
        for found in verdict.verdicts(closed):
            terminalreporter.write_line(f"{found.profile} on {found.device}: {found.told} (clauses: {found.equation})")

    def _write(self, line: dict[str, Any]) -> None:
        text = report.encode(line)
        self.lines.append(text)
        if self.file is not None and not self.lost:
            try:
                with self.file.open("a", encoding="utf-8") as stream:
                    stream.write(text)
            except OSError as error:
                self.lost = True
                pytest.exit(said(named(error, self.file)), returncode=6)


def _plain_info(info: BackendInfo) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in vars(info).items()}


def _versions(distributions: tuple[str, ...]) -> dict[str, str]:
    """Installed versions by name; a backend may state its own as `name version`."""
    found = {}
    for entry in distributions:
        name, _, version = entry.partition(" ")
        try:
            found[name] = version or metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "unknown"
    return found
