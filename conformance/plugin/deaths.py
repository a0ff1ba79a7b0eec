"""Checks that take their process with them: what is said of them, and by whom.

A worker that dies is reported by the controller. Where there are no workers the report dies too: its next line then lies ready in
a file beside it, and whoever started the process finishes it (`conformance.run`).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from conformance import report

if TYPE_CHECKING:
    from conformance.plugin import Station
    from conformance.plugin.recorder import Recorder


def again(check: dict[str, Any], station: Station) -> str:
    """The command that repeats a check."""
    return f"conform run --backend {station.backend_name} --device {station.device} -k '{check['id'].rpartition('@')[0]}'"


def message(check: dict[str, Any], station: Station, how: str) -> str:
    """The refutation of a check that never ended."""
    lines = [check["clauses"][0], f"  check     {check['id']}", "  expected  an answer", f"  found     the process died: {how}"]
    return "\n".join([*lines, f"  suspect   {check['suspect']}", f"  repeat    {again(check, station)}"])


def script(config: pytest.Config, file: Path | None, check: dict[str, Any], station: Station) -> dict[str, Any]:
    """The script of a dead check, where scripts are left."""
    if file is None or not config.pluginmanager.has_plugin("conformance.plugin.reproduce"):
        return {}
    from conformance.repro import shelf

    return shelf.of_the_dead(file.parent, check["id"], again(check, station))


class Vigil:
    """Keeps the line of the running check ready, as long as it runs in the process of the report."""

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder

    @property
    def place(self) -> Path | None:
        """Where the line lies; None where nobody would read it."""
        alone = not getattr(self.recorder.config.option, "numprocesses", None)
        return self.recorder.file.with_name(report.RUNNING) if alone and self.recorder.file is not None else None

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        check, place = self.recorder.checks.get(nodeid), self.place
        if check is None or place is None:
            return
        told = {key: check[key] for key in ("clauses", "needs", "evidence")}
        line = {"kind": "result", "check": check["id"], **told, "state": "crash", "worker_died": True, "observations": []}
        line |= {"message": message(check, self.recorder.station, report.HOW), "seconds": 0.0, "worker": "main"}
        place.write_text(report.encode(line), encoding="utf-8")

    def pytest_sessionfinish(self) -> None:
        if self.place is not None:
            self.place.unlink(missing_ok=True)
