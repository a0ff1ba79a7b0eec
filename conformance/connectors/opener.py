"""A fresh process for a backend: opens one file after the other, and says of each what came of it and what it took.

`python -m conformance.connectors.opener --backend NAME --device cpu --method load FILE …` prints a line of JSON for each file:
`outcome` (`refused`, `opened`, or the class of another error), `message`, `seconds` of processor, `mebibytes` of memory beyond
what the process had. A process that dies has no line for the file that killed it.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from conformance.connectors.connect import Proxy, connect

UNIT = 1 << 20 if sys.platform == "darwin" else 1 << 10
"""In what the system counts the largest memory, for a mebibyte."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Open and tell."""
    parser = argparse.ArgumentParser(prog="conformance.connectors.opener")
    for flag in ("--backend", "--device", "--method"):
        parser.add_argument(flag, required=True)
    parser.add_argument("files", nargs="+", type=Path)
    given = parser.parse_args(arguments)
    method = getattr(Proxy(connect(given.backend, given.device)), given.method)
    for file in given.files:
        print(json.dumps(opened(method, file)), flush=True)


def opened(method: Any, file: Path) -> dict[str, Any]:
    """What came of one file."""
    outcome, message = "opened", ""
    memory, start = _memory(), time.process_time()
    try:
        method(file)
    except (ValueError, RuntimeError) as error:
        outcome, message = "refused", str(error)
    except Exception as error:
        outcome, message = type(error).__name__, str(error)
    seconds = time.process_time() - start
    return {"outcome": outcome, "message": message[:2000], "seconds": seconds, "mebibytes": _memory() - memory}


def _memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / UNIT


if __name__ == "__main__":
    main()
