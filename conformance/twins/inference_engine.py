"""Freedoms of engines that reconstruct without training: phase and scale of the object, a wider canvas, single precision."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np

from conformance.backends.numpy_only import engine
from conformance.defects.planting import Plant
from conformance.twins import twin


@twin("TWIN-ENGINE-GAUGE", "another phase, scale and canvas of an engine's object", files=("test_inference_engine",))
def another_gauge(plant: Plant) -> None:
    def reconstruct(results: Any, test: Any, config: Any, **_: Any) -> tuple[Any, Any, Any]:
        found = engine.reconstruct(results, test, config)[2]["object"]
        image = np.pad((0.3 * np.exp(2.1j) * found).astype(np.complex64), ((3, 3), (8, 8)))
        return np.abs(image), np.angle(image), {"object": image, "passes": config.nepochs}

    plant.answer("reconstruct", lambda original: reconstruct)
    plant.answer("record", lambda original: lambda **arrays: SimpleNamespace(**arrays))
    plant.answer("info", lambda original: lambda: replace(original(), profiles=("core", "reconstruct")))
