"""`python -m reference_impl.interop PROGRAM=PYTHON … --output FOLDER`: each program's files through `convert`, ours through it.

A line for each file: what was compared, and the largest deviation; exit code 1 where one is not zero (positions: 1e-5 pixels,
as programs in single precision keep them).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from reference_impl.cli.main import main as command
from reference_impl.tests.scans import DISTANCE, PITCH, PIXEL, WAVELENGTH, Scan, scan

PROGRAMS = ("cdtools", "ptylab", "ptychodus")
SINGLE = 1e-5


def main(argv: list[str] | None = None) -> int:
    """The number of programs whose files differ, at most 1."""
    parser = argparse.ArgumentParser(prog="python -m reference_impl.interop", description=__doc__)
    parser.add_argument("programs", nargs="+", metavar="PROGRAM=PYTHON")
    parser.add_argument("--output", required=True, type=Path)
    args = parser.parse_args(argv)
    made, fine = scan(), True
    for text in args.programs:
        name, _, python = text.partition("=")
        if name not in PROGRAMS:
            raise SystemExit(f"expected one of {', '.join(PROGRAMS)}, found {name}")
        fine = examine(name, python, made, args.output / name) and fine
    return 0 if fine else 1


def examine(name: str, python: str, made: Scan, folder: Path) -> bool:
    """Both directions for one program; prints a line a file."""
    folder.mkdir(parents=True, exist_ok=True)
    numbers = {"pixel": PIXEL, "wavelength": WAVELENGTH, "distance": DISTANCE, "pitch": PITCH}
    np.savez(folder / "scan.npz", **vars(made), **numbers)
    fine, written = True, asked(name, python, "write", folder)
    for label, flags in written.items():
        output = folder / f"{label.replace(' ', '_')}.npz"
        code = command(["convert", *flags, "--output", str(output), "--quiet"])
        deviations = compared(output, made) if code == 0 else {"refused": 1.0}
        fine = said(f"{name} writes {label}, convert reads", deviations) and fine
    first, ours = next(iter(written.values())), [str(folder / "ours.cxi"), str(folder / "ours.h5")]
    for target, output in zip(("cxi", "product"), ours, strict=True):
        fine = command(["export", *first, "--to", target, "--output", output, "--quiet"]) == 0 and fine
    return said(f"export writes, {name} reads", asked(name, python, "read", folder)) and fine


def asked(name: str, python: str, verb: str, folder: Path) -> dict:
    """What the program's script answers; `CalledProcessError` where it fails."""
    script = Path(__file__).parent / f"with_{name}.py"
    alone = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}  # nothing of ours stands in its way
    argv = [python, str(script), verb, str(folder / "scan.npz"), str(folder)]
    answer = subprocess.run(argv, stdout=subprocess.PIPE, text=True, check=True, env=alone)
    return json.loads(answer.stdout.splitlines()[-1])


def compared(output: Path, made: Scan) -> dict[str, float]:
    """Deviations of a converted file from the scan."""
    with np.load(output) as file:
        found = dict(file)
    right = np.sqrt(made.counts * made.good, dtype=np.float64).astype(np.float32)
    deviations = {"amplitudes": float(np.abs(found["diff3d"] - right).max())}
    for axis in ("x", "y"):
        wanted, place = getattr(made, axis), found[f"{axis}coords"]
        moved = float(np.abs((place - place.min()) - (wanted - wanted.min())).max())
        deviations[f"{axis}, pixels"] = 0.0 if moved < SINGLE else moved
    deviations["probe"] = float(np.abs(found["probeGuess"] - made.probe).max())
    deviations["mask, pixels"] = float((found["mask"] != made.good).sum())
    return deviations


def said(label: str, deviations: dict[str, float]) -> bool:
    """Print the line; whether nothing deviates."""
    fine = all(value < SINGLE for value in deviations.values())
    text = ", ".join(f"{name} {value:.3g}" for name, value in deviations.items())
    print(f"{'ok  ' if fine else 'FAIL'} {label}: {text}", flush=True)
    return fine


if __name__ == "__main__":
    sys.exit(main())
