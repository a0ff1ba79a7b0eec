"""Defects of factors that learn, of seed zero, and of the execution, in a training on counts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from conformance.defects.changes import function, method
from conformance.mutants import rows
from reference_impl.counts import module, session, statistics

LEARN = "CISCALE-010:factors_learn_where_they_are_asked_to"
ARRIVES = "CISCALE-011:the_execution_of_a_training_on_counts_arrives"
ZERO = "CISCALE-009:zero_is_a_seed_of_a_training_on_counts"


def factors_of_the_data_are_kept(original, kind, settings, statistics):
    learn = settings.rect_s1s2_trainable and settings.rect_s1s2_init == "ones"
    return original(kind, replace(settings, rect_s1s2_trainable=learn), statistics)


def one_factor_is_kept(original, self, *given, **options):
    original(self, *given, **options)
    if "s2" in self._parameters:
        del self.s2
        self.register_buffer("s2", torch.ones(()))


def factors_always_learn(original, self, *given, **options):
    original(self, *given, **{**options, "rect_s1s2_trainable": True})


def gradients_are_as_they_come(original, trained, train, test, run, *more):
    trained.training_config = replace(trained.training_config, gradient_clip_val=None)
    return original(trained, train, test, replace(run, execution=replace(run.execution, gradient_clip_val=None)), *more)


def statistics_in_the_order_of_appearance(original, kind, intensity, experiment):
    _, first, number = np.unique(experiment, return_index=True, return_inverse=True)
    return original(kind, intensity, np.argsort(np.argsort(first))[number])


mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
mutant("GUARD-CISCALE-010", "factors that begin at the light of the data are not trained", f"{LEARN}[trained-data]",
    plant=method(module.CountModule, "of", factors_of_the_data_are_kept))
mutant("GUARD-CISCALE-010b", "the factor of the imaginary part is never trained", f"{LEARN}[trained-ones]",
    f"{LEARN}[trained-data]", plant=method(module.CountModule, "__init__", one_factor_is_kept))
mutant("GUARD-CISCALE-010c", "factors are trained where nobody asked for it", f"{LEARN}[kept-ones]", f"{LEARN}[kept-data]",
    plant=method(module.CountModule, "__init__", factors_always_learn))
mutant("GUARD-CISCALE-009c", "a training on counts takes seed zero for none", ZERO,
    plant=function(session.resolve_seed, lambda original, seed: original(seed or None)))
mutant("GUARD-CISCALE-009d", "seeds of a training on counts begin at one", ZERO,
    plant=function(session.resolve_seed, lambda original, seed: original(seed if seed is None else max(seed, 1))))
mutant("GUARD-CISCALE-011", "a training on counts has the rate of the configuration", f"{ARRIVES}[learning_rate]",
    plant=method(module.CountModule, "train_as", lambda original, self, config, execution: original(self, config, None)))
mutant("GUARD-CISCALE-011b", "gradients of counts are never clipped", f"{ARRIVES}[gradient_clip_val]",
    plant=function(session.fit, gradients_are_as_they_come))
mutant("GUARD-CISCALE-002z", "experiments have the statistics of their first appearance",
    "CISCALE-002:statistics_are_those_of_each_experiment[g1]",
    plant=method(statistics.CountStatistics, "of", statistics_in_the_order_of_appearance))
