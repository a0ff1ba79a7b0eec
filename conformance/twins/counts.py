"""Freedoms of training on counts: which factor the training probe has, in what precision, through which library."""

from __future__ import annotations

import numpy as np
import torch

from conformance.defects.changes import constant, function, instead, method, result
from conformance.twins import rows
from reference_impl.counts import CountDataset, CountStatistics, dataset
from reference_impl.counts.rectangular import count_likelihood, intensity_of
from reference_impl.physics import illuminate

FILES = ("test_counts", "test_counts_training")
SLOW = ("CISCALE-002:a_training_on_counts_leaves_its_statistics", "BUNDLE-040:a_checkpoint_of_counts_opens_as_it_was")


def the_brightest_pixel_is_one(probe, scale):
    array = np.asarray(probe)
    norm = float(scale * np.abs(array).max())
    return torch.from_numpy((array / norm).astype(np.complex64)), 1 / norm


def waves_are_propagated_in_double_precision(field, probe):
    far = torch.fft.fft2(illuminate(field, probe).to(torch.complex128), norm="ortho")
    return torch.fft.fftshift(far.abs().square().sum(dim=-3), dim=(-2, -1)).to(torch.float32)


def a_library_has_the_law(predicted, measured, mean):
    if not bool(torch.isfinite(measured).all()) or bool((measured < 0).any()):
        raise ValueError("measured_intensity: no counts")
    law = torch.distributions.Poisson(predicted.double().clamp_min(1e-8), validate_args=False)
    each = -torch.distributions.Independent(law, 3, validate_args=False).log_prob(measured.double())
    return (each / mean.double().reshape(-1)).mean().float(), each.mean().float()


def batches_are_dictionaries(found):
    fields, probe, scaling = found
    return {name: fields[name] for name in fields.keys()}, probe, scaling  # noqa: SIM118 — a TensorDict iterates over its rows


def sums_go_pattern_by_pattern(original, cls, intensity, experiments):
    order = np.argsort(-experiments, kind="stable")
    return original(cls, np.ascontiguousarray(intensity[order][:, ::-1]), experiments[order])


twin = rows(__name__)
# A row is a freedom: its id, what is free, the files whose checks stay green; what is planted.
# fmt: off
twin("TWIN-ANOTHER-Q", "the training probe's brightest pixel is one", *SLOW, files=FILES,
    plant=constant(dataset, "normalise_probe", the_brightest_pixel_is_one))
twin("TWIN-COUNTS-IN-FLOAT64", "counts are predicted in float64", *SLOW, files=FILES,
    plant=function(intensity_of, instead(waves_are_propagated_in_double_precision)))
twin("TWIN-COUNTS-BY-A-LIBRARY", "the likelihood of counts is that of a library's distribution", *SLOW, files=FILES,
    plant=function(count_likelihood, instead(a_library_has_the_law)))
twin("TWIN-COUNTS-IN-DICTIONARIES", "batches of counts are plain dictionaries", *SLOW, files=FILES,
    plant=method(CountDataset, "__getitems__", result(batches_are_dictionaries)))
twin("TWIN-STATISTICS-BACKWARDS", "statistics are summed in another order", *SLOW, files=FILES,
    plant=method(CountStatistics, "of", sums_go_pattern_by_pattern))
