"""`python -m reference_impl.interop --output FOLDER`: files of other programs through `convert`, ours through them.

A line for each file: what was compared, and the largest deviation; exit code 1 where one is not zero (positions: 1e-5 pixels,
as programs in single precision keep them), or where a program could not be asked.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import venv
from pathlib import Path

import numpy as np

from reference_impl.cli.main import main as command
from reference_impl.interop.scans import DISTANCE, PITCH, PIXEL, WAVELENGTH, Scan, scan

PROGRAMS = {"cdtools": "cdtools-py==0.3.2", "ptylab": "ptylab==0.3.7", "ptychodus": "ptychodus==1.7.0"}
SINGLE = 1e-5


def main(argv: list[str] | None = None) -> int:
    """0 where every program was asked and nothing deviates."""
    parser = argparse.ArgumentParser(prog="python -m reference_impl.interop", description=__doc__)
    parser.add_argument("programs", nargs="*", metavar="PROGRAM", default=list(PROGRAMS), help="NAME, or NAME=PYTHON")
    parser.add_argument("--environments", type=Path, default=Path(".nox/formats"), help="where programs are installed")
    parser.add_argument("--output", required=True, type=Path)
    args = parser.parse_args(argv)
    made, fine = scan(), True
    for text in args.programs:
        name, _, python = text.partition("=")
        if name not in PROGRAMS:
            parser.error(f"expected one of {', '.join(PROGRAMS)}, found {name}")
        try:
            fine = examine(name, python or installed(name, args.environments), made, args.output / name) and fine
        except (subprocess.CalledProcessError, OSError) as error:
            print(f"NOT EXAMINED {name}: {error}", flush=True)
            fine = False
    return 0 if fine else 1


def installed(name: str, folder: Path) -> str:
    """The interpreter of an environment with the program, made once a version; `CalledProcessError` where it cannot be had."""
    place, stamp = folder / name, folder / name / "installed.txt"
    python = place / ("Scripts" if os.name == "nt" else "bin") / "python"
    if not stamp.is_file() or stamp.read_text() != PROGRAMS[name]:
        venv.create(place, with_pip=True, clear=True)
        subprocess.run([str(python), "-m", "pip", "install", "-qq", "--disable-pip-version-check", PROGRAMS[name]], check=True)
        stamp.write_text(PROGRAMS[name])
    return str(python)


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
        fine = said(f"{name}: {label}, convert reads", deviations) and fine
    first, ours = next(iter(written.values())), [str(folder / "ours.cxi"), str(folder / "ours.h5")]
    for target, output in zip(("cxi", "product"), ours, strict=True):
        fine = command(["export", *first, "--to", target, "--output", output, "--quiet"]) == 0 and fine
    direction = "PtyLab reads the same file" if name == "ptylab" else f"export writes, {name} reads"
    return said(direction, asked(name, python, "read", folder)) and fine


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
