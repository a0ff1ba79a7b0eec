"""What goes on from a bundle by command: `infer --refine`, `train --start-from`; each call once for all checks of a session."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from conformance.connectors import native, process
from conformance.scenes import commands, engines, networks, runs, solving
from conformance.scenes.records import write_npz
from conformance.scenes.shared import once

N = 64
SWEEPS = 20
FOLDER = "refined"
STILL = 1e-30
"""A learning rate at which no weight in single precision moves."""


def experiment() -> dict[str, np.ndarray]:
    """The engine's experiment on twice as fine a detector: the probe is dark around it."""
    x, y = engines.scan(whole=True)
    probe, pixel = np.pad(engines.compact_probe(), (N - engines.N) // 2), np.arange(N) - N // 2
    waves = probe * engines.transmission((y[:, None] + pixel)[:, :, None], (x[:, None] + pixel)[:, None, :])
    amplitude = np.abs(np.fft.fftshift(np.fft.fft2(waves, norm="ortho"), axes=(-2, -1)))
    return {"xcoords": x, "ycoords": y, "diff3d": amplitude.astype(np.float32), "probeGuess": probe}


def refined(backend: Any, shared: Path, *more: Any) -> solving.Solved:
    """`infer --refine` on it with CLI-010's bundle; `more`: further flags."""
    solving.understood(backend, "infer", "--refine", shared)
    flow = commands.brief(backend, shared)

    def run(folder: Path) -> process.Completed:
        files = {"--test_data": write_npz(folder / "fine.npz", **experiment()), "--model_path": flow.output}
        argv = [*backend.command("infer"), *commands.listed(files), "--output_dir", folder / "out", "--accelerator", "cpu"]
        return commands.call([*argv, "--refine", SWEEPS, *more], folder)

    name = "-".join(["refined", *(flag.strip("-") for flag in more)])
    done = once(shared, name, lambda folder: vars(run(folder)))
    return solving.Solved(process.Completed(**done), "plain", shared / name / "out" / FOLDER)


def cold(backend: Any, shared: Path) -> solving.Solved:
    """`reconstruct` on the same file, with as many sweeps, from nothing."""
    solving.offered(backend, "reconstruct", shared)

    def run(folder: Path) -> process.Completed:
        own = ["--data", write_npz(folder / "fine.npz", **experiment()), "--output-dir", folder / "out", "--sweeps", SWEEPS]
        return commands.call([*backend.command("reconstruct"), *own, "--accelerator", "cpu"], folder)

    done = once(shared, "cold", lambda folder: vars(run(folder)))
    return solving.Solved(process.Completed(**done), "plain", shared / "cold" / "out")


def begun(backend: Any, shared: Path, *more: Any) -> tuple[process.Completed, Path]:
    """`train --start-from` CLI-010's bundle on other data, at a rate at which nothing moves: how it ended, and its folder."""
    solving.understood(backend, "train", "--start-from", shared)
    flow = commands.brief(backend, shared)

    def run(folder: Path) -> process.Completed:
        files = {"--train_data_file": write_npz(folder / "fine.npz", **experiment()), "--output_dir": folder / "out"}
        own = {"--start-from": flow.output, "--max_epochs": 1, "--n_images": 4, "--batch_size": 4, "--learning-rate": STILL}
        argv = [*backend.command("train"), *commands.listed(files | own), "--accelerator", "cpu", "--quiet", *more]
        return commands.call(argv, folder)

    name = "-".join(["begun", *(str(flag).strip("-") for flag in more)])
    return process.Completed(**once(shared, name, lambda folder: vars(run(folder)))), shared / name / "out"


def weights(backend: Any, folder: Path) -> dict[str, np.ndarray]:
    """The weights of the bundle in a folder that have a gradient: a network's statistics of what it met move at any rate."""
    models, _ = backend.load(folder)
    module = native.item(models, "diffraction_to_obj")
    one = networks.settings(backend, {"gridsize": 1})
    learned = backend.gradient(module, networks.first_batch(backend, networks.container(1), one))
    return {name: array for name, array in runs.weights(backend, module).items() if name in learned}
