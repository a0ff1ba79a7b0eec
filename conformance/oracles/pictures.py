"""Decodes a PNG with nothing but zlib: a picture counts as one only if every byte of it is sound (PNG, third edition, §9)."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np

from conformance.connectors.native import Malformed

SIGNATURE = b"\x89PNG\r\n\x1a\n"
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
PALETTE = 3
"""The colour type whose samples are numbers of colours."""
ADAM7 = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))
"""First row and column, step down and to the right, of each pass of an interlaced picture."""


class NoPicture(Malformed):
    """The file is no sound PNG."""


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
    to_a, to_b, to_c = abs(b - c), abs(a - c), abs(a + b - c - c)
    if to_a <= to_b and to_a <= to_c:
        return a
    return b if to_b <= to_c else c


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
    """`(height, width, channels)`, uint8, or uint16 of 16 bits a channel, colours of a palette looked up; raises `NoPicture`."""
    try:
        return _decoded(chunks(path.read_bytes()))
    except (struct.error, zlib.error, IndexError, KeyError, ValueError) as error:
        raise NoPicture(f"{path.name}: {type(error).__name__}: {error}") from error


def _decoded(found: dict[bytes, bytes]) -> np.ndarray:
    width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", found[b"IHDR"])
    if depth not in DEPTHS.get(colour, ()) or interlaced > 1:
        raise NoPicture(f"{depth} bits a channel, colour type {colour}, interlace {interlaced}")
    image = np.zeros((height, width, CHANNELS[colour]), np.uint16 if depth == 16 else np.uint8)
    raw = zlib.decompress(found[b"IDAT"])
    for row, column, down, right in ADAM7 if interlaced else ((0, 0, 1, 1),):
        part = image[row::down, column::right]
        if part.size:
            used = _pass(part, raw, depth)
            raw = raw[used:]
    if raw:
        raise NoPicture(f"{len(raw)} bytes after the last line")
    return image if colour != PALETTE else np.frombuffer(found[b"PLTE"], np.uint8).reshape(-1, 3)[image[..., 0]]


def _pass(part: np.ndarray, raw: bytes, depth: int) -> int:
    """Fill `part` `(h, w, channels)` from its lines at the beginning of `raw`; returns how many bytes they are."""
    height, width, channels = part.shape
    size, step = (width * channels * depth + 7) // 8, max(1, channels * depth // 8)
    if len(raw) < height * (size + 1):
        raise NoPicture(f"{len(raw)} bytes for {height} lines of {size}")
    above = np.zeros(size, np.uint8)
    for number in range(height):
        start = number * (size + 1)
        above = _line(raw[start], raw[start + 1 : start + 1 + size], above, step)
        part[number] = _samples(above, depth)[: width * channels].reshape(width, channels)
    return height * (size + 1)


def _samples(line: np.ndarray, depth: int) -> np.ndarray:
    """The numbers of a line, whose filter is undone."""
    if depth == 16:
        return line.copy().view(">u2")
    return line if depth == 8 else np.packbits(np.unpackbits(line).reshape(-1, depth), axis=1).ravel() >> (8 - depth)


def colours(path: Path) -> int:
    """How many different colours a picture shows, opacity aside."""
    image = pixels(path)
    image = image[:, :, : image.shape[2] - (image.shape[2] in (2, 4))]
    return len(np.unique(image.reshape(-1, image.shape[2]), axis=0))
