"""Ways in which a backend's names are bound, and where its source stops telling."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance.clients.compare import compare
from conformance.clients.uses import Sent, Use, Uses
from conformance.clients.world import World

THERE = {
    "a base in another module": ("class M(Base): ...", "from .base import Base", "class Base:\n    def run(self): ..."),
    "a base of a base": ("class N(Base): ...\nclass M(N): ...", "from .base import Base", "class Base:\n    def run(self): ..."),
    "set by a method": ("class M:\n    def fit(self):\n        self.run = 1", "", ""),
    "set with another": ("class M:\n    def __init__(self):\n        self.run, self.x = pair()", "", ""),
    "annotated in a method": ("class M:\n    def __init__(self):\n        self.run: int = 0", "", ""),
    "a property": ("class M:\n    @property\n    def run(self): ...", "", ""),
    "an alias": ("class M:\n    def walk(self): ...\n    run = walk", "", ""),
    "a lambda": ("class M:\n    run = lambda self: 0", "", ""),
    "made by a class method": (
        "class M:\n    @classmethod\n    def new(cls):\n        m = cls()\n        m.run = 1\n        return m",
        "",
        "",
    ),
    "a class that is imported": ("", "from .base import M", "class M:\n    def run(self): ..."),
    "a class under another name": ("", "from .base import Thing as M", "class Thing:\n    def run(self): ..."),
    "a star": ("", "from .base import *", "class M:\n    def run(self): ..."),
    "a choice": ("try:\n    import none\nexcept ImportError:\n    class M:\n        def run(self): ...", "", ""),
}
ABSENT = {
    "nothing": ("class M: ...", "", ""),
    "set on something else": ("class M:\n    def fit(self, other):\n        other.run = 1", "", ""),
    "set by another name": ("class M:\n    def fit(self):\n        setattr(self, 'walk', 1)", "", ""),
    "a local variable": ("class M:\n    def fit(self):\n        run = 1", "", ""),
    "a function in a function": ("class M:\n    def fit(self):\n        def run(): ...", "", ""),
    "a base that does not have it": ("class M(Base): ...", "from .base import Base", "class Base:\n    def walk(self): ..."),
}
UNKNOWN = {
    "a base that is not here": ("class M(Base): ...", "from nowhere import Base", ""),
    "a base that is computed": ("class M(make()): ...", "", ""),
    "a method for any name": ("class M:\n    def __getattr__(self, name): ...", "", ""),
    "a dictionary that is filled": ("class M:\n    def __init__(self, **given):\n        self.__dict__.update(given)", "", ""),
    "names that are computed": ("class M:\n    def __init__(self, n, v):\n        setattr(self, n, v)", "", ""),
    "a base with such names": ("class M(Base): ...", "from .base import Base",
                               "class Base:\n    def __init__(self, **given):\n        vars(self)['x'] = given"),
}  # fmt: skip
RETURNS = {
    "an annotation": "def make() -> M: ...",
    "an annotation in quotes": "def make() -> 'M': ...",
    "maybe nothing": "def make() -> M | None: ...",
    "an object": "def make():\n    return M()",
    "a variable": "def make():\n    m = M()\n    return m",
    "another function": "def inner() -> M: ...\ndef make():\n    return inner()",
    "an async function": "async def make() -> M: ...",
}


def judged(tmp_path: Path, text: str, *uses: Use, base: str = "", search: tuple[Path, ...] = ()) -> list[tuple[str, str]]:
    """States and details of some uses of `engine.model`."""
    folder = tmp_path / "engine"
    folder.mkdir(exist_ok=True)
    for name, words in {"__init__": "", "model": text, "base": base}.items():
        (folder / f"{name}.py").write_text(words, encoding="utf-8")
    found = compare(Uses("client", "1", ("engine",), uses), World({"engine": folder}, search))
    return [(finding.state, finding.detail) for finding in found]


def read(name: str) -> Use:
    return Use("read", "engine.model", name, places=("use.py:1",))


def call(name: str, *arguments: Sent, **keywords: Sent) -> Use:
    return Use("call", "engine.model", name, arguments, keywords, places=("use.py:1",))


@pytest.mark.parametrize(("cases", "state"), [(THERE, "present"), (ABSENT, "missing attribute"), (UNKNOWN, "not followed")])
def test_an_attribute_is_found_wherever_it_is_bound(tmp_path: Path, cases: dict[str, tuple[str, str, str]], state: str) -> None:
    for way, (text, imports, base) in cases.items():
        ((found, detail),) = judged(tmp_path, f"{imports}\n{text}\n", read("M().run"), base=base)
        assert found == state, (way, detail)


@pytest.mark.parametrize("way", RETURNS)
def test_what_a_function_returns_is_followed(tmp_path: Path, way: str) -> None:
    text = f"class M:\n    def run(self): ...\n{RETURNS[way]}\n"
    assert judged(tmp_path, text, read("make().run")) == [("present", "")]
    assert judged(tmp_path, text, read("make().walk"))[0][0] == "missing attribute"


def test_what_source_does_not_tell_is_told(tmp_path: Path) -> None:
    text = "def make(x):\n    return x\ndef two() -> tuple[int, M]: ...\nclass M:\n    def run(self): ...\n"
    assert judged(tmp_path, text, read("make().run")) == [("not followed", "what make returns, its source does not tell")]
    assert judged(tmp_path, text, read("two()[1].run")) == [("present", "")]
    assert judged(tmp_path, text, read("two()[1].walk"))[0][0] == "missing attribute"


def test_another_package_is_followed_where_it_lies(tmp_path: Path) -> None:
    other = tmp_path / "site" / "frame"
    other.mkdir(parents=True)
    (other / "__init__.py").write_text("class Base:\n    def run(self): ...\n", encoding="utf-8")
    text = "import frame as f\nclass M(f.Base): ...\n"
    assert judged(tmp_path, text, read("M().run"))[0][0] == "not followed"
    assert judged(tmp_path, text, read("M().run"), search=(tmp_path / "site",)) == [("present", "")]


FIELDS = "from dataclasses import *\n@dataclass\nclass f:\n    a: int\n    b: int = 0\n    c: int = field(init=False)"
INHERITED = "from dataclasses import *\n@dataclass\nclass g:\n    a: int\n@dataclass(kw_only=True)\nclass f(g):\n    b: int"
SIGNATURES = {
    "def f(a, b=0): ...": {
        "present": ["(1)", "(1, 2)", "(a)", "(1, b)"],
        "missing parameter": ["(1, 2, 3)", "(1, c)", "(1, a)"],
        "missing argument": ["()", "(b)"],
    },
    "def f(a, /, b): ...": {"present": ["(1, 2)", "(1, b)"], "missing parameter": ["(a, b)"]},
    "def f(*a, **k): ...": {"present": ["()", "(1, 2)", "(x)"]},
    "def f(*, a): ...": {"present": ["(a)"], "missing parameter": ["(1, a)"], "missing argument": ["()"]},
    "class f:\n    def __init__(self, a): ...": {
        "present": ["(1)", "(a)"], "missing argument": ["()"], "missing parameter": ["(a, b)"],
    },
    "class f:\n    def __new__(cls): ...": {"present": ["()"]},
    FIELDS: {
        "present": ["(1)", "(1, 2)", "(a, b)"], "missing argument": ["()"], "missing field": ["(a, c)"],
        "missing parameter": ["(1, 2, 3)"],
    },
    INHERITED: {"present": ["(1, b)", "(a, b)"], "missing parameter": ["(1, 2)"]},
    "import functools\n@functools.cache\ndef f(a): ...": {"present": ["(1)"], "missing argument": ["()"]},
    "f = other\ndef other(a): ...": {"present": ["(1)"], "missing argument": ["()"]},
    "import functools\nf = functools.partial(print, 1)": {"not followed": ["()", "(x)"]},
}  # fmt: skip


@pytest.mark.parametrize("text", SIGNATURES)
def test_a_call_is_held_against_the_signature(tmp_path: Path, text: str) -> None:
    for state, forms in SIGNATURES[text].items():
        for form in forms:
            words = [word for word in form.strip("()").split(", ") if word]
            use = call(
                "f", *(Sent() for word in words if word.isdigit()), **{word: Sent() for word in words if not word.isdigit()}
            )
            assert state in [found for found, _ in judged(tmp_path, text, use)], (text, form)


@pytest.mark.parametrize(
    ("annotation", "sent", "state"),
    [
        ("int", Sent(("int",)), "present"), ("float", Sent(("int",)), "present"), ("int", Sent(("float",)), "different type"),
        ("int", Sent(("bool",)), "present"), ("str | None", Sent(("None",)), "present"), ("int", Sent(), "present"),
        ("str", Sent(("None",)), "undeclared None"), ("Optional[str]", Sent(("None", "str")), "present"),
        ("Union[int, str]", Sent(("float",)), "different type"), ("Any", Sent(("str",)), "present"),
        ("Literal['a', 'b']", Sent(("str",), "'a'"), "present"), ("Literal['a', 'b']", Sent(("str",), "'c'"), "different type"),
        ("Literal['a']", Sent(("str",), None, "'c'"), "different type"), ("Array", Sent(("str",)), "present"),
        ("'int'", Sent(("str",)), "different type"), ("Path", Sent(("str",)), "different type"),
        ("tuple[int, int]", Sent(("tuple",)), "present"), ("list[int]", Sent(("tuple",)), "different type"),
    ],
)  # fmt: skip
def test_a_kind_is_held_against_the_annotation(tmp_path: Path, annotation: str, sent: Sent, state: str) -> None:
    assert [found for found, _ in judged(tmp_path, f"def f(a: {annotation}): ...\n", call("f", sent))] == [state]


def test_none_is_admitted_by_a_default_of_none(tmp_path: Path) -> None:
    assert judged(tmp_path, "def f(a: str = None): ...\n", call("f", Sent(("None",)))) == [("present", "")]


def test_a_default_is_compared_where_both_are_literals(tmp_path: Path) -> None:
    def states(default: str, own: str) -> list[str]:
        return [state for state, _ in judged(tmp_path, f"def f(a={default}): ...\n", call("f", a=Sent((), None, own)))]

    assert states("1e3", "1000.0") == states("(1, 2)", "(1,2)") == states("X", "3") == ["present"]
    assert states("3", "4") == ["different default"]


def test_an_enumeration_needs_the_value(tmp_path: Path) -> None:
    text = "from enum import Enum\nclass Kind(Enum):\n    A = 'a'\n"
    assert judged(tmp_path, text, call("Kind", Sent(("str",), "'a'")))[0][0] == "present"
    assert judged(tmp_path, text, call("Kind", Sent(("str",), "'b'")))[0][0] == "different type"


def test_a_member_of_an_enumeration_has_a_name_and_a_value(tmp_path: Path) -> None:
    text = "from enum import StrEnum\nclass Kind(StrEnum):\n    A = 'a'\nclass M:\n    kind: Kind = Kind.A\n"
    uses = [read(name) for name in ("Kind.A", "Kind.A.name", "M().kind.name", "Kind.B", "M().kind.size")]
    states = [state for state, _ in judged(tmp_path, text, *uses)]
    assert states == ["present", "present", "present", "missing attribute", "missing attribute"]
    assert judged(tmp_path, text, read("M().kind.value"))[0][0] == "present"


def test_a_field_of_a_field_can_be_set(tmp_path: Path) -> None:
    inner = "from dataclasses import *\n@dataclass\nclass P:\n    x: int = 0\n"
    text = f"{inner}@dataclass\nclass M:\n    p: P = field(default_factory=P)\n"
    use = Use("set", "engine.model", "M().p.x", (Sent(),))
    assert judged(tmp_path, text, use) == [("present", "")]
    assert judged(tmp_path, text.replace("@dataclass\nclass P", "@dataclass(frozen=True)\nclass P"), use)[0][0] == "cannot be set"
    assert judged(tmp_path, text.replace("x: int", "y: int"), use)[0][0] == "missing field"


def test_a_property_without_a_setter_cannot_be_set(tmp_path: Path) -> None:
    text = "class M:\n    @property\n    def run(self): ...\n"
    assert judged(tmp_path, text, Use("set", "engine.model", "M().run", (Sent(),)))[0][0] == "cannot be set"
    text += "    @run.setter\n    def run(self, x): ...\n"
    assert judged(tmp_path, text, Use("set", "engine.model", "M().run", (Sent(),)))[0][0] == "present"


def test_a_guarded_use_may_be_missing(tmp_path: Path) -> None:
    use = Use("read", "engine.model", "M", guarded=True)
    assert judged(tmp_path, "", use) == [("guarded", "engine.model has no M")]
