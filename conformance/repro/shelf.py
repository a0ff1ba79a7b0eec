"""Where a run's scripts lie: `repro/` beside its report, no more than `MOST` of them. The only side effects of this package."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Any

from conformance.repro.script import Script, by_the_suite, stem

MOST = 50
"""Scripts of a run."""
FOLDER = "repro"


def reserved(report: Path, check: str) -> Path | None:
    """The place of a check's script, if fewer than `MOST` are there; processes count one after the other."""
    folder = report / FOLDER
    folder.mkdir(exist_ok=True)
    place = folder / f"{stem(check)}.py"
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        if len(list(folder.glob("*.py"))) >= MOST:
            return None
        place.touch()
    finally:
        os.close(handle)
    return place


def written(place: Path, found: Script) -> dict[str, Any]:
    """Lay a script and its archive down; returns what the report says of it: script, alone, reason."""
    if found.archive:
        place.with_name(f"{place.stem}.npz").write_bytes(found.archive)
    place.write_text(found.text, encoding="utf-8")
    return {"script": f"{FOLDER}/{place.name}", "alone": found.alone} | ({"reason": found.reason} if found.reason else {})


def of_the_dead(report: Path, check: str, repeat: str) -> dict[str, Any]:
    """The script of a check whose process died: nothing is left to look at. Empty: there are enough."""
    place = reserved(report, check)
    told = by_the_suite(check, f"{check}: a red of `conform run`.", "the process died with it", repeat)
    return {"repro": written(place, told)} if place else {}
