"""Stitching with phases that patches agree upon, and with the light that they had."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from reference_impl.errors import ContractError
from reference_impl.inference import agreed, stitch, stitch_lit, synchronised
from reference_impl.tests.test_results import LIGHT, PATCHES, PLACES


def test_synchronised_results_hold_what_was_stitched() -> None:
    """The images are those of the turned patches; places, and what else there was, stay."""
    drawn = np.exp(2j * np.pi * np.random.default_rng(1).random(len(PATCHES)))
    turned = (PATCHES * drawn[:, None, None, None]).astype(np.complex64)
    found = synchronised({"obj_tensor_full": turned, "global_offsets": PLACES, "kept": 1}, 20, LIGHT)
    placed, light = torch.from_numpy(PLACES), torch.from_numpy(LIGHT)
    again, plain = (
        stitch_lit(torch.from_numpy(patches), placed, 20, light).numpy() for patches in (found["obj_tensor_full"], PATCHES)
    )
    image = found["recon_amp"] * np.exp(1j * found["recon_phase"])
    assert found["kept"] == 1 and np.array_equal(found["recon_amp"], np.abs(again))
    factor = np.vdot(image, plain) / np.vdot(image, image)
    assert np.linalg.norm(factor * image - plain) < 0.03 * np.linalg.norm(plain)


def test_patches_are_turned_where_their_phases_are_free_alone() -> None:
    """Turned ones are brought together and keep their common phase; those that agree come back as they are."""
    drawn = np.exp(0.9j * np.random.default_rng(1).standard_normal(len(PATCHES)))
    turned = (PATCHES * drawn[:, None, None, None]).astype(np.complex64)

    found = agreed(turned, PLACES, 20, LIGHT)

    factors = np.sum(PATCHES.conj() * found, axis=(1, 2, 3)) / np.sum(np.abs(PATCHES) ** 2, axis=(1, 2, 3))
    assert np.abs(factors - factors.mean()).max() < 0.2 and np.abs(np.angle(np.vdot(turned, found))) < 0.3
    assert agreed(PATCHES, PLACES, 20, LIGHT) is PATCHES
    with pytest.raises(ContractError, match="offsets"):
        agreed(turned, PLACES[1:], 20)


def test_light_weighs_what_is_stitched() -> None:
    """All alike it is the mean of INFER-005; where one patch alone was lit, it alone shows."""
    flat, placed = torch.ones(PATCHES.shape[1:3]), torch.from_numpy(PLACES)
    even = stitch_lit(torch.from_numpy(PATCHES), placed, 20, flat)
    torch.testing.assert_close(even, stitch(torch.from_numpy(PATCHES), placed, 20), rtol=1e-5, atol=1e-6)

    two = torch.stack([torch.ones(8, 8), 3 * torch.ones(8, 8)])[..., None].to(torch.complex64)
    light = torch.zeros(8, 8)
    light[:, 4:] = 1
    offsets = torch.tensor([[[[0.0, 0.0]]], [[[4.0, 0.0]]]], dtype=torch.float64)
    found = stitch_lit(two, offsets, 8, light)
    assert set(np.unique(found.real.numpy().round(5))) == {0.0, 1.0, 3.0}
    with pytest.raises(ContractError, match="light"):
        stitch_lit(two, offsets, 8, -light)
