"""CONFIG, EXEC, BATCH: every setting, and what records and containers carry, has the effect that specs/effects.toml names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from conformance.judging.observe import Observer
from conformance.scenes import carried, images, runs
from conformance.scenes import effects as scene
from conformance.specification.effects import Effect, effects, further


@pytest.mark.clause("CONFIG-071~2")
@pytest.mark.parametrize("effect", effects("model", "training", "inference"), ids=str)
def test_a_setting_acts_or_is_refused(backend: Any, observe: Observer, tmp_path: Path, effect: Effect) -> None:
    """Another value has another outcome. If this fails, suspect a field that is stored, written down, and read by nobody."""
    first, second = scene.outcomes(backend, effect, tmp_path)

    observe.equal("refused without its name", scene.unnamed(effect, second), "")
    observe.holds(
        f"effect on {effect.changes}", scene.acts(effect, first, second), "another outcome", f"the same: {second}"[:300]
    )


@pytest.mark.clause("EXEC-014~2")
@pytest.mark.parametrize("effect", effects("execution"), ids=str)
def test_an_execution_setting_acts_or_is_refused(backend: Any, observe: Observer, tmp_path: Path, effect: Effect) -> None:
    """Another value has another outcome. If this fails, suspect a setting that is not handed on to who carries the run out."""
    first, second = scene.outcomes(backend, effect, tmp_path)

    observe.equal("refused without its name", scene.unnamed(effect, second), "")
    observe.holds(
        f"effect on {effect.changes}", scene.acts(effect, first, second), "another outcome", f"the same: {second}"[:300]
    )


@pytest.mark.slow
@pytest.mark.clause("EXEC-014~2", needs=("INFER-001",))
def test_an_absent_accelerator_is_refused_by_inference(backend: Any, observe: Observer) -> None:
    """It is named, and nothing takes its place. If this fails, suspect a device chosen by what there is."""
    absent = scene.absent(backend)

    with observe.raises("refusal", (ValueError, RuntimeError), absent):
        images.afresh(backend, runs.BASE, runs.test_record(backend), runs.settings(accelerator=absent), M=20)


@pytest.mark.clause("BATCH-013~1")
@pytest.mark.parametrize("effect", effects("record", "container"), ids=str)
def test_what_is_carried_arrives(backend: Any, observe: Observer, tmp_path: Path, effect: Effect) -> None:
    """Another part, other weights. If this fails, suspect a default in the place of what a record or container carries."""
    first, second = carried.carried(backend, effect, tmp_path)

    observe.equal("refused without its name", scene.unnamed(effect, second), "")
    observe.holds(f"effect on {effect.changes}", first != second, "other weights", f"the same: {second}"[:300])


@pytest.mark.clause("CONFIG-077~1", needs=("CONFIG-071", "EXEC-014"))
@pytest.mark.parametrize("effect", further("model", "training", "execution"), ids=str)
def test_a_setting_acts_at_its_other_values(backend: Any, observe: Observer, tmp_path: Path, effect: Effect) -> None:
    """Small ones, large ones, and each name. If this fails, suspect a threshold below which a value counts for none."""
    first, second = scene.outcomes(backend, effect, tmp_path)

    observe.equal("refused without its name", scene.unnamed(effect, second), "")
    observe.holds(
        f"effect on {effect.changes}", scene.acts(effect, first, second), "another outcome", f"the same: {second}"[:300]
    )
