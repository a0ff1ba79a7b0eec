"""Defects of what stands beside what everybody looks at: of validation, of the last batch, of other probes, seeds, photons."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import torch

from conformance.defects.changes import function, instead, method, result
from conformance.mutants import rows
from reference_impl.batch import container, dataset, fields, loaders
from reference_impl.data import stated_nphotons

KEEPS = "BATCH-001:a_container_keeps_the_probe"
ONES = "BATCH-010:without_labels_there_are_ones"
OVERRIDE = "BATCH-012:an_override_of_the_photons_stands_above_the_metadata[less]"
ALIKE = "BATCH-012:photons_come_from_the_metadata_before_the_configuration[alike]"
VALIDATION = "BATCH-022:validation_batches_hold_the_test_container"
OWN = "BATCH-022:every_batch_holds_its_own_samples"
WHOLE = "BATCH-039:labels_that_are_not_whole_are_refused"
MERGED = "BATCH-027:merging_needs_relative_positions_of_the_validation_too"
SCALING = "BATCH-029:the_scaling_is_that_of_any_probe"
ALONE = "BATCH-032:the_order_follows_from_data_and_seed_alone"
SEEDS = "BATCH-032:different_seeds_make_different_orders[5-large]"
NAMES = ("X", "Y", "probe", "rms_scaling_constant", "physics_scaling_constant", "experiment_id")


def a_wide_probe_stays_wide(original, grouped, probe, *given):
    found = original(grouped, probe, *given)
    found.probe = torch.from_numpy(np.array(probe)) if np.asarray(probe).dtype == np.complex128 else found.probe
    return found


def the_larger_number_of_photons_wins(original, data, config):
    photons, source = original(data, config)
    stated = stated_nphotons(getattr(data, "metadata", None))
    return (stated, "metadata") if source == "override" and stated and stated > photons else (photons, source)


def what_the_configuration_says_is_its_own(original, data, config):
    photons, source = original(data, config)
    return photons, "config" if source == "metadata" and photons == getattr(config, "nphotons", None) else source


def _in_validation(name, of):
    def change(original, train, test, *given):
        found = original(train, test, *given)
        if found[1] is not None:
            held = found[1].dataset.fields
            held[name] = np.full_like(held[name], of(found[0].dataset.fields[name]))
        return found

    return change


def the_last_batch_has_the_first_photons(original, self, indices):
    given, *rest = original(self, indices)
    if len(indices) < 8:
        given["physics_scaling_constant"] = torch.from_numpy(self.fields["physics_scaling_constant"][: len(indices)].copy())
    return given, *rest


def validation_has_zeros_for_places(original, train, test, config, *given):
    if test is not None and fields.attribute(test, "coords_relative") is None:
        held = {name: fields.attribute(test, name) for name in NAMES}
        test = SimpleNamespace(**held, coords_relative=np.zeros((len(held["X"]), 1, 2, config.model.gridsize**2), np.float32))
    return original(train, test, config, *given)


def no_probe_has_a_scale(original, given, side, model):
    found, factor = original(given, side, model)
    return found, factor / model.probe_scale if fields.attribute(given, "probe") is None else factor


def a_factor_of_the_whole_probe(original, given, side, model):
    found, factor = original(given, side, model)
    value = fields.attribute(given, "probe")
    return found, 1 / (model.probe_scale * float(np.abs(np.asarray(value)).mean())) if model.probe_mask else factor


def _seeded_by(more):
    def change(original, train, test, config, *given):
        found = original(train, test, config, *given)
        if not config.sequential_sampling:
            found[0].sampler.generator.manual_seed(container.resolve_seed(config.subsample_seed) + more(test, config))
        return found

    return change


def what_is_false_is_pythons(original, given, count, channels):
    owned = fields.attribute(given, "has_labels")
    if owned is None or owned is False or owned:
        return original(given, count, channels)
    return original({"Y": fields.attribute(given, "Y")}, count, channels)


mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
mutant("GUARD-BATCH-001f", "a probe of double precision is one in a container", KEEPS,
    plant=function(container.container_from_groups, a_wide_probe_stays_wide))
mutant("GUARD-BATCH-001g", "missing labels have no modulus", ONES, clauses=("BATCH-001",),
    plant=method(container.PtychoContainer, "Y_I", instead(property(lambda self: self.Y.abs() * self.has_labels))))
mutant("GUARD-BATCH-012h", "fewer photons than the file states are not heard", OVERRIDE,
    plant=function(container.photons_of, the_larger_number_of_photons_wins))
mutant("GUARD-BATCH-012i", "photons of the metadata that are the configuration's are its own", ALIKE,
    plant=function(container.photons_of, what_the_configuration_says_is_its_own))
mutant("GUARD-BATCH-021", "validation is one experiment", VALIDATION, clauses=("BATCH-021",),
    plant=function(loaders.build_loaders, _in_validation("experiment_id", lambda of_training: 0)))
mutant("GUARD-BATCH-024b", "validation has the training's photons", VALIDATION, clauses=("BATCH-024",),
    plant=function(loaders.build_loaders, _in_validation("physics_scaling_constant", lambda of_training: of_training.flat[0])))
mutant("GUARD-BATCH-022d", "the last batch has the photons of the first samples", OWN,
    plant=method(dataset.PtychoDataset, "__getitems__", the_last_batch_has_the_first_photons))
mutant("GUARD-BATCH-027b", "validation is merged at one place where it has none", MERGED,
    plant=function(loaders.build_loaders, validation_has_zeros_for_places))
mutant("GUARD-BATCH-029c", "a probe that is absent was multiplied", f"{SCALING}[none]",
    plant=function(fields.probe, no_probe_has_a_scale))
mutant("GUARD-BATCH-029d", "the scaling of a masked norm is that of the whole probe", f"{SCALING}[masked]",
    plant=function(fields.probe, a_factor_of_the_whole_probe))
mutant("GUARD-BATCH-032c", "validation data change the order of training", ALONE,
    plant=function(loaders.build_loaders, _seeded_by(lambda test, config: test is not None)))
mutant("GUARD-BATCH-032d", "another size of batches is another order", ALONE,
    plant=function(loaders.build_loaders, _seeded_by(lambda test, config: 1000 * config.batch_size)))
mutant("GUARD-BATCH-032e", "seeds are folded into 16 bits", SEEDS,
    plant=function(container.resolve_seed, result(lambda seed: seed % 65536)))
mutant("GUARD-BATCH-039h", "labels that a truth value of NumPy's disowns are trained on", f"{WHOLE}[disowned-by-numpy-training]",
    f"{WHOLE}[disowned-by-numpy-validation]", plant=function(fields.labels, what_is_false_is_pythons))
