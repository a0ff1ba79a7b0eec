"""Defects of bright and of dark patterns, of the batch that comes first, of what a measurement leaves switched."""

from __future__ import annotations

import numpy as np
import torch

from conformance.defects.changes import function, method, result
from conformance.mutants import rows
from reference_impl.counts import CountModule, dataset, session
from reference_impl.counts import module as counting
from reference_impl.errors import ContractError

BRIGHT = "CISCALE-003:bright_counts_stay_as_they_were_given"
FORMS = "CISCALE-003:probes_of_two_forms_are_refused"
DARK = "CISCALE-005:amplitudes_become_counts_with_their_probe"
FIRST = "CISCALE-008:a_fresh_module_has_the_light_of_the_batch_that_comes_first"
NOTHING = "CISCALE-008:measuring_the_factor_switches_nothing"


def modes_alone_are_compared(original, fields):
    alike = {"probe_training", "probe_physical"} <= {*fields.keys()}
    alike = alike and fields["probe_training"].shape[:3] == fields["probe_physical"].shape[:3]
    return fields if alike and all(name in fields.keys() for name in dataset.FIELDS) else original(fields)  # noqa: SIM118


def a_dark_pattern_is_none(original, amplitude, *given):
    if not np.asarray(amplitude).any(axis=(-2, -1)).all():
        raise ContractError(field="amplitude", expected="some light", found="none")
    return original(amplitude, *given)


def the_factor_is_of_the_first_samples(original, train, test, settings):
    found = original(train, test, settings)
    if settings.rect_s1s2_init == "data":
        held, module = found["train"].dataset, found["module"]
        scale = module.initial_scale(held.__getitems__(range(min(len(held), settings.config.batch_size))))
        with torch.no_grad():
            module.s1.fill_(scale), module.s2.fill_(scale)
    return found


def _switched(name):
    def change(original, self, batch):
        found = original(self, batch)
        getattr(self, name)()
        return found

    return change


mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
mutant("GUARD-CISCALE-003d", "counts end at 16 bits", BRIGHT,
    plant=function(dataset.intensities, result(lambda counts: np.minimum(counts, 65535))))
mutant("GUARD-CISCALE-003e", "two probes of different sides pass", FORMS,
    plant=function(counting.checked, modes_alone_are_compared))
mutant("GUARD-CISCALE-005c", "a dark pattern among others is refused", DARK,
    plant=function(dataset.counts_of, a_dark_pattern_is_none))
mutant("GUARD-CISCALE-008e", "a factor is that of the first samples, whichever come first", FIRST,
    plant=function(session.prepare, the_factor_is_of_the_first_samples))
mutant("GUARD-CISCALE-008f", "a module is switched to judging by its factor", NOTHING,
    plant=method(CountModule, "initial_scale", _switched("eval")))
mutant("GUARD-CISCALE-008g", "a module is switched to learning by its factor", NOTHING,
    plant=method(CountModule, "initial_scale", _switched("train")))
