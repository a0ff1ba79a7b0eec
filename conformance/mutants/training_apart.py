"""Defects that show where training and validation move apart, and where a run goes on that had stopped."""

from __future__ import annotations

from dataclasses import replace

from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint

from conformance.defects.changes import Change, function, instead, method
from conformance.mutants import rows
from reference_impl.batch import container, ensure_container
from reference_impl.bundle import archive, parameters
from reference_impl.config import registry
from reference_impl.config.torch_side import TorchModelConfig
from reference_impl.training import PtychoLightningModule
from reference_impl.training.checkpoints import checkpoint_callbacks, resolve_monitor
from reference_impl.training.history import History
from reference_impl.training.hyperparameters import restored

APART, RESUMED = "TRAIN-022", "TRAIN-065"

FIRST: list[object] = []
"""The training container of a planted process."""


def listening_to_the_training(kind: type) -> Change:
    """The callback of this kind has the training loss for its monitor."""

    def make(original, folder, monitor, validates, execution):
        found = original(folder, monitor, validates, execution)
        for callback in found:
            if isinstance(callback, kind) and callback.monitor:
                callback.monitor = callback.monitor.replace("_val_", "_train_")
        return found

    return function(checkpoint_callbacks, make)


def one_of_both(name: str) -> Change:
    """The validation container takes an attribute of the training container."""

    def ensure(original, data, config, *, cap_groups=False):
        found = original(data, config, cap_groups=cap_groups)  # capped are the groups of validation
        FIRST[:] = FIRST if cap_groups else [found]
        return replace(found, **{name: getattr(FIRST[0], name)})

    return function(ensure_container, ensure)


def photons_are_those_of_the_configuration(original, data, config):
    stated, source = original(data, config)
    photons = getattr(config, "nphotons", stated)
    return (photons, source) if photons != 1e9 else (stated, source)


def the_registry_is_what_is_saved(original, settings, module, scale):
    found = original(settings, module, scale)
    return {**found, **{key: registry.cfg[key] for key in ("batch_size", "nepochs", "nphotons") if key in registry.cfg}}


def what_stands_in_the_registry_stays(original, *given):
    before = dict(registry.cfg)
    found = original(*given)
    registry.cfg.update(before)
    return found


def the_activation_is_asked_of_the_registry(original, self, *given, **named):
    kinds = ("model_config", "data_config", "training_config", "inference_config")
    configs = dict(zip(kinds, given, strict=False)) | named
    model = restored(configs["model_config"], TorchModelConfig)
    found = registry.cfg.get("amp_activation", model.amp_activation)
    original(self, **{**configs, "model_config": replace(model, amp_activation=found)})


def forgetting(kind: type) -> Change:
    """Callbacks of this kind begin anew after a restore."""
    return method(kind, "load_state_dict", instead(lambda self, state: None))


mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
# Apart: what follows the wrong one of two losses, or the wrong one of two files.
mutant("GUARD-TRAIN-020f", "training goes on while validation gets worse and worse",
    "TRAIN-020:early_stopping_follows_the_validation", plant=listening_to_the_training(EarlyStopping))
mutant("GUARD-TRAIN-020g", "the checkpoint that is kept is the most overfitted one",
    "TRAIN-020:the_ranking_follows_the_validation", plant=listening_to_the_training(ModelCheckpoint))
mutant("GUARD-TRAIN-021b", "the validation loss ranks although the training loss was asked for",
    "TRAIN-021:a_metric_that_is_named_ranks_by_itself",
    plant=function(resolve_monitor, lambda original, name, *known: original("val_loss" if "train" in name else name, *known)))
mutant("GUARD-TRAIN-021c", "a metric is told by the beginning of its name",
    "TRAIN-021:a_metric_that_is_never_logged_is_refused[no-test-data]",
    plant=function(resolve_monitor, lambda original, name, logged, *known: original(
        next((one for one in logged if one.startswith(name)), name), logged, *known)))
mutant("GUARD-TRAIN-022", "validation is scaled by the training file's photons",
    f"{APART}:each_is_scaled_by_its_own_photons[test]", f"{APART}:validation_sees_its_own_data",
    plant=one_of_both("physics_scaling_constant"))
mutant("GUARD-TRAIN-022b", "validation looks through the training's probe", f"{APART}:validation_sees_its_own_data",
    plant=one_of_both("probe"))
mutant("GUARD-TRAIN-022c", "the configuration's photons are everybody's", f"{APART}:each_is_scaled_by_its_own_photons[test]",
    plant=function(container.photons_of, photons_are_those_of_the_configuration))
# Kept and resumed.
mutant("GUARD-TRAIN-060d", "a network that is opened has the activation of another experiment",
    "TRAIN-060:a_checkpoint_opens_over_another_experiment",
    "DATA-019:what_another_run_left_changes_nothing_stored[checkpoint]",
    plant=method(PtychoLightningModule, "__init__", the_activation_is_asked_of_the_registry))
mutant("GUARD-TRAIN-065d", "the patience of early stopping begins anew with every resumption",
    f"{RESUMED}:a_resumed_run_remembers_what_has_been_best", plant=forgetting(EarlyStopping))
mutant("GUARD-TRAIN-065e", "a resumed run throws the best checkpoint away",
    f"{RESUMED}:a_resumed_run_remembers_what_has_been_best", plant=forgetting(ModelCheckpoint))
mutant("GUARD-TRAIN-065f", "the history of a resumed run begins where it was resumed",
    f"{RESUMED}:a_resumed_run_is_the_uninterrupted_one[momentum]", f"{RESUMED}:a_run_may_be_resumed_more_than_once",
    plant=forgetting(History))
mutant("GUARD-BUNDLE-004d", "a bundle states the experiment that the registry happens to hold",
    "BUNDLE-004:a_bundle_states_its_own_configuration", plant=function(parameters.parameters_of, the_registry_is_what_is_saved))
mutant("GUARD-BUNDLE-023b", "after loading, the registry still holds the experiment before",
    "BUNDLE-023:a_bundle_opens_over_another_experiment",
    plant=function(archive.load_torch_bundle, what_stands_in_the_registry_stays))
