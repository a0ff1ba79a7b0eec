"""What `export` writes for other programs, of a file of one of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from conformance.connectors import process
from conformance.scenes import commands, converting, solving
from conformance.scenes.shared import once


def exported(backend: Any, shared: Path) -> tuple[process.Completed, Path]:
    """`export` of the CXI file as a product, once for all checks of a session: how it ended, and the product."""
    solving.offered(backend, "export", shared)

    def run(folder: Path) -> process.Completed:
        argv = [*backend.command("export"), *commands.listed(converting.cxi_files(folder)), "--to", "product", "--quiet"]
        return commands.call([*argv, "--output", folder / "out.h5"], folder)

    return process.Completed(**once(shared, "exported", lambda folder: vars(run(folder)))), shared / "exported" / "out_para.h5"
