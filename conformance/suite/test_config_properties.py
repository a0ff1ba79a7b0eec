"""CONFIG: what holds for every configuration, on examples that nobody chose."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.connectors.connect import Proxy
from conformance.judging.observe import Observer
from conformance.scenes import configs, strategies


@pytest.mark.clause("CONFIG-005~1", "CONFIG-020~1")
@strategies.every(model=strategies.MODEL_FIELDS, training=strategies.TRAINING_FIELDS)
def test_every_configuration_reaches_the_registry(
    backend: Proxy, observe: Observer, model: dict[str, Any], training: dict[str, Any]
) -> None:
    """What is stated stands under its key, and the same again after a second time.

    If this fails, suspect a zero or False taken for absent, or a default written over what was stated.
    """
    config, registry = backend.canonical("training", model=backend.canonical("model", **model), **training), backend.defaults()

    backend.synchronise(config, registry)
    once = dict(registry)
    backend.synchronise(config, registry)

    expected = configs.in_registry({**model, **training})
    observe.equal("registry", configs.chosen(registry, expected), expected, clause="CONFIG-020")
    observe.equal("a second time", dict(registry), once, clause="CONFIG-005")
