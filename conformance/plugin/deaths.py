"""Checks that take their process with them: what is said of them, and by whom.

A worker that dies is reported by the controller. Where there are no workers the report dies too: its next line then lies ready in
a file beside it, and whoever started the process finishes it (`conformance.running.run`).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conformance.plugin.station import Station


def again(check: dict[str, Any], station: Station) -> str:
    """The command that repeats a check."""
    return f"conform run --backend {station.backend_name} --device {station.device} -k '{check['id'].rpartition('@')[0]}'"


def message(check: dict[str, Any], station: Station, how: str) -> str:
    """The refutation of a check that never ended."""
    lines = [check["clauses"][0], f"  check     {check['id']}", "  expected  an answer", f"  found     the process died: {how}"]
    return "\n".join([*lines, f"  suspect   {check['suspect']}", f"  repeat    {again(check, station)}"])


def stop(check: dict[str, Any]) -> dict[str, Any]:
    """Where it stopped, as far as that is known: it fails the first clause of its name, and nothing was seen of the others."""
    return {"observation": "", "clauses": check["clauses"][:1], "unreached": check["clauses"][1:]}


def script(config: pytest.Config, file: Path | None, check: dict[str, Any], station: Station) -> dict[str, Any]:
    """The script of a dead check, where scripts are left."""
    if file is None or not config.pluginmanager.has_plugin("conformance.plugin.reproduce"):
        return {}
    from conformance.repro import shelf

    return shelf.of_the_dead(file.parent, check["id"], again(check, station))
