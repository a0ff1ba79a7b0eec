"""One scan in CXI files whose positions state their unit under each of its usual names (CLI-078)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from conformance.connectors import process
from conformance.scenes import commands, converting, interop, sources
from conformance.scenes.shared import once

METRES = {
    **{"m": 1.0, "meter": 1.0, "metre": 1.0, "meters": 1.0, "mm": 1e-3, "um": 1e-6, "\u00b5m": 1e-6, "\u03bcm": 1e-6},
    **{"micron": 1e-6, "micrometer": 1e-6, "nm": 1e-9, "angstrom": 1e-10},
}
"""Name of a unit, among them both letters that look like a Greek one, and how many metres it is."""


def _written(folder: Path, number: int, unit: str) -> Path:
    """The file of `converting.cxi_files` with its positions in this unit."""
    path = folder / f"scan{number}.cxi"
    converting.cxi_files(folder)["--source"].rename(path)
    with interop.hdf5().File(path, "r+") as file:
        moved = file["entry_1/sample_1/geometry_1/translation"]
        moved[...] = moved[...] * (1e-6 / METRES[unit])
        moved.attrs["units"] = unit
    return path


def converted(backend: Any, shared: Path) -> tuple[process.Completed, dict[str, Path]]:
    """All of these files in one call, once for all checks of a session: how it ended, and unit → the file that was made."""
    sources.understood(backend, shared, "--source", "--quiet")
    sources.named(backend, shared, "CXI")

    def run(folder: Path) -> process.Completed:
        files = [_written(folder, number, unit) for number, unit in enumerate(METRES)]
        return commands.call([*backend.command("convert"), "--source", *files, "--quiet", "--output", folder / "out"], folder)

    done = process.Completed(**once(shared, "spellings", lambda folder: vars(run(folder))))
    return done, {unit: shared / "spellings" / "out" / f"scan{number}.npz" for number, unit in enumerate(METRES)}


def otherwise(backend: Any, made: dict[str, Path]) -> list[str]:
    """The units whose file has other positions than the scan."""
    truth = converting.cxi_truth().positions
    found = {unit: converting.found(backend, path).positions for unit, path in made.items()}
    return [unit for unit, one in found.items() if not np.allclose(one - one[:1], truth - truth[:1], rtol=0, atol=1e-4)]
