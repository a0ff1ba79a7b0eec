"""Short trainings by command under some further flags each, and what their bundles say (CLI-107)."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from conformance.connectors import process
from conformance.connectors.names import NotClaimed
from conformance.scenes import commands, configs, inputs, map_settings, solving
from conformance.scenes.records import record
from conformance.scenes.shared import once
from conformance.specification import flag_table

CALLS: dict[str, tuple[Callable[[Path], Path], tuple[Any, ...]]] = {
    "groups": (lambda folder: inputs.data_file(folder, "data.npz", N=128, n=8),
               ("--n_images", 2, "--gridsize", 2, "--no-deterministic", "--disable_mlflow")),
    "small": (lambda folder: legacy(folder, 8), ("--gridsize", 2, "--disable-checkpointing")),
    "dropped": (map_settings.both_missing, ("--deterministic", "--enable-checkpointing")),
}  # fmt: skip
"""Call → its file, and the flags of CLI-001 that it is there for (CLI-004, CLI-011)."""
APART = "--enable-oversampling"
"""How many groups there are is what two of these calls are asked."""
PHOTONS = {"--nphotons": ("nphotons", 7.0e4)}
"""Of patterns that are amplitudes; CLI-041 states them of counts. Two calls have it, for one file states its own."""
FAILED = "failed.txt"
"""How a call ended under its further flags, where it failed."""


def legacy(folder: Path, n: int) -> Path:
    """A file of `n` exposures in the older layout, `(H, W, M)`: of fewer patterns than each has rows (DATA-004)."""
    return inputs.data_file(folder, "data.npz", n=n, diff3d=np.moveaxis(record(n, 64)["diff3d"], 0, -1))


def flags(backend: Any, shared: Path, call: str) -> dict[str, tuple[str, Any]]:
    """The further flags of a call that the help of `train` lists: of two switches, at least one call has one alone.

    Switches come first: who exchanges two of them is seen by nothing else. Values of other flags are of different kinds. No flag
    is in all calls: of one that another brings along no call would tell.
    """
    listed = solving.offered(backend, "train", shared)
    known = {flag: said for flag, said in flag_table.further("train").items() if flag in listed and flag != APART}
    ordered = sorted(known, key=lambda flag: not isinstance(known[flag][1], bool))
    halves = [half for size in range(1, len(CALLS)) for half in combinations(CALLS, size)]
    chosen = {flag: known[flag] for number, flag in enumerate(ordered) if call in halves[number % len(halves)]}
    return chosen | ({flag: said for flag, said in PHOTONS.items() if flag in listed} if call != "dropped" else {})


def called(backend: Any, shared: Path, call: str) -> tuple[process.Completed, Path]:
    """A call, once for all checks of a session: how it ended, and its folder. Where it fails under its further flags it is made
    without them: it is there for others first.
    """

    def run(folder: Path) -> process.Completed:
        make, own = CALLS[call]
        given = {"--train_data_file": make(folder), "--output_dir": folder / "out", "--max_epochs": 1}
        argv = [*backend.command("train"), *commands.listed(given), *own, "--accelerator", "cpu", "--quiet"]
        more = [str(word) for flag, (_, value) in flags(backend, shared, call).items()
                for word in ((flag,) if isinstance(value, bool) else (flag, value))]  # fmt: skip
        done = commands.call([*argv, *more], folder)
        if not done.returncode or not more:
            return done
        (folder / FAILED).write_text(f"{done.returncode}: {done.stderr[-1500:]}", encoding="utf-8")
        return commands.call(argv, folder)

    place = f"settings-{call}"
    return process.Completed(**once(shared, place, lambda folder: vars(run(folder)))), shared / place / "out"


def failed(backend: Any, shared: Path) -> str:
    """How a call ended under its further flags, where it failed; `NotClaimed` where it ended with code 1 and the name of one."""
    for call in CALLS:
        _, folder = called(backend, shared, call)
        said = (folder.parent / FAILED).read_text(encoding="utf-8") if (folder.parent / FAILED).is_file() else ""
        named = [name for name, _ in flags(backend, shared, call).values() if name in said.replace("-", "_")]
        if said.startswith("1:") and named:
            raise NotClaimed(f"command `train`: {named[0]} beside other settings: {said}")
        if said:
            return said
    return ""


def wrong(backend: Any, shared: Path) -> dict[str, dict[str, Any]]:
    """Setting → call → what its bundle says of it, where that is not the value of its flag; or, where a call has no such flag,
    not what another one without it says. A bundle need not know a setting.
    """
    said = {call: backend.load(called(backend, shared, call)[1])[1] for call in CALLS}
    typed = {call: dict(flags(backend, shared, call).values()) for call in CALLS}
    found: dict[str, dict[str, Any]] = {}
    for name in {name for settings in typed.values() for name in settings}:
        told = {call: said[call].get(configs.REGISTRY_KEYS.get(name, name)) for call in CALLS}
        usual = next((told[call] for call in CALLS if name not in typed[call]), None)
        right = {call: typed[call].get(name, usual) for call in CALLS}
        if None not in told.values() and told != right:
            found[name] = told
    return found
