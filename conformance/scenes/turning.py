"""Files whose detector is turned, and what `inspect --orientations` says of them (CLI-095)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from conformance.connectors import process
from conformance.scenes import commands, solving, tuned
from conformance.scenes.records import write_npz

FLAGS = ("--transpose", "--flip-rows", "--flip-columns")
"""Of a conversion, by which an orientation is named."""


def ranked(backend: Any, shared: Path, folder: Path) -> tuple[process.Completed, list[str]]:
    """`inspect --orientations` of exact patterns, rows for columns: how it ended, and the first orientation that it names.

    A line names one by the flags of a conversion that make it.
    """
    for flag in ("--orientations", "--output"):
        solving.understood(backend, "inspect", flag, shared)
    given = tuned.experiment()
    data = write_npz(folder / "turned.npz", **{**given, "diff3d": np.ascontiguousarray(given["diff3d"].swapaxes(1, 2))})
    done = commands.call([*backend.command("inspect"), data, "--orientations", "--output", folder / "picture.png"], folder)
    lines = [set(commands.hyphened(line).split()) & set(FLAGS) for line in done.stdout.splitlines()]
    return done, sorted(next((line for line in lines if line), ()))
