"""Bundles beyond the contract: bombs, shared containers, foreign types, and what a refusal leaves as it was."""

from __future__ import annotations

import io
import pickle
import random
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from reference_impl.bundle import load_torch_bundle, save_torch_bundle
from reference_impl.bundle.archive import ENTRIES, MANIFEST
from reference_impl.bundle.container import digest
from reference_impl.bundle.safe_pickle import dumps, loads
from reference_impl.config import ModelConfig, TrainingConfig, cfg
from reference_impl.errors import ContractError
from reference_impl.training import PtychoLightningModule, PtychoModule

PLAIN = {"models": ["a", "b"], "n": [1, 2.5, None, True, 10**30, -5], "t": (1, ("x", b"y")), "again": "a", "d": {"a": {}}}


def config(**model: Any) -> TrainingConfig:
    fields = {"N": 64, "gridsize": 2, "n_filters_scale": 0.5, "probe_big": False, "probe_scale": 2.5, **model}
    return TrainingConfig(model=ModelConfig(**fields), nphotons=3e6, n_groups=4, output_dir=Path("out"), backend="pytorch")


@pytest.fixture(scope="module")
def module() -> PtychoLightningModule:
    torch.manual_seed(1)
    return PtychoLightningModule.from_config(config()).eval()


@pytest.fixture
def base(tmp_path: Path, module: PtychoLightningModule) -> Path:
    path = tmp_path / "wts.h5"
    save_torch_bundle({"autoencoder": module.model.autoencoder, "diffraction_to_obj": module}, path, config(), 2.5)
    return path


def rewrite(base: Path, change: Callable[[dict[str, bytes]], None], seal: bool = True) -> None:
    """Change entries of the bundle; `seal` brings the digests up to date, so that the change itself is what is met."""
    path = Path(f"{base}.zip")
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    change(entries)
    if seal:
        manifest = pickle.loads(entries[MANIFEST])
        manifest["sha256"] = {name: digest(entries[name]) for name in ENTRIES if name != MANIFEST}
        entries[MANIFEST] = pickle.dumps(manifest)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)


def with_parameters(**changes: Any) -> Callable[[dict[str, bytes]], None]:
    def change(entries: dict[str, bytes]) -> None:
        for name in ENTRIES:
            if name.endswith("params.dill"):
                entries[name] = dumps({**pickle.loads(entries[name]), **changes}, name)

    return change


# -- pickles -------------------------------------------------------------------------------------------------------------------


def test_plain_values_survive_and_share_nothing() -> None:
    shared = [1]

    assert loads(dumps(PLAIN, "x"), "x") == PLAIN
    with pytest.raises(ContractError, match="shares one container"):
        dumps([shared, shared], "x")


@pytest.mark.parametrize(
    "value", [{1}, 1j, bytearray(b"x"), Path("x"), range(3), {(1, 2): 3}, object()], ids=lambda value: type(value).__name__
)
def test_other_types_are_refused_when_written(value: Any) -> None:
    with pytest.raises(ContractError, match="place: expected a pickle of plain"):
        dumps({"key": value}, "place")


def nested(kind: type, depth: int) -> Any:
    value: Any = kind([1])
    for _ in range(depth):
        value = kind([value, value])
    return value


@pytest.mark.parametrize(
    "payload", [pickle.dumps(nested(list, 40), 4), pickle.dumps(nested(tuple, 40), 2)], ids=["list", "tuple"]
)
def test_a_container_that_doubles_at_each_level_is_refused_at_once(payload: bytes) -> None:
    with pytest.raises(ContractError, match="shares one container"):
        loads(payload, "x")


@pytest.mark.parametrize(
    "payload",
    [
        b"\x80\x04K\x01r\xff\xff\xff\x7f.",  # a memo slot that would allocate gigabytes
        b"\x80\x04]" + b"]" * 70 + b"a" * 70 + b".",  # nested deeper than any configuration
        b"\x80\x04K\x01.K\x02.",  # something behind the end
        b"\x80\x04K\x01",  # no end
        b"",
        b"\x80\x04}\x8c\x01a)\x8c\x01bu.",  # marks that do not match
    ],
)
def test_malformed_pickles_are_contract_errors(payload: bytes) -> None:
    with pytest.raises(ContractError, match=r"f\.zip: x"):
        loads(payload, "x", "f.zip")


def test_no_mutation_of_a_pickle_escapes_as_another_error() -> None:
    data, draw = dumps(PLAIN, "x"), random.Random(0)
    for _ in range(300):
        mutant = bytearray(data)
        for _ in range(draw.randint(1, 3)):
            mutant[draw.randrange(len(mutant))] = draw.randrange(256)
        try:
            loads(bytes(mutant[: draw.randint(1, len(mutant))]), "x")
        except ContractError as error:
            assert "\n" not in str(error)


# -- archives ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "fragment"),
    [("Manifest.dill", "two"), ("a\\b", "outside"), ("C:x", "outside"), ("autoencoder/", "no entries beside")],
)
def test_odd_entries_are_refused_by_name(base: Path, name: str, fragment: str) -> None:
    with zipfile.ZipFile(f"{base}.zip", "a") as archive:
        archive.writestr(name, b"x")

    with pytest.raises(ContractError, match=fragment):
        load_torch_bundle(base)


def test_an_entry_that_announces_a_bomb_is_not_inflated(base: Path) -> None:
    rewrite(base, lambda entries: entries.update({"autoencoder/params.dill": bytes(20_000_000)}))

    with pytest.raises(ContractError, match="autoencoder/params.dill.*expected at most"):
        load_torch_bundle(base)


def test_an_encrypted_entry_is_refused(base: Path) -> None:
    path = Path(f"{base}.zip")
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1  # the flag in the directory
    path.write_bytes(data)

    with pytest.raises(ContractError, match="encrypted"):
        load_torch_bundle(base)


def test_weights_whose_members_inflate_are_refused(base: Path) -> None:
    def deflate(entries: dict[str, bytes]) -> None:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("archive/data/0", bytes(5_000_000))
        entries["diffraction_to_obj/model.pth"] = buffer.getvalue()

    rewrite(base, deflate)

    with pytest.raises(ContractError, match="diffraction_to_obj/model.pth.*members that announce"):
        load_torch_bundle(base)


@pytest.mark.parametrize(
    "content", [[1, 2], {"a": 1}, {"a": torch.eye(3).to_sparse()}, torch.ones(3)], ids=["list", "int", "sparse", "tensor"]
)
def test_what_is_no_state_dictionary_is_refused(base: Path, content: Any) -> None:
    buffer = io.BytesIO()
    torch.save(content, buffer)
    rewrite(base, lambda entries: entries.update({"autoencoder/model.pth": buffer.getvalue()}))

    with pytest.raises(ContractError, match="autoencoder/model.pth"):
        load_torch_bundle(base)


def test_weights_of_another_dtype_are_refused_not_cast(base: Path) -> None:
    def widen(entries: dict[str, bytes]) -> None:
        state = torch.load(io.BytesIO(entries["diffraction_to_obj/model.pth"]), weights_only=True)
        buffer = io.BytesIO()
        torch.save({name: value.double() for name, value in state.items()}, buffer)
        entries["diffraction_to_obj/model.pth"] = buffer.getvalue()

    rewrite(base, widen)

    with pytest.raises(ContractError, match="float32.*float64"):
        load_torch_bundle(base)


def test_an_autoencoder_of_its_own_is_refused(base: Path, module: PtychoLightningModule) -> None:
    def change(entries: dict[str, bytes]) -> None:
        state = torch.load(io.BytesIO(entries["autoencoder/model.pth"]), weights_only=True)
        buffer = io.BytesIO()
        torch.save({name: value + 1 for name, value in state.items()}, buffer)
        entries["autoencoder/model.pth"] = buffer.getvalue()

    rewrite(base, change)

    with pytest.raises(ContractError, match="autoencoder/model.pth: .*expected the trained weights"):
        load_torch_bundle(base)


# -- parameters ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {"gridsize": "2"},
        {"object.big": 1},
        {"N": True},
        {"gridsize": 10**6},
        {"n_filters_scale": 1e300},
        {"probe_scale": float("nan")},
        {"batch_size": "many"},
        {"_num_datasets": 10**12},
        {"architecture": "transformer"},
        {"intensity_scale": None},
    ],
    ids=str,
)
def test_parameters_that_describe_no_model_are_one_line_and_change_nothing(base: Path, changes: dict[str, Any]) -> None:
    rewrite(base, with_parameters(**changes))
    before = dict(cfg)

    with pytest.raises(ContractError, match="params.dill|model.pth") as caught:
        load_torch_bundle(base)

    assert "\n" not in str(caught.value)
    assert cfg == before


def test_the_learning_rate_and_the_scale_come_back(base: Path) -> None:
    models, params = load_torch_bundle(base)

    loaded = models["diffraction_to_obj"]
    assert loaded.model_config.intensity_scale == params["intensity_scale"] == 2.5
    assert loaded.training_config.learning_rate == 1e-3
    assert models["autoencoder"] is loaded.model.autoencoder and not loaded.training
    assert "_learning_rate" not in cfg


def test_saving_and_loading_leave_torchs_generator_alone(base: Path, module: PtychoLightningModule) -> None:
    state = torch.get_rng_state()

    load_torch_bundle(base)
    save_torch_bundle({"autoencoder": module, "diffraction_to_obj": module}, base, config())

    assert torch.equal(torch.get_rng_state(), state)


def test_a_configuration_of_another_model_is_refused_when_saved(tmp_path: Path, module: PtychoLightningModule) -> None:
    models = {"autoencoder": module, "diffraction_to_obj": module}

    with pytest.raises(ContractError, match="shape mismatch"):
        save_torch_bundle(models, tmp_path / "wts.h5", config(gridsize=1))

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["autoencoder", "diffraction_to_obj"])
def test_a_module_without_weights_is_no_model(tmp_path: Path, module: PtychoLightningModule, name: str) -> None:
    """BUNDLE-006: a RuntimeError with its name, and nothing is written."""
    models = {"autoencoder": module.model.autoencoder, "diffraction_to_obj": module, name: torch.nn.Identity()}
    with pytest.raises(RuntimeError, match=name):
        save_torch_bundle(models, tmp_path / "wts.h5", config())
    assert not list(tmp_path.iterdir())


def test_a_separately_trained_autoencoder_is_refused_when_saved(tmp_path: Path, module: PtychoLightningModule) -> None:
    other = PtychoLightningModule.from_config(config())

    with pytest.raises(ContractError, match="autoencoder.*the trained weights that diffraction_to_obj has"):
        save_torch_bundle({"autoencoder": other, "diffraction_to_obj": module}, tmp_path / "wts.h5", config())


def test_whatever_stops_a_rebuild_the_registry_stays_as_it_was(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PtychoModule, "load_state_dict", None)  # calling it is a TypeError
    monkeypatch.setitem(cfg, "remembered", 1)
    before = dict(cfg)

    with pytest.raises(TypeError):
        load_torch_bundle(base)

    assert cfg == before
