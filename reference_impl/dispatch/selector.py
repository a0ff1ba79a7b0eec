"""One entry for every workflow: the registry first, then the backend's name, then its module (specs/dispatch.md).

Importable without torch; the stack is imported by the call that names it, and never instead of another.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType
from typing import Any

from reference_impl.config.registry import cfg, update_legacy_dict
from reference_impl.errors import ContractError

WORKFLOW = "reference_impl.dispatch.workflow"


def run_cdi_example_with_backend(
    train_data: Any, test_data: Any, config: Any, *, execution_config: Any = None, **options: Any
) -> tuple[Any, Any, dict[str, Any]]:
    """Train, and with `do_stitching` reconstruct: `(amplitude, phase, results)`, `results['backend'] = config.backend`.

    `options` are those of `run_cdi_example_torch`. Raises `ContractError` ("Invalid backend"), `RuntimeError` where the backend's
    stack is missing (POLICY-003), and what the workflow raises.
    """
    workflow = _workflow_of(config)
    amplitude, phase, results = workflow.run_cdi_example_torch(
        train_data, test_data, config, execution_config=execution_config, **options
    )
    return amplitude, phase, {**results, "backend": config.backend}


def train_cdi_model_with_backend(
    train_data: Any, test_data: Any, config: Any, *, execution_config: Any = None, **options: Any
) -> dict[str, Any]:
    """Train alone; the results name the backend. `options` are those of `train_cdi_model_torch`; raises as above."""
    workflow = _workflow_of(config)
    results = workflow.train_cdi_model_torch(train_data, test_data, config, execution_config=execution_config, **options)
    return {**results, "backend": config.backend}


def load_inference_bundle_with_backend(
    bundle_dir: str | Path, config: Any, model_name: str = "diffraction_to_obj"
) -> tuple[Any, dict[str, Any]]:
    """The model `model_name` of a bundle's folder and the bundle's parameters (DISPATCH-006, decision 23).

    Raises `KeyError` for a model that the bundle lacks, `FileNotFoundError` without a bundle, and as above.
    """
    models, params = _workflow_of(config).load_inference_bundle_torch(bundle_dir, model_name)
    return models[model_name], params


def _workflow_of(config: Any) -> ModuleType:
    """The module that works for `config.backend`, imported when the registry holds `config` (DISPATCH-002)."""
    update_legacy_dict(cfg, config)
    if config.backend == "tensorflow":
        raise RuntimeError(
            "TensorFlow backend selected: this distribution holds the PyTorch reference only; expected backend='pytorch'"
        )
    if config.backend != "pytorch":
        found = f"{config.backend!r} (Invalid backend)"
        raise ContractError(field="backend", expected="'tensorflow' or 'pytorch'", found=found)
    try:
        return importlib.import_module(WORKFLOW)
    except (ImportError, RuntimeError) as error:  # the stack's own guards raise RuntimeError (POLICY-004)
        reason = " ".join(str(error).split())
        raise RuntimeError(
            f"PyTorch backend selected, but it cannot be imported ({reason}); pip install torch>=2.2, or the extra 'reference'"
        ) from error
