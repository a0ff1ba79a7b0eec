"""Ways in which clients use a backend, each in a line or two: what is read from them, and what is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance.clients.client import uses
from conformance.clients.uses import Use, Uses

CALLS = {
    "a name": "from engine.data import load\nload(1, mode=2)",
    "another name": "from engine.data import load as fetch\nfetch(1, mode=2)",
    "its module": "from engine import data\ndata.load(1, mode=2)",
    "its whole name": "import engine.data\nengine.data.load(1, mode=2)",
    "a short name of its module": "import engine.data as d\nd.load(1, mode=2)",
    "an import in a function": "def f():\n    from engine.data import load\n    return load(1, mode=2)",
    "import_module": "import importlib\nd = importlib.import_module('engine.data')\nd.load(1, mode=2)",
    "getattr": "import engine.data as d\ngetattr(d, 'load')(1, mode=2)",
    "a variable": "from engine.data import load\nfetch = load\nfetch(1, mode=2)",
    "keywords in a dict": "from engine.data import load\nhow = {'mode': 2}\nload(1, **how)",
    "keywords of dict()": "from engine.data import load\nhow = dict(mode=2)\nload(1, **how)",
    "keywords in place": "from engine.data import load\nload(1, **{'mode': 2})",
    "an argument of another call": "from engine.data import load\nprint(len(load(1, mode=2)))",
    "a decorator": "from engine.data import load\n@load(1, mode=2)\ndef f(): ...",
    "a default": "from engine.data import load\ndef f(x=load(1, mode=2)): ...",
    "a class body": "from engine.data import load\nclass A:\n    x = load(1, mode=2)",
    "a with": "from engine.data import load\nwith load(1, mode=2) as x: ...",
    "a lambda": "from engine.data import load\nf = lambda: load(1, mode=2)",
    "a comprehension": "from engine.data import load\nx = [load(1, mode=2) for _ in range(3)]",
    "a match": "from engine.data import load\nmatch 1:\n    case 1:\n        load(1, mode=2)",
}
OBJECTS = {
    "a variable": "m = Model(1)\nm.predict(2)",
    "the call itself": "Model(1).predict(2)",
    "a parameter": "def f(m: Model):\n    m.predict(2)",
    "an optional parameter": "def f(m: Model | None):\n    m.predict(2)",
    "a parameter in quotes": "def f(m: 'Model'):\n    m.predict(2)",
    "a function of the client": "def make():\n    return Model(1)\nmake().predict(2)",
    "an annotated function": "def make() -> Model: ...\nm = make()\nm.predict(2)",
    "one of two": "def make():\n    return 1, Model(1)\nx, m = make()\nm.predict(2)",
    "an attribute": "class A:\n    def __init__(self):\n        self.m = Model(1)\n    def f(self):\n        self.m.predict(2)",
    "a field": "class A:\n    m: Model\ndef f(a: A):\n    a.m.predict(2)",
    "a subclass": "class Mine(Model):\n    def f(self):\n        self.predict(2)",
    "super": "class Mine(Model):\n    def predict(self, x):\n        super().predict(2)",
    "an object of a subclass": "class Mine(Model): ...\nMine(1).predict(2)",
    "copies": "import copy\nm = copy.deepcopy(Model(1))\nm.predict(2)",
    "cast": "from typing import cast\ncast(Model, x).predict(2)",
    "dataclasses.replace": "from dataclasses import replace\nreplace(Model(1), a=1).predict(2)",
    "a choice": "m = Model(1) if x else None\nm.predict(2)",
}


def read(tmp_path: Path, text: str, **files: str) -> Uses:
    """The uses of a client of one file, and of others beside it."""
    for name, words in {"use": text, "__init__": "", **files}.items():
        (tmp_path / f"{name}.py").write_text(words, encoding="utf-8")
    return uses(tmp_path, {"engine"})


def calls(found: Uses, name: str) -> list[Use]:
    return [use for use in found.uses if use.act == "call" and use.name == name]


@pytest.mark.parametrize("way", CALLS)
def test_a_call_is_read_in_every_form(tmp_path: Path, way: str) -> None:
    found = read(tmp_path, CALLS[way])
    (call,) = [use for use in found.uses if use.act == "call"]
    assert call.whole.replace(":", ".") == "engine.data.load"
    assert (len(call.arguments), list(call.keywords), call.open) == (1, ["mode"], False)
    assert (call.arguments[0].kinds, call.keywords["mode"].literal) == (("int",), "2")
    assert "module" in {use.act for use in found.uses}


@pytest.mark.parametrize("way", OBJECTS)
def test_an_object_is_followed_to_its_method(tmp_path: Path, way: str) -> None:
    found = read(tmp_path, f"from engine.model import Model\n{OBJECTS[way]}\n")
    (call,) = calls(found, "Model().predict")
    assert (call.module, len(call.arguments)) == ("engine.model", 1)


def test_the_clients_own_modules_are_followed(tmp_path: Path) -> None:
    helper = "from engine.model import Model\nclass Payload:\n    model: Model\n"
    found = read(
        tmp_path, "from .helper import Payload\n# engine\ndef f(payload: Payload):\n    payload.model.predict(2)\n", helper=helper
    )
    assert calls(found, "Model().predict")


def test_imports_for_types_alone_are_no_uses_and_yet_name_types(tmp_path: Path) -> None:
    types = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from engine.model import Model\n"
    found = read(tmp_path, f"{types}def f(m: Model):\n    m.predict(2)\n")
    assert [(use.act, use.name) for use in found.uses] == [("call", "Model().predict")]


def test_what_is_tried_is_guarded_and_what_comes_of_it(tmp_path: Path) -> None:
    tried = "try:\n    from engine.fast import run\nexcept ImportError:\n    run = None\nif run:\n    run(1)\n"
    found = read(tmp_path, f"{tried}from engine.slow import walk\nwalk(1)\n")
    assert {(use.module, use.guarded) for use in found.uses} == {("engine.fast", True), ("engine.slow", False)}
    loud = read(tmp_path, "try:\n    from engine.fast import run\nexcept ValueError:\n    pass\n")
    assert {use.guarded for use in loud.uses} == {False}
    assert [
        use.guarded for use in read(tmp_path, "import engine.a\ngetattr(engine.a, 'b', None)\n").uses if use.act == "read"
    ] == [True]


def test_what_cannot_be_named_is_open(tmp_path: Path) -> None:
    for text in ("load(*x)", "load(1, **x)", "from functools import partial\npartial(load, 1)"):
        (call,) = calls(read(tmp_path, f"from engine.data import load\n{text}\n"), "load")
        assert call.open


def test_a_replaced_field_is_a_keyword(tmp_path: Path) -> None:
    found = read(
        tmp_path, "import dataclasses\nfrom engine.config import Config\nc = Config()\ndataclasses.replace(c, rate=1.0)\n"
    )
    assert [sorted(call.keywords) for call in calls(found, "Config")] == [[], ["rate"]]
    assert [call.open for call in calls(found, "Config")] == [False, True]


def test_what_is_set_and_what_is_given_are_told(tmp_path: Path) -> None:
    text = "from engine.config import Config, Model\nc = Config(model=Model())\nc.model.side = 64\nc.rate += 1\n"
    found = read(tmp_path, text)
    assert [use.name for use in found.uses if use.act == "set"] == ["Config().model.side", "Config().rate"]
    assert found.gives == {("engine.config:Config", "model"): "engine.config:Model()"}


@pytest.mark.parametrize(
    ("value", "kinds"),
    [
        ("1", {"int"}), ("'x'", {"str"}), ("None", {"None"}), ("(1, 2)", {"tuple"}), ("-0.5", {"float"}), ("x > 1", {"bool"}),
        ("f'{x}'", {"str"}), ("n", {"int"}), ("name.lower()", {"str"}), ("1 if x else None", {"int", "None"}),
        ("Path()", {"Path"}), ("x", set()), ("pair", {"tuple"}), ("1 if x else y", set()), ("True", {"bool"}),
    ],
)  # fmt: skip
def test_the_kind_of_a_value_is_told_or_left_open(tmp_path: Path, value: str, kinds: set[str]) -> None:
    text = f"from engine.data import load\ndef f(n: int, name, x, y):\n    pair = (1, n)\n    load({value})\n"
    (call,) = calls(read(tmp_path, text), "load")
    assert set(call.arguments[0].kinds) == kinds


def test_other_packages_of_a_like_name_are_nobodys(tmp_path: Path) -> None:
    found = read(tmp_path, "import engines\nfrom engine_room import x\nfrom . import engine\nengines.run(x)\n", engine="y = 1\n")
    assert found.uses == ()
