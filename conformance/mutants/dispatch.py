"""Defects of the selector: order, names, fallbacks, and what it hands on and gives back."""

from __future__ import annotations

from dataclasses import replace
from zipfile import BadZipFile

from conformance.defects.planting import Plant
from conformance.mutants import mutant
from reference_impl import config
from reference_impl.dispatch import selector, workflow

SELECTOR = "dispatch/selector.py"


@mutant(
    "GUARD-DISPATCH-001",
    "the selector cannot be imported without torch, and reads an old registry with it",
    "DISPATCH-001:the_selector_offers_three_workflows_without_the_stack",
    "DISPATCH-003:a_backend_never_imports_the_other_framework",
)
def the_backend_is_imported_at_the_head_of_the_selector(plant: Plant) -> None:
    plant.source(
        SELECTOR,
        "from reference_impl.errors import ContractError\n",
        "import torch\nfrom reference_impl.errors import ContractError\n",
    )


@mutant(
    "GUARD-DISPATCH-001b",
    "a workflow has another name than the contract's",
    "DISPATCH-001:the_selector_offers_three_workflows_without_the_stack",
)
def a_workflow_was_renamed(plant: Plant) -> None:
    plant.source(SELECTOR, "def load_inference_bundle_with_backend(", "def open_bundle_with_backend(")


@mutant(
    "GUARD-DISPATCH-002",
    "a configuration that is refused never reaches the registry",
    "DISPATCH-002:a_configuration_is_in_the_registry_before_its_backend_is_inspected",
)
def the_backend_is_inspected_first(plant: Plant) -> None:
    def first(original):
        def workflow_of(settings):
            if settings.backend not in ("tensorflow", "pytorch"):
                raise ValueError("Invalid backend")
            return original(settings)

        return workflow_of

    plant.function(selector._workflow_of, first)


@mutant(
    "GUARD-DISPATCH-002b",
    "modules that read the registry while they are imported see the run before",
    "DISPATCH-002:the_registry_is_up_to_date_when_the_backend_is_imported",
)
def the_backend_is_imported_before_the_registry_is_written(plant: Plant) -> None:
    plant.source(SELECTOR, "    update_legacy_dict(cfg, config)\n", "")
    plant.source(
        SELECTOR,
        "    workflow = _workflow_of(config)\n    results",
        "    workflow = _workflow_of(config)\n    update_legacy_dict(cfg, config)\n    results",
    )


@mutant("GUARD-DISPATCH-003", "a misspelt backend runs the default one", "DISPATCH-003:an_unknown_backend_is_refused")
def an_else_branch_stands_for_pytorch(plant: Plant) -> None:
    def lenient(original):
        return lambda settings: original(
            replace(settings, backend="tensorflow" if settings.backend == "tensorflow" else "pytorch")
        )

    plant.function(selector._workflow_of, lenient)


@mutant(
    "GUARD-DISPATCH-003b",
    "where torch is missing another framework computes instead",
    "DISPATCH-003:a_backend_never_imports_the_other_framework",
    "POLICY-003:choosing_the_torch_backend_without_its_stack_is_refused",
)
def a_missing_backend_falls_back_to_the_other(plant: Plant) -> None:
    plant.source(SELECTOR, "        reason = ", "        importlib.import_module('tensorflow')\n        reason = ")


@mutant(
    "DEF-178",
    "results do not say who made them",
    "DISPATCH-004:a_run_returns_its_triple_and_says_who_made_it",
    "DISPATCH-004:training_says_who_made_it_and_obeys_the_execution",
)
def results_are_handed_through_without_their_annotation(plant: Plant) -> None:
    def plain(name):
        return lambda original: lambda *data, **options: getattr(selector._workflow_of(data[2]), name)(*data, **options)

    plant.function(selector.run_cdi_example_with_backend, plain("run_cdi_example_torch"))
    plant.function(selector.train_cdi_model_with_backend, plain("train_cdi_model_torch"))


@mutant(
    "GUARD-DISPATCH-004", "pictures come back that nobody stitched", "DISPATCH-004:a_run_returns_its_triple_and_says_who_made_it"
)
def images_are_made_without_stitching(plant: Plant) -> None:
    def always(original):
        def run(*data, **options):
            amplitude, phase, results = original(*data, **options)
            patches = results["train_container"].X
            return (patches[0] if amplitude is None else amplitude), (0 * patches[0] if phase is None else phase), results

        return run

    plant.function(workflow.run_cdi_example_torch, always)


@mutant(
    "DEF-182",
    "the execution configuration has no effect through the dispatcher",
    "DISPATCH-005:a_run_obeys_the_execution",
    "DISPATCH-004:training_says_who_made_it_and_obeys_the_execution",
)
def the_dispatcher_drops_the_execution_configuration(plant: Plant) -> None:
    def dropping(original):
        return lambda *data, execution_config=None, **options: original(*data, **options)

    plant.function(selector.run_cdi_example_with_backend, dropping)
    plant.function(selector.train_cdi_model_with_backend, dropping)


@mutant(
    "GUARD-DISPATCH-006",
    "a model is opened without its parameters",
    "DISPATCH-006:opening_a_bundle_gives_the_model_and_its_parameters",
)
def the_parameters_of_a_bundle_are_not_handed_on(plant: Plant) -> None:
    plant.function(selector.load_inference_bundle_with_backend, lambda original: lambda *place: (original(*place)[0], {}))


@mutant(
    "GUARD-DISPATCH-006b",
    "another model than the one asked for is opened",
    "DISPATCH-006:a_model_that_the_bundle_lacks_is_named",
    "DISPATCH-006:the_other_model_is_opened_by_its_name",
)
def the_name_of_the_model_is_ignored(plant: Plant) -> None:
    plant.function(
        selector.load_inference_bundle_with_backend, lambda original: lambda place, settings, name="": original(place, settings)
    )


@mutant("GUARD-DISPATCH-006c", "a wrong folder is called a broken archive", "DISPATCH-006:a_folder_without_a_bundle_is_refused")
def a_missing_bundle_is_an_error_of_the_reader(plant: Plant) -> None:
    def raw(original):
        def load(*place):
            try:
                return original(*place)
            except FileNotFoundError:
                raise BadZipFile("File is not a zip file") from None

        return load

    plant.function(selector.load_inference_bundle_with_backend, raw)


@mutant(
    "GUARD-DISPATCH-007",
    "a configuration of an older script runs on another backend",
    "DISPATCH-007:the_default_backend_is_tensorflow",
)
def the_default_backend_is_the_one_at_hand(plant: Plant) -> None:
    def at_hand(init):
        return lambda self, *stated, **fields: init(self, *stated, **{"backend": "pytorch", **fields})

    plant.method(config.TrainingConfig, "__init__", at_hand)
    plant.method(config.InferenceConfig, "__init__", at_hand)


@mutant(
    "GUARD-DISPATCH-006d",
    "what is opened reconstructs as if it had never been trained",
    "DISPATCH-006:opening_a_bundle_gives_the_model_and_its_parameters",
)
def opening_makes_the_network_anew(plant: Plant) -> None:
    def anew(original):
        def load(place, settings, name="diffraction_to_obj"):
            model, parameters = original(place, settings, name)
            for weight in model.parameters():
                weight.data.normal_(std=0.02)
            return model, parameters

        return load

    plant.function(selector.load_inference_bundle_with_backend, anew)
