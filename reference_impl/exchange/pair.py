"""PtychoViT's pair: `<name>_dp.hdf5` with intensities, `<name>_para.hdf5` with what they belong to (SIDE-020, SIDE-021)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from reference_impl.atomic import whole_set
from reference_impl.errors import ContractError
from reference_impl.exchange.checks import line, modes_of, patterns_of, pixels_of, plane, positions_of
from reference_impl.formats.hdf5 import Hdf5Source

SIZES = ("pixel_height_m", "pixel_width_m")


def middle(side: int) -> float:
    """Where the pair's positions have their zero, in pixels of the object: `round(side / 2) + 0.5`."""
    return round(side / 2) + 0.5


def named(stem: Path, part: str) -> Path:
    """`<stem>_dp.hdf5` or `<stem>_para.hdf5`."""
    return stem.with_name(f"{stem.name}_{part}.hdf5")


def write_pair(stem: Path, experiment: Mapping[str, Any]) -> None:
    """Both files, or neither: `diffraction` `(M, N, N)` amplitudes, `xcoords`, `ycoords` in pixels of `object` `(H, W)`, `probe`
    `(P, N, N)`, `pixel_height_m`, `pixel_width_m`. Raises `ContractError`, `OSError`.
    """
    import h5py

    height, width = pixels_of(experiment)
    x, y = positions_of(experiment)
    patterns = patterns_of(experiment.get("diffraction"), len(x), "diffraction")
    probe, thing = modes_of(experiment.get("probe"), "probe"), plane(experiment.get("object"), "object", 2)
    with whole_set(stem.parent) as stage:
        with h5py.File(stage / named(stem, "dp").name, "w") as file:
            file["dp"] = patterns**2
        with h5py.File(stage / named(stem, "para").name, "w") as file:
            file["object"], file["probe"] = thing[None], probe[None]
            file["probe_position_x_m"] = (x - middle(thing.shape[1])) * width
            file["probe_position_y_m"] = (y - middle(thing.shape[0])) * height
            for name in ("object", "probe"):
                file[name].attrs["pixel_height_m"], file[name].attrs["pixel_width_m"] = height, width


def read_pair(stem: Path) -> dict[str, Any]:
    """What a pair holds, under the names of `write_pair`. Raises `FileNotFoundError`, `ContractError` with the file's name."""
    dp, para = named(stem, "dp"), named(stem, "para")
    with Hdf5Source(para) as source:
        for name in ("object", "probe"):
            missing = [size for size in SIZES if not source.has(f"{name}@{size}")]
            if source.has(name) and missing:
                raise ContractError(file=para, field=f"{name} {missing[0]}", expected="a length in metres", found="none")
        stored = source.array("object")
        thing = plane(stored[0] if stored.ndim == 3 and len(stored) == 1 else stored, "object", 2, para)
        probe = modes_of(source.array("probe"), "probe", para)
        height, width = pixels_of({size: float(np.ravel(source.array(f"object@{size}"))[0]) for size in SIZES}, para)
        places = {name: source.array(name) for name in ("probe_position_x_m", "probe_position_y_m")}
        metres = [line(places, name, para) for name in places]
    x, y = metres[0] / width + middle(thing.shape[1]), metres[1] / height + middle(thing.shape[0])
    if len(x) != len(y):
        raise ContractError(file=para, field="probe_position_x_m", expected=f"as many as y has, {len(y)}", found=f"{len(x)}")
    with Hdf5Source(dp) as source:
        patterns = patterns_of(source.array("dp"), len(x), "dp", dp)
    return {
        "diffraction": np.sqrt(patterns),
        "xcoords": x,
        "ycoords": y,
        "object": thing,
        "probe": probe,
        "pixel_height_m": height,
        "pixel_width_m": width,
    }
