"""The end of a short training on counts, by the settings of its execution (CISCALE-011)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from conformance.scenes import counts, networks, runs

OF_AN_EXECUTION: dict[str, Any] = {"learning_rate": 5e-3, "gradient_clip_val": 1e-4, "accum_steps": 2}


def ended(backend: Any, folder: Path, **execution: Any) -> np.ndarray:
    """The weights at the end of a short training on counts with these settings of the execution, as one vector."""
    asked = counts.config(backend, 1, nepochs=1, batch_size=2, output_dir=folder)
    made = backend.count_prepare(counts.training(1), None, backend.count_settings(asked, **counts.PAIR, rect_s1s2_init="ones"))
    given = {"accelerator": "cpu", "learning_rate": 1e-3, "enable_progress_bar": False, "enable_checkpointing": False}
    backend.count_train(made, backend.canonical("execution", **{**given, **execution}))
    return runs.flat(networks.values(backend.weights(made["module"])))
