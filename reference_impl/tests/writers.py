"""Writers that put a scan into every layout: the same frames, positions, mask and probe under other names, units and axes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import scipy.io
import tifffile

from reference_impl.interop.scans import CHARGE, DISTANCE, JOULE, PITCH, PIXEL, WAVELENGTH, N, Scan

Writer = Callable[[Scan, Path], list[str]]
"""Writes into a folder and returns the flags of `convert` that name what it wrote."""


def _metres(made: Scan) -> tuple[np.ndarray, np.ndarray]:
    return (made.x - made.x.mean()) * PIXEL, (made.y - made.y.mean()) * PIXEL


def contract(made: Scan, folder: Path) -> list[str]:
    """The contract's own file, with the `None` members of PtychoPINN."""
    arrays = {"diff3d": np.sqrt(made.counts.astype(np.float64)).astype(np.float32), "xcoords": made.x, "ycoords": made.y}
    np.savez(folder / "a.npz", **arrays, probeGuess=made.probe, mask=made.good, objectGuess=None, scan_index=None)
    return ["--source", str(folder / "a.npz")]


def tike(made: Scan, folder: Path) -> list[str]:
    """Corner-centred counts, (row, column), five axes of the probe; the mask in a file of its own."""
    counts = np.fft.ifftshift(made.counts, axes=(-2, -1))[None]
    probe = made.probe[None, None, None, None]
    np.savez(folder / "a.npz", data=counts, probe=probe, scan=np.stack([made.y, made.x], axis=1)[None])
    np.save(folder / "good.npy", np.fft.ifftshift(made.good))
    return ["--source", str(folder / "a.npz"), "--mask", str(folder / "good.npy")]


def pair(made: Scan, folder: Path) -> list[str]:
    """`dp` and parameters, the second found beside the first; two OPR modes of which the second is a variation."""
    x, y = _metres(made)
    with h5py.File(folder / "a_dp.hdf5", "w") as file:
        file.create_dataset("dp", data=made.counts.astype(np.float32), compression="gzip", chunks=(1, N, N))
    with h5py.File(folder / "a_para.hdf5", "w") as file:
        file["probe"] = np.stack([made.probe, 0.1j * made.probe])[:, None]
        file["probe"].attrs["pixel_height_m"] = file["probe"].attrs["pixel_width_m"] = PIXEL
        file["probe_position_x_m"], file["probe_position_y_m"] = x, y
    np.save(folder / "good.npy", made.good)
    return ["--source", str(folder / "a_dp.hdf5"), "--mask", str(folder / "good.npy")]


def product(made: Scan, folder: Path) -> list[str]:
    """A ptychodus product with scrambled positions and their indices; frames in a second file by name."""
    x, y = _metres(made)
    order = np.random.default_rng(0).permutation(len(x))
    with h5py.File(folder / "product.h5", "w") as file:
        file.attrs["photon_energy_eV"], file.attrs["detector_object_distance_m"] = JOULE / CHARGE, DISTANCE
        file["probe"] = made.probe[None, None]
        file["probe"].attrs["pixel_height_m"] = file["probe"].attrs["pixel_width_m"] = PIXEL
        file["probe_position_indexes"], file["probe_position_x_m"], file["probe_position_y_m"] = order, x[order], y[order]
        file["object"] = np.ones((1, 90, 90), np.complex64)
    with h5py.File(folder / "frames.h5", "w") as file:
        file["dp"] = made.counts
        file["bad"] = (~made.good).astype(np.uint8)
    flags = ["--source", str(folder / "frames.h5"), "--parameters", str(folder / "product.h5")]
    return [*flags, "--mask", f"{folder / 'frames.h5'}::/bad", "--mask-good", "zero"]


def cxi(made: Scan, folder: Path) -> list[str]:
    """CXI, with links as its writers make them, a bit mask, and the detector's basis that CXI prescribes."""
    x, y = _metres(made)
    with h5py.File(folder / "a.cxi", "w") as file:
        detector = file.create_group("entry_1/instrument_1/detector_1")
        detector.create_dataset("data", data=made.counts, compression="gzip", chunks=(1, N, N))
        detector["distance"], detector["x_pixel_size"], detector["y_pixel_size"] = DISTANCE, PITCH, PITCH
        detector["mask"] = np.where(made.good, 0, 4).astype(np.uint32)
        detector["mask"][0, 0] = 0x1000  # signal above the background: good
        detector["basis_vectors"] = np.array([[0, -PITCH], [-PITCH, 0], [0, 0]])
        file["entry_1/instrument_1/source_1/energy"] = JOULE
        file["entry_1/instrument_1/source_1/illumination"] = made.probe
        file["entry_1/sample_1/geometry_1/translation"] = np.stack([x, y, 0 * x], axis=1)
        file["entry_1/data_1/translation"] = h5py.SoftLink("/entry_1/sample_1/geometry_1/translation")
        file["entry_1/data_1/data"] = h5py.SoftLink("/entry_1/instrument_1/detector_1/data")
    return ["--source", str(folder / "a.cxi")]


def ptylab(made: Scan, folder: Path) -> list[str]:
    """PtyLab's HDF5; the encoder is (row, column)."""
    x, y = _metres(made)
    with h5py.File(folder / "a.hdf5", "w") as file:
        file["ptychogram"], file["encoder"] = made.counts.astype(np.float32), np.stack([y, x], axis=1)
        file["wavelength"], file["zo"], file["dxd"] = WAVELENGTH, DISTANCE, PITCH
    np.save(folder / "probe.npy", made.probe)
    np.save(folder / "good.npy", made.good)
    return ["--source", str(folder / "a.hdf5"), "--probe", str(folder / "probe.npy"), "--mask", str(folder / "good.npy")]


def ptypy(made: Scan, folder: Path) -> list[str]:
    """ptypy's chunks, of which there are eleven, so that the order of their names is not that of their numbers."""
    x, y = _metres(made)
    with h5py.File(folder / "a.ptyd", "w") as file:
        ends = [*range(0, 11), len(x)]
        for number in range(11):
            piece = slice(ends[number], ends[number + 1])
            chunk = file.create_group(f"chunks/{number}")
            chunk["data"], chunk["positions"] = made.counts[piece].astype(np.int32), np.stack([y[piece], x[piece]], axis=1)
        file["meta/energy"], file["meta/distance"], file["meta/psize"] = JOULE / CHARGE / 1e3, DISTANCE, [PITCH, PITCH]
        file["meta/weight2d"] = made.good.astype(np.float64)
    np.save(folder / "probe.npy", made.probe)
    return ["--source", str(folder / "a.ptyd"), "--probe", str(folder / "probe.npy")]


def fold_slice(made: Scan, folder: Path) -> list[str]:
    """fold_slice's pair."""
    x, y = _metres(made)
    with h5py.File(folder / "a_dp.hdf5", "w") as file:
        file["dp"] = made.counts
    with h5py.File(folder / "a_para.hdf5", "w") as file:
        file["ppX"], file["ppY"], file["lambda"], file["dx"], file["probe"] = x[None], y[None], WAVELENGTH, PIXEL, made.probe
    np.save(folder / "good.npy", made.good)
    return [
        "--source",
        str(folder / "a_dp.hdf5"),
        "--parameters",
        str(folder / "a_para.hdf5"),
        "--mask",
        str(folder / "good.npy"),
    ]


def nexus(made: Scan, folder: Path) -> list[str]:
    """An Eiger master: frames in two files beside, wavelength in angstrom; positions in micrometres in a CSV."""
    for number, piece in ((1, slice(0, 7)), (2, slice(7, None))):
        with h5py.File(folder / f"a_data_{number:06}.h5", "w") as file:
            file["entry/data/data"] = made.counts[piece].astype(np.uint32)
    with h5py.File(folder / "a_master.h5", "w") as file:
        for number in (1, 2):
            file[f"entry/data/data_{number:06}"] = h5py.ExternalLink(f"a_data_{number:06}.h5", "/entry/data/data")
        file["entry/instrument/beam/incident_wavelength"] = WAVELENGTH * 1e10
        file["entry/instrument/detector/detector_distance"] = DISTANCE * 1e3
        file["entry/instrument/detector/detector_distance"].attrs["units"] = "mm"
        file["entry/instrument/detector/x_pixel_size"] = file["entry/instrument/detector/y_pixel_size"] = PITCH
        file["entry/instrument/detector/pixel_mask"] = np.where(made.good, 0, 2).astype(np.uint32)
    x, y = _metres(made)
    lines = [f"{number},{b * 1e6!r},{a * 1e6!r}" for number, (a, b) in enumerate(zip(x.tolist(), y.tolist(), strict=True))]
    (folder / "scan.csv").write_text("\n".join(["frame,y [um],x [um]", *lines]))
    np.save(folder / "probe.npy", made.probe)
    return [
        "--source",
        str(folder / "a_master.h5"),
        "--positions",
        str(folder / "scan.csv"),
        "--probe",
        str(folder / "probe.npy"),
    ]


OPTICS = ["--energy", f"{WAVELENGTH * 1e9!r} nm", "--distance", "2000 mm", "--detector-pixel", "75 um"]


def tiff(made: Scan, folder: Path) -> list[str]:
    """A folder of TIFF images, the tenth before the second by name; positions in metres in a text, y first, without names."""
    images = folder / "images"
    images.mkdir()
    for number, frame in enumerate(made.counts):
        tifffile.imwrite(images / f"frame_{number}.tif", frame)
    x, y = _metres(made)
    np.savetxt(folder / "scan.txt", np.stack([y, x], axis=1), fmt="%.17e")
    tifffile.imwrite(folder / "good.tif", made.good.astype(np.uint8))
    np.save(folder / "probe.npy", made.probe)
    flags = ["--source", str(images), "--positions", str(folder / "scan.txt"), "--columns", "y x", "--position-unit", "m"]
    return [*flags, *OPTICS, "--mask", str(folder / "good.tif"), "--probe", str(folder / "probe.npy")]


def npy(made: Scan, folder: Path) -> list[str]:
    """One NPY stack of amplitudes, big-endian."""
    np.save(folder / "stack.npy", np.sqrt(made.counts.astype(np.float64)).astype(">f4"))
    np.save(folder / "scan.npy", np.stack([made.x, made.y], axis=1))
    np.save(folder / "probe.npy", made.probe)
    np.save(folder / "good.npy", made.good)
    flags = ["--source", str(folder / "stack.npy"), "--positions", str(folder / "scan.npy"), "--columns", "x y"]
    flags += ["--position-unit", "pixel", "--measurement", "amplitude"]
    return [*flags, "--mask", str(folder / "good.npy"), "--probe", str(folder / "probe.npy")]


def matlab5(made: Scan, folder: Path) -> list[str]:
    """MATLAB 5: rows, columns, scan; a struct with the positions."""
    x, y = _metres(made)
    fields = {"x": x[:, None], "y": y[:, None], "good": made.good.astype(np.uint8)}
    content = {"dp": made.counts.transpose(1, 2, 0).astype(np.float64), "probe": made.probe, "p": fields}
    scipy.io.savemat(folder / "a.mat", content, do_compression=True)
    path = folder / "a.mat"
    flags = ["--source", str(path), "--positions-x", f"{path}::p/x", "--positions-y", f"{path}::p/y", "--position-unit", "m"]
    return [*flags, *OPTICS, "--mask", f"{path}::p/good"]


def matlab73(made: Scan, folder: Path) -> list[str]:
    """MATLAB 7.3: HDF5 whose axes stand the other way round, complex numbers in pairs."""
    x, y = _metres(made)
    with h5py.File(folder / "a.mat", "w", userblock_size=512) as file:
        probe = np.empty((N, N), dtype=[("real", "<f4"), ("imag", "<f4")])
        probe["real"], probe["imag"] = made.probe.T.real, made.probe.T.imag
        content = {
            "dp": made.counts.transpose(0, 2, 1),
            "probe": probe,
            "x": x[None],
            "y": y[None],
            "good": made.good.T.astype(np.uint8),
        }
        for name, value in content.items():
            file[name] = value
            file[name].attrs["MATLAB_class"] = np.bytes_("double")
    path = folder / "a.mat"
    flags = ["--source", str(path), "--positions-x", f"{path}::x*1e6", "--positions-y", f"{path}::y*1e6", "--position-unit", "um"]
    return [*flags, *OPTICS, "--mask", f"{path}::good"]


def named(made: Scan, folder: Path) -> list[str]:
    """HDF5 that nobody knows: every name given, a multiplier, bitshuffle with LZ4."""
    import hdf5plugin

    x, y = _metres(made)
    with h5py.File(folder / "a.h5", "w") as file:
        file.create_dataset("raw/det", data=made.counts, chunks=(1, N, N), **hdf5plugin.Bitshuffle())
        file["motors/samx"], file["motors/samy"], file["raw/good"] = x * 1e3, y * 1e3, made.good
        file["illumination"] = made.probe
    path = folder / "a.h5"
    flags = [
        "--source",
        f"{path}::/raw/det",
        "--positions-x",
        f"{path}::/motors/samx*1e-3",
        "--positions-y",
        f"{path}::/motors/samy*1e-3",
    ]
    return [*flags, "--position-unit", "m", *OPTICS, "--mask", f"{path}::/raw/good", "--probe", f"{path}::/illumination"]


LAYOUT = """
title = "beam line 7"
[patterns]
path = "raw/det"
unit = "counts"
zero_frequency = "centre"
[positions]
x = "motors/samx"
y = "motors/samy"
unit = "mm"
[energy]
path = "mono/energy"
unit = "keV"
[distance]
path = "z"
unit = "m"
[detector_pixel]
path = "pitch"
unit = "um"
[mask]
path = "raw/good"
good = "nonzero"
[probe]
path = "illumination"
"""


def layout(made: Scan, folder: Path) -> list[str]:
    """The same file by a layout of one's own."""
    named(made, folder)
    with h5py.File(folder / "a.h5", "a") as file:
        file["mono/energy"], file["z"], file["pitch"] = JOULE / CHARGE / 1e3, DISTANCE, PITCH * 1e6
    (folder / "line7.toml").write_text(LAYOUT)
    return ["--source", str(folder / "a.h5"), "--layout", str(folder / "line7.toml")]


WRITERS: dict[str, Writer] = {
    writer.__name__: writer
    for writer in (
        contract,
        tike,
        pair,
        product,
        cxi,
        ptylab,
        ptypy,
        fold_slice,
        nexus,
        tiff,
        npy,
        matlab5,
        matlab73,
        named,
        layout,
    )
}
