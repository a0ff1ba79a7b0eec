"""One scan in the files of several programs, which one call of `convert` makes contract files of (CLI-059)."""

from __future__ import annotations

import re
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from conformance.connectors import native, process
from conformance.connectors.names import NotClaimed
from conformance.scenes import commands, converting, interop, sources
from conformance.scenes.shared import once

N, COUNT = converting.SIDE, converting.COUNT
HEIGHT, WIDTH = 4.1e-8, 5.3e-8
"""Metres of an object pixel where a file states both; the others have square ones of `HEIGHT`."""
SQUARE = converting.PITCHES[0]
"""Of a detector whose pixels are square."""
DEFLATED_HARDER = 0x2
"""The bit of a zip member's flags by which a packer says that it tried harder."""


def counts() -> np.ndarray:
    """`(n, N, N)` int32, without a symmetry."""
    return converting.exposures(N, N, 13)


def places() -> np.ndarray:
    """`(n, 2)` [x, y] in object pixels, with fractions."""
    return converting.places() * 20.0 + [40.0, 37.0]


def good() -> np.ndarray:
    """Good pixels `(N, N)`."""
    found = np.ones((N, N), bool)
    found[20:22], found[:, 41], found[50:53, 3:9] = False, False, False
    return found


def probe(modes: int = 1) -> np.ndarray:
    """`(P, N, N)` complex64."""
    return converting.probe(N, modes)


def _metres(height: float = HEIGHT, width: float = HEIGHT) -> tuple[np.ndarray, np.ndarray]:
    x, y = places().T
    return x * width, y * height


def _pitch() -> float:
    """Metres of a detector pixel that make an object pixel of `HEIGHT`."""
    return converting.WAVELENGTH * converting.DISTANCE / (N * HEIGHT)


def _shuffled() -> np.ndarray:
    """Another order than that of the frames."""
    return np.argsort(np.sin(np.arange(COUNT) * 2.7))


# -- a writer for each program


def contract(folder: Path) -> Path:
    """The contract's own names, in an archive of another packer, which wrote its empty fields as None."""
    x, y = places().T
    given = {"diff3d": np.sqrt(counts()).astype(np.float32), "xcoords": x, "ycoords": y, "probeGuess": probe()[0], "mask": good()}
    path = folder / "contract.npz"
    np.savez_compressed(path, **given, objectGuess=None, scan_index=None)
    with zipfile.ZipFile(path) as archive:
        heads = [member.header_offset for member in archive.infolist()]
        directory = archive.start_dir
    content = bytearray(path.read_bytes())
    entries = [found.start() + directory for found in re.finditer(rb"PK\x01\x02", bytes(content[directory:]))]
    for at in [*(head + 6 for head in heads), *(entry + 8 for entry in entries)]:
        struct.pack_into("<H", content, at, struct.unpack_from("<H", content, at)[0] | DEFLATED_HARDER)
    path.write_bytes(content)
    return path


def tike(folder: Path) -> Path:
    """Zero frequency in the corner, a leading axis, (row, column), five axes of the probe."""
    path, light = folder / "tike.npz", probe(2)[None, None, None]
    np.savez(path, data=np.fft.ifftshift(counts(), axes=(-2, -1))[None], scan=places()[None, :, ::-1], probe=light)
    return path


def cxi(folder: Path) -> Path:
    """Frames behind links from folder to folder and within a file, from its root and from the link's own group; a mask for each
    frame, axes of the detector, translations along them."""
    h5py, (x, y) = interop.hdf5(), _metres()
    (folder / "raw" / "deeper").mkdir(parents=True)
    with h5py.File(folder / "raw" / "deeper" / "frames.h5", "w") as file:
        file.create_dataset("counts", data=counts().astype(">i4"), chunks=(1, N, N), compression="gzip")
    with h5py.File(folder / "raw" / "detector.h5", "w") as file:
        file["stored/counts"] = h5py.ExternalLink("deeper/frames.h5", "/counts")
        file["frames"] = h5py.SoftLink("/stored/counts")
    masks = np.where(good(), 0, 4).astype(np.uint32).repeat(COUNT, axis=0).reshape(N, COUNT, N).swapaxes(0, 1).copy()
    masks[:6, 20:22] = 0
    with h5py.File(folder / "scan.cxi", "w") as file:
        detector = file.create_group("entry_1/instrument_1/detector_1")
        detector["raw/frames"] = h5py.ExternalLink("raw/detector.h5", "/frames")
        detector["data"] = h5py.SoftLink("raw/frames")
        detector["distance"], detector["mask"] = converting.DISTANCE, masks
        detector["x_pixel_size"] = detector["y_pixel_size"] = _pitch()
        detector["basis_vectors"] = np.array([[0, -_pitch()], [-_pitch(), 0], [0, 0]])
        file["entry_1/instrument_1/source_1/energy"] = _energy() * 1.602176634e-19
        file["entry_1/instrument_1/source_1/illumination"] = probe()[0]
        file["entry_1/sample_1/geometry_1/translation"] = np.stack([x, y, 0 * x], axis=1)
        file["entry_1/data_1/data"] = h5py.SoftLink("/entry_1/instrument_1/detector_1/data")
    return folder / "scan.cxi"


def _energy() -> float:
    """Electronvolts."""
    return 1e4


def ptylab(folder: Path) -> Path:
    """Metres throughout, (row, column)."""
    x, y = _metres()
    with interop.hdf5().File(folder / "ptylab.hdf5", "w") as file:
        file["ptychogram"], file["encoder"], file["probe"] = counts().astype(np.float32), np.stack([y, x], axis=1), probe()[0]
        file["wavelength"], file["zo"], file["dxd"] = converting.WAVELENGTH, converting.DISTANCE, _pitch()
    return folder / "ptylab.hdf5"


def ptypy(folder: Path) -> Path:
    """Eleven chunks, so that the order of their names is not that of their numbers; kiloelectronvolts."""
    (x, y), ends = _metres(), [*range(11), COUNT]
    with interop.hdf5().File(folder / "prepared.ptyd", "w") as file:
        for number in range(11):
            piece = slice(ends[number], ends[number + 1])
            file[f"chunks/{number}/data"] = counts()[piece]
            file[f"chunks/{number}/positions"] = np.stack([y[piece], x[piece]], axis=1)
        file["meta/energy"], file["meta/distance"] = _energy() / 1e3, converting.DISTANCE
        file["meta/psize"], file["meta/weight2d"] = [_pitch()] * 2, good().astype(float)
    return folder / "prepared.ptyd"


def fold_slice(folder: Path) -> Path:
    """As MATLAB 7.3 saves it: axes the other way round, complex numbers in pairs."""
    (x, y), light = _metres(), np.empty((N, N), [("real", "<f4"), ("imag", "<f4")])
    light["real"], light["imag"] = probe()[0].T.real, probe()[0].T.imag
    values = {"dp": counts().transpose(0, 2, 1).astype(float), "ppX": x[None], "ppY": y[None], "probe": light,
              "lambda": np.full((1, 1), converting.WAVELENGTH), "dx": np.full((1, 1), HEIGHT)}  # fmt: skip
    with interop.hdf5().File(folder / "pear.mat", "w", userblock_size=512) as file:
        for name, value in values.items():
            file[name] = value
            file[name].attrs["MATLAB_class"] = np.bytes_("double")
    return folder / "pear.mat"


def matlab(folder: Path) -> Path:
    """The same names as MATLAB 5 to 7 save them: rows, columns, scan."""
    from scipy.io import savemat

    x, y = _metres()
    values = {"dp": counts().transpose(1, 2, 0).astype(float), "ppX": x[:, None], "ppY": y[:, None], "probe": probe()[0],
              "lambda": converting.WAVELENGTH, "dx": HEIGHT}  # fmt: skip
    savemat(folder / "older.mat", values, do_compression=True)
    return folder / "older.mat"


def product(folder: Path) -> Path:
    """Patterns, and beside them a product: indexes, pixels that are not square, a second mode, a variation of the first."""
    h5py, order, (x, y) = interop.hdf5(), _shuffled(), _metres(HEIGHT, WIDTH)
    with h5py.File(folder / "beside_dp.hdf5", "w") as file:
        file.create_dataset("dp", data=counts().astype(np.float32), chunks=(1, N, N), compression="gzip")
        file["mask"] = good()
    with h5py.File(folder / "beside_para.hdf5", "w") as file:
        file.attrs.update({"photon_energy_eV": _energy(), "detector_object_distance_m": converting.DISTANCE})
        file["probe"] = np.stack([probe()[0], 0.1j * probe()[0]])[:, None]
        file["probe"].attrs.update({"pixel_height_m": HEIGHT, "pixel_width_m": WIDTH})
        file["probe_position_indexes"] = order
        file["probe_position_x_m"], file["probe_position_y_m"] = x[order], y[order]
    return folder / "beside_dp.hdf5"


def training(folder: Path) -> Path:
    """ptychodus's training data: positions in object pixels, bad pixels marked."""
    x, y = places().T
    with interop.hdf5().File(folder / "training.h5", "w") as file:
        file["patterns"], file["bad_pixels"], file["probe"] = counts(), ~good(), probe()[None]
        file["probe_position_x_px"], file["probe_position_y_px"] = x, y
        file["photon_energy_eV"], file["detector_object_distance_m"] = _energy(), converting.DISTANCE
        file["object_pixel_height_m"] = file["object_pixel_width_m"] = HEIGHT
    return folder / "training.h5"


PROGRAMS: dict[str, tuple[str, Callable[[Path], Path]]] = {
    "contract": ("contract", contract),
    "tike": ("tike", tike),
    "cxi": ("CXI", cxi),
    "ptylab": ("PtyLab", ptylab),
    "ptypy": ("ptypy", ptypy),
    "fold_slice": ("fold_slice", fold_slice),
    "matlab": ("MATLAB", matlab),
    "product": ("product", product),
    "training": ("ptychodus", training),
}
"""Kind → the name by which a help says that such files are read, and their writer."""
MASKED = ("contract", "cxi", "ptypy", "product", "training")
"""Kinds that say which pixels are good."""
MODES = {"tike": 2, "ptypy": 0}
"""Modes of the probe where it is not one; none: the file has no probe, and what is made of nothing is nobody's truth."""


def _named(backend: Any, shared: Path) -> list[str]:
    """The kinds that the help of `convert` names."""
    return [kind for kind, (name, _) in PROGRAMS.items() if sources.names(backend, shared, name)]


def converted(backend: Any, shared: Path, kind: str) -> tuple[process.Completed, Path]:
    """One call for all kinds that are named, once for all checks of a session: how it ended, and the file of one of them.

    `NotClaimed` where the help of `convert` does not name the program.
    """
    named = _named(backend, shared)
    if kind not in named:
        raise NotClaimed(f"command `convert`: its help does not name {PROGRAMS[kind][0]}")

    def run(folder: Path) -> dict[str, Any]:
        files = [PROGRAMS[one][1](folder) for one in named]
        argv = [*backend.command("convert"), "--source", *files, "--output", folder / "out", "--quiet"]
        return vars(commands.call(argv, folder)) | {"argv": [path.stem for path in files]}

    done = process.Completed(**once(shared, "gallery", run))
    return done, shared / "gallery" / "out" / f"{done.argv[named.index(kind)]}.npz"


def truth(kind: str) -> converting.Truth:
    """What such a file is to become."""
    seen = good() if kind in MASKED else None
    return converting.Truth(np.sqrt(counts()) * (good() if kind in MASKED else 1), places(), seen)


def modes(backend: Any, path: Path, kind: str) -> tuple[np.ndarray, np.ndarray]:
    """The probe `(P, N, N)` of a contract file, and what it is to be; nothing of either where the program's file has none."""
    count, found = MODES.get(kind, 1), native.array(backend.read(path).probeGuess)
    return (found.reshape(-1, *found.shape[-2:]), probe(count)) if count else (probe(), probe())
