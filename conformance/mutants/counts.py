"""Defects of training on absolute counts: contracts by halves, statistics that leak, probes and doses that are not closed."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import torch

from conformance.defects.changes import constant, every, function, instead, method, result
from conformance.mutants import rows
from reference_impl.counts import CountDataset, CountModule, CountSettings, CountStatistics, dataset, module, session
from reference_impl.counts.rectangular import count_likelihood, intensity_of
from reference_impl.counts.rectangular import rectangular as rectangular_counts
from reference_impl.errors import ContractError
from reference_impl.physics import illuminate

HALF = "CISCALE-001:half_a_contract_is_refused"
MODEL = "CISCALE-001:counts_have_one_model"
EACH = "CISCALE-002:statistics_are_those_of_each_experiment"
SPLIT = "CISCALE-002:validation_data_move_no_statistic"
UNKNOWN = "CISCALE-002:an_unknown_experiment_is_refused"
FROZEN = "CISCALE-002:a_training_on_counts_leaves_its_statistics"
FIELDS = "CISCALE-003:a_batch_of_counts_has_its_fields"
MISSING = "CISCALE-003:a_missing_field_is_named"
FACTOR = "CISCALE-004:no_result_depends_on_the_training_probes_factor"
MULTIPLE = "CISCALE-004:the_training_probe_is_a_multiple_of_the_physical"
ADAPTED = "CISCALE-005:amplitudes_become_counts_with_their_probe"
TOGETHER = "CISCALE-006:counts_and_probe_together_leave_the_contrast"
TRAINED = "CISCALE-006:a_trained_contrast_follows_the_dose_law"
FIXED = "CISCALE-006:under_a_fixed_probe_contrast_follows_the_root_of_the_dose"
PHYSICAL = "CISCALE-007:inference_uses_the_physical_probe"
ALONE = "CISCALE-007:a_sample_is_inferred_as_it_would_be_alone"
FIRST = "CISCALE-008:the_first_factor_is_the_root_of_the_lights"
FRESH = "CISCALE-008:a_fresh_module_has_the_light_of_its_first_batch"
UNTOUCHED = "CISCALE-008:measuring_the_factor_changes_nothing"
RECTANGULAR = "PHYS-040:counts_of_a_rectangular_object"
PATCHES = "PHYS-040:the_prediction_is_that_of_its_patches"
LIKELY = "LOSS-020:the_likelihood_of_counts"
DIVIDED = "LOSS-020:the_loss_is_divided_by_frozen_means"
SPOILT = "LOSS-020:what_are_no_counts_is_refused"
OPENS = "BUNDLE-040:a_checkpoint_of_counts_opens_as_it_was"

_test: dict[str, Any] = {}


def test_data_are_remembered(original, train, test, settings):
    _test["data"] = test
    return original(train, test, settings)


def statistics_are_those_of_both_splits(original, cls, intensity, experiments):
    test = _test.pop("data", None)
    if test is None:
        return original(cls, intensity, experiments)
    both = np.concatenate([intensity, test["intensity"]]), np.concatenate([experiments, test["experiment_id"]])
    return original(cls, *both)


def the_missing_half_has_a_default(original, self):
    for name, value in (("scale_contract_version", "ci_intensity_v2"), ("measurement_domain", "count_intensity")):
        if getattr(self, name) is None:
            object.__setattr__(self, name, value)
    return original(self)


def an_absolute_error_of_counts_is_accepted(original, self):
    try:
        return original(self)
    except ContractError as error:
        if error.field != "torch_loss_mode":
            raise


def all_experiments_have_the_first_ones_numbers(found):
    return CountStatistics(*(np.full_like(values, values[0]) for values in vars(found).values()))


def unknown_experiments_have_the_last_ones_numbers(original, self, name, experiments):
    return original(self, name, np.minimum(experiments, len(self) - 1))


def means_follow_the_batches(original, self, batch, number):
    mean = batch[0]["measured_intensity"].mean()
    self.mean_measured_intensity.mul_(0.9).add_(0.1 * mean)
    return original(self, batch, number)


def rows_have_the_first_experiments_numbers(original, self, name, experiments):
    return original(self, name, np.zeros_like(experiments))


def a_missing_field_is_one(original, fields):
    given = _with(fields)
    for name in dataset.FIELDS:
        given.setdefault(name, next(iter(given.values())).new_ones(()))
    return given


def the_probe_has_unit_power(original, self, data, *rest):
    probe = np.asarray(data["probe"], dtype=np.complex64)
    original(self, {**data, "probe": probe / np.linalg.norm(probe)}, *rest)


def a_batch_is_measured_at_the_factors_that_are_set(self, batch):
    with torch.no_grad():
        predicted = self.eval().predicted(batch[0]).double().mean()
    return float((batch[0]["measured_intensity"].double().mean() / predicted).sqrt())


def the_factor_is_left_in_the_module(original, self, batch):
    found = original(self, batch)
    with torch.no_grad():
        self.s1.fill_(found)
    return found


def modes_interfere(field, probe):
    far = torch.fft.fft2(illuminate(field, probe).sum(dim=2), norm="ortho")
    return torch.fft.fftshift(far.abs().square(), dim=(-2, -1))


def the_batch_has_a_mean_of_its_own(original, predicted, measured, mean):
    return original(predicted, measured, torch.full_like(mean, measured.mean()))


def sums_are_single_precision(predicted, measured, mean):
    rate = predicted.float().clamp_min(1e-8)
    each = (rate - measured * torch.log(rate) + torch.lgamma(measured + 1)).bfloat16().float().sum(dim=(1, 2, 3))
    return (each / mean.reshape(-1)).mean(), each.mean()


def what_is_no_count_is_clamped(original, predicted, measured, mean):
    return original(predicted, torch.nan_to_num(measured, posinf=0.0).clamp_min(0), mean)


def the_log_gamma_is_left_out(original, predicted, measured, mean):
    loss, raw = original(predicted, measured, mean)
    each = torch.lgamma(measured.double() + 1).sum(dim=(1, 2, 3))
    return loss - (each / mean.double().reshape(-1)).mean().float(), raw - each.mean().float()


def statistics_are_left_beside_the_weights(found):
    for name in session.STATISTICS:
        getattr(found, name).fill_(1.0)
    return found


def ones_stand_in_for_statistics(original, path):
    from reference_impl.training import PtychoLightningModule

    try:
        return original(path)
    except ContractError:
        return PtychoLightningModule.load_from_checkpoint(path)


def each_inference_has_its_statistics(original, found, data):
    counts = dataset.intensities(data)
    own = CountStatistics.of(counts, dataset.experiments_of(data, len(counts)))
    kept = {name: getattr(found, name).clone() for name in session.STATISTICS}
    for name in session.STATISTICS:
        getattr(found, name).copy_(torch.from_numpy(getattr(own, name).copy()))
    answer = original(found, data)
    for name, value in kept.items():
        getattr(found, name).copy_(value)
    return answer


def _with(given: Any, **fields: Any) -> dict[str, Any]:
    """The fields of a batch, some of them others."""
    return {name: given[name] for name in given.keys()} | fields  # noqa: SIM118 — a TensorDict iterates over its rows


def _rates(change: Any) -> Any:
    """The rectangular prediction with its arguments changed."""
    return function(rectangular_counts, lambda original, *given: original(*change(*given)))


mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
mutant("DEF-190", "statistics know the validation data", SPLIT + "[rms_input_scale]", SPLIT + "[mean_measured_intensity]",
    plant=every(function(session.prepare, test_data_are_remembered),
        method(CountStatistics, "of", statistics_are_those_of_both_splits)))
mutant("DEF-192", "inference looks through the training probe", PHYSICAL + "[2.5]", PHYSICAL + "[17.0]",
    plant=method(CountModule, "inferred", lambda original, self, given: original(
        self, _with(given, probe_physical=given["probe_training"]))))
mutant("DEF-193", "half a contract is filled with a default", HALF + "[version-alone]", HALF + "[domain-alone]",
    HALF + "[neither]",
    plant=method(CountSettings, "__post_init__", the_missing_half_has_a_default))
mutant("DEF-194", "an absolute error of counts begins to train", MODEL + "[mae]",
    plant=method(CountSettings, "_refuse_other_models", an_absolute_error_of_counts_is_accepted))
mutant("GUARD-CISCALE-001", "normalised amplitudes train as counts", "CISCALE-001:normalised_amplitudes_prepare_no_counts",
    plant=method(CountSettings, "absolute", instead(property(lambda self: True))))
mutant("GUARD-CISCALE-001b", "a version beside another unit passes", HALF + "[mixed]", HALF + "[unknown-domain]",
    plant=method(CountSettings, "__post_init__", lambda original, self: original(self) if self.scale_contract_version is None
        or "v9" in self.scale_contract_version or self.measurement_domain is None else None))
mutant("GUARD-CISCALE-002", "all experiments have one brightness", EACH + "[g1]", EACH + "[g2]",
    plant=method(CountStatistics, "of", lambda original, cls, *given: all_experiments_have_the_first_ones_numbers(
        original(cls, *given))))
mutant("GUARD-CISCALE-002b", "inference has statistics of its own", ALONE,
    plant=function(session.infer, each_inference_has_its_statistics))
mutant("GUARD-CISCALE-002c", "an unknown experiment is taken for the last one", UNKNOWN + "[validation]", UNKNOWN + "[inference]",
    plant=method(CountStatistics, "rows", unknown_experiments_have_the_last_ones_numbers))
mutant("GUARD-CISCALE-002d", "the mean follows the batches", FROZEN,
    plant=method(CountModule, "training_step", means_follow_the_batches))
mutant("GUARD-CISCALE-003", "every sample has the first experiment's scale", FIELDS + "[rms_input_scale-g1]",
    FIELDS + "[mean_measured_intensity-g2]",
    plant=method(CountStatistics, "rows", rows_have_the_first_experiments_numbers))
mutant("GUARD-CISCALE-003b", "a missing field reads as one", MISSING + "[rms_input_scale]", MISSING + "[probe_normalization]",
    plant=function(module.checked, a_missing_field_is_one))
mutant("GUARD-CISCALE-003c", "probes of two forms are let be", "CISCALE-003:probes_of_two_forms_are_refused",
    plant=function(module.checked, lambda original, given: original(_with(given, probe_physical=given["probe_training"])
        if {"probe_training", "probe_physical"} <= set(given.keys()) else given)))
mutant("GUARD-CISCALE-004", "the training probe's factor is taken back once", FACTOR + "[prediction]", FACTOR + "[first-factor]",
    RECTANGULAR + "[factor]",
    plant=_rates(lambda a, b, s1, s2, probe, q: (a, b, s1, s2, probe, q.sqrt())))
mutant("GUARD-CISCALE-004b", "the training probe's factor stays in the object", FACTOR + "[prediction]", FACTOR + "[loss]",
    FACTOR + "[gradient]",
    plant=_rates(lambda a, b, s1, s2, probe, q: (a, b, s1, s2, probe, torch.ones_like(q))))
mutant("GUARD-CISCALE-004c", "batches name another factor than that of their probe", MULTIPLE + "[2.5]", MULTIPLE + "[40.0]",
    plant=function(dataset.normalise_probe, result(lambda found: (found[0], 1 / found[1]))))
mutant("GUARD-CISCALE-005", "the probe stays as it was", ADAPTED, "CISCALE-005:counts_and_probe_belong_together",
    plant=function(dataset.counts_of, lambda original, amplitude, scale, probe: (original(amplitude, scale, probe)[0], probe)))
mutant("GUARD-CISCALE-005b", "a square hides a sign", "CISCALE-005:what_are_no_amplitudes_is_refused[negative]",
    plant=function(dataset.counts_of, lambda original, amplitude, *rest: original(np.abs(amplitude), *rest)))
mutant("GUARD-CISCALE-006", "the probe is brought to unit power", TOGETHER + "[9.0]", TOGETHER + "[0.25]", TRAINED,
    plant=method(CountDataset, "__init__", the_probe_has_unit_power))
mutant("GUARD-CISCALE-006b", "the network sees the dose", FIXED + "[9.0]", FIXED + "[0.25]",
    plant=method(CountModule, "parts", lambda original, self, given: original(
        self, _with(given, rms_input_scale=torch.full_like(given["rms_input_scale"], 0.01)))))
mutant("GUARD-CISCALE-008", "the first factor lacks its root", FIRST + "[ones]", FRESH,
    plant=method(CountModule, "initial_scale", result(lambda found: found**2)))
mutant("GUARD-CISCALE-008b", "a factor is measured on top of another", FIRST + "[data]",
    plant=method(CountModule, "initial_scale", instead(a_batch_is_measured_at_the_factors_that_are_set)))
mutant("GUARD-CISCALE-008c", "measuring the factor sets it", UNTOUCHED,
    plant=method(CountModule, "initial_scale", the_factor_is_left_in_the_module))
mutant("GUARD-CISCALE-008d", "a fresh module begins at one whatever is asked", FRESH,
    plant=constant(session, "SCALES", ()))
mutant("GUARD-PHYS-040", "both parts have the first one's factor", RECTANGULAR + "[parts]",
    plant=_rates(lambda a, b, s1, s2, probe, q: (a, b, s1, s1, probe, q)))
mutant("GUARD-PHYS-040b", "modes interfere in the counts", RECTANGULAR + "[plain]", PATCHES + "[g2]",
    plant=function(intensity_of, instead(modes_interfere)))
mutant("GUARD-PHYS-040c", "a root is drawn before the comparison", RECTANGULAR + "[plain]", PATCHES + "[g1]",
    plant=function(rectangular_counts, result(torch.sqrt)))
mutant("GUARD-LOSS-020", "every batch is divided by its own mean", DIVIDED, LIKELY + "[bright]",
    plant=function(count_likelihood, the_batch_has_a_mean_of_its_own))
mutant("GUARD-LOSS-020b", "terms are rounded before they are added", LIKELY + "[bright]",
    plant=function(count_likelihood, instead(sums_are_single_precision)))
mutant("GUARD-LOSS-020c", "a dark prediction is impossible", LIKELY + "[dark-predictions]",
    plant=constant(sys.modules[count_likelihood.__module__], "LEAST_RATE", 0.0))
mutant("GUARD-LOSS-020d", "negative counts are dark ones", SPOILT + "[batch-negative]", SPOILT + "[batch-nan]",
    plant=function(count_likelihood, what_is_no_count_is_clamped))
mutant("GUARD-LOSS-020e", "the likelihood has another value than other backends'", LIKELY + "[faint]", DIVIDED,
    plant=function(count_likelihood, the_log_gamma_is_left_out))
mutant("GUARD-LOSS-020f", "the raw likelihood is not logged", FROZEN, clauses=["LOSS-020"],
    plant=method(CountModule, "_finite_loss", instead(lambda self, batch, *rest: self.compute_loss(batch))))
mutant("GUARD-BUNDLE-040", "statistics stay behind when a checkpoint opens", OPENS,
    plant=function(session.open_checkpoint, result(statistics_are_left_beside_the_weights)))
mutant("GUARD-BUNDLE-040b", "a checkpoint of amplitudes opens as one of counts",
    "BUNDLE-040:a_checkpoint_without_statistics_is_refused",
    plant=function(session.open_checkpoint, ones_stand_in_for_statistics))
