"""`convert`: files of anybody's → contract files. Reads (`formats`), converts (`data.geometry`), says what it took and assumed.

The table of what was taken, assumed and done is printed and kept in the metadata of the file (`conversion`). Without a probe in
the file one is made: of the optics that flags give, or of the patterns themselves.
"""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from reference_impl.atomic import refuse_same_file, require_writable
from reference_impl.cli import convert_flags
from reference_impl.cli.probe_refinement import estimate_probe, refine_probe
from reference_impl.cli.progress import Reporter
from reference_impl.data.geometry_probe import Optics, of_optics
from reference_impl.data.geometry_record import Conversion, plan, record, write
from reference_impl.errors import ContractError

SUMMARY = "turn an experiment (HDF5, CXI, MATLAB, NPZ, TIFF, …) into a contract file"
DESCRIPTION = (
    "Read patterns, positions and probe of anybody's file, say what was taken and what was assumed, and write a contract file of "
    "it. Layouts: contract (PtychoPINN), tike, dp/parameters pair and ptychodus product, fold_slice, CXI / "
    "NXcxi_ptycho, PtyLab, ptypy, NeXus masters, MATLAB, TIFF or NPY with a table of positions, or names that you give."
)

add_flags = convert_flags.add_flags


def run(args: argparse.Namespace) -> None:
    """Read, convert, write; everything is planned before anything is written."""
    from reference_impl.formats import opened

    say = Reporter(args.quiet)
    wishes, geometry, optics = convert_flags.wishes_of(args), convert_flags.geometry_of(args), convert_flags.optics_of(args)
    outputs = targets(args.source, args.output)
    if not args.dry_run:
        require_writable(args.output if len(outputs) > 1 else args.output.parent)
    for source, output in outputs.items():
        with opened(source, wishes) as experiment:
            with say.step(f"{source}: reading"):
                made = plan(experiment, geometry)
            parts = _convert(made, optics, args, output, say)
        for line in made.table.lines():
            say.line(line)
        for row in made.table.rows:
            if row.kind == "warning":
                warnings.warn(f"{source}: {row.item}: {row.value}: {row.source}", stacklevel=2)
        for path, part in parts.items():
            write(part, made.mask, path)
            say.line(f"{path}: {len(part)} patterns of {part.diff3d.shape[-1]} x {part.diff3d.shape[-1]} pixels")
        if args.dry_run:
            say.line(f"{output}: not written (--dry-run)")


def targets(sources: list[str], output: Path) -> dict[str, Path]:
    """Source → file to write. One source: the output itself; several: files of their names in the folder that it names."""
    from reference_impl.formats.sources import place

    files = [place(source, "source")[0] for source in sources]
    if len(sources) == 1:
        found = {sources[0]: output}
    else:
        if output.suffix == ".npz" or output.is_file():
            raise ContractError(field="output", expected=f"a folder for the files of {len(sources)} sources", found=str(output))
        names = [path.name.split(".")[0] or path.name for path in files]
        if len(set(names)) != len(names):
            raise ContractError(field="source", expected="sources of different names", found=", ".join(names[:6]))
        found = {source: output / f"{name}.npz" for source, name in zip(sources, names, strict=True)}
    for path in found.values():
        refuse_same_file("output", path, {f"--source {file}": file for file in files})
    return found


def _convert(made: Conversion, optics: Optics | None, args: argparse.Namespace, output: Path, say: Reporter) -> dict[Path, Any]:
    """The records to write; none in a dry run, which still says what probe there would be."""
    if args.dry_run:
        if made.probe is None:
            made.table.add(
                "probe", "none in the file", "would be made of the optics" if optics else "would be estimated", "assumed"
            )
        return {}
    with say.step("converting"):
        whole = record(made, describe)
    if optics is not None or made.probe is None:
        with say.step("making a probe"):
            whole.probeGuess = _make_probe(made, whole, optics)
    parts = split(whole, output, args.held_out)
    if args.refine_probe:
        with say.step(f"refining the probe, {args.refine_probe} sweeps"):
            residual = _refine(parts, args.refine_probe, made.experiment.file)
        say.line(f"relative amplitude residual of one object under the refined probe: {residual:.3f}")
        made.table.add("probe", f"refined, {args.refine_probe} sweeps", f"--refine-probe: residual {residual:.3f}", "done")
    for part in parts.values():
        part.metadata = describe(made)
    return parts


def describe(made: Conversion) -> dict[str, Any]:
    """The metadata of the file: what it is, and the table of how it came to be."""
    kept = {key: value for key, value in (made.experiment.metadata or {}).items() if key not in ("conversion", "digest")}
    physics = kept.pop("physics_parameters", {})
    physics = {**(physics if isinstance(physics, dict) else {}), "nphotons": made.photons, "N": made.N}
    optics = {"object_pixel_m": None if made.pixel is None else [float(value) for value in made.pixel]}
    optics["wavelength_m"] = made.experiment.wavelength
    optics["distance_m"] = None if made.experiment.distance is None else float(made.experiment.distance.metres)
    return {
        "schema_version": "1.0.0",
        **kept,
        "physics_parameters": {"gridsize": 1, **physics},
        "source": made.experiment.file.name,
        "optics": {key: value for key, value in optics.items() if value is not None},
        "conversion": made.table.plain(),
    }


def _make_probe(made: Conversion, whole: Any, optics: Optics | None) -> np.ndarray:
    """Of the optics, or of the patterns, and a line in the table."""
    if optics is None:
        probe, residual, blur = estimate_probe(whole, made.mean)
        text = f"of the patterns: their mean as the aperture, {blur}, residual {residual:.3f}; --probe or --aperture is better"
        made.table.add("probe", "estimated", text, "assumed")
        return probe
    wavelength = made.experiment.wavelength
    if wavelength is None or made.pixel is None:
        expected = "--energy and the object pixel (--object-pixel, or --distance and --detector-pixel)"
        raise ContractError(field="aperture", expected=expected, found="not all of them")
    lens = "a pinhole" if optics.focal_length is None else f"focal length {optics.focal_length:g} m, stop {optics.stop:g} m"
    text = f"aperture {optics.aperture:g} m, {lens}, defocus {optics.defocus:g} m"
    made.table.add("probe", "made of the optics", text, "done")
    return of_optics(optics, wavelength, float(made.pixel[1]), made.N, made.photons)


def _refine(parts: dict[Path, Any], sweeps: int, source: Path) -> float:
    """Give every part the probe that the part to train on agrees with; what is held out has no say. Returns its residual."""
    whole, *rest = parts.values()
    learned_from = rest[0] if rest else whole
    if learned_from.probeGuess.ndim != 2:
        found = f"shape {learned_from.probeGuess.shape}"
        raise ContractError(file=source, field="probe", expected="one mode: --refine-probe knows no more", found=found)
    probe, residual = refine_probe(learned_from, sweeps)
    for part in parts.values():
        part.probeGuess = probe
    return residual


def split(record: Any, output: Path, held_out: float) -> dict[Path, Any]:
    """Output path → record: all exposures, and with `held_out` those to train on and the others.

    The others are spread evenly over the scan, at least one; pattern and position go together.
    """
    parts = {output: record}
    if held_out > 0:
        count = len(record)
        others = max(1, round(held_out * count))
        chosen = np.zeros(count, bool)
        chosen[((np.arange(others) + 0.5) * count / others).astype(int)] = True
        for name, mask in (("train", ~chosen), ("test", chosen)):
            parts[output.with_name(f"{output.stem}_{name}{output.suffix}")] = _subset(record, mask)
    return parts


def _subset(record: Any, mask: np.ndarray) -> Any:
    from reference_impl.data import RawData

    return RawData.from_coords_without_pc(
        record.xcoords[mask],
        record.ycoords[mask],
        record.diff3d[mask],
        record.probeGuess,
        record.scan_index[mask],
        record.objectGuess,
        metadata=record.metadata,
    )
