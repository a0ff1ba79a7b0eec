"""Files as writers of before made them."""

from __future__ import annotations

import pickle
import zipfile
from io import BytesIO
from pathlib import Path

from numpy.lib import format as npy

from conformance.scenes import files


def file(folder: Path) -> Path:
    """A file whose metadata NumPy 1 pickled, which named its own module otherwise, in a protocol that counts no letters."""
    path, stream = files.contract_file(folder), BytesIO()
    npy.write_array_header_1_0(stream, {"descr": "|O", "fortran_order": False, "shape": ()})
    pickled = pickle.dumps(files.metadata("object"), 3)
    stream.write(pickled.replace(b"numpy._core.multiarray", b"numpy.core.multiarray"))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("_metadata.npy", stream.getvalue())
    return path
