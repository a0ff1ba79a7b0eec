"""What `export` writes for other programs, of a file of one of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from conformance.connectors import native, process
from conformance.connectors.names import NotClaimed
from conformance.scenes import archives, beams, commands, converting, gallery, interop, made, solving, sources
from conformance.scenes.shared import once

TURNS, LEFT_OUT = ("--flip-columns", "--flip-y", "--keep-origin"), (3, 7)
DETECTOR, SOURCE = "entry_1/instrument_1/detector_1", "entry_1/instrument_1/source_1"
PLACES = (f"{DETECTOR}/translation", "entry_1/data_1/translation", "entry_1/sample_1/geometry_1/translation")
"""Where CXI has the positions, in the order in which a reader looks."""


def exported(backend: Any, shared: Path) -> tuple[process.Completed, Path]:
    """`export` of the CXI file as a product, once for all checks of a session: how it ended, and the product."""
    _writes(backend, shared, "product")
    sources.named(backend, shared, "CXI")

    def run(folder: Path) -> process.Completed:
        argv = [*backend.command("export"), *commands.listed(converting.cxi_files(folder)), "--to", "product", "--quiet"]
        return commands.call([*argv, "--output", folder / "out.h5"], folder)

    return process.Completed(**once(shared, "exported", lambda folder: vars(run(folder)))), shared / "exported" / "out_para.h5"


def _writes(backend: Any, shared: Path, kind: str) -> None:
    """`NotClaimed` where the help of `export` does not say that there is `--to` of this kind."""
    solving.understood(backend, "export", "--to", shared)
    if kind not in solving.offered(backend, "export", shared)["--to"].lower():
        raise NotClaimed(f"command `export`: its help of --to does not name {kind}")


def exported_as_cxi(backend: Any, shared: Path) -> tuple[process.Completed, Path]:
    """`export` of the CXI file as another one, turned, and without some of its frames: how it ended, and the file."""
    _writes(backend, shared, "cxi")
    sources.named(backend, shared, "CXI")
    for flag in ("--drop", *TURNS):
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


# -- the same call of two commands

SWEEPS = 2
"""Of a probe that is refined in both."""
STATED = {"--energy": "10 keV", "--distance": "2 m"}
"""What CXI states and no flag of a case says."""


def _beside_files(folder: Path) -> dict[str, Any]:
    """Patterns in one file, and what belongs to them in another, under names that do not say so."""
    source = gallery.product(folder)
    (folder / "beside_para.hdf5").rename(folder / "measured.h5")
    return {"--source": source.rename(folder / "frames.h5"), "--parameters": folder / "measured.h5"}


BESIDE = converting.Case({"--refine-probe": SWEEPS}, ("--quiet",), _beside_files, lambda: gallery.truth("product"))


CALLS: dict[str, converting.Case] = {
    **{name: converting.CASES[name] for name in ("window", "raster", "names")},
    "plain": converting.Case(made.CONVERT, made.TURNS, made.files, lambda: converting.Truth(*made.expected(), None)),
    "beam": beams.CASE,
    "beside": BESIDE,
}
"""Conversions that between them have every flag that both commands read."""
ALONE = ("--held-out",)
"""What `convert` alone is told."""


def converted(backend: Any, shared: Path, name: str) -> tuple[process.Completed, Path]:
    """`convert` under the flags of a case, once for all checks of a session: how it ended, and the contract file."""
    if name == "plain":
        return made.converted(backend, shared)
    if name == "beside":
        sources.named(backend, shared, "product")
    done, folder = converting.called(backend, shared, name, CALLS[name])
    return done, folder / "scan.npz"


def exported_alike(backend: Any, shared: Path, name: str) -> tuple[process.Completed, Path]:
    """`export --to cxi` under the same flags, with what CXI states beside them: how it ended, and the file.

    `NotClaimed` where the help of `export` does not list one of them.
    """
    case = CALLS[name]
    given = converting.Case({flag: value for flag, value in case.flags.items() if flag not in ALONE}, case.switches, case.files,
                            case.truth)  # fmt: skip
    _writes(backend, shared, "cxi")
    for flag in (*STATED, *given.flags, *given.switches, *solving.flags_of(given.files)):
        solving.understood(backend, "export", flag, shared)

    def run(folder: Path) -> process.Completed:
        argv = [*backend.command("export"), *converting.words(backend, shared, name, given, folder)]
        argv += [word for flag, value in STATED.items() if not _says(argv, flag) for word in (flag, value)]
        return commands.call([*argv, "--to", "cxi", "--output", folder / "out.cxi"], folder)

    place = f"exported-{name}"
    return process.Completed(**once(shared, place, lambda folder: vars(run(folder)))), shared / place / "out.cxi"


def _says(argv: Sequence[Any], flag: str) -> bool:
    return any(str(word).partition("=")[0] == flag for word in argv)


def alike(backend: Any, name: str, contract: Path, path: Path) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """What both files say of one thing, that of the CXI file first: counts, positions in object pixels, probe."""
    found, told, N = parts(path), converting.found(backend, contract), converting.found(backend, contract).amplitudes.shape[-1]
    pitch = np.array([found["width"], found["height"]])
    pixel = converting.PLANCK * converting.LIGHT / found["energy"] * found["distance"] / (N * pitch)
    places = [found["positions"][:, :2] / pixel, told.positions]
    light, seen = np.squeeze(native.array(backend.read(contract).probeGuess)), good_pixels(path)
    counts = found["counts"].astype(float) * (1 if seen is None else seen)  # what bad pixels hold is nobody's count
    return {"counts": (counts, told.amplitudes**2), "probe": (np.squeeze(found["probe"]), light),
            "positions": tuple(one if CALLS[name].kept else one - one[:1] for one in places)}  # fmt: skip


def good_pixels(path: Path) -> np.ndarray | None:
    """The good pixels of a CXI file, None for all."""
    good = np.isin(parts(path)["mask"], (0, converting.ABOVE_BACKGROUND))
    return None if good.all() else good
