"""`inspect`: a contract file → what was checked, what was assumed, and a picture, without training."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from reference_impl.cli.flags import add_measurement_flag, of
from reference_impl.cli.judging import add_judgement_flags, read_record, report_of
from reference_impl.cli.progress import Reporter
from reference_impl.data.report import Report

SUMMARY = "check a contract file and draw it, without training"
DESCRIPTION = (
    "Check the patterns and positions of a contract file: prints what was looked for and what is taken for granted, draws the "
    "mean pattern, the scan, the probe and a histogram. Exit code 1 where train would refuse the file."
)


def add_flags(parser: argparse.ArgumentParser) -> None:
    """The file, and where the picture goes."""
    parser.add_argument("file", type=Path, metavar="FILE", help="NPZ with patterns, positions and a probe")
    picture = "PNG to write; FILE's name with -inspected.png, in this folder, unless given"
    parser.add_argument("--output", type=of("picture"), help=picture)
    crop = "M: central pixels of each patch that infer would place"
    parser.add_argument("--stitch-crop-size", type=of("stitch_crop_size"), default=20, help=crop)
    add_measurement_flag(parser)
    add_judgement_flags(parser)
    parser.add_argument("--quiet", action="store_true", help="nothing on standard output")


def run(args: argparse.Namespace) -> None:
    """Read, judge, draw."""
    if not args.file.is_file():
        raise FileNotFoundError(f"{args.file}: file not found")
    record = read_record(args, args.file)
    target = Path(f"{args.file.stem}-inspected.png") if args.output is None else args.output
    inspect_record(record, report_of(args, record, args.stitch_crop_size), target, Reporter(args.quiet))


def inspect_record(record: Any, report: Report, target: Path, say: Reporter) -> None:
    """Print the whole table, draw the picture to `target`; `ContractError` where an error stands."""
    from reference_impl.cli.record_picture import draw_record

    side = record.diff3d.shape[-1]
    say.line(f"{record.file}: {len(record)} patterns of {side} x {side} pixels")
    for line in report.lines(every=True):
        say.line(line)
    say.line(str(draw_record(record, target)))
    report.warn()
    report.refuse()
