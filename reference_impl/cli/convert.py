"""`convert`: an experiment in the tike layout → a contract file.

The tike layout: `data` (1, n, D, D) photon counts with zero frequency at [0, 0]; `probe` (1, 1, 1, P, D, D), complex; `scan`
(1, n, 2) positions (row, column) in object pixels. What changes, and why:

- counts → amplitudes: the square root, once (DATA-003); the detector is fftshifted: zero frequency lies at D//2 (PHYS-002);
- (row, column) → `ycoords`, `xcoords`, all moved alike, so that every patch lies at positive indices of an object;
- `--crop N`: of D detector pixels the central N are kept. Their pitch in frequency stays, so the field of view of a patch stays;
  their number shrinks, so the object pixel grows by D/N: positions are multiplied by N/D, and the probe, which fills the same
  field of view with N instead of D samples, loses the frequencies that the detector lost: its spectrum is cropped alike;
- `--refine-probe`: the probe of such a file is a model of the optics; a few sweeps bring it to what the patterns say it was.
"""

from __future__ import annotations

import argparse
import bz2
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from reference_impl.atomic import require_writable
from reference_impl.cli.flags import of
from reference_impl.cli.probe_refinement import refine_probe
from reference_impl.cli.progress import Reporter
from reference_impl.errors import ContractError

SUMMARY = "turn an experiment (tike layout) into a contract file"
DESCRIPTION = "Turn counts, probe and scan of the tike layout (.npz or .npz.bz2) into a contract file that train and infer read."
LARGEST_UNPACKED = 1 << 35  # 32 GiB: a million patterns of 90 x 90 pixels
UNPACKED_AT_ONCE = 1 << 24


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Source, target, crop, and how many exposures to hold out."""
    parser.add_argument(
        "--source",
        required=True,
        type=of("input_file", must_exist=True),
        help="NPZ, or NPZ.BZ2, with the keys data, probe and scan",
    )
    parser.add_argument("--output", required=True, type=of("output_file"), help="contract file to write")
    parser.add_argument("--crop", type=of("crop"), help="keep the central CROP x CROP detector pixels: 64, 128 or 256")
    parser.add_argument(
        "--held-out",
        type=of("held_out"),
        default=0.0,
        help="also write OUTPUT with _train and _test before its ending: this fraction of the exposures is in _test alone",
    )
    parser.add_argument(
        "--refine-probe",
        type=of("sweeps"),
        default=0,
        metavar="SWEEPS",
        help="let the patterns correct the probe, SWEEPS passes over those to train on; 10 settle it, 0 leaves it alone",
    )
    parser.add_argument("--quiet", action="store_true", help="nothing on standard output")


def run(args: argparse.Namespace) -> None:
    """Read, convert, write."""

    say = Reporter(args.quiet)
    if not 0 <= args.held_out < 1:
        raise ContractError(field="--held-out", expected="a fraction from 0 to below 1", found=str(args.held_out))
    if not args.source.is_file():
        raise FileNotFoundError(f"{args.source}: source not found")
    require_writable(args.output.parent)
    with say.step(f"{args.source}: reading"):
        arrays = read_source(args.source)
    with say.step("converting"):
        record = to_record(arrays, args.source, args.crop)
    parts = split(record, args.output, args.held_out)
    if args.refine_probe:
        with say.step(f"refining the probe, {args.refine_probe} sweeps"):
            residual = _refine(parts, args.refine_probe, args.source)
        say.line(f"relative amplitude residual of one object under the refined probe: {residual:.3f}")
    for path, part in parts.items():
        part.to_file(path)
        say.line(f"{path}: {len(part)} patterns of {part.diff3d.shape[-1]} x {part.diff3d.shape[-1]} pixels")


def read_source(path: Path) -> dict[str, np.ndarray]:
    """`data`, `probe`, `scan` of a file that can run no code; `ContractError` names what is missing or unreadable."""
    from reference_impl.data.npz import Archive

    if path.suffix != ".bz2":
        with Archive(path) as archive:
            return {key: archive.array(archive.require(key)) for key in ("data", "probe", "scan")}
    with tempfile.TemporaryDirectory() as folder:
        unpacked = Path(folder) / path.stem
        _unpack(path, unpacked)
        return read_source(unpacked)


def _unpack(path: Path, target: Path) -> None:
    size = 0
    try:
        with bz2.open(path) as packed, open(target, "wb") as stream:
            while chunk := packed.read(UNPACKED_AT_ONCE):
                size += len(chunk)
                if size > LARGEST_UNPACKED:
                    raise ContractError(file=path, field="archive", expected=f"at most {LARGEST_UNPACKED} bytes", found="more")
                stream.write(chunk)
    except (EOFError, OSError) as error:
        found = f"{' '.join(str(error).split())} (truncated, or no bzip2)"
        raise ContractError(file=path, field="archive", expected="a complete bzip2 file", found=found) from error


def to_record(arrays: dict[str, np.ndarray], source: Path, crop: int | None = None) -> Any:
    """A raw record of the arrays of the tike layout; see the head of this module for every step."""
    from reference_impl.data import RawData

    counts, probe, scan = _checked(arrays, source)
    detector = counts.shape[-1]
    side = detector if crop is None else crop
    if not 0 < side <= detector or (detector - side) % 2:
        expected = f"an even number of pixels less than {detector}, or none"
        raise ContractError(file=source, field="--crop", expected=expected, found=str(crop))
    shifted = np.fft.fftshift(counts, axes=(-2, -1))
    edge = (detector - side) // 2
    kept = shifted[:, edge : edge + side, edge : edge + side]
    x, y = (scan[:, axis].astype(np.float64) * (side / detector) for axis in (1, 0))
    x, y = x - np.floor(x.min()) + side // 2, y - np.floor(y.min()) + side // 2
    nphotons = float(kept.sum(axis=(-2, -1), dtype=np.float64).mean())
    metadata = {
        "schema_version": "1.0.0",
        "physics_parameters": {"nphotons": nphotons, "gridsize": 1, "N": side},
        "source": source.name,
    }
    amplitude = np.sqrt(kept).astype(np.float32)
    return RawData.from_coords_without_pc(x, y, amplitude, _resampled(probe, side), metadata=metadata, file=source)


def _checked(arrays: dict[str, np.ndarray], source: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Counts `(n, D, D)`, probe `(P, D, D)` complex, scan `(n, 2)`; leading axes of length one are dropped."""
    data, probe, scan = arrays["data"], arrays["probe"], arrays["scan"]
    if data.ndim < 3 or any(size != 1 for size in data.shape[:-3]) or data.shape[-1] != data.shape[-2]:
        raise ContractError(file=source, field="data", expected="(1, n, D, D)", found=f"shape {data.shape}")
    counts = data.reshape(data.shape[-3:])
    low, high = counts.min(), counts.max()
    if not (np.isfinite(low) and np.isfinite(high)) or low < 0:
        raise ContractError(file=source, field="data", expected="finite counts >= 0", found=f"from {low} to {high}")
    if scan.ndim < 2 or scan.reshape(-1, scan.shape[-1]).shape != (len(counts), 2) or not np.isfinite(scan).all():
        expected = f"finite positions (1, {len(counts)}, 2), one for each pattern"
        raise ContractError(file=source, field="scan", expected=expected, found=f"shape {scan.shape}")
    modes = probe.reshape(-1, *probe.shape[-2:]) if probe.ndim >= 2 else probe
    if modes.shape[1:] != counts.shape[1:] or modes.dtype.kind != "c":
        expected = f"complex (…, P, {counts.shape[1]}, {counts.shape[2]})"
        raise ContractError(file=source, field="probe", expected=expected, found=f"{probe.dtype} of shape {probe.shape}")
    return counts, modes, scan.reshape(-1, 2)


def _resampled(probe: np.ndarray, side: int) -> np.ndarray:
    """`(P, D, D)` → `(side, side)` or `(P, side, side)` complex64: the same field of view, the central frequencies alone."""
    axes, edge = (-2, -1), (probe.shape[-1] - side) // 2
    spectrum = np.fft.fftshift(np.fft.fft2(np.fft.ifftshift(probe, axes=axes), norm="ortho"), axes=axes)
    kept = spectrum[..., edge : edge + side, edge : edge + side]
    field = np.fft.fftshift(np.fft.ifft2(np.fft.ifftshift(kept, axes=axes), norm="ortho"), axes=axes)
    return (field[0] if len(field) == 1 else field).astype(np.complex64)


def _refine(parts: dict[Path, Any], sweeps: int, source: Path) -> float:
    """Give every part the probe that the part to train on agrees with; what is held out has no say. Returns its residual."""
    whole, *rest = parts.values()
    learned_from = rest[0] if rest else whole
    if sweeps < 0:
        raise ContractError(field="--refine-probe", expected="a number of sweeps >= 0", found=str(sweeps))
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
        metadata=record.metadata,
    )
