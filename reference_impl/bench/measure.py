"""Measuring: seconds, processor time, peak memory, and whether a bound is kept."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Bound:
    """A promise: the median of `value` is at most (or, with `least`, at least) `limit`."""

    limit: float
    least: bool = False

    def kept(self, value: float) -> bool:
        return value >= self.limit if self.least else value <= self.limit


@dataclass(frozen=True)
class Figure:
    """One measurement: median, lowest and highest in `unit`; `peak_mib`: growth of the resident set at its peak."""

    name: str
    unit: str
    median: float
    low: float
    high: float
    runs: int
    peak_mib: float | None
    cpu_share: float | None
    bound: str | None
    kept: bool


@dataclass(frozen=True)
class Timing:
    """Seconds of each run, processor seconds per second of them, and the peak growth of memory in MiB."""

    seconds: list[float]
    cpu_share: float
    peak: float | None


def figure(name: str, unit: str, values: Sequence[float], timing: Timing | None = None, bound: Bound | None = None) -> Figure:
    """The figure of the values of several runs."""
    median = statistics.median(values)
    said = None if bound is None else f"{'at least' if bound.least else 'at most'} {bound.limit:g} {unit}"
    peak, share = (None, None) if timing is None else (timing.peak, timing.cpu_share)
    kept = bound is None or bound.kept(median)
    return Figure(name, unit, median, min(values), max(values), len(values), peak, share, said, kept)


def timed(work: Callable[[], Any], runs: int) -> Timing:
    """Time `work` after a first run of it; memory is that of a run whose result is kept."""
    work()
    gc.collect()
    peak, processor, begin = peak_growth(work), time.process_time(), time.perf_counter()
    seconds = [seconds_of(work) for _ in range(runs)]
    return Timing(seconds, (time.process_time() - processor) / (time.perf_counter() - begin), peak)


def peak_growth(work: Callable[[], Any]) -> float | None:
    """MiB by which the resident set grew at most while `work` ran; None where the system keeps no such mark."""
    before = _reset_peak()
    kept = work()
    after = _status("VmHWM")
    del kept
    return None if before is None or after is None else (after - before) / 1024


def _reset_peak() -> int | None:
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return None
    return _status("VmRSS")


def _status(key: str) -> int | None:
    """A value of /proc/self/status in KiB."""
    path = Path("/proc/self/status")
    if not path.is_file():
        return None
    return next((int(line.split()[1]) for line in path.read_text().splitlines() if line.startswith(f"{key}:")), None)


def seconds_of(work: Callable[[], Any]) -> float:
    """Wall time of one run."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def row(found: Figure) -> str:
    """One line of the table."""
    peak = "" if found.peak_mib is None else f"  peak +{found.peak_mib:.0f} MiB, cpu {found.cpu_share:.2f}"
    bound = "" if found.bound is None else f"  [{found.bound}: {'kept' if found.kept else 'MISSED'}]"
    return f"{found.name:55} {found.median:12.5g} {found.unit} ({found.low:.5g} … {found.high:.5g}){peak}{bound}"
