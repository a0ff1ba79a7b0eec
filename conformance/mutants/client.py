"""Defects of what the client imports, planted into the packages that its processes find."""

from __future__ import annotations

from conformance.defects.changes import every, source
from conformance.defects.planting import Plant
from conformance.mutants import rows

NAMES, OTHER = "drop_in/path/ptycho", "drop_in/path/ptycho_torch"


def the_root_is_taken_in_the_record_as_well(plant: Plant) -> None:
    one = "        return super().from_file(path, records.measurement_of(path))\n"
    two = (
        "        record = super().from_file(path, records.measurement_of(path))\n        record.diff3d = np.sqrt(record.diff3d)\n"
    )
    plant.source(f"{NAMES}/raw_data.py", one, f"{two}        return record\n")


def the_mask_is_applied(plant: Plant) -> None:
    one = "        return super().from_file(path, records.measurement_of(path))\n"
    two = "        record = super().from_file(path, records.measurement_of(path))\n"
    two += '        record.diff3d = record.diff3d * ~np.load(path)["bad_pixels"]\n        return record\n'
    plant.source(f"{NAMES}/raw_data.py", one, two)


mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
mutant("GUARD-CLIENT-001", "save_outputs has another name", "CLIENT-001:the_package_is_found_with_every_name",
    plant=source(f"{NAMES}/workflows/components.py", "def save_outputs(", "def save_results("))
mutant("GUARD-CLIENT-001b", "Trainer has another name", "CLIENT-001:the_other_package_is_found_with_every_name",
    plant=source(f"{OTHER}/api/base_api.py", "class Trainer:", "Trainers: dict = {}\n\n\nclass PtychoTrainer:"))
mutant("GUARD-CLIENT-002", "every training of the client ends where it sets N",
    "CLIENT-002:a_configuration_learns_its_side_from_the_data",
    plant=source(f"{NAMES}/config/config.py", "    __setattr__ = object.__setattr__\n", ""))
mutant("GUARD-CLIENT-002b", "the client's parent loads torch, and with it the GPU",
    "CLIENT-002:a_configuration_learns_its_side_from_the_data",
    plant=source(f"{NAMES}/config/config.py", "from typing import Any\n",
        "from typing import Any\n\nimport torch  # noqa: F401\n"))
mutant("GUARD-CLIENT-003", "a probe with a mode axis is refused", "CLIENT-003:an_exported_file_is_read",
    plant=source("data/checks.py", "    if array.ndim not in (2, 3) or array.shape[-1] != array.shape[-2]",
        "    if array.ndim != 2"))
mutant("GUARD-CLIENT-004", "the model is trained on roots and meets counts", "CLIENT-004:counts_become_amplitudes_once",
    plant=source("drop_in/records.py", 'return amplitudes(patterns, "counts")', 'return amplitudes(patterns, "amplitude")'))
mutant("GUARD-CLIENT-004b", "the model is trained on roots of roots", "CLIENT-004:counts_become_amplitudes_once",
    plant=the_root_is_taken_in_the_record_as_well)
mutant("GUARD-CLIENT-005", "pixels that the client repaired are dark again", "CLIENT-005:filled_pixels_keep_their_values",
    plant=the_mask_is_applied)
mutant("GUARD-CLIENT-006", "checkpoints and logs lie in whatever folder the client was started in",
    "CLIENT-006:a_training_leaves_a_model_and_nothing_else_behind",
    plant=source(f"{NAMES}/workflows/components.py", "replace(own, output_dir=Path(folder)), execution", "own, None"))
mutant("GUARD-CLIENT-006b", "the client looks for a model in the folder and finds it beside it",
    "CLIENT-006:a_training_leaves_a_model_and_nothing_else_behind",
    plant=source(f"{NAMES}/model_manager.py", 'base = Path(out_prefix) / ARCHIVE_NAME.removesuffix(".zip")',
        "base = Path(out_prefix).with_suffix('.h5')"))
mutant("GUARD-CLIENT-007", "a model that was saved under a name cannot be opened",
    "CLIENT-007:a_model_opens_as_saved_and_as_unpacked",
    plant=source(f"{NAMES}/model_manager.py", " or not (Path(folder) / MANIFEST).is_file():", " or True:"))
mutant("GUARD-CLIENT-007b", "every reconstruction stops for want of a scale", "CLIENT-007:a_model_opens_as_saved_and_as_unpacked",
    plant=source("bundle/archive.py", 'if not key.startswith("_")})', 'if not key.startswith(("_", "intensity_scale"))})'))
mutant("GUARD-CLIENT-008", "a whole scan is reconstructed from one pattern", "CLIENT-008:every_exposure_has_its_group",
    plant=source(f"{NAMES}/raw_data.py", "nsamples=rounds * len(self)", "nsamples=nsamples"))
mutant("GUARD-CLIENT-009", "the product has an amplitude and no phase", "CLIENT-009:a_prediction_is_a_patch_for_each_position",
    plant=source(f"{NAMES}/model_manager.py",
        "return predict_patches(self.module, fields, self.config, PyTorchExecutionConfig(channels_last=True))",
        lambda one: one.replace("return ", "return abs(") + ")"))
mutant("GUARD-CLIENT-010", "the object is right and lies at the wrong place", "CLIENT-010:known_patches_give_the_object_back",
    plant=source(f"{NAMES}/tf_helper.py", "    if shape is not None:", "    if shape is not None and not len(shape):"))
mutant("GUARD-CLIENT-010c", "positions on an object that is wider than high are held against its height",
    "CLIENT-010:known_patches_give_the_object_back",
    plant=source("drop_in/canvas.py", "(places <= (width - 1, height - 1))", "(places <= (height - 1, width - 1))"))
mutant("GUARD-CLIENT-010b", "the object lies one pixel off", "CLIENT-010:known_patches_give_the_object_back",
    plant=source("drop_in/canvas.py", "return canvas[M : M + height, M : M + width].numpy()",
        "return canvas[M + 1 : M + 1 + height, M : M + width].numpy()"))
mutant("GUARD-CLIENT-011", "a broken model is a message of the zip library",
    "CLIENT-011:errors_are_one_line_that_names_what_is_wrong",
    plant=source(f"{NAMES}/model_manager.py", "    if (Path(folder) / ARCHIVE_NAME).is_file() or",
        lambda one: f"    _ = [ZipFile(path).namelist() for path in Path(folder).glob('*.zip')]\n{one}"))
mutant("GUARD-CLIENT-020", "every training of the other library ends at a field that nobody knows",
    "CLIENT-020:the_other_library_takes_all_of_its_settings",
    plant=every(source(f"{OTHER}/config_params.py", "    edge_pad: int = 10\n", "    edge_padding: int = 10\n"),
        source(f"{OTHER}/settings.py", '    "edge_pad cbam_decoder', '    "edge_padding cbam_decoder')))
mutant("GUARD-CLIENT-021", "the client shows no progress and no losses", "CLIENT-021:the_other_library_trains",
    plant=source(f"{OTHER}/api/base_api.py", "Run(config, sides.execution), self._trainer.callbacks)",
        "Run(config, sides.execution))"))
mutant("GUARD-CLIENT-021b", "a training of an hour leaves nothing that can be opened", "CLIENT-021:the_other_library_trains",
    plant=source(f"{OTHER}/lightning_utils.py", 'Path(run_dir) / "checkpoints"', 'Path(run_dir).parent / "checkpoints"'))
mutant("GUARD-CLIENT-022", "every reconstruction is made with default settings",
    "CLIENT-022:a_checkpoint_gives_back_what_was_stated",
    plant=source(f"{OTHER}/model.py", "{name: plain(config) for name, config in own.items()}",
        "{name: plain(type(config)()) for name, config in own.items()}"))
mutant("GUARD-CLIENT-023", "the object is turned over", "CLIENT-023:the_other_object_lies_around_the_scan",
    plant=source(f"{OTHER}/samples.py", "    y, x = np.asarray(positions, np.float64).T",
        "    x, y = np.asarray(positions, np.float64).T"))
mutant("GUARD-CLIENT-023b", "the object is shifted", "CLIENT-023:the_other_object_lies_around_the_scan",
    plant=source(f"{OTHER}/samples.py", "int(np.rint(axis.min() + axis.max())) + 1", "int(np.rint(axis.max())) + 1"))
mutant("GUARD-CLIENT-035", "an object is a pixel smaller where its positions add up to a hair less than a whole number",
    "CLIENT-035:a_hair_moves_no_object",
    plant=source(f"{OTHER}/samples.py", "int(np.rint(axis.min() + axis.max())) + 1", "int(axis.min() + axis.max()) + 1"))
mutant("GUARD-CLIENT-035b", "patches lie on the whole pixel below their position", "CLIENT-035:a_hair_moves_no_object",
    plant=source("drop_in/canvas.py", "    given = torch.from_numpy(patches), torch.from_numpy(np.array(offsets, np.float64)), M",
        "    given = torch.from_numpy(patches), torch.from_numpy(np.floor(np.array(offsets, np.float64))), M"))
mutant("GUARD-CLIENT-010d", "a scan up to the edge of the object cannot be reconstructed",
    "CLIENT-010:known_patches_reach_the_first_and_the_last_pixel",
    plant=source("drop_in/canvas.py", "(places <= (width - 1, height - 1))", "(places < (width - 1, height - 1))"))
mutant("GUARD-CLIENT-012", "the weight of the absolute error is lost on the way",
    "CLIENT-012:a_setting_acts_or_is_refused[client_training-mae_weight]",
    plant=source(f"{NAMES}/config/config.py", "    groups = exposures if", lambda one: f'    values["mae_weight"] = 0.0\n{one}'))
mutant("GUARD-CLIENT-012b", "two trainings of one scan have two models", "CLIENT-012:the_same_once_more_is_the_same_model",
    plant=source(f"{NAMES}/workflows/components.py", "    own = settled(config, len(train_data))\n",
        lambda one: f"{one}    own = replace(own, subsample_seed=int.from_bytes(__import__('os').urandom(3), 'big'))\n"))
mutant("GUARD-CLIENT-013", "as many groups are trained on as the test data have exposures",
    "CLIENT-013:every_exposure_is_trained_on",
    plant=source(f"{NAMES}/workflows/components.py", "settled(config, len(train_data))",
        "settled(config, len(train_data if test_data is None else test_data))"))
mutant("GUARD-CLIENT-014", "two trainings with one seed see other groups", "CLIENT-014:groups_are_as_they_are_asked_for",
    plant=source(f"{NAMES}/raw_data.py", "gridsize=side, seed=seed,", "gridsize=side,"))
mutant("GUARD-CLIENT-014b", "a training of ten samples an exposure has one", "CLIENT-014:groups_are_as_they_are_asked_for",
    plant=source(f"{NAMES}/raw_data.py", "rounds = nsamples if side > 1 else 1", "rounds = 1"))
mutant("GUARD-CLIENT-024", "patches always count by the probe", "CLIENT-024:a_setting_of_the_other_acts_or_is_refused"
    "[client_inference_config-patch_weighting]",
    plant=source(f"{OTHER}/api/base_api.py", "samples.weights_of(container.probe.numpy(), inference.patch_weighting)",
        'samples.weights_of(container.probe.numpy(), "probe")'))
mutant("GUARD-CLIENT-024b", "a network is accepted that is another one", "CLIENT-024:a_setting_of_the_other_acts_or_is_refused"
    "[client_model_config-eca_encoder]",
    plant=source(f"{OTHER}/settings.py", "spatial_decoder eca_encoder offset", "spatial_decoder offset"))
mutant("GUARD-CLIENT-024c", "weights begin anywhere", "CLIENT-024:the_same_once_more_is_the_same_image",
    plant=source(f"{OTHER}/api/base_api.py", "torch.manual_seed(samples.SEED)", "torch.seed()"))
mutant("GUARD-CLIENT-024d", "groups that lie wide lose their rims",
    "CLIENT-024:a_setting_of_the_other_acts_at_its_other_values[client_data_config-max_neighbor_distance=60.0]",
    plant=source("model/forward.py", "padded_size(config.N, config.gridsize, max_neighbor_distance)",
        "padded_size(config.N, config.gridsize)"))
mutant("GUARD-CLIENT-025", "rows are cut by the bounds of columns", "CLIENT-025:bounds_choose_what_is_trained_on[y]",
    plant=source(f"{OTHER}/samples.py", "(record.ycoords, data.y_bounds)", "(record.ycoords, data.x_bounds)"))
mutant("GUARD-CLIENT-025b", "columns are cut by the bounds of rows", "CLIENT-025:bounds_choose_what_is_trained_on[x]",
    plant=source(f"{OTHER}/samples.py", "(record.xcoords, data.x_bounds)", "(record.xcoords, data.y_bounds)"))
mutant("GUARD-CLIENT-021r", "of a folder with brackets in its name no checkpoint is found", "CLIENT-021:the_other_library_trains",
    plant=source(f"{OTHER}/lightning_utils.py", "sorted(folder.glob(pattern))",
        "sorted(map(Path, __import__('glob').glob(f'{folder}/{pattern}')))"))
mutant("GUARD-CLIENT-026", "the last checkpoint passes for the best",
    "CLIENT-026:the_best_checkpoint_is_that_of_the_best_epoch",
    plant=source(f"{OTHER}/lightning_utils.py", "for pattern in (RANKED, LAST)", "for pattern in (LAST, RANKED)"))
mutant("GUARD-CLIENT-027", "a model is judged by what it was trained on", "CLIENT-027:a_second_file_is_validated_on",
    plant=source(f"{OTHER}/samples.py", "np.zeros(len(record), bool), RawData.from_file(folder / \"test_data.npz\")",
        "np.zeros(len(record), bool), record"))
