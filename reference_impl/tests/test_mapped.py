"""Memory maps: what the contract's checks do not see (workers, shuffled order, several builders, memory, orders of bytes)."""

from __future__ import annotations

import pickle
import subprocess
import sys
from contextlib import nullcontext
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from reference_impl.batch import build_loaders, ensure_container, open_mapped
from reference_impl.batch.manifest import NAME
from reference_impl.batch.mapping import Plan
from reference_impl.config import ModelConfig, TrainingConfig
from reference_impl.data import load_data
from reference_impl.data.on_disk import read_on_disk
from reference_impl.errors import ContractError
from reference_impl.execution import PyTorchExecutionConfig

N = 12


def arrays(n: int = 23, seed: int = 1) -> dict[str, np.ndarray]:
    draw = np.random.default_rng(seed)
    return {
        "xcoords": draw.uniform(20, 60, n),
        "ycoords": draw.uniform(20, 40, n),
        "diff3d": draw.uniform(0.1, 1, (n, N, N)).astype(np.float32),
        "probeGuess": (draw.normal(size=(N, N)) + 1j).astype(np.complex64),
    }


def scan(path: Path, seed: int = 1, **changes: np.ndarray) -> Path:
    np.savez(path, **{**arrays(seed=seed), **changes})
    return path


def config(**settings: object) -> TrainingConfig:
    stated = {"batch_size": 4, "n_groups": 9, "neighbor_count": 6, "subsample_seed": 5, "backend": "pytorch", **settings}
    return TrainingConfig(model=ModelConfig(N=N, gridsize=2), **stated)


def test_the_shuffled_order_is_that_of_data_in_memory(tmp_path: Path) -> None:
    file, how = scan(tmp_path / "a.npz"), config()
    mapped, _ = build_loaders(open_mapped(file, tmp_path / "map", how), None, how)
    memory, _ = build_loaders(ensure_container(load_data(file), how), None, how)
    for ours, theirs in zip(mapped, memory, strict=True):
        assert torch.equal(ours[0]["images"], theirs[0]["images"])


def test_workers_map_the_same_files(tmp_path: Path) -> None:
    """A copy in another process is a name, never the patterns."""
    how = config(sequential_sampling=True)
    dataset = open_mapped(scan(tmp_path / "a.npz"), tmp_path / "map", how)
    assert len(pickle.dumps(dataset)) < 20_000
    execution = PyTorchExecutionConfig(accelerator="cpu", num_workers=2)
    loader, _ = build_loaders(dataset, None, how, execution)
    assert torch.equal(torch.cat([batch[0]["images"] for batch in loader]), dataset[:][0]["images"])


@pytest.mark.parametrize(
    ("change", "options"),
    [
        ({}, {}),
        ({"diff3d": np.asfortranarray(arrays()["diff3d"])}, {}),
        ({"diff3d": np.ascontiguousarray(np.moveaxis(arrays()["diff3d"], 0, 2))}, {}),
        ({"diff3d": arrays()["diff3d"].astype(">f8")}, {}),
        ({"diff3d": (100 * arrays()["diff3d"]).astype(np.uint16)}, {"measurement": "counts"}),
        ({"mask": np.arange(N * N).reshape(N, N) % 7 > 0}, {}),
        ({}, {"mask": np.arange(N * N).reshape(N, N) % 5 > 0, "coord_scale": 2.5}),
        ({"frame_index": np.arange(23) * 2, "position_index": np.arange(23)[::-1] * 3}, {}),
    ],
    ids=["plain", "fortran", "transposed", "big-endian", "counts", "mask", "masked-by-hand", "paired"],
)
def test_a_record_on_disk_is_that_in_memory(tmp_path: Path, change: dict, options: dict) -> None:
    file = scan(tmp_path / "a.npz", **change)
    (tmp_path / "target").write_bytes(b"1234")  # what was there before stays
    with pytest.warns(RuntimeWarning) if "frame_index" in change else nullcontext():
        found, truth = read_on_disk(file, tmp_path / "target", **options), load_data(file, **options)
    for name in ("diff3d", "xcoords", "ycoords", "probeGuess", "mask"):
        ours, theirs = getattr(found, name), getattr(truth, name)
        assert (ours is None and theirs is None) or np.array_equal(ours, theirs), name
    content = (tmp_path / "target").read_bytes()
    assert content[:4] == b"1234" and content[4:] == truth.diff3d.tobytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.npz", "target"]


def test_what_is_refused_leaves_no_trace(tmp_path: Path) -> None:
    file = scan(tmp_path / "a.npz", probeGuess=np.ones((N - 2, N - 2), np.complex64))
    (tmp_path / "target").write_bytes(b"1234")
    with pytest.raises(ContractError, match="a.npz"):
        read_on_disk(file, tmp_path / "target")
    assert (tmp_path / "target").read_bytes() == b"1234"


def test_n_subsample_draws_what_it_draws_in_memory(tmp_path: Path) -> None:
    file, how = scan(tmp_path / "a.npz"), config(n_subsample=14, sequential_sampling=True)
    found = open_mapped(file, tmp_path / "map", how)[:][0]
    memory, _ = build_loaders(ensure_container(load_data(file), how), None, how)
    assert torch.equal(found["images"], torch.cat([batch[0]["images"] for batch in memory]))


def test_a_rule_makes_the_groups_of_a_map(tmp_path: Path) -> None:
    y, x = np.mgrid[:8, :8] * 3.0
    stack = np.random.default_rng(0).uniform(0.1, 1, (64, N, N)).astype(np.float32)
    file = scan(tmp_path / "a.npz", xcoords=x.ravel(), ycoords=y.ravel(), diff3d=stack)
    rule = {"rule": "4_quadrant", "K": 8, "repetitions": 2}
    dataset = open_mapped(file, tmp_path / "map", config(), rule=rule)
    assert len(dataset) == 72
    with pytest.raises(ContractError, match="rule.*Rebuild it with remake_map=True"):
        open_mapped(file, tmp_path / "map", config())


def test_two_who_build_at_once_build_once(tmp_path: Path) -> None:
    """The second one waits, and opens what the first one built."""
    file = scan(tmp_path / "a.npz")
    code = (
        "import sys; from pathlib import Path; from reference_impl.tests.test_mapped import config, open_mapped\n"
        "open_mapped(Path(sys.argv[1]), Path(sys.argv[2]), config())\n"
        "print((Path(sys.argv[2]) / 'mmap_manifest.json').stat().st_ino)"
    )
    argv = [sys.executable, "-c", code, str(file), str(tmp_path / "map")]
    both = [subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = [one.communicate(timeout=120)[0].strip() for one in both]
    assert [one.returncode for one in both] == [0, 0] and said[0] == said[1] != ""


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{" * 100_000,
        b'{"schema_version": 1}',
        b'{"schema": "ptycho_conformance_map", "schema_version": 1, "scans": 3}',
    ],
    ids=["empty", "list", "deep", "nothing-else", "numbers"],
)
def test_a_manifest_that_is_none_says_how_to_go_on(tmp_path: Path, content: bytes) -> None:
    file = scan(tmp_path / "a.npz")
    open_mapped(file, tmp_path / "map", config())
    (tmp_path / "map" / NAME).write_bytes(content)
    with pytest.raises(ContractError, match="Rebuild it with remake_map=True"):
        open_mapped(file, tmp_path / "map", config())
    assert len(open_mapped(file, tmp_path / "map", config(), remake=True)) == 9


def test_the_table_stands_on_disk(tmp_path: Path) -> None:
    table = open_mapped(scan(tmp_path / "a.npz"), tmp_path / "map", config()).table
    assert table.batch_size == torch.Size([9]) and table["coords_global"].shape == (9, 4, 1, 2)
    assert all(hasattr(value, "filename") for value in table.values())


@pytest.mark.parametrize("name", [field.name for field in fields(Plan)])
def test_every_setting_of_a_plan_is_in_the_key_of_its_map(name: str, tmp_path: Path) -> None:
    """The mask by its content, all others by their value: a field that is added is in the key, or fails here."""
    for file, value in (("first.npy", 1), ("second.npy", 2)):
        good = np.ones((4, 4), bool)
        good[0, :value] = False
        np.save(tmp_path / file, good)
    values = {"mask": (str(tmp_path / "first.npy"), str(tmp_path / "second.npy")), "rule": ({"K": 5}, {"K": 6})}
    plan = Plan(**{field.name: None for field in fields(Plan)})

    first, second = (replace(plan, **{name: value}).settings() for value in values.get(name, (1, 2)))

    assert first != second
