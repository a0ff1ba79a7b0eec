"""A new backend's package, from a name: every method of every surface, as `conformance.protocol` has them now. Pure.

The adapter is read from the protocol's own source, imports included, so that it cannot go stale.
"""

from __future__ import annotations

import ast
import keyword
import re
import sys
import textwrap
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from conformance import __version__, protocol, protocol_optional
from conformance.connectors.names import BUILT_IN, ENTRY_POINTS, PLANTED, SURFACES, offered
from conformance.evidence.expectations import MOST
from conformance.specification.texts import counted

WIDTH = 100
OWN = ("BackendInfo", "Native", "Overrides")
"""What an adapter takes from the protocol itself."""

ONLY_IN = {"client": "ptychodus", "mapped": "mmap", "counts": "ci", "weighted": "varpro"}
ONLY_IN |= {name: name for name in ("generators", "interop", "judged")}
"""Surface → the one profile whose clauses ask for it."""

TEMPLATES = {
    ".github/workflows/conform.yml": "github.yml.j2",
    ".gitlab-ci.yml": "gitlab.yml.j2",
    "pyproject.toml": "pyproject.toml.j2",
    "README.md": "README.md.j2",
    "noxfile.py": "noxfile.py.j2",
    "{name}/__init__.py": "init.py.j2",
    "{name}/adapter.py": "adapter.py.j2",
    "expectations/{name}.toml": "expectations.toml.j2",
}


@dataclass(frozen=True)
class Surface:
    """A surface: its name, the first line of its docstring, and its methods as source."""

    name: str
    title: str
    methods: tuple[str, ...]
    used: frozenset[str] = frozenset()
    """Names in the signatures of the methods."""


def name_fault(name: str) -> str:
    """Why a package cannot be called so; empty where it can."""
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or keyword.iskeyword(name):
        return "expected a name for a package: lower-case letters, digits and _, no word of Python"
    if name in {*BUILT_IN, *PLANTED}:
        return "expected a name of its own, found one that is taken"
    return ""


def files(name: str, profiles: Sequence[str], asked: Sequence[str] = (), digest: str = "") -> dict[str, str]:
    """Path in the new folder → text. `asked`: the surfaces or methods to write, and to offer; none: all that the profiles need.

    `digest` is that of the specification, which the job for CI asks for.
    """
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("conformance.cli"), undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True,
        keep_trailing_newline=True,
    )  # fmt: skip
    environment.filters["counted"] = counted
    whole = surfaces(offered(asked), [name for name, profile in ONLY_IN.items() if profile not in profiles])
    facts = {
        "name": name,
        "group": ENTRY_POINTS,
        "suite": __version__,
        "digest": digest,
        "profiles": _tuple(profiles),
        "offered": _tuple(asked) if asked else "",
        "most": MOST,
        "surfaces": whole,
        "methods": sum(len(surface.methods) for surface in whole),
        "imports": imports(whole),
    }
    return {
        path.format(name=name): environment.get_template(template).render(facts).rstrip("\n") + "\n"
        for path, template in TEMPLATES.items()
    }


def _tuple(words: Sequence[str]) -> str:
    """The source of a tuple of words."""
    return "(" + ", ".join(f'"{word}"' for word in words) + ("," if len(words) == 1 else "") + ")"


def surfaces(within: Collection[str] | None, left: Collection[str]) -> list[Surface]:
    """The surfaces of the protocol with the methods that are asked for; of none all, some surfaces left out. `info` aside."""
    found = []
    for name, node in _classes().items():
        title = (ast.get_docstring(node) or "").splitlines()[0]
        taken = [part for part in _functions(node) if (name not in left if within is None else part.name in within)]
        used = {part.id for method in taken for part in ast.walk(_signature(method)) if isinstance(part, ast.Name)}
        found += [Surface(name, title, tuple(_method(name, part) for part in taken), frozenset(used))] if taken else []
    return found


def imports(whole: Sequence[Surface]) -> str:
    """The protocol's own imports, as far as the methods' signatures use them."""
    used = {name for surface in whole for name in surface.used}
    lines = []
    for node in _trees()[0].body:
        if isinstance(node, ast.Import | ast.ImportFrom) and getattr(node, "module", "") != "__future__":
            node.names = [alias for alias in node.names if (alias.asname or alias.name) in used]
            lines += [ast.unparse(node)] if node.names else []
    standard = [line for line in lines if line.split()[1].split(".")[0] in sys.stdlib_module_names]
    others = [line for line in lines if line not in standard]
    ours = f"from conformance.protocol import {', '.join(name for name in OWN if name in {*used, OWN[0]})}"
    return "\n\n".join("\n".join(group) for group in (standard, [*others, ours]) if group)


def _trees() -> list[ast.Module]:
    """The sources of the protocol; all names that the second one uses, the first one imports."""
    return [ast.parse(Path(str(part.__file__)).read_text(encoding="utf-8")) for part in (protocol, protocol_optional)]


def _classes() -> dict[str, ast.ClassDef]:
    """Surface → its class."""
    classes = {node.name: node for tree in _trees() for node in tree.body if isinstance(node, ast.ClassDef)}
    return {surface: classes[found.__name__] for surface, found in SURFACES.items()}


def _functions(node: ast.ClassDef) -> Iterator[ast.FunctionDef]:
    return (part for part in node.body if isinstance(part, ast.FunctionDef) and part.name != "info")


def _signature(method: ast.FunctionDef) -> ast.AST:
    """The method without its body."""
    return ast.Module(
        [ast.FunctionDef(name=method.name, args=method.args, body=[], decorator_list=[], returns=method.returns)], []
    )


def _method(surface: str, method: ast.FunctionDef) -> str:
    """The method's source, its body replaced; a signature that is too long stands a parameter a line."""
    parameters = list(_parameters(method.args))
    returns = f" -> {ast.unparse(method.returns)}" if method.returns else ""
    head = f"def {method.name}({', '.join(parameters)}){returns}:"
    if len(head) > WIDTH:
        head = "\n".join([f"def {method.name}(", *(f"    {part}," for part in parameters), f"){returns}:"])
    doc = ast.get_docstring(method)
    body = textwrap.indent(f'"""{doc}"""\n', "    ") if doc else ""
    body += f'    raise NotImplementedError("surface {surface}: {method.name}")'
    return textwrap.indent(f"{head}\n{body}", "    ")


def _parameters(found: ast.arguments) -> Iterator[str]:
    """The parameters one by one, as they stand in a signature."""
    plain = [*found.posonlyargs, *found.args]
    defaults: list[ast.expr | None] = [None] * (len(plain) - len(found.defaults)) + list(found.defaults)
    for argument, default in zip(plain, defaults, strict=True):
        yield _parameter(argument, default)
    if found.vararg:
        yield f"*{_parameter(found.vararg)}"
    elif found.kwonlyargs:
        yield "*"
    for argument, default in zip(found.kwonlyargs, found.kw_defaults, strict=True):
        yield _parameter(argument, default)
    if found.kwarg:
        yield f"**{_parameter(found.kwarg)}"


def _parameter(argument: ast.arg, default: ast.expr | None = None) -> str:
    told = ast.unparse(argument)
    value = ast.unparse(default).replace("'", '"') if default else ""
    return f"{told} = {value}" if value else told
