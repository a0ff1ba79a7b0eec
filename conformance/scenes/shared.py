"""What one process makes for all checks of a session, however many workers they are spread over."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any


def once(folder: Path, name: str, make: Callable[[Path], Any]) -> Any:
    """The plain value of `make(folder / name)`: the first caller makes it, all others wait for it and read it."""
    place, answer = folder / name, folder / f"{name}.json"
    with (folder / f"{name}.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        if not answer.is_file():
            place.mkdir(exist_ok=True)
            answer.write_text(json.dumps(make(place)), encoding="utf-8")
    return json.loads(answer.read_text(encoding="utf-8"))
