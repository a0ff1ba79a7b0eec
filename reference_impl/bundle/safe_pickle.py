"""Pickles that can hold nothing but plain values: None, bool, int, float, str, bytes, list, tuple, dict.

Such a pickle names no callable, so that any dill or pickle reads it, and reading it can run no code. `loads` admits these opcodes
alone and, behind that wall, uses an unpickler whose `find_class` and `persistent_load` refuse everything (decision 21).
"""

from __future__ import annotations

import io
import pickle
import pickletools
from pathlib import Path
from typing import Any, NoReturn

from reference_impl.errors import ContractError

PROTOCOL = 4  # read by every Python that the contract knows; emits no GLOBAL for the types above
DEEPEST = 64  # levels of nesting: a configuration has three

_STRUCTURE = "PROTO FRAME STOP MARK MEMOIZE PUT BINPUT LONG_BINPUT GET BINGET LONG_BINGET"
_ATOMS = (
    "NONE NEWTRUE NEWFALSE INT BININT BININT1 BININT2 LONG LONG1 FLOAT BINFLOAT "
    "STRING BINSTRING SHORT_BINSTRING UNICODE SHORT_BINUNICODE BINUNICODE BINUNICODE8 BINBYTES SHORT_BINBYTES BINBYTES8"
)
_CONTAINERS = "EMPTY_LIST LIST APPEND APPENDS EMPTY_DICT DICT SETITEM SETITEMS EMPTY_TUPLE TUPLE TUPLE1 TUPLE2 TUPLE3"
ALLOWED = frozenset(f"{_STRUCTURE} {_ATOMS} {_CONTAINERS}".split())
_ATOMIC = frozenset(_ATOMS.split())
_MEMO_PUTS = frozenset(("PUT", "BINPUT", "LONG_BINPUT"))
_MEMO_GETS = frozenset(("GET", "BINGET", "LONG_BINGET"))
_PLAIN = (type(None), bool, int, float, str, bytes)


def dumps(value: Any, field: str) -> bytes:
    """Pickle a plain value; anything else is a `ContractError` that names the place inside `field` and the type found there."""
    return pickle.dumps(_plain_copy(value, field, 0, None), protocol=PROTOCOL)


def _plain_copy(value: Any, field: str, depth: int, file: str | Path | None) -> Any:
    """The value with containers of its own, so that none is shared between two places; refuses other types and deep nesting."""
    if depth > DEEPEST:
        raise ContractError(file=file, field=field[:80], expected=f"at most {DEEPEST} levels", found="deeper nesting")
    if type(value) in _PLAIN:
        return value
    if type(value) is dict:
        return {
            key: _plain_copy(item, f"{field}[{key!r}]", depth + 1, file)
            for key, item in value.items()
            if _is_key(key, field, file)
        }
    if type(value) in (list, tuple):
        return type(value)(_plain_copy(item, f"{field}[{index}]", depth + 1, file) for index, item in enumerate(value))
    kind = f"{type(value).__module__}.{type(value).__qualname__}"
    raise ContractError(file=file, field=field, expected="plain built-ins", found=kind)


def _is_key(key: Any, field: str, file: str | Path | None) -> bool:
    if type(key) not in _PLAIN:
        raise ContractError(file=file, field=field, expected="plain keys", found=f"a key of type {type(key).__qualname__}")
    return True


class _NothingCallable(pickle.Unpickler):
    """The second wall: no name resolves, no persistent id is known."""

    def find_class(self, module_name: str, global_name: str) -> NoReturn:
        raise pickle.UnpicklingError(f"a pickle that names {module_name}.{global_name}")

    def persistent_load(self, pid: Any) -> NoReturn:
        raise pickle.UnpicklingError("a pickle with a persistent id")


def loads(data: bytes, field: str, file: str | Path | None = None) -> Any:
    """The plain value of a pickle; a `ContractError` names what else it wanted, or that it is damaged. Runs nothing."""
    try:
        _refuse_opcodes(data)
        stream = io.BytesIO(data)
        value = _NothingCallable(stream).load()
    except _Refused as error:
        raise ContractError(file=file, field=field, expected="a pickle of plain built-ins", found=str(error)) from None
    except Exception as error:  # a damaged pickle fails in many classes: EOFError, IndexError, struct.error, UnicodeDecodeError …
        reason = f"a damaged one ({type(error).__name__})"
        raise ContractError(file=file, field=field, expected="a pickle of plain built-ins", found=reason) from error
    if stream.tell() != len(data):
        raise ContractError(file=file, field=field, expected="one pickle", found=f"{len(data) - stream.tell()} bytes after it")
    return _plain_copy(value, field, 0, file)


class _Refused(Exception):
    """A pickle that wants more than plain values."""


def _refuse_opcodes(data: bytes) -> None:
    """Walk the opcodes without executing one; raise `_Refused` at the first that is not on the list.

    A container that is referred to again is refused too: nested that way, walking it or hashing it takes 2^depth steps.
    """
    strings: list[str] = []
    slots: dict[int, bool] = {}  # memo slot → whether an atom lies in it
    atom_on_top = False
    for opcode, argument, _ in pickletools.genops(data):
        name = opcode.name
        if name not in ALLOWED:
            raise _Refused(_wanted(name, argument, strings))
        if name in _MEMO_GETS and not slots.get(int(argument), False):
            raise _Refused("a pickle that shares one container between several places")
        if name == "MEMOIZE" or name in _MEMO_PUTS:
            slot = len(slots) if name == "MEMOIZE" else int(argument)
            if not 0 <= slot < len(data):  # the C unpickler allocates as many places as the largest slot says
                raise _Refused(f"a pickle with the memo slot {slot}")
            slots[slot] = atom_on_top
            continue
        atom_on_top = name in _ATOMIC or name in _MEMO_GETS
        if isinstance(argument, str):
            strings.append(argument)


def _wanted(opcode: str, argument: Any, strings: list[str]) -> str:
    """What a forbidden opcode asks for, by name where the pickle spells one."""
    if opcode in ("GLOBAL", "INST"):
        return f"a pickle that names {str(argument).replace(' ', '.')}"
    if opcode == "STACK_GLOBAL" and len(strings) >= 2:
        return f"a pickle that names {strings[-2]}.{strings[-1]}"
    return f"a pickle with the instruction {opcode}"
