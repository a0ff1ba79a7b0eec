"""One end of a connection. Both ends are alike: each asks, each answers, and while one waits it answers the other's questions."""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from conformance.connectors import beside
from conformance.connectors.far import faults, wire
from conformance.connectors.far.handle import Handle, described, make

Answer = dict[str, Any]


class Peer:
    """A channel, the objects of this side that the other one knows, and the handles of theirs.

    `bare`: passive objects of this side cross by value (the suite's scenes), not as references (the backend's own objects).
    `before` makes what goes along with a question, `heed` gets what came along with an answer; `around(question, along)` is a
    context manager about each answer and fills what goes along with it.
    """

    def __init__(self, channel: wire.Channel, *, bare: bool) -> None:
        self.channel, self.bare = channel, bare
        self.mine: dict[int, list[Any]] = {}
        self.numbers: dict[int, int] = {}
        self.kinds: dict[type, int] = {}
        self.theirs: weakref.WeakValueDictionary[int, Handle] = weakref.WeakValueDictionary()
        self.classes: dict[int, type[Handle]] = {}
        self.dropped: list[tuple[int, int]] = []
        self.around: Callable[[Answer, Answer], Any] = lambda question, along: contextlib.nullcontext()
        self.before: Callable[[], Answer] = dict
        self.heed: Callable[[Answer], None] = lambda along: None
        self.root: Any = None

    # -- objects ---------------------------------------------------------------------------------------------------------------

    def refer(self, thing: Any) -> list[Any]:
        """The reference of an object: theirs by their number, ours by ours, and its class where they do not know it yet."""
        if isinstance(thing, Handle) and object.__getattribute__(thing, "_peer") is self:
            return ["yours", thing._number]
        number = self.numbers.get(id(thing))
        if number is None:
            number = self.numbers[id(thing)] = max(self.mine, default=0) + 1
            self.mine[number] = [thing, 0]
        self.mine[number][1] += 1
        kind = type(thing)
        known = kind in self.kinds
        index = self.kinds.setdefault(kind, len(self.kinds))
        return ["mine", number, index, None if known else described(thing)]

    def knows(self, thing: Any) -> bool:
        """True where the other side has a handle of it: it stays one."""
        return id(thing) in self.numbers

    def find(self, reference: list[Any]) -> Any:
        """The object, or the handle, of a reference."""
        if reference[0] == "yours":
            return self.mine[reference[1]][0]
        _, number, index, told = reference
        if told is not None:
            self.classes[index] = make(told)
        found = self.theirs.get(number)
        if found is None:
            found = self.theirs[number] = self.classes[index](self, number)
        object.__setattr__(found, "_count", found._count + 1)
        return found

    def drop(self, number: int, count: int) -> None:
        """A handle is gone; the other side hears of it with the next message."""
        self.dropped.append((number, count))

    def forget(self, dropped: list[list[int]]) -> None:
        """Let objects go that have no handle any more; those sent meanwhile stay."""
        for number, count in dropped:
            entry = self.mine[number]
            entry[1] -= count
            if entry[1] == 0:
                del self.mine[number], self.numbers[id(entry[0])]

    # -- asking ----------------------------------------------------------------------------------------------------------------

    def request(self, what: str, *arguments: Any) -> Any:
        """Ask the other side and wait; its error is raised here. What was changed there in place is changed here."""
        packer = wire.Packer(self, self.bare)
        tree = [packer.pack(argument) for argument in arguments]
        dropped, self.dropped = self.dropped, []
        wire.write(self.channel, {"ask": what, "with": tree, "drop": dropped, **self.before()}, packer.blocks)
        while True:
            message, blocks = wire.read(self.channel)
            self.forget(message["drop"])
            if "ask" not in message:
                return self._answered(message, wire.Unpacker(self, blocks), packer.mutable)
            self._answer(message, blocks)

    def _answered(self, message: Answer, unpacker: wire.Unpacker, sent: list[Any]) -> Any:
        error = faults.rebuilt(message["error"], unpacker) if "error" in message else None
        value = None if error else unpacker.unpack(message["value"])
        for number, tree in message["changed"]:
            _overwrite(sent[number], unpacker.unpack(tree))
        self.heed(message["along"])
        if error:
            raise error
        return value

    # -- answering -------------------------------------------------------------------------------------------------------------

    def serve(self) -> None:
        """Answer until the other side hangs up (`EOFError`)."""
        while True:
            message, blocks = wire.read(self.channel)
            self.forget(message["drop"])
            self._answer(message, blocks)

    def _answer(self, message: Answer, blocks: list[bytearray]) -> None:
        unpacker = wire.Unpacker(self, blocks)
        packer = wire.Packer(self, self.bare)
        along: Answer = {}
        reply: Answer = {}
        before: list[Any] = []
        try:
            arguments = [unpacker.unpack(tree) for tree in message["with"]]
            before = [_picture(thing) for thing in unpacker.mutable]
            with self.around(message, along):
                value = getattr(self, f"_do_{message['ask']}")(*arguments)
            reply["value"] = packer.pack(value)
        except Exception as error:
            packer = wire.Packer(self, self.bare)
            reply = {"error": faults.told(error, packer)}
        pairs = zip(unpacker.mutable, before, strict=False)
        changed = [[n, packer.pack(_copy(x))] for n, (x, old) in enumerate(pairs) if not _same(_picture(x), old)]
        dropped, self.dropped = self.dropped, []
        wire.write(self.channel, {**reply, "changed": changed, "along": along, "drop": dropped}, packer.blocks)

    def _do_root(self) -> Any:
        return self.root

    def _do_get(self, thing: Any, name: str) -> Any:
        return getattr(thing, name)

    def _do_set(self, thing: Any, name: str, value: Any) -> None:
        setattr(thing, name, value)

    def _do_delete(self, thing: Any, name: str) -> None:
        delattr(thing, name)

    def _do_vars(self, thing: Any) -> dict[str, Any]:
        return dict(vars(thing))

    def _do_names(self, thing: Any) -> list[str]:
        return dir(thing)

    def _do_text(self, thing: Any, how: str) -> str:
        return repr(thing) if how == "repr" else str(thing)

    def _do_operate(self, thing: Any, name: str, arguments: tuple[Any, ...], options: dict[str, Any]) -> Any:
        return getattr(type(thing), name)(thing, *arguments, **options)

    def _do_live(self, name: str) -> Any:
        """What a method of the backend returns, as a handle even where it is a plain mapping."""
        return wire.Live(getattr(self.root, name)())

    def _do_beside(self, name: str, arguments: tuple[Any, ...], options: dict[str, Any]) -> Any:
        return beside.FUNCTIONS[name](*arguments, **options)


def _picture(thing: Any) -> Any:
    """What shows later whether an array, dict, list or bare object was changed in place: its bytes, or what it holds."""
    if isinstance(thing, np.ndarray):
        return thing.tobytes()
    held = thing if isinstance(thing, dict) else vars(thing) if isinstance(thing, wire.Given) else None
    return list(thing) if held is None else [*held.keys(), *held.values()]


def _same(now: Any, before: Any) -> bool:
    if isinstance(now, bytes):
        return now == before
    return len(now) == len(before) and all(a is b for a, b in zip(now, before, strict=True))


def _copy(thing: Any) -> Any:
    return dict(thing) if isinstance(thing, dict) else dict(vars(thing)) if isinstance(thing, wire.Given) else thing


def _overwrite(here: Any, there: Any) -> None:
    """Do to the object that was sent what was done to its copy."""
    if isinstance(here, np.ndarray):
        if here.flags.writeable:
            here[...] = there
    elif isinstance(here, dict):
        here.clear()
        here.update(there)
    elif isinstance(here, list):
        here[:] = there
    else:
        vars(here).clear()
        vars(here).update(there)
