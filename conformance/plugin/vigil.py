"""Keeps a last word ready for a check that may take the report's own process with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance.evidence import report
from conformance.plugin import deaths
from conformance.plugin.recorder import Recorder
from conformance.specification.texts import named, said


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
        line |= {
            "message": deaths.message(check, self.recorder.station, report.HOW),
            "seconds": 0.0,
            "worker": "main",
            "stop": deaths.stop(check),
        }
        try:
            place.write_text(report.encode(line), encoding="utf-8")
        except OSError as error:
            pytest.exit(said(named(error, place)), returncode=6)

    def pytest_sessionfinish(self) -> None:
        if self.place is not None:
            self.place.unlink(missing_ok=True)
