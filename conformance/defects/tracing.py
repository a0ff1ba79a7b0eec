"""Which lines of the reference a check reaches, in its own process and in those that it starts; needs coverage.py."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = "reference_impl"
LINES = "lines.json"
START = "import coverage\n\ncoverage.process_startup()\n"


@contextmanager
def traced(folder: Path) -> Iterator[None]:
    """Write `folder/lines.json` at the end: file of the reference → its lines (counted from 1) that ran inside."""
    import coverage

    package = Path(str(sys.modules[ROOT].__file__)).parent
    hook = folder / "hook"
    hook.mkdir()
    (hook / "sitecustomize.py").write_text(START, encoding="utf-8")
    settings = folder / "coverage.ini"
    lines = ["[run]", "parallel = true", "sigterm = true", f"data_file = {folder / '.coverage'}", f"include = {package}/*"]
    settings.write_text("\n".join([*lines, f"omit = {package}/tests/*", ""]), encoding="utf-8")
    os.environ["COVERAGE_PROCESS_START"] = str(settings)
    os.environ["PYTHONPATH"] = os.pathsep.join(part for part in (str(hook), os.environ.get("PYTHONPATH")) if part)
    cover = coverage.Coverage(config_file=str(settings), messages=False)
    cover.start()
    try:
        yield
    finally:
        cover.stop()
        cover.save()
        cover.combine([str(folder)])
        data = cover.get_data()
        found = {Path(name).relative_to(package).as_posix(): sorted(data.lines(name) or ()) for name in data.measured_files()}
        (folder / LINES).write_text(json.dumps(found), encoding="utf-8")
