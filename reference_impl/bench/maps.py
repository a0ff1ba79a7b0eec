"""Memory maps: how fast they are built and read beside data in memory, and training under a limit on memory."""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from reference_impl.policy import require_torch

require_torch()

from reference_impl.batch import build_loaders, ensure_container, open_mapped  # noqa: E402
from reference_impl.bench.measure import Bound, Figure, figure, seconds_of  # noqa: E402
from reference_impl.config import ModelConfig, TrainingConfig  # noqa: E402
from reference_impl.data import load_data  # noqa: E402
from reference_impl.training import train_cdi_model_torch  # noqa: E402

MEGA = 2**20
LIMIT = 256 * MEGA
"""Beyond what the interpreter holds once everything is imported."""


def configuration(folder: Path, groups: int, gridsize: int = 2) -> TrainingConfig:
    """N = 64, the narrowest network, one epoch."""
    model = ModelConfig(N=64, gridsize=gridsize, n_filters_scale=0.25, probe_scale=2.0)
    fields: dict[str, Any] = {"n_groups": groups, "batch_size": 16, "nepochs": 1, "subsample_seed": 1, "backend": "pytorch"}
    return TrainingConfig(model=model, output_dir=folder, train_data_file=folder / "scan.npz", **fields)


def scan(path: Path, count: int) -> Path:
    """A file of `count` random patterns of 64² pixels, 16 KiB each, written a piece at a time."""
    draw, side = np.random.default_rng(0), int(np.ceil(np.sqrt(count)))
    stack = np.lib.format.open_memmap(path.with_suffix(".npy"), "w+", np.float32, (count, 64, 64))
    for start in range(0, count, 1024):
        stack[start : start + 1024] = draw.random(stack[start : start + 1024].shape, dtype=np.float32)
    stack.flush()
    y, x = (2.0 * axis.ravel()[:count] for axis in np.mgrid[:side, :side])
    probe = np.exp(-((np.mgrid[:64, :64] - 32.0) ** 2).sum(axis=0) / 100).astype(np.complex64)
    np.savez(path, diff3d=np.load(path.with_suffix(".npy"), mmap_mode="r"), xcoords=x, ycoords=y, probeGuess=probe)
    path.with_suffix(".npy").unlink()
    return path


def maps(runs: int) -> Iterator[Figure]:
    """A map of 8,192 patterns (134 MB), in turns with what it is compared with; then training on three times the memory."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file, config = scan(folder / "scan.npz", 8_192), configuration(folder, 2_048)
        yield from _building(file, folder, config, runs)
        dataset = open_mapped(file, folder / "map", config)
        mapped, _ = build_loaders(dataset, None, config)
        memory, _ = build_loaders(ensure_container(load_data(file), config), None, config)
        passes = [
            [seconds_of(lambda loader=loader: sum(len(b[1]) for b in loader)) for loader in (memory, mapped)]
            for _ in range(runs + 1)
        ]
        yield figure(
            "map: rate of its loader over one in memory", "1", [a / b for a, b in passes[1:]], None, Bound(0.8, least=True)
        )
        file.unlink()
    yield from _limited()


def _reading(memory: Any, mapped: Any, runs: int) -> Iterator[Figure]:
    """The rate of a loader of mapped data over that of one in memory, in turns, by processor time."""

    def seconds(loader: Any) -> float:
        start = time.process_time()
        sum(len(batch[1]) for batch in loader)
        return time.process_time() - start

    passes = [(seconds(memory), seconds(mapped)) for _ in range(runs + 2)][2:]  # the first ones fill the caches
    yield figure("map: rate of its loader over one in memory", "1", [a / b for a, b in passes], None, Bound(0.8, least=True))


def _building(file: Path, folder: Path, config: TrainingConfig, runs: int) -> Iterator[Figure]:
    """MB of patterns a second, beside reading the file into memory, and beside a copy of it on the disk."""
    size = 8_192 * 64 * 64 * 4 / 1e6
    rates: list[tuple[float, ...]] = []
    for _ in range(runs):
        shutil.rmtree(folder / "map", ignore_errors=True)
        processor = time.process_time()
        wall = seconds_of(lambda: open_mapped(file, folder / "map", config))
        times = (
            wall,
            time.process_time() - processor,
            seconds_of(lambda: load_data(file)),
            seconds_of(lambda: _copy(file, folder / "copy")),
        )
        rates.append(tuple(size / seconds for seconds in times))
    built, computed, read, copied = zip(*rates, strict=True)
    yield figure("map: built", "MB/s", built, None, Bound(300, least=True))
    yield figure("map: built, by processor time", "MB/s", computed, None, Bound(300, least=True))
    yield figure("map: reading the same file into memory", "MB/s", read)
    yield figure("map: copying the same file to the disk", "MB/s", copied)
    yield figure("map: built, over the rate of reading into memory", "1", [a / b for a, b in zip(built, read, strict=True)])


def _copy(source: Path, target: Path) -> None:
    with open(source, "rb") as stream, open(target, "wb") as copy:
        shutil.copyfileobj(stream, copy, 1 << 24)
        copy.flush()
        os.fsync(copy.fileno())


def _limited() -> Iterator[Figure]:
    """Peak memory of a training on three times the limit, and on a quarter of that, each in a process under the limit."""
    with tempfile.TemporaryDirectory() as name:
        found = {}
        for share in (4, 1):
            file = scan(Path(name) / "scan.npz", 3 * LIMIT // (64 * 64 * 4) // share)
            argv = [sys.executable, "-m", "reference_impl.bench.maps", str(file), name]
            done = subprocess.run(argv, capture_output=True, text=True, check=True)
            found[share] = json.loads(done.stdout.splitlines()[-1])
            shutil.rmtree(Path(name) / "map")
        whole, part = found[1], found[4]
    yield figure("map: data over the limit on memory", "1", [whole["data"] / LIMIT], None, Bound(3, least=True))
    yield figure("map: private memory at its peak, beyond the imports", "MiB", [whole["peak"] / MEGA], None, Bound(LIMIT / MEGA))
    yield figure("map: the same over that for a quarter of the patterns", "1", [whole["peak"] / part["peak"]], None, Bound(1.25))
    yield figure("map: data in memory fit under the limit (0: refused)", "1", [float(whole["in_memory"])], None, Bound(0))


def limited(file: Path, folder: Path) -> dict[str, float]:
    """Under `LIMIT`: build the map, go through all of its rows, train on 128 groups; then try to read the file into memory."""
    before = _private()
    resource.setrlimit(resource.RLIMIT_DATA, (before + LIMIT, before + LIMIT))
    count = np.load(file, mmap_mode=None)["xcoords"].size
    everything = configuration(folder, count, gridsize=1)
    dataset, peak = open_mapped(file, folder / "map", everything), 0
    for batch in build_loaders(dataset, None, everything)[0]:
        peak = max(peak, _private())
        del batch
    few = configuration(folder, 128, gridsize=1)
    trained = train_cdi_model_torch(open_mapped(file, folder / "few", few), None, few)
    peak = max(peak, _private()) - before
    shutil.rmtree(folder / "few")
    assert np.isfinite(trained["history"]["train_loss"]).all()
    try:
        load_data(file)
        fits = True
    except (MemoryError, ValueError):  # the strict reader says in its own words that it does not fit
        fits = False
    return {"data": float(count * 64 * 64 * 4), "peak": float(peak), "in_memory": fits}


def _private() -> int:
    """Bytes of private writable memory, what RLIMIT_DATA counts; at their peak since the last look where the system says so."""
    status = Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in status if line.startswith("VmData:"))


if __name__ == "__main__":
    print(json.dumps(limited(Path(sys.argv[1]), Path(sys.argv[2]))))
