"""A training on absolute counts by command, and inferences with what it left (CLI-016, CLI-081)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from conformance.connectors import process
from conformance.oracles.counts import statistics
from conformance.scenes import commands, counts, counts_factors, entrances, solving
from conformance.scenes.records import record, write_npz
from conformance.scenes.shared import once

STATED = 5.0e4
"""Photons that the metadata of `counted` state; its amplitudes have others."""


def counted(backend: Any, folder: Path, *more: Any) -> tuple[process.Completed, float, float]:
    """A training on absolute counts, and what its statistics are to say: photons of a mean pattern, the scale of CISCALE-002."""
    given = {**record(n=24, N=64), "_metadata": entrances.stated(STATED), "mask": np.ones((64, 64), bool)}  # it hides nothing
    data = write_npz(folder / "data.npz", **given)
    flags = {"--train_data_file": data, "--output_dir": folder / "output", "--gridsize": 1, "--max_epochs": 1}
    done = commands.call(
        [*backend.command("train"), *commands.listed(flags), "--absolute-counts", "--accelerator", "cpu", *more], folder
    )
    amplitude = given["diff3d"].astype(float)
    intensity = amplitude[:, None] ** 2 * STATED / np.mean(np.sum(amplitude**2, axis=(1, 2)))
    truth = statistics(intensity, np.zeros(len(intensity), int))
    return done, STATED, float(truth["rms_input_scale"][0])


def inferred(backend: Any, folder: Path, *more: Any, pictures: str = "pictures") -> process.Completed:
    """An inference with what `counted` left; `more`: further flags."""
    files = {"--test_data": folder / "data.npz", "--model_path": folder / "output", "--output_dir": folder / pictures}
    return commands.call([*backend.command("infer"), *commands.listed(files), "--accelerator", "cpu", *more], folder)


def counted_once(backend: Any, shared: Path) -> tuple[process.Completed, float, float, Path]:
    """The same, once for all checks of a session; beside it its folder."""

    def run(folder: Path) -> dict[str, Any]:
        done, photons, truth = counted(backend, folder)
        return {"done": vars(done), "photons": photons, "truth": truth}

    found = once(shared, "counted", run)
    return process.Completed(**found["done"]), found["photons"], found["truth"], shared / "counted"


BY_HAND = 5.0e3
"""Photons that a flag states, where the file states others."""
FACTORS = ("--rect-s1s2-init", "ones", "--rect-s1s2-trainable")
NEAR = 0.1
"""Of one: as far as a factor comes that begins there, in two steps of a thousandth."""


def by_hand(backend: Any, shared: Path) -> tuple[process.Completed, Path]:
    """The training with photons by hand and, where the help lists the flags, with factors that begin at one and are learnt: how
    it ended, and its checkpoint; once for all checks of a session.
    """
    solving.understood(backend, "train", "--nphotons", shared)
    more = FACTORS if all(flag in solving.offered(backend, "train", shared) for flag in FACTORS[::2]) else ()
    asked = ("--nphotons", f"{BY_HAND:g}", *more)
    done = once(shared, "counted-by-hand", lambda folder: vars(counted(backend, folder, *asked)[0]))
    return process.Completed(**done), shared / "counted-by-hand" / "output" / "checkpoints" / "last.ckpt"


def factors(backend: Any, checkpoint: Path) -> dict[str, float]:
    """The factor of each part of the object in a checkpoint, less one."""
    module, batch = backend.count_open(checkpoint), counts.batch_of(counts.prepared(backend, 1)["train"])
    found, weights = counts_factors.factors_of(backend, module, batch), counts.state(backend, module)
    return {part: float(weights[name].reshape(-1)[place]) - 1 for (name, place), part in found.items()}


def drawn(backend: Any, shared: Path, seed: int, listed_too: bool = True) -> tuple[process.Completed, Path]:
    """An inference with it, of ten exposures that a seed chooses, once for all checks: how it ended, and its pictures' folder."""
    folder, name = counted_once(backend, shared)[-1], f"seed-{seed}"
    more = ["--n_images", 10, *(["--seed", seed] if listed_too else [])]
    done = once(shared, f"counted-{name}", lambda _: vars(inferred(backend, folder, *more, pictures=name)))
    return process.Completed(**done), folder / name
