"""Defects of the factories, their payloads and the entries to a run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from zipfile import BadZipFile

from conformance.defects.changes import constant, every, function, instead, method, result
from conformance.defects.planting import Plant
from conformance.mutants import rows
from reference_impl.batch import container
from reference_impl.bundle import archive
from reference_impl.config import bridge, factory, registry
from reference_impl.config.torch_side import TorchModelConfig
from reference_impl.data import header
from reference_impl.dispatch import selector, workflow
from reference_impl.execution import PyTorchExecutionConfig
from reference_impl.training import trainer


def _nothing(*arguments: object, **options: object) -> None:
    """Instead of synchronising."""


def the_workflows_rely_on_their_caller_to_synchronise(plant: Plant) -> None:
    for module in (selector, workflow, trainer):
        plant.constant(module, "update_legacy_dict", _nothing)


def opening_a_bundle_leaves_the_registry_alone(original, params, states, path):
    before = dict(registry.cfg)
    module = original(params, states, path)
    registry.cfg.update(before)
    return module


def execution_settings_are_bridged_into_the_registry(original, self):
    original(self)
    registry.cfg.update(vars(self))


def the_bundle_is_left_to_the_archive_reader(original, model_path, *arguments, **options):
    if not (model_path / "wts.h5.zip").is_file():
        raise BadZipFile("File is not a zip file")
    return original(model_path, *arguments, **options)


def probe_big_is_off_in_the_inference_factory(original, model, data, folder, overrides=None, execution=None):
    return original(model, data, folder, {"probe_big": False, **(overrides or {})}, execution)


def obligatory_settings_clobber_the_users(original, model, data, folder, overrides=None, execution=None):
    return original(model, data, folder, {**(overrides or {}), "probe_scale": 4.0}, execution)


def the_inference_factory_keeps_the_torch_default_of_neighbours(original, model, data, folder, overrides=None, execution=None):
    return original(model, data, folder, {"K": 6, **(overrides or {})}, execution)


def training_leaves_its_execution_settings_behind(original, module, train, validation, run, *rest):
    history = original(module, train, validation, run, *rest)
    registry.cfg.update(vars(run.execution))
    return history


def the_inference_factory_picks_what_it_knows(original, model, data, folder, overrides=None, execution=None):
    known = {"n_groups", "K", "object_big", "probe_big", "probe_scale", "model_type", "nphotons", "N"}
    return original(model, data, folder, {k: v for k, v in (overrides or {}).items() if k in known}, execution)


def the_audit_of_an_inference_is_its_overrides(original, model, data, folder, overrides=None, execution=None):
    return replace(original(model, data, folder, overrides, execution), overrides_applied=dict(overrides or {}))


def the_inference_factory_pops_the_overrides(original, model, data, folder, overrides=None, execution=None):
    big = {} if overrides is None or "object_big" not in overrides else {"object_big": overrides.pop("object_big")}
    return original(model, data, folder, {**(overrides or {}), **big}, execution)


def the_registry_is_synchronised_after_the_file_was_read(original, file, settings, build):
    populate, factory.populate_legacy_params = factory.populate_legacy_params, _nothing
    try:
        return original(file, settings, build)
    finally:
        factory.populate_legacy_params = populate


def the_registry_is_synchronised_once(original, file, settings, build):
    answer = original(file, settings, build)
    factory.populate_legacy_params = _nothing
    return answer


def a_file_without_a_patch_side_has_64_pixels(original, file, settings, build):
    try:
        return original(file, settings, build)
    except Exception:
        return original(file, {"N": 64, "nphotons": 1e9, **settings}, build)


def the_file_is_believed_more_than_its_user(original, file, settings, build):
    return original(file, {name: value for name, value in settings.items() if name != "N"}, build)


def a_field_of_the_torch_side_was_never_declared(original, self, name):
    if name == "pad_object":
        raise AttributeError("'TorchModelConfig' object has no attribute 'pad_object'")
    return original(self, name)


def channels_are_set_only_where_they_are_absent(plant: Plant) -> None:
    kept = {}

    def stale(original):
        def side(settings):
            made = original(settings)
            return replace(made, C_model=kept.setdefault("C", made.C_model), C_forward=kept["C"])

        return side

    plant.function(factory._model_side, stale)


def the_factory_writes_into_the_callers_overrides(original, file, folder, overrides=None, execution=None):
    if overrides is not None:
        overrides["output_dir"] = folder
    return original(file, folder, overrides, execution)


def the_last_name_wins(original, stated, known):
    bridge.refuse_unknown(stated, known)
    return dict(factory._translated(name, value) for name, value in stated.items())


def a_later_alias_gives_way(original, stated, known):
    bridge.refuse_unknown(stated, known)
    translated = [factory._translated(name, value) for name, value in stated.items()]
    return dict(reversed(translated))


TWICE = "CONFIG-079:two_names_of_a_setting_agree"
mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
# The entries that synchronise the registry, and the inference factory.
mutant("GUARD-CONFIG-003", "containers are built while the registry holds the run before",
    "CONFIG-001:the_registry_is_up_to_date_when_data_are_first_touched",
    "DISPATCH-002:a_configuration_is_in_the_registry_before_its_backend_is_inspected",
    plant=the_workflows_rely_on_their_caller_to_synchronise)
mutant("GUARD-CONFIG-003b", "a bundle is opened and the registry knows nothing of it",
    "CONFIG-003:opening_a_bundle_synchronises_the_registry",
    plant=function(archive._rebuilt, opening_a_bundle_leaves_the_registry_alone))
mutant("GUARD-CONFIG-001b", "a run that asks for groups of four trains on single patches",
    "CONFIG-001:groups_have_the_channels_of_the_configuration",
    breaks="train: groups are made with the grid size of a registry that knows nothing",
    plant=function(container.generate_grouped_data,
        lambda original, *arguments, **options: original(*arguments, **{**options, "gridsize": 1})))
mutant("DEF-109", "number of workers and accelerator stand in the registry, and in every bundle",
    "CONFIG-004:execution_settings_of_a_run_never_reach_the_registry", "CONFIG-004:execution_settings_never_reach_the_registry",
    plant=method(PyTorchExecutionConfig, "__post_init__", execution_settings_are_bridged_into_the_registry))
mutant("GUARD-CONFIG-070", "an empty folder ends in an error of the zip reader", "CONFIG-070:inference_needs_a_bundle",
    plant=function(factory.create_inference_payload, the_bundle_is_left_to_the_archive_reader))
mutant("DEF-100", "training fills the patch, inference its centre alone", "CONFIG-070:what_shapes_an_inference",
    plant=function(factory.create_inference_payload, probe_big_is_off_in_the_inference_factory))
mutant("DEF-201", "what the user says of an inference is overwritten, and its scale is wrong",
    "CONFIG-070:what_shapes_an_inference",
    plant=function(factory.create_inference_payload, obligatory_settings_clobber_the_users))
mutant("GUARD-CONFIG-070b", "inference draws from six neighbours, training from four", "CONFIG-070:what_shapes_an_inference",
    plant=function(factory.create_inference_payload, the_inference_factory_keeps_the_torch_default_of_neighbours))
mutant("GUARD-CONFIG-004", "a bundle written after a training carries the worker count of its machine",
    "CONFIG-004:execution_settings_of_a_run_never_reach_the_registry",
    plant=function(trainer.fit, training_leaves_its_execution_settings_behind))
mutant("GUARD-CONFIG-044", "a misspelt override of an inference is ignored",
    "CONFIG-044:an_unknown_override_of_an_inference_is_refused_by_name",
    plant=function(factory.create_inference_payload, the_inference_factory_picks_what_it_knows))
mutant("GUARD-CONFIG-066b", "the record of an inference says nothing of the machine",
    "CONFIG-066:the_audit_of_an_inference_states_what_is_in_force",
    plant=function(factory.create_inference_payload, the_audit_of_an_inference_is_its_overrides))
mutant("GUARD-CONFIG-067b", "a second inference with the same overrides has no number of groups",
    "CONFIG-067:the_overrides_of_an_inference_stay_as_they_are",
    plant=function(factory.create_inference_payload, the_inference_factory_pops_the_overrides))

# The training factory: order, needs, what it takes from the file.
mutant("DEF-108", "data are read with the grid size of the run before",
    "CONFIG-001:the_registry_is_up_to_date_when_the_training_file_is_opened",
    "CONFIG-001:the_registry_is_up_to_date_when_the_test_file_is_opened",
    plant=function(factory._from_file, the_registry_is_synchronised_after_the_file_was_read))
mutant("GUARD-CONFIG-001", "the registry keeps the patch side and photons of before the file was read",
    "CONFIG-001:what_the_file_says_is_in_the_registry_afterwards",
    plant=function(factory._from_file, the_registry_is_synchronised_once))
mutant("DEF-104", "a misspelt override is ignored", "CONFIG-044:an_unknown_override_is_refused_by_name",
    plant=function(bridge.refuse_unknown, instead(_nothing)))
mutant("GUARD-CONFIG-062", "a run without a stated number of groups trains on 512",
    "CONFIG-062:the_number_of_groups_has_no_default", "CONFIG-070:inference_needs_a_number_of_groups",
    plant=function(factory._require_groups, instead(lambda settings: settings.setdefault("n_groups", 512))))
mutant("GUARD-CONFIG-062b", "a wrong path ends in an error of the archive reader",
    "CONFIG-062:a_missing_training_file_is_reported_as_such",
    plant=function(factory._existing, instead(lambda path, what: Path(path))))
mutant("DEF-105", "a file that cannot be read counts as one of 64 pixels",
    "CONFIG-064:a_file_without_a_patch_side_is_not_passed_over",
    plant=function(factory._from_file, a_file_without_a_patch_side_has_64_pixels))
mutant("GUARD-CONFIG-064b", "a probe of 128 pixels is trained as one of 64", "CONFIG-064:the_patch_side_is_the_probes",
    plant=function(factory._from_file, lambda original, file, settings, build: original(file, {"N": 64, **settings}, build)))
mutant("GUARD-CONFIG-064", "a stated patch side has no effect", "CONFIG-064:an_override_of_the_patch_side_wins",
    plant=function(factory._from_file, the_file_is_believed_more_than_its_user))
mutant("GUARD-CONFIG-064e", "a reconstruction is planned for 128 pixels, whatever bundle and file have",
    "CONFIG-064:the_patch_side_of_an_inference_is_the_files",
    plant=function(factory._inference_payload, lambda original, settings, execution: original({**settings, "N": 128}, execution)))
mutant("GUARD-CONFIG-064c", "a probe that is not square has the side of its columns",
    "CONFIG-064:a_file_without_a_patch_side_is_not_passed_over[oblong-probe]",
    plant=function(header._probe_side, instead(lambda archive: archive.header("probeGuess").shape[1])))
mutant("GUARD-CONFIG-065", "the photon number in the file is read by nobody",
    "CONFIG-065:the_photon_number_says_where_it_came_from", "CONFIG-001:what_the_file_says_is_in_the_registry_afterwards",
    plant=function(factory._from_file,
        lambda original, file, settings, build: original(file, {"nphotons": 1e9, **settings}, build)))

# The payloads: parts, precedence, channels, aliases, audit.
mutant("DEF-113", "the factory dies with an AttributeError", "CONFIG-060:the_payload_has_its_parts",
    files=["test_config_payload"],
    breaks="train: the factory dies, which is the defect",
    plant=method(TorchModelConfig, "__getattribute__", a_field_of_the_torch_side_was_never_declared))
mutant("GUARD-EXEC-005c", "workers, precision and learning rate of the execution configuration have no effect",
    "CONFIG-061:explicit_beats_execution_beats_default", "CONFIG-060:the_payload_has_its_parts",
    "CONFIG-066:the_audit_states_what_is_in_force",
    plant=function(factory._execution, lambda original, settings, given: original(settings, None)))
mutant("GUARD-CONFIG-060", "the payload's execution configuration is not the one that was given",
    "CONFIG-060:the_payload_has_its_parts", "CONFIG-060:the_inference_payload_has_its_parts", files=["test_config_payload"],
    plant=every(function(factory.create_training_payload,
            result(lambda found: replace(found, execution_config=PyTorchExecutionConfig(accelerator="cpu")))),
        function(factory.create_inference_payload,
            result(lambda found: replace(found, execution_config=PyTorchExecutionConfig(accelerator="cpu"))))))
mutant("GUARD-CONFIG-060b", "a library call shows bars that nobody asked for",
    "CONFIG-060:without_an_execution_configuration_there_is_a_default_one",
    plant=function(factory._execution,
        lambda original, settings, given: original(settings, given or PyTorchExecutionConfig("cpu", enable_progress_bar=True))))
mutant("GUARD-EXEC-005", "an explicit learning rate loses", "CONFIG-061:explicit_beats_execution_beats_default",
    plant=every(function(factory._training_payload,
            lambda original, settings, execution: original({**settings, "learning_rate": execution.learning_rate}, execution)),
        function(factory._execution, lambda original, settings, given: given or original({}, None))))
mutant("GUARD-EXEC-005b", "the learning rate is 1e-4 whatever anyone asks for",
    "CONFIG-061:explicit_beats_execution_beats_default",
    plant=function(factory._training_payload,
        lambda original, settings, execution: original({**settings, "learning_rate": 1e-4}, execution)))
mutant("GUARD-CONFIG-061", "training draws from other neighbours than its configuration says",
    "CONFIG-061:both_sides_of_a_payload_say_the_same",
    plant=function(factory._training_payload,
        result(lambda made: replace(made, pt_data_config=replace(made.pt_data_config, K=6)))))
mutant("DEF-056", "the network has four channels whatever the grid size", "CONFIG-063:channels_follow_the_grid_size",
    plant=function(factory._model_side, result(lambda found: replace(found, C_model=4, C_forward=4))))
mutant("DEF-080", "the merge skips channels, or reshapes 8 numbers into 32", "CONFIG-063:channels_follow_the_grid_size",
    plant=function(factory._model_side, result(lambda found: replace(found, C_forward=1))))
mutant("DEF-200", "after another run, or a stored configuration, channels are stale", "CONFIG-063:channels_follow_the_grid_size",
    plant=channels_are_set_only_where_they_are_absent)
mutant("GUARD-CONFIG-066", "the record of a run does not say whether it was deterministic",
    "CONFIG-066:the_audit_states_what_is_in_force",
    plant=constant(factory, "AUDITED", tuple(name for name in factory.AUDITED if name != "deterministic")))
mutant("GUARD-CONFIG-067", "a sweep's second run inherits from its first", "CONFIG-067:the_callers_overrides_stay_as_they_are",
    plant=function(factory.create_training_payload, the_factory_writes_into_the_callers_overrides))
mutant("DEF-102", "a supervised request trains unsupervised", "CONFIG-068:aliases_take_effect_on_both_sides",
    plant=function(factory._translated,
        lambda original, name, value: (name, value) if name == "model_type" else original(name, value)))
mutant("GUARD-CONFIG-050k", "a grid of more rows than columns has as many as it has rows",
    "CONFIG-050:a_grid_of_more_rows_than_columns_is_refused",
    plant=function(bridge.gridsize_of, lambda original, grid: grid[0] if grid[0] > grid[1] else original(grid)))
mutant("GUARD-CONFIG-079", "of two names of a setting the last one wins", TWICE + "[epochs]", TWICE + "[neighbor_count]",
    plant=function(factory._settings, the_last_name_wins))
mutant("GUARD-CONFIG-079b", "of two names of a setting the first one wins", TWICE + "[max_epochs]",
    plant=function(factory._settings, a_later_alias_gives_way))
