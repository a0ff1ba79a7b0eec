"""The string in a 0-d object array, read from its pickle without a callable (decision 21).

NumPy writes such an array as a call of `_reconstruct` followed by its state. The opcodes of exactly that are admitted, the three
names in it (and a fourth in old protocols) stand for an object that only keeps its state; every other name is refused before
anything happens.
"""

from __future__ import annotations

import io
import pickle
import pickletools
from pathlib import Path
from typing import Any

from reference_impl.errors import ContractError

ADMITTED_NAMES = frozenset(
    {
        ("numpy.core.multiarray", "_reconstruct"),
        ("numpy._core.multiarray", "_reconstruct"),
        ("numpy", "ndarray"),
        ("numpy", "dtype"),
        ("_codecs", "encode"),  # how protocols 0 to 2 write the bytes in NumPy's call
    }
)

ADMITTED_OPCODES = frozenset(
    "PROTO FRAME STOP MARK MEMOIZE PUT BINPUT LONG_BINPUT GET BINGET LONG_BINGET NONE NEWTRUE NEWFALSE INT BININT BININT1 "
    "BININT2 LONG LONG1 STRING BINSTRING SHORT_BINSTRING UNICODE SHORT_BINUNICODE BINUNICODE BINUNICODE8 BINBYTES SHORT_BINBYTES "
    "EMPTY_LIST LIST APPEND APPENDS EMPTY_TUPLE TUPLE TUPLE1 TUPLE2 TUPLE3 GLOBAL STACK_GLOBAL REDUCE BUILD".split()
)
_MEMO_OPCODES = frozenset({"PUT", "BINPUT", "LONG_BINPUT", "GET", "BINGET", "LONG_BINGET"})


class _Inert:
    """Stands for NumPy's constructors: keeps its state, does nothing."""

    state: Any = None

    def __init__(self, *arguments: Any) -> None:
        pass

    def __setstate__(self, state: Any) -> None:
        self.state = state


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> type:
        if (module, name) in ADMITTED_NAMES:
            return _Inert
        raise pickle.UnpicklingError(f"a pickle that wants {module}.{name}")


def string_in_object_array(payload: bytes, file: str | Path, field: str) -> str:
    """The string; `ContractError` names what else the pickle wanted, or that it is damaged."""
    try:
        value = _held(payload)
    except Exception as error:  # a malformed pickle may raise anything; each becomes the one-line refusal
        found = " ".join(str(error).split()) or type(error).__name__
        raise ContractError(file=file, field=field, expected="a 0-d array holding a string", found=found) from error
    if not isinstance(value, str):
        raise ContractError(file=file, field=field, expected="a string", found=type(value).__name__)
    return value


def is_none_in_object_array(payload: bytes) -> bool:
    """Whether the array holds `None`, as programs write a field that they have not; False for anything else, and for damage."""
    try:
        return _held(payload) is None
    except Exception:  # whatever it is, it is not None: the reader of the member then refuses it by name
        return False


def _held(payload: bytes) -> Any:
    _refuse_opcodes(payload)
    return _Unpickler(io.BytesIO(payload)).load().state[-1][0]


def _refuse_opcodes(payload: bytes) -> None:
    """`UnpicklingError` for opcodes beyond those admitted, and for memo slots that would make the unpickler allocate."""
    for opcode, argument, _ in pickletools.genops(payload):
        if opcode.name not in ADMITTED_OPCODES:
            raise pickle.UnpicklingError(f"a pickle with opcode {opcode.name}")
        if opcode.name in _MEMO_OPCODES and not 0 <= int(argument) <= len(payload):
            raise pickle.UnpicklingError(f"a pickle with memo slot {argument}")
