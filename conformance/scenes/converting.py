"""Three conversions by command, each with flags that no other one has, and the contract files that they are to make."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from conformance.connectors import native, process
from conformance.scenes import archives, commands, interop, lens, lights, solving, sources
from conformance.scenes.shared import once

COUNT, PIXEL = 12, 5e-8
"""Exposures, and an object pixel in metres."""
CENTRE, CROP, BIN, HELD = (35, 75), 64, 2, 0.3
"""Row and column of the beam, detector pixels that are kept and added up, and the share that is held out."""
SIDE, PAD, DARK, NUMBERED, SATURATED, HIGH = 64, 80, 4, 7, 9, 60_000
SEVERAL = 5
"""The frame with which a file begins that holds two."""
STEP, SHAPE, OPTICS = (80e-9, 60e-9), (3, 4), {"--energy": "10 keV", "--distance": "2 m", "--detector-pixel": "75 um"}
PLANCK, LIGHT, CHARGE = 6.62607015e-34, 299792458.0, 1.602176634e-19
WAVELENGTH, DISTANCE, PITCH = PLANCK * LIGHT / (1e4 * CHARGE), 2.0, 75e-6
CLIPPED = 3
LEAST = 4
"""Of amplitudes: those below it are none."""
SURPLUS = 2
"""Positions behind those of the last frame, or frames behind those of the last position."""


@dataclass(frozen=True)
class Truth:
    """Amplitudes `(n, N, N)`, positions `(n, 2)` [x, y] in object pixels, and the good pixels `(N, N)`, None for all."""

    amplitudes: np.ndarray
    positions: np.ndarray
    good: np.ndarray | None


@dataclass(frozen=True)
class Case:
    """A call: flags with values, switches, its files (flag → place, written into a folder), and what is to come out.

    `kept`: positions have their origin; else all share a shift.
    """

    flags: Mapping[str, Any]
    switches: tuple[str, ...]
    files: Callable[[Path], dict[str, Any]]
    truth: Callable[[], Truth]
    kept: bool = False


def exposures(height: int, width: int, seed: int) -> np.ndarray:
    """`(n, height, width)` int32 counts without a symmetry, brightest near the pixel of the zero frequency."""
    y, x = np.mgrid[:height, :width] - np.array([height // 2, width // 2])[:, None, None]
    drift = np.arange(COUNT)[:, None, None] - 5
    bright = 2000 * np.exp(-((x + drift) ** 2 + 1.5 * (y - 2) ** 2) / 150) + 2.0 + (x > 3)
    return np.random.default_rng(seed).poisson(bright).astype(np.int32)


def places(count: int = COUNT) -> np.ndarray:
    """`(n, 2)` positions [x, y] in micrometres, another pitch along each axis."""
    index = np.arange(count)
    return np.stack([0.31 * (index % 4), 0.17 * (index // 4)], axis=-1) + 0.02 * np.sin(3.7 * index)[:, None] * [1, -2]


def probe(side: int, modes: int = 1) -> np.ndarray:
    y, x = np.mgrid[:side, :side] - side // 2
    first = np.exp(-((x - 2) ** 2 + y**2) / 40) * np.exp(0.1j * x)
    return np.stack([first * (0.3 * y / side) ** k for k in range(modes)]).astype(np.complex64)


def _saved(folder: Path, **arrays: np.ndarray) -> dict[str, Path]:
    for name, value in arrays.items():
        np.save(folder / f"{name}.npy", value)
    return {name: folder / f"{name}.npy" for name in arrays}


# -- a window about the beam, its rows exchanged for columns, mirrored, binned, with bad pixels and values below zero
def _cut_frames() -> tuple[np.ndarray, np.ndarray]:
    """Frames and good pixels: one pixel is marked by -1 in all frames, another is negative twice, once at the limit.

    The rows on both sides of the window are one: an even window that is turned over about its beam has either of them. Counts fit
    into sixteen bits, and the sums of binned ones do not.
    """
    frames, good = (5 * exposures(72, 150, 3)).astype(np.int16), np.ones((72, 150), bool)
    frames[:, CENTRE[0] + CROP // 2] = frames[:, CENTRE[0] - CROP // 2]
    frames[:, 40, 80], frames[[1, 5], 60, 70] = -1, (-2, -CLIPPED)
    good[52, 61:64] = False
    frames[:, 52, 61:64] = 30_000
    return frames, good


def _cut_files(folder: Path) -> dict[str, Any]:
    frames, good = _cut_frames()
    x, y = places(COUNT - SURPLUS).T
    np.savez(folder / "places.npz", across=1e3 * x, down=1e3 * y)
    made = _saved(folder, frames=frames, good=good, probe=probe(CROP)[0])
    where = {f"--positions-{axis}": f"{folder / 'places.npz'}::{name}*1e-9" for axis, name in (("x", "across"), ("y", "down"))}
    return {"--source": made["frames"], "--mask": made["good"], "--probe": made["probe"], **where}


def _cut_truth() -> Truth:
    frames, good = _cut_frames()
    good[40, 80] = False
    counts, good = np.where(good, np.maximum(frames, 0), 0).astype(float)[:-SURPLUS].swapaxes(1, 2), good.T
    rows, columns = CENTRE[1] + np.arange(CROP) - CROP // 2, CENTRE[0] - (np.arange(CROP) - CROP // 2)
    parts = (CROP // BIN, BIN, CROP // BIN, BIN)
    summed = counts[:, rows][:, :, columns].reshape(-1, *parts).sum(axis=(2, 4))
    whole = good[rows][:, columns].reshape(parts).all(axis=(1, 3))
    return Truth(np.sqrt(summed), places(COUNT - SURPLUS) * [-1, 1] * 1e-6 / PIXEL, whole)


# -- a folder of images on a raster, filled up, some of them left out
def _raster_frames() -> np.ndarray:
    frames = exposures(SIDE, SIDE, 5).astype(np.uint16)
    frames[DARK] = frames[DARK] // 100
    frames[SATURATED, 3, 5] = HIGH
    return frames


def _raster_files(folder: Path) -> dict[str, Any]:
    (images := folder / "images [1]").mkdir()
    frames = _raster_frames()
    pieces = [*frames[:SEVERAL], frames[SEVERAL : SEVERAL + 2], *frames[SEVERAL + 2 :]]  # one file of two frames
    for number, piece in enumerate(pieces):
        np.save(images / f"frame_{number + 1}.npy", piece)
    return {"--source": images, "--probe": _saved(folder, probe=lights.field(SIDE)[0])["probe"]}


def _raster_truth() -> Truth:
    kept = [number for number in range(COUNT) if number not in (DARK, NUMBERED, SATURATED)]
    edge = (PAD - SIDE) // 2
    amplitudes = np.pad(np.sqrt(_raster_frames()[kept].astype(float)), ((0, 0), (edge, edge), (edge, edge)))
    row, column = np.divmod(np.array(kept), SHAPE[1])
    metres = np.stack([column * STEP[1], row * STEP[0]], axis=-1)
    return Truth(amplitudes, metres / (WAVELENGTH * DISTANCE / (PAD * PITCH)), np.pad(np.ones((SIDE, SIDE), bool), edge))


# -- arrays under names of their own: amplitudes, the scan's axis last, zero frequency in the corner, positions too many
def _named_arrays() -> dict[str, np.ndarray]:
    amplitudes = np.sqrt(exposures(SIDE, SIDE, 7)) * 1.7
    bad = np.zeros((SIDE, SIDE), np.uint8)
    bad[20:23, 9] = 1
    corner = np.fft.ifftshift(amplitudes, axes=(1, 2))
    return {"stack": np.moveaxis(corner, 0, -1), "bad": np.fft.ifftshift(bad), "where": places(COUNT + SURPLUS)[:, ::-1],
            "light": probe(SIDE, 2)}  # fmt: skip


def _named_files(folder: Path) -> dict[str, Any]:
    np.savez(folder / "arrays.npz", **_named_arrays())
    names = {"--source": "stack", "--mask": "bad", "--positions": "where", "--probe": "light"}
    return {flag: f"{folder / 'arrays.npz'}::{name}" for flag, name in names.items()}


def _named_truth() -> Truth:
    given = _named_arrays()
    good = np.fft.fftshift(given["bad"]).T == 0
    amplitudes = np.fft.fftshift(np.moveaxis(given["stack"], -1, 0), axes=(1, 2)).swapaxes(1, 2)
    seen = np.where(amplitudes < LEAST, 0, amplitudes)
    return Truth(seen * good, places() * 1e-6 / PIXEL, good)


CASES: dict[str, Case] = {
    "window": Case(
        {"--centre": "35,75", "--crop": CROP, "--bin": BIN, "--clip-negatives": CLIPPED, "--position-unit": "m",
         "--held-out": HELD, "--object-pixel": "50 nm", "--measurement": "counts", "--zero-frequency": "centre"},
        ("--transpose", "--flip-columns", "--mask-marked", "--flip-x", "--keep-origin", "--drop-surplus"),
        _cut_files, _cut_truth, kept=True),
    "raster": Case(
        {"--step": "80 nm,60 nm", "--scan-shape": "3,4", "--pad": PAD, "--drop-dark": 0.1, "--drop": NUMBERED,
         "--drop-saturated": HIGH, "--measurement": "counts", "--zero-frequency": "centre", **OPTICS},
        (), _raster_files, _raster_truth),
    "names": Case(
        {"--axes": "y x m", "--columns": "y x", "--position-unit": "um", "--mask-good": "zero", "--measurement": "amplitude",
         "--object-pixel": "50 nm", "--zero-frequency": "corner", "--threshold": LEAST},
        ("--drop-surplus", "--transpose", "--quiet"), _named_files, _named_truth),
}  # fmt: skip


# -- a file of another program, and a table beside it

PITCHES, ABOVE_BACKGROUND = (75e-6, 55e-6), 4096
"""Height and width of a detector pixel; what CXI's masks say of good pixels that saw something."""


def cxi_truth() -> Truth:
    good = np.ones((SIDE, SIDE), bool)
    good[30:33, 5] = False
    pixel = WAVELENGTH * DISTANCE / (SIDE * np.array(PITCHES[::-1]))
    return Truth(np.sqrt(exposures(SIDE, SIDE, 9)) * good, places() * 1e-6 / pixel, good)


def cxi_files(folder: Path) -> dict[str, Any]:
    counts, good = exposures(SIDE, SIDE, 9), cxi_truth().good
    mask = np.where(good, 0, 1).astype(np.uint32)
    mask[40, 40:50] = ABOVE_BACKGROUND
    values = {"detector_1/data": (counts, None), "detector_1/distance": (DISTANCE * 1e3, "mm"), "detector_1/mask": (mask, None),
              "detector_1/y_pixel_size": (PITCHES[0], "m"), "detector_1/x_pixel_size": (PITCHES[1], "m"),
              "source_1/energy": (10.0, "keV"), "source_1/illumination": (probe(SIDE)[0], None)}  # fmt: skip
    moved = np.column_stack([places(), np.zeros(COUNT)])
    with interop.hdf5().File(folder / "scan.cxi", "w") as file:
        file["cxi_version"] = 160
        for name, (value, unit) in {f"instrument_1/{name}": both for name, both in values.items()}.items():
            file[f"entry_1/{name}"] = value
            file[f"entry_1/{name}"].attrs.update({} if unit is None else {"units": np.bytes_(unit)})  # as C writes texts
        file["entry_1/sample_1/geometry_1/translation"] = moved
        file["entry_1/sample_1/geometry_1/translation"].attrs["units"] = "um"
        file["entry_1/data_1/data"] = file["entry_1/instrument_1/detector_1/data"]
    return {"--source": folder / "scan.cxi"}


def _table_files(folder: Path) -> dict[str, Any]:
    """The same file, and a table that names its columns, each with a unit of its own, and the frame of each line, in an order of
    its own; some frames have two lines, on both sides of where they are."""
    (x, y), order = places().T, np.argsort(np.sin(np.arange(COUNT) * 2.7))
    lines = [f"{n},{1e3 * (y[n] + by):.9f},{x[n] - by:.12f}" for n in order for by in ((-0.03, 0.03) if n % 5 == 4 else (0.0,))]
    (folder / "table.csv").write_text("\n".join(["frame,y (nm),x (um)", *lines]) + "\n", encoding="utf-8")
    return cxi_files(folder) | {"--positions": folder / "table.csv"}


OTHERS: dict[str, Case] = {
    "cxi": Case({}, ("--quiet",), cxi_files, cxi_truth),
    "table": Case({}, ("--quiet",), _table_files, cxi_truth),
}
EVERY = CASES | OTHERS


def converted(backend: Any, shared: Path, name: str) -> tuple[process.Completed, Path]:
    """The call of a case of this file, once for all checks of a session: how it ended, and the folder of what it wrote."""
    return called(backend, shared, name, EVERY[name])


def called(backend: Any, shared: Path, name: str, case: Case) -> tuple[process.Completed, Path]:
    """The call of any case, once for all checks of a session: how it ended, and the folder of what it wrote.

    In the window the probe is made of optics where the help of `convert` lists their flags.
    """
    sources.understood(backend, shared, *case.flags, *case.switches, *solving.flags_of(case.files))
    if name in OTHERS:
        sources.named(backend, shared, "CXI")

    def run(folder: Path) -> process.Completed:
        (folder / "out").mkdir()
        argv = [*backend.command("convert"), *words(backend, shared, name, case, folder)]
        return commands.call([*argv, "--output", folder / "out" / "scan.npz"], folder)

    place = f"converted-{name}"
    return process.Completed(**once(shared, place, lambda folder: vars(run(folder)))), shared / place / "out"


def words(backend: Any, shared: Path, name: str, case: Case, folder: Path) -> list[str]:
    """What such a call is told, its output aside; its files are written into `folder`."""
    optics = name == "window" and set(lens.FLAGS) <= set(solving.offered(backend, "convert", shared))
    files = {flag: place for flag, place in case.files(folder).items() if flag != "--probe" or not optics}
    argv = [*commands.listed(files | case.flags), *case.switches]
    return [*argv, *(f"{flag}={value}" for flag, value in lens.FLAGS.items() if optics)]


def spectrum(backend: Any, path: Path) -> tuple[np.ndarray, np.ndarray]:
    """The far field of the probe of a file, and that of `lens` (`lens.spectrum`)."""
    light = np.squeeze(native.array(backend.read(path).probeGuess)).astype(complex)
    return lens.spectrum(light, WAVELENGTH / (len(light) * PIXEL), WAVELENGTH)


def found(backend: Any, path: Path) -> Truth:
    """What a contract file holds; raises `Malformed` where there is none."""
    if not path.is_file():
        raise native.Malformed(f"expected {path.name}, found {archives.left(path.parent)}")
    record = backend.read(path)
    positions = np.stack([native.array(record.xcoords), native.array(record.ycoords)], axis=-1).astype(float)
    with np.load(path, allow_pickle=False) as file:
        good = file["mask"].astype(bool) if "mask" in file else None
    good = None if good is None or good.all() else good  # a mask that hides nothing is none
    return Truth(native.array(record.diff3d).astype(float), positions, good)


def laid(name: str, *places: np.ndarray) -> list[np.ndarray]:
    """Positions as they stand where the call keeps their origin; else each set from its first one on."""
    return [one if EVERY[name].kept else one - one[:1] for one in places]
