"""Freedoms of weights and factors: in what order, by which method, in what memory."""

from __future__ import annotations

import numpy as np
import torch

from conformance.defects.changes import function, instead, result
from conformance.twins import rows
from reference_impl.inference import varpro, weighted
from reference_impl.physics import weighted as merging

FILES = ("test_inference_weighted",)
SLOW = ("INFER-018:factors_are_fitted_and_applied", "INFER-018:a_reconstruction_is_weighed_as_asked")


def factors_come_from_a_search(gram, right):
    g, r, (low, high) = gram.numpy(), right.numpy(), (-np.pi / 2, np.pi / 2)
    if np.min(np.diag(g)[:2]) <= 1e-24 * np.max(np.diag(g)[:2]):
        return varpro_solved(gram, right)
    for _ in range(60):
        angle = np.linspace(low, high, 33)
        f = np.stack([np.cos(angle) ** 2, np.sin(angle) ** 2, np.cos(angle) * np.sin(angle)])
        gain = np.maximum(r @ f, 0) ** 2 / np.einsum("ia,ij,ja->a", f, g, f)
        best = int(np.argmax(gain))
        low, high = angle[max(best - 1, 0)], angle[min(best + 1, 32)]
    turn = np.array([np.cos(angle[best]), np.sin(angle[best])])
    return tuple(float(part) for part in turn * np.sqrt(float((r @ f)[best]) / float(f[:, best] @ g @ f[:, best])))


varpro_solved = varpro._solved


def patches_are_stitched_backwards(original, patches, offsets, *rest, **options):
    patches, offsets = torch.as_tensor(patches), torch.as_tensor(offsets)
    found = original(patches.flip(0).contiguous(), offsets.flip(0).contiguous(), *rest, **options)
    return {**found, "image": found["image"].numpy().copy(order="F"), "seconds": 0.1}


def weights_have_another_unit(found):
    return found * 7.25


def the_origin_is_single(found):
    return {**found, "origin": tuple(float(np.float32(part)) for part in found["origin"])}


twin = rows(__name__)
# A row is a freedom: its id, what is free, the files whose checks stay green; what is planted.
# fmt: off
twin("TWIN-FACTORS-BY-SEARCH", "factors are searched for over the angle between them", *SLOW, files=FILES,
    plant=function(varpro._solved, instead(factors_come_from_a_search)))
twin("TWIN-WEIGHED-BACKWARDS", "patches are weighed in the opposite order, the image lies in columns", files=FILES,
    plant=function(weighted.stitch_weighted, patches_are_stitched_backwards))
twin("TWIN-WEIGHTS-IN-ANOTHER-UNIT", "weights have another unit", *SLOW, files=FILES,
    plant=function(merging.patch_weights, result(weights_have_another_unit)))
twin("TWIN-MERGED-AS-PLANES", "a merged canvas has no axis of one", files=FILES,
    plant=function(merging.merge_weighted, result(lambda found: found[:, 0])))
twin("TWIN-ORIGIN-IN-SINGLE", "the origin of a weighted canvas is told in single precision", files=FILES,
    plant=function(weighted.stitch_weighted, result(the_origin_is_single)))
