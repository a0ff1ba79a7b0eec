"""Containers and loaders beyond the contract: ownership of memory, workers, seeds, foreign containers, refusals."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from reference_impl.batch import (
    PtychoDataset,
    build_loaders,
    container_from_groups,
    disc_mask,
    ensure_container,
    normalise_probe,
)
from reference_impl.batch.loaders import whole_batches
from reference_impl.config import InferenceConfig, ModelConfig, TrainingConfig, registry
from reference_impl.data import RawData
from reference_impl.errors import ContractError
from reference_impl.execution import PyTorchExecutionConfig
from reference_impl.grouping import generate_grouped_data
from reference_impl.processes import LONGEST_SOCKET, NAME_OF_A_SOCKET
from reference_impl.tests.samples import arrays


def training(**changes: Any) -> TrainingConfig:
    shape = {name: changes.pop(name) for name in list(changes) if name in ModelConfig.__dataclass_fields__}
    settings = {"n_groups": 11, "neighbor_count": 6, "batch_size": 4, **changes}
    return TrainingConfig(model=ModelConfig(**{"N": 12, "gridsize": 2, **shape}), **settings)


def record(**changes: Any) -> RawData:
    return RawData.from_coords_without_pc(**{**arrays(), **changes})


def foreign(**changes: Any) -> SimpleNamespace:
    """A container of somebody else's: plain arrays, N = 8, C = 4, five groups."""
    rng = np.random.default_rng(2)
    X, coords = rng.random((5, 8, 8, 4), dtype=np.float32), rng.normal(size=(5, 1, 2, 4))
    return SimpleNamespace(**{"X": X, "coords_relative": coords, "probe": np.ones((8, 8), np.complex64), **changes})


@pytest.fixture(autouse=True)
def fresh_registry() -> Any:
    registry.reset()
    yield
    registry.reset()


def test_writing_into_a_batch_reaches_nothing_else() -> None:
    dataset = PtychoDataset(ensure_container(record(), training()), training())
    untouched = dataset[0:3]

    batch = dataset[0:3]
    for name in batch[0].keys():
        batch[0][name].zero_()
    batch[1].zero_()
    batch[2].zero_()

    again = dataset[0:3]
    assert all(torch.equal(again[0][name], untouched[0][name]) for name in untouched[0].keys())
    assert torch.equal(again[1], untouched[1]) and torch.equal(again[2], untouched[2])


def test_samples_of_a_batch_share_no_storage() -> None:
    probe = PtychoDataset(foreign(), training())[[0, 1, 2]][1]

    probe[0, 0] *= 0

    assert 0 not in probe.stride()
    assert bool((probe[1:].abs() > 0).all()) and bool((probe[0, 1:].abs() > 0).all())


def test_the_container_shares_the_groups_memory() -> None:
    raw = record()
    grouped = generate_grouped_data(raw, 12, K=6, nsamples=9, gridsize=2, seed=1)

    container = container_from_groups(grouped, raw.probeGuess)
    dataset = PtychoDataset(container, training())

    assert np.shares_memory(container.X.numpy(), grouped["X_full"])
    assert np.shares_memory(dataset.fields["images"], grouped["X_full"])


def test_read_only_groups_are_copied_in_silence(recwarn: pytest.WarningsRecorder) -> None:
    grouped = generate_grouped_data(record(), 12, K=6, nsamples=9, gridsize=2, seed=1)
    for value in grouped.values():
        value.flags.writeable = False

    container = container_from_groups(grouped, arrays()["probeGuess"])

    assert not [warning for warning in recwarn if "writable" in str(warning.message)]
    np.testing.assert_array_equal(container.X.numpy(), grouped["X_full"])


def test_absent_labels_are_ones_that_nobody_can_write() -> None:
    container = ensure_container(record(objectGuess=None), training())

    assert not container.has_labels
    assert bool((container.Y == 1).all()) and bool((container.Y_I == 1).all()) and bool((container.Y_phi == 0).all())
    with pytest.raises(RuntimeError):
        container.Y[0] = 2


@pytest.mark.parametrize("workers", [1, 2])
def test_workers_change_nothing(workers: int) -> None:
    container = ensure_container(record(), training())
    execution = PyTorchExecutionConfig(accelerator="cpu", num_workers=workers, persistent_workers=True, prefetch_factor=2)

    alone = [batch[0]["images"].clone() for batch in build_loaders(container, None, training())[0]]
    helped = [batch[0]["images"].clone() for batch in build_loaders(container, None, training(), execution)[0]]

    assert [len(images) for images in helped] == [4, 4, 3]
    assert all(torch.equal(one, other) for one, other in zip(alone, helped, strict=True))


@pytest.fixture
def of_length() -> Iterator[Callable[[int], Path]]:
    """Makes an empty folder whose path has so many bytes."""
    with tempfile.TemporaryDirectory(prefix="t") as top:

        def folder(length: int) -> Path:
            found = Path(f"{top}/".ljust(length, "x"))
            found.mkdir()
            return found

        yield folder


def test_workers_find_room_for_their_sockets(of_length: Callable[[int], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(of_length(LONGEST_SOCKET - NAME_OF_A_SOCKET)))
    execution = PyTorchExecutionConfig(accelerator="cpu", num_workers=1)

    assert len(list(build_loaders(ensure_container(record(), training()), None, training(), execution)[0])) == 3


def test_workers_without_room_for_their_sockets_are_refused(
    of_length: Callable[[int], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    room = LONGEST_SOCKET - NAME_OF_A_SOCKET
    monkeypatch.setattr("tempfile.tempdir", str(of_length(room + 1)))
    execution = PyTorchExecutionConfig(accelerator="cpu", num_workers=1)
    container = ensure_container(record(), training())

    with pytest.raises(OSError, match=rf"num_workers is 1, .* {room + 1} bytes.* {room}\. Set TMPDIR"):
        build_loaders(container, None, training(), execution)
    with pytest.raises(OSError, match=r"num_workers is 2, .*Set TMPDIR"):
        whole_batches(range(3), 1, num_workers=2)
    assert len(list(build_loaders(container, None, training())[0])) == 3


def test_options_of_workers_are_let_be_without_workers() -> None:
    execution = PyTorchExecutionConfig(accelerator="cpu", persistent_workers=True, prefetch_factor=4)

    assert len(build_loaders(foreign(), None, training(), execution)[0]) == 2


def test_each_pass_has_an_order_of_its_own() -> None:
    loader = build_loaders(foreign(experiment_id=np.arange(5)), None, training(batch_size=8))[0]

    passes = [next(iter(loader))[0]["experiment_id"].tolist() for _ in range(6)]

    assert len({tuple(order) for order in passes}) > 1
    assert all(sorted(order) == list(range(5)) for order in passes)


def test_the_order_is_deaf_to_draws_between_the_passes() -> None:
    quiet, noisy = (build_loaders(foreign(experiment_id=np.arange(5)), None, training(subsample_seed=0))[0] for _ in range(2))

    first = [batch[0]["experiment_id"].tolist() for _ in range(3) for batch in quiet]
    second = [(torch.rand(7), batch[0]["experiment_id"].tolist())[1] for _ in range(3) for batch in noisy]

    assert first == second


@pytest.mark.parametrize("layout", ["first", "last"])
def test_either_layout_gives_the_same_images(layout: str) -> None:
    given = foreign()
    X = given.X if layout == "last" else np.ascontiguousarray(given.X.transpose(0, 3, 1, 2))

    images = PtychoDataset(foreign(X=X), training())[0:5][0]["images"]

    np.testing.assert_array_equal(images.numpy(), given.X.transpose(0, 3, 1, 2))


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no-X": ({"X": None}, "X is missing"),
    "wrong-channels": ({"X": np.zeros((5, 8, 8, 9))}, "C = gridsize² = 4"),
    "oblong": ({"X": np.zeros((5, 8, 7, 4))}, "found shape (5, 8, 7, 4)"),
    "complex-X": ({"X": np.zeros((5, 8, 8, 4), complex)}, "real numbers"),
    "no-positions": ({"coords_relative": None}, "coords_relative is required"),
    "short-positions": ({"coords_relative": np.zeros((4, 1, 2, 4))}, "found shape (4, 1, 2, 4)"),
    "probe-of-side-C": ({"probe": np.ones((4, 4), np.complex64)}, "side N=8"),
    "dark-probe": ({"probe": np.zeros((8, 8), np.complex64)}, "with amplitude"),
    "too-many-scales": ({"physics_scaling_constant": np.ones(3)}, "one a sample"),
    "fractional-ids": ({"experiment_id": np.ones(5)}, "an integer"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_container_that_does_not_fit_is_refused_in_one_line(name: str) -> None:
    changes, fragment = REFUSED[name]

    with pytest.raises(ContractError) as caught:
        build_loaders(foreign(**changes), None, training())

    assert fragment in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("failure", [RuntimeError("disk"), AttributeError("inner"), KeyError("key")])
def test_a_failing_attribute_is_not_an_absent_one(failure: Exception) -> None:
    class Failing(SimpleNamespace):
        @property
        def probe(self) -> np.ndarray:
            raise failure

    given = foreign()

    with pytest.raises(type(failure)):
        build_loaders(Failing(X=given.X, coords_relative=given.coords_relative), None, training())


def test_a_mapping_serves_as_a_container() -> None:
    batch = PtychoDataset(vars(foreign()), training())[[4]]

    assert batch[0]["images"].shape == (1, 4, 8, 8)


@pytest.mark.parametrize("settings", [{"model_type": "supervised"}, {"realspace_mae_weight": 0.5}], ids=["supervised", "weight"])
def test_a_loss_that_needs_labels_gets_them_or_is_refused(settings: dict[str, Any]) -> None:
    labelled = ensure_container(record(), training())

    fields = PtychoDataset(labelled, training(**settings))[0:3][0]

    np.testing.assert_allclose(fields["label_amp"].numpy(), labelled.Y_I[0:3].permute(0, 3, 1, 2).numpy(), rtol=1e-6)
    np.testing.assert_allclose(fields["label_phase"].numpy(), labelled.Y_phi[0:3].permute(0, 3, 1, 2).numpy(), rtol=1e-5)
    with pytest.raises(ContractError, match="label_amp"):
        PtychoDataset(ensure_container(record(objectGuess=None), training()), training(**settings))


def test_reconstructing_needs_no_labels() -> None:
    model = ModelConfig(N=8, gridsize=2, model_type="supervised")

    dataset = PtychoDataset(foreign(), InferenceConfig(model=model, model_path="runs", test_data_file="scan.npz"))

    assert "label_amp" not in dataset[[0]][0].keys()


def test_a_record_is_grouped_after_the_registry_was_synchronised() -> None:
    ensure_container(record(), training(n_groups=5))

    assert (registry.cfg["N"], registry.cfg["gridsize"], registry.cfg["n_groups"]) == (12, 2, 5)


def test_no_seed_is_seed_42_for_the_groups_too() -> None:
    unseeded, stated, zero = (ensure_container(record(), training(subsample_seed=seed)).nn_indices for seed in (None, 42, 0))

    assert torch.equal(unseeded, stated)
    assert not torch.equal(unseeded, zero)


def test_the_mask_shapes_the_norm_and_leaves_the_probe() -> None:
    probe = np.random.default_rng(0).normal(size=(12, 12)) + 1j

    masked, factor = normalise_probe(probe, 4.0, disc_mask(12))

    np.testing.assert_allclose(masked.numpy(), probe * factor, rtol=1e-6)
    np.testing.assert_allclose(1 / factor, 4.0 * np.abs(probe * disc_mask(12)).mean(), rtol=1e-12)
