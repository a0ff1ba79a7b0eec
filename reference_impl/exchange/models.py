"""Trained models beside each other, and beside a reconstruction of somebody else's, on one test file (SIDE-031, SIDE-032)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from reference_impl.errors import ContractError
from reference_impl.evaluate.read import Picture
from reference_impl.exchange.checks import plane
from reference_impl.exchange.comparison import compare_pictures

PARTS = ("reconstructed_object", "reconstructed_probe", "algorithm")
"""What a reconstruction's NPZ has to hold; the last one is its name in the table."""
SEED = 42
"""Of the groups about the patterns, the same for all models."""


def compare_models(
    bundles: Mapping[str, Path],
    test: Path,
    folder: Path,
    reconstruction: Path | None = None,
    stitch_crop_size: int = 20,
    n_subsample: int | None = None,
    subsample_seed: int | None = None,
) -> None:
    """Leave what `compare_objects` leaves of the objects that the models in `bundles` (name → folder) see in a contract file.

    The truth is the file's `objectGuess`; `reconstruction` is an NPZ with an object of the same place. All see the same
    exposures, drawn once; M central pixels of a patch are placed. Raises `OSError`, `ContractError`, and leaves nothing then.
    """
    from reference_impl.data import load_data

    record = load_data(test, n_subsample=n_subsample, subsample_seed=subsample_seed)
    side = record.diff3d.shape[-1]
    if isinstance(stitch_crop_size, bool) or not isinstance(stitch_crop_size, int) or not 0 < stitch_crop_size <= side:
        expected = f"an integer with 0 < M <= N = {side}"
        raise ContractError(field="stitch_crop_size", expected=expected, found=repr(stitch_crop_size))
    if record.objectGuess is None:
        raise ContractError(file=test, field="objectGuess", expected="the object to compare with", found="none")
    others = {} if reconstruction is None else _read(reconstruction)
    if twice := sorted(set(others) & set(bundles)):
        raise ContractError(file=reconstruction, field="algorithm", expected="another name than a model's", found=repr(twice[0]))
    objects = {name: _seen(name, bundle, record, test, stitch_crop_size) for name, bundle in bundles.items()}
    truth = np.asarray(record.objectGuess).astype(np.complex128)
    compare_pictures(objects | others, Picture("truth", truth, np.ones(truth.shape, bool), (0.0, 0.0)), folder)


def _read(path: Path) -> dict[str, Picture]:
    with np.load(path, allow_pickle=False) as file:
        if missing := [name for name in PARTS if name not in file]:
            raise ContractError(file=path, field=missing[0], expected=", ".join(PARTS), found=", ".join(file.files) or "nothing")
        name, thing = str(file["algorithm"]), plane(file["reconstructed_object"], "reconstructed_object", 2, path)
    return {name: Picture(name, thing.astype(np.complex128), np.ones(thing.shape, bool))}


def _seen(name: str, bundle: Path, record: Any, test: Path, M: int) -> Picture:
    """The object that a model sees: each by the grid size of its own bundle, placed about the mean of its own positions."""
    from reference_impl.inference import load_inference_bundle_torch, reassemble_cdi_image_torch

    models, parameters = load_inference_bundle_torch(bundle)
    config = _config(bundle, test, parameters, len(record.xcoords))
    amplitude, phase, results = reassemble_cdi_image_torch(record, config, M=M, train_results={"models": models})
    field = (amplitude * np.exp(1j * phase)).astype(np.complex128)
    return Picture(name, field, amplitude > 0, tuple(results["canvas_frame"].origin))


def _config(bundle: Path, test: Path, parameters: Mapping[str, Any], count: int) -> Any:
    """The bundle's own model, one group about every pattern."""
    from reference_impl.bundle.parameters import config_of
    from reference_impl.config import create_inference_payload
    from reference_impl.config.canonical import ModelConfig, field_names
    from reference_impl.execution import PyTorchExecutionConfig

    model = config_of(parameters).model
    own = {name: getattr(model, name) for name in field_names(ModelConfig) if getattr(model, name) is not None}
    own |= {"n_groups": count, "subsample_seed": SEED, "nphotons": parameters["nphotons"]}
    execution = PyTorchExecutionConfig(accelerator="cpu")
    return create_inference_payload(bundle, test, bundle, own, execution).tf_inference_config
