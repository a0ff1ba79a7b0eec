"""Measure, print, write the JSON."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from reference_impl.policy import require_torch

require_torch()

import torch  # noqa: E402

from reference_impl.atomic import atomic_write  # noqa: E402
from reference_impl.bench.measure import Figure, row  # noqa: E402
from reference_impl.bench.parts import PARTS  # noqa: E402


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, write the JSON; 0 where every bound is kept, 1 otherwise."""
    parser = argparse.ArgumentParser(prog="python -m reference_impl.bench", description="Times and memory of the reference.")
    parser.add_argument("--output", type=Path, default=Path("reports/bench.json"))
    parser.add_argument("--runs", type=int, default=5, help="at least 5")
    parser.add_argument("--threads", type=int, default=1, help="of torch; two on a busy two-core machine wait for each other")
    parser.add_argument("--only", nargs="+", choices=[part.__name__ for part in PARTS], help="these parts alone")
    args = parser.parse_args(argv)
    torch.set_num_threads(args.threads)
    found: list[Figure] = []
    for part in PARTS:
        if not args.only or part.__name__ in args.only:
            for one in part(max(5, args.runs)):
                found.append(one)
                print(row(one), flush=True)
    machine = {"cpu": platform.processor() or platform.machine(), "cores": os.cpu_count(), "threads": args.threads}
    report = {
        "machine": {**machine, "torch": torch.__version__, "load": os.getloadavg()},
        "figures": [asdict(one) for one in found],
    }
    with atomic_write(args.output) as temporary:
        temporary.write_text(json.dumps(report, indent=2) + "\n")
    missed = [one.name for one in found if not one.kept]
    print(f"{args.output}: {len(found)} figures, {len(missed)} bounds missed{': ' + ', '.join(missed) if missed else ''}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
