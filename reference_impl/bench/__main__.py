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
from reference_impl.bench import doses, peers, to_error, warm  # noqa: E402
from reference_impl.bench.measure import Figure, row  # noqa: E402
from reference_impl.bench.parts import PARTS  # noqa: E402


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, write the JSON; 0 where every bound is kept, 1 otherwise. Other questions print a table each."""
    args = _arguments(argv)
    torch.set_num_threads(args.threads)
    if args.warm is not None:
        return warm.table(args.warm)
    if args.to_error is not None:
        return to_error.table(args.peers, args.to_error)
    if args.doses:
        return doses.table(args.peers)
    if args.peers:
        return peers.table(args.peers, args.sizes, (*args.patterns, *((16_384,) if args.large else ())), args.limit)
    return _measure(args)


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m reference_impl.bench", description="Times and memory of the reference.")
    parser.add_argument("--output", type=Path, default=Path("reports/bench.json"))
    parser.add_argument("--runs", type=int, default=5, help="at least 5")
    parser.add_argument("--threads", type=int, default=1, help="of torch; two on a busy two-core machine wait for each other")
    parser.add_argument("--only", nargs="+", choices=[part.__name__ for part in PARTS], help="these parts alone")
    beside = parser.add_argument_group("the engine beside pty-chi")
    beside.add_argument("--peers", metavar="PYTHON", help="interpreter of an environment with pty-chi")
    beside.add_argument("--sizes", type=int, nargs="+", default=[64, 128, 256], metavar="N", help="pixels of a pattern's side")
    beside.add_argument("--patterns", type=int, nargs="+", default=[1024], metavar="COUNT")
    beside.add_argument(
        "--large", action="store_true", help="16,384 patterns too, as far as memory allows: 21 GB at N = 256, and hours"
    )
    beside.add_argument("--limit", type=float, default=300, metavar="SECONDS", help="of the processor, for each solver and scan")
    beside.add_argument("--doses", action="store_true", help="with --peers: settled errors at 1e3, 1e4 and 1e5 photons a pattern")
    ways = "from raw data to an error, way by way, pty-chi too with --peers; what follows is added to the flags of train"
    beside.add_argument("--to-error", nargs=argparse.REMAINDER, metavar="FLAG", help=ways)
    starts = "sweeps of the engine to an error from a flat object and from this bundle's, over overlap and dose"
    beside.add_argument("--warm", type=Path, metavar="BUNDLE", help=starts)
    args = parser.parse_args(argv)
    if args.doses and not args.peers:
        parser.error("--doses: expected --peers PYTHON beside it, an environment with pty-chi")
    return args


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
