"""One strict reader of pickles: a machine that builds plain values and can do nothing else.

It knows the instructions that such values need. What a pickle names is looked up in a table of the caller and never imported.
Before anything is built, the limits are there: bytes, instructions, nesting, places that a value would have were nothing shared.
Keys are numbers and texts (never tuples, whose hash goes as deep as they are), and integers are too small to share a hash.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from reference_impl.errors import ContractError, reason_of

DEEPEST = 64
"""Levels of nesting: a configuration has three, a checkpoint seven."""

LONGEST_INTEGER = 128
"""Bytes of an integer; a float ends at 128 of them (1.8e308)."""

HASH_PERIOD = (1 << 61) - 1
"""Integers that differ by a multiple of this have one hash (CPython, 64 bits): thousands of them make a dictionary quadratic."""

ATOMS = (type(None), bool, int, float, str, bytes)
_ATOMIC = (
    "NONE NEWTRUE NEWFALSE INT BININT BININT1 BININT2 LONG LONG1 LONG4 FLOAT BINFLOAT STRING BINSTRING SHORT_BINSTRING UNICODE "
    "SHORT_BINUNICODE BINUNICODE BINUNICODE8 BINBYTES SHORT_BINBYTES BINBYTES8"
)
_TEXTS_OF_PYTHON_2 = frozenset({"STRING", "BINSTRING", "SHORT_BINSTRING"})
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}


class Refused(Exception):
    """A pickle that wants more than it may, or is damaged; the words say what was found."""


@dataclass(frozen=True)
class Named:
    """What a name in a pickle stands for: `make(*arguments)` is what a call of it gives, None where it is never called."""

    make: Callable[..., Any] | None = None


@dataclass(frozen=True)
class Grammar:
    """What one kind of pickle may hold: names, persistent ids, values that stand in several places, instructions, bytes."""

    names: Mapping[tuple[str, str], Named]
    storage: Callable[[Any], Any] | None = None
    sharing: bool = False
    instructions: int = 100_000
    length: int = 1 << 20


PLAIN = Grammar(names={})


@dataclass
class _Box:
    """A container that is being built or stands somewhere: its height, its places were nothing shared, whether it may grow."""

    value: Any
    height: int = 0
    places: int = 1
    closed: bool = False
    loose: bool = False


def read(data: bytes, grammar: Grammar = PLAIN) -> Any:
    """The value of a pickle; `Refused` for anything that the grammar does not know, and for every kind of damage."""
    if len(data) > grammar.length:
        raise Refused(f"{len(data)} bytes of pickle, more than {grammar.length}")
    try:
        return _Machine(grammar).run(data)
    except (Refused, ContractError):
        raise
    except Exception as error:  # a damaged pickle fails in many classes: IndexError, struct.error, UnicodeDecodeError …
        raise Refused(f"a damaged one ({reason_of(error, 100)})") from error


class _Machine:
    def __init__(self, grammar: Grammar) -> None:
        self.grammar = grammar
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}
        self.boxes: dict[int, _Box] = {}  # by identity; a box keeps its value, so that no identity is used again

    def run(self, data: bytes) -> Any:
        count, place, name = 0, 0, ""
        for opcode, argument, place in pickletools.genops(data):  # noqa: B007
            count, name = count + 1, opcode.name
            if count > self.grammar.instructions:
                raise Refused(f"more than {self.grammar.instructions} instructions")
            step = _STEPS.get(name)
            if step is None:
                raise Refused(f"a pickle with the instruction {name}{_named(argument)}")
            step(self, name, argument)
        if place is None or place + 1 != len(data):
            raise Refused(f"{len(data) - (place or 0) - 1} bytes after the end of the pickle")
        (value,) = self.stack
        self._settle([value])
        return value

    # -- values -----------------------------------------------------------------------------------------------------------------

    def atom(self, name: str, argument: Any) -> None:
        value = _CONSTANTS.get(name, argument)
        if type(value) is int and value.bit_length() > 8 * LONGEST_INTEGER:
            raise Refused(f"an integer of {value.bit_length()} bits")
        if name in _TEXTS_OF_PYTHON_2 and not value.isascii():
            raise Refused("a byte string of Python 2 that is no ASCII")
        self.stack.append(value)

    def empty(self, name: str, _: Any) -> None:
        self._push({"EMPTY_LIST": list, "EMPTY_DICT": dict, "EMPTY_TUPLE": tuple}[name]())

    def tuple_of_some(self, name: str, _: Any) -> None:
        count = int(name[-1])
        if len(self.stack) - (self.marks[-1] if self.marks else 0) < count:
            raise Refused("a pickle that takes what is not there")
        items = [self.stack.pop() for _ in range(count)][::-1]
        self._push_tuple(items)

    def since_mark(self, name: str, _: Any) -> None:
        items = self._since_mark()
        if name == "TUPLE":
            self._push_tuple(items)
        elif name == "LIST":
            self._push(items, items)
        else:
            self._push({})
            self._set(self._top(dict), items)

    def _push_tuple(self, items: list[Any]) -> None:
        loose = any(isinstance(item, Named) for item in items)
        self._push(tuple(items), items, loose)

    def _push(self, value: Any, items: list[Any] | None = None, loose: bool = False) -> None:
        box = _Box(value, closed=isinstance(value, tuple), loose=loose)
        self._put(box, items or [], loose)
        if value != ():
            self.boxes[id(value)] = box
        self.stack.append(value)

    def append(self, name: str, _: Any) -> None:
        items = self._since_mark() if name == "APPENDS" else [self.stack.pop()]
        box = self._top(list)
        self._put(box, items)
        box.value.extend(items)

    def set_items(self, name: str, _: Any) -> None:
        items = self._since_mark() if name == "SETITEMS" else [self.stack.pop() for _ in range(2)][::-1]
        self._set(self._top(dict), items)

    def _set(self, box: _Box, items: list[Any]) -> None:
        keys, values = items[::2], items[1::2]
        for key in keys:
            if type(key) not in ATOMS or (type(key) is int and abs(key) >= HASH_PERIOD):
                raise Refused(
                    f"a dictionary with a key of type {type(key).__name__}{'' if type(key) is not int else ' and size'}"
                )
        self._put(box, values)
        box.value.update(zip(keys, values, strict=True))

    def _put(self, box: _Box, items: list[Any], loose: bool = False) -> None:
        """Account for items that go into a container: they may not grow from now on."""
        self._settle(items, loose)
        inside = [self.boxes[id(item)] for item in items if id(item) in self.boxes]
        box.height = max([box.height, *(one.height + 1 for one in inside)])
        box.places += len(items) - len(inside) + sum(one.places for one in inside)
        if box.height > DEEPEST:
            raise Refused(f"nesting deeper than {DEEPEST} levels")
        if box.places > 4 * self.grammar.instructions:
            raise Refused("values that stand in more places than there could be")

    def _settle(self, items: list[Any], loose: bool = False) -> None:
        for item in items:
            box = self.boxes.get(id(item))
            if box is not None:
                box.closed = True
            if (isinstance(item, Named) and not loose) or (box is not None and box.loose):
                raise Refused("a pickle that keeps a name as a value")

    def _top(self, kind: type) -> _Box:
        """The container on top of the stack, which nothing holds yet."""
        value = self.stack[-1]
        if len(self.stack) <= (self.marks[-1] if self.marks else 0) or not isinstance(value, kind):
            raise Refused(f"a pickle that adds to something that is no {kind.__name__}")
        box = self.boxes[id(value)]
        if box.closed:
            raise Refused("a pickle that changes a container after it was put away")
        return box

    # -- marks and memory --------------------------------------------------------------------------------------------------------

    def mark(self, *_: Any) -> None:
        self.marks.append(len(self.stack))

    def _since_mark(self) -> list[Any]:
        at = self.marks.pop()
        items = self.stack[at:]
        del self.stack[at:]
        return items

    def remember(self, name: str, argument: Any) -> None:
        slot = len(self.memo) if name == "MEMOIZE" else int(argument)
        if not 0 <= slot < self.grammar.length:  # other readers allocate as many places as the largest slot says
            raise Refused(f"a pickle with the memo slot {slot}")
        self.memo[slot] = self.stack[-1]

    def recall(self, _: str, argument: Any) -> None:
        value = self.memo[int(argument)]
        box = self.boxes.get(id(value))
        if box is not None and not (self.grammar.sharing and box.closed):
            raise Refused("a pickle that shares one container between several places")
        self.stack.append(value)

    def nothing(self, *_: Any) -> None:
        """Protocol, frames and the end change nothing."""

    # -- names ------------------------------------------------------------------------------------------------------------------

    def name(self, opcode: str, argument: Any) -> None:
        if opcode == "STACK_GLOBAL":
            name, module = self.stack.pop(), self.stack.pop()
        else:
            module, _, name = str(argument).partition(" ")
        found = self.grammar.names.get((module, name)) if isinstance(module, str) and isinstance(name, str) else None
        if found is None:
            raise Refused(f"a pickle that names {module}.{name}")
        self.stack.append(found)

    def call(self, *_: Any) -> None:
        arguments, named = self.stack.pop(), self.stack.pop()
        if not isinstance(named, Named) or named.make is None or type(arguments) is not tuple:
            raise Refused("a pickle that calls what is no name")
        value = named.make(*arguments)
        if isinstance(value, dict):
            self.boxes[id(value)] = _Box(value)
        if isinstance(value, list | tuple):
            raise TypeError("what a name makes is no container with contents")
        self.stack.append(value)

    def build(self, *_: Any) -> None:
        state = self.stack.pop()
        self._settle([state])
        value = self.stack[-1]
        if not hasattr(value, "set_state"):
            raise Refused("a pickle with the instruction BUILD")
        value.set_state(state)

    def persistent(self, *_: Any) -> None:
        if self.grammar.storage is None:
            raise Refused("a pickle with the instruction BINPERSID")
        self.stack.append(self.grammar.storage(self.stack.pop()))


def _named(argument: Any) -> str:
    """What an instruction names, as `module.name`."""
    return f" for {argument.replace(' ', '.')}" if isinstance(argument, str) else ""


_STEPS: dict[str, Callable[[_Machine, str, Any], None]] = {
    **dict.fromkeys(_ATOMIC.split(), _Machine.atom),
    **dict.fromkeys(("EMPTY_LIST", "EMPTY_DICT", "EMPTY_TUPLE"), _Machine.empty),
    **dict.fromkeys(("TUPLE1", "TUPLE2", "TUPLE3"), _Machine.tuple_of_some),
    **dict.fromkeys(("TUPLE", "LIST", "DICT"), _Machine.since_mark),
    **dict.fromkeys(("APPEND", "APPENDS"), _Machine.append),
    **dict.fromkeys(("SETITEM", "SETITEMS"), _Machine.set_items),
    **dict.fromkeys(("MEMOIZE", "PUT", "BINPUT", "LONG_BINPUT"), _Machine.remember),
    **dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), _Machine.recall),
    **dict.fromkeys(("PROTO", "FRAME", "STOP"), _Machine.nothing),
    **dict.fromkeys(("GLOBAL", "STACK_GLOBAL"), _Machine.name),
    "MARK": _Machine.mark,
    "REDUCE": _Machine.call,
    "BUILD": _Machine.build,
    "BINPERSID": _Machine.persistent,
}
