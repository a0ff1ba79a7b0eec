"""The flags of `convert`: what the files are (`Wishes`), what is done with them (`Geometry`), how a probe is made (`Optics`)."""

from __future__ import annotations

import argparse
import re
from typing import Any

from reference_impl.cli.flags import of
from reference_impl.data import units
from reference_impl.data.geometry import Geometry
from reference_impl.data.geometry_probe import Optics
from reference_impl.errors import ContractError
from reference_impl.formats import Wishes

PLACE = "FILE, FILE::name or FILE::name*number"

# Flag, domain (None: a switch), help.
Rows = tuple[tuple[str, str | None, str], ...]
FILE: Rows = (
    ("--axes", "axes", "of the patterns: 'm y x', 'y x m', or of a raster 'sy sx y x'"),
    ("--measurement", "measurement", "what the patterns are: counts or amplitude"),
    ("--energy", "quantity", "of the photons, as '10 keV', or their wavelength, as '0.124 nm'; a number alone is in eV"),
    ("--distance", "quantity", "from sample to detector, as '2 m'; a number alone is in m, here and below"),
    ("--detector-pixel", "quantity", "pitch of the detector, as '75 um'"),
    ("--object-pixel", "quantity", "pixel of the object that comes out, where the optics do not say it, as '51.7 nm'"),
)
DETECTOR: Rows = (
    ("--zero-frequency", "zero_frequency", "where the file keeps it: centre, corner, or auto, which looks at the photons"),
    ("--centre", "centre", "of the beam, ROW,COLUMN of the detector as stored; or middle; or found, by the photons"),
    ("--crop", "crop", "keep CROP x CROP detector pixels around the centre: 64, 128 or 256 times --bin"),
    ("--pad", "pad", "fill up to PAD x PAD detector pixels that nobody measured"),
    ("--bin", "bin", "add BIN x BIN detector pixels"),
    ("--transpose", None, "the detector's rows are columns (before the flips)"),
    ("--flip-rows", None, "the detector is upside down"),
    ("--flip-columns", None, "the detector is mirrored, left to right"),
    ("--mask", "place", "image of the detector that says which pixels are good"),
    ("--mask-good", "mask_good", "what a good pixel is in it: nonzero (as assumed) or zero"),
    ("--mask-marked", None, "pixels that hold no count in any frame (NaN, below zero, 2^32 - 1) are bad"),
    ("--clip-negatives", "clip_negatives", "values from minus this to 0 become 0"),
    ("--threshold", "threshold", "values below it become 0"),
    ("--drop", "frames", "frames that are left out, by number: 3,7,10-12"),
    ("--drop-dark", "drop_dark", "leave out frames with fewer photons than this part of the median"),
    ("--drop-saturated", "drop_saturated", "leave out frames with a pixel of this value or more"),
)
SCAN: Rows = (
    ("--positions", "place", f"where the positions are, if not in the source: {PLACE}, or a table of text"),
    ("--positions-x", "place", "x alone, FILE::name or FILE::name*number"),
    ("--positions-y", "place", "y alone"),
    ("--columns", "axes", "of a table of positions: 'x y' or 'y x', or two names of a text's columns (x first)"),
    ("--position-unit", "position_unit", "of the positions: m, cm, mm, um, nm, angstrom, pm, or pixel (of the object)"),
    ("--step", "quantity", "of a raster without measured positions, as '30 nm', or '40 nm,30 nm' (y,x)"),
    ("--scan-shape", "quantity", "ROWS,COLUMNS of a raster, where the file does not show it"),
    ("--swap-xy", None, "x and y of the positions are exchanged (before the flips)"),
    ("--flip-x", None, "x of the positions counts the other way"),
    ("--flip-y", None, "y of the positions counts the other way"),
    ("--keep-origin", None, "positions keep their origin; else the least lie at half a pattern"),
    ("--drop-surplus", None, "where frames and positions differ in number, drop the last ones"),
)
PROBE: Rows = (
    ("--probe", "place", "where the probe is, if not in the source; a modulus alone is a start"),
    ("--aperture", "quantity", "no probe: diameter of a lens, a zone plate or a pinhole, as '180 um'"),
    ("--focal-length", "quantity", "of the lens or zone plate; without it the aperture is a pinhole"),
    ("--defocus", "quantity", "from the focus (or the pinhole) to the sample, as '500 um'; --defocus=-500um before it"),
    ("--stop", "quantity", "diameter of the zone plate's central stop"),
)
DEFAULTS: dict[str, Any] = {"--zero-frequency": "auto", "--bin": 1}
GROUPS = (("what the file is", FILE), ("the detector", DETECTOR), ("the scan", SCAN), ("the probe", PROBE))


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Source and target; then a group of flags for each question."""
    add_reading_flags(parser)
    parser.add_argument("--output", required=True, type=of("output_file"), help="file to write; with several sources a folder")
    parser.add_argument("--dry-run", action="store_true", help="read, print the table of what would be done, write nothing")
    parser.add_argument(
        "--held-out",
        type=of("held_out"),
        default=0.0,
        help="also write OUTPUT with _train and _test before its ending: this fraction of the exposures is in _test alone",
    )
    add_refining_flags(parser)


def add_refining_flags(parser: argparse.ArgumentParser) -> None:
    """What is done with the probe, and how much is said."""
    parser.add_argument(
        "--refine-probe",
        type=of("sweeps"),
        default=0,
        metavar="SWEEPS",
        help="let the patterns correct the probe, SWEEPS passes over those to train on; 10 settle it, 0 leaves it alone",
    )
    parser.add_argument("--quiet", action="store_true", help="nothing on standard output but warnings and errors elsewhere")


def add_reading_flags(parser: argparse.ArgumentParser) -> None:
    """What every command that reads anybody's file takes."""
    text = "file, folder of images, or FILE::data set; several make several files"
    parser.add_argument("--source", required=True, nargs="+", type=of("place"), metavar="PLACE", help=text)
    text = "files that hold what the source has not: positions, probe"
    parser.add_argument("--parameters", nargs="+", type=of("place"), metavar="FILE", help=text)
    text = "TOML file with the names of a layout of your own (reference_impl/formats/README.md)"
    parser.add_argument("--layout", type=of("input_file", must_exist=True), help=text)
    for title, rows in GROUPS:
        group = parser.add_argument_group(title)
        for flag, domain, text in rows:
            if domain is None:
                group.add_argument(flag, action="store_true", help=text)
            else:
                group.add_argument(flag, type=of(domain), default=DEFAULTS.get(flag), metavar=_metavar(domain), help=text)


def _metavar(domain: str) -> str | None:
    return {"place": "PLACE", "quantity": "QUANTITY"}.get(domain)


def wishes_of(args: argparse.Namespace) -> Wishes:
    """What the user says of the file; `ContractError` names the flag."""
    same = ("layout", "axes", "positions", "positions_x", "positions_y", "columns", "position_unit", "mask", "mask_good", "probe")
    photons = {**units.ENERGIES, **units.LENGTHS}
    return Wishes(
        parameters=tuple(args.parameters or ()),
        measurement="amplitudes" if args.measurement == "amplitude" else args.measurement,
        energy=None if args.energy is None else units.quantity(args.energy, "energy", photons),
        distance=_length(args, "distance"),
        detector_pixel=_length(args, "detector_pixel"),
        step=_step(args.step),
        scan_shape=_pair(args.scan_shape, "scan_shape"),
        **{name: getattr(args, name) for name in same},
    )


def geometry_of(args: argparse.Namespace) -> Geometry:
    """What the user wants done; `ContractError` names the flag."""
    given = ("crop", "pad", "bin", "zero_frequency", "clip_negatives", "threshold", "drop_dark", "drop_saturated")
    switches = ("transpose", "flip_rows", "flip_columns", "swap_xy", "flip_x", "flip_y", "keep_origin", "mask_marked")
    return Geometry(
        centre=args.centre if args.centre in (None, "middle", "found") else _numbers(args.centre, "centre"),
        object_pixel=_length(args, "object_pixel"),
        drop=_ranges(args.drop),
        drop_surplus=args.drop_surplus,
        **{name: getattr(args, name) for name in (*given, *switches)},
    )


def optics_of(args: argparse.Namespace) -> Optics | None:
    """The optics in metres, or None where no aperture is given."""
    if args.aperture is None:
        for name in ("focal_length", "defocus", "stop"):
            if getattr(args, name) is not None:
                raise ContractError(field=name, expected="--aperture beside it", found="none")
        return None
    return Optics(
        aperture=_metres(args, "aperture") or 0.0,
        focal_length=_metres(args, "focal_length"),
        defocus=_signed(args.defocus),
        stop=_metres(args, "stop") or 0.0,
    )


def _length(args: argparse.Namespace, name: str) -> tuple[float, str] | None:
    text = getattr(args, name)
    return None if text is None else units.quantity(text, name, units.LENGTHS)


def _metres(args: argparse.Namespace, name: str) -> float | None:
    found = _length(args, name)
    return None if found is None else found[0] * units.metres(found[1])


def _signed(text: str | None) -> float:
    """A defocus may be negative, or zero."""
    bare = (text or "0").strip().lstrip("+-")
    if re.fullmatch(r"0*\.?0*\s*[^\W\d_]*", bare):
        return 0.0
    number, unit = units.quantity(bare, "defocus", units.LENGTHS)
    return (-1.0 if (text or "").strip().startswith("-") else 1.0) * number * units.metres(unit)


def _numbers(text: str, name: str) -> tuple[float, float]:
    expected = "two numbers, ROW,COLUMN" + (", or middle, or found" if name == "centre" else "")
    try:
        first, second = (float(part) for part in text.split(","))
    except ValueError as error:
        raise ContractError(field=name, expected=expected, found=repr(text)) from error
    if not (abs(first) < 1e9 and abs(second) < 1e9):  # NaN is no less than anything
        raise ContractError(field=name, expected=expected, found=repr(text))
    return first, second


def _pair(text: str | None, name: str) -> tuple[int, int] | None:
    if text is None:
        return None
    first, second = _numbers(text, name)
    if first != int(first) or second != int(second) or first < 1 or second < 1:
        raise ContractError(field=name, expected="two whole numbers from 1, ROWS,COLUMNS", found=repr(text))
    return int(first), int(second)


def _step(text: str | None) -> tuple[float, float, str] | None:
    if text is None:
        return None
    parts = text.split(",")
    every = {**units.LENGTHS, units.PIXEL: 1.0}
    if len(parts) > 2:
        raise ContractError(field="step", expected="one length, or two: y,x", found=repr(text))
    y, x = (units.quantity(part, "step", every) for part in (parts * 2)[:2])
    if y[1] != x[1]:
        raise ContractError(field="step", expected="one unit for both", found=repr(text))
    return y[0], x[0], y[1]


def _ranges(text: str | None) -> tuple[int, ...]:
    numbers: list[int] = []
    for part in (text or "").split(","):
        found = re.fullmatch(r"\s*(\d{1,7})(?:\s*-\s*(\d{1,7}))?\s*", part)
        if part.strip() and not found:
            raise ContractError(field="drop", expected="numbers and ranges, as 3,7,10-12", found=repr(text))
        if found:
            numbers += range(int(found[1]), int(found[2] or found[1]) + 1)
    return tuple(numbers)
