"""The content of one member of an archive, a piece at a time, its length and its checksum compared at the end."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, NoReturn

from reference_impl.errors import reason_of

STORED, DEFLATED = 0, 8
CHUNK = 1 << 20
Refuse = Callable[[str, str, str], NoReturn]
"""Member, expected, found: raises the `ContractError` of the archive."""


@dataclass(frozen=True)
class Member:
    """An entry of the directory: `packed` bytes from `start` on inflate to `size` bytes with the checksum `crc`."""

    name: str
    method: int
    size: int
    packed: int
    crc: int
    start: int


class MemberStream:
    """The content of a member, in order; `end` says whether it was all of it, with the right checksum."""

    def __init__(self, member: Member, stream: BinaryIO, refuse: Refuse) -> None:
        self.member, self._refuse = member, refuse
        self._pieces = _inflated(stream, member) if member.method == DEFLATED else _plain(stream, member)
        self._piece, self._crc, self.read_bytes = memoryview(b""), 0, 0

    @property
    def left(self) -> int:
        """Bytes of content that have not been handed out."""
        return self.member.size - self.read_bytes + len(self._piece)

    def fill(self, target: memoryview) -> None:
        """Fill `target` (bytes); `ContractError` where the member ends before."""
        filled = 0
        while filled < len(target):
            if not self._piece and not self._advance():
                self._refuse(self.member.name, f"{self.member.size} bytes of content", f"{self.read_bytes} (truncated)")
            part = self._piece[: len(target) - filled]
            target[filled : filled + len(part)] = part
            self._piece, filled = self._piece[len(part) :], filled + len(part)

    def rest(self) -> bytes:
        """All that is left, once its checksum is found to be right."""
        content = bytearray(self.left)
        self.fill(memoryview(content))
        self.end()
        return bytes(content)

    def end(self) -> None:
        """`ContractError` where something is left, or the checksum of what was read is another."""
        surplus = len(self._piece)
        while not surplus and self._advance():
            surplus = len(self._piece)
        if surplus or self.read_bytes != self.member.size:
            self._refuse(self.member.name, f"{self.member.size} bytes of content", "another number")
        if self._crc != self.member.crc:
            self._refuse(self.member.name, f"content of checksum {self.member.crc:08x}", f"{self._crc:08x}: damaged")

    def _advance(self) -> bool:
        try:
            piece = next(self._pieces, b"")
        except Exception as error:  # zlib.error, EOFError, an error of the disk
            self._refuse(self.member.name, "a complete member", f"a damaged one ({reason_of(error)})")
        self._piece, self._crc = memoryview(piece), zlib.crc32(piece, self._crc)
        self.read_bytes += len(piece)
        if self.read_bytes > self.member.size:
            self._refuse(self.member.name, f"{self.member.size} bytes of content", "more")
        return bool(piece)


def _plain(stream: BinaryIO, member: Member) -> Iterator[bytes]:
    for done in range(0, member.packed, CHUNK):
        stream.seek(member.start + done)
        piece = stream.read(min(CHUNK, member.packed - done))
        if not piece:
            raise EOFError("the file became shorter")
        yield piece


def _inflated(stream: BinaryIO, member: Member) -> Iterator[bytes]:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    for packed in _plain(stream, member):
        while packed and not inflater.eof:
            if piece := inflater.decompress(packed, CHUNK):
                yield piece
            packed = inflater.unconsumed_tail
        if packed or inflater.unused_data:
            raise EOFError("bytes behind the end of the packed data")
    while piece := inflater.decompress(inflater.unconsumed_tail, CHUNK):
        yield piece
    if not inflater.eof:
        raise EOFError("packed data without an end")
