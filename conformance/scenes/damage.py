"""Files that were changed on the way, and small files that want work, memory or depth without end."""

from __future__ import annotations

import io
import json
import os
import random
import struct
import sys
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from conformance.connectors import process
from conformance.scenes import files, surfaces
from conformance.scenes.archives import NAME, SMALL, Entries, put, sealed, state_bytes, text_of

MARKS = (b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06", b"NUMPY", b"data.pkl")
MANY, PERIOD = 10**6, (1 << 61) - 1
HEADER = b"{'descr': '|O', 'fortran_order': False, 'shape': (), }".ljust(117) + b"\n"


def changed(data: bytes, seed: int, count: int) -> list[bytes]:
    """Copies of a file with bits turned, bytes cut out, put in or exchanged; every second one where its structure stands."""
    draw = random.Random(seed)
    marks = [at for mark in MARKS for at in _places(data, mark)]
    found = []
    for number in range(count):
        copy = bytearray(data)
        at = min(draw.choice(marks) + draw.randrange(80), len(data) - 1) if number % 2 else draw.randrange(len(data))
        kind = draw.randrange(6)
        if kind < 3:
            copy[at] ^= 1 << draw.randrange(8)
        elif kind == 3:
            del copy[at : at + draw.choice((1, 4, 200))]
        elif kind == 4:
            copy[at:at] = draw.randbytes(draw.choice((1, 4, 200)))
        else:
            other = draw.randrange(len(copy))
            copy[at], copy[other] = copy[other], copy[at]
        found.append(bytes(copy))
    return found


def _places(data: bytes, mark: bytes) -> list[int]:
    found, at = [], data.find(mark)
    while at >= 0 and len(found) < 200:
        found.append(at)
        at = data.find(mark, at + 1)
    return found


@dataclass(frozen=True)
class Outcomes:
    """Of files that were read: those with another content, and those whose refusal is none, or does not name the file."""

    silent: list[str]
    unnamed: list[str]


def outcomes(read: Callable[[], Any], path: Path, named: str, copies: list[bytes], honest: Any) -> Outcomes:
    """Write each copy to `path` and read it; `read` gives plain values, `honest` are those of the file as it was."""
    silent, unnamed = [], []
    for number, data in enumerate(copies):
        path.write_bytes(data)
        try:
            content = read()
        except Exception as error:
            if not isinstance(error, ValueError | RuntimeError) or named not in str(error):
                unnamed.append(f"{number}: {type(error).__name__}: {error}"[:200])
        else:
            silent += [f"{number}"] if content != honest else []
    return Outcomes(silent, unnamed)


def plain(arrays: Mapping[str, Any]) -> dict[str, tuple[str, tuple[int, ...], bytes]]:
    """Arrays as values that can be compared: dtype, shape, bytes."""
    given = {name: np.asarray(value) for name, value in arrays.items()}
    return {name: (value.dtype.str, value.shape, np.ascontiguousarray(value).tobytes()) for name, value in given.items()}


# -- records, changed where it matters ----------------------------------------------------------------------------------------


def _directory(data: bytes) -> int:
    return data.index(b"PK\x01\x02")


def _less(data: bytes) -> bytes:
    """The object's header announces fewer columns than there are: their first digit is one less."""
    at = data.index(b", ", data.index(b"'shape': (", data.index(b"objectGuess.npy"))) + 2
    return data[:at] + bytes([data[at] - 1]) + data[at + 1 :]


def _renamed(data: bytes) -> bytes:
    at = data.index(b"_metadata.npy", _directory(data)) + 3
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def _shorter(data: bytes) -> bytes:
    """The end record counts one entry less, and leaves out the bytes of the last one."""
    end = data.rindex(b"PK\x05\x06")
    last = data.rindex(b"PK\x01\x02")
    count, length = struct.unpack_from("<2xHL", data, end + 8)
    return data[: end + 8] + struct.pack("<2HL", count - 1, count - 1, length - (end - last)) + data[end + 16 :]


def _twice(name: str) -> Callable[[bytes], bytes]:
    def spoil(data: bytes) -> bytes:
        buffer, other = io.BytesIO(data), io.BytesIO()
        np.save(other, np.zeros(23))
        with zipfile.ZipFile(buffer, "a") as archive:
            archive.NameToInfo.clear()  # so that the name that stands there is no reason to warn
            archive.writestr(name, other.getvalue())
        return buffer.getvalue()

    return spoil


RECORDS: dict[str, Callable[[bytes], bytes]] = {
    "header-announces-less": _less,
    "optional-member-renamed-in-the-directory": _renamed,
    "directory-one-entry-short": _shorter,
    "member-twice": _twice("xcoords.npy"),
    "member-twice-without-suffix": _twice("xcoords"),
}


# -- small files that want much -----------------------------------------------------------------------------------------------


def _long(value: int) -> bytes:
    data = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
    return b"\x8b" + struct.pack("<i", len(data)) + data


def bombs() -> dict[str, bytes]:
    """Pickles that end the process, or take it long, where they are obeyed first and judged afterwards."""
    return {
        "tuples-as-key": b"\x80\x02})" + b"\x85" * MANY + b"Ns.",
        "keys-of-one-hash": b"\x80\x02}(" + b"".join(_long(i * PERIOD) + b"N" for i in range(20_000)) + b"u.",
        "doubling-tuples-as-key": b"\x80\x02})q\x00" + b"".join(b"h%ch%c\x86q%c" % (i, i, i + 1) for i in range(60)) + b"Ns.",
    }


def bundles(folder: Path, content: Entries) -> dict[str, Path]:
    """Name → folder of a bundle that is small and wants much."""
    found: dict[str, Path] = {}
    for name, bomb in bombs().items():
        params = {entry: bomb for entry in content if entry.endswith("params.dill")}
        found[f"{name} parameters"] = put(folder / f"{name}-parameters", sealed({**content, **params}), level=SMALL)
    deep = bombs()["tuples-as-key"]
    found["deep manifest"] = put(folder / "manifest", {**content, "manifest.dill": deep}, level=SMALL)
    weights = {"diffraction_to_obj/model.pth": _with_pickle(deep)}
    found["deep weights"] = put(folder / "weights", sealed({**content, **weights}), level=SMALL)
    found["size"] = put(folder / "size", content, level=SMALL)
    (found["size"] / NAME).write_bytes(_announced((found["size"] / NAME).read_bytes()))
    found["entries"] = put(folder / "entries", {f"{number}": b"" for number in range(40_000)}, level=SMALL)
    return found


def _with_pickle(pickled: bytes) -> bytes:
    """A file in PyTorch's zip format with this pickle."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(state_bytes({}))) as old, zipfile.ZipFile(buffer, "w") as new:
        for name in old.namelist():
            new.writestr(name, pickled if name.endswith("data.pkl") else old.read(name))
    return buffer.getvalue()


def _announced(data: bytes) -> bytes:
    """The first entry of the directory announces 4 GB in 600 MB, in a file that has neither."""
    at = _directory(data) + 20
    return data[:at] + struct.pack("<2L", 600_000_000, 4_000_000_000) + data[at + 8 :]


def checkpoints(folder: Path) -> dict[str, Path]:
    """Name → checkpoint that is small and wants much."""
    folder.mkdir(parents=True, exist_ok=True)
    found = {name: folder / f"{name}.ckpt" for name in bombs()}
    for name, bomb in bombs().items():
        found[name].write_bytes(_with_pickle(b"\x80\x02}" + text_of("state_dict") + bomb[2:-1] + b"s."))
    return found


def records(folder: Path) -> dict[str, Path]:
    """Name → file of a record that is small and wants much."""
    folder.mkdir(parents=True, exist_ok=True)
    whole = files.contract_file(folder).read_bytes()
    found: dict[str, Path] = {}
    texts = {"deep-json": "[" * 200_000, "many-digits": '{"physics_parameters": {"nphotons": ' + "9" * 5000 + "}}"}
    for name, text in texts.items():
        files.contract_file(folder, _metadata=np.array(text)).rename(folder / f"{name}.npz")
        found[name] = folder / f"{name}.npz"
    for name, bomb in bombs().items():
        found[name] = folder / f"{name}.npz"
        found[name].write_bytes(whole)
        with zipfile.ZipFile(found[name], "a") as archive:
            archive.writestr("_metadata.npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", len(HEADER)) + HEADER + bomb)
    found["size"] = folder / "size.npz"
    found["size"].write_bytes(_announced(whole))
    return found


def openings(backend: Any, connection: str, method: str, given: Mapping[str, Path]) -> dict[str, dict[str, Any]]:
    """Name → what a fresh process made of each file with the backend's `method`; the one it died of has the outcome `died`.

    `connection` is the name under which the process finds the backend. Raises `NotClaimed` where it offers no such method.
    """
    surfaces.needed(backend, method)
    found: dict[str, dict[str, Any]] = {}
    left = dict(given)
    while left:
        argv = [sys.executable, "-m", "conformance.connectors.opener", "--backend", connection, "--device", "cpu"]
        path = os.pathsep.join(part for part in sys.path if part)
        ended = process.run([*argv, "--method", method, *map(str, left.values())], env={"PYTHONPATH": path}, timeout=600)
        lines = [json.loads(line) for line in ended.stdout.splitlines() if line.startswith("{")]
        for line in lines:
            found[next(iter(left))] = line
            left.pop(next(iter(left)))
        if left:
            name = next(iter(left))
            message = f"code {ended.returncode}: {ended.stderr[-300:]}"
            found[name] = {"outcome": "died", "message": message, "seconds": 0.0, "mebibytes": 0.0}
            left.pop(name)
    return found
