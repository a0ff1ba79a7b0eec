"""Defects of what a training does with what it is given: overrides, records, options of a run, differences that are meant."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning.pytorch.callbacks import EarlyStopping

from conformance.defects.changes import Change, constant, function, method
from conformance.mutants import rows
from reference_impl.batch import container, ensure_container
from reference_impl.bundle import save_torch_bundle
from reference_impl.bundle.parameters import parameters_of
from reference_impl.config import TrainingConfig, registry
from reference_impl.dispatch import workflow
from reference_impl.inference import reassemble, reassemble_cdi_image_torch
from reference_impl.inference.predict import predict_patches
from reference_impl.training import resume, trainer
from reference_impl.training.overrides import ALIASES, _by_name, _existing, _refuse_unknown, settle
from reference_impl.training.resume import Memory, Provenance, digest_of

LEFT = "TRAIN-005:a_training_leaves_what_it_is_given"
ELSEWHERE = "TRAIN-066:data_that_differ_in_one_place_are_others"
LAST = "INFER-049:a_reconstruction_knows_nothing_of_the_last_one"
MEANT = "TRAIN-068:a_difference_that_is_meant_acts"
KEEPS = "TRAIN-066:a_run_that_keeps_nothing_is_compared_too"
SWAYED = "TRAIN-068:each_setting_that_is_meant_acts_or_is_refused"
SCALE_TOLD = "TRAIN-053:the_bundle_of_a_run_states_the_scale_of_its_results"
AS_TOLD = "TRAIN-053:a_run_reconstructs_as_its_execution_says"
MEANT_GROUPS = "TRAIN-068:other_groups_that_are_meant_are_of_the_same_scan"
BLOCK = 64


def taken_from_the_callers(name: str) -> Change:
    """Overrides that are read and, one of them, taken out of the mapping that was given."""

    def change(original: Any, config: Any, execution: Any, overrides: Any) -> Any:
        found = original(config, execution, overrides)
        if isinstance(overrides, dict):
            overrides.pop(name, None)
        return found

    return function(settle, change)


def patterns_are_normalised_in_place(original: Any, data: Any, config: Any, **options: Any) -> Any:
    found = original(data, config, **options)
    if hasattr(data, "diff3d") and data.diff3d.flags.writeable:
        data.diff3d[...] /= np.sqrt(np.mean(np.square(data.diff3d)))
    return found


def stopping(**fixed: Any) -> Change:
    """Early stopping with some of its settings fixed."""
    return method(
        EarlyStopping, "__init__", lambda original, self, *given, **options: original(self, *given, **{**options, **fixed})
    )


def clips_as_it_did(original: Any, self: Any, trainer: Any, module: Any) -> None:
    original(self, trainer, module)
    if "gradient_clip_val" in self.changed:
        module.training_config = replace(module.training_config, gradient_clip_val=None)


def kept_by(key: Any, original: Any) -> Any:
    """What is computed once for each key; what it was computed of stays alive, so that no number comes twice."""
    found: dict[Any, Any] = {}

    def asked(*given: Any, **options: Any) -> Any:
        name = key(*given, **options)
        if name not in found:
            found[name] = given, original(*given, **options)
        return found[name][1]

    return asked


def of_its_beginning(original: Any, held: Any) -> str:
    """The digest of the first rows of each array."""
    from types import SimpleNamespace

    fields = getattr(held, "__dataclass_fields__", None) or vars(held)
    cut = {name: getattr(held, name) for name in fields}
    cut = {name: value[:BLOCK] if len(getattr(value, "shape", ())) else value for name, value in cut.items()}
    return original(SimpleNamespace(**cut))


def the_rate_starts_anew(original: Any, self: Any, trainer: Any, pl_module: Any) -> None:
    original(self, trainer, pl_module)
    if "learning_rate" in self.changed:
        for group in pl_module.optimizers().param_groups:
            group["lr"] = self.settings["learning_rate"]


def letters_are_names(original: Any, config: Any, execution: Any, overrides: Any) -> Any:
    said = dict(overrides or {})
    if isinstance(said.get("resume_override"), str):
        said["resume_override"] = tuple(said["resume_override"])
    return original(config, execution, said)


def the_files_photons_come_first(original: Any, config: TrainingConfig, *rest: Any) -> Any:
    run = original(config, *rest)
    return replace(run, config=replace(run.config, nphotons_source=config.nphotons_source))


def one_is_none(original: Any, config: Any, module: Any, scale: Any) -> Any:
    return original(config, module, registry.cfg.get("intensity_scale", 1.0) if scale == 1.0 else scale)


def of_containers_nobody_tells(original: Any, data: Any, config: TrainingConfig) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("default" if hasattr(data, "diff3d") else "ignore")
        return original(data, config)


def gradients_stay_off(original: Any, *given: Any, **options: Any) -> Any:
    found = original(*given, **options)
    torch.set_grad_enabled(False)
    return found


def its_weights_stay_frozen(original: Any, module: Any, *given: Any, **options: Any) -> Any:
    return original(module.requires_grad_(False), *given, **options)


def the_dose_is_the_configurations(original: Any, cls: Any, *given: Any) -> Any:
    found = original(cls, *given)
    return replace(found, settings={**found.settings, "nphotons": 3.0e4})


def results_are_completed_in_place(original: Any, *given: Any, **options: Any) -> Any:
    found = original(*given, **options)
    results = options.get("train_results", given[6] if len(given) > 6 else None)
    if isinstance(results, dict):
        results.update(found[2])
    return found


def positions_are_flipped_in_the_record(
    original: Any, data: Any, config: Any, flip_x: bool = False, *rest: Any, **options: Any
) -> Any:
    if flip_x and hasattr(data, "xcoords"):
        object.__setattr__(data, "xcoords", -np.asarray(data.xcoords))
        flip_x = False
    return original(data, config, flip_x, *rest, **options)


OVERRIDDEN = "CONFIG-079:two_names_of_an_override_agree"
mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
mutant("GUARD-TRAIN-005", "the second run of a sweep begins from the start", f"{LEFT}[resuming]",
    plant=taken_from_the_callers("resume_from"))
mutant("GUARD-TRAIN-005b", "the second run of a sweep has another rate", f"{LEFT}[accumulating]",
    plant=taken_from_the_callers("learning_rate"))
mutant("GUARD-TRAIN-005c", "a record is normalised by whoever trains on it", f"{LEFT}[accumulating]",
    plant=function(ensure_container, patterns_are_normalised_in_place))
mutant("GUARD-TRAIN-020h", "early stopping looks for a minimum, whatever the mode",
    "TRAIN-020:early_stopping_has_the_sense_of_the_mode",
    plant=stopping(mode="min"))
mutant("GUARD-TRAIN-020i", "an improvement below a thousandth is none", "TRAIN-020:a_small_improvement_is_one",
    plant=stopping(min_delta=1e-3))
mutant("GUARD-TRAIN-022d", "photons by hand give way to the file's",
    "TRAIN-022:photons_by_hand_stand_above_both_files[train]", "TRAIN-022:photons_by_hand_stand_above_both_files[test]",
    plant=function(settle, the_files_photons_come_first))
mutant("GUARD-TRAIN-022e", "a validation of fewer exposures than groups is refused",
    "TRAIN-022:validation_may_have_fewer_exposures_than_groups_are_trained_on[g2]",
    plant=function(container._group_count, lambda original, groups, points, cap: original(groups, points, False)))
mutant("GUARD-INFER-049", "a record is reconstructed from the groups that were drawn of it first", LAST + "[seed]",
    LAST + "[groups]",
    plant=constant(reassemble, "ensure_container", kept_by(lambda data, config, **options: id(data), ensure_container)))
mutant("GUARD-INFER-049b", "a model that goes on learning shows its first picture", LAST + "[weights]",
    plant=lambda plant: plant.function(predict_patches, lambda original: kept_by(
        lambda module, container, *rest: (id(module), digest_of(container)), original)))
mutant("GUARD-INFER-048", "after a look at an image nothing learns any more",
    "INFER-048:a_reconstruction_leaves_the_process_as_it_was", plant=function(predict_patches, gradients_stay_off))
mutant("GUARD-INFER-048b", "a module that has made an image has no gradients any more",
    "INFER-048:a_reconstruction_leaves_the_process_as_it_was", plant=function(predict_patches, its_weights_stay_frozen))
mutant("GUARD-TRAIN-066e", "the photons of a record are not among what it was trained with",
    "TRAIN-066:a_record_of_another_dose_is_another", plant=method(Provenance, "of", the_dose_is_the_configurations))
mutant("GUARD-TRAIN-068e", "a weight decay that is meant is what the optimiser remembers", f"{SWAYED}[weight_decay]",
    plant=method(Memory, "on_train_start", lambda original, self, trainer, module: None))
mutant("GUARD-TRAIN-068f", "on resuming gradients are clipped as they were", f"{SWAYED}[gradient_clip_val]",
    plant=method(Memory, "on_train_start", clips_as_it_did))
mutant("GUARD-TRAIN-068c", "other groups may be those of another scan", MEANT_GROUPS,
    plant=constant(resume, "RECORD", ()))
mutant("GUARD-TRAIN-068d", "other groups are other data, whatever is meant", MEANT_GROUPS, plant=constant(resume, "GROUPS", ()))
mutant("GUARD-TRAIN-061b", "another side of a container's patterns is not told",
    "TRAIN-061:a_container_decides_the_patch_side", plant=function(trainer._with_the_side_of, of_containers_nobody_tells))
mutant("GUARD-TRAIN-066d", "other data are noticed in their first rows alone", f"{ELSEWHERE}[position]",
    plant=function(digest_of, of_its_beginning))
mutant("GUARD-TRAIN-068", "one name is taken for its letters", f"{MEANT}[text]",
    plant=function(settle, letters_are_names))
mutant("GUARD-TRAIN-068b", "a rate that is meant forgets the schedule", f"{MEANT}[text]", f"{MEANT}[list]", f"{MEANT}[tuple]",
    plant=method(Memory, "on_train_start", the_rate_starts_anew))
mutant("GUARD-BUNDLE-005b", "a scale of one gives way to the registry's",
    "BUNDLE-005:the_intensity_scale_has_its_precedence[one]",
    plant=function(parameters_of, one_is_none))
mutant("GUARD-INFER-019", "a reconstruction writes into the results of the training",
    "INFER-019:a_reconstruction_leaves_what_it_is_given",
    plant=function(reassemble_cdi_image_torch, results_are_completed_in_place))
mutant("GUARD-INFER-019b", "a reconstruction flips the record", "INFER-019:a_reconstruction_leaves_what_it_is_given",
    plant=function(reassemble_cdi_image_torch, positions_are_flipped_in_the_record))
mutant("GUARD-TRAIN-066g", "who keeps no checkpoint is not compared with one", KEEPS + "[enable_checkpointing]",
    plant=function(trainer._memory, lambda original, module, run, *data:
        original(module, run, *data) if run.execution.enable_checkpointing else []))
mutant("GUARD-TRAIN-066h", "who writes no log is not compared with a checkpoint", KEEPS + "[logger_backend]",
    plant=function(trainer._memory, lambda original, module, run, *data:
        [] if run.execution.logger_backend in (None, "none") else original(module, run, *data)))
mutant("GUARD-TRAIN-053", "the bundle of a run has the registry's intensity scale", SCALE_TOLD,
    plant=constant(workflow, "save_torch_bundle", lambda models, base, config, scale: save_torch_bundle(models, base, config)))
mutant("GUARD-TRAIN-053b", "the bundle of a run states photons in the place of its scale", SCALE_TOLD,
    plant=constant(workflow, "save_torch_bundle",
        lambda models, base, config, scale: save_torch_bundle(models, base, config, config.nphotons)))
mutant("GUARD-TRAIN-053c", "a run reconstructs without its execution configuration", AS_TOLD,
    plant=constant(workflow, "reassemble_cdi_image_torch", lambda *given: reassemble_cdi_image_torch(*given[:-1])))
mutant("GUARD-TRAIN-053d", "a run reconstructs in the batches that it was trained in", AS_TOLD,
    plant=constant(workflow, "reassemble_cdi_image_torch", lambda *given: reassemble_cdi_image_torch(
        *given[:-1], replace(given[-1], inference_batch_size=None))))
mutant("GUARD-TRAIN-006", "of the overrides a training takes what it knows", "TRAIN-006:a_setting_that_is_not_known_is_refused",
    plant=function(_refuse_unknown, lambda original, unknown: None))
mutant("GUARD-TRAIN-006b", "where there is no checkpoint a training begins anew",
    "TRAIN-006:a_checkpoint_that_is_not_there_is_refused",
    plant=function(_existing, lambda original, path: original(path if path is not None and Path(path).is_file() else None)))
mutant("GUARD-CONFIG-079c", "of two names of an override the last one wins", OVERRIDDEN + "[epochs-nepochs]",
    OVERRIDDEN + "[K-neighbor_count]",
    plant=function(_by_name, lambda original, given: {ALIASES.get(name, name): value for name, value in given.items()}))
mutant("GUARD-CONFIG-079d", "of two names of an override the setting's own wins", OVERRIDDEN + "[max_epochs-nepochs]",
    plant=function(_by_name, lambda original, given: original(
        {name: value for name, value in given.items() if ALIASES.get(name) not in given})))
mutant("GUARD-TRAIN-003", "the scale of a container that states none is zero",
    "TRAIN-003:the_scale_of_a_container_without_one_is_positive",
    plant=function(trainer._intensity_scale, lambda original, container: (
        0.0 if getattr(container, "physics_scaling_constant", None) is None else original(container))))
