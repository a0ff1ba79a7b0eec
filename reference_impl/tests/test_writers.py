"""Every writer, killed at any line, on a disk that fails at any byte or call: old or new, no litter after the next, named."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from reference_impl import atomic, claims
from reference_impl.atomic import atomic_write, whole_set
from reference_impl.bundle import container, save_torch_bundle
from reference_impl.cli.panels import save
from reference_impl.cli.simulate import Experiment, simulate
from reference_impl.cli.simulate import write as write_simulation
from reference_impl.config import ModelConfig, TrainingConfig
from reference_impl.data import RawData, load_data, npz
from reference_impl.stored import zips
from reference_impl.tests.killing import contents, in_a_small_space, killed, lines_of, with_a_failing
from reference_impl.tests.samples import arrays
from reference_impl.tests.samples import write as write_sample
from reference_impl.training import AtomicCheckpointIO, PtychoLightningModule, checkpoints

WHOLE = bool(os.environ.get("PTYCHO_EVERY_KILL"))
"""All kill points and errors; otherwise a sample, drawn with a seed."""
MODULES = (atomic, claims, npz, zips, container, checkpoints)
CALLS = ("fsync", "replace", "rename", "open", "close", "chmod", "mkdir")


def picture(folder: Path, value: float) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(1, 1))
    figure.add_subplot().plot([0, value])
    save(figure, folder / "overview.png")


def results(folder: Path, value: float) -> None:
    """A reconstruction: numbers and a picture, one set."""
    with whole_set(folder, also=("reconstruction.npz", "overview.png")) as stage:
        npz.write_npz(stage / "reconstruction.npz", {"object": np.full(500, value)})
        picture(stage, value)


@pytest.fixture(scope="module")
def writers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Callable[[Path, int], Any]]:
    """Name → a function that writes its first (0) or its second (1) content into a folder."""
    torch.manual_seed(1)
    model = ModelConfig(N=64, gridsize=1, n_filters_scale=0.25)
    config = TrainingConfig(model=model, nphotons=3e6, n_groups=4, backend="pytorch")
    modules = [PtychoLightningModule.from_config(config).eval() for _ in range(2)]
    records = [RawData.from_coords_without_pc(**arrays(seed=seed)) for seed in (0, 1)]
    made = [simulate(Experiment(N=16, size=48, patterns=30, test_patterns=9, photons=1e4, seed=seed)) for seed in (0, 1)]
    source = write_sample(tmp_path_factory.mktemp("source") / "a.npz")

    def bundle(folder: Path, which: int) -> None:
        models = {"autoencoder": modules[which], "diffraction_to_obj": modules[which]}
        save_torch_bundle(models, folder / "wts.h5", replace(config, output_dir=Path("out")), 2.5)

    def checkpoint(folder: Path, which: int) -> None:
        AtomicCheckpointIO().save_checkpoint({"state_dict": modules[which].state_dict(), "epoch": which}, folder / "last.ckpt")

    def indices(folder: Path, which: int) -> None:
        load_data(source, n_subsample=5 + which, subsample_seed=0, indices_dir=folder)

    return {
        "record": lambda folder, which: records[which].to_file(folder / "record.npz"),
        "bundle": bundle,
        "checkpoint": checkpoint,
        "simulation": lambda folder, which: write_simulation(made[which], folder),
        "results": lambda folder, which: results(folder, float(which + 1)),
        "picture": lambda folder, which: picture(folder, float(which + 1)),
        "indices": indices,
    }


NAMES = ("record", "bundle", "checkpoint", "simulation", "results", "picture", "indices")


def states(write: Callable[[Path, int], Any], folder: Path) -> list[dict[str, bytes]]:
    found = []
    for which in (0, 1):
        write(folder, which)
        found.append(contents(folder))
    assert found[0] != found[1] and found[0].keys() == found[1].keys()
    return found


@pytest.mark.parametrize("name", NAMES)
def test_a_writer_killed_anywhere_leaves_old_or_new_and_the_next_no_litter(
    writers: dict[str, Callable[[Path, int], Any]], tmp_path: Path, name: str
) -> None:
    write, folder = writers[name], tmp_path / "out"
    old, new = states(write, tmp_path / "model")
    write(folder, 0)
    count = lines_of(lambda: write(tmp_path / "model", 0), *MODULES)

    for at in random.Random(0).sample(range(1, count + 1), count if WHOLE else 12):
        write(folder, 0)
        assert killed(lambda: write(folder, 1), at, *MODULES), f"line {at} of {count}"
        found = contents(folder)
        assert {key: value for key, value in found.items() if not key.startswith(".")} in (old, new), f"line {at} of {count}"
        write(folder, 1)
        assert contents(folder) == new and sorted(os.listdir(tmp_path)) == ["model", "out"], f"line {at} of {count}"


@pytest.mark.parametrize("name", NAMES)
def test_an_error_of_the_disk_names_the_file_and_leaves_the_old_one(
    writers: dict[str, Callable[[Path, int], Any]], tmp_path: Path, name: str
) -> None:
    write, folder = writers[name], tmp_path / "out"
    old, new = states(write, tmp_path / "model")
    write(folder, 0)
    largest = max(len(data) for data in new.values())
    draw = random.Random(0)
    limits = [0, 1, largest // 2, largest - 1] + [draw.randrange(largest) for _ in range(30 if WHOLE else 0)]
    trials = [(f"{limit} bytes", lambda limit=limit: in_a_small_space(lambda: write(folder, 1), limit)) for limit in limits]
    for call in CALLS:
        for at in range(1, 6 if WHOLE else 2):
            trials.append((f"{call} {at}", lambda call=call, at=at: with_a_failing(call, at, lambda: write(folder, 1))))

    failed = 0
    for what, attempt in trials:
        said = attempt()
        failed += bool(said)
        found = contents(folder)
        assert found in (old, new) and (said or found == new), f"{what}: {said or 'a success that is none'}"
        assert not said or (str(folder) in said and "partial" not in said and len(said) < 400), f"{what}: {said}"
        if found == new:
            write(folder, 0)
    assert failed >= 4


def test_a_writer_that_was_killed_is_not_taken_for_one_that_works(tmp_path: Path) -> None:
    """A temporary file is litter once nobody holds it, whatever its age."""
    with atomic_write(tmp_path / "a.txt") as temporary:
        temporary.write_text("x")
        (tmp_path / ".b.txt.partial-00000000.txt").write_text("litter")
        with atomic_write(tmp_path / "c.txt") as other:
            other.write_text("y")
        assert temporary.exists()

    assert sorted(os.listdir(tmp_path)) == ["a.txt", "c.txt"]
