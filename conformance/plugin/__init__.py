"""The harness inside pytest: options, marks, fixtures and hooks. Glue only; it computes no numbers.

Everything below the suite's folder is a check; other tests pass through untouched. Checks are judged where they run (a worker of
xdist or this process); lint, report and exit code belong to the controller.
"""

from __future__ import annotations

import copy
import os
import random
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

from conformance.connectors import beside
from conformance.connectors.connect import Proxy
from conformance.connectors.names import NotClaimed, NotEvaluated, claimed
from conformance.judging import blame, states
from conformance.judging.observe import Observer
from conformance.judging.snapshots import StrictJSON
from conformance.plugin.checks import Selection, describe
from conformance.plugin.recorder import Recorder
from conformance.plugin.station import CHECK, OBSERVER, STATION, Station
from conformance.plugin.trials import Trials
from conformance.plugin.vigil import Vigil
from conformance.specification.bindings import observed as observed_by
from conformance.specification.lint import LOCK, lint


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("conform", "backend conformance")
    group.addoption("--backend", default="reference", help="a built-in name, module:attribute, proc:NAME, venv:PATH:NAME")
    group.addoption("--device", default="cpu", help="cpu, cuda, …; anything but cpu runs only the checks marked `device`")
    group.addoption("--profile", action="append", default=[], help="repeatable; default: the profiles that the backend claims")
    group.addoption(
        "--select", action="append", default=[], metavar="SELECT", help="repeatable; part of a check's id, * is a wildcard"
    )
    group.addoption("--area", action="append", default=[], help="repeatable; the checks of an area (physics, PHYS)")
    group.addoption("--level", action="append", default=[], help="repeatable; the checks of MUST, SHOULD or MAY clauses")
    group.addoption("--without-own", action="store_true", help="leave out what the suite asks of itself")
    group.addoption("--report", default=None, help="write report.jsonl here")
    group.addoption("--expect", default=None, metavar="FILE", help="known failures, as in expectations/<backend>.toml")
    group.addoption("--trials", default=None, help="a job of `conform mutants`: run its trials in place of the suite")
    group.addoption("--shuffle", type=int, default=None, metavar="SEED", help="run the checks in an order drawn from this seed")
    group.addoption("--release", default=None, help="judge by this release of the specification; `current`: by today's words")
    group.addoption("--suite", default=None, help="another suite (for the harness's own tests)")
    group.addoption("--specs", default=None, help="another specification (for the harness's own tests)")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "clause(*ids, needs=(), evidence=()): the clauses that a check proves")
    config.addinivalue_line("markers", "slow: starts processes or trains; `conform mutants` runs it only where it is named")
    config.addinivalue_line("markers", "axes(*cells): the cells of specs/axes.toml that a check fills")
    config.addinivalue_line("markers", "device: the check means something on an accelerator")
    station = Station(config)
    config.stash[STATION] = station
    if station.worker is not None:
        station.devices, station.profiles = station.worker.get("conform_devices"), station.worker.get("conform_profiles")
        return
    if not station.targeted(config):
        return
    _refuse_careless_update(config)
    if problems := lint(station.spec, station.suite):
        _complain(station, problems)
    recorder = Recorder(config, station)
    config.pluginmanager.register(recorder, "conform-recorder")
    config.pluginmanager.register(Vigil(recorder), "conform-vigil")


def _complain(station: Station, problems: list[str]) -> None:
    """Lint errors stop the run with exit code 4; while chapters are being written (CONFORM_DRAFT=1) it goes on."""
    if not station.draft:
        more = [f"… and {len(problems) - 30} more; `conform trace` shows all"] if len(problems) > 30 else []
        shown = "\n".join(f"  {problem}" for problem in [*problems[:30], *more])
        raise pytest.UsageError(f"the specification {station.spec.folder} and its tests do not fit each other:\n{shown}")
    telling = [problem for problem in problems if "no test is bound to it" not in problem and LOCK not in problem]
    print(
        f"DRAFT: {len(problems)} problems of the registry; without the unbound and the unlocked:",
        *telling,
        sep="\n  ",
        file=sys.stderr,
    )


def _refuse_careless_update(config: pytest.Config) -> None:
    if not getattr(config.option, "update_snapshots", False):
        return
    if getattr(config.option, "numprocesses", None) or getattr(config.option, "dist", "no") != "no":
        raise pytest.UsageError("--snapshot-update is refused under xdist: use `nox -s snapshots`, or -n 0")
    if os.environ.get("CI"):
        raise pytest.UsageError("--snapshot-update is refused in CI: a snapshot is reviewed before it is written")


# -- collection ----------------------------------------------------------------------------------------------------------------


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Give every check its identity, keep the selected ones, and hand the plan to the controller."""
    station = config.stash[STATION]
    selection = Selection(
        station.spec, station.device, station.profiles, station.select, not config.getoption("--without-own"), station.choice
    )
    ours = {id(item) for item in items if item.path.is_relative_to(station.suite)}
    if not ours:
        return
    for item in items:
        if id(item) in ours:
            item.stash[CHECK] = selection.admit(item.nodeid, *describe(item, station.spec, station.device))
    out = {id(item) for item in items if id(item) in ours and not item.stash[CHECK].selected}
    dropped, kept = ([item for item in items if (id(item) in out) is gone] for gone in (True, False))
    # The slow ones first, so that no worker is left alone with one at the end.
    items[:] = sorted(kept, key=lambda item: item.get_closest_marker("slow") is None)
    if (seed := config.getoption("--shuffle")) is not None:
        random.Random(seed).shuffle(items)
    if dropped:
        config.hook.pytest_deselected(items=dropped)
    plan = selection.plan()
    if station.worker is not None:
        Path(station.worker["conform_exchange"], f"{station.worker['workerid']}.json").write_text(plan, encoding="utf-8")
    else:
        recorder = config.pluginmanager.get_plugin("conform-recorder")
        recorder.planned(plan)
        if job := config.getoption("--trials"):
            checks = {item.nodeid: (item.stash[CHECK], item.get_closest_marker("slow") is not None) for item in kept}
            config.pluginmanager.register(Trials(station, recorder, Path(job), checks), "conform-trials")


# -- fixtures ------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def backend(request: pytest.FixtureRequest) -> Proxy:
    """The backend under test."""
    station = request.config.stash[STATION]
    return Proxy(station.backend(), station.offered)


@pytest.fixture
def observe(request: pytest.FixtureRequest) -> Observer:
    """What the check sees is asserted and recorded here."""
    return request.node.stash[OBSERVER]


@pytest.fixture(autouse=True)
def _fresh_world(request: pytest.FixtureRequest) -> Generator[None]:
    """What stood in the backend's live registry at first, and the same random numbers, whatever ran before."""
    if CHECK not in request.node.stash:
        yield
        return
    station = request.config.stash[STATION]
    _reset(station)
    yield
    _reset(station)


def _reset(station: Station) -> None:
    beside.seed(None, 0)
    try:
        beside.seed(station.backend(), 0)
        proxy, offers = Proxy(station.backend()), claimed(station.backend(), station.offered)["config"]
        if "registry" in offers:
            # Not from `defaults()`: one that is wrong or stale is red by its own clause, and must not turn every other check red.
            live = proxy.registry()
            station.found = copy.deepcopy(dict(live)) if station.found is None else station.found
            live.clear()
            live.update(copy.deepcopy(station.found))
    except NotImplementedError:
        return  # a registry that nobody has written yet: nothing to reset, and its own checks are red
    except Exception as error:
        if not station.draft:
            raise
        print(f"DRAFT: the registry could not be reset: {type(error).__name__}: {error}", file=sys.stderr)


# -- running -------------------------------------------------------------------------------------------------------------------


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    if CHECK not in item.stash:
        return
    station, check = item.config.stash[STATION], item.stash[CHECK]
    item.stash[OBSERVER] = Observer(
        check=check.id,
        clauses=[station.spec.clauses[key.split("~")[0]] for key in check.clauses],
        suspect=check.suspect,
        repeat=check.repeat(station.backend_name, station.device),
        suite=station.suite,
        left=station.left,
        snapshot=lambda: item._request.getfixturevalue("snapshot").use_extension(StrictJSON),  # type: ignore[attr-defined]
    )
    if station.devices is not None and station.device not in station.devices:
        raise NotEvaluated(f"no {station.device} device here; the backend sees {', '.join(station.devices) or 'none'}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if CHECK not in item.stash or OBSERVER not in item.stash:
        return report
    observer = item.stash[OBSERVER]
    error = call.excinfo.value if call.excinfo else None
    if isinstance(error, KeyboardInterrupt | pytest.exit.Exception):
        return report
    check = item.stash[CHECK]
    planned = observed_by(item.path, item.originalname) if error is not None and len(check.clauses) > 1 else ()
    station = item.config.stash[STATION]
    partial = isinstance(error, NotClaimed) and station.offered is not None
    found = states.outcome(error, observer, report.when, station.suite, planned, partial)
    if found.state in states.SKIPPED:
        report.outcome, report.longrepr = "skipped", (str(item.path), item.location[1] or 0, f"{found.state}: {found.message}")
    elif found.state != "pass":
        trace = f"\n\n{_trace(call.excinfo, item)}" if found.traced and call.excinfo else ""
        report.outcome, report.longrepr = "failed", f"{found.state.upper()} {found.message}{trace}"
    if found.state != "pass" or report.when == "call":
        observed = list(observer.records.values()) if report.when == "call" else []
        told = {"state": found.state, "message": found.message, "observations": observed, "artefacts": dict(observer.artefacts)}
        told |= {"stop": found.stop.plain()} if found.stop else {}
        told["printed"] = _printed(station)
        told["at"] = blame.place(error) if error is not None and found.traced else ""
        report.user_properties.append(("conform", told))
    return report


def _printed(station: Station) -> str:
    """The end of what the backend's own process has printed since the last check."""
    return station.connection.printed()[-2000:] if station.connection is not None else ""


def _trace(raised: pytest.ExceptionInfo[BaseException], item: pytest.Item) -> str:
    """The traceback from the check's own line on, or from ours: pytest's machinery above it tells nothing."""
    whole = raised.traceback
    own = whole.cut(path=item.path)
    raised.traceback = own if len(own) < len(whole) else whole.cut(path=__file__)
    return str(raised.getrepr(style=item.config.getoption("tbstyle")))


def pytest_report_teststatus(report: pytest.TestReport) -> tuple[str, str, str] | None:
    """Show a check's own state instead of pytest's three words."""
    for name, value in getattr(report, "user_properties", ()):
        if name == "conform" and value["state"] != "pass":
            state = value["state"]
            letter = state[4] if state in states.SKIPPED else state[0].upper()
            return ("failed" if state in states.RED else state), letter, state.upper()
    return None
