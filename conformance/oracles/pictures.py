"""Decodes a PNG with nothing but zlib: a picture counts as one only if every byte of it is sound (PNG, third edition, §9)."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np

SIGNATURE = b"\x89PNG\r\n\x1a\n"
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}


class NoPicture(AssertionError):
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


def _line(kind: int, raw: bytes, above: bytearray, step: int) -> bytearray:
    """One scanline, its filter undone."""
    line = bytearray(raw)
    for i in range(len(line)):
        left = line[i - step] if i >= step else 0
        corner = above[i - step] if i >= step else 0
        guess = (0, left, above[i], (left + above[i]) // 2, _paeth(left, above[i], corner) if kind == 4 else 0)[kind]
        line[i] = (line[i] + guess) & 255
    return line


def pixels(path: Path) -> np.ndarray:
    """`(height, width, channels)` uint8; raises `NoPicture`."""
    found = chunks(path.read_bytes())
    width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", found[b"IHDR"])
    if depth != 8 or colour not in CHANNELS or interlaced:
        raise NoPicture(f"{depth} bits a channel, colour type {colour}, interlace {interlaced}")
    step, raw = CHANNELS[colour], zlib.decompress(found[b"IDAT"])
    row = width * step
    if len(raw) != height * (row + 1):
        raise NoPicture(f"{len(raw)} bytes for {height} lines of {row}")
    lines, above = [], bytearray(row)
    for y in range(height):
        above = _line(raw[y * (row + 1)], raw[y * (row + 1) + 1 : (y + 1) * (row + 1)], above, step)
        lines.append(bytes(above))
    return np.frombuffer(b"".join(lines), np.uint8).reshape(height, width, step)


def colours(path: Path) -> int:
    """How many different colours a picture shows, opacity aside."""
    image = pixels(path)[:, :, :3]
    return len(np.unique(image.reshape(-1, image.shape[2]), axis=0))
