"""`inspect` of a file of another program, under each flag that says what a file holds (CLI-096)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from conformance.connectors import process
from conformance.connectors.names import NotClaimed
from conformance.oracles import pictures
from conformance.scenes import archives, commands, conduct, converting, interop, masks, odds, solving
from conformance.scenes.shared import once

WORDS: dict[str, Any] = {"--measurement": "amplitude", "--mask": "good.npy", "--position-scale": 1e-6}
"""Flag → a value that is not what such a file says: what is found under it (DATA-030) tells as well as a picture."""


def looked_at(backend: Any, shared: Path, flag: str = "") -> tuple[process.Completed, Path]:
    """The call with a flag or none, once for all checks of a session: how it ended, and its picture.

    Without one, with a crop that leaves gaps, of which no picture tells.

    `NotClaimed` where the help does not list the flag, or does not name CXI: who names it and refuses the file has failed.
    """
    for name in ("--output", *([flag] if flag else [])):
        solving.understood(backend, "inspect", name, shared)
    if "cxi" not in once(shared, "offered-inspect", dict)["stdout"].lower():
        raise NotClaimed("command `inspect`: its help does not name CXI")

    def run(folder: Path) -> process.Completed:
        interop.hdf5()
        data = converting.cxi_files(folder)["--source"]
        np.save(folder / "good.npy", masks.mask(converting.SIDE))
        crop = ["--stitch-crop-size", conduct.CROP] if conduct.crops(backend, shared) else []
        words = [flag, WORDS[flag]] if flag else crop
        argv = [*backend.command("inspect"), data, *words, "--output", folder / "picture.png", "--quiet"]
        return commands.call(argv, folder)

    name = f"looked-at{flag}"
    return process.Completed(**once(shared, name, lambda folder: vars(run(folder)))), shared / name / "picture.png"


def heard(backend: Any, shared: Path, flag: str) -> tuple[bool, str]:
    """Whether a flag was refused by its name, or has a finding, or another picture than no flag; and what happened."""
    told, plain = looked_at(backend, shared)
    if told.returncode:
        return False, f"without the flag {told.returncode}: {told.stderr[-500:]}"
    done, picture = looked_at(backend, shared, flag)
    if done.returncode:
        words = (flag.strip("-"), *odds.NAMES)
        named = done.returncode == 1 and any(word in commands.hyphened(done.stderr) for word in words)
        return named, f"{done.returncode}: {done.stderr[-500:]}"
    if not picture.is_file():
        return False, f"no picture: {archives.left(picture.parent)}"
    first, second = pictures.pixels(plain), pictures.pixels(picture)
    return not (first.shape == second.shape and bool((first == second).all())), "the same picture"
