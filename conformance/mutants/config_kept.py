"""Defects of what stands in the registry after a bundle was opened."""

from __future__ import annotations

from conformance.defects.changes import function
from conformance.mutants import rows
from reference_impl.bundle import archive
from reference_impl.config import registry
from reference_impl.dispatch import selector

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


mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
mutant("GUARD-CONFIG-003c", "after a bundle was opened the registry holds what its caller said", ABOVE,
    plant=function(selector.load_inference_bundle_with_backend, the_configuration_is_written_again))
mutant("GUARD-CONFIG-003d", "of a bundle the registry learns sides and groups alone", ABOVE,
    plant=function(archive._rebuilt, what_shapes_the_network_is_enough))
