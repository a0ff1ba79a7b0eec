"""Defects of the entries that synchronise the registry, and of the inference factory."""

from __future__ import annotations

from dataclasses import replace
from zipfile import BadZipFile

from conformance.defects.planting import Plant
from conformance.mutants import mutant
from reference_impl.batch import container
from reference_impl.bundle import archive
from reference_impl.config import factory, registry
from reference_impl.dispatch import selector, workflow
from reference_impl.execution import PyTorchExecutionConfig
from reference_impl.training import trainer


def _nothing(*arguments: object, **options: object) -> None:
    """Instead of synchronising."""


@mutant(
    "GUARD-CONFIG-003",
    "containers are built while the registry holds the run before",
    "CONFIG-001:the_registry_is_up_to_date_when_data_are_first_touched",
    "DISPATCH-002:a_configuration_is_in_the_registry_before_its_backend_is_inspected",
)
def the_workflows_rely_on_their_caller_to_synchronise(plant: Plant) -> None:
    for module in (selector, workflow, trainer):
        plant.constant(module, "update_legacy_dict", _nothing)


@mutant(
    "GUARD-CONFIG-003b",
    "a bundle is opened and the registry knows nothing of it",
    "CONFIG-003:opening_a_bundle_synchronises_the_registry",
)
def opening_a_bundle_leaves_the_registry_alone(plant: Plant) -> None:
    def restoring(original):
        def rebuilt(params, states, path):
            before = dict(registry.cfg)
            module = original(params, states, path)
            registry.cfg.update(before)
            return module

        return rebuilt

    plant.function(archive._rebuilt, restoring)


@mutant(
    "GUARD-CONFIG-001b",
    "a run that asks for groups of four trains on single patches",
    "CONFIG-001:groups_have_the_channels_of_the_configuration",
)
def grouping_takes_the_grid_size_of_an_old_registry(plant: Plant) -> None:
    def unaware(original):
        return lambda *arguments, **options: original(*arguments, **{**options, "gridsize": 1})

    plant.function(container.generate_grouped_data, unaware)


@mutant(
    "DEF-109",
    "number of workers and accelerator stand in the registry, and in every bundle",
    "CONFIG-004:execution_settings_of_a_run_never_reach_the_registry",
    "CONFIG-004:execution_settings_never_reach_the_registry",
)
def execution_settings_are_bridged_into_the_registry(plant: Plant) -> None:
    def bridged(original):
        def check(self):
            original(self)
            registry.cfg.update(vars(self))

        return check

    plant.method(PyTorchExecutionConfig, "__post_init__", bridged)


@mutant("GUARD-CONFIG-070", "an empty folder ends in an error of the zip reader", "CONFIG-070:inference_needs_a_bundle")
def the_bundle_is_left_to_the_archive_reader(plant: Plant) -> None:
    def raw(original):
        def create(model_path, *arguments, **options):
            if not (model_path / "wts.h5.zip").is_file():
                raise BadZipFile("File is not a zip file")
            return original(model_path, *arguments, **options)

        return create

    plant.function(factory.create_inference_payload, raw)


@mutant("DEF-100", "training fills the patch, inference its centre alone", "CONFIG-070:what_shapes_an_inference")
def probe_big_is_off_in_the_inference_factory(plant: Plant) -> None:
    def own(original):
        def create(model, data, folder, overrides=None, execution=None):
            return original(model, data, folder, {"probe_big": False, **(overrides or {})}, execution)

        return create

    plant.function(factory.create_inference_payload, own)


@mutant(
    "DEF-201", "what the user says of an inference is overwritten, and its scale is wrong", "CONFIG-070:what_shapes_an_inference"
)
def obligatory_settings_clobber_the_users(plant: Plant) -> None:
    def clobbering(original):
        def create(model, data, folder, overrides=None, execution=None):
            return original(model, data, folder, {**(overrides or {}), "probe_scale": 4.0}, execution)

        return create

    plant.function(factory.create_inference_payload, clobbering)


@mutant("GUARD-CONFIG-070b", "inference draws from six neighbours, training from four", "CONFIG-070:what_shapes_an_inference")
def the_inference_factory_keeps_the_torch_default_of_neighbours(plant: Plant) -> None:
    def torch_default(original):
        def create(model, data, folder, overrides=None, execution=None):
            return original(model, data, folder, {"K": 6, **(overrides or {})}, execution)

        return create

    plant.function(factory.create_inference_payload, torch_default)


@mutant(
    "GUARD-CONFIG-004",
    "a bundle written after a training carries the worker count of its machine",
    "CONFIG-004:execution_settings_of_a_run_never_reach_the_registry",
)
def training_leaves_its_execution_settings_behind(plant: Plant) -> None:
    def leaving(original):
        def fit(module, train, validation, run):
            history = original(module, train, validation, run)
            registry.cfg.update(vars(run.execution))
            return history

        return fit

    plant.function(trainer.fit, leaving)


@mutant(
    "GUARD-CONFIG-044",
    "a misspelt override of an inference is ignored",
    "CONFIG-044:an_unknown_override_of_an_inference_is_refused_by_name",
)
def the_inference_factory_picks_what_it_knows(plant: Plant) -> None:
    def picking(original):
        def create(model, data, folder, overrides=None, execution=None):
            known = {"n_groups", "K", "object_big", "probe_big", "probe_scale", "model_type", "nphotons", "N"}
            return original(model, data, folder, {k: v for k, v in (overrides or {}).items() if k in known}, execution)

        return create

    plant.function(factory.create_inference_payload, picking)


@mutant(
    "GUARD-CONFIG-066b",
    "the record of an inference says nothing of the machine",
    "CONFIG-066:the_audit_of_an_inference_states_what_is_in_force",
)
def the_audit_of_an_inference_is_its_overrides(plant: Plant) -> None:
    def copied(original):
        def create(model, data, folder, overrides=None, execution=None):
            return replace(original(model, data, folder, overrides, execution), overrides_applied=dict(overrides or {}))

        return create

    plant.function(factory.create_inference_payload, copied)


@mutant(
    "GUARD-CONFIG-067b",
    "a second inference with the same overrides has no number of groups",
    "CONFIG-067:the_overrides_of_an_inference_stay_as_they_are",
)
def the_inference_factory_pops_the_overrides(plant: Plant) -> None:
    def popping(original):
        def create(model, data, folder, overrides=None, execution=None):
            big = {} if overrides is None or "object_big" not in overrides else {"object_big": overrides.pop("object_big")}
            return original(model, data, folder, {**(overrides or {}), **big}, execution)

        return create

    plant.function(factory.create_inference_payload, popping)
