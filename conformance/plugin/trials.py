"""Trials inside pytest: the suite is collected once, then each trial runs its checks in a fork of this process.

A trial is a planted backend and some checks. Forks begin with everything imported and nothing computed, so that a trial costs its
checks and no more. Each writes its results as lines of its own file; `conformance.defects.trials` reads them.
"""

from __future__ import annotations

import gc
import json
import os
import shutil
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from conformance.defects import trials

if TYPE_CHECKING:
    from conformance.plugin.recorder import Recorder
    from conformance.plugin.station import Station

WATCH = 0.005
"""Seconds between two looks at the running forks."""


class Trials:
    """Takes the place of pytest's loop over the checks."""

    def __init__(self, station: Station, recorder: Recorder, job: Path, checks: dict[str, Any]) -> None:
        self.station, self.recorder = station, recorder
        self.job = json.loads(job.read_text(encoding="utf-8"))
        self.folder = job.parent
        self.checks = checks
        self.running: dict[int, tuple[str, float]] = {}

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        places = [trials.Place(node, c.id, Path(node.split("::")[0]).stem, slow) for node, (c, slow) in self.checks.items()]
        plans = {name: trials.chosen(places, **trial["choice"]) for name, trial in self.job["trials"].items()}
        waiting = sorted(plans, key=lambda name: -sum(place.slow for place in plans[name]))
        gc.collect()
        gc.freeze()  # what a fork never writes to is never copied
        while waiting or self.running:
            while waiting and len(self.running) < self.job["workers"]:
                name = waiting.pop(0)
                self._start(session, name, {place.node for place in plans[name]})
            time.sleep(WATCH)
            self._reap()
        self.recorder.planned_once = False  # the forks have the results: there is no report to close here
        return True

    def _start(self, session: pytest.Session, name: str, nodes: set[str]) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        child = os.fork()
        if child:
            self.running[child] = (name, time.monotonic())
            return
        os.setpgid(0, 0)
        code = 70
        try:
            self._examine(session, name, [item for item in session.items if item.nodeid in nodes])
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)

    def _examine(self, session: pytest.Session, name: str, items: list[pytest.Item]) -> None:
        """In the fork: plant, run the items, leave a line a result, and a last line that all have been run."""
        own = self.folder / trials.safe(name)
        own.mkdir()
        log = os.open(own / "run.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(log, 1)
        os.dup2(log, 2)
        scratch = own / "scratch"
        scratch.mkdir()
        # A fork ends without tidying up: what it makes on the side lies where its parent can take it away.
        tempfile.tempdir = os.environ["TMPDIR"] = os.environ["PYTEST_DEBUG_TEMPROOT"] = str(scratch)
        self.recorder.file, self.recorder.lines = own / "results.jsonl", []
        self.station.retarget(self.job["trials"][name]["backend"])
        session.config.option.backend = self.station.backend_name  # checks that start a process hand it on
        self.station.backend()
        began = time.monotonic()
        for item, following in zip(items, [*items[1:], None], strict=True):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        self.recorder._write({"kind": "end", "checks": len(items), "seconds": round(time.monotonic() - began, 2)})

    def _reap(self) -> None:
        for child, (name, began) in list(self.running.items()):
            ended, status, used = os.wait4(child, os.WNOHANG)
            if not ended and time.monotonic() - began > self.job["patience"]:
                os.killpg(child, signal.SIGKILL)
                ended, status, used = os.wait4(child, 0)
            if ended:
                del self.running[child]
                shutil.rmtree(self.folder / trials.safe(name) / "scratch", ignore_errors=True)
                done = f"{name} {time.monotonic() - began:.1f} s (CPU {used.ru_utime + used.ru_stime:.1f} s)"
                print(done if os.waitstatus_to_exitcode(status) == 0 else f"{done}: ended with {status}", flush=True)
