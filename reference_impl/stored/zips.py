"""One strict reader of zip archives, for records, bundles, weights and checkpoints alike.

Every byte of the file is accounted for: members lie one behind the other from the first byte to the directory, the directory lies
where the end record says and has as many entries as it says, each local header says what its entry says, sizes are exact, and the
checksum of whatever is read is compared. So an archive is whole or refused; damage is never taken for absence, and no other
reader can see another archive in the same bytes (APPNOTE.TXT 6.3.10, sections 4.3 and 4.4).

What this package writes is sealed besides: the comment at the end holds the SHA-256 of all bytes before it.
"""

from __future__ import annotations

import hashlib
import io
import re
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NoReturn

from reference_impl.errors import ContractError, reason_of
from reference_impl.stored.members import CHUNK, DEFLATED, STORED, Member, MemberStream

ENTRY, LOCAL, END = struct.Struct("<4s6H3L5H2L"), struct.Struct("<4s5H3L2H"), struct.Struct("<4s4H2LH")
END64, LOCATOR = struct.Struct("<4sQ2H2L4Q"), struct.Struct("<4sLQL")
ENCRYPTED, DESCRIBED, UTF8 = 0x1, 0x8, 0x800
KNOWN_FLAGS = DESCRIBED | UTF8 | 0x6  # 1 and 2: how hard deflate tried
ALL_ONES, ALL_ONES_16 = 0xFFFFFFFF, 0xFFFF
SEAL = b"sha256="
_SEALED = re.compile(rb"sha256=[0-9a-f]{64}")


@dataclass(frozen=True)
class Limits:
    """What an archive may announce: members, their inflated bytes, and how many times its packed bytes one beyond `floor` may be.

    Deflate's own limit is a factor of 1032.
    """

    members: int
    largest: int
    floor: int
    ratio: int
    name: int = 512


class ZipReader:
    """An open archive, its structure checked. `source`: a path, or the bytes of an archive inside the file `file`.

    Raises `FileNotFoundError`, and `ContractError` with file and member (behind `place`, where the archive lies in another one).
    """

    def __init__(self, source: Path | bytes, limits: Limits, *, file: Path, kind: str = "zip archive", place: str = "") -> None:
        self.file, self.limits, self.kind, self.place = file, limits, kind, place
        if isinstance(source, Path) and source.exists() and not source.is_file():
            self.refuse("", f"a {kind}", "no regular file")
        self._stream: BinaryIO = open(source, "rb") if isinstance(source, Path) else io.BytesIO(source)  # noqa: SIM115
        try:
            self.size = self._stream.seek(0, io.SEEK_END)
            self.comment, self.members = self._read_directory()
        except ContractError:
            self.close()
            raise
        except Exception as error:  # whatever else a damaged directory provokes
            self.close()
            self.refuse("", f"a complete {self.kind}", reason_of(error))

    def close(self) -> None:
        """Close the file."""
        self._stream.close()

    def refuse(self, member: str, expected: str, found: str) -> NoReturn:
        """Raise the `ContractError` of this archive, or of a member."""
        field = ": ".join(part for part in (self.place, member) if part) or "archive"
        raise ContractError(file=self.file, field=field, expected=expected, found=found)

    def verify(self) -> None:
        """Compare the seal, where there is one, with the bytes that it stands for; `ContractError` where they differ."""
        if not self.comment.startswith(SEAL) and len(self.comment) != len(SEAL) + 64:
            return
        if not _SEALED.fullmatch(self.comment) or self.comment != _seal_of(self._stream, self.size - len(self.comment) - 2):
            found = "another: it was damaged, or changed by a program that left the digest as it was"
            self.refuse("", "a file with the SHA-256 digest that it states", found)

    def read(self, name: str) -> bytes:
        """The content of a member."""
        return self.open(name).rest()

    def open(self, name: str) -> MemberStream:
        """A member to be read from its start to its end, once its announced size is found to be honest."""
        member, limits = self.members[name], self.limits
        if member.size > limits.largest or member.size > max(limits.floor, limits.ratio * member.packed):
            expected = f"at most {limits.largest} bytes, {limits.ratio}-fold inflated"
            self.refuse(name, expected, f"{member.packed} bytes that announce {member.size}")
        return MemberStream(member, self._stream, self.refuse)

    # -- structure --------------------------------------------------------------------------------------------------------------

    def _read_directory(self) -> tuple[bytes, dict[str, Member]]:
        comment, count, length, offset, end = self._read_end()
        if offset + length != end:
            self.refuse("", f"a complete {self.kind}", f"a directory that is not where the end record says ({self.size} bytes)")
        if count > self.limits.members or length > count * (ENTRY.size + self.limits.name + 1024):
            self.refuse("", f"at most {self.limits.members} members", f"{count}, in a directory of {length} bytes")
        directory = self._at(offset, length)
        found: dict[str, tuple[Member, bytes, int, int]] = {}
        place = 0
        for _ in range(count):
            member, raw, flags, where, place = self._read_entry(directory, place)
            if member.name in found:
                self.refuse(member.name, "one member of this name", "two")
            found[member.name] = (member, raw, flags, where)
        if place != length:
            self.refuse("", f"a complete {self.kind}", f"a directory of {length} bytes whose {count} entries take {place}")
        ordered = sorted(found.values(), key=lambda entry: entry[3])
        ends = [entry[3] for entry in ordered[1:]] + [offset]
        if (ordered[0][3] if ordered else offset) != 0:
            self.refuse("", f"a {self.kind} from the first byte on", "other bytes before its first member")
        placed = {entry[0].name: self._placed(*entry, end=end) for entry, end in zip(ordered, ends, strict=True)}
        return comment, {name: placed[name] for name in found}

    def _read_end(self) -> tuple[bytes, int, int, int, int]:
        """`(comment, entries, bytes and offset of the directory, where it has to end)`."""
        tail = self._at(max(0, self.size - END.size - ALL_ONES_16), min(self.size, END.size + ALL_ONES_16))
        at = tail.rfind(b"PK\x05\x06")
        if at < 0 or len(tail) - at < END.size:
            self.refuse("", f"a complete {self.kind}", f"no end record in {self.size} bytes: truncated, or another format")
        _, disk, first, here, count, length, offset, remark = END.unpack_from(tail, at)
        end, comment = self.size - len(tail) + at, tail[at + END.size :]
        if len(comment) != remark or disk or first or here != count:
            self.refuse("", f"a complete {self.kind}", "an end record that does not end the file: truncated, or damaged")
        if end < LOCATOR.size or (locator := self._at(end - LOCATOR.size, LOCATOR.size))[:4] != b"PK\x06\x07":
            return comment, count, length, offset, end
        _, disk, where, disks = LOCATOR.unpack(locator)
        end -= LOCATOR.size + END64.size
        if disk or disks != 1 or where != end:
            self.refuse("", f"a complete {self.kind}", "an end record that is not where its locator says")
        magic, rest, _, _, disk, first, here, wide, wide_length, wide_offset = END64.unpack(self._at(end, END64.size))
        pairs = ((count, wide, ALL_ONES_16), (length, wide_length, ALL_ONES), (offset, wide_offset, ALL_ONES))
        fits = all(narrow in (wide, ones) for narrow, wide, ones in pairs)
        if magic != b"PK\x06\x06" or rest != END64.size - 12 or disk or first or here != wide or not fits:
            self.refuse("", f"a complete {self.kind}", "two end records that say different things")
        return comment, wide, wide_length, wide_offset, end

    def _read_entry(self, directory: bytes, at: int) -> tuple[Member, bytes, int, int, int]:
        """`(member, its name as bytes, flags, offset of its local header, place of the next entry)`."""
        if len(directory) - at < ENTRY.size:
            self.refuse("", f"a complete {self.kind}", "a directory that ends within an entry")
        fields = ENTRY.unpack_from(directory, at)
        magic, flags, method, crc, packed, size, names, extras, remarks = (fields[i] for i in (0, 3, 4, 7, 8, 9, 10, 11, 12))
        raw = directory[at + ENTRY.size : at + ENTRY.size + names]
        extra = directory[at + ENTRY.size + names : at + ENTRY.size + names + extras]
        following = at + ENTRY.size + names + extras + remarks
        name = raw.decode("utf-8" if flags & UTF8 else "cp437", errors="backslashreplace")
        if magic != b"PK\x01\x02" or following > len(directory) or fields[13] or not 0 < names <= self.limits.name:
            self.refuse("", f"a complete {self.kind}", f"a directory with a damaged entry {name!r}")
        size, packed, offset = _wide(extra, size, packed, fields[16])
        if flags & ENCRYPTED or flags & ~KNOWN_FLAGS or method not in (STORED, DEFLATED):
            how = "an encrypted one" if flags & ENCRYPTED else f"one packed by method {method}, flags {flags:#x}"
            self.refuse(name, "a stored or deflated member", how)
        if method == STORED and size != packed:
            self.refuse(name, "a stored member of one size", f"{packed} bytes that announce {size}")
        return Member(name, method, size, packed, crc, 0), raw, flags, offset, following

    def _placed(self, member: Member, raw: bytes, flags: int, offset: int, *, end: int) -> Member:
        """The member with the place of its bytes, after its local header has confirmed what the directory says."""
        head = self._at(offset, LOCAL.size)
        magic, _, own_flags, method, _, _, crc, packed, size, names, extras = LOCAL.unpack(head)
        rest = self._at(offset + LOCAL.size, names + extras)
        size, packed, _ = _wide(rest[names:], size, packed, 0)
        said, known = (crc, packed, size), (member.crc, member.packed, member.size)
        unsaid = bool(flags & DESCRIBED) and said == (0, 0, 0)
        if magic != b"PK\x03\x04" or rest[:names] != raw or (own_flags, method) != (flags, member.method):
            self.refuse(member.name, "a member under one name", "a local header that says otherwise than the directory")
        if said != known and not unsaid:
            self.refuse(member.name, "a member of one size and checksum", "a local header that says otherwise")
        start = offset + LOCAL.size + names + extras
        gap = end - start - member.packed
        if gap < 0 or not self._describes(self._at(start + member.packed, gap) if gap <= 24 else b"?", flags, known):
            self.refuse(member.name, "a member that ends where the next one begins", f"{gap} bytes between them")
        return Member(member.name, member.method, member.size, member.packed, member.crc, start)

    def _describes(self, gap: bytes, flags: int, known: tuple[int, int, int]) -> bool:
        """Whether the bytes behind a member are what they may be: nothing, or the descriptor that its flags announce."""
        if not flags & DESCRIBED:
            return not gap
        shapes = ("<3L", "<L2Q")
        said = [struct.pack(shape, *known) for shape in shapes if shape == "<L2Q" or max(known) <= ALL_ONES]
        return any(gap in (words, b"PK\x07\x08" + words) for words in said)

    def _at(self, offset: int, length: int) -> bytes:
        if offset + length > self.size:
            self.refuse("", f"a complete {self.kind}", f"{self.size} bytes: truncated, or damaged")
        self._stream.seek(offset)
        return self._stream.read(length)


def _wide(extra: bytes, size: int, packed: int, offset: int) -> tuple[int, int, int]:
    """Sizes and offset, from the ZIP64 extra field where the short field says so (section 4.5.3)."""
    values = [size, packed, offset]
    place = 0
    while place + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, place)
        if kind == 1:
            wide = iter(struct.unpack_from(f"<{length // 8}Q", extra, place + 4))
            values = [next(wide) if value == ALL_ONES else value for value in values]
            break
        place += 4 + length
    return values[0], values[1], values[2]


def _seal_of(stream: BinaryIO, length: int) -> bytes:
    """The seal of the first `length` bytes."""
    stream.seek(0)
    digest, left = hashlib.sha256(), length
    while left and (piece := stream.read(min(CHUNK, left))):
        digest.update(piece)
        left -= len(piece)
    return SEAL + digest.hexdigest().encode()


def seal(stream: BinaryIO) -> None:
    """Put the seal into an archive without a comment that was just written to `stream` (open for reading and writing)."""
    length = stream.seek(0, io.SEEK_END) - 2
    comment = _seal_of(stream, length)
    stream.seek(length)
    stream.write(struct.pack("<H", len(comment)) + comment)
