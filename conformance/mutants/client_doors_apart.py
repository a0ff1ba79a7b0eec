"""Defects of one of the client's doors: patches turned on their way, positions between pixels, bounds."""

from __future__ import annotations

from conformance.defects.changes import source
from conformance.mutants import rows
from conformance.mutants.client import NAMES, OTHER

PREDICTED = "return predict_patches(self.module, fields, self.config, PyTorchExecutionConfig(channels_last=True))"
FOUND = PREDICTED.replace("return", "found =")
STITCHED = "return on_object(agreed(patches, offsets, M, weights), offsets, M, data_loader.shape, weights)"
SAME_MODEL = "CLIENT-037:the_client_predicts_what_the_bundle_does"

mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
mutant("GUARD-CLIENT-008c", "a scan of fewer exposures than neighbours is refused", "CLIENT-008:every_exposure_has_its_group",
    plant=source(f"{NAMES}/raw_data.py", "        side = registry.get(", lambda one: "        if len(self) <= K:\n"
        f'            raise ValueError(f"K: expected fewer than {{len(self)}} neighbours, found {{K}}")\n{one}'))
mutant("GUARD-CLIENT-009c", "patches of groups of four come channel by channel", "CLIENT-009:patches_come_group_by_group",
    plant=source(f"{NAMES}/model_manager.py", PREDICTED,
        f"{FOUND}\n        return found.reshape(len(fields.X), -1, *found.shape[1:]).swapaxes(0, 1).reshape(found.shape)"))
mutant("GUARD-CLIENT-010f", "patches lie at whole pixels", "CLIENT-010:patches_between_pixels_give_the_slope_back",
    plant=source("drop_in/canvas.py", "given = torch.from_numpy(patches), torch.from_numpy(np.array(offsets, np.float64)), M",
        "given = torch.from_numpy(patches), torch.from_numpy(np.rint(np.array(offsets, np.float64))), M"))
mutant("GUARD-CLIENT-011d", "fewer positions than patterns in memory are many lines",
    "CLIENT-011:errors_are_one_line_that_names_what_is_wrong",
    plant=source(f"{NAMES}/raw_data.py", "        return super().from_coords_without_pc(",
        lambda one: f'        if len(xcoords) != len(diff3d):\n            raise ValueError("xcoords: as\\nmany")\n{one}'))
mutant("GUARD-CLIENT-021d", "the other library leaves a folder wherever the client was started",
    "CLIENT-021:the_other_library_trains",
    plant=source(f"{OTHER}/api/base_api.py", "        data = self._data\n",
        lambda one: f'{one}        Path("lightning_logs").mkdir(exist_ok=True)\n'))
mutant("GUARD-CLIENT-023c", "the other object is taken to begin half a patch before the scan",
    "CLIENT-023:the_other_object_lies_around_the_scan",
    plant=source(f"{OTHER}/samples.py", "np.rint(axis.min() + axis.max())", "np.rint(axis.max() + data.N // 2)"))
mutant("GUARD-CLIENT-023d", "the other image is upside down", "CLIENT-023:the_other_object_lies_around_the_scan",
    plant=source(f"{OTHER}/api/base_api.py", STITCHED, f"{STITCHED}[::-1]"))
mutant("GUARD-CLIENT-025c", "bounds are fractions of the largest coordinate", "CLIENT-025:bounds_choose_what_is_trained_on",
    plant=source(f"{OTHER}/samples.py", "away, reach = values - values.min(), np.ptp(values)",
        "away, reach = values, values.max()"))
mutant("GUARD-CLIENT-025d", "of bounds the upper one alone is looked at", "CLIENT-025:bounds_choose_what_is_trained_on",
    plant=source(f"{OTHER}/samples.py", "(away >= low * reach) & (away", "(away"))
mutant("GUARD-CLIENT-037", "predicted patches are transposed", SAME_MODEL,
    plant=source(f"{NAMES}/model_manager.py", PREDICTED, f"{FOUND}\n        return np.ascontiguousarray(found.swapaxes(1, 2))"))
mutant("GUARD-CLIENT-037b", "predicted patches are conjugated", SAME_MODEL,
    plant=source(f"{NAMES}/model_manager.py", PREDICTED, f"{FOUND}\n        return found.conj()"))
