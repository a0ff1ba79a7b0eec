"""Defects that show at the second call of a process, at other values, and through the other door of the client."""

from __future__ import annotations

from conformance.defects.changes import every, source
from conformance.mutants import rows
from conformance.mutants.client import NAMES, OTHER

mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
mutant("GUARD-CLIENT-036", "all opened models predict with the one that was opened last",
    "CLIENT-036:calls_of_a_process_do_not_meet", plant=every(
    source(f"{NAMES}/model_manager.py", "return predict_patches(self.module,", "return predict_patches(opened or self.module,"),
    source(f"{NAMES}/model_manager.py", "latest: Trained | None = None\n", "latest: Trained | None = None\nopened = None\n"),
    source(f"{NAMES}/workflows/components.py", "    return model_manager.Model(",
        '    model_manager.opened = models["diffraction_to_obj"]\n    return model_manager.Model(')))
mutant("GUARD-CLIENT-036b", "the scale of the bundle that was opened first stays in force",
    "CLIENT-036:calls_of_a_process_do_not_meet",
    plant=source(f"{NAMES}/workflows/components.py", "    models, params = model_manager.load(bundle_dir)\n",
        lambda one: '    from ptycho.params import cfg\n\n    before = {k: v for k, v in cfg.items() if k == "intensity_scale"}\n'
        f"{one}    cfg.update(before)\n"))
mutant("GUARD-CLIENT-036c", "the picture of a scan is that of the scan before", "CLIENT-036:an_engine_serves_again", plant=every(
    source(f"{OTHER}/api/base_api.py", "        container, inference = data_loader.container,",
        lambda one: f'        if hasattr(self, "image"):\n            return self.image\n{one}'),
    source(f"{OTHER}/api/base_api.py", "        return on_object(agreed(patches, offsets, M, weights),",
        lambda one: one.replace("return ", "self.image = ")),
    source(f"{OTHER}/api/base_api.py", "offsets, M, data_loader.shape, weights)",
        lambda one: f"{one}\n        return self.image")))
mutant("GUARD-CLIENT-002d", "the patch side of the first data stays in the registry",
    "CLIENT-002:each_setting_of_the_client_is_in_the_registry",
    plant=source(f"{NAMES}/config/config.py", "    registry.update_legacy_dict(dictionary, flat)",
        lambda one: f'    side = getattr(update_legacy_dict, "side", flat.N if flat is config else flat.model.N)\n{one}\n'
        '    update_legacy_dict.side = dictionary["N"] = side'))
mutant("GUARD-CLIENT-004c", "bright pixels of counts in memory overflow at 16 bits", "CLIENT-004:counts_of_every_form_are_counts",
    plant=source("drop_in/records.py", 'return amplitudes(patterns, "counts")',
        'return amplitudes(patterns.astype(np.uint16), "counts")'))
mutant("GUARD-CLIENT-008b", "x and y of an exported file are exchanged", "CLIENT-008:every_exposure_has_its_group",
    plant=source(f"{NAMES}/raw_data.py", "return super().from_file(path, records.measurement_of(path))",
        lambda one: f"{one.replace('return', 'made =')}\n        made.xcoords, made.ycoords = made.ycoords, made.xcoords\n"
        "        return made"))
mutant("GUARD-CLIENT-009b", "the patches of the last, incomplete batch are lost",
    "CLIENT-009:a_prediction_is_a_patch_for_each_position",
    plant=source(f"{NAMES}/model_manager.py",
        "return predict_patches(self.module, fields, self.config, PyTorchExecutionConfig(channels_last=True))",
        lambda one: f"{one.replace('return', 'found =')}\n        return found[: max(64, len(found) // 64 * 64)]"))
mutant("GUARD-CLIENT-013b", "a configuration keeps the number of groups of the scan that it was used for first",
    "CLIENT-013:a_configuration_that_was_used_trains_on_all",
    plant=source(f"{NAMES}/config/config.py", "    groups = exposures if config.n_groups is None else config.n_groups\n",
        "    groups = config.n_groups = exposures if config.n_groups is None else config.n_groups\n"))
mutant("GUARD-CLIENT-014c", "the seed 0 counts as none", "CLIENT-014:groups_are_as_they_are_asked_for",
    plant=source(f"{NAMES}/raw_data.py", "gridsize=side, seed=seed,", "gridsize=side, seed=seed or None,"))
mutant("GUARD-CLIENT-014d", "for groups of four the positions are [y, x]", "CLIENT-014:groups_are_as_they_are_asked_for",
    plant=source(f"{NAMES}/loader.py", "Offsets.on(absolute_offsets(container),",
        "Offsets.on(absolute_offsets(container)[..., :: 1 if container.X.shape[-1] == 1 else -1],"))
mutant("GUARD-CLIENT-015c", "an odd number of central pixels is one less",
    "CLIENT-015:as_much_of_each_patch_is_placed_as_is_asked_for",
    plant=source(f"{NAMES}/tf_helper.py", "    obj_tensor = agreed(", lambda one: f"    M = M // 2 * 2\n{one}"))
mutant("GUARD-CLIENT-021c", "of several callbacks the first alone is called", "CLIENT-021:the_other_library_trains",
    plant=source(f"{OTHER}/api/base_api.py", "self._trainer.callbacks)", "self._trainer.callbacks[:1])"))
mutant("GUARD-CLIENT-026b", "of the trainings of a day the first one's checkpoint is kept",
    "CLIENT-026:the_best_checkpoint_is_that_of_the_best_epoch",
    plant=source(f"{OTHER}/api/base_api.py", "%Y%m%dT%H%M%S.%fZ", "%Y%m%d"))
mutant("GUARD-CLIENT-030c", "the table of losses goes on below that of the training before",
    "CLIENT-030:losses_are_kept_as_they_were", plant=every(
    source(f"{NAMES}/workflows/components.py", '            table.writerow(["epoch", *curves])\n',
        lambda one: '            before = folder / "losses.csv"\n'
        '            stream.write(before.read_text() if before.is_file() else "")\n'
        f"            if not before.is_file():\n    {one}")))
mutant("GUARD-CLIENT-030d", "amplitudes above 1 are cut off where they are kept", "CLIENT-030:images_are_kept_as_they_were_given",
    plant=source(f"{NAMES}/workflows/components.py", '{"amplitude": amplitude,', '{"amplitude": np.clip(amplitude, 0, 1),'))
mutant("GUARD-CLIENT-003b", "the probe of an exported file is conjugated", "CLIENT-003:an_exported_file_is_read",
    plant=source(f"{NAMES}/raw_data.py", "return super().from_file(path, records.measurement_of(path))",
        lambda one: f"{one.replace('return', 'made =')}\n        made.probeGuess = made.probeGuess.conj()\n        return made"))
mutant("GUARD-CLIENT-006e", "a training that could not begin takes the model before it away",
    "CLIENT-006:a_training_leaves_a_model_and_nothing_else_behind",
    plant=source(f"{NAMES}/workflows/components.py", "    execution = PyTorchExecutionConfig(\n",
        lambda one: f"    model_manager.latest = None\n{one}"))
mutant("GUARD-CLIENT-011b", "a file without a probe is many lines in the other library",
    "CLIENT-011:errors_of_the_other_are_one_line",
    plant=source(f"{OTHER}/samples.py", "    record = RawData.from_file(train)\n",
        "    try:\n        record = RawData.from_file(train)\n    except ContractError as error:\n"
        '        raise ContractError(expected="a file of the client", found=f"another one:\\n{error}") from error\n'))
mutant("GUARD-CLIENT-011c", "a checkpoint that is cut off is a message of the zip library",
    "CLIENT-011:errors_of_the_other_are_one_line",
    plant=source(f"{OTHER}/api/base_api.py", '        kept = read_checkpoint(path)["hyper_parameters"]\n',
        '        kept = torch.load(path, weights_only=True)["hyper_parameters"]\n'))
mutant("GUARD-CLIENT-036d", "a prediction becomes the next one", "CLIENT-036:calls_of_a_process_do_not_meet", plant=every(
    source(f"{NAMES}/model_manager.py",
        "return predict_patches(self.module, fields, self.config, PyTorchExecutionConfig(channels_last=True))",
        lambda one: f"{one.replace('return', 'found =')}\n        if shared and shared[0].shape == found.shape:\n"
        "            shared[0][:] = found\n        else:\n            shared[:] = [found]\n        return shared[0]"),
    source(f"{NAMES}/model_manager.py", "latest: Trained | None = None\n", "shared: list = []\nlatest: Trained | None = None\n")))
mutant("GUARD-CLIENT-036e", "the client's patches are turned where they lie", "CLIENT-036:calls_of_a_process_do_not_meet",
    plant=source(f"{NAMES}/tf_helper.py", "    obj_tensor = agreed(",
        lambda one: f"    obj_tensor *= np.exp(-1j * np.angle(np.mean(obj_tensor)))\n{one}"))
mutant("GUARD-CLIENT-036f", "a model that cannot be opened leaves its scale", "CLIENT-036:what_is_refused_leaves_no_trace",
    plant=source(f"{NAMES}/model_manager.py", "    if (Path(folder) / ARCHIVE_NAME).is_file() or",
        lambda one: f'    from ptycho.params import cfg\n\n    cfg["intensity_scale"] = 1.0\n{one}'))
mutant("GUARD-CLIENT-036g", "the client's positions are moved where they lie", "CLIENT-036:an_engine_serves_again",
    plant=source(f"{OTHER}/samples.py", "    y, x = np.asarray(positions, np.float64).T\n",
        lambda one: f"    positions += 0.5\n{one}"))
mutant("GUARD-CLIENT-036h", "a model that took another one's place in its folder is not opened",
    "CLIENT-036:calls_of_a_process_do_not_meet", plant=every(
    source(f"{NAMES}/workflows/components.py", "def load_inference_bundle(",
        lambda one: f"_opened: dict[str, Any] = {{}}\n\n\n{one}"),
    source(f"{NAMES}/workflows/components.py", "    models, params = model_manager.load(bundle_dir)\n",
        lambda one: f"{one}    models = _opened.setdefault(str(bundle_dir), models)\n")))
mutant("GUARD-CLIENT-036i", "patches that are turned are the client's own", "CLIENT-036:calls_of_a_process_do_not_meet",
    plant=source(f"{NAMES}/tf_helper.py", "    obj_tensor = agreed(np.asarray(obj_tensor), np.array(global_offsets), M)\n",
        "    obj_tensor[...] = agreed(np.asarray(obj_tensor), np.array(global_offsets), M)\n"))
