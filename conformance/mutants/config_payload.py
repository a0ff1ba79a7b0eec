"""Defects of the payloads: parts, precedence, channels, aliases, audit."""

from __future__ import annotations

from dataclasses import replace

from conformance.defects.planting import Plant
from conformance.mutants import mutant
from reference_impl.config import factory
from reference_impl.config.torch_side import TorchModelConfig
from reference_impl.execution import PyTorchExecutionConfig


@mutant(
    "DEF-113",
    "the factory dies with an AttributeError",
    "CONFIG-060:the_payload_has_its_parts",
    files=["test_config_payload"],
)
def a_field_of_the_torch_side_was_never_declared(plant: Plant) -> None:
    def undeclared(original):
        def get(self, name):
            if name == "pad_object":
                raise AttributeError("'TorchModelConfig' object has no attribute 'pad_object'")
            return original(self, name)

        return get

    plant.method(TorchModelConfig, "__getattribute__", undeclared)


@mutant(
    "GUARD-EXEC-005c",
    "workers, precision and learning rate of the execution configuration have no effect",
    "CONFIG-061:explicit_beats_execution_beats_default",
    "CONFIG-060:the_payload_has_its_parts",
    "CONFIG-066:the_audit_states_what_is_in_force",
)
def the_execution_configuration_is_not_passed_on(plant: Plant) -> None:
    plant.function(factory._execution, lambda original: lambda settings, given: original(settings, None))


@mutant(
    "GUARD-CONFIG-060",
    "the payload's execution configuration is not the one that was given",
    "CONFIG-060:the_payload_has_its_parts",
    "CONFIG-060:the_inference_payload_has_its_parts",
    files=["test_config_payload"],
)
def the_execution_configuration_is_made_again_for_the_payload(plant: Plant) -> None:
    def again(original):
        return lambda *files, **options: replace(
            original(*files, **options), execution_config=PyTorchExecutionConfig(accelerator="cpu")
        )

    plant.function(factory.create_training_payload, again)
    plant.function(factory.create_inference_payload, again)


@mutant(
    "GUARD-CONFIG-060b",
    "a library call shows bars that nobody asked for",
    "CONFIG-060:without_an_execution_configuration_there_is_a_default_one",
)
def the_factory_has_execution_defaults_of_its_own(plant: Plant) -> None:
    def own(original):
        return lambda settings, given: original(settings, given or PyTorchExecutionConfig("cpu", enable_progress_bar=True))

    plant.function(factory._execution, own)


@mutant("GUARD-EXEC-005", "an explicit learning rate loses", "CONFIG-061:explicit_beats_execution_beats_default")
def the_execution_configuration_beats_explicit_overrides(plant: Plant) -> None:
    def reversed_(original):
        return lambda settings, execution: original({**settings, "learning_rate": execution.learning_rate}, execution)

    plant.function(factory._training_payload, reversed_)
    plant.function(factory._execution, lambda original: lambda settings, given: given or original({}, None))


@mutant(
    "GUARD-EXEC-005b", "the learning rate is 1e-4 whatever anyone asks for", "CONFIG-061:explicit_beats_execution_beats_default"
)
def the_learning_rate_stands_fixed_in_the_code(plant: Plant) -> None:
    def fixed(original):
        return lambda settings, execution: original({**settings, "learning_rate": 1e-4}, execution)

    plant.function(factory._training_payload, fixed)


@mutant(
    "GUARD-CONFIG-061",
    "training draws from other neighbours than its configuration says",
    "CONFIG-061:both_sides_of_a_payload_say_the_same",
)
def the_torch_side_is_filled_separately(plant: Plant) -> None:
    def separately(original):
        def payload(settings, execution):
            made = original(settings, execution)
            return replace(made, pt_data_config=replace(made.pt_data_config, K=6))

        return payload

    plant.function(factory._training_payload, separately)


@mutant("DEF-056", "the network has four channels whatever the grid size", "CONFIG-063:channels_follow_the_grid_size")
def channels_do_not_follow_the_grid_size(plant: Plant) -> None:
    plant.function(factory._model_side, lambda original: lambda settings: replace(original(settings), C_model=4, C_forward=4))


@mutant("DEF-080", "the merge skips channels, or reshapes 8 numbers into 32", "CONFIG-063:channels_follow_the_grid_size")
def the_merge_expects_one_channel(plant: Plant) -> None:
    plant.function(factory._model_side, lambda original: lambda settings: replace(original(settings), C_forward=1))


@mutant("DEF-200", "after another run, or a stored configuration, channels are stale", "CONFIG-063:channels_follow_the_grid_size")
def channels_are_set_only_where_they_are_absent(plant: Plant) -> None:
    kept = {}

    def stale(original):
        def side(settings):
            made = original(settings)
            return replace(made, C_model=kept.setdefault("C", made.C_model), C_forward=kept["C"])

        return side

    plant.function(factory._model_side, stale)


@mutant(
    "GUARD-CONFIG-066",
    "the record of a run does not say whether it was deterministic",
    "CONFIG-066:the_audit_states_what_is_in_force",
)
def the_audit_leaves_a_setting_out(plant: Plant) -> None:
    plant.constant(factory, "AUDITED", tuple(name for name in factory.AUDITED if name != "deterministic"))


@mutant("GUARD-CONFIG-067", "a sweep's second run inherits from its first", "CONFIG-067:the_callers_overrides_stay_as_they_are")
def the_factory_writes_into_the_callers_overrides(plant: Plant) -> None:
    def writing(original):
        def create(file, folder, overrides=None, execution=None):
            if overrides is not None:
                overrides["output_dir"] = folder
            return original(file, folder, overrides, execution)

        return create

    plant.function(factory.create_training_payload, writing)


@mutant("DEF-102", "a supervised request trains unsupervised", "CONFIG-068:aliases_take_effect_on_both_sides")
def the_model_type_does_not_become_the_mode(plant: Plant) -> None:
    def deaf(original):
        return lambda name, value: (name, value) if name == "model_type" else original(name, value)

    plant.function(factory._translated, deaf)
