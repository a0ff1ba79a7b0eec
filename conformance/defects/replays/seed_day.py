"""20 October 2025: a training that crashed in its loss, and the six defects that stood behind and before that one.

Each stands where it stood: a forward pass that reshapes by a stale channel count, a workflow of an older line that keeps no
bundle, batches without structure, a likelihood that refuses fractions of photons, a bundle that cannot be opened, positions that
are not turned, models that are no modules.
"""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import torch

from conformance.defects.changes import constant, every, function, instead, result
from conformance.defects.replays import steps
from reference_impl import loss
from reference_impl.batch import dataset, ensure_container, fields
from reference_impl.bundle import load_torch_bundle
from reference_impl.config import factory
from reference_impl.dispatch import workflow
from reference_impl.inference import predict
from reference_impl.physics import merge
from reference_impl.training import PtychoLightningModule


def training_keeps_no_bundle(train_data, test_data, config, **options):
    module = PtychoLightningModule.from_config(config)
    batch, probe, _ = dataset.PtychoDataset(ensure_container(train_data, config), config)[:4]
    module(batch["images"], batch["coords_relative"], probe, *[batch["rms_scaling_constant"]] * 2)
    (config.output_dir / "checkpoints").mkdir(parents=True, exist_ok=True)
    torch.save({"epoch": 1, "state_dict": module.state_dict()}, config.output_dir / "checkpoints/last.ckpt")
    return None, None, {"history": {"train_loss": [], "val_loss": []}, "models": {"diffraction_to_obj": module}}


def likelihood_wants_integers(predicted, measured, scale):
    counts = (scale * measured).square()
    if not torch.equal(counts, counts.round()):
        raise ValueError("expected value to be within the support IntegerGreaterThan(lower_bound=0)")
    return -torch.distributions.Poisson((scale * predicted).square()).log_prob(counts).sum() / len(predicted)


def bundles_cannot_be_opened(*arguments, **options):
    raise NotImplementedError("loading a bundle is not implemented")


def positions_are_not_turned(container, count, model):
    given = fields.attribute(container, "coords_relative")
    return fields.relative_positions(SimpleNamespace(coords_relative=given[..., None, :]), count, model)


def models_are_dictionaries(original, *arguments, **options):
    models, parameters = original(*arguments, **options)
    return {name: {"weights": module.state_dict()} for name, module in models.items()}, parameters


step = steps("seed-day")
# A row is a step: its defect, its symptom, the check of its own and what the scenario says where it stops; what is planted.
# fmt: off
step("DEF-080", "the merge reshapes by a channel count that the grid size never reached",
    unit="CONFIG-063:channels_follow_the_grid_size", stop=r"shape '\[\d+, 1, 1, 2\]' is invalid for input of size \d+",
    plant=every(function(factory._model_side, result(lambda found: replace(found, C_forward=1))),
        function(merge, lambda original, patches, at, M: original(patches, at.reshape(len(at), 1, 1, 2), M))))
step("DEF-144", "training takes the older line's path: no execution settings, a checkpoint, no bundle",
    unit="EXEC-003:an_unknown_strategy_of_the_execution_is_refused[run]", stop=r"wts\.h5\.zip",
    plant=function(workflow.run_cdi_example_torch, instead(training_keeps_no_bundle)))
step("DEF-001", "batches are pairs of tensors, channels last, scales of rank 5 (with DEF-002 and DEF-005)",
    unit="BATCH-020:lightning_dataloader_tensor_dict_structure[g2]", stop=r"batch: expected a triple",
    plant=function(dataset.collate_batch,
        instead(lambda batch: (batch[0]["images"].movedim(1, -1), batch[0]["rms_scaling_constant"][..., None]))))
step("DEF-119", "the likelihood refuses counts that are no integers",
    unit="LOSS-004:fractions_of_a_photon_are_observed", stop=r"IntegerGreaterThan",
    plant=function(loss.poisson_nll, instead(likelihood_wants_integers)))
step("DEF-149", "nobody has written how a bundle is opened",
    unit="BUNDLE-020:loading_gives_both_models_and_the_parameters", stop=r"not implemented",
    plant=function(load_torch_bundle, instead(bundles_cannot_be_opened)))
step("DEF-010", "inference leaves the relative positions as (1, 2, C)",
    unit="INFER-008:channels_of_a_group_are_distinct", stop=r"coords_relative: expected",
    plant=constant(predict, "fields", SimpleNamespace(**vars(fields) | {"relative_positions": positions_are_not_turned})))
step("DEF-150", "a bundle opens as dictionaries instead of modules",
    unit="BUNDLE-033:what_comes_back_are_models", stop=r"'dict' object has no attribute",
    plant=function(load_torch_bundle, models_are_dictionaries))
