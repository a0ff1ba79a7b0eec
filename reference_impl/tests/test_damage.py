"""Damage of any kind to a record, a bundle, a checkpoint: refused in a line that names the file, or of no effect."""

from __future__ import annotations

import io
import os
import random
import struct
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from reference_impl.bundle import save_torch_bundle
from reference_impl.bundle.archive import read_bundle
from reference_impl.config import ModelConfig, TrainingConfig
from reference_impl.data import RawData, load_data
from reference_impl.errors import ContractError
from reference_impl.tests.samples import arrays, write
from reference_impl.training import AtomicCheckpointIO, PtychoLightningModule
from reference_impl.training.checkpoints import read_checkpoint

COUNT = int(os.environ.get("PTYCHO_MUTATIONS", "1000"))
"""Mutations of each file."""


@dataclass(frozen=True)
class Kept:
    """A file in memory, how it is read, and what is in it."""

    name: str
    data: bytes
    read: Callable[[Path], Any]
    content: Any


def mutations(data: bytes, seed: int) -> Iterator[bytes]:
    """Bits turned, bytes set, cut out, put in, exchanged, the end cut off; half of them where the structure stands."""
    draw = random.Random(seed)
    marks = [at for mark in (b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06", b"NUMPY", b"data.pkl") for at in places(data, mark)]
    for _ in range(COUNT):
        mutant = bytearray(data)
        for _ in range(draw.choice((1, 1, 1, 2, 3))):
            at = (
                min(len(mutant) - 2, draw.choice(marks) + draw.randrange(90))
                if draw.random() < 0.5
                else draw.randrange(len(data) - 1)
            )
            at = min(at, len(mutant) - 2)
            kind = draw.randrange(10)
            if kind < 5:
                mutant[at] ^= 1 << draw.randrange(8)
            elif kind < 7:
                mutant[at] = draw.randrange(256)
            elif kind == 7:
                del mutant[at : at + draw.choice((1, 4, 100))]
            elif kind == 8:
                mutant[at:at] = draw.randbytes(draw.choice((1, 4, 100)))
            else:
                other = draw.randrange(len(mutant) - 1)
                mutant[at], mutant[other] = mutant[other], mutant[at]
        yield bytes(mutant if draw.random() < 0.95 else mutant[: draw.randrange(len(mutant))])


def places(data: bytes, mark: bytes) -> list[int]:
    found, at = [], data.find(mark)
    while at >= 0:
        found.append(at)
        at = data.find(mark, at + 1)
    return found


def same(one: Any, other: Any) -> bool:
    """Equal values, bit for bit, of equal types."""
    if isinstance(other, torch.Tensor):
        return isinstance(one, torch.Tensor) and one.dtype == other.dtype and torch.equal(one, other)
    if isinstance(other, np.ndarray):
        return isinstance(one, np.ndarray) and one.dtype == other.dtype and np.array_equal(one, other)
    if isinstance(other, dict):
        return isinstance(one, dict) and list(one) == list(other) and all(same(one[key], other[key]) for key in other)
    if isinstance(other, list | tuple):
        return type(one) is type(other) and len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and one == other


def record_of(path: Path) -> dict[str, Any]:
    return {name: value for name, value in vars(load_data(path)).items() if name != "file"}


def unsealed(data: bytes) -> bytes:
    """The file as somebody else writes it, without our digest at its end."""
    end = data.rindex(b"PK\x05\x06")
    assert data[end + 22 :].startswith(b"sha256=")
    return data[: end + 20] + b"\0\0"


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Kept]:
    folder = tmp_path_factory.mktemp("kept")
    given = arrays() | {"scan_index": np.arange(23), "metadata": {"physics_parameters": {"nphotons": 12345.0}}}
    RawData.from_coords_without_pc(**given).to_file(folder / "record")
    np.savez_compressed(folder / "packed.npz", **arrays(), _metadata=np.array("{}", dtype=object))
    torch.manual_seed(1)
    model = ModelConfig(N=64, gridsize=1, n_filters_scale=0.25)
    config = TrainingConfig(model=model, nphotons=3e6, n_groups=4, output_dir=folder, backend="pytorch")
    module = PtychoLightningModule.from_config(config).eval()
    save_torch_bundle({"autoencoder": module, "diffraction_to_obj": module}, folder / "wts.h5", config, 2.5)
    optimizer = {"state": {0: {"step": torch.tensor(3.0)}}, "param_groups": [{"lr": 1e-3, "betas": (0.9, 0.999)}]}
    whole = {"state_dict": module.state_dict(), "hyper_parameters": dict(module.hparams), "optimizer_states": [optimizer]}
    AtomicCheckpointIO().save_checkpoint({**whole, "epoch": 3}, folder / "last.ckpt")
    files = {
        "record": ("record", record_of),
        "packed": ("packed.npz", record_of),
        "bundle": ("wts.h5.zip", read_bundle),
        "checkpoint": ("last.ckpt", read_checkpoint),
    }
    found = {kind: Kept(name, (folder / name).read_bytes(), read, read(folder / name)) for kind, (name, read) in files.items()}
    for kind in ("record", "checkpoint"):
        found[f"foreign-{kind}"] = Kept(found[kind].name, unsealed(found[kind].data), found[kind].read, found[kind].content)
    return found


KINDS = ("record", "foreign-record", "packed", "bundle", "checkpoint", "foreign-checkpoint")


@pytest.mark.parametrize("kind", KINDS)
def test_no_mutation_loads_with_another_content(kept: dict[str, Kept], tmp_path: Path, kind: str) -> None:
    file = kept[kind]
    path = tmp_path / file.name
    refused = 0
    for number, mutant in enumerate(mutations(file.data, seed=len(kind))):
        path.write_bytes(mutant)
        try:
            content = file.read(path)
        except ContractError as error:
            refused += 1
            text = str(error)
            assert file.name in text and text.isprintable() and len(text) <= 300, f"mutation {number}: {text}"
        else:
            assert same(content, file.content), f"mutation {number} is silent"
    assert refused > COUNT / 2


@pytest.mark.parametrize("kind", KINDS)
def test_an_untouched_file_is_read(kept: dict[str, Kept], tmp_path: Path, kind: str) -> None:
    (tmp_path / kept[kind].name).write_bytes(kept[kind].data)

    assert same(kept[kind].read(tmp_path / kept[kind].name), kept[kind].content)


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_cut_anywhere_is_refused(kept: dict[str, Kept], tmp_path: Path, kind: str) -> None:
    file = kept[kind]
    for at in random.Random(1).sample(range(len(file.data)), 100):
        (tmp_path / file.name).write_bytes(file.data[:at])
        with pytest.raises(ContractError, match=file.name):
            file.read(tmp_path / file.name)


# -- the findings of a hostile bench, by kind -----------------------------------------------------------------------------------


def test_a_header_that_announces_less_than_there_is_is_refused(tmp_path: Path) -> None:
    data = write(tmp_path / "a.npz").read_bytes()
    for old, new in ((b"(36, 41)", b"(36, 40)"), (b"(23, 12, 12)", b"(22, 12, 12)"), (b"'<f4'", b"'<f2'")):
        (tmp_path / "b.npz").write_bytes(data.replace(old, new, 1))
        with pytest.raises(ContractError, match="b.npz: (objectGuess|diff3d): expected .* bytes of data"):
            load_data(tmp_path / "b.npz")


@pytest.mark.parametrize("turn", [0, 1, -1], ids=["directory", "local", "both"])
def test_a_renamed_optional_member_is_damage_or_is_named(tmp_path: Path, turn: int) -> None:
    data = bytearray(write(tmp_path / "a.npz", _metadata=np.array("{}")).read_bytes())
    found = places(bytes(data), b"_metadata.npy")
    for at in found if turn < 0 else [found[1 - turn]]:
        data[at + 3] ^= 1
    (tmp_path / "b.npz").write_bytes(data)

    with (
        pytest.raises(ContractError, match="says otherwise")
        if turn >= 0
        else pytest.warns(UserWarning, match="'_metadata' meant")
    ):
        load_data(tmp_path / "b.npz")


@pytest.mark.parametrize("field", ["entries here", "entries", "length", "offset"])
def test_an_end_record_that_says_otherwise_than_the_directory_is_refused(tmp_path: Path, field: str) -> None:
    data = bytearray(write(tmp_path / "a.npz").read_bytes())
    at = data.rindex(b"PK\x05\x06") + {"entries here": 8, "entries": 10, "length": 12, "offset": 16}[field]
    data[at] -= 1
    (tmp_path / "b.npz").write_bytes(data)

    with pytest.raises(ContractError, match="b.npz: archive: expected a complete NPZ"):
        load_data(tmp_path / "b.npz")


@pytest.mark.parametrize("name", ["xcoords.npy", "xcoords"])
def test_a_member_that_stands_twice_is_refused(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / "a.npz")
    other = io.BytesIO()
    np.save(other, np.zeros(23))
    with zipfile.ZipFile(path, "a") as archive, pytest.MonkeyPatch.context() as patch:
        patch.setattr("warnings.warn", lambda *given, **options: None)
        archive.writestr(name, other.getvalue())

    with pytest.raises(ContractError, match="xcoords.*expected one"):
        load_data(path)


@pytest.mark.parametrize("place", ["before", "behind", "between"])
def test_bytes_that_belong_to_nobody_are_refused(tmp_path: Path, place: str) -> None:
    data = write(tmp_path / "a.npz").read_bytes()
    at = {"before": 0, "behind": len(data), "between": data.index(b"PK\x01\x02")}[place]
    (tmp_path / "b.npz").write_bytes(data[:at] + b"\0" * 64 + data[at:])

    with pytest.raises(ContractError, match="b.npz: archive"):
        load_data(tmp_path / "b.npz")


def test_a_size_beyond_the_file_is_refused_before_memory_is_taken(tmp_path: Path) -> None:
    """A member that announces 60 GiB in a file of 20 kB, with a packed size that makes the ratio look honest."""
    data = bytearray(write(tmp_path / "a.npz").read_bytes())
    entry = data.index(b"PK\x01\x02")
    data[entry + 10 : entry + 12] = struct.pack("<H", 8)
    data[entry + 20 : entry + 28] = struct.pack("<2L", 600_000_000, 4_000_000_000)
    (tmp_path / "b.npz").write_bytes(data)

    with pytest.raises(ContractError, match="b.npz: xcoords.npy"):
        load_data(tmp_path / "b.npz")


def test_two_directories_are_two_archives_and_neither_is_read(tmp_path: Path) -> None:
    """What one reader finds at the end and another where the record says must be the same."""
    first, second = (write(tmp_path / f"{seed}.npz", **arrays(seed=seed)).read_bytes() for seed in (1, 2))
    end = first.rindex(b"PK\x05\x06")
    (tmp_path / "b.npz").write_bytes(second + first)
    with pytest.raises(ContractError, match="b.npz: archive"):
        load_data(tmp_path / "b.npz")

    (tmp_path / "b.npz").write_bytes(
        first[:end] + second[second.index(b"PK\x01\x02") : second.rindex(b"PK\x05\x06")] + first[end:]
    )
    with pytest.raises(ContractError, match="b.npz: archive"):
        load_data(tmp_path / "b.npz")


def test_a_sealed_file_that_another_program_changed_is_refused(kept: dict[str, Kept], tmp_path: Path) -> None:
    path = tmp_path / "record.npz"
    path.write_bytes(kept["record"].data)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("remark.txt", "changed")

    with pytest.raises(ContractError, match="SHA-256 digest that it states, found another"):
        load_data(path)


def test_other_programs_read_what_is_sealed(kept: dict[str, Kept], tmp_path: Path) -> None:
    (tmp_path / "a.npz").write_bytes(kept["record"].data)
    (tmp_path / "a.ckpt").write_bytes(kept["checkpoint"].data)

    with np.load(tmp_path / "a.npz", allow_pickle=False) as archive:
        np.testing.assert_array_equal(archive["diff3d"], arrays()["diff3d"])
    assert same(dict(torch.load(tmp_path / "a.ckpt", weights_only=True)), dict(kept["checkpoint"].content))


def test_a_damaged_weight_is_named_by_its_member(kept: dict[str, Kept], tmp_path: Path) -> None:
    data = bytearray(kept["foreign-checkpoint"].data)
    data[len(data) // 2] ^= 0x40
    (tmp_path / "a.ckpt").write_bytes(data)

    with pytest.raises(ContractError, match=r"a.ckpt: archive/data/\d+: expected content of checksum \w+, found \w+: damaged"):
        read_checkpoint(tmp_path / "a.ckpt")
