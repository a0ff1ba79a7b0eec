"""The model that was trained last, and models as files."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zipfile import ZipFile

import numpy as np

from ptycho import probe
from reference_impl.bundle import save_torch_bundle
from reference_impl.config import ARCHIVE_NAME
from reference_impl.errors import ContractError
from reference_impl.execution import PyTorchExecutionConfig
from reference_impl.inference import load_inference_bundle_torch, predict_patches

MANIFEST = "manifest.dill"


@dataclass(frozen=True)
class Trained:
    """Both models of a training with the configuration that describes them."""

    models: dict[str, Any]
    config: Any
    intensity_scale: float


latest: Trained | None = None
"""What `save` writes; set by `run_cdi_example`."""


@dataclass(frozen=True)
class Model:
    """A trained model as the client calls it; `config` is canonical."""

    module: Any
    config: Any

    def predict(self, inputs: Sequence[Any], *_: Any, **__: Any) -> np.ndarray:
        """`[X (n, N, N, C), local offsets (n, 1, 2, C)]` → object patches `(n·C, N, N, 1)` complex64, group by group.

        Any common factor of `X` is taken out, as in training (INFER-009). Raises `ContractError`.
        """
        patterns, offsets = inputs
        if probe.current is None:
            raise ContractError(field="probe", expected="a probe: call set_probe_guess first", found="none")
        fields = SimpleNamespace(X=np.asarray(patterns, np.float32), coords_relative=np.asarray(offsets), probe=probe.current)
        return predict_patches(self.module, fields, self.config, PyTorchExecutionConfig(channels_last=True))


def save(out_prefix: str | Path) -> None:
    """Write the model that was trained last to `<out_prefix>/wts.h5.zip`, whole or not at all."""
    if latest is None:
        raise ContractError(field="model", expected="a model that was trained in this process", found="none")
    Path(out_prefix).mkdir(parents=True, exist_ok=True)
    base = Path(out_prefix) / ARCHIVE_NAME.removesuffix(".zip")
    save_torch_bundle(latest.models, base, latest.config, latest.intensity_scale)


def load(folder: str | Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Models and parameters of `<folder>/wts.h5.zip`.

    The client unpacks every `.zip` that is not named so, the bundle itself included: its entries in a folder are as good.
    """
    if (Path(folder) / ARCHIVE_NAME).is_file() or not (Path(folder) / MANIFEST).is_file():
        return load_inference_bundle_torch(folder)
    with tempfile.TemporaryDirectory() as packed:
        with ZipFile(Path(packed) / ARCHIVE_NAME, "w") as archive:
            for path in sorted(path for path in Path(folder).rglob("*") if path.is_file()):
                archive.write(path, path.relative_to(folder))
        return load_inference_bundle_torch(packed)
