"""Every hostile payload at every reader: nothing runs, nothing dies, each is a line, in little time and memory."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from reference_impl.bundle import safe_pickle, save_torch_bundle
from reference_impl.bundle.archive import ENTRIES, MANIFEST, read_bundle
from reference_impl.bundle.container import digest
from reference_impl.config import ModelConfig, TrainingConfig, load_yaml_config
from reference_impl.data import inspect_file, load_data
from reference_impl.tests.payloads import bombs, calls, number, text, whole
from reference_impl.tests.samples import write
from reference_impl.tests.trying import attempts, faults
from reference_impl.training import PtychoLightningModule
from reference_impl.training.checkpoints import read_checkpoint

HEADER = b"{'descr': '|O', 'fortran_order': False, 'shape': (), }".ljust(117) + b"\n"


def zipped(entries: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def torch_file(pickled: bytes, storages: tuple[bytes, ...] = (bytes(16),)) -> bytes:
    """A file in PyTorch's zip format."""
    records = {f"archive/data/{key}": data for key, data in enumerate(storages)}
    words = {"archive/byteorder": b"little", "archive/version": b"3\n"}
    return zipped({"archive/data.pkl": pickled, **records, **words}, zipfile.ZIP_STORED)


def object_array(pickled: bytes) -> bytes:
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(HEADER)) + HEADER + pickled


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The entries of a good bundle and the members of a good record."""
    folder = tmp_path_factory.mktemp("honest")
    model = ModelConfig(N=64, gridsize=1, n_filters_scale=0.25)
    config = TrainingConfig(model=model, nphotons=3e6, n_groups=4, output_dir=folder, backend="pytorch")
    module = PtychoLightningModule.from_config(config).eval()
    save_torch_bundle({"autoencoder": module, "diffraction_to_obj": module}, folder / "wts.h5", config, 2.5)
    found = {}
    for path in (folder / "wts.h5.zip", write(folder / "record.npz")):
        with zipfile.ZipFile(path) as archive:
            found |= {name: archive.read(name) for name in archive.namelist()}
    return found


def bundle(honest: dict[str, bytes], **changed: bytes) -> bytes:
    """A bundle whose digests fit, with other entries (their `/` written `__`)."""
    entries = {name: honest[name] for name in ENTRIES} | {name.replace("__", "/"): data for name, data in changed.items()}
    if MANIFEST not in changed:
        manifest = safe_pickle.loads(entries[MANIFEST], MANIFEST)
        manifest["sha256"] = {name: digest(data) for name, data in entries.items() if name != MANIFEST}
        entries[MANIFEST] = safe_pickle.dumps(manifest, MANIFEST)
    return zipped(entries, zipfile.ZIP_STORED)


Build = Callable[[dict[str, bytes], bytes], bytes]
READERS: dict[str, tuple[str, Build, Callable[[Path], Any]]] = {
    "manifest": ("b.zip", lambda honest, p: bundle(honest, **{MANIFEST: p}), read_bundle),
    "parameters": (
        "b.zip",
        lambda honest, p: bundle(honest, **{"autoencoder/params.dill": p, "diffraction_to_obj/params.dill": p}),
        read_bundle,
    ),
    "weights": ("b.zip", lambda honest, p: bundle(honest, **{"diffraction_to_obj/model.pth": torch_file(p)}), read_bundle),
    "checkpoint": ("c.ckpt", lambda honest, p: torch_file(p), read_checkpoint),
    "module": ("c.ckpt", lambda honest, p: torch_file(p), PtychoLightningModule.load_from_checkpoint),
    "metadata": (
        "a.npz",
        lambda honest, p: zipped({**{n: d for n, d in honest.items() if n.endswith(".npy")}, "_metadata.npy": object_array(p)}),
        load_data,
    ),
    "header": (
        "a.npz",
        lambda honest, p: zipped({**{n: d for n, d in honest.items() if n.endswith(".npy")}, "_metadata.npy": object_array(p)}),
        inspect_file,
    ),
    "object": (
        "a.npz",
        lambda honest, p: zipped({**{n: d for n, d in honest.items() if n.endswith(".npy")}, "objectGuess.npy": object_array(p)}),
        load_data,
    ),
}


@pytest.mark.parametrize("reader", READERS)
def test_no_payload_runs_dies_or_takes_long_at_any_reader(honest: dict[str, bytes], tmp_path: Path, reader: str) -> None:
    file, build, read = READERS[reader]
    canary = tmp_path / "canary"
    payloads = calls(canary) | bombs()
    named = {name: whole(payload) for name, payload in payloads.items()}
    named |= {f"{name} in a dictionary": whole(payload, True) for name, payload in payloads.items()}
    assert len(payloads) >= 150

    answers = attempts([(file, build(honest, payload)) for payload in named.values()], read, tmp_path)

    assert faults(list(named), answers, file) == []
    assert not canary.exists()


# -- archives and headers -------------------------------------------------------------------------------------------------------


def many(count: int, width: int = 0) -> bytes:
    return zipped({f"{i:0{max(1, width)}}": b"" for i in range(count)}, zipfile.ZIP_STORED)


def npy(header: bytes, data: bytes = b"") -> bytes:
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + data


def headers() -> dict[str, bytes]:
    """Headers of arrays that want work, or are none."""
    shape = b"{'descr': '<f8', 'fortran_order': False, 'shape': (%s), }"
    return {
        "minus-signs": npy(shape % (b"-" * 9000 + b"1,")),
        "brackets": npy(shape % (b"(" * 5000)),
        "truth": npy(shape % b"True, 12, 12"),
        "an-open-string": npy(b"{'descr': '<f8, 'fortran_order': False}"),
        "many-axes": npy(shape % (b"1, " * 3000)),
        "a-call": npy(b"{'descr': __import__('os').system('true'), 'fortran_order': False, 'shape': (1,), }"),
        "a-large-shape": npy(shape % b"99999999999999999, 9999999999999999"),
        "many-digits": npy(shape % (b"9" * 5000 + b",")),
        "no-such-dtype": npy(b"{'descr': '<f3', 'fortran_order': False, 'shape': (1,), }", bytes(3)),
        "a-structured-dtype": npy(b"{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (1,), }", bytes(8)),
        "colours": npy(b"{'descr': '\x1b[2J\x1b]0;x\x07', 'fortran_order': False, 'shape': (1,), }"),
        "nul": npy(bytes(100)),
        "empty": b"",
        "version": b"\x93NUMPY\x09\x09" + bytes(40),
        "a-long-header": b"\x93NUMPY\x02\x00" + struct.pack("<L", 1 << 31) + bytes(40),
        "zeros-without-end": npy(shape % b"8000000,", bytes(64_000_000)),
    }


def json_texts() -> dict[str, str]:
    """Metadata that want work, or are none."""
    photons = '{"physics_parameters": {"nphotons": %s}}'
    return {
        "deep-lists": "[" * 100_000,
        "deep-objects": '{"a":' * 50_000 + "1" + "}" * 50_000,
        "many-lists": "[" + "[]," * 85_000 + "[]]",
        "digits": photons % ("9" * 400),
        "more-digits": photons % ("9" * 5000),
        "infinity": photons % "Infinity",
        "not-a-number": photons % "NaN",
        "small": photons % "-1e-320",
        "screen": photons % '"\\u001b[2J\\u0007"',
        "long": photons % ('"' + "x" * 200_000 + '"'),
    }


def photons_of(path: Path) -> float | None:
    """Read a record and look at what its metadata say."""
    return load_data(path).nphotons


def test_no_archive_header_or_text_of_a_record_takes_long(honest: dict[str, bytes], tmp_path: Path) -> None:
    members = {name: data for name, data in honest.items() if name.endswith(".npy")}
    pairs = [(key, name, data) for name, data in headers().items() for key in ("xcoords", "diff3d")]
    files = {f"{key} {name}": zipped({**members, f"{key}.npy": data}) for key, name, data in pairs}
    for name, words in json_texts().items():
        buffer = io.BytesIO()
        np.save(buffer, np.array(words))
        files[f"metadata {name}"] = zipped({**members, "_metadata.npy": buffer.getvalue()})
    files["many members"] = many(20_000)
    files["many members with long names"] = many(300, 60_000)
    files["a screen in a name"] = zipped({**members, "probeGuess.npy": b"", "\x1b[2J\x07.npy": b""})
    files["random"] = np.random.default_rng(0).bytes(100_000)
    files["an end record alone"] = b"PK\x05\x06" + bytes(18)
    files["end records"] = b"PK\x05\x06" * 20_000

    answers = attempts([("a.npz", data) for data in files.values()], photons_of, tmp_path)

    assert faults(list(files), answers, "a.npz") == []


def storage(kind: str, key: str, count: int) -> bytes:
    return b"(" + text("storage") + f"ctorch\n{kind}\n".encode() + text(key) + text("cpu") + number(count) + b"tQ"


def tensor(place: bytes, offset: int, size: tuple[int, ...], stride: tuple[int, ...]) -> bytes:
    numbers = [b"(" + b"".join(map(number, part)) + b"t" for part in (size, stride)]
    hooks = b"ccollections\nOrderedDict\n)R"
    return b"ctorch._utils\n_rebuild_tensor_v2\n(" + place + number(offset) + b"".join(numbers) + b"\x89" + hooks + b"tR"


def tensors() -> dict[str, bytes]:
    """Instructions for tensors that lie beside their storage, or are larger than it (which has 16 bytes, four numbers)."""
    four = storage("FloatStorage", "0", 4)
    return {
        "beyond": tensor(four, 0, (5,), (1,)),
        "behind": tensor(four, 3, (2,), (1,)),
        "before": tensor(four, -1, (2,), (1,)),
        "backwards": tensor(four, 3, (3,), (-1,)),
        "broadcast": tensor(four, 0, (1 << 30, 4), (0, 1)),
        "overflow": tensor(four, 0, (1 << 30, 1 << 30, 1 << 30), (4, 4, 4)),
        "many-axes": tensor(four, 0, (1,) * 2000, (1,) * 2000),
        "uneven": tensor(four, 0, (2, 2), (1,)),
        "negative-size": tensor(four, 0, (-2,), (1,)),
        "no-storage": tensor(b"N", 0, (4,), (1,)),
        "wide-storage": tensor(storage("DoubleStorage", "0", 4), 0, (4,), (1,)),
        "large-storage": tensor(storage("FloatStorage", "0", 1 << 30), 0, (4,), (1,)),
        "other-storage": tensor(storage("FloatStorage", "7", 4), 0, (4,), (1,)),
        "path-storage": tensor(storage("FloatStorage", "../../version", 4), 0, (4,), (1,)),
        "two-storages": b"(" + tensor(four, 0, (4,), (1,)) + tensor(storage("IntStorage", "0", 4), 0, (4,), (1,)) + b"t",
        "untyped": tensor(storage("UntypedStorage", "0", 16), 0, (4,), (1,)),
        "truth": tensor(storage("BoolStorage", "0", 16), 0, (16,), (1,)),
        "a-storage-as-value": four,
        "a-class-as-value": b"ctorch\nFloatStorage\n",
        "a-dictionary-of-pairs": b"ccollections\nOrderedDict\n](]K\x01K\x02e\x85R",
        "attributes": b"ccollections\nOrderedDict\n)R}" + text("__class__") + b"Nsb",
        "many-views": b"(" + tensor(four, 0, (4,), (1,)) * 3000 + b"t",
        "sparse": b"ctorch._utils\n_rebuild_sparse_tensor\n(NNtR",
        "module": b"ctorch.nn.modules.linear\nLinear\n)\x81",
        "meta": b"ctorch._utils\n_rebuild_meta_tensor_no_storage\n(NNNNtR",
        "nested": b"ctorch._utils\n_rebuild_nested_tensor\n(NNNNtR",
        "size": b"ctorch\nSize\n(K\x01t\x85R",
    }


@pytest.mark.parametrize("reader", ["weights", "checkpoint", "module"])
def test_no_tensor_reaches_beyond_its_storage(honest: dict[str, bytes], tmp_path: Path, reader: str) -> None:
    file, _, read = READERS[reader]
    named = tensors()
    state = {name: whole(b"}" + text("state_dict") + b"}" + text("w") + made + b"ss") for name, made in named.items()}
    for name, made in list(named.items()):
        state[f"{name} in weights"] = whole(b"}" + text("w") + made + b"s")
    contents = {name: torch_file(p, (bytes(16) if "truth" not in name else bytes([2] * 16),)) for name, p in state.items()}
    if reader == "weights":
        contents = {name: bundle(honest, **{"autoencoder/model.pth": data}) for name, data in contents.items()}

    answers = attempts([(file, data) for data in contents.values()], read, tmp_path)

    assert faults(list(contents), answers, file) == []


def test_what_torch_writes_is_read(tmp_path: Path) -> None:
    shared = torch.arange(12.0)
    weights = {"a": shared[2:8].reshape(2, 3).T, "b": shared, "half": torch.ones(3).bfloat16(), "none": torch.empty(0, 4)}
    numbers = {"one": torch.tensor(3), "truth": torch.tensor([True, False]), "z": torch.ones(2).to(torch.complex64)}
    rest = {"generator": torch.Generator().get_state(), "parameter": torch.nn.Parameter(torch.ones(2))}
    torch.save({"state_dict": weights, "hyper_parameters": numbers, **rest}, tmp_path / "a.ckpt")

    found = read_checkpoint(tmp_path / "a.ckpt")

    assert found["state_dict"]["a"].stride() == (1, 3)
    for part, given in ((found["state_dict"], weights), (found["hyper_parameters"], numbers), (found, rest)):
        assert all(torch.equal(part[name], value) and part[name].dtype == value.dtype for name, value in given.items())


def documents() -> dict[str, str]:
    """YAML that wants work, or is none of a configuration."""
    merged = [f"m{i}: &m{i} {{<<: [*m{i - 1}, *m{i - 1}], y{i}: 1}}" for i in range(1, 26)]
    return {
        "deep-lists": "[" * 100_000,
        "deep-mappings": "{a: " * 20_000,
        "indented": "".join(" " * i + "a:\n" for i in range(500)),
        "merges": "\n".join(["m0: &m0 {x: 1}", *merged]),
        "laughs": "a: &a [x, x]\nb: [*a, *a]",
        "many-keys": "".join(f"k{i}: 1\n" for i in range(200_000)),
        "digits": "nphotons: " + "9" * 6000,
        "no-date": "when: 2026-99-99",
        "a-list": "- 1",
        "large": "x" * 1_000_000,
    }


def test_no_document_of_a_configuration_takes_long(tmp_path: Path) -> None:
    named = documents()

    answers = attempts([("c.yaml", text.encode()) for text in named.values()], load_yaml_config, tmp_path)

    assert faults(list(named), answers, "c.yaml") == []
