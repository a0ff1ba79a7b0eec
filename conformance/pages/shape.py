"""The report's lines, and a comparison, against their schemas beside this file (JSON Schema, draft 2020-12)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from conformance.evidence.report import MalformedLine, assemble

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
        if line.get("kind") not in kinds:
            raise MalformedLine(f"kind: expected one of {', '.join(kinds)}, found {line.get('kind')!r}", place)
        for error in kinds[line["kind"]].iter_errors(line):
            raise MalformedLine(_told(error), place)


def check_comparison(text: str) -> dict[str, Any]:
    """comparison.json, as its schema says; raises `MalformedLine` where it is not."""
    from jsonschema import Draft202012Validator

    try:
        told: dict[str, Any] = json.loads(text)
    except json.JSONDecodeError as error:
        raise MalformedLine(f"no JSON: {error}", error.lineno) from error
    for error in Draft202012Validator(json.loads(COMPARISON.read_text(encoding="utf-8"))).iter_errors(told):
        raise MalformedLine(_told(error))
    return told


def _told(error: Any) -> str:
    """Field: what was expected, in the schema's words."""
    return f"{error.json_path.removeprefix('$.')}: {error.message[:200]}"
