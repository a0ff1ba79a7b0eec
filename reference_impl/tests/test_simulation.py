"""Fixtures beyond the contract: objects, probes, scans and exposures keep their recipes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from reference_impl.simulation import exposures, minimal_dataset, objects, probes, scans

N = 16


def record(photons: float = 3e4, modes: int = 1) -> tuple[dict[str, np.ndarray], np.ndarray]:
    truth = objects.lines(64, np.random.default_rng(1))[:, :48]
    probe = probes.curved_disk(N, np.random.default_rng(2))
    probe = probe if modes == 1 else np.stack([probe, 0.5j * np.roll(probe, 2, axis=1)])
    places = scans.anisotropic_raster(40, scans.inner_bounds(64, 48, N), np.random.default_rng(3))
    return exposures.expose(truth, probe, places, photons, np.random.default_rng(4)), truth


@pytest.mark.parametrize("kind", sorted(objects.KINDS))
def test_objects_stay_in_their_ranges_and_follow_their_seed(kind: str) -> None:
    first, again, other = (objects.KINDS[kind](65, np.random.default_rng(seed)) for seed in (1, 1, 2))

    assert first.shape == (65, 65) and first.dtype == np.complex64
    assert np.array_equal(first, again) and not np.array_equal(first, other)
    low, high = (0.6, 1.1) if kind == "dead_leaves" else (0.3, 1.0)
    assert np.abs(first).min() >= low - 1e-6 and np.abs(first).max() <= high + 1e-6
    assert np.abs(np.angle(first)).max() <= 0.5 + 1e-6
    assert np.abs(first).std() > 0.05 and np.angle(first).std() > 0.05


def test_the_ideal_probe_is_its_own_twin_and_the_curved_one_is_not() -> None:
    ideal, curved = probes.ideal_disk(64), probes.curved_disk(64, np.random.default_rng(5))

    def turned(probe: np.ndarray) -> np.ndarray:
        return np.conj(np.roll(probe[::-1, ::-1], 1, axis=(0, 1)))

    assert np.allclose(ideal, turned(ideal), atol=1e-6) and np.abs(ideal.imag).max() == 0
    assert np.abs(curved - turned(curved)).max() > 0.5
    assert np.allclose(np.abs(curved), np.abs(ideal), atol=1e-6)


def test_scans_stay_inside_and_belong_to_their_seed() -> None:
    bounds = (10.0, 100.0, 20.0, 50.0)

    x, y = scans.anisotropic_raster(200, bounds, np.random.default_rng(1))
    u, v = scans.jittered_grid(200, bounds, np.random.default_rng(1))

    for horizontal, vertical in ((x, y), (u, v)):
        assert horizontal.shape == vertical.shape == (200,)
        assert horizontal.min() >= 10 and horizontal.max() <= 100 and vertical.min() >= 20 and vertical.max() <= 50
        assert len(np.unique(np.stack([horizontal, vertical]), axis=1).T) == 200
    assert np.ptp(x) > 2 * np.ptp(y)


def test_patches_are_bilinear_samples_with_pixel_half_N_on_the_position() -> None:
    truth = objects.grf(48, np.random.default_rng(3))
    x, y = np.array([20.25, 3.0, 45.5]), np.array([30.75, 44.0, 2.5])

    found = exposures.patches_at(truth, x, y, N)

    for k in range(3):
        rows, columns = np.meshgrid(y[k] + np.arange(N) - N // 2, x[k] + np.arange(N) - N // 2, indexing="ij")
        expected = map_coordinates(np.pad(truth, 20), [rows + 20, columns + 20], order=1)
        assert np.abs(found[k] - expected).max() < 1e-6


def test_a_position_off_the_object_is_refused() -> None:
    with pytest.raises(ValueError, match="position 1"):
        exposures.patches_at(np.ones((20, 20), complex), np.array([5.0, 500.0]), np.array([5.0, 5.0]), N)


@pytest.mark.parametrize("modes", [1, 2])
def test_counts_are_those_that_the_stored_probe_and_object_expect(modes: int) -> None:
    arrays, truth = record(modes=modes)

    expected = exposures.far_field_intensity(truth, arrays["probeGuess"], arrays["xcoords"], arrays["ycoords"])
    counts = arrays["diff3d"].astype(np.float64) ** 2

    deviation = (counts.sum(axis=(1, 2)) - expected.sum(axis=(1, 2))) / np.sqrt(expected.sum(axis=(1, 2)))
    assert np.abs(deviation).max() < 5
    assert abs(expected.sum(axis=(1, 2)).mean() / 3e4 - 1) < 1e-5
    bright = expected > 20
    chi = (counts - expected)[bright] ** 2 / expected[bright]
    assert abs(chi.mean() - 1) < 0.1


def test_the_stated_photons_are_those_counted() -> None:
    arrays, _ = record()

    stated = json.loads(str(arrays["_metadata"]))["physics_parameters"]

    counted = (arrays["diff3d"].astype(np.float64) ** 2).sum(axis=(1, 2)).mean()
    assert abs(stated["nphotons"] / counted - 1) < 1e-6 and stated["N"] == N
    assert arrays["_metadata"].dtype.kind == "U" and arrays["_metadata"].shape == ()


def test_the_digest_sees_names_dtypes_shapes_and_bits() -> None:
    base = {"a": np.arange(6, dtype=np.float32), "b": np.ones(2)}
    others = [
        {**base, "a": base["a"].reshape(2, 3)},
        {**base, "a": base["a"].astype(np.float64)},
        {"c": base["a"], "b": base["b"]},
        {**base, "b": np.nextafter(base["b"], 2)},
    ]

    digests = {minimal_dataset.digest(arrays) for arrays in [base, *others]}

    assert len(digests) == 5
    assert minimal_dataset.digest(base) == minimal_dataset.digest({"b": base["b"], "a": np.asfortranarray(base["a"])})


def test_a_legacy_source_gives_the_same_subset(tmp_path: Path) -> None:
    arrays, _ = record()
    legacy = {**arrays, "diff3d": np.moveaxis(arrays["diff3d"], 0, 2)}
    for name, content in (("new", arrays), ("old", legacy)):
        np.savez(tmp_path / f"{name}.npz", **content)

    new, old = (minimal_dataset.subset(minimal_dataset.read_source(tmp_path / f"{name}.npz"), 20) for name in ("new", "old"))

    assert minimal_dataset.digest(new) == minimal_dataset.digest(old)
    assert np.array_equal(new["xcoords"], arrays["xcoords"][::2])


def test_a_failing_write_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(OSError, match="disk full"):
        minimal_dataset.write({"a": np.ones(2)}, tmp_path / "out.npz")

    assert list(tmp_path.iterdir()) == []
