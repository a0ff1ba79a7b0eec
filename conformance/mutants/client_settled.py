"""A defect of settings that a checkpoint has and a reconstruction forgets."""

from __future__ import annotations

from conformance.defects.changes import source
from conformance.mutants import rows

mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
mutant("GUARD-CLIENT-022f", "a reconstruction forgets how much of a patch was to be placed",
    "CLIENT-022:a_reconstruction_is_by_the_settings_of_its_checkpoint",
    plant=source("drop_in/path/ptycho_torch/api/base_api.py",
        "        return cls(**{name: getattr(ptycho_model, name) for name in settings.KINDS})",
        "        kept = {name: getattr(ptycho_model, name) for name in settings.KINDS}\n"
        '        return cls(**kept | {"inference_config": InferenceConfig()})'))
CREATED = "CLIENT-006:a_training_leaves_a_model_and_nothing_else_behind"
MUCH = "CLIENT-015:as_much_of_each_patch_is_placed_as_is_asked_for"
MODES = "CLIENT-028:modes_of_a_probe_have_no_order"
mutant("GUARD-CLIENT-015", "twenty pixels of a patch are placed, whatever was asked for", MUCH,
    plant=source("drop_in/path/ptycho/tf_helper.py", "global_offsets, M, shape)", "global_offsets, 20, shape)"))
mutant("GUARD-CLIENT-015b", "the rim of a patch is not cut off on the client's object", MUCH,
    plant=source("drop_in/canvas.py", "torch.from_numpy(np.array(offsets, np.float64)), M\n",
        "torch.from_numpy(np.array(offsets, np.float64)), max(M, 20)\n"))
mutant("GUARD-CLIENT-028", "patches are weighed by the first mode of the probe", MODES,
    plant=source("drop_in/path/ptycho_torch/samples.py", "np.sum(np.abs(modes).astype(np.float64) ** 2, axis=0) if",
        "np.abs(modes[0]).astype(np.float64) ** 2 if"))
mutant("GUARD-CLIENT-028b", "modes of a probe are added as fields before they are weights", MODES,
    plant=source("drop_in/path/ptycho_torch/samples.py", "np.sum(np.abs(modes).astype(np.float64) ** 2, axis=0) if",
        "np.abs(modes[0] + 0.5j * np.sum(modes[1:], axis=0)) ** 2 if"))
PART = "CLIENT-031:what_is_held_out_teaches_nothing"
mutant("GUARD-CLIENT-031", "exposures that are held out are trained on, too", PART,
    plant=source("drop_in/path/ptycho_torch/samples.py", "kept = _part(record, inside & ~held)", "kept = _part(record, inside)"))
mutant("GUARD-CLIENT-031b", "half of what was asked for is held out", PART,
    plant=source("drop_in/path/ptycho_torch/samples.py", "np.arange(count + 1) * fraction)",
        "np.arange(count + 1) * fraction / 2)"))
mutant("GUARD-CLIENT-006d", "a model is saved where its folder's parent is there alone", CREATED,
    plant=source("drop_in/path/ptycho/model_manager.py", "    Path(out_prefix).mkdir(parents=True, exist_ok=True)\n",
        "    Path(out_prefix).mkdir(exist_ok=True)\n"))
mutant("GUARD-CLIENT-010e", "an object of an odd height lies a pixel off", "CLIENT-010:known_patches_give_the_object_back",
    plant=source("drop_in/canvas.py", "canvas[M : M + height, M : M + width].numpy()",
        "canvas[M - height % 2 : M - height % 2 + height, M : M + width].numpy()"))
mutant("GUARD-CLIENT-029c", "a model is saved with the photons and batches that the registry holds",
    "CLIENT-029:a_saved_model_states_its_training",
    plant=source("drop_in/path/ptycho/model_manager.py",
        "    save_torch_bundle(latest.models, base, latest.config, latest.intensity_scale)",
        "    from dataclasses import replace\n\n    from ptycho.params import get\n\n"
        '    own = replace(latest.config, nphotons=get("nphotons"), batch_size=get("batch_size"))\n'
        "    save_torch_bundle(latest.models, base, own, latest.intensity_scale)"))
