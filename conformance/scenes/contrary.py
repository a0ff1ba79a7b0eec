"""Calls of `train` with flags that cannot act together, or not at all beside what is there (CLI-097)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from conformance.connectors import process
from conformance.scenes import archives, commands, runs, solving
from conformance.scenes.records import record, write_npz

OLDER = "older"
CALLS: dict[str, tuple[str, ...]] = {
    "counts-resumed": ("--resume", OLDER, "--absolute-counts"),
    "begun-twice": ("--start-from", OLDER, "--resume", OLDER),
    "views-of-nothing": ("--views", "2"),
}
"""What a call has beside its files: the first flag is the one that has to be named."""


def called(backend: Any, shared: Path, name: str, folder: Path) -> tuple[process.Completed, list[str]]:
    """The call: how it ended, and what it left in its folder; `NotClaimed` where the help does not list one of the flags.

    What was trained before is a file that is there, and nothing that could be gone on from: nobody is to look.
    """
    for flag in (word for word in CALLS[name] if word.startswith("--")):
        solving.understood(backend, "train", flag, shared)
    (folder / OLDER).write_bytes(b"of an earlier training")
    files = {"--train_data_file": write_npz(folder / "data.npz", **record(n=8, N=runs.N)), "--output_dir": folder / "out"}
    argv = [
        *backend.command("train"),
        *commands.listed(files),
        *CALLS[name],
        "--max_epochs",
        1,
        "--accelerator",
        "cpu",
        "--quiet",
    ]
    return commands.call(argv, folder), archives.left(folder / "out") if (folder / "out").is_dir() else []
