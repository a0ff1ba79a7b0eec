"""Conversions that cut, fill up and add up the detector's pixels: patterns, probe, and positions in pixels and in a length."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from conformance.connectors import native, process
from conformance.scenes import converting, lights, sources
from conformance.scenes.converting import (
    COUNT,
    DISTANCE,
    OPTICS,
    PITCH,
    PITCHES,
    SIDE,
    WAVELENGTH,
    Case,
    Truth,
    exposures,
    places,
)
from conformance.scenes.records import record, write_npz

CUT, FILLED, BIN, LEAST = 48, 80, 2, 6
"""Detector pixels that are kept, or filled up to; pixels that are added up along each side; counts that are no noise."""
SEEN = (44, 50)
"""Row and column of a beam whose window lies beyond two edges of the detector; the column is mirrored about it."""
WIDE, FEW, MARKED = 1500, 4, (723, 761)
"""Side of frames of which a single one is a large piece, how many there are, and a pixel that is negative in all of them."""
FINE = 20.0
"""Object pixels of the whole detector in a micrometre of `converting.places`."""
WORDS = {"--measurement": "counts", "--zero-frequency": "centre", "--columns": "x y"}
PIXELS = {**WORDS, "--position-unit": "pixel"}


def _frames(side: int = SIDE) -> np.ndarray:
    if side == SIDE:
        return exposures(side, side, 11).astype(np.int16)
    edge = (WIDE - SIDE) // 2
    counts = np.pad(exposures(SIDE, SIDE, 11)[:FEW].astype(np.int16), ((0, 0), (edge, edge), (edge, edge)))
    counts[:, *MARKED] = -1
    return counts


def _files(factor: float, side: int = SIDE) -> Callable[[Path], dict[str, Any]]:
    """The frames, a probe of their side where they are small, and positions in another unit."""

    def write(folder: Path) -> dict[str, Any]:
        arrays = {"--source": _frames(side), "--positions": factor * places(len(_frames(side)))}
        arrays |= {} if side == WIDE else {"--probe": lights.field(side)[0]}
        for flag, array in arrays.items():
            np.save(folder / f"{flag[2:]}.npy", array)
        return {flag: folder / f"{flag[2:]}.npy" for flag in arrays}

    return write


def _middle(stack: np.ndarray, side: int) -> np.ndarray:
    edge = (stack.shape[-1] - side) // 2
    return stack[..., edge : edge + side, edge : edge + side]


def _summed(counts: np.ndarray) -> np.ndarray:
    parts = counts.shape[-1] // BIN
    return counts.astype(float).reshape(-1, parts, BIN, parts, BIN).sum(axis=(2, 4))


def _cut() -> Truth:
    """Three quarters of the detector; what is faint is dark before it is added up."""
    counts = np.where(_frames() < LEAST, 0, _frames())
    return Truth(np.sqrt(_summed(_middle(counts, CUT))), FINE * places() * CUT / SIDE, None)


def _hidden() -> np.ndarray:
    """The mask `(SIDE, SIDE)` of a column that an even window has, or has not, when it is turned over about its beam."""
    good = np.ones((SIDE, SIDE), bool)
    good[:, SEEN[1] - CUT // 2] = False
    return good


def _filled() -> Truth:
    """A window that leaves the detector, mirrored, and filled up: what lies beyond either is nothing that was measured."""
    steps = np.arange(FILLED) - FILLED // 2
    kept = (steps >= -CUT // 2) & (steps < CUT // 2)
    rows, columns = SEEN[0] + steps, SEEN[1] - steps
    inside = [kept & (axis >= 0) & (axis < SIDE) for axis in (rows, columns)]
    good = inside[0][:, None] & inside[1] & _hidden()[rows % SIDE][:, columns % SIDE]
    counts = _frames().astype(float)[:, rows % SIDE][:, :, columns % SIDE]
    return Truth(np.sqrt(counts * good), FINE * places() * FILLED / SIDE, good)


def _beside(folder: Path) -> dict[str, Any]:
    np.save(folder / "good.npy", _hidden())
    return _files(FINE)(folder) | {"--mask": folder / "good.npy"}


def _metres() -> Truth:
    """Positions in a length, over the object pixel of the window."""
    pixel = WAVELENGTH * DISTANCE / (CUT * PITCH)
    return Truth(np.sqrt(_summed(_middle(_frames(), CUT))), places() * 1e-6 / pixel, None)


def _wide() -> Truth:
    """A small part of a large detector, one pixel of it bad."""
    good = np.ones((WIDE, WIDE), bool)
    good[MARKED] = False
    amplitudes = np.sqrt(np.where(good, _frames(WIDE), 0).astype(float))
    return Truth(_middle(amplitudes, SIDE), FINE * places(FEW) * SIDE / WIDE, _middle(good, SIDE))


CASES: dict[str, Case] = {
    "cut": Case({**PIXELS, "--crop": CUT, "--bin": BIN, "--threshold": LEAST}, (), _files(FINE), _cut),
    "filled": Case(
        {**PIXELS, "--crop": CUT, "--pad": FILLED, "--centre": ",".join(map(str, SEEN))}, ("--flip-columns",), _beside, _filled
    ),
    "summed": Case({**PIXELS, "--bin": BIN}, (), _files(FINE), lambda: Truth(np.sqrt(_summed(_frames())), FINE * places(), None)),
    "metres": Case({**WORDS, "--position-unit": "um", "--crop": CUT, "--bin": BIN, **OPTICS}, (), _files(1.0), _metres),
    "wide": Case({**PIXELS, "--crop": SIDE}, ("--mask-marked",), _files(FINE, WIDE), _wide),
}
"""Name → a call, and what is to come out."""


def converted(backend: Any, shared: Path, name: str) -> tuple[process.Completed, Path]:
    """The call of a case, once for all checks of a session: how it ended, and the folder of what it wrote."""
    if "--position-unit" in CASES[name].flags:
        sources.taken(backend, shared, "--position-unit", CASES[name].flags["--position-unit"])
    return converting.called(backend, shared, f"windows-{name}", CASES[name])


def steps(positions: np.ndarray) -> np.ndarray:
    """`(n - 1, 2)`: what positions have, wherever their origin is."""
    return positions[1:] - positions[:1]


def light(backend: Any, path: Path) -> tuple[np.ndarray, np.ndarray]:
    """The probe of a file, and the middle of the one that was given."""
    found = np.squeeze(native.array(backend.read(path).probeGuess))
    return found, _middle(lights.field(SIDE)[0], found.shape[-1])


# -- a contract file with its object, and detector pixels that are not square


def _contract(folder: Path) -> dict[str, Any]:
    given = record(COUNT, SIDE)
    return {"--source": write_npz(folder / "contract.npz", **given)}


def _of_contract(side: int) -> Callable[[], Truth]:
    def made() -> Truth:
        given = record(COUNT, SIDE)
        positions = np.stack([given["xcoords"], given["ycoords"]], axis=-1)
        return Truth(_middle(given["diff3d"], side).astype(float), positions * side / SIDE, None)

    return made


def _turned() -> Truth:
    """Columns of the pattern are rows of the detector, and have their pitch."""
    plain = converting.cxi_truth()
    pixel = WAVELENGTH * DISTANCE / (SIDE * np.array(PITCHES))
    return Truth(plain.amplitudes.swapaxes(1, 2), places() * 1e-6 / pixel, np.ascontiguousarray(plain.good.T))


WITH_AN_OBJECT: dict[str, Case] = {
    "whole": Case({"--measurement": "amplitude"}, (), _contract, _of_contract(SIDE)),
    "part": Case({"--measurement": "amplitude", "--crop": CUT}, (), _contract, _of_contract(CUT)),
}
TURNED = Case({}, ("--transpose", "--quiet"), converting.cxi_files, _turned)


def with_an_object(backend: Any, shared: Path, name: str) -> tuple[process.Completed, Path]:
    """The call on a contract file whose record has an object."""
    sources.named(backend, shared, "contract")
    return converting.called(backend, shared, f"windows-{name}", WITH_AN_OBJECT[name])


def turned(backend: Any, shared: Path) -> tuple[process.Completed, Path]:
    """The CXI file of CLI-057, its detector transposed."""
    sources.named(backend, shared, "CXI")
    return converting.called(backend, shared, "windows-turned", TURNED)


def thing(backend: Any, path: Path) -> np.ndarray | None:
    """The object of a file, or None."""
    found = getattr(backend.read(path), "objectGuess", None)
    return None if found is None else native.array(found)


def given_thing() -> np.ndarray:
    """The object of the contract file."""
    return record(COUNT, SIDE)["objectGuess"]
