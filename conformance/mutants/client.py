"""Defects of what the client imports, planted into the packages that its processes find."""

from __future__ import annotations

from conformance.defects.planting import Plant
from conformance.mutants import mutant

NAMES, OTHER = "drop_in/path/ptycho", "drop_in/path/ptycho_torch"


@mutant("GUARD-CLIENT-001", "save_outputs has another name", "CLIENT-001:the_package_is_found_with_every_name")
def a_function_was_renamed(plant: Plant) -> None:
    plant.source(f"{NAMES}/workflows/components.py", "def save_outputs(", "def save_results(")


@mutant("GUARD-CLIENT-001b", "Trainer has another name", "CLIENT-001:the_other_package_is_found_with_every_name")
def a_class_was_renamed(plant: Plant) -> None:
    plant.source(f"{OTHER}/api/base_api.py", "class Trainer:", "Trainers: dict = {}\n\n\nclass PtychoTrainer:")


@mutant(
    "GUARD-CLIENT-002",
    "every training of the client ends where it sets N",
    "CLIENT-002:a_configuration_learns_its_side_from_the_data",
)
def the_model_configuration_is_frozen(plant: Plant) -> None:
    plant.source(f"{NAMES}/config/config.py", "    __setattr__ = object.__setattr__\n", "")


@mutant(
    "GUARD-CLIENT-002b",
    "the client's parent loads torch, and with it the GPU",
    "CLIENT-002:a_configuration_learns_its_side_from_the_data",
)
def the_configuration_imports_the_stack(plant: Plant) -> None:
    plant.source(
        f"{NAMES}/config/config.py", "from typing import Any\n", "from typing import Any\n\nimport torch  # noqa: F401\n"
    )


@mutant("GUARD-CLIENT-003", "a probe with a mode axis is refused", "CLIENT-003:an_exported_file_is_read")
def only_a_flat_probe_is_read(plant: Plant) -> None:
    plant.source(
        "data/checks.py", "    if array.ndim not in (2, 3) or array.shape[-1] != array.shape[-2]", "    if array.ndim != 2"
    )


@mutant("GUARD-CLIENT-004", "the model is trained on roots and meets counts", "CLIENT-004:counts_become_amplitudes_once")
def counts_in_memory_are_taken_for_amplitudes(plant: Plant) -> None:
    plant.source("drop_in/records.py", 'return amplitudes(patterns, "counts")', 'return amplitudes(patterns, "amplitude")')


@mutant("GUARD-CLIENT-004b", "the model is trained on roots of roots", "CLIENT-004:counts_become_amplitudes_once")
def the_root_is_taken_in_the_record_as_well(plant: Plant) -> None:
    one = "        return super().from_file(path, records.measurement_of(path))\n"
    two = (
        "        record = super().from_file(path, records.measurement_of(path))\n        record.diff3d = np.sqrt(record.diff3d)\n"
    )
    plant.source(f"{NAMES}/raw_data.py", one, f"{two}        return record\n")


@mutant("GUARD-CLIENT-005", "pixels that the client repaired are dark again", "CLIENT-005:filled_pixels_keep_their_values")
def the_mask_is_applied(plant: Plant) -> None:
    one = "        return super().from_file(path, records.measurement_of(path))\n"
    two = "        record = super().from_file(path, records.measurement_of(path))\n"
    two += '        record.diff3d = record.diff3d * ~np.load(path)["bad_pixels"]\n        return record\n'
    plant.source(f"{NAMES}/raw_data.py", one, two)


@mutant(
    "GUARD-CLIENT-006",
    "checkpoints and logs lie in whatever folder the client was started in",
    "CLIENT-006:a_training_leaves_a_model_and_nothing_else_behind",
)
def the_empty_path_is_the_output_folder(plant: Plant) -> None:
    plant.source(f"{NAMES}/workflows/components.py", "replace(own, output_dir=Path(folder)), execution", "own, None")


@mutant(
    "GUARD-CLIENT-006b",
    "the client looks for a model in the folder and finds it beside it",
    "CLIENT-006:a_training_leaves_a_model_and_nothing_else_behind",
)
def the_folder_is_taken_for_a_prefix(plant: Plant) -> None:
    path = f"{NAMES}/model_manager.py"
    plant.source(
        path, 'base = Path(out_prefix) / ARCHIVE_NAME.removesuffix(".zip")', "base = Path(out_prefix).with_suffix('.h5')"
    )


@mutant(
    "GUARD-CLIENT-007",
    "a model that was saved under a name cannot be opened",
    "CLIENT-007:a_model_opens_as_saved_and_as_unpacked",
)
def only_the_archive_is_opened(plant: Plant) -> None:
    plant.source(f"{NAMES}/model_manager.py", " or not (Path(folder) / MANIFEST).is_file():", " or True:")


@mutant(
    "GUARD-CLIENT-007b", "every reconstruction stops for want of a scale", "CLIENT-007:a_model_opens_as_saved_and_as_unpacked"
)
def the_scale_does_not_reach_the_registry(plant: Plant) -> None:
    kept = 'if not key.startswith("_")})'
    plant.source("bundle/archive.py", kept, 'if not key.startswith(("_", "intensity_scale"))})')


@mutant("GUARD-CLIENT-008", "a whole scan is reconstructed from one pattern", "CLIENT-008:every_exposure_has_its_group")
def samples_are_counted_in_all(plant: Plant) -> None:
    plant.source(f"{NAMES}/raw_data.py", "nsamples=rounds * len(self)", "nsamples=nsamples")


@mutant("GUARD-CLIENT-009", "the product has an amplitude and no phase", "CLIENT-009:a_prediction_is_a_patch_for_each_position")
def a_prediction_is_the_amplitude(plant: Plant) -> None:
    one = "return predict_patches(self.module, fields, self.config, PyTorchExecutionConfig(channels_last=True))"
    plant.source(f"{NAMES}/model_manager.py", one, one.replace("return ", "return abs(") + ")")


@mutant("GUARD-CLIENT-010", "the object is right and lies at the wrong place", "CLIENT-010:known_patches_give_the_object_back")
def the_canvas_lies_around_the_mean(plant: Plant) -> None:
    plant.source(f"{NAMES}/tf_helper.py", "    if shape is not None:", "    if shape is not None and not len(shape):")


@mutant("GUARD-CLIENT-010b", "the object lies one pixel off", "CLIENT-010:known_patches_give_the_object_back")
def the_border_is_cut_one_pixel_late(plant: Plant) -> None:
    one = "return canvas[M : M + height, M : M + width].numpy()"
    plant.source("drop_in/canvas.py", one, "return canvas[M + 1 : M + 1 + height, M : M + width].numpy()")


@mutant(
    "GUARD-CLIENT-011",
    "a broken model is a message of the zip library",
    "CLIENT-011:errors_are_one_line_that_names_what_is_wrong",
)
def a_broken_archive_is_passed_on(plant: Plant) -> None:
    one = "    if (Path(folder) / ARCHIVE_NAME).is_file() or"
    plant.source(
        f"{NAMES}/model_manager.py", one, f"    _ = [ZipFile(path).namelist() for path in Path(folder).glob('*.zip')]\n{one}"
    )


@mutant(
    "GUARD-CLIENT-020",
    "every training of the other library ends at a field that nobody knows",
    "CLIENT-020:the_other_library_takes_all_of_its_settings",
)
def a_field_was_renamed(plant: Plant) -> None:
    plant.source(f"{OTHER}/config_params.py", "    edge_pad: int = 10\n", "    edge_padding: int = 10\n")
    plant.source(f"{OTHER}/settings.py", '    "edge_pad cbam_decoder', '    "edge_padding cbam_decoder')


@mutant(
    "GUARD-CLIENT-021",
    "the client shows no progress and no losses",
    "CLIENT-021:the_other_library_trains",
)
def the_clients_callbacks_are_not_called(plant: Plant) -> None:
    plant.source(
        f"{OTHER}/api/base_api.py", "Run(config, sides.execution), self._trainer.callbacks)", "Run(config, sides.execution))"
    )


@mutant(
    "GUARD-CLIENT-021b",
    "a training of an hour leaves nothing that can be opened",
    "CLIENT-021:the_other_library_trains",
)
def checkpoints_are_looked_for_beside_the_run(plant: Plant) -> None:
    plant.source(f"{OTHER}/lightning_utils.py", 'Path(run_dir) / "checkpoints"', 'Path(run_dir).parent / "checkpoints"')


@mutant(
    "GUARD-CLIENT-022",
    "every reconstruction is made with default settings",
    "CLIENT-022:a_checkpoint_gives_back_what_was_stated",
)
def a_checkpoint_keeps_default_settings(plant: Plant) -> None:
    one = "{name: plain(config) for name, config in own.items()}"
    plant.source(f"{OTHER}/model.py", one, "{name: plain(type(config)()) for name, config in own.items()}")


@mutant("GUARD-CLIENT-023", "the object is turned over", "CLIENT-023:the_other_object_lies_around_the_scan")
def positions_are_read_as_x_y(plant: Plant) -> None:
    plant.source(
        f"{OTHER}/samples.py", "    y, x = np.asarray(positions, np.float64).T", "    x, y = np.asarray(positions, np.float64).T"
    )


@mutant("GUARD-CLIENT-023b", "the object is shifted", "CLIENT-023:the_other_object_lies_around_the_scan")
def the_object_begins_at_the_scan(plant: Plant) -> None:
    plant.source(f"{OTHER}/samples.py", "int(np.rint(axis.min() + axis.max())) + 1", "int(np.rint(axis.max())) + 1")
