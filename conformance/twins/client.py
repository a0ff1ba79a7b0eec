"""Freedoms of what a client imports: the order of groups, the size of the canvas, other factors, more names."""

from __future__ import annotations

from conformance.defects.changes import every, source
from conformance.defects.planting import Plant
from conformance.twins import rows

NAMES, OTHER = "drop_in/path/ptycho", "drop_in/path/ptycho_torch"
RECONSTRUCTED = (
    "CLIENT-004:counts_become_amplitudes_once",
    "CLIENT-007:a_model_opens_as_saved_and_as_unpacked",
    "CLIENT-008:every_exposure_has_its_group",
    "CLIENT-009:a_prediction_is_a_patch_for_each_position",
    "CLIENT-010:known_patches_give_the_object_back",
)


def groups_are_turned_over_and_the_canvas_is_larger(plant: Plant) -> None:
    one = "return generate_grouped_data("
    two = "found = generate_grouped_data("
    plant.source(f"{NAMES}/raw_data.py", one, two)
    one = "seed=seed, **pool, **options)\n"
    turned = "{k: v if v is None or k == 'objectGuess' else v[::-1].copy() for k, v in found.items()}"
    plant.source(f"{NAMES}/raw_data.py", one, f"{one}        return {turned}\n")
    one = "return on_object(np.asarray(obj_tensor), global_offsets, M, shape)"
    plant.source(f"{NAMES}/tf_helper.py", one, f"{one.replace('return ', 'return np.pad(')}, ((3, 3), (8, 8)))")


def there_is_more_than_was_asked_for(plant: Plant) -> None:
    one = "    base = Path(out_prefix)"
    plant.source(f"{NAMES}/model_manager.py", one, f'    (Path(out_prefix) / "saved.log").write_text("saved")\n{one}')
    one = "    edge_pad: int = 10\n"
    plant.source(f"{OTHER}/config_params.py", one, f"{one}    corner_pad: int = 11\n")
    one = "return on_object("
    plant.source(f"{OTHER}/api/base_api.py", one, "return np.atleast_3d(on_object(")
    one = "offsets, M, data_loader.shape, weights)"
    plant.source(f"{OTHER}/api/base_api.py", one, f"{one}).transpose(2, 0, 1)")


def it_begins_elsewhere_and_speaks_otherwise(plant: Plant) -> None:
    plant.source(f"{OTHER}/samples.py", "SEED = 42", "SEED = 7")
    one = 'found = f"{value!r}, which has no counterpart in the reference"'
    plant.source(f"{OTHER}/settings.py", one, "raise NotImplementedError(f'cannot do {name} = {value!r}')")


twin = rows(__name__)
# A row is a freedom: its id, what is free, the files whose checks stay green; what is planted.
# fmt: off
twin("TWIN-CLIENT-CANVAS-AND-ORDER", "groups come in an order of their own, and the image has a border all around",
    *RECONSTRUCTED, files=("test_client",), plant=groups_are_turned_over_and_the_canvas_is_larger)
twin("TWIN-CLIENT-MORE-THAN-ASKED",
    "the model lies beside a log, settings have further fields, the other image is a stack of one",
    "CLIENT-006:a_training_leaves_a_model_and_nothing_else_behind", "CLIENT-020:the_other_library_takes_all_of_its_settings",
    "CLIENT-021:the_other_library_trains", "CLIENT-022:a_checkpoint_gives_back_what_was_stated",
    "CLIENT-023:the_other_object_lies_around_the_scan", files=("test_client_torch",), plant=there_is_more_than_was_asked_for)
twin("TWIN-CLIENT-OTHER-SEED-AND-WORDS",
    "weights and groups begin with another seed, a refusal has other words and names the value",
    "CLIENT-024:the_same_once_more_is_the_same_image",
    "CLIENT-025:bounds_choose_what_is_trained_on[x]", "CLIENT-026:the_best_checkpoint_is_that_of_the_best_epoch",
    files=("test_client_torch",), plant=it_begins_elsewhere_and_speaks_otherwise)
twin("TWIN-CLIENT-OF-SINGLE-PATTERNS", "the other library has no groups of several patterns and says so",
    "CLIENT-024:a_setting_of_the_other_acts_or_is_refused[client_data_config-n_subsample]",
    "CLIENT-024:a_setting_of_the_other_acts_or_is_refused[client_data_config-K]",
    "CLIENT-024:a_setting_of_the_other_acts_or_is_refused[client_model_config-object_big]", files=("test_client_torch",),
    plant=lambda p: p.source(f"{OTHER}/samples.py", "    if not data.C == side**2:\n",
        "    if side > 1:\n        raise ContractError(field='grid_size', expected='(1, 1)', found=repr(data.grid_size))\n"
        "    if not data.C == side**2:\n"))
twin("TWIN-CLIENT-RESULTS-OF-ITS-OWN", "results of a training are an object with attributes",
    "CLIENT-006:a_training_leaves_a_model_and_nothing_else_behind", "CLIENT-010:known_patches_give_the_object_back",
    "CLIENT-030:images_are_kept_as_they_were_given", files=("test_client",),
    plant=every(source(f"{NAMES}/workflows/components.py", "        return None, None, results\n",
            "        from types import SimpleNamespace\n\n        return None, None, SimpleNamespace(**results)\n"),
        source(f"{NAMES}/workflows/components.py", 'Path(output_prefix), results["history"]',
            "Path(output_prefix), results.history")))
