"""Which test binds to which clause, read from the suite's source without running it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from conformance.specification.texts import read

_FUNCTION = re.compile(
    r'^((?:async )?def \w+\((?:[^\n]*|\n(?:[ ]+[^\n]*\n)+\)[^\n]*):\n(?:    """(?:[^"]|"(?!""))*"""\n)?)'
    r"((?:[ ]+[^\n]*\n|\n)+)",
    re.MULTILINE,
)
"""A function at a file's left edge: head and docstring, body."""
_KEY = re.compile(r"[A-Z]+-\d+~\d")
_SUSPECT = re.compile(r"If this fails,\s+suspect:?\s*(.*)", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Binding:
    """A test function and what it claims to prove; `name` is the function's, without `test_`."""

    path: Path
    line: int
    name: str
    clauses: tuple[str, ...]
    needs: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    device: bool = False
    slow: bool = False
    axes: tuple[str, ...] = ()
    """The cells of `specs/axes.toml` that the test fills, as `file:dtype`."""
    doc: str = ""
    problems: tuple[str, ...] = ()

    @property
    def place(self) -> str:
        return f"{self.path.name}:{self.line} test_{self.name}"

    @property
    def check(self) -> str:
        """The check's id without parameters and device: `BATCH-022:images_are_channel_first`."""
        first = self.clauses[0].split("~")[0] if self.clauses else "UNBOUND"
        return f"{first}:{self.name}"


def suspect_of(doc: str) -> str:
    """The docstring's sentence after `If this fails, suspect`."""
    match = _SUSPECT.search(doc)
    return " ".join(match[1].split()) if match else ""


def default_suite() -> Path:
    """The suite inside the package."""
    return Path(__file__).resolve().parent.parent / "suite"


def scan(suite: Path | None = None) -> tuple[list[Binding], list[str]]:
    """The bindings of every `test_*.py` below `suite`, and the files that are no Python."""
    found: list[Binding] = []
    problems: list[str] = []
    for path in sorted((suite or default_suite()).rglob("test_*.py")):
        text = read(path)
        try:
            tree = _heads(text) or ast.parse(text, filename=str(path))
        except SyntaxError as error:
            problems.append(f"{path.name}:{error.lineno}: {error.msg}")
            continue
        slow = _all_slow(tree)
        found += [_binding(path, node, slow) for node in _tests(tree)]
    return found, problems


def _heads(text: str) -> ast.Module | None:
    """The tree of a file whose functions are empty but for their docstrings: two thirds of the time go into their bodies.

    The body of a test of several clauses stays, whose observations say which is theirs. None where the file cannot be read so:
    it is read whole then.
    """
    parts = _FUNCTION.split(text)  # text, a function's head and docstring, its body, text, …
    for at in range(2, len(parts), 3):
        if len(_KEY.findall(parts[at - 2])) < 2:  # what stands above a function: its marks
            parts[at] = "    pass" + "\n" * parts[at].count("\n")
    try:
        return ast.parse("".join(parts))
    except SyntaxError:
        return None


def _all_slow(tree: ast.Module) -> bool:
    """Whether a file marks all of its tests as slow: `pytestmark = pytest.mark.slow`, or a list with it."""
    own = [node.value for node in tree.body if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "pytestmark"]
    return any(ast.unparse(part) == "pytest.mark.slow" for value in own for part in ast.walk(value))


def observed(path: Path, name: str) -> tuple[tuple[str, ...], ...]:
    """The clauses of each observation of one test (`name` is the function's), in order."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    node = next((node for node in _tests(tree) if node.name == name), None)
    return () if node is None else tuple(_keys(call, list(_binding(path, node).clauses), []) for call in _observations(node))


def _tests(tree: ast.AST) -> Iterator[ast.FunctionDef]:
    """The tests of a module, at its top, in classes, or under conditions. No function is entered: in it pytest finds none."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            if node.name.startswith("test_"):
                yield node  # type: ignore[misc]
        elif isinstance(node, ast.stmt) and hasattr(node, "body"):
            yield from _tests(node)


def _binding(path: Path, node: ast.FunctionDef, slow: bool = False) -> Binding:
    problems: list[str] = []
    clauses: list[str] = []
    axes: list[str] = []
    lists: dict[str, list[str]] = {"needs": [], "evidence": []}
    device = False
    for mark in node.decorator_list:
        dotted = ast.unparse(mark.func if isinstance(mark, ast.Call) else mark)
        device |= dotted == "pytest.mark.device"
        slow |= dotted == "pytest.mark.slow"
        if dotted == "pytest.mark.axes" and isinstance(mark, ast.Call):
            axes += _strings(ast.Tuple(mark.args), problems, "axes")
        if dotted != "pytest.mark.clause" or not isinstance(mark, ast.Call):
            continue
        clauses += _strings(ast.Tuple(mark.args), problems, "clause")
        for word in mark.keywords:
            if word.arg not in lists:
                problems.append(f"unknown keyword {word.arg!r} of the clause mark")
                continue
            lists[word.arg] += _strings(word.value, problems, word.arg)
    # What a test of one clause observes belongs to it; nobody needs to walk through its body.
    observed = [_keys(call, clauses, problems) for call in _observations(node)] if len(clauses) > 1 else []
    problems += [
        f"no observation says that it belongs to {key}; add clause={key.split('~')[0]!r} where it is looked at"
        for key in clauses[1:] and sorted(set(clauses) - {key for keys in observed for key in keys})
    ]
    return Binding(
        path=path, line=node.lineno, name=node.name.removeprefix("test_"), clauses=tuple(clauses), needs=tuple(lists["needs"]),
        evidence=tuple(lists["evidence"]), device=device, doc=ast.get_docstring(node) or "", problems=tuple(problems),
        slow=slow, axes=tuple(axes),
    )  # fmt: skip


def _observations(node: ast.FunctionDef) -> list[ast.Call]:
    """The calls `observe.…` of a test, in the order of its lines; a picture observes nothing."""
    calls = [
        call
        for call in ast.walk(node)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id == "observe"
        and call.func.attr != "picture"
    ]
    return sorted(calls, key=lambda call: (call.lineno, call.col_offset))


def _keys(call: ast.Call, clauses: list[str], problems: list[str]) -> tuple[str, ...]:
    """The bound clauses to which one observation belongs; of several each observation has to say its own."""
    if len(clauses) < 2:
        return tuple(clauses)
    said = next((word.value for word in call.keywords if word.arg == "clause"), None)
    if said is None:
        problems.append(f"line {call.lineno}: of several clauses an observation must say which it belongs to: add clause=…")
        return ()
    names = [name.split("~")[0] for name in _strings(said, problems, "clause=")]
    keys = tuple(key for name in names for key in clauses if key.split("~")[0] == name)
    problems += [f"line {call.lineno}: clause={names!r} is not bound to this test"] if len(keys) < len(names) else []
    return keys


def _strings(node: ast.AST, problems: list[str], what: str) -> list[str]:
    """A string, or the strings of a tuple or list; anything else cannot be traced and is a problem."""
    parts = node.elts if isinstance(node, ast.Tuple | ast.List) else [node]
    bad = [part for part in parts if not (isinstance(part, ast.Constant) and isinstance(part.value, str))]
    if bad:
        problems.append(f"the {what} mark must hold plain strings, found {ast.unparse(bad[0])}")
    return [part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)]
