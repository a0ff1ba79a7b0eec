"""What goes on from a bundle by command: `infer --refine`, `train --start-from`; each call once for all checks of a session."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np

from conformance.connectors import native, process
from conformance.scenes import commands, configs, engines, flags, masks, networks, rights, runs, solving
from conformance.scenes.records import write_npz
from conformance.scenes.shared import once

N = 64
RANKED = "checkpoints"
SWEEPS = 20
WIDE = 44
"""Central pixels of a patch that are placed, more than any command's default."""
THEIRS = (f"{RANKED}/of somebody else.ckpt", flags.NOTES)
"""Files of somebody else's where a training writes."""
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


HIDDEN = ("--mask", "--measurement")
"""Flags under which what is refined is a file of counts with hot pixels."""
BRIGHT = 60.0
"""Times the amplitudes of the experiment: so many counts that rounding them is no noise."""


def refined(backend: Any, shared: Path, *more: Any, sweeps: int = SWEEPS) -> solving.Solved:
    """`infer --refine` on it with CLI-010's bundle; `more`: further flags.

    Where the help lists `HIDDEN`, and they are not refused by name beside `--refine`, of counts, whose hot pixels are masked.
    """
    listed = solving.offered(backend, "infer", shared)
    solving.understood(backend, "infer", "--refine", shared)
    flow = commands.brief(backend, shared)

    def run(folder: Path) -> process.Completed:
        argv = [*backend.command("infer"), "--model_path", flow.output, "--output_dir", folder / "out", "--accelerator", "cpu"]
        argv += ["--refine", sweeps, *more, "--quiet"]
        plain, called = ["--test_data", write_npz(folder / "fine.npz", **experiment())], rights.masked(commands.call)
        if not all(flag in listed for flag in HIDDEN):
            return called([*argv, *plain], folder)
        done = called([*argv, *_hidden(folder, "--test_data")], folder)
        named = any(flag in commands.hyphened(done.stderr.strip().rpartition("\n")[2]) for flag in HIDDEN)
        return called([*argv, *plain], folder) if done.returncode == 1 and named else done

    name = "-".join(["refined", *(str(flag).strip("-") for flag in more)])
    done = once(shared, name, lambda folder: vars(run(folder)))
    return solving.Solved(process.Completed(**done), "plain", shared / name / "out" / FOLDER)


def _hidden(folder: Path, data: str) -> list[Any]:
    """The experiment as counts with hot pixels, under the flag `data`, and the flags that say so."""
    given, good = experiment(), masks.mask(N)
    counts = flags.hot(BRIGHT * given["diff3d"].astype(float), good)
    np.save(folder / "good.npy", good)
    path = write_npz(folder / "counts.npz", **{**given, "diff3d": counts})
    return [data, path, "--mask", folder / "good.npy", "--measurement", "counts"]


def cropped(backend: Any, shared: Path) -> solving.Solved:
    """One sweep of it, with another crop of the patches that the network's object is made of."""
    solving.understood(backend, "infer", "--stitch-crop-size", shared)
    return refined(backend, shared, "--stitch-crop-size", WIDE, sweeps=1)


def cold(backend: Any, shared: Path) -> solving.Solved:
    """`reconstruct` on the same file under the same flags, with as many sweeps, from nothing."""
    hidden = HIDDEN[0] in refined(backend, shared).done.argv
    for flag in ("--data", *(HIDDEN if hidden else ())):
        solving.understood(backend, "reconstruct", flag, shared)

    def run(folder: Path) -> process.Completed:
        (elsewhere := folder / "elsewhere").mkdir(exist_ok=True)  # than where one stands (CLI-109)
        data = _hidden(elsewhere, "--data") if hidden else ["--data", write_npz(elsewhere / "fine.npz", **experiment())]
        own = ["--output-dir", "out", "--sweeps", SWEEPS, "--accelerator", "cpu"]
        return commands.call([*backend.command("reconstruct"), *data, *own], folder)

    done = once(shared, "cold", lambda folder: vars(run(folder)))
    return solving.Solved(process.Completed(**done), "plain", shared / "cold" / "out")


def begun(backend: Any, shared: Path, *more: Any) -> tuple[process.Completed, Path]:
    """`train --start-from` a bundle on other data, at a rate at which nothing moves: how it ended, and its folder.

    The bundle is CLI-010's with `more`, further flags; else that of `flags.trained`, beside copies of its checkpoints and
    files of somebody else's.
    """
    solving.understood(backend, "train", "--start-from", shared)
    flow = commands.brief(backend, shared) if more else flags.trained(backend, shared)

    def run(folder: Path) -> process.Completed:
        if not more:
            (folder / "out" / RANKED).mkdir(parents=True)
            for path in (flow.output / RANKED).glob("*.ckpt"):
                shutil.copy(path, folder / "out" / RANKED / path.name)
            for name in THEIRS:
                (folder / "out" / name).write_bytes(b"not yours")
        files = {"--train_data_file": write_npz(folder / "fine.npz", **experiment()), "--output_dir": folder / "out"}
        own = {"--start-from": flow.output, "--max_epochs": 1, "--n_images": 4, "--batch_size": 4, "--learning-rate": STILL}
        argv = [*backend.command("train"), *commands.listed(files | own), "--accelerator", "cpu", "--quiet", *more]
        return commands.call(argv, folder)

    name = "-".join(["begun", *(str(flag).strip("-") for flag in more)])
    return process.Completed(**once(shared, name, lambda folder: vars(run(folder)))), shared / name / "out"


def older(backend: Any, shared: Path, folder: Path) -> list[str]:
    """Names of checkpoints in the folder of `begun` that are, byte for byte, those that were there before."""
    new, before = (sorted((place / RANKED).glob("*.ckpt")) for place in (folder, flags.trained(backend, shared).output))
    known = {path.read_bytes() for path in before}
    return [path.name for path in new if path.read_bytes() in known]


def model_of(backend: Any, folder: Path) -> dict[str, Any]:
    """What the bundle in a folder says of its model."""
    _, parameters = backend.load(folder)
    known = {name: parameters.get(configs.REGISTRY_KEYS.get(name, name)) for name in configs.MODEL}
    return {name: value for name, value in known.items() if value is not None}


def weights(backend: Any, folder: Path) -> dict[str, np.ndarray]:
    """The weights of the bundle in a folder that have a gradient: a network's statistics of what it met move at any rate."""
    models, parameters = backend.load(folder)
    module, g = native.item(models, "diffraction_to_obj"), int(parameters["gridsize"])
    one = networks.settings(backend, {"gridsize": g})
    learned = backend.gradient(module, networks.first_batch(backend, networks.container(g), one))
    return {name: array for name, array in runs.weights(backend, module).items() if name in learned}
