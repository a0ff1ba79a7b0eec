"""Files of neighbouring programs, read and written with h5py alone; objects beside a truth."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from conformance.connectors import native
from conformance.connectors.names import NotEvaluated
from conformance.scenes.optics import curved_probe, field, object_image
from conformance.scenes.records import anisotropic_scan

HEIGHT, WIDTH = 41e-9, 53e-9
NUMBERS = {"detector_object_distance_m": 1.75, "probe_energy_eV": 8.8e3, "exposure_time_s": 0.125}
OPTIONAL = {"probe_photon_count": 3.5e7, "mass_attenuation_m2_kg": 0.0625, "tomography_angle_deg": -12.5}
ATTENUATION = 0.375
"""Of the specimen, m²/kg, which ptychodus 1.7.0 writes under a name of its own."""
TEXTS = {"name": "asymmetric", "comments": "two modes, \u00b5m"}


def hdf5() -> Any:
    """h5py; without it these checks cannot be made."""
    try:
        import h5py
    except ImportError as error:
        raise NotEvaluated("h5py is not installed beside the suite") from error
    return h5py


def product(M: int = 12, N: int = 16, patterns: bool = True, **changes: Any) -> dict[str, Any]:
    """A product of M positions, its object wider than high, its pixels higher than wide; by default M, N and P all differ."""
    x, y = anisotropic_scan(M, origin=(10.25, 8.5))
    found = {
        **TEXTS,
        **NUMBERS,
        **OPTIONAL,
        "pixel_height_m": HEIGHT,
        "pixel_width_m": WIDTH,
        "xcoords": x,
        "ycoords": y,
        "probe": curved_probe(N, 3)[[1, 0, 2]],
        "object": object_image(39, 54, 21),
        "origin": (-3.0, 2.5),
        "loss_values": np.array([3.0, 2.0, 1.5]),
        "scan_index": np.arange(M)[::-1] * 7 + 2**40,  # a time stamp
    }
    if patterns:
        found["diffraction"] = (np.abs(field(M, 1, N)[:, 0]) * np.arange(1, M + 1)[:, None, None]).astype(np.float32)
    return {name: value for name, value in {**found, **changes}.items() if value is not None}


def contents(path: Path) -> dict[str, Any]:
    """Every data set of a file by its path, every attribute as `path@name`."""
    found: dict[str, Any] = {}

    def note(name: str, item: Any) -> None:
        found.update({f"{name}@{key}": value for key, value in item.attrs.items()})
        if hasattr(item, "dtype"):
            found[name] = item[()]

    with hdf5().File(path, "r") as file:
        note("", file)
        for name in _paths(file):
            note(name, file[name])
    return found


def _paths(group: Any, before: str = "") -> list[str]:
    found = []
    for name in group:
        found.append(before + name)
        if hasattr(group[name], "keys"):
            found += _paths(group[name], f"{before}{name}/")
    return found


def foreign(path: Path, given: Mapping[str, Any], form: str) -> Path:
    """The product as another program might write it: fewer axes, double precision, `costs`, positions in another order."""
    order = np.argsort(np.sin(np.arange(len(given["xcoords"])) * 2.7))
    probe, thing = given["probe"], given["object"]
    probe = {"two": probe[0], "three": probe, "four": probe[None]}[form]
    H, W = thing.shape
    with hdf5().File(path, "w") as file:
        file.attrs.update({**TEXTS, **NUMBERS})
        if form == "four":  # as ptychodus 1.7.0 names it
            file.attrs["photon_energy_eV"] = file.attrs.pop("probe_energy_eV")
            file.attrs["mass_attenuation_m2_per_kg"] = ATTENUATION
        file["probe_position_indexes"] = order.astype(np.int32)
        file["probe_position_x_m"], file["probe_position_y_m"] = given["xcoords"][order] * WIDTH, given["ycoords"][order] * HEIGHT
        file["probe"] = probe.astype(np.complex128)
        file["object"] = thing if form == "two" else thing[None].astype(np.complex128)
        for name in ("probe", "object"):
            file[name].attrs["pixel_height_m"], file[name].attrs["pixel_width_m"] = HEIGHT, WIDTH
        file["object"].attrs["center_x_m"] = (given["origin"][0] + W / 2) * WIDTH
        file["object"].attrs["center_y_m"] = (given["origin"][1] + H / 2) * HEIGHT
        file["object_layer_spacing_m"] = np.empty(0)
        file["costs" if form == "three" else "loss_values"] = given["loss_values"]
    return path


def with_patterns(path: Path, given: Mapping[str, Any]) -> Path:
    """A product of another program with its patterns, and the scan's numbers of them, in their own order."""
    with hdf5().File(path, "r+") as file:
        file["raw_data/diffraction"], file["raw_data/scan_index"] = given["diffraction"], given["scan_index"]
        file.attrs["contains_raw_data"], file.attrs["bundle_version"] = True, "1.0"
    return path


Edit = Callable[[Any], None]


def _replace(name: str, change: Callable[[np.ndarray], Any]) -> Edit:
    def edit(file: Any) -> None:
        values, attributes = file[name][()], dict(file[name].attrs)
        del file[name]
        file[name] = change(values)
        file[name].attrs.update(attributes)

    return edit


def _drop(name: str) -> Edit:
    def edit(file: Any) -> None:
        path, _, attribute = name.partition("@")
        if attribute:
            del (file[path] if path else file).attrs[attribute]
        else:
            del file[name]

    return edit


def _state(path: str, name: str, value: float) -> Edit:
    return lambda file: file[path].attrs.__setitem__(name, value)


def _spoiled(values: np.ndarray) -> np.ndarray:
    values[1] = np.nan
    return values


PLACES = ("coords", "probe_position")
"""Positions by their name in a product, or in a file."""

NO_PRODUCT: dict[str, tuple[str | tuple[str, ...], Edit]] = {
    "no-energy": ("probe_energy_eV", _drop("@probe_energy_eV")),
    "no-name": ("name", _drop("@name")),
    "no-comments": ("comments", _drop("@comments")),
    "no-exposure": ("exposure_time_s", _drop("@exposure_time_s")),
    "no-distance": ("detector_object_distance_m", _drop("@detector_object_distance_m")),
    "no-probe": ("probe", _drop("probe")),
    "no-object": ("object", _drop("object")),
    "no-x": ("probe_position_x_m", _drop("probe_position_x_m")),
    "no-losses": ("loss_values", _drop("loss_values")),
    "no-pixel": ("pixel_width_m", _drop("object@pixel_width_m")),
    "no-pixel-of-the-probe": ("pixel_height_m", _drop("probe@pixel_height_m")),
    "negative-pixel": ("pixel_height_m", _state("object", "pixel_height_m", -HEIGHT)),
    "flat-pixel": ("pixel_width_m", _state("object", "pixel_width_m", 0.0)),
    "no-centre": ("center_x_m", _drop("object@center_x_m")),
    "infinite-y": (PLACES, _replace("probe_position_y_m", lambda v: np.where(np.arange(len(v)) == 1, np.inf, v))),
    "index-before": ("probe_position_indexes", _replace("probe_position_indexes", lambda v: v - 1)),
    "shorter-y": (PLACES, _replace("probe_position_y_m", lambda v: v[:-1])),
    "nan-x": (PLACES, _replace("probe_position_x_m", _spoiled)),
    "two-axes": (PLACES, _replace("probe_position_x_m", lambda v: v[:, None])),
    "index-beyond": ("probe_position_indexes", _replace("probe_position_indexes", lambda v: v + 1)),
    "index-twice": ("probe_position_indexes", _replace("probe_position_indexes", lambda v: np.maximum(v, 1))),
    "index-float": ("probe_position_indexes", _replace("probe_position_indexes", lambda v: v + 0.5)),
    "fewer-patterns": ("diffraction", _replace("raw_data/diffraction", lambda v: v[:-2])),
}
"""Name → the part that the refusal names, and what is done to a whole product."""

LACKING: dict[str, dict[str, Any]] = {
    "no-energy": {"probe_energy_eV": None},
    "no-object": {"object": None},
    "no-comments": {"comments": None},
    "no-exposure": {"exposure_time_s": None},
    "no-probe": {"probe": None},
    "no-pixel": {"pixel_width_m": None},
    "flat-pixel": {"pixel_height_m": 0.0},
    "fewer-y": {"ycoords": np.arange(5.0)},
    "nan-x": {"xcoords": np.full(12, np.nan)},
    "fewer-patterns": {"diffraction": np.ones((11, 16, 16), np.float32)},
}
"""Products that are not written."""


def edited(path: Path, edit: Edit) -> Path:
    """The file with a part changed."""
    with hdf5().File(path, "r+") as file:
        edit(file)
    return path


# -- pairs ----------------------------------------------------------------------------------------------------------------------


def pair(M: int = 12, N: int = 16) -> dict[str, Any]:
    """The same experiment for a pair; of the halves of the object's sides one is rounded up to even, one down."""
    kept = ("diffraction", "xcoords", "ycoords", "probe", "pixel_height_m", "pixel_width_m")
    return {**{name: product(M, N)[name] for name in kept}, "object": object_image(41, 55, 21)}


def files(stem: Path) -> tuple[Path, Path]:
    """`(dp, para)` of a pair."""
    return stem.with_name(f"{stem.name}_dp.hdf5"), stem.with_name(f"{stem.name}_para.hdf5")


def foreign_pair(stem: Path, given: Mapping[str, Any]) -> Path:
    """The pair as another program writes it."""
    H, W = given["object"].shape
    dp, para = files(stem)
    with hdf5().File(dp, "w") as file:
        file["dp"] = given["diffraction"].astype(np.float64) ** 2
    with hdf5().File(para, "w") as file:
        file["object"], file["probe"] = given["object"][None], given["probe"][None]
        file["probe_position_x_m"] = (given["xcoords"] - round(W / 2) - 0.5) * WIDTH
        file["probe_position_y_m"] = (given["ycoords"] - round(H / 2) - 0.5) * HEIGHT
        for name in ("probe", "object"):
            file[name].attrs["pixel_height_m"], file[name].attrs["pixel_width_m"] = HEIGHT, WIDTH
    return stem


NO_PAIR: dict[str, tuple[int, Edit]] = {
    "no-dp": (0, _drop("dp")),
    "dp-of-rank-four": (0, _replace("dp", lambda v: v[:, None])),
    "dp-of-whole-numbers": (0, _replace("dp", lambda v: v.astype(np.int32))),
    "fewer-patterns": (0, _replace("dp", lambda v: v[:-1])),
    "no-object": (1, _drop("object")),
    "no-probe": (1, _drop("probe")),
    "no-y": (1, _drop("probe_position_y_m")),
    "shorter-x": (1, _replace("probe_position_x_m", lambda v: v[:-1])),
    "positions-of-two-axes": (1, _replace("probe_position_y_m", lambda v: v[:, None])),
    "nan-position": (1, _replace("probe_position_x_m", _spoiled)),
    "no-pixel": (1, _drop("object@pixel_height_m")),
    "no-pixel-of-the-probe": (1, _drop("probe@pixel_width_m")),
}
"""Name → which file of the pair, and what is done to it."""


FORMS: dict[str, dict[str, Any]] = {"two": {"probe": curved_probe(16, 1)}, "three": {}, "four": {}}
"""What a form of a foreign product cannot hold is not in it: two axes hold one mode."""


def numbers(found: Any, expected: Any) -> tuple[np.ndarray, np.ndarray]:
    """Both as arrays of one shape; a text as one where it is the same, else zero, beside one."""
    if isinstance(expected, str):
        return np.array(float(found == expected)), np.array(1.0)
    seen = np.asarray([float(v) for v in found] if isinstance(found, tuple | list) else native.array(found))
    wanted = np.asarray(expected)
    same_modes = seen.ndim == 2 and wanted.ndim == 3 and len(wanted) == 1
    return (seen[None] if same_modes else seen), wanted
