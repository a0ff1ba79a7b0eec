"""Defects of loaders: order, size, seed, workers, errors that are hidden."""

from __future__ import annotations

import copy
from typing import Any

from torch.utils.data import DataLoader

from conformance.defects.planting import Plant
from conformance.mutants import mutant
from reference_impl.batch import container, loaders


def options(plant: Plant, **forced: Any) -> None:
    """Every loader is made with these options of torch's, whatever was asked for."""
    plant.constant(loaders, "DataLoader", lambda *given, **asked: DataLoader(*given, **{**asked, **forced}))


@mutant("DEF-020", "a broken container ends in UnboundLocalError", "BATCH-036:a_broken_container_is_reported")
def every_exception_is_printed_and_forgotten(plant: Plant) -> None:
    def build(original):
        def both(*given):
            try:
                train, test = original(*given)
            except Exception as error:
                print(error)
            return train, test

        return both

    plant.function(loaders.build_loaders, build)


@mutant(
    "DEF-021", "runs with one seed differ in the order of their samples",
    "BATCH-032:equal_seeds_make_equal_orders", "BATCH-032:no_seed_is_forty_two",
)  # fmt: skip
def nothing_is_seeded(plant: Plant) -> None:
    plant.constant(loaders, "seed_everything", lambda *given, **options: None)
    plant.function(loaders.make_loader, lambda original: lambda *given, generator=None, **asked: original(*given, **asked))


@mutant("DEF-022", "seed 0 behaves like 42", "BATCH-032:different_seeds_make_different_orders")
def a_seed_is_judged_by_its_truth(plant: Plant) -> None:
    plant.function(container.resolve_seed, lambda original: lambda seed: seed or 42)


@mutant("DEF-024", "sequential sampling has no effect on batches", "BATCH-031:sequential_batches_stand_in_order")
def training_batches_are_always_shuffled(plant: Plant) -> None:
    def make(original):
        return lambda *given, **asked: original(*given, **{**asked, "shuffle": "generator" in asked})

    plant.function(loaders.make_loader, make)


@mutant(
    "DEF-029", "the tail of a pass is lost", "BATCH-031:the_tail_of_a_pass_is_kept", "BATCH-031:validation_is_never_shuffled"
)  # fmt: skip
def the_last_partial_batch_is_dropped(plant: Plant) -> None:
    options(plant, drop_last=True)


@mutant(
    "GUARD-BATCH-031", "the configured batch size has no effect",
    "BATCH-031:the_tail_of_a_pass_is_kept", "BATCH-031:sixteen_samples_a_batch_by_default",
)  # fmt: skip
def the_batch_size_is_not_passed_on(plant: Plant) -> None:
    options(plant, batch_size=4)


@mutant("GUARD-BATCH-031b", "training sees its samples in one order", "BATCH-031:training_batches_are_shuffled")
def training_batches_are_never_shuffled(plant: Plant) -> None:
    options(plant, shuffle=False)


@mutant("GUARD-BATCH-031c", "validation data are shuffled", "BATCH-031:validation_is_never_shuffled")
def both_loaders_have_the_same_options(plant: Plant) -> None:
    options(plant, shuffle=True)


@mutant(
    "GUARD-BATCH-031d", "training data are validated against themselves",
    "BATCH-031:without_a_test_container_there_is_no_validation",
)  # fmt: skip
def training_data_stand_in_for_missing_validation_data(plant: Plant) -> None:
    def build(original):
        return lambda train, test, *rest: original(train, train if test is None else test, *rest)

    plant.function(loaders.build_loaders, build)


@mutant("GUARD-BATCH-031e", "memory is pinned without being asked for", "BATCH-031:loaders_start_no_workers")
def memory_is_always_pinned(plant: Plant) -> None:
    options(plant, pin_memory=True)


@mutant("GUARD-BATCH-032", "every seed gives the same order", "BATCH-032:different_seeds_make_different_orders")
def the_seed_is_built_in(plant: Plant) -> None:
    plant.function(container.resolve_seed, lambda original: lambda seed: container.DEFAULT_SEED)


@mutant("GUARD-BATCH-032b", "a run without a seed is not that of seed 42", "BATCH-032:no_seed_is_forty_two")
def no_seed_is_zero(plant: Plant) -> None:
    plant.function(container.resolve_seed, lambda original: lambda seed: 0 if seed is None else seed)


@mutant("GUARD-BATCH-022b", "validation sees the training's probe", "BATCH-022:validation_batches_hold_the_test_container")
def validation_takes_its_probe_from_the_training(plant: Plant) -> None:
    def build(original):
        def both(train, test, *rest):
            given = copy.copy(test)
            if given is not None:
                object.__setattr__(given, "probe", train.probe)
            return original(train, given, *rest)

        return both

    plant.function(loaders.build_loaders, build)
