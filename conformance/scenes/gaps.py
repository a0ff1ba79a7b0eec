"""`infer` with a crop that leaves gaps, and with one that leaves none: what it says of them (CLI-103), and where patches lie."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from conformance.connectors import process
from conformance.connectors.names import NotClaimed
from conformance.scenes import commands, conduct, pictured, solving
from conformance.scenes.shared import once

SPREAD, WHOLE = 12, 64
"""Of CLI-010's positions, a third of a patch apart then; and all pixels of a patch."""


FLIPS = {"gaps": ("--flip-y", 1), "none": ("--flip-x", 0)}
"""Of the calls of `windowed` the flag that one of them alone has, and the axis of [x, y] that it negates."""
BESIDE: dict[str, dict[str, Any]] = {
    "gaps": {"--varpro-scaling": "global", "--n_images": 10, "--seed": 3},
    "none": {"--patch-weighting": "probe"},
}
"""What else they are told where the help lists it (CLI-106): neither moves a patch."""


def windowed(backend: Any, shared: Path) -> dict[str, process.Completed]:
    """`infer` on CLI-010's data with a crop that leaves gaps, and on a wide scan with one that leaves none.

    Where the help lists both flips, each of the two has one of them. Nobody reads the output of the second.
    """
    for flag in ("--stitch-crop-size", "--position-scale"):
        solving.understood(backend, "infer", flag, shared)
    flow, flips = commands.brief(backend, shared), _flips(backend, shared)

    def run(folder: Path, name: str, **more: int) -> process.Completed:
        own = {"--test_data": flow.output.parent / "data.npz", "--model_path": flow.output, "--output_dir": "out"}
        words = commands.listed(own | {f"--{name.replace('_', '-')}": value for name, value in more.items()})
        called = {"gaps": commands.call, "none": commands.unread}[name]
        argv = [*backend.command("infer"), *words, *flips.get(name, ())[:1], "--accelerator", "cpu"]
        done = called([*argv, *listed_words(backend, shared, BESIDE[name]), *always(backend, shared)], folder)
        return called(argv, folder) if done.returncode == 1 else done  # what cannot act beside another may say so

    cases = {"gaps": {"stitch_crop_size": conduct.CROP}, "none": {"stitch_crop_size": WHOLE, "position_scale": SPREAD}}
    told = {name: once(shared, f"windowed-{name}", _vars(run, name, more)) for name, more in cases.items()}
    return {name: process.Completed(**done) for name, done in told.items()}


def listed_words(backend: Any, shared: Path, given: Mapping[str, Any]) -> list[str]:
    """The flags that the help of `infer` lists, and their values; None is that of a switch."""
    listed = solving.offered(backend, "infer", shared)
    known = {flag: value for flag, value in given.items() if commands.hyphened(flag) in listed}
    return [str(word) for pair in known.items() for word in pair if word is not None]


def always(backend: Any, shared: Path) -> list[str]:
    """What a call is told that is compared with the library's: patches as they are, convolutions in single precision."""
    return listed_words(backend, shared, {"--plain": None, "--precision": "32-true"})


def _vars(run: Callable[..., process.Completed], name: str, more: dict[str, int]) -> Callable[[Path], dict[str, Any]]:
    return lambda folder: vars(run(folder, name, **more))


def _flips(backend: Any, shared: Path) -> dict[str, tuple[str, int]]:
    known = solving.offered(backend, "infer", shared)
    return FLIPS if all(flag in known for flag, _ in FLIPS.values()) else {}


def away_from_flipped(backend: Any, shared: Path, call: str) -> float:
    """How far, at most, a patch of a call of `windowed` lies from the nearest exposure, along x or y, that axis negated which its
    flag names; in parts of the scan. `NotClaimed` without the flags, or where no offsets are told.
    """
    windowed(backend, shared)
    if not (flips := _flips(backend, shared)):
        raise NotClaimed(f"command `infer`: its help does not list {FLIPS[call][0]}")
    with np.load(commands.brief(backend, shared).output.parent / "data.npz") as file:
        given = np.stack([file["xcoords"], file["ycoords"]], axis=-1).astype(float)
    numbers = pictured.numbers(shared / f"windowed-{call}" / "out")
    if "offsets" not in numbers:
        raise NotClaimed("reconstruction.npz: the command does not tell 'offsets'")
    given *= {"gaps": 1, "none": SPREAD}[call]
    given[:, flips[call][1]] *= -1
    apart = np.abs(numbers["offsets"].reshape(-1, 1, 2) - given).max(axis=2).min(axis=1)
    return float(apart.max() / np.ptp(given))
