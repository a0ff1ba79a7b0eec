"""The forward model beyond the contract: exactness, dark pixels, precision, gradients, errors."""

from __future__ import annotations

import pytest
import torch

from reference_impl import physics
from reference_impl.errors import ContractError

N, M = 16, 20


def patches(B: int, C: int, seed: int = 1, dtype: torch.dtype = torch.complex64) -> torch.Tensor:
    return torch.randn(B, C, N, N, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def offsets(B: int, C: int, seed: int = 2) -> torch.Tensor:
    return 1.5 * torch.randn(B, C, 1, 2, generator=torch.Generator().manual_seed(seed))


def probe(P: int = 1) -> torch.Tensor:
    return patches(1, P, seed=3).unsqueeze(1)


def test_half_a_pixel_is_the_mean_of_two() -> None:
    image = torch.arange(12.0).reshape(1, 3, 4)

    moved = physics.translate(image, torch.tensor([[0.5, 0.0]]))

    assert torch.equal(moved[0, :, 1:], (image[0, :, 1:] + image[0, :, :-1]) / 2)
    assert torch.equal(moved[0, :, 0], image[0, :, 0] / 2)


def test_float64_stays_float64() -> None:
    assert physics.translate(torch.rand(2, 5, 7, dtype=torch.float64), torch.zeros(2, 2)).dtype == torch.float64
    assert physics.merge(patches(2, 4, dtype=torch.complex128), offsets(2, 4), M).dtype == torch.complex128


def test_autocast_does_not_reach_the_physics() -> None:
    images, moves = torch.rand(3, 9, 9), torch.full((3, 2), 0.3)
    field, moved = patches(2, 4), offsets(2, 4)

    with torch.autocast("cpu", dtype=torch.bfloat16):
        under = (physics.translate(images, moves), physics.extract(physics.merge(field, moved, M), moved, N))

    assert torch.equal(under[0], physics.translate(images, moves))
    assert torch.equal(under[1], physics.extract(physics.merge(field, moved, M), moved, N))


def test_the_merge_is_its_definition() -> None:
    field, moved = patches(2, 4), offsets(2, 4)
    left = (M - N) // 2
    window = torch.zeros(8, N, N)
    window[:, N // 4 : -(N // 4), N // 4 : -(N // 4)] = 1
    padded = [torch.nn.functional.pad(each, [left, M - N - left] * 2) for each in (field.reshape(8, N, N), window)]

    images, weights = (physics.translate(each, -moved.reshape(8, 2)).reshape(2, 4, M, M) for each in padded)
    count = weights.sum(1)
    truth = (images * weights).sum(1) / (count + 1e-3) * (count > 1e-6)

    torch.testing.assert_close(physics.merge(field, moved, M)[:, 0], truth, rtol=0, atol=2e-6)


def test_extraction_is_translation_and_trim() -> None:
    canvas, moved = patches(2, 1), offsets(2, 3)
    inner = N - 3

    whole = physics.translate(canvas.expand(-1, 3, -1, -1).reshape(6, N, N), moved.reshape(6, 2))

    truth = whole[:, 1 : 1 + inner, 1 : 1 + inner].reshape(2, 3, inner, inner)
    torch.testing.assert_close(physics.extract(canvas, moved, inner), truth)


def test_a_dark_field_has_a_finite_gradient() -> None:
    field = torch.zeros(2, 1, N, N, dtype=torch.complex64, requires_grad=True)

    for modes in (1, 2):
        physics.diffract(field, probe(modes)).sum().backward()

    assert torch.isfinite(torch.view_as_real(field.grad)).all()


def test_positions_carry_gradients() -> None:
    moves = torch.tensor([[0.3, -0.4]], dtype=torch.float64, requires_grad=True)
    image = torch.rand(1, 8, 8, dtype=torch.float64)

    assert torch.autograd.gradcheck(lambda where: physics.translate(image, where), moves)


def test_a_chain_of_gradients_is_right() -> None:
    field = patches(1, 2, dtype=torch.complex128)[..., :6, :6].contiguous().requires_grad_()
    moved = offsets(1, 2).double()
    beam = probe(2)[..., :6, :6].to(torch.complex128)

    def amplitude(each: torch.Tensor) -> torch.Tensor:
        return physics.diffract(physics.extract(physics.merge(each, moved, 8), moved, 6), beam)

    assert torch.autograd.gradcheck(amplitude, field)


def test_smoothing_damps_the_far_field_and_keeps_its_sum() -> None:
    wave = torch.zeros(1, 1, 1, N, N, dtype=torch.complex64)
    wave[..., 7, 9] = 1 + 1j

    blurred = physics.smooth(wave, 0.8)

    torch.testing.assert_close(blurred.sum(), wave.sum(), rtol=1e-4, atol=0)
    assert physics.propagate(blurred)[..., 0, 0] < 0.05 * physics.propagate(wave)[..., 0, 0]
    assert physics.smooth(wave, 0.0) is wave


@pytest.mark.parametrize("shape", [(N, N), (2, N, N), (2, 1, N, N), (2, 1, 1, N, N + 1), (3, 1, 1, N, N), (2, 1, 0, N, N)])
def test_a_probe_of_another_layout_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(physics.ProbeLayoutError, match=r"\(B, C, P, H, W\).*PROBE-RANK-001") as caught:
        physics.diffract(patches(2, 4), torch.zeros(shape, dtype=torch.complex64))

    assert str(shape) in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("call", "field"),
    [
        (lambda: physics.translate(torch.rand(3, 4), torch.zeros(3, 2)), "images"),
        (lambda: physics.translate(torch.rand(3, 4, 4), torch.zeros(2, 2)), "offsets"),
        (lambda: physics.merge(patches(2, 4), offsets(2, 3), M), "offsets"),
        (lambda: physics.merge(patches(2, 4), offsets(2, 4), N - 1), "canvas side"),
        (lambda: physics.extract(patches(2, 4), offsets(2, 4), N), "canvas"),
        (lambda: physics.smooth(patches(1, 1), -1.0), "gaussian_smoothing_sigma"),
        (lambda: physics.observe_photons(torch.tensor([float("nan")])), "amplitude"),
        (lambda: physics.observe_photons(torch.tensor([-1.0])), "amplitude"),
        (lambda: physics.simulation_scale(torch.zeros(2, N, N), 1e3), "exit_wave"),
        (lambda: physics.simulation_scale(torch.ones(2, N, N), 0.0), "nphotons"),
    ],
)
def test_bad_input_is_named_in_one_line(call: object, field: str) -> None:
    with pytest.raises(ContractError, match=field) as caught:
        call()

    assert "\n" not in str(caught.value)
