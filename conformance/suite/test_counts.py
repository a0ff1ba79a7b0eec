"""CISCALE-001 … CISCALE-005, PHYS-040, LOSS-020: absolute counts, from settings to a likelihood."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from conformance.connectors import native
from conformance.judging.observe import Observer
from conformance.oracles import counts as oracle
from conformance.scenes import counts
from conformance.scenes.answers import finite, number
from conformance.scenes.optics import curved_probe
from conformance.scenes.optics import field as object_patches

GRIDS = pytest.mark.parametrize("g", [1, 2], ids=["g1", "g2"])


@pytest.mark.clause("CISCALE-001~1")
@pytest.mark.parametrize("kind", sorted(counts.NO_PAIR))
def test_half_a_contract_is_refused(backend: Any, observe: Observer, kind: str) -> None:
    """By both names, before anything else. If this fails, suspect a default for the missing half."""
    config = counts.config(backend)

    with observe.raises("refusal", ValueError, *counts.NAMES):
        backend.count_settings(config, **counts.NO_PAIR[kind])


@pytest.mark.clause("CISCALE-001~1")
@pytest.mark.parametrize("kind", sorted(counts.NO_COUNTS))
def test_counts_have_one_model(backend: Any, observe: Observer, kind: str) -> None:
    """Rectangular, unsupervised, Poisson. If this fails, suspect a check that comes after the data are read."""
    name, model, training, fields = counts.NO_COUNTS[kind]
    config = counts.config(backend, 2, model, **training)

    with observe.raises("refusal", ValueError, name):
        backend.count_settings(config, **counts.PAIR, **fields)


@pytest.mark.clause("CISCALE-001~1")
def test_normalised_amplitudes_prepare_no_counts(backend: Any, observe: Observer) -> None:
    """The legacy pair is a pair, and means something else. If this fails, suspect amplitudes that train as counts."""
    with observe.accepts("pair"):
        legacy = backend.count_settings(counts.config(backend), **counts.LEGACY)

    with observe.raises("refusal", ValueError, *counts.NAMES):
        backend.count_prepare(counts.training(), None, legacy)


@pytest.mark.clause("CISCALE-002~1", evidence="analytic")
@GRIDS
def test_statistics_are_those_of_each_experiment(backend: Any, observe: Observer, g: int) -> None:
    """Root mean square and mean, experiment by experiment. If this fails, suspect one number for all."""
    data = counts.training(g)

    found = backend.count_prepare(data, counts.validation(g), counts.settings(backend, g))["statistics"]

    truth = oracle.statistics(data["intensity"], data["experiment_id"])
    observe.close("rms_input_scale", native.item(found, "rms_input_scale"), truth["rms_input_scale"])
    observe.close("mean", native.item(found, "mean_measured_intensity"), truth["mean_measured_intensity"])


@pytest.mark.clause("CISCALE-002~1", evidence="symmetry")
@pytest.mark.parametrize("name", ["rms_input_scale", "mean_measured_intensity"])
def test_validation_data_move_no_statistic(backend: Any, observe: Observer, name: str) -> None:
    """Bright or dark validation data, the same numbers, in its batches too. If this fails, suspect a mean over both splits."""
    plain, bright = (
        backend.count_prepare(counts.training(), counts.validation(2, level), counts.settings(backend)) for level in (1.0, 400.0)
    )

    observe.equal("statistics", *(native.array(native.item(one["statistics"], name)) for one in (bright, plain)))
    batch = counts.batch_of(bright["test"])
    rows = native.array(native.item(plain["statistics"], name))[counts.field(batch, "experiment_id")]
    observe.close("kept", counts.field(batch, name).ravel(), rows.astype(np.float32))


@pytest.mark.clause("CISCALE-002~1", evidence="symmetry")
@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize("name", ["rms_input_scale", "mean_measured_intensity"])
def test_data_of_one_experiment_have_its_statistics(backend: Any, observe: Observer, name: str, number: int) -> None:
    """Whichever else are missing. If this fails, suspect experiments that are counted among those present."""
    alone = counts.validation(experiment_id=np.full(4, number))

    prepared = backend.count_prepare(counts.training(), alone, counts.settings(backend))

    known = native.array(native.item(prepared["statistics"], name))[number]
    observe.close("kept", counts.field(counts.batch_of(prepared["test"]), name).ravel(), np.full(4, known, np.float32))


@pytest.mark.clause("CISCALE-002~1")
@pytest.mark.parametrize("side", ["validation", "inference"])
def test_an_unknown_experiment_is_refused(backend: Any, observe: Observer, side: str) -> None:
    """It has no statistics. If this fails, suspect those of another one, or its own."""
    strange = counts.training(experiment_id=np.full(6, 2))
    prepared = counts.prepared(backend)

    with observe.raises("refusal", ValueError, "experiment_id"):
        counts.ask(backend, prepared, side, strange)


@pytest.mark.clause("CISCALE-002~1")
@pytest.mark.parametrize("number", [-1, -2, 10**9], ids=["last", "last-but-one", "far"])
@pytest.mark.parametrize("side", ["validation", "inference"])
def test_an_experiment_beyond_the_known_ones_is_refused(backend: Any, observe: Observer, side: str, number: int) -> None:
    """One of six samples. If this fails, suspect a number that counts from the end, or a look at the first sample."""
    experiment = np.array([0, 1, 0, 1, number, 0])
    prepared = counts.prepared(backend)

    with observe.raises("refusal", ValueError, "experiment_id"):
        counts.ask(backend, prepared, side, counts.training(experiment_id=experiment))


@pytest.mark.clause("CISCALE-003~1", evidence="algebraic")
@GRIDS
@pytest.mark.parametrize("name", counts.FIELDS)
def test_a_batch_of_counts_has_its_fields(backend: Any, observe: Observer, name: str, g: int) -> None:
    """Form and values of every field. If this fails, suspect a scale of the first experiment for all."""
    data = counts.training(g)
    prepared = backend.count_prepare(data, None, counts.settings(backend, g))

    batch = counts.batch_of(prepared["train"])

    truth = counts.expected_field(name, data, batch, prepared["statistics"])
    observe.dtype("dtype", native.item(batch[0], name), counts.DTYPES.get(name, "float32"))
    observe.close(name, counts.field(batch, name), truth, dtype="float32")


@pytest.mark.clause("CISCALE-003~1")
@pytest.mark.parametrize("name", counts.FIELDS)
def test_a_missing_field_is_named(backend: Any, observe: Observer, name: str) -> None:
    """An error that says which. If this fails, suspect a missing field that reads as one."""
    prepared = counts.prepared(backend)
    batch = counts.without(counts.batch_of(prepared["train"]), name)

    with observe.raises("refusal", (ValueError, KeyError), name):
        backend.count_loss(prepared["module"], batch)


@pytest.mark.clause("CISCALE-003~1")
def test_probes_of_two_forms_are_refused(backend: Any, observe: Observer) -> None:
    """A physical probe with one mode less. If this fails, suspect probes that are broadcast against each other."""
    prepared = counts.prepared(backend)
    batch = counts.with_field(counts.batch_of(prepared["train"]), "probe_physical", lambda probe: probe[:, :, :1])

    smaller = counts.with_field(counts.batch_of(prepared["train"]), "probe_physical", lambda probe: probe[..., ::2, ::2])

    with observe.raises("refusal", ValueError, "probe"):
        backend.count_loss(prepared["module"], batch)
    with observe.raises("of half the side", ValueError, "probe"):
        backend.count_loss(prepared["module"], smaller)


@pytest.mark.clause("CISCALE-003~1")
def test_bright_counts_stay_as_they_were_given(backend: Any, observe: Observer) -> None:
    """Hundreds of thousands in a pixel. If this fails, suspect a type that ends before them."""
    data = counts.training(1, (1.0, 1e5))

    batch = counts.batch_of(backend.count_prepare(data, None, counts.settings(backend, 1))["train"])

    observe.equal("counts", counts.field(batch, "measured_intensity"), data["intensity"][:4])


@pytest.mark.clause("CISCALE-004~1", evidence="algebraic")
@pytest.mark.parametrize("probe_scale", [1.0, 2.5, 40.0], ids=str)
def test_the_training_probe_is_a_multiple_of_the_physical(backend: Any, observe: Observer, probe_scale: float) -> None:
    """q·P, whatever q is. If this fails, suspect a factor for each mode, or its inverse."""
    prepared = counts.prepared(backend, 2, {"probe_scale": probe_scale})

    batch = counts.batch_of(prepared["train"])

    scaled = counts.field(batch, "probe_normalization") * counts.field(batch, "probe_physical").astype(complex)
    observe.close("training probe", counts.field(batch, "probe_training"), scaled)


@pytest.mark.clause("CISCALE-004~1", evidence="symmetry", needs=("PHYS-040",))
@pytest.mark.parametrize("what", ["prediction", "loss", "first-factor", "gradient"])
def test_no_result_depends_on_the_training_probes_factor(backend: Any, observe: Observer, what: str) -> None:
    """Two values of `probe_scale`, one result. If this fails, suspect q where q² belongs."""
    plain, other = (counts.answer(backend, what, probe_scale) for probe_scale in (2.5, 17.0))

    observe.close(what, other, plain)


@pytest.mark.clause("CISCALE-005~1", evidence="analytic")
def test_amplitudes_become_counts_with_their_probe(backend: Any, observe: Observer) -> None:
    """(S·A)² and S·P. If this fails, suspect a probe that stays as it was."""
    amplitude, probe = np.linspace(0, 3, 144).reshape(1, 1, 12, 12).astype(np.float32), curved_probe(12, 2)

    intensity, physical = backend.counts_of(amplitude, 7.5, probe)
    with observe.accepts("a dark pattern beside another"):
        beside_a_dark_one, _ = backend.counts_of(np.concatenate([0 * amplitude, amplitude]), 7.5, probe)

    observe.close("counts", intensity, (7.5 * amplitude.astype(float)) ** 2)
    observe.close("probe", physical, 7.5 * probe.astype(complex))
    observe.equal("counts beside a dark pattern", native.array(beside_a_dark_one)[1:], native.array(intensity))


@pytest.mark.clause("CISCALE-005~1", evidence="symmetry")
def test_counts_and_probe_belong_together(backend: Any, observe: Observer) -> None:
    """The probe makes the counts as it made the amplitudes. If this fails, suspect S² for the probe."""
    field, probe = object_patches(2, 1, 12), curved_probe(12, 2)
    amplitude = np.sqrt(oracle.counts(field, probe[None, None]))

    intensity, physical = backend.counts_of(amplitude.astype(np.float32), 31.0, probe)

    observe.close("counts", intensity, oracle.counts(field, native.array(physical)[None, None]))


@pytest.mark.clause("CISCALE-005~1")
@pytest.mark.parametrize(
    ("value", "scale"),
    [(np.nan, 2.0), (np.inf, 2.0), (-1.0, 2.0), (0.0, 2.0), (1.0, 0.0), (1.0, -2.0), (1.0, np.nan)],
    ids=["nan", "infinite", "negative", "dark", "no-scale", "negative-scale", "nan-scale"],
)
def test_what_are_no_amplitudes_is_refused(backend: Any, observe: Observer, value: float, scale: float) -> None:
    """No counts are made of them. If this fails, suspect a square that hides a sign."""
    amplitude = np.zeros((1, 1, 12, 12), np.float32)
    amplitude[0, 0, 3, 4] = value

    with observe.raises("refusal", ValueError):
        backend.counts_of(amplitude, scale, curved_probe(12))


@pytest.mark.device
@pytest.mark.clause("PHYS-040~1", evidence="differential")
@pytest.mark.parametrize(("s1", "s2", "q"), counts.FACTORS, ids=["plain", "parts", "factor"])
def test_counts_of_a_rectangular_object(backend: Any, observe: Observer, s1: float, s2: float, q: float) -> None:
    """Σ|F(P·(s1·a + i·s2·b))|²/q². If this fails, suspect one factor for both parts, or q in place of its square."""
    field, probe = object_patches(3, 4, 12), curved_probe(12, 2)[None, None]

    found = backend.rectangular(
        field.real.copy(), field.imag.copy(), s1, s2, (q * probe).astype(np.complex64), np.full((1, 1, 1, 1, 1), q, np.float32)
    )

    observe.close("counts", found, oracle.counts(s1 * field.real + 1j * s2 * field.imag, probe), dtype="float32")


@pytest.mark.clause("PHYS-040~1", evidence="analytic")
@GRIDS
def test_the_prediction_is_that_of_its_patches(backend: Any, observe: Observer, g: int) -> None:
    """What the patches make under the physical probe. If this fails, suspect a root before the comparison."""
    prepared = counts.prepared(backend, g, rect_s1s2_init="ones")
    batch = counts.batch_of(prepared["train"])

    predicted, patches = finite(*(f(prepared["module"], batch) for f in (backend.count_predict, backend.count_object)))

    observe.close("counts", predicted, oracle.counts(patches, counts.field(batch, "probe_physical")), dtype="float32")


@pytest.mark.device
@pytest.mark.clause("LOSS-020~1", evidence="differential")
@pytest.mark.parametrize("kind", sorted(counts.LIKELY))
def test_the_likelihood_of_counts(backend: Any, observe: Observer, kind: str) -> None:
    """Σ λ − y·ln λ + lnΓ(y + 1) over m, sample by sample. If this fails, suspect the mean of the batch, or single precision."""
    predicted, measured, mean = counts.LIKELY[kind]()

    found = backend.count_likelihood(predicted, measured, mean)

    observe.close("likelihood", number(found), oracle.likelihood(predicted, measured, mean), dtype="float32")


@pytest.mark.clause("LOSS-020~1", evidence="analytic", needs=("PHYS-040", "CISCALE-002"))
def test_the_loss_is_divided_by_frozen_means(backend: Any, observe: Observer) -> None:
    """Of training and of validation batches. If this fails, suspect the mean of the batch."""
    prepared = counts.prepared(backend)
    batches = [counts.batch_of(prepared[side]) for side in ("train", "test")]

    losses = [number(backend.count_loss(prepared["module"], batch)) for batch in batches]

    predicted = [finite(backend.count_predict(prepared["module"], batch))[0] for batch in batches]
    fields = [[counts.field(batch, name) for name in ("measured_intensity", "mean_measured_intensity")] for batch in batches]
    truths = [oracle.likelihood(rate, *given) for rate, given in zip(predicted, fields, strict=True)]
    observe.close("training", losses[0], truths[0], dtype="float32")
    observe.close("validation", losses[1], truths[1], dtype="float32")


@pytest.mark.clause("LOSS-020~1")
@pytest.mark.parametrize("value", [-1.0, np.nan, np.inf], ids=["negative", "nan", "infinite"])
@pytest.mark.parametrize("side", ["data", "batch"])
def test_what_are_no_counts_is_refused(backend: Any, observe: Observer, side: str, value: float) -> None:
    """In data and in a batch. If this fails, suspect a clamp that hides them."""
    with observe.raises("refusal", ValueError):
        counts.spoil(backend, side, value)
