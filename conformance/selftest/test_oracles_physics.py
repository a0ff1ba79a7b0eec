"""The oracles and scenes of physics, model and loss against closed forms and other people's code."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.ndimage
import scipy.stats

from conformance.oracles import loss, model, physics
from conformance.scenes import fields, losses, motions, networks, optics


@pytest.mark.parametrize("n", [1, 2, 12, 15, 64])
def test_dft_matrix_is_unitary_and_centred(n: int) -> None:
    matrix = physics.centred_dft(n)

    assert np.allclose(matrix @ matrix.conj().T, np.eye(n), atol=1e-13)
    assert np.allclose(matrix[n // 2], 1 / math.sqrt(n))


@pytest.mark.parametrize("scene", fields.lit_fields(), ids=str)
def test_diffraction_equals_the_fast_transform(scene: optics.FieldScene) -> None:
    exits = scene.field.astype(complex)[:, :, None] * scene.probe
    far = np.fft.fftshift(np.fft.fft2(exits, norm="ortho"), axes=(-2, -1))

    assert np.allclose(physics.diffract(scene.field, scene.probe), np.sqrt(np.sum(np.abs(far) ** 2, axis=2)), atol=1e-12)


@pytest.mark.parametrize("kind", ["whole", "between"])
def test_translation_equals_scipys(kind: str) -> None:
    for scene in motions.motion_scenes(kind):
        for image, (dx, dy) in zip(scene.images, scene.offsets, strict=True):
            truth = scipy.ndimage.shift(image.astype(complex), (dy, dx), order=1, mode="grid-constant", prefilter=False)
            assert np.allclose(physics.translate(image, dx, dy), truth, atol=1e-12), scene


def test_translation_of_whole_pixels_is_a_slice() -> None:
    image = optics.object_image(9, 14)

    moved = physics.translate(image, 3, -2)

    assert (moved[:-2, 3:] == image[2:, :-3]).all()
    assert not moved[-2:].any() and not moved[:, :3].any()


@pytest.mark.parametrize("scene", motions.group_scenes(), ids=str)
def test_merge_of_ones_is_count_over_count(scene: motions.GroupScene) -> None:
    ones = np.ones_like(scene.patches)

    merged = physics.merge(ones, scene.offsets, scene.M)

    assert merged.shape == (len(ones), scene.M, scene.M)
    assert merged.real.max() <= scene.patches.shape[1] / (scene.patches.shape[1] + 1e-3) + 1e-15
    assert merged.real.min() >= 0


def test_merge_and_extraction_of_one_object_give_it_back() -> None:
    offsets = motions.group_offsets("whole", 3, 4)
    patches, support = motions.consistent_group(offsets, 32), motions.common_support(offsets, 32)

    back = physics.merged_patches(patches, offsets, 41) * 4.001 / 4

    assert support.any(axis=(-2, -1)).all() and not support.all()
    assert np.allclose(back[support], patches[support], atol=1e-12)
    assert not np.allclose(physics.merged_patches(patches, -offsets, 41)[support], patches[support], atol=1e-2)


def test_inference_merge_of_one_object_is_the_object() -> None:
    offsets = motions.group_offsets("whole", 1, 4)
    patches = motions.consistent_group(offsets, 16)
    # The mean of these offsets is no whole number of pixels; moved back by it, the members share a grid again.
    centred = offsets - np.round(offsets.mean(axis=1, keepdims=True)) + offsets.mean(axis=1, keepdims=True)

    whole = physics.merge_for_inference(patches, centred, 16)

    assert whole.shape[0] == 16 + 2 * physics.even_ceil(np.abs(centred - centred.mean(axis=1)).max())
    assert physics.merge_for_inference(np.ones_like(patches), centred, 16, 40).real.max() == pytest.approx(1)


@pytest.mark.parametrize(("value", "even"), [(0.0, 0), (0.1, 2), (2.0, 2), (3.0, 4), (4.0, 4), (4.1, 6)])
def test_even_ceil(value: float, even: int) -> None:
    assert physics.even_ceil(value) == even


def test_smoothing_is_a_convolution_with_a_gaussian() -> None:
    wave = np.zeros((32, 32), complex)
    wave[16, 16] = 1
    far = physics.far_field(wave) * physics.smoothing_transfer(32, 32, 1.5)

    blurred = np.abs(np.fft.ifft2(np.fft.ifftshift(far), norm="ortho"))

    v, u = np.mgrid[:32, :32] - 16
    assert np.allclose(blurred, np.exp(-(u**2 + v**2) / (2 * 1.5**2)) / (2 * np.pi * 1.5**2), atol=1e-6)


def test_likelihood_equals_scipys() -> None:
    predicted, measured, scale = losses.amplitudes((3, 4, 5, 5))
    measured = np.sqrt(np.round((measured * scale) ** 2)) / scale
    rate, count = (predicted.astype(float) * scale) ** 2, np.round((measured.astype(float) * scale) ** 2)

    truth = -np.sum(scipy.stats.poisson.logpmf(count, rate)) / 3

    assert loss.poisson_nll(predicted, measured, scale) == pytest.approx(truth, rel=1e-6)
    assert max(count.max(), rate.max()) < 1000


def test_slope_is_that_of_the_likelihood() -> None:
    predicted, measured, scale = (part.astype(float) for part in losses.amplitudes((2, 1, 3, 3)))
    step = 1e-5 * (np.arange(18) == 7).reshape(2, 1, 3, 3)

    rise = loss.poisson_nll(predicted + step, measured, scale) - loss.poisson_nll(predicted - step, measured, scale)

    assert rise / 2e-5 == pytest.approx(loss.nll_slope(predicted, measured, scale).ravel()[7], rel=1e-7)


def test_regularisers_of_a_ramp_and_of_equal_labels() -> None:
    ramp = (3 + 4j) * np.arange(8.0)[None, None, None, :] * np.ones((2, 1, 8, 1))

    assert loss.total_variation(ramp) == pytest.approx(5)
    assert loss.label_error(ramp, ramp) == 0
    assert loss.label_error(ramp, ramp + 2j) == pytest.approx(2)
    assert loss.supervised(ramp.real, ramp.imag, ramp.real + 1, ramp.imag - 1) == pytest.approx((2 + 4) * 64)


def test_ladders_end_at_the_bottleneck() -> None:
    for N, widths in model.ENCODER.items():
        assert widths[-1] == model.BOTTLENECK and N // 2 ** len(widths) == 8
        assert 8 * 2 ** len(model.DECODER[N]) == N // 2
        assert model.halvings(model.encoder(N, 2, 4), 4, 256) == len(widths)


def test_kernels_are_read_in_either_layout() -> None:
    assert model.kernels([(32, 4, 3, 3), (32,), (64, 32, 1, 1)]) == model.kernels([(3, 3, 4, 32), (5, 5, 4, 32)])
    assert model.encoder(64, 1, 4)[4, 32] == 1 and model.decoder(64, 1) == {(128, 64): 1, (64, 64): 1, (64, 32): 1, (32, 32): 1}
    assert model.halvings(model.encoder(128, 1, 4), 5, 128) == -1


def test_awkward_arrays_are_awkward() -> None:
    images = motions.canvases(2, 9)

    assert not motions.read_only(images).flags.writeable
    assert not motions.strided(images).flags.c_contiguous and (motions.strided(images) == images).all()


def test_offsets_are_whole_fractional_half_and_off() -> None:
    whole, half, fraction, far, same = (motions.group_offsets(k, 3, 4) for k in ("whole", "half", "fraction", "far", "same"))

    assert (whole % 1 == 0).all() and (half % 0.5 == 0).all() and (half % 1 != 0).any()
    assert ((fraction % 0.5 != 0).any(axis=(1, 2, 3))).all() and np.abs(far).max() > 20 and not same.any()
    assert whole[..., 0].std() > whole[..., 1].std()


def test_container_matches_its_labels_and_positions() -> None:
    source = networks.container(2, n=5)
    exits = source.Y.transpose(0, 3, 1, 2)[:, :, None] * source.probe
    amplitude = physics.diffract(source.Y.transpose(0, 3, 1, 2), source.probe[None, None, None])

    assert len(source) == 5 and source.X.shape == (5, 64, 64, 4) and source.coords_relative.shape == (5, 1, 2, 4)
    assert exits.shape == (5, 4, 1, 64, 64)
    ratio = source.X.transpose(0, 3, 1, 2) / amplitude
    assert np.allclose(ratio, ratio.mean(), rtol=2e-2)


def test_grouped_mapping_keeps_the_rule_of_its_offsets() -> None:
    groups = networks.grouped(2)

    assert np.allclose(groups["coords_relative"], -(groups["coords_nn"] - groups["coords_offsets"]))
    assert networks.ring(64).sum() == 64 * 64 - 32 * 32
