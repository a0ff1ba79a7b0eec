"""Freedoms of training on counts: which factor the training probe has, in what precision, through which library."""

from __future__ import annotations

import numpy as np
import torch

from conformance.defects.changes import answer, constant, every, function, instead, method, result
from conformance.twins import rows
from reference_impl.counts import CountDataset, CountStatistics, dataset, module, session, statistics
from reference_impl.counts.module import CountModule
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


class OneWeight(CountModule):
    """A module whose factors are the numbers of one weight."""

    s1 = property(lambda self: self.factors[0])
    s2 = property(lambda self: self.factors[1])


def the_factors_are_one_weight(original, self, *given, **options):
    original(self, *given, **options)
    trained = isinstance(self.factors, torch.nn.Parameter)
    del self.factors
    self.__class__ = OneWeight
    if trained:
        self.factors = torch.nn.Parameter(torch.ones(2))
    else:
        self.register_buffer("factors", torch.ones(2))


def statistics_are_doubles(original, self, *given, **options):
    original(self, *given, **options)
    for name in ("rms_input_scale", "mean_measured_intensity"):
        setattr(self, name, getattr(self, name).double())


def in_fewer_words(original, *given, **options):
    try:
        return original(*given, **options)
    except ValueError as error:
        raise ValueError(str(error).replace("measured_intensity", "the counts")) from error


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
twin("TWIN-FACTORS-IN-ONE-WEIGHT", "the two factors are the numbers of one weight", *SLOW, files=FILES,
    plant=every(method(CountModule, "__init__", the_factors_are_one_weight), constant(module, "SCALES", ("factors",)),
        constant(session, "SCALES", ("factors",))))
twin("TWIN-STATISTICS-IN-DOUBLES", "statistics are kept in double precision; a batch has them in single", *SLOW, files=FILES,
    plant=every(function(statistics._frozen, instead(lambda values: np.array(values, dtype=np.float64))),
        method(CountStatistics, "rows", result(lambda rows: rows.astype(np.float32))),
        method(CountModule, "__init__", statistics_are_doubles)))
twin("TWIN-FACTORS-BEGIN-AT-ONE", "where nothing is said the factors begin at one", files=FILES,
    plant=answer("count_settings", lambda original, config, **fields: original(config, **{"rect_s1s2_init": "ones", **fields})))
twin("TWIN-COUNTS-REFUSED-IN-FEWER-WORDS", "numbers that are no counts are refused without a field's name", files=FILES,
    plant=function(dataset.intensities, in_fewer_words))
