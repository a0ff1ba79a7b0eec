"""`reconstruct` under all that it can be told of a file and of what is to be found, in one call (CLI-108)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from conformance.connectors import process
from conformance.connectors.names import NotClaimed
from conformance.scenes import commands, engines, flags, masks, solving
from conformance.scenes.records import write_npz
from conformance.scenes.shared import once

MODES, SWEEPS = 2, 20
TOLD: dict[str, Any] = {"--modes": MODES, "--likelihood": "poisson", "--measurement": "counts", "--position-scale": flags.SCALE}
SWITCHES = ("--refine-positions", "--checkpoint")
MOVED, LEFT = 1e-3, 0.2
"""Pixels, rms, by which positions that are refined have moved at least; and the relative residual that is left at most."""


def experiment() -> dict[str, np.ndarray]:
    """Photons of two modes, of which the file has one, at positions that are wrong."""
    light = engines.light_of_two_modes()
    given = engines.under(light, engines.experiment(whole=False))
    return solving.EXPERIMENTS["shaken"](solving.EXPERIMENTS["noisy"]({**given, "probeGuess": light[1]}))


def _called(backend: Any, folder: Path, data: Path, *more: Any, **other: Any) -> process.Completed:
    told = TOLD | {f"--{name}": value for name, value in other.items()}
    files = {"--data": data, "--mask": data.parent / "good.npy", "--output-dir": folder / "out", "--accelerator": "cpu"}
    return commands.call([*backend.command("reconstruct"), *commands.listed(files | told), *SWITCHES, "--quiet", *more], folder)


def found(backend: Any, shared: Path) -> solving.Solved:
    """The call, once for all checks of a session; `NotClaimed` where it is refused by the name of one of its flags."""
    for flag in (*TOLD, *SWITCHES, "--mask"):
        solving.understood(backend, "reconstruct", flag, shared)

    def run(folder: Path) -> process.Completed:
        given, good = experiment(), masks.mask(engines.N)
        np.save(folder / "good.npy", good)
        places = {axis: given[axis] / flags.SCALE for axis in ("xcoords", "ycoords")}
        counts = flags.hot(given["diff3d"].astype(float), good)
        counts[::2] *= good  # hot in every other pattern: no probe explains that
        data = write_npz(folder / "counts.npz", **{**given, **places, "diff3d": counts})
        return _called(backend, folder, data, sweeps=SWEEPS)

    done = process.Completed(**once(shared, "told-together", lambda folder: vars(run(folder))))
    last = commands.hyphened(done.stderr.strip().rpartition("\n")[2])
    if done.returncode == 1 and (named := [flag for flag in (*TOLD, *SWITCHES, "--mask") if flag in last]):
        raise NotClaimed(f"command `reconstruct`: {named[0]} beside the others: {last}")
    return solving.Solved(done, "shaken", shared / "told-together" / "out")


def moved(solved: solving.Solved) -> float:
    """Pixels, rms, between the positions that were found and those of the file."""
    given = experiment()
    return float(np.sqrt(np.mean((solved["positions"] - np.stack([given["xcoords"], given["ycoords"]], axis=-1)) ** 2)))


def contradicted(backend: Any, shared: Path, folder: Path) -> tuple[process.Completed, str]:
    """Its state, gone on from under the other likelihood: how it ended, and the state's name."""
    state = solving.state_of(found(backend, shared))
    done = _called(backend, folder, shared / "told-together" / "counts.npz", "--resume", state, likelihood="amplitude")
    return done, state.name
