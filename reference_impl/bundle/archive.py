"""Saving and loading the pair `autoencoder`, `diffraction_to_obj` (specs/bundle.md)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reference_impl.policy import require_torch

require_torch()

from torch import nn  # noqa: E402

from reference_impl.bundle import safe_pickle  # noqa: E402
from reference_impl.bundle.container import MANIFEST, BundleReader, digest, write_entries  # noqa: E402
from reference_impl.bundle.parameters import VERSION, module_of, parameters_of, refuse_incomplete  # noqa: E402
from reference_impl.bundle.weights import (  # noqa: E402
    State,
    refuse_other_weights,
    refuse_unequal,
    state_from_bytes,
    state_of,
    state_to_bytes,
)
from reference_impl.config import TrainingConfig, registry  # noqa: E402
from reference_impl.errors import ContractError  # noqa: E402
from reference_impl.stored.finite import DIVERGED, refuse_not_finite  # noqa: E402
from reference_impl.training.module import PtychoModule  # noqa: E402

MODELS = ("autoencoder", "diffraction_to_obj")
BACKEND = "pytorch"
ENTRIES = (MANIFEST, *(f"{model}/{part}" for model in MODELS for part in ("model.pth", "params.dill")))


class NoWeightsError(ContractError, RuntimeError):
    """What should be a model has no weights (BUNDLE-006)."""


def save_torch_bundle(
    models_dict: Mapping[str, Any], base_path: str | Path, config: TrainingConfig, intensity_scale: float | None = None
) -> Path:
    """Write `<base_path>.zip` with both models and the parameters that rebuild them; returns its path.

    `models_dict`: `diffraction_to_obj`, a trained `PtychoLightningModule`, and `autoencoder`, its sub-module (or the module
    again). The archive is complete or the one that lay there stays: everything is checked, in memory, before a byte is written.
    Raises `ContractError` (a model missing or further, weights that `config` does not describe), `NoWeightsError`, `OSError`.
    """
    trained, part = _pair(models_dict)
    params = parameters_of(config, trained, intensity_scale)
    states = {"autoencoder": state_of(part), "diffraction_to_obj": state_of(trained)}
    # What cannot be loaded must not be saved, nor what means nothing.
    refuse_not_finite(states["diffraction_to_obj"], f"{base_path}.zip", DIVERGED)
    refuse_other_weights(states["diffraction_to_obj"], module_of(params, device="meta"), None, "diffraction_to_obj")
    refuse_other_weights(states["autoencoder"], _autoencoder(trained), None, "autoencoder")
    refuse_unequal(states["autoencoder"], state_of(_autoencoder(trained)), None, "autoencoder")
    entries: dict[str, bytes] = {}
    for model in MODELS:
        entries[f"{model}/model.pth"] = state_to_bytes(states[model])
        entries[f"{model}/params.dill"] = safe_pickle.dumps(params, f"{model}/params.dill")
    digests = {name: digest(data) for name, data in entries.items()}
    manifest = {"models": list(MODELS), "version": VERSION, "backend": BACKEND, "sha256": digests}
    path = Path(f"{base_path}.zip")
    write_entries({MANIFEST: safe_pickle.dumps(manifest, MANIFEST), **entries}, path)
    return path


def _pair(models: Mapping[str, Any]) -> tuple[nn.Module, nn.Module]:
    """The trained module and its autoencoder, out of exactly these two (BUNDLE-010, BUNDLE-011)."""
    if not models:
        raise ContractError(
            field="models_dict", expected=f"{' and '.join(MODELS)}", found="none; give at least one model of each"
        )
    names = set(models.keys())
    for name in MODELS:
        if name not in names:
            raise ContractError(field="models_dict", expected=f"the models {' and '.join(MODELS)}", found=f"no {name}")
    for name in sorted(names - set(MODELS), key=str):
        raise ContractError(field="models_dict", expected=f"no models beside {' and '.join(MODELS)}", found=f"{name}")
    for name in MODELS:
        if not isinstance(models[name], nn.Module):
            raise NoWeightsError(field=name, expected="a torch module with weights", found=type(models[name]).__name__)
        if not models[name].state_dict():
            raise NoWeightsError(field=name, expected="weights", found=f"none in {type(models[name]).__name__}")
    whole, part = models["diffraction_to_obj"], models["autoencoder"]
    if _autoencoder(whole) is None:
        raise ContractError(field="diffraction_to_obj", expected="a PtychoLightningModule", found=type(whole).__name__)
    return whole, part if _autoencoder(part) is None else _autoencoder(part)


def _autoencoder(module: nn.Module) -> nn.Module | None:
    return getattr(getattr(module, "model", None), "autoencoder", None)


def load_torch_bundle(base_path: str | Path, model_name: str | None = None) -> tuple[dict[str, nn.Module], dict[str, Any]]:
    """Both models, in evaluation mode on the CPU, and the parameters, of `<base_path>.zip` (BUNDLE-020).

    The registry holds the parameters before a model is constructed (BUNDLE-023). `autoencoder` is the sub-module of
    `diffraction_to_obj`, one network with one set of weights. `model_name` is accepted and changes nothing: both are returned.
    Nothing of the archive is executed or written to disk; one that is refused leaves the registry as it was.
    Raises `FileNotFoundError` ("Model archive not found") and `ContractError`.
    """
    path = Path(f"{base_path}.zip")
    if not path.is_file():
        raise FileNotFoundError(f"Model archive not found: {path}")
    params, states = read_bundle(path)
    module = _rebuilt(params, states, path)
    return {"autoencoder": module.model.autoencoder, "diffraction_to_obj": module}, params


def read_bundle(path: Path) -> tuple[dict[str, Any], dict[str, State]]:
    """The parameters, and the weights of each model, of an archive that is checked as a whole before anything is built of it."""
    with BundleReader(path) as archive:
        manifest = _manifest(archive)
        archive.require(ENTRIES)
        entries = {name: archive.read(name) for name in ENTRIES if name != MANIFEST}
    _refuse_other_digests(manifest.get("sha256"), entries, path)
    params = _parameters(entries, path)
    return params, {model: state_from_bytes(entries[f"{model}/model.pth"], path, f"{model}/model.pth") for model in MODELS}


def _rebuilt(params: Mapping[str, Any], states: Mapping[str, State], path: Path) -> PtychoModule:
    """The module of the parameters with the weights of the archive; the registry first, and put back where they do not fit."""
    before = dict(registry.cfg)
    registry.cfg.update({key: value for key, value in params.items() if not key.startswith("_")})
    try:
        shapes = module_of(params, path, device="meta")  # no memory is taken for a size that the weights do not have
        refuse_other_weights(states["diffraction_to_obj"], shapes, path, "diffraction_to_obj/model.pth")
        refuse_other_weights(states["autoencoder"], shapes.model.autoencoder, path, "autoencoder/model.pth")
        module = module_of(params, path)
        module.load_state_dict(states["diffraction_to_obj"], strict=True)
        refuse_unequal(states["autoencoder"], module.model.autoencoder.state_dict(), path, "autoencoder/model.pth")
    except BaseException:  # whatever it was: a refused bundle leaves the registry as it was
        registry.cfg.clear()
        registry.cfg.update(before)
        raise
    return module.eval()


def _manifest(archive: BundleReader) -> dict[str, Any]:
    """The manifest of a bundle that this backend wrote, or could have (BUNDLE-003, BUNDLE-034)."""
    manifest = safe_pickle.loads(archive.read(MANIFEST), MANIFEST, archive.path)
    if not isinstance(manifest, dict):
        raise ContractError(file=archive.path, field=MANIFEST, expected="a dictionary", found=type(manifest).__name__)
    for key, kind in (("models", list), ("version", str)):
        if not isinstance(manifest.get(key), kind):
            found = repr(manifest.get(key))[:80]
            raise ContractError(file=archive.path, field=f"{MANIFEST}: {key}", expected=f"a {kind.__name__}", found=found)
    version = manifest["version"]
    # Without the tag the ending of the version tells: the other line of backends never wrote one.
    backend = manifest.get("backend") or ("pytorch" if version.endswith("-pytorch") else "tensorflow")
    if backend != BACKEND:
        found = f"one of backend {backend!r}, version {version!r}"
        raise ContractError(file=archive.path, field=MANIFEST, expected=f"a bundle of backend {BACKEND!r}", found=found)
    if version != VERSION or sorted(map(str, manifest["models"])) != sorted(MODELS):
        found = f"version {version!r} with {manifest['models']}"[:160]
        expected = f"version {VERSION!r} with {list(MODELS)}"
        raise ContractError(file=archive.path, field=MANIFEST, expected=expected, found=found)
    return manifest


def _refuse_other_digests(digests: Any, entries: Mapping[str, bytes], path: Path) -> None:
    """An archive without digests loads, one with a wrong digest does not (decision 19)."""
    if digests is None:
        return
    if not isinstance(digests, dict):
        raise ContractError(file=path, field=f"{MANIFEST}: sha256", expected="a dictionary", found=type(digests).__name__)
    for name, data in entries.items():
        if digests.get(name) != digest(data):
            found = f"content of digest {digest(data)[:16]}…"
            expected = f"the digest that {MANIFEST} states, {str(digests.get(name))[:16]}…"
            raise ContractError(file=path, field=name, expected=expected, found=found)


def _parameters(entries: Mapping[str, bytes], path: Path) -> dict[str, Any]:
    names = [f"{model}/params.dill" for model in MODELS]
    first, second = (safe_pickle.loads(entries[name], name, path) for name in names)
    refuse_incomplete(second, path, names[1])
    if first != second:
        raise ContractError(file=path, field=names[0], expected=f"the parameters of {names[1]}", found="others")
    if "intensity_scale" not in second:
        raise ContractError(file=path, field=names[1], expected="the key intensity_scale", found="none")
    return second
