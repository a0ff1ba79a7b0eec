"""TRAIN, EXEC: settings of one call stand above both configurations, each of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from conformance.judging.observe import Observer
from conformance.scenes import called, given
from conformance.scenes.runs import Recipe, settings

pytestmark = pytest.mark.slow


@pytest.mark.clause("EXEC-005~1", needs=("TRAIN-003", "TRAIN-011"))
def test_overrides_of_a_call_are_what_its_configurations_would_be(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """All of them at once, bit for bit, where the execution says a third thing. If this fails, suspect an override that reaches
    one of two configurations, or a default that counts as not stated.
    """
    owed = called.trained(backend, tmp_path / "stated", called.ABOVE, {})

    found = called.trained(backend, tmp_path / "overridden", {}, called.ABOVE)

    observe.equal("what differs", called.unlike(found, owed), [])


@pytest.mark.clause("EXEC-005~1", needs=("TRAIN-003", "TRAIN-011"))
def test_a_call_overrides_nothing_but_what_it_names(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """One setting that both configurations know; the rest is theirs. If this fails, suspect settings that are defaults again."""
    owed = called.trained(backend, tmp_path / "stated", {"gradient_clip_algorithm": "value"}, {})

    found = called.trained(backend, tmp_path / "overridden", {}, {"gradient_clip_algorithm": "value"})

    observe.equal("what differs", called.unlike(found, owed), [])


@pytest.mark.clause("EXEC-016~1", needs=("TRAIN-011", "TRAIN-040", "TRAIN-044"))
@pytest.mark.parametrize("place", ["training", "execution", called.EACH])
def test_a_setting_acts_whoever_states_it(backend: Any, observe: Observer, place: str) -> None:
    """Schedule and clipping, said once: in one place, or a part in each. If this fails, suspect a default that is a statement."""
    both, one = (called.final(backend, *places) for places in (called.PLACES, [place]))

    observe.equal("weights", one, both)


@pytest.mark.clause("TRAIN-011~1", needs=("TRAIN-003",))
def test_a_training_on_containers_repeats_itself_too(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """Two batches of a record's container, twice. If this fails, suspect a seed that is set where records are sampled."""
    lean = Recipe(groups=8, validation=False, execution=settings(enable_checkpointing=False))

    first, second = given.on_containers(backend, tmp_path, lean)

    observe.equal("weights", second, first)
