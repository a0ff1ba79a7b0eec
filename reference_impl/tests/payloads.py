"""Pickles that a stranger could send: calls in every spelling, and bombs that want time, memory, or the interpreter's stack."""

from __future__ import annotations

import pickle
import struct
from pathlib import Path

P61 = (1 << 61) - 1


def text(value: str) -> bytes:
    return b"X" + struct.pack("<I", len(value.encode())) + value.encode()


def number(value: int) -> bytes:
    return b"J" + struct.pack("<i", value)


def long(value: int) -> bytes:
    data = pickle.encode_long(value)
    return b"\x8b" + struct.pack("<i", len(data)) + data


def calls(canary: Path) -> dict[str, bytes]:
    """Instructions that leave one value, and a file `canary` where they are obeyed: callables in every way of calling them."""
    code = f"open({str(canary)!r}, 'w').close()"
    shell = f"touch '{canary}'"
    victims = {
        "exec": ("builtins", "exec", code),
        "eval": ("builtins", "eval", f"open({str(canary)!r}, 'w')"),
        "system": ("posix", "system", shell),
        "os-system": ("os", "system", shell),
        "popen": ("os", "popen", shell),
        "getoutput": ("subprocess", "getoutput", shell),
        "old-builtins": ("__builtin__", "eval", f"open({str(canary)!r}, 'w')"),
        "runstring": ("timeit", "timeit", code),
        "import": ("importlib", "import_module", "antigravity"),
        "torch-load": ("torch.serialization", "load", str(canary)),
        "numpy-load": ("numpy", "load", str(canary)),
        "mkdir": ("os", "mkdir", str(canary)),
        "pickle": ("pickle", "loads", "cos\nsystem\n."),
        "screen": ("\x1b[2Jos", "\x1b]0;title\x07system", shell),
    }
    found: dict[str, bytes] = {}
    for name, (module, attribute, argument) in victims.items():
        line = repr(argument).encode("latin-1", "backslashreplace")
        spelt = f"{module}\n{attribute}\n".encode()
        stack = text(module) + text(attribute) + b"\x93"
        found |= {
            f"{name}-reduce": b"c" + spelt + b"(" + text(argument) + b"tR",
            f"{name}-stack": stack + b"(" + text(argument) + b"tR",
            f"{name}-tuple1": stack + text(argument) + b"\x85R",
            f"{name}-inst": b"(S" + line + b"\ni" + spelt,
            f"{name}-obj": b"(c" + spelt + b"S" + line + b"\no",
            f"{name}-newobj": b"c" + spelt + text(argument) + b"\x85\x81",
            f"{name}-newobj-ex": stack + text(argument) + b"\x85}\x92",
            f"{name}-build": b"c" + spelt + b"}" + text("a") + text(argument) + b"sb",
            f"{name}-name-alone": b"c" + spelt,
        }
    return found


def bombs() -> dict[str, bytes]:
    """Instructions that leave one value after work, memory or depth without proportion, or that are none."""
    million = 10**6
    return {
        "tuples-in-tuples": b")" + b"\x85" * million,
        "tuples-as-key": b"})" + b"\x85" * million + b"Ns",
        "short-tuples-as-key": b"})" + b"\x85" * 60 + b"Ns",
        "lists-in-lists": b"]" * 100_000 + b"a" * 99_999,
        "dictionaries-in-dictionaries": b"(K\x01" * 50_000 + b"N" + b"d" * 50_000,
        "marks": b"(" * million + b"N",
        "marks-and-tuples": b"(" * 300_000 + b"t" * 300_000,
        "keys-of-one-hash": b"}(" + b"".join(long(i * P61) + b"N" for i in range(40_000)) + b"u",
        "keys-of-one-hash-negative": b"}(" + b"".join(long(-i * P61) + b"N" for i in range(1, 20_000)) + b"u",
        "doubling-lists": b"]q\x00" + b"".join(b"](h%ch%ceq%c" % (i, i, i + 1) for i in range(60)),
        "doubling-tuples": b")q\x00" + b"".join(b"h%ch%c\x86q%c" % (i, i, i + 1) for i in range(60)),
        "doubling-dictionaries": b"}q\x00" + b"".join(b"}(K\x00h%cK\x01h%cuq%c" % (i, i, i + 1) for i in range(60)),
        "a-list-in-itself": b"]q\x00h\x00a",
        "a-dictionary-in-itself": b"}q\x00K\x00h\x00s",
        "one-long-key-in-many-places": text("k" * 500_000) + b"q\x000](" + b"}h\x00K\x01s" * 3000 + b"e",
        "a-large-integer": long(1 << 8_000_000),
        "digits": b"L" + b"9" * 500_000 + b"L\n",
        "digits-below-the-limit": b"L" + b"9" * 4000 + b"L\n",
        "a-far-memo-slot": b"Nr\xff\xff\xff\x7f",
        "a-memo-slot-in-words": b"Np99999999999999\n",
        "a-negative-memo-slot": b"Np-5\n",
        "no-such-memo": b"h\x07",
        "bytes-without-end": b"\x8e" + struct.pack("<Q", 1 << 60),
        "text-without-end": b"\x8d" + struct.pack("<Q", 1 << 60),
        "byte-array-without-end": b"\x96" + struct.pack("<Q", 1 << 40),
        "a-frame-without-end": b"\x95" + struct.pack("<Q", 1 << 60) + b"N",
        "persistent": b"Pcanary\n",
        "persistent-of-tuples": b")" + b"\x85" * 100_000 + b"Q",
        "extension": b"\x82\x01",
        "far-extension": b"\x84\xff\xff\xff\x7f",
        "buffer": b"\x97",
        "a-set": b"\x8f(K\x01\x90",
        "a-frozen-set": b"(K\x01\x91",
        "duplicates": b"N" + b"2" * 300_000,
        "pops": b"N" * 200_000 + b"0" * 200_000 + b"N",
        "pop-mark": b"(NNN1N",
        "nothing-on-the-stack": b"0",
        "a-mark-that-is-not-there": b"t",
        "uneven-items": b"}(K\x01K\x02K\x03u",
        "a-value-for-a-list": b"NK\x01a",
        "half-a-character": b"X\x03\x00\x00\x00\xed\xa0\x80",
        "an-unknown-instruction": b"\xff",
        "a-later-protocol": b"\x80\x7fN",
        "float-words": b"Fnan(12\n",
        "escapes": b"S'\\x4'\n",
        "a-mark-as-value": b"(a",
    }


def whole(instructions: bytes, around: bool = False) -> bytes:
    """A pickle of these instructions; `around` puts their value into a dictionary."""
    return b"\x80\x02" + (b"}" + text("extra") + instructions + b"s" if around else instructions) + b"."
