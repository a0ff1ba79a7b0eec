"""`inspect`: a contract file → what was checked, what was assumed, and a picture, without training."""

from __future__ import annotations

import argparse
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from reference_impl.atomic import refuse_same_file
from reference_impl.cli.convert import Orders, describe, make_probe
from reference_impl.cli.flags import add_measurement_flag, of
from reference_impl.cli.judging import SIDE, add_judgement_flags, read_record, report_of
from reference_impl.cli.orientations import lines, rank
from reference_impl.cli.probe_refinement import REFINED
from reference_impl.cli.progress import Reporter
from reference_impl.data.geometry import Geometry
from reference_impl.data.geometry_record import plan
from reference_impl.data.geometry_record import record as made_record
from reference_impl.data.npz import Archive
from reference_impl.data.report import Report
from reference_impl.errors import ContractError, printable
from reference_impl.formats import Wishes, opened
from reference_impl.formats import layout as layouts
from reference_impl.formats.sources import place

SUMMARY = "check a contract file and draw it, without training"
DESCRIPTION = (
    "Check the patterns and positions of a contract file: prints what was looked for and what is taken for granted, draws the "
    "mean pattern, the scan, the probe and a histogram. Exit code 1 where train would refuse the file."
)
BIASED = (
    "the probe was refined in the orientation that this file has, and has absorbed what was wrong with it: --orientations "
    "cannot be trusted here; convert the source without --refine-probe, and ask again"
)


def add_flags(parser: argparse.ArgumentParser) -> None:
    """The file, and where the picture goes."""
    text = "contract file, or what convert reads without further flags (CXI, HDF5, …): a file, or FILE::data set"
    parser.add_argument("file", type=Path, metavar="FILE", help=text)
    text = "try the eight orientations of the detector on a few patterns, and rank them"
    parser.add_argument("--orientations", action="store_true", help=text)
    picture = "PNG to write; FILE's name with -inspected.png, in this folder, unless given"
    parser.add_argument("--output", type=of("picture"), help=picture)
    crop = "M: central pixels of each patch that infer would place"
    parser.add_argument("--stitch-crop-size", type=of("stitch_crop_size"), default=20, help=crop)
    add_measurement_flag(parser)
    add_judgement_flags(parser)
    parser.add_argument("--quiet", action="store_true", help="nothing on standard output")


def run(args: argparse.Namespace) -> None:
    """Read, judge, draw."""
    say = Reporter(args.quiet)
    path = place(str(args.file), "file")[0]
    if not path.exists():
        raise FileNotFoundError(f"{path}: file not found")
    target = Path(f"{path.stem}-inspected.png") if args.output is None else args.output
    refuse_same_file("--output", target, {"FILE": path, "--mask": args.mask})
    contract = is_contract(args.file)
    record = read_record(args, path) if contract else converted(args, say)
    rows = conversion_of(record)
    for row in rows if contract else ():
        if row["kind"] == "warning":
            warnings.warn(f"{path}: convert warned: {row['item']}: {row['value']}: {row['source']}", stacklevel=2)
    inspect_record(record, report_of(args, record, args.stitch_crop_size, (SIDE,)), target, say)
    if args.orientations:
        if any(row["item"] == "probe" and row["value"].startswith(REFINED) for row in rows):
            warnings.warn(f"{path}: {BIASED}", stacklevel=2)
        with say.step("trying orientations"):
            ranked = rank(record)
        for line in lines(ranked):
            say.line(line)


def conversion_of(record: Any) -> list[dict[str, str]]:
    """The rows of the table that `convert` has kept in the file, printable; a stranger's metadata may hold anything there."""
    rows = record.metadata.get("conversion") if isinstance(record.metadata, dict) else None
    names = ("item", "value", "source", "kind")
    whole = [row for row in rows if isinstance(row, dict) and set(names) <= set(row)] if isinstance(rows, list) else []
    return [{name: printable(row[name], 200) for name in names} for row in whole]


def is_contract(path: Path) -> bool:
    """Whether `path` is an NPZ with the contract's names; another NPZ is for `convert`'s readers to name."""
    with suppress(ContractError, OSError), Archive(path) as archive:
        fits = (all(any(name in archive for name in group) for group in layout.contains) for layout in layouts.known())
        known = [layout.kind for layout, right in zip(layouts.known(), fits, strict=True) if right]
        return not known or known[0] == "contract"
    return path.suffix == ".npz"


def converted(args: argparse.Namespace, say: Reporter) -> Any:
    """The record that `convert` would make of anybody's file, with its table; a probe is estimated where there is none.

    `ContractError` for a scale of positions, whose unit such a file states.
    """
    if args.position_scale != 1:
        expected = "1: the file states the unit of its positions; convert it first (--position-unit)"
        raise ContractError(field="position_scale", expected=expected, found=f"{args.position_scale:g}")
    said = args.measurement if "measurement" in args.typed else None
    measurement = {"amplitude": "amplitudes"}.get(said, said) if said else None
    with opened(
        str(args.file), Wishes(mask=None if args.mask is None else str(args.mask), measurement=measurement)
    ) as experiment:
        made = plan(experiment, Geometry())
        record = made_record(made, describe)
        if record.probeGuess is None:
            record.probeGuess = make_probe(made, Orders.plain(), np.arange(len(made.frames)))
        for line in made.table.lines():
            say.line(line)
    return record


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
