"""ptychodus 1.7: products, patterns, training data, CXI. `python with_ptychodus.py write|read SCAN FOLDER`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np


def product(scan: dict[str, np.ndarray]) -> Any:
    """A product of the scan; the object's centre is not the origin."""
    from ptychodus.api.constants import energy_J_to_eV
    from ptychodus.api.geometry import PixelGeometry
    from ptychodus.api.object import Object, ObjectCenter
    from ptychodus.api.probe import ProbeSequence
    from ptychodus.api.probe_positions import ProbePosition, ProbePositionSequence
    from ptychodus.api.product import Product, ProductMetadata

    pixel = float(scan["pixel"])
    geometry = PixelGeometry(width_m=pixel, height_m=pixel)
    side = scan["thing"].shape[0]
    centre = ObjectCenter(x_m=side / 2 * pixel, y_m=side / 2 * pixel)
    energy = energy_J_to_eV(6.62607015e-34 * 299792458.0 / float(scan["wavelength"]))
    places = zip((scan["x"] * pixel).tolist(), (scan["y"] * pixel).tolist(), strict=True)
    points = [ProbePosition(number, x, y) for number, (x, y) in enumerate(places)]
    about = {"name": "scan", "comments": "", "detector_distance_m": float(scan["distance"]), "photon_energy_eV": energy}
    zeros = dict.fromkeys(("probe_photon_count", "exposure_time_s", "mass_attenuation_m2_per_kg", "tomography_angle_deg"), 0.0)
    return Product(
        metadata=ProductMetadata(**about, **zeros),
        probe_positions=ProbePositionSequence(points),
        probes=ProbeSequence(array=scan["probe"], opr_weights=None, pixel_geometry=geometry),
        object_=Object(array=scan["thing"], pixel_geometry=geometry, center=centre),
        losses=[],
    )


def write(scan: dict[str, np.ndarray], folder: Path) -> dict[str, list[str]]:
    """Label → flags of `convert`."""
    from ptychodus.api import io
    from ptychodus.api.assemble import AssembledDiffractionData
    from ptychodus.api.geometry import PixelGeometry
    from ptychodus.api.reconstruct import ReconstructInput
    from ptychodus.plugins.cxi_file import CXIProductFileIO
    from ptychodus.plugins.npz_product_file import NPZProductFileIO

    made, pitch = product(scan), float(scan["pitch"])
    geometry = PixelGeometry(width_m=pitch, height_m=pitch)
    patterns = AssembledDiffractionData(np.arange(len(scan["x"])), scan["counts"], geometry, ~scan["good"])
    io.save_product(folder / "product.h5", made)
    NPZProductFileIO().write(folder / "product.npz", made)
    CXIProductFileIO().write(folder / "product.cxi", made)
    io.save_diffraction_data(folder / "patterns.h5", patterns)
    both = ReconstructInput(scan["counts"], ~scan["good"], made)
    io.save_training_data(folder / "training.h5", both, inpaint_bad_pixels=False)
    io.save_ptychopinn_training_data(folder / "training.npz", both, inpaint_bad_pixels=False)
    frames = ["--source", str(folder / "patterns.h5")]
    return {
        "patterns and HDF5 product": [*frames, "--parameters", str(folder / "product.h5")],
        "patterns and NPZ product": [*frames, "--parameters", str(folder / "product.npz")],
        "training data": ["--source", str(folder / "training.h5")],
        "PtychoPINN training data": ["--source", str(folder / "training.npz"), "--measurement", "counts"],
    }


def read(scan: dict[str, np.ndarray], folder: Path) -> dict[str, float]:
    """Label → the largest deviation of what ptychodus finds in our files."""
    from ptychodus.api.io import load_product
    from ptychodus.plugins.cxi_file import CXIDiffractionFileReader

    found = load_product(folder / "ours_para.h5")
    geometry = found.object_.get_geometry()
    deviations = {"probe": float(np.abs(found.probes.get_array()[0, 0] - scan["probe"]).max())}
    for axis, place in (("x", geometry.map_probe_positions_to_object_x_px), ("y", geometry.map_probe_positions_to_object_y_px)):
        values = np.asarray(place(found.probe_positions))
        # Its pixel (N - 1) / 2 lies where the contract's N // 2 does less half a pixel: the patch then covers the same pixels.
        deviations[f"product {axis}, pixels"] = float(np.abs(values - (scan[axis] - scan[axis].min() + 32 - 0.5)).max())
    deviations["energy, eV"] = abs(found.metadata.photon_wavelength_m / float(scan["wavelength"]) - 1)
    data = CXIDiffractionFileReader().read(folder / "ours.cxi")
    patterns = np.concatenate([np.asarray(part.get_patterns()) for part in data])
    deviations["CXI counts"] = float(np.abs(patterns.astype(float) - scan["counts"] * scan["good"]).max())
    deviations["CXI mask, pixels"] = float((np.asarray(data.get_bad_pixels()) != ~scan["good"]).sum())
    return deviations


if __name__ == "__main__":
    verb, file, folder = sys.argv[1:]
    with np.load(file) as arrays:
        print(json.dumps({"write": write, "read": read}[verb](dict(arrays), Path(folder))))
