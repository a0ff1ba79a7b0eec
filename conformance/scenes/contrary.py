"""Calls of `train` with flags that cannot act together, or not at all beside what is there (CLI-097)."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

from conformance.connectors import process
from conformance.scenes import archives, commands, conduct, solving

OLDER = "older"
CALLS: dict[str, tuple[str, ...]] = {
    "counts-resumed": ("--resume", OLDER, "--absolute-counts"),
    "begun-twice": ("--start-from", OLDER, "--resume", OLDER),
    "views-of-nothing": ("--views", "2"),
}
"""What a call has beside its files: one of the flags has to be named."""


def called(backend: Any, shared: Path, name: str, folder: Path) -> tuple[process.Completed, list[str]]:
    """The call: how it ended, and what it left in its folder; `NotClaimed` where the help does not list one of the flags.

    What was trained before is CLI-010's: whoever passes over one of the flags goes on from the other one.
    """
    for flag in (word for word in CALLS[name] if word.startswith("--")):
        solving.understood(backend, "train", flag, shared)
    flow = commands.brief(backend, shared)
    last = flow.output / "checkpoints" / "last.ckpt"
    places = {"--start-from": flow.output, "--resume": last}
    words = [places.get(before, word) if word == OLDER else word for before, word in pairwise(("", *CALLS[name]))]
    files = {"--train_data_file": flow.output.parent / "data.npz", "--output_dir": folder / "out"}
    own = commands.TRAINING | {"--max_epochs": 3, "--gridsize": 1, "--n_images": flow.groups}
    argv = [*backend.command("train"), *commands.listed(files | own), *words, "--accelerator", "cpu", "--quiet"]
    done = commands.call(argv, folder)
    return done, [name for name in archives.left(folder) if name.startswith("out/") and not conduct.holds(folder / name)]
