"""Freedoms of the selector."""

from __future__ import annotations

from conformance.defects.changes import function
from conformance.defects.planting import Plant
from conformance.twins import rows
from reference_impl.bundle import load_torch_bundle
from reference_impl.dispatch import selector

ALL = ("test_dispatch", "test_config_entries")


def opening_gives_every_model(original, place, settings, name="diffraction_to_obj"):
    original(place, settings, name)
    return load_torch_bundle(place / "wts.h5", name)


def results_hold_more(plant: Plant) -> None:
    class Results(dict):
        """What a run came to."""

    def more(original):
        def run(*data, **options):
            amplitude, phase, results = original(*data, **options)
            return amplitude, phase, Results({**results, "seconds": 1.0, "host": "here"})

        return run

    plant.function(selector.run_cdi_example_with_backend, more)


def the_selector_synchronises_again(plant: Plant) -> None:
    synchronised = "    update_legacy_dict(cfg, config)\n"
    plant.source(
        "dispatch/selector.py",
        "    workflow = _workflow_of(config)\n    results",
        f"    workflow = _workflow_of(config)\n{synchronised}    results",
    )
    plant.source("dispatch/selector.py", synchronised + "    if", f"    print('backend:', config.backend)\n{synchronised}    if")


twin = rows(__name__)
# A row is a freedom: its id, what is free, the files whose checks stay green; what is planted.
# fmt: off
twin("TWIN-OPEN-ALL-MODELS", "opening a bundle gives all its models, the one asked for among them", files=ALL,
    plant=function(selector.load_inference_bundle_with_backend, opening_gives_every_model))
twin("TWIN-RESULTS-WITH-MORE", "results hold more than the contract names, in a mapping of the backend's own", files=ALL,
    plant=results_hold_more)
twin("TWIN-SELECTOR-LOOKS-TWICE", "the selector synchronises again once the backend is imported, and tells what it chose",
    files=ALL, plant=the_selector_synchronises_again)
