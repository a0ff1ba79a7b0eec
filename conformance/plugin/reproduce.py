"""Leaves a script beside the report for a check that became red: a plug-in of its own, the rim of `conformance.repro`.

`conform run` loads it. Nothing is recorded while checks run: what a script needs stands in the traceback of the red.
"""

from __future__ import annotations

import json
import traceback
from collections.abc import Generator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import pytest

from conformance.connectors.connect import connect
from conformance.judging import observe
from conformance.judging.judge import Refuted

if TYPE_CHECKING:
    from conformance.plugin.checks import Check
    from conformance.plugin.station import Station
    from conformance.repro.script import Script

SLOWEST = 10.0
"""Seconds of a check beyond which it is not run once more."""


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """After the check was judged: a red gets its script, and its line in the report names it."""
    from conformance.plugin.station import CHECK, STATION

    report = yield
    told = [value for name, value in report.user_properties if name == "conform" and value["state"] in ("fail", "crash")]
    station = item.config.stash.get(STATION, None)
    if told and call.excinfo and station is not None and station.left is not None:
        made = leave(station, item.stash[CHECK], call.excinfo.value, call.duration)
        told[-1].update({"repro": made} if made else {})
    return report


def leave(station: Station, check: Check, error: BaseException, seconds: float) -> dict[str, Any] | None:
    """Write a red's script and its archive; returns what the report says of it. None: there are enough."""
    from conformance.repro import script, shelf

    title = f"{check.id} on {station.backend_name}: a failure of `conform run`."
    repeat = check.repeat(station.backend_name, station.device)
    place = shelf.reserved(station.left or Path(), check.id)
    if place is None:
        return None
    try:
        if seconds > SLOWEST:
            raise script.NotAlone(f"the check runs for {seconds:.0f} s")
        found = _alone(station, check, error, title)
    except script.NotAlone as missing:
        found = script.by_the_suite(check.id, title, str(missing), repeat)
    except Exception as fault:
        # The red stands although no script could be made of it; the reason names the fault.
        told = traceback.format_exception_only(fault)[-1].strip()
        found = script.by_the_suite(check.id, title, f"no script could be made of it ({told})", repeat)
    return shelf.written(place, found)


def _alone(station: Station, check: Check, error: BaseException, title: str) -> Script:
    """A script that was seen red for the check's reason, with the smallest input found."""
    from conformance.repro import eyes, residue, script
    from conformance.repro.shrink import shrunk

    refuted, trace = isinstance(error, Refuted), error.__traceback__
    case = script.Case(
        check=check.id, title=title, red=residue.red_of(trace, station.suite), settled=_settled(trace) if refuted else {},
        backend=station.backend_name, device=station.device, error=eyes.Refuted if refuted else type(error),
    )  # fmt: skip
    backend = station.backend()
    found = script.tried(case, backend)
    if found.archive:
        found = shrunk(case, backend, found, connect("numpy"))
    if len(found.archive) > script.LARGEST:
        found = script.tried(case, backend, largest=script.SMALL)
    if len(found.archive) > script.LARGEST:
        raise script.NotAlone(f"its arrays take {len(found.archive)} bytes")
    return found


def _settled(trace: TracebackType | None) -> dict[str, Any]:
    """Name, bound and freedoms of the refuted observation, from its own frame."""
    while trace is not None:
        frame = trace.tb_frame
        known = frame.f_locals
        if frame.f_code.co_filename == observe.__file__ and "name" in known:
            bound = known.get("bound")
            settled: dict[str, Any] = {"NAME": known["name"]}
            settled |= {"BOUND": (bound.kind, bound.amount, bound.dtype)} if bound is not None else {}
            settled |= {"GAUGE": known["freedoms"]} if "freedoms" in known else {}
            settled |= {"CONTRACT": _snapshot(known["assertion"])} if "assertion" in known else {}
            return settled
        trace = trace.tb_next
    return {}


def _snapshot(assertion: Any) -> Any:
    """What a contract's snapshot holds."""
    from conformance.repro.values import NotAlone

    recalled = list(assertion.executions.values())[-1].recalled_data
    if recalled is None:
        raise NotAlone("there is no snapshot")
    return json.loads(recalled)
