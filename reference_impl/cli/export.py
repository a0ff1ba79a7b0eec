"""`export`: files of anybody's, contract files among them → CXI / NXcxi_ptycho, or a ptychodus product with its patterns."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from reference_impl.atomic import refuse_same_file, require_writable, whole_set
from reference_impl.cli import convert_flags
from reference_impl.cli.convert import Orders, describe, make_probe, show
from reference_impl.cli.flags import of
from reference_impl.cli.progress import Reporter
from reference_impl.data.geometry_record import Conversion, plan
from reference_impl.formats import opened, write
from reference_impl.formats.sources import place

SUMMARY = "write an experiment for other programs (CXI / NXcxi_ptycho, ptychodus product)"
DESCRIPTION = (
    "Write a contract file, or anything that convert reads, as CXI / NXcxi_ptycho, or as a ptychodus product (OUTPUT with _para "
    "before its ending) with its patterns (with _dp). Energy, distance and object pixel come from the file or from flags."
)
WRITERS = {"cxi": write.cxi, "product": write.product}


def add_flags(parser: argparse.ArgumentParser) -> None:
    """The flags of `convert`, and the layout."""
    convert_flags.add_reading_flags(parser)
    parser.add_argument("--to", type=of("target"), default="cxi", help="cxi or product")
    parser.add_argument("--output", required=True, type=of("output_file"), help="file to write")
    convert_flags.add_refining_flags(parser)


def run(args: argparse.Namespace) -> None:
    """Read, convert, write; the files of a call come into being together, or none."""
    say, orders = Reporter(args.quiet), Orders.of(args)
    source = place(args.source[0], "source")[0]
    names = written(args.output, args.to)
    for name in names:
        refuse_same_file("output", name, {"--source": source})
    require_writable(args.output.parent)
    with opened(args.source[0], orders.wishes) as experiment:
        with say.step(f"{source}: reading"):
            made = plan(experiment, orders.geometry)
        write.Optics.of(made)
        with whole_set(args.output.parent) as stage, say.step("writing"):
            everything = np.arange(len(made.frames))
            WRITERS[args.to](stage / args.output.name, made, lambda: make_probe(made, orders, everything), _told)
    show(made, args.source[0], say)
    for name in names:
        say.line(f"{name}: {len(made.frames)} patterns of {made.N} x {made.N} pixels")


def written(output: Path, target: str) -> list[Path]:
    """The files that `output` stands for."""
    if target == "cxi":
        return [output]
    return [output.with_name(f"{output.stem}_{part}{output.suffix}") for part in ("para", "dp")]


def _told(made: Conversion) -> str:
    return json.dumps(describe(made), sort_keys=True)
