"""Defects of the call of a training: overrides that reach one of two configurations, or more than they name."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from conformance.defects.changes import constant, every, function
from conformance.mutants import rows
from reference_impl.batch import PtychoContainer, loaders
from reference_impl.config import bridge
from reference_impl.training import overrides, trainer


def one_of_both_is_overridden(original, config, execution, stated):
    run = original(config, execution, stated)
    return replace(run, execution=replace(run.execution, gradient_clip_algorithm=execution.gradient_clip_algorithm))


def a_seed_is_the_configurations(original, config, execution, stated):
    run = original(config, execution, stated)
    return replace(run, config=replace(run.config, subsample_seed=config.subsample_seed))


def a_limit_has_to_be_said_again(original, config, execution, stated):
    run = original(config, execution, stated)
    if "gradient_clip_algorithm" not in (stated or {}) or "gradient_clip_val" in stated:
        return run
    return replace(run, execution=replace(run.execution, gradient_clip_val=None))


def the_executions_way_to_clip_is_not_asked(original, config, execution):
    return replace(original(config, execution), gradient_clip_algorithm=config.gradient_clip_algorithm)


def the_executions_defaults_count(original, config, execution):
    found = original(config, execution)
    return found if execution is None else replace(found, gradient_clip_val=execution.gradient_clip_val)


def the_trainings_schedule_is_not_asked(original, config, execution):
    found = original(config, execution)
    return found if execution is None else replace(found, scheduler=execution.scheduler)


def a_limit_brings_its_way_along(original, config, execution):
    made = original(config, execution)
    limited = getattr(execution, "gradient_clip_val", None) is not None
    return replace(made, gradient_clip_algorithm=execution.gradient_clip_algorithm) if limited else made


def the_executions_way_to_clip_waits_for_its_limit(original, config, execution):
    made = original(config, execution)
    lacking = getattr(execution, "gradient_clip_val", None) is None
    return replace(made, gradient_clip_algorithm=config.gradient_clip_algorithm) if lacking else made


class Seeds:
    """Sets the seed of a training on a record, and of none on a container."""

    def __init__(self) -> None:
        self.contained, self.original = False, trainer.seed_everything

    def looked(self, original: Any, data: Any, config: Any) -> Any:
        self.contained = isinstance(data, PtychoContainer)
        return original(data, config)

    def __call__(self, *given: Any, **options: Any) -> Any:
        return None if self.contained else self.original(*given, **options)


SEEDS = Seeds()
mutant = rows(__name__)
HEARD = "EXEC-016:a_setting_acts_whoever_states_it"
ALL = "EXEC-005:overrides_of_a_call_are_what_its_configurations_would_be"
mutant(
    "GUARD-EXEC-005g",
    "an override of the way to clip loses to the execution",
    ALL,
    plant=function(overrides.settle, one_of_both_is_overridden),
)
mutant(
    "GUARD-EXEC-005h", "an override of the seed is forgotten", ALL, plant=function(overrides.settle, a_seed_is_the_configurations)
)
mutant(
    "GUARD-EXEC-005i",
    "an override of the way to clip takes the limit away",
    "EXEC-005:a_call_overrides_nothing_but_what_it_names",
    plant=function(overrides.settle, a_limit_has_to_be_said_again),
)
mutant(
    "GUARD-EXEC-016",
    "a way to clip that the execution alone states is ignored",
    f"{HEARD}[execution]",
    plant=function(bridge._torch_training, the_executions_way_to_clip_is_not_asked),
)
mutant(
    "GUARD-EXEC-016b",
    "a limit that the training alone states is lost to the execution's default",
    f"{HEARD}[training]",
    plant=function(bridge._torch_training, the_executions_defaults_count),
)
mutant(
    "GUARD-EXEC-016c",
    "a schedule that the training alone states is lost to the execution's default",
    f"{HEARD}[training]",
    plant=function(bridge._torch_training, the_trainings_schedule_is_not_asked),
)
mutant(
    "GUARD-EXEC-016d",
    "a limit that the execution states brings its way to clip along, its default too",
    f"{HEARD}[each]",
    plant=function(bridge._torch_training, a_limit_brings_its_way_along),
)
mutant(
    "GUARD-EXEC-016e",
    "a way to clip that the execution states counts only where it states the limit too",
    f"{HEARD}[execution]",
    plant=function(bridge._torch_training, the_executions_way_to_clip_waits_for_its_limit),
)
mutant(
    "GUARD-TRAIN-011b",
    "the seed is set where records are sampled: a training on a container begins with any weights",
    "TRAIN-011:a_training_on_containers_repeats_itself_too",
    plant=every(
        function(trainer._with_the_side_of, SEEDS.looked),
        constant(trainer, "seed_everything", SEEDS),
        constant(loaders, "seed_everything", SEEDS),
    ),
)
