"""What `export` writes for other programs, of a file of one of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from conformance.connectors import native, process
from conformance.scenes import archives, commands, converting, interop, solving
from conformance.scenes.shared import once

TURNS, LEFT_OUT = ("--flip-columns", "--flip-y", "--keep-origin"), (3, 7)
DETECTOR, SOURCE = "entry_1/instrument_1/detector_1", "entry_1/instrument_1/source_1"
PLACES = (f"{DETECTOR}/translation", "entry_1/data_1/translation", "entry_1/sample_1/geometry_1/translation")
"""Where CXI has the positions, in the order in which a reader looks."""


def exported(backend: Any, shared: Path) -> tuple[process.Completed, Path]:
    """`export` of the CXI file as a product, once for all checks of a session: how it ended, and the product."""
    solving.offered(backend, "export", shared)

    def run(folder: Path) -> process.Completed:
        argv = [*backend.command("export"), *commands.listed(converting.cxi_files(folder)), "--to", "product", "--quiet"]
        return commands.call([*argv, "--output", folder / "out.h5"], folder)

    return process.Completed(**once(shared, "exported", lambda folder: vars(run(folder)))), shared / "exported" / "out_para.h5"


def exported_as_cxi(backend: Any, shared: Path) -> tuple[process.Completed, Path]:
    """`export` of the CXI file as another one, turned, and without some of its frames: how it ended, and the file."""
    for flag in ("--to", "--drop", *TURNS):
        solving.understood(backend, "export", flag, shared)

    def run(folder: Path) -> process.Completed:
        own = converting.cxi_files(folder) | {"--to": "cxi", "--drop": ",".join(map(str, LEFT_OUT))}
        argv = [*backend.command("export"), *commands.listed(own), *TURNS, "--quiet", "--output", folder / "out.cxi"]
        return commands.call(argv, folder)

    name = "exported-as-cxi"
    return process.Completed(**once(shared, name, lambda folder: vars(run(folder)))), shared / name / "out.cxi"


def parts(path: Path) -> dict[str, np.ndarray]:
    """What a CXI file states, in SI units; raises `Malformed` where there is no file or where it states another unit."""
    if not path.is_file():
        raise native.Malformed(f"expected {path.name}, found {archives.left(path.parent)}")
    with interop.hdf5().File(path, "r") as file:
        place = next((name for name in PLACES if name in file), PLACES[-1])
        names = {"counts": f"{DETECTOR}/data", "mask": f"{DETECTOR}/mask", "distance": f"{DETECTOR}/distance", "positions": place,
                 "height": f"{DETECTOR}/y_pixel_size", "width": f"{DETECTOR}/x_pixel_size",
                 "energy": f"{SOURCE}/energy", "probe": f"{SOURCE}/illumination"}  # fmt: skip
        units = {part: file[name].attrs.get("units", "") for part, name in names.items() if name in file}
        if odd := {part: unit for part, unit in units.items() if unit not in ("", "m", "J")}:
            raise native.Malformed(f"expected SI units, found {odd}")
        return {part: file[names[part]][()] for part in units}


def truth() -> dict[str, np.ndarray]:
    """What it is to state."""
    whole, (x, y) = converting.cxi_truth(), converting.places().T * 1e-6
    kept = np.delete(np.arange(converting.COUNT), LEFT_OUT)
    counts, good = (np.roll(one[..., ::-1], 1, axis=-1) for one in (whole.amplitudes[kept] ** 2, whole.good))
    return {"counts": np.rint(counts), "mask": good, "distance": np.array(converting.DISTANCE),
            "positions": np.column_stack([x, -y, 0 * x])[kept], "height": np.array(converting.PITCHES[0]),
            "width": np.array(converting.PITCHES[1]), "energy": np.array(1e4 * 1.602176634e-19),
            "probe": converting.probe(converting.SIDE)[0]}  # fmt: skip
