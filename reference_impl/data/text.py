"""The string in a 0-d object array, read from its pickle without a callable (decision 21).

NumPy writes such an array as a call of `_reconstruct` followed by its state. The names in exactly that (and a fourth one in old
protocols) stand for an object that only keeps its state; every other name is refused before anything happens.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from reference_impl.errors import ContractError, reason_of
from reference_impl.stored import pickles
from reference_impl.stored.pickles import Grammar, Named, Refused


class _Inert:
    """Stands for what NumPy's constructors make: keeps its state, does nothing."""

    state: Any = None

    def __init__(self, *arguments: Any) -> None:
        pass

    def set_state(self, state: Any) -> None:
        self.state = state


def _encoded(text: Any, *_: Any) -> bytes:
    """How protocols 0 to 2 write the bytes in NumPy's call."""
    if not isinstance(text, str) or len(text) > 8:
        raise Refused("a pickle that encodes a text")
    return text.encode("latin-1")


ARRAY_OF_TEXT = Grammar(
    names={
        ("numpy.core.multiarray", "_reconstruct"): Named(_Inert),
        ("numpy._core.multiarray", "_reconstruct"): Named(_Inert),
        ("numpy", "ndarray"): Named(),
        ("numpy", "dtype"): Named(_Inert),
        ("_codecs", "encode"): Named(_encoded),
    },
    instructions=200,  # NumPy takes 38
)


def string_in_object_array(payload: bytes, file: str | Path, field: str) -> str:
    """The string; `ContractError` names what else the pickle wanted, or that it is damaged."""
    expected = "a 0-d array holding a string"
    try:
        value = _held(payload)
    except Refused as error:
        raise ContractError(file=file, field=field, expected=expected, found=str(error)) from None
    except Exception as error:  # a pickle of something else: no state, or a shorter one
        raise ContractError(file=file, field=field, expected=expected, found=reason_of(error)) from error
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
    return pickles.read(payload, ARRAY_OF_TEXT).state[-1][0]
