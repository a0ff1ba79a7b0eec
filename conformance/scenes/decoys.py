"""What programs leave in a file beside what the contract names, under names that look as if it mattered (DATA-033)."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from conformance.scenes import entrances
from conformance.scenes.entrances import COUNT, ENTRANCES, Arrays, N

OPTIONAL = ("xcoords_start", "ycoords_start", "scan_index")

METADATA: dict[str, dict[str, Any]] = {
    "photons-at-the-top": {"nphotons": 7.0, "photons": 7.0},
    "photons-elsewhere": {
        "acquisition": {"nphotons": 7.0},
        "more_parameters": {"nphotons": 7.0},
        "simulation": {"nphotons": 7},
    },
    "another-side": {"N": 128, "physics_parameters": {"N": 128, "gridsize": 3}},
    "settings": {"n_groups": 2, "n_subsample": 3, "subsample_seed": 1, "gridsize": 1, "n_images": 2, "neighbor_count": 8},
    "options": {"measurement": "counts", "coord_scale": 2.0, "flip_x": True, "swap_xy": True, "normalization": 0.5},
    "units": {"position_unit": "m", "pixel_size": 1e-8, "optics": {"object_pixel_m": [1e-8, 1e-8]}},
}
"""Entries of the metadata."""


def _members() -> dict[str, Arrays]:
    image, stack = np.full((N, N), 2 + 1j, np.complex64), np.ones((COUNT, N, N), np.float32)
    return {
        "photons": {"nphotons": np.array(7.0), "n_photons": np.array(7.0), "intensity_scale": np.array(7.0)},
        "settings": {"N": np.array(128), "gridsize": np.array(3), "n_groups": np.array(2), "measurement": np.array("counts")},
        "labels": {"Y": stack + 1j, "Y_I": stack, "Y_phi": stack, "norm_Y_I": np.array(3.0), "label": stack},
        "groups": {"X": stack, "X_full": stack[..., None], "nn_indices": np.zeros((COUNT, 4), int), "coords_nn": stack},
        "images": {"probe": image, "object": image, "amplitude": stack, "intensity": stack, "data": stack},
        "places": {"x": np.arange(4.0), "positions": np.ones((COUNT, 2)), "coords": np.ones((COUNT, 2)), "offsets": np.ones(2)},
        "starts": {
            "x_start": np.arange(9.0),
            "y_start": np.arange(9.0),
            "xcoords_nominal": np.arange(9.0),
            "index": np.arange(9),
        },
        "pixels": {"good": np.zeros((N, N), bool), "valid": np.zeros((N, N), bool), "weights": np.zeros((N, N))},
    }


MEMBERS = _members()
"""Members of the archive."""


def with_decoy(given: Arrays, case: str) -> Arrays:
    """The arrays of a file, with one of these beside them."""
    if case in MEMBERS:
        return {**given, **MEMBERS[case]}
    said, more = json.loads(str(given["_metadata"])), METADATA[case]
    physics = {**said.get("physics_parameters", {}), **more.get("physics_parameters", {})}
    stated = {"physics_parameters": physics} if physics else {}
    return {**given, "_metadata": np.array(json.dumps({**said, **more, **stated}))}


def _photons(physics: dict[str, Any]) -> Arrays:
    stated = {"schema_version": "1.0.0", **({"physics_parameters": physics} if physics else {})}
    return {**entrances.whole(), "_metadata": np.array(json.dumps(stated))}


LACKING: dict[str, tuple[str, Callable[[], Arrays]]] = {
    **{f"parameters-{entrance}": (entrance, lambda: _photons({})) for entrance in ENTRANCES[1:]},
    **{f"photons-{entrance}": (entrance, lambda: _photons({"gridsize": 1, "N": N})) for entrance in ENTRANCES[1:]},
    "starts-file": ("file", lambda: {name: a for name, a in entrances.whole().items() if name not in OPTIONAL}),
}
"""Case → the entrance, and a file that lacks what it may lack, so that a second place to look for it would count."""


def changed_where_something_lacks(backend: Any, case: str, folder: Path) -> dict[str, list[str]]:
    """`changed` of a file that lacks something."""
    entrance, given = LACKING[case]
    return changed(backend, entrance, folder, given())


def changed(backend: Any, entrance: str, folder: Path, given: Arrays | None = None) -> dict[str, list[str]]:
    """Decoy → what an entrance then says otherwise than of the file alone; those that change nothing are left out."""
    given = entrances.whole() if given is None else given
    alone = entrances.answer(backend, entrance, entrances.put(folder / "alone", given))
    found = {}
    for case in (*METADATA, *MEMBERS):
        path = entrances.put(folder / case.replace("-", "_"), with_decoy(given, case))
        found[case] = entrances.unlike(entrances.answer(backend, entrance, path), alone)
    return {case: names for case, names in found.items() if names}
