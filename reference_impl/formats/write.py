"""Writers for other programs: NXcxi_ptycho (CXI), and the pair of a ptychodus product and its patterns. SI units throughout.

The patterns are written as counts, with zero frequency in the middle, as they come out of the conversion, a piece at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from reference_impl.data import units
from reference_impl.data.geometry_record import Conversion
from reference_impl.errors import ContractError

CXI_VERSION = 160
BAD = 1
"""CXI 1.6, table 7: the pixel is invalid."""


@dataclass(frozen=True)
class Optics:
    """What both layouts state, in metres: wavelength, distance, object pixel and detector pitch (height, width)."""

    wavelength: float
    distance: float
    pixel: np.ndarray
    pitch: np.ndarray

    @classmethod
    def of(cls, made: Conversion) -> Optics:
        """From the experiment; `ContractError` says which flags give what is missing."""
        known = {"--energy": made.experiment.wavelength, "--distance": made.experiment.distance, "--object-pixel": made.pixel}
        missing = [flag for flag, value in known.items() if value is None]
        if missing:
            found = "none in the file: say " + ", ".join(missing)
            raise ContractError(
                file=made.experiment.file, field="optics", expected="wavelength, distance, object pixel", found=found
            )
        wavelength, distance = float(known["--energy"]), float(known["--distance"].metres)  # type: ignore[arg-type, union-attr]
        pixel = np.asarray(made.pixel, np.float64)
        return cls(wavelength, distance, pixel, wavelength * distance / (made.N * pixel))


def cxi(path: Path, made: Conversion, probe_of: Callable[[], np.ndarray], describe: Callable[[Conversion], str]) -> None:
    """One file: NXcxi_ptycho with the names that CXI prescribes. Raises `OSError`, `ContractError`."""
    import h5py

    optics = Optics.of(made)
    with h5py.File(path, "w") as file:
        file["cxi_version"] = CXI_VERSION
        _group(file, "entry_1", "NXentry")
        file["entry_1/definition"] = "NXcxi_ptycho"
        detector = _group(file, "entry_1/instrument_1/detector_1", "NXdetector", "NXinstrument")
        _frames(detector, "data", made)
        _value(detector, "distance", optics.distance, "m")
        _value(detector, "y_pixel_size", optics.pitch[0], "m")
        _value(detector, "x_pixel_size", optics.pitch[1], "m")
        detector.create_dataset("mask", data=np.where(made.mask, 0, BAD).astype(np.uint32), compression="gzip")
        source = _group(file, "entry_1/instrument_1/source_1", "NXsource")
        joule = units.electronvolts(optics.wavelength) * units.CHARGE
        _value(source, "energy", joule, "J")
        beam = _group(file, "entry_1/instrument_1/beam_1", "NXbeam")
        _value(beam, "incident_beam_energy", joule, "J")
        sample = _group(file, "entry_1/sample_1/geometry_1", "NXcollection", "NXsample")
        metres = made.positions[:, ::-1] * optics.pixel[::-1]
        _value(sample, "translation", np.column_stack([metres, np.zeros(len(metres))]), "m")
        data = _group(file, "entry_1/data_1", "NXdata")
        links = {"data": detector["data"].name, "translation": sample["translation"].name}
        probe = probe_of()
        source["illumination"] = probe
        for name, target in {**links, "illumination": source["illumination"].name}.items():
            data[name] = h5py.SoftLink(target)
        detector["translation"] = h5py.SoftLink(sample["translation"].name)
        file["entry_1/conversion"] = describe(made)


def product(path: Path, made: Conversion, probe_of: Callable[[], np.ndarray], describe: Callable[[Conversion], str]) -> None:
    """`_para` and `_dp` before the ending of `path`: a ptychodus product, and its patterns as pty-chi reads them."""
    import h5py

    optics = Optics.of(made)
    with h5py.File(path.with_name(f"{path.stem}_dp{path.suffix}"), "w") as file:
        _frames(file, "dp", made)
        if not made.mask.all():
            file["mask"] = made.mask
    probe = probe_of()
    height, width = optics.pixel
    with h5py.File(path.with_name(f"{path.stem}_para{path.suffix}"), "w") as file:
        energy = units.electronvolts(optics.wavelength)
        texts = {"name": path.stem, "comments": describe(made)}
        numbers = {"detector_object_distance_m": optics.distance, "photon_energy_eV": energy, "probe_energy_eV": energy}
        unknown = ("exposure_time_s", "mass_attenuation_m2_per_kg", "mass_attenuation_m2_kg", "tomography_angle_deg")
        for name, value in {**texts, **numbers, **dict.fromkeys(unknown, 0.0), "probe_photon_count": made.photons}.items():
            file.attrs[name] = value
        file["probe_position_indexes"] = np.arange(len(made.positions))
        file["probe_position_x_m"], file["probe_position_y_m"] = made.positions[:, 1] * width, made.positions[:, 0] * height
        file["probe"] = probe.reshape(1, -1, *probe.shape[-2:])
        thing = made.thing if made.thing is not None else _empty_object(made)
        file["object"] = thing[None]
        for name in ("probe", "object"):
            file[name].attrs["pixel_height_m"], file[name].attrs["pixel_width_m"] = height, width
        # ptychodus has the middle of an array at (N - 1) / 2, the contract at N // 2: half a pixel between the two coordinates,
        # so that a patch covers the same pixels of the object in both.
        file["object"].attrs["center_x_m"], file["object"].attrs["center_y_m"] = (
            side / 2 * pixel for side, pixel in zip(thing.shape[::-1], (width, height), strict=True)
        )
        file["object_layer_spacing_m"] = file["loss_epochs"] = file["loss_values"] = np.empty(0)


def _empty_object(made: Conversion) -> np.ndarray:
    """Ones, wide enough for every patch."""
    rows, columns = np.ceil(made.positions.max(axis=0)).astype(int) + made.N // 2 + 1
    return np.ones((int(rows), int(columns)), np.complex64)


def _frames(group: Any, name: str, made: Conversion) -> None:
    """Counts, in the type that the file had where that holds them, else as 64-bit numbers: no photon is rounded."""
    kept = made.experiment.frames.dtype
    exact = made.experiment.patterns.unit == "counts" and made.cut.bin == 1 and kept.kind in "iuf"
    dtype = np.dtype(kept.newbyteorder("<")) if exact else np.dtype("<f8")
    shape, frame = (len(made.frames), made.N, made.N), (1, made.N, made.N)
    data = group.create_dataset(name, shape, dtype, chunks=frame, compression="gzip", compression_opts=1, shuffle=True)
    data.attrs["interpretation"] = "image"
    start = 0
    for block in made.counts():
        data[start : start + len(block)] = block
        start += len(block)


def _value(group: Any, name: str, value: Any, unit: str) -> None:
    group[name] = value
    group[name].attrs["units"] = unit


def _group(file: Any, path: str, kind: str, parent: str | None = None) -> Any:
    group = file.require_group(path)
    group.attrs["NX_class"] = kind
    if parent is not None:
        group.parent.attrs["NX_class"] = parent
    return group
