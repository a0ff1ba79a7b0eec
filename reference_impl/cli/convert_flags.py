"""The flags of `convert`: what the files are (`Wishes`), what is done with them (`Geometry`), how a probe is made (`Optics`)."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from reference_impl.data.geometry import Geometry
from reference_impl.data.geometry_probe import Optics
from reference_impl.errors import ContractError
from reference_impl.formats import Wishes, units

PLACE = "FILE, FILE::name or FILE::name*number"


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Source and target; then a group of flags for each question."""
    parser.add_argument(
        "--source",
        required=True,
        nargs="+",
        metavar="PLACE",
        help="one file, folder of images, or FILE::data set, or several scans",
    )
    parser.add_argument("--output", required=True, type=Path, help="contract file to write; with several sources a folder")
    parser.add_argument("--dry-run", action="store_true", help="read, print the table of what would be done, write nothing")
    parser.add_argument(
        "--held-out",
        type=float,
        default=0.0,
        help="also write OUTPUT with _train and _test before its ending: this fraction of the exposures is in _test alone",
    )
    parser.add_argument("--quiet", action="store_true", help="nothing on standard output")
    _of_the_file(parser.add_argument_group("what the file is"))
    _of_the_detector(parser.add_argument_group("the detector"))
    _of_the_scan(parser.add_argument_group("the scan"))
    _of_the_probe(parser.add_argument_group("the probe"))


def _of_the_file(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--parameters", nargs="+", default=[], metavar="FILE", help="files that hold what the source has not: positions, probe"
    )
    group.add_argument(
        "--layout", type=Path, help="a TOML file with the names of a layout of your own (reference_impl/formats/README.md)"
    )
    group.add_argument("--axes", help="of the patterns: 'm y x', 'y x m', or of a raster 'sy sx y x'")
    group.add_argument("--measurement", help="what the patterns are: counts or amplitudes")
    group.add_argument(
        "--energy", help="of the photons, as '10 keV', or their wavelength, as '0.124 nm'; a number alone is in eV"
    )
    group.add_argument("--distance", help="from sample to detector, as '2 m'; a number alone is in m, here and below")
    group.add_argument("--detector-pixel", help="pitch of the detector, as '75 um'")
    group.add_argument("--object-pixel", help="pixel of the object that comes out, where the optics do not say it, as '51.7 nm'")


def _of_the_detector(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--zero-frequency", default="auto", help="where the file keeps it: centre, corner, or auto, which looks at the photons"
    )
    group.add_argument("--centre", help="of the beam, ROW,COLUMN of the detector as stored; or middle; or found, by the photons")
    group.add_argument("--crop", type=int, help="keep CROP x CROP detector pixels around the centre: 64, 128 or 256 times --bin")
    group.add_argument("--pad", type=int, help="fill up to PAD x PAD detector pixels that nobody measured")
    group.add_argument("--bin", type=int, default=1, help="add BIN x BIN detector pixels")
    group.add_argument("--transpose", action="store_true", help="the detector's rows are columns (before the flips)")
    group.add_argument("--flip-rows", action="store_true", help="the detector is upside down")
    group.add_argument("--flip-columns", action="store_true", help="the detector is mirrored, left to right")
    group.add_argument("--mask", metavar="PLACE", help="image of the detector that says which pixels are good")
    group.add_argument("--mask-good", help="what a good pixel is in it: nonzero (as assumed) or zero")
    group.add_argument("--mask-marked", action="store_true", help="pixels that are NaN or below zero in every frame are bad")
    group.add_argument("--clip-negatives", type=float, metavar="LIMIT", help="values from -LIMIT to 0 become 0")
    group.add_argument("--threshold", type=float, help="values below it become 0")
    group.add_argument("--drop", help="frames that are left out, by number: 3,7,10-12")
    group.add_argument(
        "--drop-dark", type=float, metavar="FRACTION", help="leave out frames with fewer photons than this part of the median"
    )
    group.add_argument(
        "--drop-saturated", type=float, metavar="VALUE", help="leave out frames with a pixel of this value or more"
    )


def _of_the_scan(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--positions", metavar="PLACE", help=f"where the positions are, if not in the source: {PLACE}, or a table of text"
    )
    group.add_argument("--positions-x", metavar="PLACE", help="x alone, FILE::name or FILE::name*number")
    group.add_argument("--positions-y", metavar="PLACE", help="y alone")
    group.add_argument("--columns", help="of a table of positions: 'x y' or 'y x', or two names of a text's columns (x first)")
    group.add_argument("--position-unit", help=f"{', '.join(units.POSITION_UNITS)} (of the object, at the file's pattern size)")
    group.add_argument("--step", help="of a raster without measured positions, as '30 nm', or '40 nm,30 nm' (y,x)")
    group.add_argument("--scan-shape", help="ROWS,COLUMNS of a raster, where the file does not show it")
    group.add_argument("--swap-xy", action="store_true", help="x and y of the positions are exchanged (before the flips)")
    group.add_argument("--flip-x", action="store_true", help="x of the positions counts the other way")
    group.add_argument("--flip-y", action="store_true", help="y of the positions counts the other way")
    group.add_argument(
        "--keep-origin", action="store_true", help="positions keep their origin; else the least lie at half a pattern"
    )
    group.add_argument(
        "--drop-surplus", action="store_true", help="where frames and positions differ in number, drop the last ones"
    )


def _of_the_probe(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--probe", metavar="PLACE", help="where the probe is, if not in the source; a modulus alone is a start")
    group.add_argument("--aperture", help="no probe: diameter of a lens, a zone plate or a pinhole, as '180 um'")
    group.add_argument("--focal-length", help="of the lens or zone plate; without it the aperture is a pinhole")
    group.add_argument("--defocus", help="from the focus (or the pinhole) to the sample, as '500 um'; may be negative")
    group.add_argument("--stop", help="diameter of the zone plate's central stop")
    group.add_argument(
        "--refine-probe",
        type=int,
        default=0,
        metavar="SWEEPS",
        help="let the patterns correct the probe, SWEEPS passes over those to train on; 10 settle it, 0 leaves it alone",
    )


def wishes_of(args: argparse.Namespace) -> Wishes:
    """What the user says of the file; `ContractError` names the flag."""
    _choice(args.measurement, "--measurement", ("counts", "amplitudes"))
    _choice(args.mask_good, "--mask-good", ("zero", "nonzero"))
    _choice(args.position_unit, "--position-unit", units.POSITION_UNITS)
    same = (
        "layout",
        "axes",
        "measurement",
        "positions",
        "positions_x",
        "positions_y",
        "columns",
        "position_unit",
        "mask",
        "mask_good",
        "probe",
    )
    return Wishes(
        parameters=tuple(args.parameters),
        energy=None if args.energy is None else units.quantity(args.energy, "--energy", {**units.ENERGIES, **units.LENGTHS}),
        distance=_length(args.distance, "--distance"),
        detector_pixel=_length(args.detector_pixel, "--detector-pixel"),
        step=_step(args.step),
        scan_shape=_pair(args.scan_shape, "--scan-shape"),
        **{name: getattr(args, name) for name in same},
    )


def geometry_of(args: argparse.Namespace) -> Geometry:
    """What the user wants done; `ContractError` names the flag."""
    _choice(args.zero_frequency, "--zero-frequency", ("auto", "centre", "corner"))
    same = (
        "crop",
        "pad",
        "bin",
        "transpose",
        "flip_rows",
        "flip_columns",
        "zero_frequency",
        "swap_xy",
        "flip_x",
        "flip_y",
        "keep_origin",
    )
    same += ("mask_marked", "clip_negatives", "threshold", "drop_dark", "drop_saturated", "drop_surplus")
    return Geometry(
        centre=args.centre if args.centre in (None, "middle", "found") else _numbers(args.centre, "--centre"),
        object_pixel=_length(args.object_pixel, "--object-pixel"),
        drop=_ranges(args.drop),
        **{name: getattr(args, name) for name in same},
    )


def optics_of(args: argparse.Namespace) -> Optics | None:
    """The optics in metres, or None where no aperture is given."""
    if args.aperture is None:
        for name in ("focal_length", "defocus", "stop"):
            if getattr(args, name) is not None:
                raise ContractError(field=f"--{name.replace('_', '-')}", expected="--aperture beside it", found="none")
        return None
    sign = -1.0 if (args.defocus or "").strip().startswith("-") else 1.0
    defocus = None if args.defocus is None else (args.defocus.strip().lstrip("-"), "--defocus")
    return Optics(
        aperture=_metres(args.aperture, "--aperture") or 0.0,
        focal_length=_metres(args.focal_length, "--focal-length"),
        defocus=0.0 if defocus is None or re.fullmatch(r"0+(\.0*)?\s*\w*", defocus[0]) else sign * (_metres(*defocus) or 0.0),
        stop=_metres(args.stop, "--stop") or 0.0,
    )


def _choice(value: str | None, flag: str, allowed: tuple[str, ...]) -> None:
    if value is not None and value not in allowed:
        raise ContractError(field=flag, expected=f"one of {', '.join(allowed)}", found=repr(value))


def _length(text: str | None, flag: str) -> tuple[float, str] | None:
    return None if text is None else units.quantity(text, flag, units.LENGTHS)


def _metres(text: str | None, flag: str) -> float | None:
    found = _length(text, flag)
    return None if found is None else found[0] * units.metres(found[1])


def _numbers(text: str, flag: str) -> tuple[float, float]:
    try:
        first, second = (float(part) for part in text.split(","))
    except ValueError as error:
        raise ContractError(field=flag, expected="two numbers, ROW,COLUMN (or middle, or found)", found=repr(text)) from error
    return first, second


def _pair(text: str | None, flag: str) -> tuple[int, int] | None:
    if text is None:
        return None
    first, second = _numbers(text, flag)
    if first != int(first) or second != int(second) or first < 1 or second < 1:
        raise ContractError(field=flag, expected="two whole numbers from 1", found=repr(text))
    return int(first), int(second)


def _step(text: str | None) -> tuple[float, float, str] | None:
    if text is None:
        return None
    every = {**units.LENGTHS, units.PIXEL: 1.0}
    y, x = (units.quantity(part, "--step", every) for part in (text.split(",") * 2)[:2])
    if y[1] != x[1]:
        raise ContractError(field="--step", expected="one unit", found=repr(text))
    return y[0], x[0], y[1]


def _ranges(text: str | None) -> tuple[int, ...]:
    numbers: list[int] = []
    for part in (text or "").split(","):
        found = re.fullmatch(r"\s*(\d{1,9})(?:\s*-\s*(\d{1,9}))?\s*", part)
        if part.strip() and not found:
            raise ContractError(field="--drop", expected="numbers and ranges, as 3,7,10-12", found=repr(text))
        if found:
            numbers += range(int(found[1]), int(found[2] or found[1]) + 1)
    return tuple(numbers)
