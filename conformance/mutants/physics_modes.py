"""Defects of probes with several modes: read, carried to batches, predicted under, solved with."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from conformance.defects.changes import function, instead, method, result
from conformance.mutants import rows
from reference_impl.batch import container_from_groups, fields, normalise_probe
from reference_impl.batch.dataset import PtychoDataset
from reference_impl.data import RawData, checks, header
from reference_impl.engine import probe as engine_probe
from reference_impl.engine import problem
from reference_impl.errors import ContractError
from reference_impl.inference import predict
from reference_impl.model import PtychoModel
from reference_impl.physics import photons

READ = "DATA-017:modes_are_read_as_they_stand"
WRITTEN = "DATA-017:modes_are_written_as_they_are"
SIDE = "DATA-017:the_side_of_modes_is_not_their_number"
REFUSED = "DATA-017:what_are_no_modes_is_refused"
BATCH = "BATCH-051:modes_reach_the_batch"
POWERS = "BATCH-051:powers_keep_their_ratios"
SUM = "PHYS-009:a_prediction_is_the_sum_over_its_modes"
MIXED = "PHYS-009:modes_may_be_mixed"
LOSS = "TRAIN-072:the_order_of_modes_does_not_matter_to_the_loss"
WEAKER = "TRAIN-072:the_weaker_mode_takes_part_in_training"
PICTURE = "INFER-017:modes_go_from_file_to_bundle_to_picture"
BOUND = "INFER-017:a_model_is_bound_to_no_number_of_modes"
SIMULATED = "PHYS-016:modes_share_the_photons"
LIT = "PHYS-016:labels_have_the_light_of_all_modes"
ENGINE = "INFER-038:an_engine_takes_the_light_of_two_modes"
SHARES = "INFER-039:an_engines_modes_have_the_powers_of_the_light"


def first_of(modes: Any) -> Any:
    return modes[0] if modes.ndim == 3 else modes


def strongest_first(modes: Any) -> Any:
    if modes.ndim != 3:
        return modes
    return modes[np.argsort(-np.sum(np.abs(modes) ** 2, axis=(1, 2)), kind="stable")]


def the_shorter_axis_counts_modes(original, value, N, *rest):
    array = np.asarray(value)
    if array.ndim == 3 and array.shape[2] <= array.shape[0]:  # as many modes as rows: the last axis is taken
        array = np.ascontiguousarray(np.moveaxis(array, -1, 0))
    return original(array, N, *rest)


def last_axis_is_accepted(original, value, N, *rest):
    array = np.asarray(value)
    last = array.ndim == 3 and array.shape[0] == array.shape[1] != array.shape[2]
    return original(np.ascontiguousarray(np.moveaxis(array, -1, 0)) if last else array, N, *rest)


def what_is_not_finite_is_dark(original, value, N, *rest):
    return original(np.nan_to_num(value), N, *rest)


def each_mode_has_a_norm(original, probe, scale, mask=None):
    array = fields.as_array(probe)
    if array.ndim != 3 or array.shape[2] == 1:
        return original(probe, scale, mask)
    found = [original(mode, scale, mask) for mode in array]
    return torch.stack([mode for mode, _ in found]), found[0][1]


def modes_are_added_before_the_transform(original, self, probe):
    return original(self, probe.sum(dim=2, keepdim=True))


def the_mask_lies_on_the_first_mode(original, self, probe):
    masked = original(self, probe)
    return torch.cat([masked[:, :, :1], probe[:, :, 1:]], dim=2)


def a_batch_holds_the_first_mode(original, self, indices):
    given, probe, scaling = original(self, indices)
    return given, probe[:, :, :1].contiguous(), scaling


def one_mode_is_asked_for(original, container, *rest):
    found, factor = original(container, *rest)
    if len(found) > 1:
        raise ContractError(field="probe", expected="one mode", found=f"{len(found)}")
    return found, factor


mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
mutant("GUARD-DATA-017g", "a probe of three modes is refused, for its side would be three", SIDE + "[header]", SIDE + "[factory]",
    plant=function(header._probe_side, lambda original, archive: archive.header(archive.require("probeGuess")).shape[0]))
mutant("GUARD-DATA-017", "a file's first mode is all that is read", READ + "[two]", READ + "[three]", WRITTEN + "[two]",
    plant=function(checks.probe, result(first_of)))
mutant("GUARD-DATA-017b", "modes are sorted by their power", READ + "[weakest-first]", READ + "[as-many-as-rows]",
    plant=function(checks.probe, result(strongest_first)))
mutant("GUARD-DATA-017c", "sixteen modes of sixteen rows are turned over", READ + "[as-many-as-rows]",
    plant=function(checks.probe, the_shorter_axis_counts_modes))
mutant("GUARD-DATA-017d", "modes on the last axis are guessed to be modes", REFUSED + "[modes-last]",
    plant=function(checks.probe, last_axis_is_accepted))
mutant("GUARD-DATA-017e", "a NaN in a weak mode is let be", REFUSED + "[not-finite]",
    plant=function(checks.probe, what_is_not_finite_is_dark))
mutant("GUARD-DATA-017f", "a file is written with its first mode", WRITTEN + "[two]", WRITTEN + "[weakest-first]",
    plant=method(RawData, "to_file", lambda original, self, *rest: original(_with(self, first_of(self.probeGuess)), *rest)))
mutant("GUARD-BATCH-051", "containers keep one mode", BATCH + "[two-g1]", BATCH + "[three-g2]",
    plant=function(container_from_groups, lambda original, grouped, probe, *rest: original(
        grouped, None if probe is None else first_of(np.asarray(probe)), *rest)))
mutant("GUARD-BATCH-051b", "weak modes are as bright as strong ones", POWERS, BATCH + "[three-g1]",
    plant=function(normalise_probe, each_mode_has_a_norm))
mutant("GUARD-PHYS-009", "modes interfere in the prediction, and nowhere else", SUM + "[plain]", SUM + "[merged]",
    plant=method(PtychoModel, "_masked", modes_are_added_before_the_transform))
mutant("GUARD-PHYS-009b", "the mask lies on the first mode alone", MIXED + "[masked]",
    plant=method(PtychoModel, "_masked", the_mask_lies_on_the_first_mode))
mutant("GUARD-PHYS-016", "a simulation counts each mode as a pattern of its own", SIMULATED + "[g2-two-modes]",
    plant=function(photons.simulate, lambda original, field, probe, nphotons, *rest: original(
        field, probe, nphotons * probe.shape[2], *rest)))
mutant("GUARD-PHYS-016b", "a simulation sees the first mode alone", LIT + "[g2-own-probes]", SIMULATED + "[g2-own-probes]",
    plant=function(photons.simulate, lambda original, field, probe, *rest: original(field, probe[:, :, :1], *rest)))
mutant("GUARD-TRAIN-072", "training sees the first mode alone", LOSS, WEAKER,
    plant=method(PtychoDataset, "__getitems__", a_batch_holds_the_first_mode))
mutant("GUARD-INFER-017", "reconstruction asks for one mode", PICTURE, BOUND,
    plant=function(predict.fields.probe, one_mode_is_asked_for))
mutant("GUARD-INFER-038", "the engine keeps the first mode", ENGINE,
    plant=function(problem.problem_of, lambda original, record, *rest, **how: original(
        _with(record, record.probeGuess[:1]), *rest, **how)))
mutant("GUARD-INFER-038b", "the engine keeps the strongest mode", ENGINE,
    plant=function(engine_probe.started, lambda original, given, *rest: original(
        given[given.abs().square().sum(dim=(1, 2)).argmax()][None], *rest)))
mutant("GUARD-INFER-039", "the weakest mode stands first", SHARES,
    plant=function(engine_probe.orthogonal, result(lambda found: found.flip(0))))
mutant("GUARD-INFER-039b", "modes stand as they were given", SHARES, "INFER-039:an_engines_modes_are_orthogonal",
    plant=function(engine_probe.orthogonal, instead(lambda modes: modes)))


def _with(record: Any, probe: Any) -> Any:
    """The record with another probe."""
    from copy import copy

    changed = copy(record)
    object.__setattr__(changed, "probeGuess", probe)
    return changed
