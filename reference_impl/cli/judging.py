"""The flags and the lines by which `train`, `infer` and `inspect` judge a file before they use it."""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from reference_impl.claims import claimed_folder, sweep
from reference_impl.cli.flags import of
from reference_impl.cli.progress import Reporter
from reference_impl.data.evidence import Evidence
from reference_impl.data.plausible import Row
from reference_impl.data.report import Report
from reference_impl.domains.fields import SUPPORTED_SIZES


def _side(seen: Evidence, threshold: float) -> str | None:
    return None if seen.N in SUPPORTED_SIZES else f"patterns of {seen.N} x {seen.N} pixels"


SIDES = ", ".join(map(str, SUPPORTED_SIZES))
SIDE = Row(
    name="pattern-side",
    severity="error",
    field="diff3d",
    threshold=float(SUPPORTED_SIZES[0]),
    source=f"pixels, at least; the network takes {SIDES}",
    advice=f"convert the source with --crop or --pad, one of {SIDES}; reconstruct takes any side",
    look=_side,
    can_be_accepted=False,
)
"""What `train` refuses before it judges, so that `inspect` has to say it."""


def add_judgement_flags(parser: argparse.ArgumentParser) -> None:
    """What the user knows of the file and the file does not say."""
    group = parser.add_argument_group("the file")
    good = "NPY or NPZ of the good pixels (N, N): True, or 1, is good"
    group.add_argument("--mask", type=of("mask_file", must_exist=True), metavar="FILE", help=good)
    scale = "object pixels in a unit of the file's positions"
    group.add_argument("--position-scale", type=of("position_scale"), default=1.0, help=scale)
    again = "go on in spite of this finding; can be repeated"
    group.add_argument("--accept", type=of("accept"), action="append", metavar="NAME", help=again)


def read_record(args: argparse.Namespace, path: Path, scratch: Path | None = None) -> Any:
    """The raw record of `path` under the flags.

    `scratch`: a folder in which patterns above `stored.room.LARGE` bytes lie, mapped, in a file that has lost its name.
    """
    from reference_impl.data import load_data
    from reference_impl.data.on_disk import read_on_disk
    from reference_impl.stored import room

    how: dict[str, Any] = {"measurement": args.measurement, "mask": args.mask, "coord_scale": args.position_scale}
    if scratch is None or _pattern_bytes(path) <= room.LARGE:
        return load_data(path, **how)
    sweep(scratch)
    with claimed_folder(scratch / "patterns") as folder:
        return read_on_disk(path, folder / "patterns", **how)


def _pattern_bytes(path: Path) -> int:
    """Of the patterns of a contract file, in float32; 0 where there are none: who reads them says so."""
    from reference_impl.data.npz import Archive, refuse_other_format
    from reference_impl.data.record import PATTERN_KEYS

    refuse_other_format(path)
    with Archive(path) as archive:
        key = next((key for key in PATTERN_KEYS if key in archive), None)
        return 0 if key is None else 4 * math.prod(archive.header(key).shape)


def report_of(args: argparse.Namespace, record: Any, crop: int = 20, more: Sequence[Any] = ()) -> Report:
    """Every check on a record, and the rows of `more`, under the flags; `crop` is M of the stitcher."""
    from reference_impl.data.report import reported

    how = {"crop": crop, "measurement": args.measurement, "position_scale": args.position_scale, "more": more}
    photons = getattr(args, "nphotons", None)  # a flag of train's alone
    return reported(record, args.accept or (), nphotons=photons, **how)


def judged(args: argparse.Namespace, record: Any, say: Reporter, crop: int = 20) -> Report:
    """The report, printed; its warnings given, its errors raised (`ContractError`)."""
    found = report_of(args, record, crop)
    for line in found.lines():
        say.line(line)
    found.warn()
    found.refuse()
    return found
