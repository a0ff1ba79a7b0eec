"""ptychodus's product in HDF5, with the patterns beside it where they are wanted (SIDE-001 … SIDE-005)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from reference_impl.atomic import atomic_write
from reference_impl.errors import ContractError
from reference_impl.exchange.checks import line, modes_of, patterns_of, pixels_of, plane, positions_of
from reference_impl.formats.hdf5 import Hdf5Source

TEXTS = ("name", "comments")
NUMBERS = ("detector_object_distance_m", "probe_energy_eV", "exposure_time_s")
OPTIONAL = ("probe_photon_count", "mass_attenuation_m2_kg", "tomography_angle_deg")
ALIASES = {"probe_energy_eV": "photon_energy_eV", "mass_attenuation_m2_kg": "mass_attenuation_m2_per_kg"}
"""What ptychodus 1.7.0 calls them; it reads both names, and writes these."""
FORMAT = {"format_id": "ptychodus.product.hdf5", "format_version": "1.0"}
BUNDLE_VERSION = "1.0"


def write_product(path: Path, product: Mapping[str, Any]) -> None:
    """Write `product`, whole or not at all. Raises `ContractError`, `OSError`.

    The names of `TEXTS` and `NUMBERS`; `pixel_height_m`, `pixel_width_m`; `xcoords`, `ycoords` (object pixels); `probe`
    `(P, N, N)`; `object` `(H, W)` whose pixel [0, 0] lies at `origin` [x, y], (0, 0) unless given; and where wanted those of
    `OPTIONAL`, `loss_values`, `scan_index`, `diffraction` `(M, N, N)` amplitudes.
    """
    import h5py

    height, width = pixels_of(product)
    x, y = positions_of(product)
    probe, thing = modes_of(product.get("probe"), "probe"), plane(product.get("object"), "object", 2)
    losses = line({"loss_values": product.get("loss_values", [])}, "loss_values")
    attributes = _attributes(product)
    patterns = product.get("diffraction")
    patterns = None if patterns is None else patterns_of(patterns, len(x), "diffraction")
    corner = [float(value) for value in product.get("origin", (0.0, 0.0))]
    with atomic_write(path) as temporary, h5py.File(temporary, "w", locking=False) as file:  # the file is claimed
        for name, value in {**FORMAT, **attributes}.items():
            file.attrs[name] = value
        # A position's index is that of its pattern, whatever the scan called it.
        file["probe_position_indexes"] = np.arange(len(x), dtype=np.int64)
        file["probe_position_x_m"], file["probe_position_y_m"] = x * width, y * height
        file["probe"], file["object"] = probe[None], thing[None]
        for name in ("probe", "object"):
            file[name].attrs["pixel_height_m"], file[name].attrs["pixel_width_m"] = height, width
        sides = (thing.shape[1], thing.shape[0])
        for axis, start, side, pixel in zip("xy", corner, sides, (width, height), strict=True):
            # ptychodus has the middle of an array at (N - 1) / 2, the contract at N // 2: half a pixel between the two.
            file["object"].attrs[f"center_{axis}_m"] = (start + side / 2) * pixel
        file["object_layer_spacing_m"] = np.empty(0)
        file["loss_values"], file["loss_epochs"] = losses, np.arange(len(losses), dtype=np.float64)
        if patterns is not None:
            _raw(file, patterns, x, y, product)


def _raw(file: Any, patterns: np.ndarray, x: np.ndarray, y: np.ndarray, product: Mapping[str, Any]) -> None:
    """The patterns and what belongs to them, in the contract's pixels."""
    group = file.create_group("raw_data")
    group["diffraction"] = patterns
    group["diffraction"].attrs["axis_canonical"] = "NHW"
    group["diffraction"].attrs["original_axis_order"] = "NHW"
    group["xcoords"], group["ycoords"] = x, y
    group["scan_index"] = np.asarray(product.get("scan_index", np.arange(len(x))), dtype=np.int64)
    group["probeGuess"], group["objectGuess"] = file["probe"], file["object"]  # hard links
    file.attrs["bundle_version"], file.attrs["contains_raw_data"] = BUNDLE_VERSION, True


def _attributes(product: Mapping[str, Any]) -> dict[str, Any]:
    for name in TEXTS:
        if not isinstance(product.get(name), str):
            raise ContractError(field=name, expected="a text", found=repr(product.get(name)))
    found: dict[str, Any] = {name: product[name] for name in TEXTS}
    for name in (*NUMBERS, *(known for known in OPTIONAL if known in product)):
        value = product.get(name)
        if not isinstance(value, int | float | np.number) or not np.isfinite(value):
            raise ContractError(field=name, expected="a finite number", found=repr(value))
        found[name] = float(value)
    return found


def read_product(path: Path) -> dict[str, Any]:
    """What a product holds, under the names of `write_product`; positions in the order of their indexes, `scan_index` and
    `diffraction` where it has patterns. Nothing in the file runs. Raises `FileNotFoundError`, `ContractError`.
    """
    with Hdf5Source(path) as source:
        root = {name: source.text(name) for name in TEXTS}
        stated = {name: _stated(source, name) for name in (*NUMBERS, *OPTIONAL)}
        root |= {name: _number(source, place, path) for name, place in stated.items() if name in NUMBERS or source.has(place)}
        thing, probe = source.array("object"), modes_of(source.array("probe"), "probe", path)
        height, width = pixels_of({name: _of(source, f"object@{name}") for name in ("pixel_height_m", "pixel_width_m")}, path)
        pixels_of({name: _of(source, f"probe@{name}") for name in ("pixel_height_m", "pixel_width_m")}, path)
        metres = {f"{axis}coords": source.array(f"probe_position_{axis}_m") for axis in "xy"}
        x, y = positions_of(metres, path)
        order = _order(source.array("probe_position_indexes"), len(x), path)
        thing = plane(thing[0] if thing.ndim == 3 and len(thing) == 1 else thing, "object", 2, path)
        centre = [_number(source, f"object@center_{axis}_m", path) for axis in "xy"]
        sides = (thing.shape[1], thing.shape[0])
        corner = [c / pixel - side / 2 for c, pixel, side in zip(centre, (width, height), sides, strict=True)]
        losses = next((name for name in ("loss_values", "costs") if source.has(name)), "loss_values")
        found = {
            **root,
            "pixel_height_m": height,
            "pixel_width_m": width,
            "xcoords": (x / width)[order],
            "ycoords": (y / height)[order],
            "probe": probe,
            "object": thing,
            "origin": (corner[0], corner[1]),
            "loss_values": line({losses: source.array(losses)}, losses, path),
        }
        if source.has("raw_data/diffraction"):
            found["diffraction"] = patterns_of(source.array("raw_data/diffraction"), len(x), "raw_data/diffraction", path)
            found["scan_index"] = source.array("raw_data/scan_index").astype(np.int64)
        return found


def _order(indexes: np.ndarray, count: int, path: Path) -> np.ndarray:
    """The places of the positions in the order of their patterns."""
    whole = indexes.dtype.kind in "iu" and indexes.shape == (count,)
    if not whole or sorted(indexes.tolist()) != list(range(count)):
        found = f"{indexes.dtype} {indexes.shape}" if not whole else f"{int(indexes.min())} … {int(indexes.max())}, or one twice"
        expected = f"each of 0 … {count - 1} once, the number of its pattern"
        raise ContractError(file=path, field="probe_position_indexes", expected=expected, found=found)
    return np.argsort(indexes)


def _stated(source: Hdf5Source, name: str) -> str:
    """The attribute under which a number stands: its name here, or ptychodus's where only that is there."""
    other = f"@{ALIASES.get(name, name)}"
    return other if not source.has(f"@{name}") and source.has(other) else f"@{name}"


def _of(source: Hdf5Source, name: str) -> float | None:
    return float(np.ravel(source.array(name))[0]) if source.has(name) else None


def _number(source: Hdf5Source, name: str, path: Path) -> float:
    value = _of(source, name)
    if value is None or not np.isfinite(value):
        raise ContractError(file=path, field=name.replace("@", " "), expected="a finite number", found=repr(value))
    return value
