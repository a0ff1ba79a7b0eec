"""The report's lines, and a comparison, against their schemas beside this file (JSON Schema, draft 2020-12)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from conformance.evidence.report import MalformedLine, ReportError, assemble, located
from conformance.specification.texts import parsed, read

SCHEMA = Path(__file__).with_name("report.schema.json")
COMPARISON = Path(__file__).with_name("comparison.schema.json")


def check_shapes(texts: Sequence[str]) -> None:
    """Raise `MalformedLine` for the first line that is not as the schema says; the texts are JSON objects, one a line."""
    from jsonschema import Draft202012Validator

    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    definitions = schema["$defs"]
    assemble(texts)
    kinds = {
        name: Draft202012Validator({"$ref": f"#/$defs/{name}", "$defs": definitions})
        for name in ("header", "plan", "result", "blocked", "expectation", "footer")
    }
    for place, text in enumerate(texts, start=1):
        line = json.loads(text)
        if str(line.get("kind")) not in kinds:
            raise MalformedLine(f"kind: expected one of {', '.join(kinds)}, found {line.get('kind')!r}", place)
        for error in kinds[line["kind"]].iter_errors(line):
            raise MalformedLine(_told(error), place)


@contextmanager
def of_stranger(*paths: Path) -> Iterator[None]:
    """What goes wrong with reports that are not as their schema says is their fault, told by file, line and field.

    Raises `MalformedLine` then; an error that no schema explains is ours, and passes as it is.
    """
    try:
        yield
    except ReportError:
        raise
    except (KeyError, TypeError, AttributeError, IndexError, ValueError, RecursionError) as error:
        for path in paths:
            if path.is_file():
                _explained(path, error)
        raise


def _explained(path: Path, error: Exception) -> None:
    try:
        check_shapes(read(path).splitlines(keepends=True))
    except ReportError as found:
        raise located(found, path) from error


def check_comparison(text: str) -> dict[str, Any]:
    """comparison.json, as its schema says; raises `MalformedLine` where it is not."""
    from jsonschema import Draft202012Validator

    try:
        told: dict[str, Any] = parsed(text)
    except ValueError as error:
        raise MalformedLine(f"no JSON: {error}", getattr(error, "lineno", 0)) from error
    for error in Draft202012Validator(json.loads(COMPARISON.read_text(encoding="utf-8"))).iter_errors(told):
        raise MalformedLine(_told(error))
    return told


def _told(error: Any) -> str:
    """Field: what was expected, in the schema's words."""
    return f"{error.json_path.removeprefix('$.')}: {error.message[:200]}"
