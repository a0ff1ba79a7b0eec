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
from reference_impl.bench.peers import table  # noqa: E402


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, write the JSON; 0 where every bound is kept, 1 otherwise. With `--peers` print that table instead."""
    args = _arguments(argv)
    torch.set_num_threads(args.threads)
    if args.peers:
        return table(args.peers, args.sizes, (*args.patterns, *((16_384,) if args.large else ())), args.limit)
    return _measure(args)


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m reference_impl.bench", description="Times and memory of the reference.")
    parser.add_argument("--output", type=Path, default=Path("reports/bench.json"))
    parser.add_argument("--runs", type=int, default=5, help="at least 5")
    parser.add_argument("--threads", type=int, default=1, help="of torch; two on a busy two-core machine wait for each other")
    parser.add_argument("--only", nargs="+", choices=[part.__name__ for part in PARTS], help="these parts alone")
    peers = parser.add_argument_group("the engine beside pty-chi")
    peers.add_argument("--peers", metavar="PYTHON", help="interpreter of an environment with pty-chi")
    peers.add_argument("--sizes", type=int, nargs="+", default=[64, 128, 256], metavar="N", help="pixels of a pattern's side")
    peers.add_argument("--patterns", type=int, nargs="+", default=[1024], metavar="COUNT")
    peers.add_argument("--large", action="store_true", help="16,384 patterns too: 18 GB of memory at N = 256, and hours")
    peers.add_argument("--limit", type=float, default=300, metavar="SECONDS", help="of the processor, for each solver and scan")
    return parser.parse_args(argv)


def _measure(args: argparse.Namespace) -> int:
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
