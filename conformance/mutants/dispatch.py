"""Defects of the selector: order, names, fallbacks, and what it hands on and gives back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from zipfile import BadZipFile

from conformance.defects.changes import caught, constant, every, function, instead, method, result, source
from conformance.mutants import rows
from reference_impl import config
from reference_impl.dispatch import selector, workflow
from reference_impl.training import overrides

SELECTOR = "dispatch/selector.py"
ARRIVE = "DISPATCH-010:settings_of_one_call_arrive"
SIDE = "DISPATCH-009:a_bundle_states_the_side_of_its_patterns"
STATED = "DISPATCH-009:a_bundle_states_what_was_trained_with"


def the_backend_is_inspected_first(original, settings):
    if settings.backend not in ("tensorflow", "pytorch"):
        raise ValueError("Invalid backend")
    return original(settings)


def images_are_made_without_stitching(original, *data, **options):
    amplitude, phase, results = original(*data, **options)
    patches = results["train_container"].X
    return (patches[0] if amplitude is None else amplitude), (0 * patches[0] if phase is None else phase), results


def opening_makes_the_network_anew(original, place, settings, name="diffraction_to_obj"):
    model, parameters = original(place, settings, name)
    for weight in model.parameters():
        weight.data.normal_(std=0.02)
    return model, parameters


def who_stitched_is_not_said(original, *data, **options):
    amplitude, phase, results = original(*data, **options)
    return amplitude, phase, {name: value for name, value in results.items() if amplitude is None or name != "backend"}


def the_rate_is_the_default(original, *data, execution_config=None, **options):
    given = execution_config and replace(execution_config, learning_rate=1e-3)
    return original(*data, execution_config=given, **options)


def _plain(name: str) -> Callable[..., Any]:
    """A workflow of the backend that a configuration names, called without the selector's own words."""
    return lambda *data, **options: getattr(selector._workflow_of(data[2]), name)(*data, **options)


mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
mutant("GUARD-DISPATCH-001", "the selector cannot be imported without torch, and reads an old registry with it",
    "DISPATCH-001:the_selector_offers_three_workflows_without_the_stack",
    "DISPATCH-003:a_backend_never_imports_the_other_framework",
    plant=source(SELECTOR, "from reference_impl.errors import ContractError\n",
        "import torch\nfrom reference_impl.errors import ContractError\n"))
mutant("GUARD-DISPATCH-001b", "a workflow has another name than the contract's",
    "DISPATCH-001:the_selector_offers_three_workflows_without_the_stack",
    breaks="make: the adapter asks for the workflow that is missing",
    plant=source(SELECTOR, "def load_inference_bundle_with_backend(", "def open_bundle_with_backend("))
mutant("GUARD-DISPATCH-002", "a configuration that is refused never reaches the registry",
    "DISPATCH-002:a_configuration_is_in_the_registry_before_its_backend_is_inspected",
    plant=function(selector._workflow_of, the_backend_is_inspected_first))
mutant("GUARD-DISPATCH-002b", "modules that read the registry while they are imported see the run before",
    "DISPATCH-002:the_registry_is_up_to_date_when_the_backend_is_imported",
    plant=every(source(SELECTOR, "    update_legacy_dict(cfg, config)\n", ""),
        source(SELECTOR, "    workflow = _workflow_of(config)\n    results",
            "    workflow = _workflow_of(config)\n    update_legacy_dict(cfg, config)\n    results")))
mutant("GUARD-DISPATCH-003", "a misspelt backend runs the default one", "DISPATCH-003:an_unknown_backend_is_refused",
    plant=function(selector._workflow_of,
        lambda original, settings: original(replace(settings,
        backend="tensorflow" if settings.backend == "tensorflow" else "pytorch"))))
mutant("GUARD-DISPATCH-003c", "a short name is taken for a backend", "DISPATCH-003:an_unknown_backend_is_refused[short-run]",
    plant=function(selector._workflow_of, lambda original, settings: original(
        replace(settings, backend={"torch": "pytorch", "tf": "tensorflow"}.get(settings.backend, settings.backend)))))
mutant("GUARD-DISPATCH-003d", "blanks beside a backend's name do not count",
    "DISPATCH-003:an_unknown_backend_is_refused[blank-run]",
    plant=function(selector._workflow_of,
        lambda original, settings: original(replace(settings, backend=settings.backend.strip()))))
mutant("GUARD-DISPATCH-004b", "a run that was stitched does not say who made it", "DISPATCH-008:options_of_the_image_arrive",
    clauses=["DISPATCH-004"], plant=function(selector.run_cdi_example_with_backend, who_stitched_is_not_said))
mutant("GUARD-DISPATCH-008c", "the selector forgets the other of two flips",
    "TRAIN-053:a_run_reconstructs_as_its_execution_says", clauses=["DISPATCH-008"],
    plant=function(selector.run_cdi_example_with_backend,
        lambda original, *data, flip_y=False, **options: original(*data, **options)))
mutant("GUARD-DISPATCH-003b", "where torch is missing another framework computes instead",
    "DISPATCH-003:a_backend_never_imports_the_other_framework",
    "POLICY-003:choosing_the_torch_backend_without_its_stack_is_refused", clauses=["POLICY-004"],
    plant=source(SELECTOR, "        reason = ", "        importlib.import_module('tensorflow')\n        reason = "))
mutant("DEF-178", "results do not say who made them", "DISPATCH-004:a_run_returns_its_triple_and_says_who_made_it",
    "DISPATCH-004:training_says_who_made_it_and_obeys_the_execution",
    plant=every(function(selector.run_cdi_example_with_backend, instead(_plain("run_cdi_example_torch"))),
        function(selector.train_cdi_model_with_backend, instead(_plain("train_cdi_model_torch")))))
mutant("GUARD-DISPATCH-004", "pictures come back that nobody stitched",
    "DISPATCH-004:a_run_returns_its_triple_and_says_who_made_it",
    plant=function(workflow.run_cdi_example_torch, images_are_made_without_stitching))
mutant("DEF-182", "the execution configuration has no effect through the dispatcher", "DISPATCH-005:a_run_obeys_the_execution",
    "DISPATCH-004:training_says_who_made_it_and_obeys_the_execution",
    plant=every(function(selector.run_cdi_example_with_backend,
            lambda original, *data, execution_config=None, **options: original(*data, **options)),
        function(selector.train_cdi_model_with_backend,
            lambda original, *data, execution_config=None, **options: original(*data, **options))))
mutant("GUARD-DISPATCH-005", "of the execution of a training its switches arrive, and not its rate",
    "DISPATCH-004:training_says_who_made_it_and_obeys_the_execution", clauses=["DISPATCH-005"],
    plant=function(selector.train_cdi_model_with_backend, the_rate_is_the_default))
mutant("GUARD-DISPATCH-005b", "of the execution of a run its switches arrive, and not its rate",
    "TRAIN-053:a_run_reconstructs_as_its_execution_says", clauses=["DISPATCH-005"],
    plant=function(selector.run_cdi_example_with_backend, the_rate_is_the_default))
mutant("GUARD-DISPATCH-006", "a model is opened without its parameters",
    "DISPATCH-006:opening_a_bundle_gives_the_model_and_its_parameters",
    plant=function(selector.load_inference_bundle_with_backend, result(lambda found: (found[0], {}))))
mutant("GUARD-DISPATCH-006b", "another model than the one asked for is opened",
    "DISPATCH-006:a_model_that_the_bundle_lacks_is_named", "DISPATCH-006:the_other_model_is_opened_by_its_name",
    plant=function(selector.load_inference_bundle_with_backend,
        lambda original, place, settings, name="": original(place, settings)))
mutant("GUARD-DISPATCH-006c", "a wrong folder is called a broken archive", "DISPATCH-006:a_folder_without_a_bundle_is_refused",
    plant=function(selector.load_inference_bundle_with_backend,
        caught(FileNotFoundError, lambda *_: BadZipFile("File is not a zip file"))))
mutant("GUARD-DISPATCH-007", "a configuration of an older script runs on another backend",
    "DISPATCH-007:the_default_backend_is_tensorflow",
    plant=every(method(config.TrainingConfig, "__init__",
            lambda original, self, *stated, **fields: original(self, *stated, **{"backend": "pytorch", **fields})),
        method(config.InferenceConfig, "__init__",
            lambda original, self, *stated, **fields: original(self, *stated, **{"backend": "pytorch", **fields}))))
mutant("GUARD-DISPATCH-006d", "what is opened reconstructs as if it had never been trained",
    "DISPATCH-006:opening_a_bundle_gives_the_model_and_its_parameters",
    plant=function(selector.load_inference_bundle_with_backend, opening_makes_the_network_anew))
mutant("GUARD-DISPATCH-009", "the bundle of a run states the probe scale of the configuration, whatever was overridden", STATED,
    plant=constant(workflow, "settle", lambda settings, execution, stated: overrides.settle(settings, execution,
        {name: value for name, value in (stated or {}).items() if name != "probe_scale"})))
mutant("GUARD-DISPATCH-009b", "the bundle of a run states the training of the configuration, whatever was overridden", STATED,
    plant=constant(workflow, "settle", lambda settings, execution, stated: overrides.settle(settings, execution,
        {name: value for name, value in (stated or {}).items() if hasattr(settings.model, name)})))
mutant("GUARD-DISPATCH-010", "overrides of the training workflow are lost", f"{ARRIVE}[run_training]",
    plant=function(selector.train_cdi_model_with_backend,
        lambda original, *data, overrides=None, **options: original(*data, **options)))
mutant("GUARD-DISPATCH-010b", "overrides of the running workflow are lost", f"{ARRIVE}[run]",
    plant=function(selector.run_cdi_example_with_backend,
        lambda original, *data, overrides=None, **options: original(*data, **options)))
mutant("GUARD-DISPATCH-009c", "the bundle of a run describes a model of the configured side", SIDE,
    plant=constant(workflow, "replace", lambda given, **_: given))
mutant("GUARD-DISPATCH-009d", "the bundle of a run describes a model of the larger of two sides", SIDE,
    plant=constant(workflow, "replace", lambda given, **changes: replace(given,
        **{name: max(value, given.N) if name == "N" else value for name, value in changes.items()})))
