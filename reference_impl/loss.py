"""What training minimises: a data term on detector amplitudes and regularisers on the object (specs/loss.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from reference_impl.policy import require_torch

require_torch()

import torch  # noqa: E402

from reference_impl.errors import ContractError  # noqa: E402
from reference_impl.model.forward import as_complex, per_sample  # noqa: E402

RATE_EPSILON = 1e-12
"""Added to the rate inside the logarithm: finite for a dark prediction, and below float32's resolution of any rate above 1e-5."""
MEAN_EPSILON = 1e-8
"""Added to the mean amplitude that the data term is divided by (LOSS-002)."""
SUPERVISED_WEIGHTS = (2.0, 4.0)
"""Amplitude and phase (LOSS-007)."""
SOLVED_WEIGHT = 2.0
"""A relative error of solved labels weighs twice as much as the same relative error of amplitudes does with `mode = 'mae'`."""


def poisson_nll(predicted: torch.Tensor, measured: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
    """Batch mean of `Σ_{C,H,W} λ - y·ln λ + lnΓ(y + 1)`, `λ = (S·Â)²`, `y = (S·x)²` (LOSS-001, LOSS-003); a scalar, float32.

    `predicted`, `measured` `(B, C, N, N)` amplitudes; `scale` `S`, `(B, 1, 1, 1)`, `(B,)` or a scalar. Summed in float64: the
    value is a small difference of large terms.
    """
    scale = scale if scale.ndim == 0 else per_sample(scale, "physics_scaling_constant")
    wide = torch.float32 if predicted.device.type == "mps" else torch.float64  # MPS has no float64
    rate = (scale * predicted).to(wide).square()
    with torch.no_grad():
        count = (scale * measured).to(wide).square()
        log_factorial = torch.lgamma(count + 1).sum()
    total = (rate - count * torch.log(rate + RATE_EPSILON)).sum() + log_factorial
    return (total / len(predicted)).to(predicted.dtype)


def mae(predicted: torch.Tensor, measured: torch.Tensor) -> torch.Tensor:
    """Batch mean of `Σ_{C,H,W} |Â - x|` on amplitudes `(B, C, N, N)`, neither squared nor scaled (LOSS-006)."""
    return (predicted - measured).abs().sum() / len(predicted)


def supervised(amplitude: torch.Tensor, phase: torch.Tensor, label_amp: torch.Tensor, label_phase: torch.Tensor) -> torch.Tensor:
    """Batch mean of `2·Σ|A - label_amp| + 4·Σ|φ - label_phase|`, all `(B, C, N, N)` (LOSS-007)."""
    on_amplitude, on_phase = SUPERVISED_WEIGHTS
    return on_amplitude * mae(amplitude, label_amp) + on_phase * mae(phase, label_phase)


def total_variation(patches: torch.Tensor) -> torch.Tensor:
    """Mean `|O(x+1, y) - O(x, y)|` plus mean `|O(x, y+1) - O(x, y)|` of `(B, C, N, N)` real or complex patches (LOSS-030)."""
    return patches.diff(dim=-1).abs().mean() + patches.diff(dim=-2).abs().mean()


def complex_mae(patches: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Mean `|O - O_label|` over samples, channels and pixels of complex `(B, C, N, N)` (LOSS-030)."""
    return (patches - labels).abs().mean()


def lit_distance(patches: torch.Tensor, labels: torch.Tensor, light: torch.Tensor) -> torch.Tensor:
    """Mean over samples and channels of `min_g ‖g·O - L‖ / ‖L‖`, pixels weighted by their `light`; a scalar in 0 to 1.

    `patches` `O`, `labels` `L` `(B, C, N, N)` complex; `light` `(B|1, C|1, N, N)`. What no photon saw counts for nothing, and
    one complex factor `g` a patch is free: its phase is in no pattern, and its modulus the data term sees.
    """

    def product(one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        return (light * one.conj() * other).sum(dim=(-2, -1), keepdim=True)

    tiny = torch.finfo(torch.float32).tiny
    with torch.no_grad():  # at the best factor its own change adds nothing to the gradient
        factor = product(patches, labels) / product(patches, patches).real.clamp_min(tiny)
        square = product(labels, labels).real.clamp_min(tiny)
    left = factor * patches - labels
    return (product(left, left).real / square + LIT_EPSILON).sqrt().mean()


LIT_EPSILON = 1e-8
"""Inside the root: its slope stays finite where a patch equals its label; 1e-4 is below what labels are known to."""


@dataclass(frozen=True)
class Objective:
    """The total loss: `data/(mean(x) + 1e-8) + realspace·TV + realspace_mae·E` (decision 6, LOSS-002, LOSS-030).

    Where a batch says how much light its labels had (`label_light`: a solver made them), `2·C·N²·lit_distance` is added.
    `data = nll·D + mae·MAE`; `D` is the Poisson likelihood, the absolute error (`mode = 'mae'`) or the distance from labels
    (`supervise`). A term of weight 0 is not computed.
    """

    nll: float
    mae: float
    realspace: float
    realspace_mae: float
    mode: str
    supervise: bool

    def __post_init__(self) -> None:
        if self.mode not in ("poisson", "mae"):
            raise ContractError(field="torch_loss_mode", expected="one of ['mae', 'poisson']", found=repr(self.mode))

    def name(self, stage: str) -> str:
        """`poisson_train_loss` and its kin; `stage` is `train` or `val` (LOSS-010)."""
        return f"{'mae' if self.supervise else self.mode}_{stage}_loss"

    def __call__(
        self,
        predicted: torch.Tensor,
        amplitude: torch.Tensor,
        phase: torch.Tensor,
        fields: Mapping[str, torch.Tensor],
        mean: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """A scalar from the model's three outputs `(B, C, N, N)` and a batch's fields. Raises `ContractError` without labels.

        `mean`: the mean measured amplitude of the whole batch, where these are a part of it; None for their own.
        """
        self._refuse_nothing(fields)
        predicted, measured = kept(predicted, fields), kept(fields["images"], fields)
        data = self.nll * self._data_term(predicted, amplitude, phase, fields) if self.nll else predicted.new_zeros(())
        if self.mae:
            data = data + self.mae * mae(predicted, measured)
        total = data / ((_mean(measured, fields) if mean is None else mean) + MEAN_EPSILON)
        if self.realspace:
            total = total + self.realspace * total_variation(as_complex(amplitude, phase))
        if self.realspace_mae:
            labels = as_complex(*_labels(fields, "realspace_mae_weight > 0"))
            total = total + self.realspace_mae * complex_mae(as_complex(amplitude, phase), labels)
        if "label_light" in fields.keys():
            labels = as_complex(*_labels(fields, "label_light"))
            distance = lit_distance(as_complex(amplitude, phase), labels, fields["label_light"])
            total = total + SOLVED_WEIGHT * amplitude[0].numel() * distance
        return total

    def _refuse_nothing(self, fields: Mapping[str, torch.Tensor]) -> None:
        if not (self.nll or self.mae or self.realspace or self.realspace_mae or "label_light" in fields.keys()):
            names = "nll_weight, mae_weight, realspace_weight, realspace_mae_weight"
            raise ContractError(field=names, expected="one of them above 0, to train by", found="0 each")

    def _data_term(
        self, predicted: torch.Tensor, amplitude: torch.Tensor, phase: torch.Tensor, fields: Mapping[str, torch.Tensor]
    ) -> torch.Tensor:
        if self.supervise:
            return supervised(amplitude, phase, *_labels(fields, "supervised training (DATA-SUP-001)"))
        measured = kept(fields["images"], fields)
        if self.mode == "mae":
            return mae(predicted, measured)
        return poisson_nll(predicted, measured, fields["physics_scaling_constant"])


def kept(amplitudes: torch.Tensor, fields: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """Amplitudes `(B, C, N, N)` with zeros where the batch's `mask` hides a pixel (LOSS-012); as they are without one.

    A pixel that is zero in prediction and measurement adds nothing to any data term, nor to its gradient.
    """
    # keys(): a TensorDict iterates over its rows, not its names.
    return torch.where(fields["mask"], amplitudes, amplitudes.new_zeros(())) if "mask" in fields.keys() else amplitudes


def light_of(fields: Mapping[str, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
    """The sum of the measured amplitudes of a batch over its good pixels, and their number; float64."""
    measured = kept(fields["images"], fields)
    good = fields["mask"].expand_as(measured) if "mask" in fields.keys() else torch.ones_like(measured, dtype=torch.bool)
    wide = torch.float32 if measured.device.type == "mps" else torch.float64
    return measured.sum(dtype=wide), good.sum().to(wide)


def _mean(measured: torch.Tensor, fields: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """The mean amplitude over the good pixels of the batch (LOSS-002, LOSS-012)."""
    return measured.sum() / fields["mask"].expand_as(measured).sum() if "mask" in fields.keys() else measured.mean()


def _labels(fields: Mapping[str, torch.Tensor], because: str) -> tuple[torch.Tensor, torch.Tensor]:
    # keys(): a TensorDict iterates over its rows, not its names.
    missing = [name for name in ("label_amp", "label_phase") if name not in fields.keys()]
    if missing:
        raise ContractError(field=", ".join(missing), expected=f"labels (B, C, N, N) for {because}", found="a batch without them")
    return fields["label_amp"], fields["label_phase"]
