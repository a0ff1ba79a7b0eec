"""The rules of style that ruff cannot say, read from source.

`python -m conformance.selftest.style` prints each breach and ends with 1.

Everywhere: files up to 300 lines, functions up to 60 (mutants and twins: 12), all annotated, modules with a docstring, arrows of
import. In the suite: a test is bound to a clause, says what to suspect, decides nothing (no branch, loop, try, assert, skip) and
holds no tolerance. A comprehension over data is no loop; one that observes is.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

FILE_LINES, FUNCTION_LINES, MUTANT_LINES = 300, 60, 12
TREES = ("conformance", "reference_impl", "noxfile.py", ".ci/environments.py")
SUITE = Path("conformance/suite")
PLANTED = (Path("conformance/mutants"), Path("conformance/twins"), Path("conformance/defects/replays"))
KEPT = Path("conformance/results")
"""What runs left: scripts that the harness wrote."""

TRIAL = Path("conformance/clients/trial")
# Where → modules that may not be imported there, not even inside a function.
ARROWS = {
    "reference_impl/simulation": {"conformance", "torch", "pytest"},
    "reference_impl": {"conformance"},
    "conformance/suite": {"reference_impl", "torch"},
    "conformance/scenes": {"reference_impl", "torch", "pytest"},
    "conformance/oracles": {"reference_impl", "torch", "pytest", "scipy"},
}
CORE_ARROWS = {"reference_impl", "torch", "lightning", "tensordict", "pytest"}
"""What the harness's own modules, outside of backends, plug-in, suite and self-tests, may not import."""

FUZZY_CALLS = {"allclose", "isclose", "approx", "assert_allclose", "assert_array_almost_equal", "assert_almost_equal", "corrcoef"}
FUZZY_WORDS = {"atol", "rtol", "tol", "tolerance", "abs_tol", "rel_tol", "eps"}
SKIPS = {"skip", "skipif", "xfail", "importorskip"}
DECISIONS = {
    ast.If: "a branch",
    ast.IfExp: "a branch",
    ast.Match: "a branch",
    ast.For: "a loop",
    ast.While: "a loop",
    ast.AsyncFor: "a loop",
    ast.Try: "a try",
    ast.TryStar: "a try",
    ast.Assert: "an assert (use observe)",
}
COMPREHENSIONS = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
Function = ast.FunctionDef | ast.AsyncFunctionDef


def breaches(root: Path) -> list[str]:
    """Every breach of the project below `root`."""
    found: list[str] = []
    for top in TREES:
        place = root / top
        for path in [place] if place.is_file() else sorted(place.rglob("*.py")):
            relative = path.relative_to(root)
            if relative.is_relative_to(KEPT):
                continue
            text = path.read_text(encoding="utf-8")
            found += [f"{relative}:{fault}" for fault in check_source(text, relative)]
    return found


def check_source(text: str, relative: Path) -> list[str]:
    """`line: fault` for each breach in one file; `relative` says which rules apply."""
    tree = ast.parse(text)
    planted = relative.parent in PLANTED
    found = list(_general(tree, text, MUTANT_LINES if planted and relative.stem != "__init__" else FUNCTION_LINES, planted))
    found += [f"{line}: imports {name}, against the arrows" for line, name in _imports(tree) if name in _forbidden(relative)]
    if relative.is_relative_to(SUITE) and relative.name.startswith("test_"):
        found += _suite(tree)
    return found


def _general(tree: ast.Module, text: str, most: int, planted: bool) -> Iterator[str]:
    """`planted`: a function there that has no annotation mirrors one of the reference, whose annotations it would repeat."""
    lines = len(text.splitlines())
    if lines > FILE_LINES:
        yield f"1: {lines} lines, at most {FILE_LINES}"
    if tree.body and ast.get_docstring(tree) is None:
        yield "1: a module without a docstring"
    for node in ast.walk(tree):
        if not isinstance(node, Function):
            continue
        length = (node.end_lineno or node.lineno) - node.lineno + 1
        if length > most:
            yield f"{node.lineno}: {node.name} has {length} lines, at most {most}"
        if (missing := _unannotated(node)) and not (planted and _bare(node)):
            yield f"{node.lineno}: {node.name} is not annotated: {', '.join(missing)}"


def _unannotated(node: Function) -> list[str]:
    arguments = [
        *node.args.posonlyargs,
        *node.args.args,
        *node.args.kwonlyargs,
        *filter(None, [node.args.vararg, node.args.kwarg]),
    ]
    missing = [argument.arg for argument in arguments if argument.annotation is None and argument.arg not in ("self", "cls")]
    return missing + ([] if node.returns is not None else ["result"])


def _bare(node: Function) -> bool:
    """Whether a function has no annotation at all."""
    arguments = [part for part in ast.walk(node.args) if isinstance(part, ast.arg)]
    return node.returns is None and not any(argument.annotation for argument in arguments)


def _imports(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name.split(".")[0]) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.lineno, node.module.split(".")[0]


def _forbidden(relative: Path) -> set[str]:
    for place, names in ARROWS.items():
        if relative.is_relative_to(place):
            return names
    free = ("backends", "plugin", "selftest", "mutants", "twins")
    # The trial runs the released client on the reference: it makes its experiment with the reference's simulation.
    core = relative.parts[0] == "conformance" and relative.parts[1] not in free and relative.parent not in (*PLANTED, TRIAL)
    return CORE_ARROWS if core else set()


def _suite(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in SKIPS and ast.unparse(node).startswith("pytest."):
            yield f"{node.lineno}: {ast.unparse(node)} (a check is never skipped by hand)"
        if isinstance(node, ast.Call) and _called(node) in FUZZY_CALLS:
            yield f"{node.lineno}: {_called(node)} holds a tolerance of its own; use observe.close"
        if isinstance(node, Function) and node.name.startswith("test_"):
            yield from _test(node)


def _test(node: Function) -> Iterator[str]:
    marks = [ast.unparse(mark.func if isinstance(mark, ast.Call) else mark) for mark in node.decorator_list]
    if "pytest.mark.clause" not in marks:
        yield f"{node.lineno}: {node.name} is bound to no clause"
    doc = ast.get_docstring(node)
    if not doc or "If this fails, suspect" not in " ".join(doc.split()):
        yield f"{node.lineno}: {node.name} does not say `If this fails, suspect …` in its docstring"
    for part in (inner for statement in node.body for inner in ast.walk(statement)):
        if what := DECISIONS.get(type(part)):
            yield f"{part.lineno}: {node.name} holds {what}"
        if isinstance(part, COMPREHENSIONS) and _observes(part):
            yield f"{part.lineno}: {node.name} observes in a loop"
        if _is_tolerance(part):
            yield f"{part.lineno}: {node.name} holds a tolerance: {ast.unparse(part)}"


def _observes(node: ast.AST) -> bool:
    return any(isinstance(part, ast.Name) and part.id == "observe" for part in ast.walk(node))


def _is_tolerance(node: ast.AST) -> bool:
    """A keyword that names one, or a comparison or a limit with a small float written out."""
    if isinstance(node, ast.keyword):
        return node.arg in FUZZY_WORDS and isinstance(node.value, ast.Constant)
    if isinstance(node, ast.Compare):
        return any(_small(side) for side in (node.left, *node.comparators))
    return isinstance(node, ast.Call) and _called(node) in ("at_most", "at_least") and any(map(_small, node.args))


def _small(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, float) and 0 < abs(node.value) < 0.1


def _called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def main() -> int:
    """Print the breaches of this checkout."""
    found = breaches(Path(__file__).resolve().parents[2])
    print("\n".join([*found, f"{len(found)} breaches of style"]))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
