"""Trials inside pytest: the suite is collected once, then each trial runs its checks in a fork of this process.

A trial is a planted backend and some checks: chosen (`choice`), or named in their order (`nodes`). A job may end each trial at
the first red (`until_red`) or after so much CPU (`budget`, s), bound what a trial may address (`memory`, bytes), note which lines
of the reference each reaches (`trace`), and have each planted backend go through the scenario of a working one (`working`). Forks
begin with everything imported and nothing computed, so that a trial costs its checks and no more. Each writes its results as
lines of its own file; `conformance.defects.trials` reads them.
"""

from __future__ import annotations

import faulthandler
import gc
import importlib
import json
import math
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Iterable
from contextlib import nullcontext
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from conformance.connectors import warm
from conformance.connectors.names import PLANTED
from conformance.defects import tracing, trials, working
from conformance.judging.states import RED
from conformance.scenes import strategies

if TYPE_CHECKING:
    from conformance.plugin.recorder import Recorder
    from conformance.plugin.station import Station

REGISTERS = {"mutant", "twin"}
WATCH = 0.005
"""Seconds between two looks at the running forks."""


def bounded(limit: int | None) -> None:
    """This process addresses no more than so many bytes from now on; more is a MemoryError and not the machine's end."""
    if limit is not None:
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


class Trials:
    """Takes the place of pytest's loop over the checks."""

    def __init__(self, station: Station, recorder: Recorder, job: Path, checks: dict[str, Any]) -> None:
        self.station, self.recorder = station, recorder
        self.job = json.loads(job.read_text(encoding="utf-8"))
        self.folder = job.parent.resolve()
        self.trained = self.folder / "trained"
        self.checks = checks
        self.running: dict[int, tuple[str, float]] = {}
        self.reached: dict[str, set[str]] = {}

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        places = [trials.Place(node, c.id, Path(node.split("::")[0]).stem, slow) for node, (c, slow) in self.checks.items()]
        self.config, self.items = session.config, {item.nodeid: item for item in session.items}
        places = [place for place in places if place.node in self.items]
        if "each" in self.job:
            self.job["trials"] = self._each(places)
        plans = {name: self._plan(places, trial) for name, trial in self.job["trials"].items()}
        slow = {place.node for place in places if place.slow}
        # The longest first, so that no core is left alone with one at the end.
        dear = {name: (len(slow.intersection(plan)), len(plan)) for name, plan in plans.items()}
        waiting = sorted(plans, key=dear.__getitem__, reverse=True) if self.job.get("sorted", True) else [*plans]
        self._read_ahead(self.items[node] for node in {node for plan in plans.values() for node in plan})
        if self.job.get("working"):
            self._scout()
        gc.collect()
        gc.freeze()  # what a fork never writes to is never copied
        libraries = warm.started() if self.job.get("warm") else nullcontext()
        with libraries, tempfile.TemporaryDirectory(prefix="t", ignore_cleanup_errors=True) as self.short:
            while waiting or self.running:
                while waiting and len(self.running) < self.job["workers"]:
                    name = waiting.pop(0)
                    self._start(name, plans[name])
                time.sleep(WATCH)
                self._reap()
        shutil.rmtree(self.trained, ignore_errors=True)
        self.recorder.planned_once = False  # the forks have the results: there is no report to close here
        return True

    def _each(self, places: list[trials.Place]) -> dict[str, Any]:
        """A trial a check that is not known: on all of its cases where they are quick, else on its last one."""
        nodes = {place.check.rpartition("@")[0]: place.node for place in places}
        (self.folder / "nodes.json").write_text(json.dumps(nodes), encoding="utf-8")
        some = trials.unknown(places, self.job["known"])[: self.job.get("most")]
        return {names[-1]: {"backend": self.job["each"], "nodes": [nodes[n] for n in names]} for names in some}

    def _plan(self, places: list[trials.Place], trial: dict[str, Any]) -> list[str]:
        """The nodes of a trial in the order in which they run: as it says, or as they were collected."""
        if "nodes" in trial:
            if gone := [node for node in trial["nodes"] if node not in self.items]:
                print(f"not collected any more, and left out: {', '.join(gone)}", flush=True)
            return [node for node in trial["nodes"] if node in self.items]
        taken = {place.node for place in trials.chosen(places, **trial["choice"])}
        return [node for node in self.items if node in taken]

    def _read_ahead(self, items: Iterable[pytest.Item]) -> None:
        """What every fork would read for itself: the registers of what is planted, libraries, and what Hypothesis looks for."""
        for scheme in {str(trial["backend"]).partition(":")[0] for trial in self.job["trials"].values()} & REGISTERS:
            importlib.import_module(PLANTED[scheme]).REGISTER.all()
        warm.imported()
        if any(getattr(getattr(item, "obj", None), "is_hypothesis_test", False) for item in items):
            strategies.ready()

    def _scout(self) -> None:
        """In a fork: what the scenario of a working backend runs; raises where it does not go through on the reference."""
        found = self.folder / "reached.json"
        child = os.fork()
        if not child:
            code = 70
            try:
                with tempfile.TemporaryDirectory() as folder:
                    told = working.reached(self.station.backend(), Path(folder))
                    shutil.move(Path(folder, working.OUT), self.trained)
                found.write_text(json.dumps(told), encoding="utf-8")
                code = 0
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stderr.flush()
                os._exit(code)
        if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]):
            raise RuntimeError("the scenario of a working backend does not go through on the reference; see above")
        self.reached = {step: set(places) for step, places in json.loads(found.read_text(encoding="utf-8")).items()}

    def _start(self, name: str, nodes: list[str]) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        child = os.fork()
        if child:
            self.running[child] = (name, time.monotonic())
            return
        os.setpgid(0, 0)
        code = 70
        try:
            self._examine(name, [self.items[node] for node in nodes])
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)

    def _examine(self, name: str, items: list[pytest.Item]) -> None:
        """In the fork: plant, run the items, leave a line a result, and a last line that all have been run."""
        own = self.folder / trials.safe(name)
        own.mkdir()
        log = os.open(own / "run.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(log, 1)
        os.dup2(log, 2)
        # What hangs says where: the log of a trial that was ended for its patience must be enough to understand it.
        faulthandler.dump_traceback_later(0.9 * self.job["patience"], file=sys.__stderr__)
        scratch = self._scratch(os.getpid())
        scratch.mkdir()
        # A fork ends without tidying up: what it makes on the side lies where its parent can take it away.
        tempfile.tempdir = os.environ["TMPDIR"] = os.environ["PYTEST_DEBUG_TEMPROOT"] = str(scratch)
        path = [os.path.abspath(part) for part in os.environ.get("PYTHONPATH", "").split(os.pathsep) if part]
        os.environ["PYTHONPATH"] = os.pathsep.join(path)
        (here := scratch / "here").mkdir()
        os.chdir(here)  # a defect that writes where it stands
        bounded(self.job.get("memory"))
        self.recorder.file, self.recorder.lines = own / "results.jsonl", []
        self.station.retarget(self.job["trials"][name]["backend"])
        self.config.option.backend = self.station.backend_name  # checks that start a process hand it on
        self.station.backend()
        began, account = time.monotonic(), own / "cpu"
        os.environ[warm.ACCOUNT] = str(account)
        with tracing.traced(own) if self.job.get("trace") else nullcontext():
            run, used = self._run(items, self.job["trials"][name], account)
        if self.job.get("working") and name.startswith(("DEF-", "GUARD-")):
            self._prove(scratch / "working")
        self.recorder._write({"kind": "end", "checks": run, "seconds": round(time.monotonic() - began, 2), "cpu": round(used, 2)})

    def _run(self, items: list[pytest.Item], trial: dict[str, Any], account: Path) -> tuple[int, float]:
        """Run the items of a trial, as far as it goes; how many were run, and their CPU (s), that of `account` in it."""
        run, used, before, proven = 0, 0.0, sum(os.times()[:4]), set[str]()
        enough = trial.get("until_proven", ())
        for item, following in zip_longest(items, items[1:]):
            if enough and trials.settled(self._name(item), trial["choice"]["checks"], proven):
                continue
            # Where the next one may be left out, nothing is kept for it.
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=None if enough else following)
            run, told = run + 1, json.loads(self.recorder.lines[-1])
            if trials.refutes(told["state"], trials.stop_of(told), enough):
                proven.add(self._name(item))
            red = self.job.get("until_red") and told["state"] in RED
            used = sum(os.times()[:4]) - before + warm.spent(account)
            if red or used > self.job.get("budget", math.inf):
                break
        return run, used

    def _name(self, item: pytest.Item) -> str:
        return trials.without_device(self.checks[item.nodeid][0].id)

    def _scratch(self, child: int) -> Path:
        """Where a fork keeps what it makes on the side: a path so short that its own processes' sockets have room in it."""
        return Path(self.short, str(child))

    def _prove(self, folder: Path) -> None:
        """Whether the planted backend goes through the scenario, as a line of the results; none where it does not reach it."""
        folder.mkdir()
        backend = self.station.backend()
        registry = backend.registry()
        registry.clear()
        registry.update(backend.defaults())
        if (stopped := working.proved(backend, self.reached, folder, self.trained)) is not None:
            self.recorder._write({"kind": "working", "step": stopped[0], "why": stopped[1]})

    def _reap(self) -> None:
        for child, (name, began) in list(self.running.items()):
            ended, status, used = os.wait4(child, os.WNOHANG)
            if not ended and time.monotonic() - began > self.job["patience"]:
                os.killpg(child, signal.SIGKILL)
                ended, status, used = os.wait4(child, 0)
            if ended:
                del self.running[child]
                shutil.rmtree(self._scratch(child), ignore_errors=True)
                done = f"{name} {time.monotonic() - began:.1f} s (CPU {used.ru_utime + used.ru_stime:.1f} s)"
                print(done if os.waitstatus_to_exitcode(status) == 0 else f"{done}: ended with {status}", flush=True)
