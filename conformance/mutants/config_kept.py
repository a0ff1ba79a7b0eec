"""Defects of what stands in the registry after a bundle was opened, and of what is said when it is filled again."""

from __future__ import annotations

from conformance.defects.changes import function
from conformance.mutants import rows
from reference_impl.bundle import archive
from reference_impl.config import factory, registry
from reference_impl.dispatch import selector

NO_NEWS = "CONFIG-078:a_second_experiment_is_no_news"
ABOVE = "CONFIG-003:what_a_bundle_stores_stands_above_what_it_is_opened_for"


def the_configuration_is_written_again(original, bundle_dir, config, *rest):
    found = original(bundle_dir, config, *rest)
    registry.update_legacy_dict(registry.cfg, config)
    return found


def what_shapes_the_network_is_enough(original, params, states, path):
    before = dict(registry.cfg)
    found = original(params, states, path)
    kept = {name: registry.cfg[name] for name in ("N", "gridsize") if name in registry.cfg}
    registry.cfg.update({**before, **kept})
    return found


def the_helper_is_called_without_force(original, *given, **options):
    found = original(*given, **options)
    registry.populate_legacy_params(getattr(found, "tf_training_config", None) or found.tf_inference_config)
    return found


mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
mutant("GUARD-CONFIG-003c", "after a bundle was opened the registry holds what its caller said", ABOVE,
    plant=function(selector.load_inference_bundle_with_backend, the_configuration_is_written_again))
mutant("GUARD-CONFIG-003d", "of a bundle the registry learns sides and groups alone", ABOVE,
    plant=function(archive._rebuilt, what_shapes_the_network_is_enough))
mutant("GUARD-CONFIG-078", "a second training in a process is warned of the first", f"{NO_NEWS}[training]",
    plant=function(factory.create_training_payload, the_helper_is_called_without_force))
mutant("GUARD-CONFIG-078b", "a second inference in a process is warned of the first", f"{NO_NEWS}[inference]",
    plant=function(factory.create_inference_payload, the_helper_is_called_without_force))
