"""CISCALE-002, CISCALE-006 … CISCALE-008, LOSS-020, BUNDLE-040: training on counts, doses, inference, checkpoints."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conformance.connectors import native
from conformance.judging.observe import Observer
from conformance.scenes import counts, counts_ended, counts_factors, networks, runs
from conformance.scenes.answers import finite


@pytest.mark.clause("CISCALE-006~1", evidence="analytic", needs=("CISCALE-008",))
@pytest.mark.parametrize("dose", [0.25, 9.0], ids=str)
def test_counts_and_probe_together_leave_the_contrast(backend: Any, observe: Observer, dose: float) -> None:
    """d·I under √d·P is the same sample. If this fails, suspect counts or a probe normalised by themselves."""
    data = counts.training()

    other = counts.patches(backend, counts.dosed(data, dose, np.sqrt(dose)))

    observe.close("patches", other, counts.patches(backend, data))


@pytest.mark.clause("CISCALE-006~1", evidence="analytic", needs=("CISCALE-008",))
@pytest.mark.parametrize("dose", [0.25, 9.0], ids=str)
def test_under_a_fixed_probe_contrast_follows_the_root_of_the_dose(backend: Any, observe: Observer, dose: float) -> None:
    """d·I under P is √d times the object; what the network sees is the same. If this fails, suspect a scale that follows."""
    data = counts.training()

    other = counts.patches(backend, counts.dosed(data, dose, 1.0))

    observe.close("patches", other, np.sqrt(dose) * counts.patches(backend, data))
    seen = [counts.patches(backend, one, "ones") for one in (data, counts.dosed(data, dose, 1.0))]
    observe.close("before any factor", *seen[::-1])


@pytest.mark.clause("CISCALE-007~1", evidence="differential", needs=("PHYS-040",))
@pytest.mark.parametrize("probe_scale", [2.5, 17.0], ids=str)
def test_inference_uses_the_physical_probe(backend: Any, observe: Observer, probe_scale: float) -> None:
    """The counts are those of the patches under P. If this fails, suspect the training probe."""
    prepared = counts.prepared(backend, 2, {"probe_scale": probe_scale})
    data = {**counts.validation(), "physics_scaling_constant": 77.0}

    found = backend.count_infer(prepared["module"], data)

    observe.close("counts", native.item(found, "predicted"), counts.physical_counts(found, data["probe"]), dtype="float32")


@pytest.mark.clause("CISCALE-007~1", evidence="symmetry", needs=("CISCALE-002",))
def test_a_sample_is_inferred_as_it_would_be_alone(backend: Any, observe: Observer) -> None:
    """Bright neighbours change nothing. If this fails, suspect statistics of the data that are inferred."""
    prepared, data = counts.prepared(backend), counts.validation()

    found = [backend.count_infer(prepared["module"], asked) for asked in (data, counts.first_two(data))]

    whole, part = (native.array(native.item(one, "object")) for one in found)

    observe.close("patches", part, whole[:2])


@pytest.mark.clause("CISCALE-007~1", evidence="differential")
def test_many_samples_are_inferred_as_a_few(backend: Any, observe: Observer) -> None:
    """More than are inferred at once, the last ones among them. If this fails, suspect a part that is left over."""
    prepared, data = counts.prepared(backend, 1), counts.training(1)
    places = np.arange(150) % 6

    few, many = (backend.count_infer(prepared["module"], counts.chosen(data, rows)) for rows in (np.arange(6), places))

    for_few, for_many = (native.array(native.item(found, "predicted")) for found in (few, many))
    observe.close("counts", for_many, for_few[places], dtype="float32")


@pytest.mark.clause("CISCALE-009~1")
def test_a_training_on_counts_begins_by_its_seed(backend: Any, observe: Observer) -> None:
    """Equal weights, whatever was drawn before; others for another seed. If this fails, suspect weights that nobody seeds."""
    first, other = (counts.begun(backend, seed) for seed in (5, 6))

    again = counts.begun(backend, 5)

    observe.equal("weights", again, first)
    observe.holds("of another seed", not np.array_equal(other, first), "other weights", "the same")


@pytest.mark.clause("CISCALE-008~1", evidence="differential")
@pytest.mark.parametrize("init", ["ones", "data"])
def test_the_first_factor_is_the_root_of_the_lights(backend: Any, observe: Observer, init: str) -> None:
    """sqrt(measured/predicted), with both factors one. If this fails, suspect a missing root, or a factor on a factor."""
    plain = counts.prepared(backend, rect_s1s2_init="ones")
    batch = counts.batch_of(plain["train"])
    predicted = finite(backend.count_predict(plain["module"], batch))[0].astype(float)

    found = backend.count_scale(counts.prepared(backend, rect_s1s2_init=init)["module"], batch)

    observe.close("factor", found, np.sqrt(np.mean(counts.field(batch, "measured_intensity").astype(float)) / predicted.mean()))


@pytest.mark.clause("CISCALE-008~1", evidence="algebraic")
def test_a_fresh_module_has_the_light_of_its_first_batch(backend: Any, observe: Observer) -> None:
    """The mean of what it predicts is that of what was measured. If this fails, suspect an initialisation that is left out."""
    prepared = backend.count_prepare(counts.training(), None, counts.settings(backend, rect_s1s2_init="data"))
    batch = counts.batch_of(prepared["train"])

    predicted = finite(backend.count_predict(prepared["module"], batch))[0]

    observe.close("mean count", predicted.astype(float).mean(), counts.field(batch, "measured_intensity").astype(float).mean())


@pytest.mark.clause("CISCALE-008~1", evidence="algebraic")
def test_a_fresh_module_has_the_light_of_the_batch_that_comes_first(backend: Any, observe: Observer) -> None:
    """Of a shuffled training as well. If this fails, suspect a factor of the first samples in the place of the first batch."""
    config = counts.config(backend, 1, sequential_sampling=False, batch_size=4)
    settings = backend.count_settings(config, **counts.PAIR, rect_s1s2_init="data")
    prepared = backend.count_prepare(counts.training(1), None, settings)
    batch = counts.batch_of(prepared["train"])

    predicted = finite(backend.count_predict(prepared["module"], batch))[0]

    observe.close("mean count", predicted.astype(float).mean(), counts.field(batch, "measured_intensity").astype(float).mean())


@pytest.mark.clause("PHYS-040~1", evidence="algebraic")
def test_each_part_of_the_object_has_a_factor_of_its_own(backend: Any, observe: Observer) -> None:
    """One moves the real part alone, the other one the imaginary. If this fails, suspect one factor for both parts."""
    prepared = counts.prepared(backend, 1, rect_s1s2_init="ones", rect_s1s2_trainable=True)

    moved = counts_factors.factors_of(backend, prepared["module"], counts.batch_of(prepared["train"]))

    observe.equal("parts that nothing moves alone", sorted({"imaginary", "real"} - set(moved.values())), [])


@pytest.mark.clause("CISCALE-008~1")
def test_measuring_the_factor_changes_nothing(backend: Any, observe: Observer) -> None:
    """Weights, factors, statistics stay. If this fails, suspect a factor that is set on the way."""
    prepared = counts.prepared(backend)
    module, batch = prepared["module"], counts.batch_of(prepared["train"])
    before = counts.state(backend, module)

    backend.count_scale(module, batch)

    after = counts.state(backend, module)
    observe.equal("changed", [name for name in before if not np.array_equal(before[name], after[name])], [], clause="CISCALE-008")


@pytest.mark.clause("CISCALE-008~1")
def test_measuring_the_factor_switches_nothing(backend: Any, observe: Observer) -> None:
    """A module that learns goes on, one that has inferred as well. If this fails, suspect a mode that is set on the way."""
    module = counts.prepared(backend, 1, rect_s1s2_init="ones")["module"]
    batch = counts.batch_of(backend.count_prepare(counts.training(1), None, counts.settings(backend, 1))["train"])

    modes = [counts.mode(module)]
    backend.count_scale(module, batch)
    modes.append(counts.mode(module))
    backend.count_infer(module, counts.validation(1))
    modes.append(counts.mode(module))
    backend.count_scale(module, batch)

    observe.equal("mode", [modes[1], counts.mode(module)], [modes[0], modes[2]])


@pytest.mark.clause("PHYS-040~1", evidence="algebraic")
def test_both_factors_reach_the_counts(backend: Any, observe: Observer) -> None:
    """They are those of the object that has them. If this fails, suspect a factor that is applied twice, or by one way alone."""
    prepared = counts.prepared(backend, 1, rect_s1s2_init="ones")

    found, truth = counts_factors.with_factors_moved(backend, prepared)

    observe.close("counts", found, truth, dtype="float32")


@pytest.mark.slow
@pytest.mark.clause("CISCALE-002~1", "LOSS-020~1", needs=("TRAIN-004",))
def test_a_training_on_counts_leaves_its_statistics(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """Frozen from first to last, and the raw likelihood is logged. If this fails, suspect a running mean."""
    prepared, results = counts.trained(backend, tmp_path)

    found = backend.count_statistics(results["module"])
    losses = native.item(results, "history")["train_loss"]

    for_each = [
        np.array_equal(native.array(native.item(found, name)), native.array(native.item(prepared["statistics"], name)))
        for name in ("rms_input_scale", "mean_measured_intensity")
    ]
    observe.equal("kept", for_each, [True, True], clause="CISCALE-002")
    observe.holds("loss", losses[-1] < losses[0], f"less than {losses[0]:.5g}", f"{losses[-1]:.5g}", clause="LOSS-020")
    raw = [counts.logged(tmp_path, f"raw_count_nll_{side}") for side in ("train", "val")]
    observe.equal("epochs with a raw likelihood", [len(values) for values in raw], [6, 6], clause="LOSS-020")


@pytest.mark.slow
@pytest.mark.clause("BUNDLE-040~1", "CISCALE-002~1", needs=("TRAIN-060", "CISCALE-007"))
def test_a_checkpoint_of_counts_opens_as_it_was(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """Statistics, factors, predictions. If this fails, suspect statistics left beside the weights."""
    _, results = counts.trained(backend, tmp_path)

    opened = backend.count_open(counts.checkpoint(tmp_path))

    both = [backend.count_statistics(module) for module in (opened, results["module"])]
    for_each = [
        np.array_equal(*(native.array(native.item(one, name)) for one in both))
        for name in ("rms_input_scale", "mean_measured_intensity")
    ]
    observe.equal("kept", for_each, [True, True], clause=("BUNDLE-040", "CISCALE-002"))
    found = [native.array(backend.count_infer(m, counts.validation())["predicted"]) for m in (opened, results["module"])]
    observe.equal("counts", *found, clause="BUNDLE-040")


@pytest.mark.slow
@pytest.mark.clause("BUNDLE-040~1", needs=("TRAIN-020",))
def test_a_checkpoint_without_statistics_is_refused(backend: Any, observe: Observer) -> None:
    """A training on amplitudes has none. If this fails, suspect ones in their place."""
    run = runs.trained(backend)

    with observe.raises("refusal", ValueError, "CI checkpoint", "ci_statistics"):
        backend.count_open(runs.last(run))


@pytest.mark.slow
@pytest.mark.clause("CISCALE-006~1", evidence="analytic", needs=("CISCALE-007",))
def test_a_trained_contrast_follows_the_dose_law(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """A trained model under a probe of twice the amplitude predicts four times the counts. If this fails, suspect a norm."""
    _, results = counts.trained(backend, tmp_path)
    data = counts.validation()

    found = [backend.count_infer(results["module"], asked) for asked in (data, counts.dosed(data, 1, 2))]

    plain, bright = (finite(native.item(one, "predicted"))[0] for one in found)
    observe.close("counts", bright, 4 * plain, dtype="float32")


@pytest.mark.clause("CISCALE-010~1", needs=("PHYS-040",))
@pytest.mark.parametrize("init", ["ones", "data"])
@pytest.mark.parametrize("trainable", [True, False], ids=["trained", "kept"])
def test_factors_learn_where_they_are_asked_to(backend: Any, observe: Observer, trainable: bool, init: str) -> None:
    """Wherever they begin. If this fails, suspect one of two settings that decides for both."""
    made = counts.prepared(backend, rect_s1s2_trainable=trainable, rect_s1s2_init=init)
    module, batch = made["module"], counts.batch_of(made["train"])
    factors = counts_factors.factors_of(backend, module, batch)

    slopes = networks.values(backend.gradient(module, batch))

    learning = [part for (name, place), part in factors.items() if name in slopes and slopes[name].reshape(-1)[place] != 0]
    observe.equal("learning", sorted(learning), {True: ["imaginary", "real"], False: []}[trainable])


@pytest.mark.clause("CISCALE-009~1")
def test_zero_is_a_seed_of_a_training_on_counts(backend: Any, observe: Observer) -> None:
    """Neither none nor one. If this fails, suspect the truth value of a seed."""
    zero, *others = (counts.begun(backend, seed) for seed in (0, 1, 42))

    observe.equal("like those of another seed", [bool(np.array_equal(zero, other)) for other in others], [False, False])


@pytest.mark.clause("CISCALE-011~1", needs=("CISCALE-009",))
@pytest.mark.parametrize("setting", counts_ended.OF_AN_EXECUTION)
def test_the_execution_of_a_training_on_counts_arrives(backend: Any, observe: Observer, tmp_path: Path, setting: str) -> None:
    """Rate, clipping, accumulation. If this fails, suspect an optimiser that is made of the configuration alone."""
    usual = counts_ended.ended(backend, tmp_path / "usual")

    other = counts_ended.ended(backend, tmp_path / "other", **{setting: counts_ended.OF_AN_EXECUTION[setting]})

    observe.holds("weights", not np.array_equal(other, usual), "other weights", "the same")
