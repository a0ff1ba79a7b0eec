"""How many processes a run is worth: one a core, none beside the child where a few quick tests are selected."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import Path

from conformance.specification.bindings import Binding, scan
from conformance.specification.choosing import Choice, matches
from conformance.specification.clauses import load

MOST_WORKERS = 16
FEW = 12
"""Tests up to which one process is quicker: a worker imports the backend again (5 s), a quick test is 0.1 s."""


def cores() -> int:
    """Cores that this process may use: its affinity, and the container's quota where there is one."""
    mine = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = Path("/sys/fs/cgroup/cpu.max")
    words = quota.read_text().split() if quota.is_file() else ["max"]
    allowed = math.ceil(int(words[0]) / int(words[1])) if words[0] != "max" else mine
    return max(1, min(mine, allowed, MOST_WORKERS))


def enough(device: str, choice: Choice, select: Sequence[str], suite: Path | None = None, specs: Path | None = None) -> int:
    """Workers that bring more than they cost: none where a few quick tests are selected, which the suite's source says."""
    if device != "cpu":
        return 1
    known = load(specs).clauses
    taken = [
        test
        for test in scan(suite)[0]
        if (not select or _near(test, select))
        and any(choice.takes(known[key.split("~")[0]]) for key in test.clauses if key.split("~")[0] in known)
    ]
    return 0 if len(taken) <= FEW and sum(test.slow for test in taken) <= 1 else cores()


def _near(test: Binding, select: Sequence[str]) -> bool:
    """Whether a pattern may mean one of a test's cases: its parameters and its device are not known before it is collected."""
    plain = [pattern if "::" in pattern else pattern.split("@")[0] for pattern in select]
    return matches(test.check, [pattern.split("[")[0] for pattern in plain], f"{test.path.as_posix()}::test_{test.name}")
