"""Decodes a PNG with nothing but zlib: a picture counts as one only if every byte of it is sound (PNG, third edition, §9)."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np

from conformance.connectors.native import Malformed

SIGNATURE = b"\x89PNG\r\n\x1a\n"
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}


class NoPicture(Malformed):
    """The file is no sound PNG of 8 bits a channel."""


def chunks(data: bytes) -> dict[bytes, bytes]:
    """Kind → content, of equal kinds joined; checks signature, checksums and the end."""
    found: dict[bytes, bytes] = {}
    place = len(SIGNATURE)
    while data.startswith(SIGNATURE) and place + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, place)
        kind, content = data[place + 4 : place + 8], data[place + 8 : place + 8 + length]
        checksum = data[place + 8 + length : place + 12 + length]
        if checksum != struct.pack(">I", zlib.crc32(kind + content)):
            raise NoPicture(f"the chunk {kind!r} is damaged")
        found[kind] = found.get(kind, b"") + content
        place += 12 + length
    if not {b"IHDR", b"IDAT", b"IEND"} <= set(found) or place != len(data):
        raise NoPicture(f"chunks {sorted(found)}, {len(data) - place} bytes after them")
    return found


def _paeth(a: int, b: int, c: int) -> int:
    p = a + b - c
    return min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]


def _line(kind: int, raw: bytes, above: np.ndarray, step: int) -> np.ndarray:
    """One scanline, its filter undone; the last two filters need each pixel before the next."""
    line = np.frombuffer(raw, np.uint8)
    if kind == 0:
        return line
    if kind == 1:
        return np.cumsum(line.reshape(-1, step), axis=0, dtype=np.uint8).reshape(-1)
    return line + above if kind == 2 else np.frombuffer(_slow_line(kind, bytearray(raw), above.tobytes(), step), np.uint8)


def _slow_line(kind: int, line: bytearray, above: bytes, step: int) -> bytearray:
    for i in range(len(line)):
        left = line[i - step] if i >= step else 0
        corner = above[i - step] if i >= step else 0
        guess = (left + above[i]) // 2 if kind == 3 else _paeth(left, above[i], corner)
        line[i] = (line[i] + guess) & 255
    return line


def pixels(path: Path) -> np.ndarray:
    """`(height, width, channels)` uint8; raises `NoPicture`."""
    try:
        return _decoded(chunks(path.read_bytes()))
    except (struct.error, zlib.error, IndexError, ValueError) as error:
        raise NoPicture(f"{path.name}: {type(error).__name__}: {error}") from error


def _decoded(found: dict[bytes, bytes]) -> np.ndarray:
    width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", found[b"IHDR"])
    if depth != 8 or colour not in CHANNELS or interlaced:
        raise NoPicture(f"{depth} bits a channel, colour type {colour}, interlace {interlaced}")
    step, raw = CHANNELS[colour], zlib.decompress(found[b"IDAT"])
    row = width * step
    if len(raw) != height * (row + 1):
        raise NoPicture(f"{len(raw)} bytes for {height} lines of {row}")
    lines = [np.zeros(row, np.uint8)]
    for start in range(0, len(raw), row + 1):
        lines.append(_line(raw[start], raw[start + 1 : start + 1 + row], lines[-1], step))
    return np.stack(lines[1:]).reshape(height, width, step)


def colours(path: Path) -> int:
    """How many different colours a picture shows, opacity aside."""
    image = pixels(path)[:, :, :3]
    return len(np.unique(image.reshape(-1, image.shape[2]), axis=0))
