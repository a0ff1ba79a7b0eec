"""`convert`: files of anybody's → contract files. Reads (`formats`), converts (`data.geometry`), says what it took and assumed.

The table of what was taken, assumed and done is printed and kept in the metadata of the file (`conversion`). Without a probe in
the file one is made: of the optics that flags give, or of the patterns themselves.
"""

from __future__ import annotations

import argparse
import warnings
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from reference_impl.atomic import refuse_same_file, require_writable, whole_set
from reference_impl.cli import convert_flags
from reference_impl.cli.probe_refinement import REFINED, estimate_probe, mean_residual, near_the_middle, refine_probe
from reference_impl.cli.progress import Reporter
from reference_impl.data.geometry import Geometry
from reference_impl.data.geometry_probe import Optics, of_optics
from reference_impl.data.geometry_record import Conversion, plan
from reference_impl.data.geometry_write import write
from reference_impl.errors import ContractError
from reference_impl.formats import Wishes, opened

SUMMARY = "turn an experiment (HDF5, CXI, MATLAB, NPZ, TIFF, …) into a contract file"
DESCRIPTION = (
    "Read patterns, positions and probe of anybody's file, say what was taken and what was assumed, and write a contract file of "
    "it. Layouts: contract (PtychoPINN), tike, dp/parameters pair and ptychodus product, fold_slice, CXI / "
    "NXcxi_ptycho, PtyLab, ptypy, NeXus masters, MATLAB, TIFF or NPY with a table of positions, or names that you give."
)

add_flags = convert_flags.add_flags


def run(args: argparse.Namespace) -> None:
    """Read, convert, write; all files of a call come into being together, or none."""
    say = Reporter(args.quiet)
    orders = Orders.of(args)
    outputs = targets(args.source, args.output)
    folder = args.output if len(outputs) > 1 else args.output.parent
    if args.dry_run:
        for source, output in outputs.items():
            _convert(source, output, None, orders, say)
            say.line(f"{output}: not written (--dry-run)")
        return
    require_writable(folder)
    with whole_set(folder) as stage:
        lines = [_convert(source, output, stage, orders, say) for source, output in outputs.items()]
    for line in (line for some in lines for line in some):
        say.line(line)


@dataclass(frozen=True)
class Orders:
    """What a call asks for, whatever the source."""

    wishes: Wishes
    geometry: Geometry
    optics: Optics | None
    held_out: float
    sweeps: int

    @classmethod
    def plain(cls) -> Orders:
        """Everything as the file has it."""
        return cls(Wishes(), Geometry(), None, 0.0, 0)

    @classmethod
    def of(cls, args: argparse.Namespace) -> Orders:
        """From the flags; `ContractError` names the one that cannot be."""
        read = convert_flags
        held_out = getattr(args, "held_out", 0.0)
        return cls(read.wishes_of(args), read.geometry_of(args), read.optics_of(args), held_out, args.refine_probe)


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


def _convert(source: str, output: Path, stage: Path | None, orders: Orders, say: Reporter) -> list[str]:
    """One source into `stage`, or nowhere in a dry run; prints the table, returns a line for each file."""
    with opened(source, orders.wishes) as experiment:
        with say.step(f"{source}: reading"):
            made = plan(experiment, orders.geometry)
        parts = split(len(made.frames), output, orders.held_out)
        if stage is None:
            if made.probe is None or orders.optics:
                made.table.add("probe", "none yet", "of the optics" if orders.optics else "would be estimated", "assumed")
        else:
            staged = {stage / path.name: numbers for path, numbers in parts.items()}
            learned = list(parts.values())[1 if orders.held_out else 0]
            with say.step("converting"):
                write(made, staged, lambda: make_probe(made, orders, learned), describe)
    show(made, source, say)
    return [f"{path}: {len(numbers)} patterns of {made.N} x {made.N} pixels" for path, numbers in parts.items()]


def show(made: Conversion, source: str, say: Reporter) -> None:
    """The table, and its warnings on the error stream as well: they are not for those alone who look."""
    for line in made.table.lines():
        say.line(line)
    for row in made.table.rows:
        if row.kind == "warning":
            warnings.warn(f"{source}: {row.item}: {row.value}: {row.source}", stacklevel=2)


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


HIGH = 0.64
"""Residual after a refinement, in residuals of the mean pattern, above which something is wrong: star 0.53, a synthetic scan 0.58
to 0.60 the right way round; 0.67 to 0.96 and 0.79 to 0.99 in three and five other orientations. Few photons pass it as well."""


def make_probe(made: Conversion, orders: Orders, learned: np.ndarray) -> np.ndarray:
    """Of the file, of the optics, or of the patterns; then refined by those to train on (`learned`), if that is asked for."""
    probe = made.probe
    if orders.optics is not None:
        probe = _of_optics(made, orders.optics)
    elif probe is None:
        near = learned[near_the_middle(made.positions[learned])]
        assert made.mean is not None
        probe, residual, blur = estimate_probe(_part(made, near, None), made.mean)
        text = f"of the patterns: their mean as the aperture, {blur}, residual {residual:.3f}; --probe or --aperture is better"
        made.table.add("probe", "estimated", text, "assumed")
    if not orders.sweeps:
        return probe
    if probe.ndim != 2:
        found = f"shape {probe.shape}"
        file = made.experiment.file
        raise ContractError(file=file, field="probe", expected="one mode: --refine-probe knows no more", found=found)
    part = _part(made, learned, probe)
    probe, residual = refine_probe(part, orders.sweeps)
    text = f"--refine-probe: relative amplitude residual of one object {residual:.3f}"
    made.table.add("probe", f"{REFINED}, {orders.sweeps} sweeps", text, "done")
    mean = mean_residual(part.diff3d)
    if residual > HIGH * mean:
        text = "convert without --refine-probe, then inspect FILE --orientations: orientation, positions or probe may be wrong"
        made.table.add("probe", f"residual {residual:.3f} stays high (their mean pattern alone: {mean:.3f})", text, "warning")
    return probe


def _part(made: Conversion, numbers: np.ndarray, probe: np.ndarray | None) -> Any:
    """Some of the patterns in memory, as the refinement of a probe wants them."""
    y, x = made.positions[numbers].T
    mask = None if made.mask.all() else made.mask
    return SimpleNamespace(diff3d=made.amplitudes(numbers), xcoords=x, ycoords=y, mask=mask, probeGuess=probe)


def _of_optics(made: Conversion, optics: Optics) -> np.ndarray:
    wavelength = made.experiment.wavelength
    if wavelength is None or made.pixel is None:
        expected = "--energy and the object pixel (--object-pixel, or --distance and --detector-pixel)"
        raise ContractError(field="aperture", expected=expected, found="not all of them")
    lens = "a pinhole" if optics.focal_length is None else f"focal length {optics.focal_length:g} m, stop {optics.stop:g} m"
    text = f"aperture {optics.aperture:g} m, {lens}, defocus {optics.defocus:g} m"
    made.table.add("probe", "made of the optics", text, "done")
    return of_optics(optics, wavelength, (float(made.pixel[0]), float(made.pixel[1])), made.N, made.photons)


def split(count: int, output: Path, held_out: float) -> dict[Path, np.ndarray]:
    """Output path → numbers of its exposures: all of them, and with `held_out` those to train on and the others.

    The others are spread evenly over the scan, at least one.
    """
    parts = {output: np.arange(count)}
    if held_out > 0:
        if count < 2:
            raise ContractError(field="held_out", expected="two exposures or more", found=str(count))
        others = min(max(1, round(held_out * count)), count - 1)
        chosen = np.zeros(count, bool)
        chosen[((np.arange(others) + 0.5) * count / others).astype(int)] = True
        for name, mask in (("train", ~chosen), ("test", chosen)):
            parts[output.with_name(f"{output.stem}_{name}{output.suffix}")] = np.flatnonzero(mask)
    return parts
