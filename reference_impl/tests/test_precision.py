"""What the convolutions run in where nobody says."""

from __future__ import annotations

import argparse

import pytest
import torch

from reference_impl.cli.precision import multiplies_bf16, settle_precision


def flags(**given: object) -> argparse.Namespace:
    return argparse.Namespace(**{"precision": None, "channels_last": False, "accelerator": "cpu", "device": None, **given})


@pytest.fixture(params=[True, False])
def units(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """A processor that multiplies bf16, and one that does not."""
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": request.param, "avx2": True}, raising=False)
    return request.param


@pytest.mark.parametrize("given", [{}, {"accelerator": "auto", "device": "cpu"}])
def test_the_processor_decides_where_nobody_does(units: bool, given: dict[str, object]) -> None:
    args = flags(**given)
    said = settle_precision(args)

    assert (args.precision, args.channels_last) == (("bf16-mixed", True) if units else ("32-true", False))
    assert ("bf16" in said and "--precision 32-true" in said) == units


@pytest.mark.parametrize("given", [{"accelerator": "gpu"}, {"accelerator": "auto", "device": "cuda"}, {"precision": "32-true"}])
def test_other_devices_and_what_is_typed_stay(units: bool, given: dict[str, object]) -> None:
    args = flags(**given)

    assert settle_precision(args) == "" and (args.precision, args.channels_last) == ("32-true", False)


def test_a_torch_that_does_not_tell_counts_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)

    assert multiplies_bf16() is False
