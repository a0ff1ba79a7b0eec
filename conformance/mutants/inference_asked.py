"""Defects of images under flips and in groups, of what a container is scaled by, of places that are none."""

from __future__ import annotations

import importlib
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from conformance.defects.changes import Change, constant, function, instead, method, result
from conformance.mutants import rows
from reference_impl import inference
from reference_impl.engine.reconstruct import solve_record
from reference_impl.errors import ContractError
from reference_impl.evaluate import figures
from reference_impl.evaluate.rings import Rings
from reference_impl.grouping.arrays import normalisation
from reference_impl.inference.predict import _batch_size
from reference_impl.inference.reassemble import _oriented

agreement, predict, routes, shards, stitching = (
    importlib.import_module(f"reference_impl.inference.{name}") for name in ("agreement", "predict", "routes", "shards", "stitch")
)
RECONSTRUCT = inference.reassemble_cdi_image_torch
TURNED, FINITE = "INFER-004:two_flips_and_a_turn_keep_every_pixel_value", "INFER-007:offsets_that_are_not_finite_are_refused"


def who_made_it_is_lost(found: Any) -> Any:
    amplitude, phase, results = found
    return amplitude, phase, {name: value for name, value in results.items() if name != "backend"}


def where_they_last_agree(self: Rings, threshold: Any) -> float:
    above = np.flatnonzero(self.correlation >= threshold)
    return float(self.frequency[above[-1]]) if above.size else float(self.frequency[0])


def turns_are_not_taken_off(found: Any) -> Any:
    told, pair = found
    image, truth = (np.angle(part[pair.common]) for part in (pair.image, pair.truth))
    return replace(told, mae_phase=float(np.mean(np.abs(image - truth)))), pair


def turned_in_double(original: Any, patches: Any, offsets: Any, x: bool, y: bool, turn: bool) -> Any:
    patches, offsets = original(patches, offsets, x, y, turn)
    return (patches.astype(np.complex128) if turn else patches), offsets


def flipped_in_single(original: Any, patches: Any, offsets: Any, x: bool, y: bool, turn: bool) -> Any:
    patches, offsets = original(patches, offsets, x, y, turn)
    return patches, (offsets.astype(np.float32) if x or y else offsets)


def stitched_after(change: Any) -> Change:
    """Patches are stitched at places that were changed before."""

    def stitch(original: Any, patches: Any, offsets: Any, M: int = 20, *frame: Any) -> Any:
        return original(patches, change(patches, torch.as_tensor(offsets).clone()), M, *frame)

    return function(inference.stitch, stitch)


def minus_infinity_is_zero(patches: Any, offsets: torch.Tensor) -> torch.Tensor:
    return torch.where(offsets == -torch.inf, 0.0, offsets)


def y_alone_is_looked_at(patches: Any, offsets: torch.Tensor) -> torch.Tensor:
    offsets[..., 0].nan_to_num_(0.0, 0.0, 0.0)
    return offsets


def the_trainings_probe(found: Any) -> Any:
    amplitude, phase, results = found
    probe = getattr(results.get("train_container"), "probe", None)
    seen = results["test_container"]
    return amplitude, phase, {**results, "test_container": seen if probe is None else replace(seen, probe=probe)}


def each_device_has_a_batch(original: Any, work: Any, items: Any, shards: int) -> Any:
    if shards > len(items):
        raise ContractError(field="devices", expected=f"at most {len(items)}, a batch for each", found=str(shards))
    yield from original(work, items, shards)


def looked_at_in_the_end(
    original: Any, *given: Any, patch_weighting: str = "count", varpro_scaling: str = "none", **options: Any
) -> Any:
    asked = {"patch_weighting": patch_weighting, "varpro_scaling": varpro_scaling}
    found = original(*given, **{name: way for name, way in asked.items() if way != "sideways"}, **options)
    routes.check_routes(patch_weighting, varpro_scaling)
    return found


def aside_where_both_are_odd(original: Any, offsets: Any, N: int, M: int) -> Any:
    found = original(offsets, N, M)
    return replace(found, origin=tuple(value - N % 2 * M % 2 for value in found.origin))


def weighed_aside_where_both_are_odd(original: Any, patches: Any, offsets: Any, M: int, *rest: Any) -> Any:
    found = original(patches, offsets, M, *rest)
    return {**found, "origin": tuple(value - patches.shape[1] % 2 * M % 2 for value in found["origin"])}


def members_in_another_order(original: Any, patches: Any, container: Any, config: Any) -> Any:
    groups = patches.reshape(-1, config.model.gridsize**2, *patches.shape[1:])
    _, (s1, s2) = original(np.ascontiguousarray(groups[:, ::-1]).reshape(patches.shape), container, config)
    return (s1 * patches.real + 1j * s2 * patches.imag).astype(np.complex64), (s1, s2)


def the_records_probe_is_refined(original: Any, record: Any, settings: Any, *rest: Any, **options: Any) -> Any:
    found = original(record, settings, *rest, **options)
    if settings.refine_probe:
        np.copyto(record.probeGuess, found.probe.reshape(record.probeGuess.shape))
    return found


mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
mutant("GUARD-INFER-003e", "who made a training is lost in its reconstruction",
    "INFER-003:a_reconstruction_holds_patches_offsets_and_pictures[g2]", plant=function(RECONSTRUCT, result(who_made_it_is_lost)))
mutant("GUARD-INFER-004c", "turned patches are in double precision", TURNED, plant=function(_oriented, turned_in_double))
mutant("GUARD-INFER-004d", "places of a flipped scan are in single precision", TURNED,
    plant=function(_oriented, flipped_in_single))
mutant("GUARD-INFER-007d", "places beyond the patches are left out", "INFER-007:offsets_and_patches_must_be_as_many",
    plant=stitched_after(lambda patches, offsets: offsets[: len(patches)]))
mutant("GUARD-INFER-007e", "minus infinity is a place", f"{FINITE}[minus-inf]", plant=stitched_after(minus_infinity_is_zero))
mutant("GUARD-INFER-007f", "whether a place is one is asked of y alone", FINITE, plant=stitched_after(y_alone_is_looked_at))
mutant("GUARD-INFER-009g", "the light of a scan has a least value", "INFER-009:raw_amplitudes_of_a_container_are_scaled",
    plant=constant(predict, "normalisation", lambda energy, N: normalisation(max(energy, 1.0), N)))
mutant("GUARD-INFER-010b", "the probe of a reconstruction is the training's", "INFER-010:the_probe_is_the_records",
    plant=function(RECONSTRUCT, result(the_trainings_probe)))
mutant("GUARD-INFER-012c", "a batch of an inference is of so many patterns, not groups",
    "INFER-012:the_network_sees_batches_of_the_size_asked_for[5-g2]",
    plant=function(_batch_size,
        lambda original, config, execution: max(1, original(config, execution) // config.model.gridsize**2)))
mutant("GUARD-INFER-012d", "an inference has a size of its own where nobody states one",
    "INFER-012:where_nobody_states_a_size_it_is_the_default_of_a_training", plant=constant(predict, "DEFAULT_BATCH_SIZE", 64))
mutant("GUARD-INFER-018n", "an unknown way is refused when all is done", "INFER-018:an_unknown_way_is_refused",
    plant=function(RECONSTRUCT, looked_at_in_the_end))
mutant("GUARD-INFER-036c", "the record's probe is what was refined", "INFER-036:an_engine_leaves_the_record_alone",
    plant=function(solve_record, the_records_probe_is_refined))
mutant("GUARD-INFER-045c", "more devices than batches are refused", "INFER-045:several_devices_give_the_image_of_one[idle]",
    plant=function(shards.side_by_side, each_device_has_a_batch))
mutant("GUARD-INFER-055f", "what shows little is not compared", "INFER-055:place_and_gauge_are_taken_out_and_told",
    plant=constant(figures, "SMALLEST", 40))
mutant("GUARD-INFER-051f", "phases are agreed by pixels without light too", "INFER-051:phases_are_agreed_over_the_overlaps[dark]",
    plant=function(agreement.phases, lambda original, patches, offsets, M, light=None: original(patches, offsets, M)))
mutant("GUARD-INFER-055h", "phases on both sides of half a turn are a turn apart",
    "INFER-055:what_differs_is_told_beside_the_reference[1.0]",
    plant=function(figures.compare, result(turns_are_not_taken_off)))
mutant("GUARD-INFER-055g", "rings tell where objects last agree", "INFER-055:rings_tell_to_which_detail_objects_agree",
    plant=method(Rings, "_crossing", instead(where_they_last_agree)))
mutant("GUARD-INFER-018o", "factors of groups are fitted to their patterns in another order",
    "INFER-018:every_way_is_taken_at_once",
    plant=function(routes.rescaled, members_in_another_order))
mutant("GUARD-INFER-020l", "of odd patches under an odd window a weighted canvas lies a pixel aside",
    "INFER-020:the_canvas_says_where_it_lies[both-odd]",
    plant=function(inference.stitch_weighted, weighed_aside_where_both_are_odd))
mutant("GUARD-INFER-052d", "of odd patches under an odd window the origin lies a pixel aside",
    "INFER-052:a_canvas_says_where_its_pixels_lie",
    plant=function(stitching.canvas_frame, aside_where_both_are_odd))
