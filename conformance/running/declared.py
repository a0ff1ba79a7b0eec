"""The checks that the suite declares here, with all their cases: collected by pytest, and none of them run."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from conformance.evidence import report as reports
from conformance.evidence.submission import Declared
from conformance.protocol import BackendInfo
from conformance.running.run import Options, command, environment
from conformance.specification import texts


class Nobody:
    """A backend without a method, so that collecting needs nobody's."""

    def __init__(self, device: str = "cpu") -> None:
        self.device = device

    def info(self) -> BackendInfo:
        """It claims nothing."""
        return BackendInfo(name="nobody", version="0", profiles=())


def declared(device: str, suite: Path | None = None, specs: Path | None = None) -> Declared:
    """Every check of the suite on a device, with the keys of its clauses; raises `RuntimeError` where it cannot be collected."""
    options = Options(backend=f"{__name__}:{Nobody.__name__}", device=device, workers=0, repro=False, suite=suite, specs=specs)
    with tempfile.TemporaryDirectory(prefix="conform-") as folder:
        report = Path(folder, "report.jsonl")
        argv = [*command(options, report), "--collect-only"]
        done = subprocess.run(argv, env=environment(), capture_output=True, text=True, encoding="utf-8", errors="replace")
        plan = reports.assemble(texts.read(report).splitlines(keepends=True)).plan if report.is_file() else {}
    checks = {**plan.get("collected", {}), **plan.get("deselected", {})}
    if not checks:
        told = " ".join((done.stderr or done.stdout).split())[-300:]
        raise RuntimeError(f"the suite here cannot be collected (pytest ended with {done.returncode}): {told}")
    return Declared(checks, frozenset(plan["here"]))
