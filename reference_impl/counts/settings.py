"""What a training on counts is asked for, and which requests contradict themselves (CISCALE-001)."""

from __future__ import annotations

from dataclasses import dataclass

from reference_impl.config import TrainingConfig
from reference_impl.errors import ContractError

COUNTS = ("ci_intensity_v2", "count_intensity")
PAIRS = (COUNTS, ("legacy_v1", "normalized_amplitude"))
"""`(scale_contract_version, measurement_domain)`: neither means anything without the other."""
NAMES = "scale_contract_version, measurement_domain"
FORWARD = ("amplitude", "rectangular_scaled")
STARTS = ("ones", "data")


@dataclass(frozen=True)
class CountSettings:
    """A canonical training configuration and what counts need besides. Raises `ContractError` where the two do not go together.

    `rect_s1s2_init`: the factors of the object's two parts begin at one, or where the first batch of training has the light that
    was measured (CISCALE-008); with `rect_s1s2_trainable` they are trained from there.
    """

    config: TrainingConfig
    scale_contract_version: str | None = None
    measurement_domain: str | None = None
    physics_forward_mode: str = "rectangular_scaled"
    rect_s1s2_trainable: bool = False
    rect_s1s2_init: str = "data"

    def __post_init__(self) -> None:
        pair = (self.scale_contract_version, self.measurement_domain)
        if pair not in PAIRS:
            expected = " or ".join(f"({', '.join(known)})" for known in PAIRS)
            raise ContractError(field=NAMES, expected=expected, found=f"({pair[0]}, {pair[1]})")
        for name, value, known in (
            ("physics_forward_mode", self.physics_forward_mode, FORWARD),
            ("rect_s1s2_init", self.rect_s1s2_init, STARTS),
        ):
            if value not in known:
                raise ContractError(field=name, expected=f"one of {known}", found=repr(value))
        if self.absolute:
            self._refuse_other_models()

    @property
    def absolute(self) -> bool:
        """Whether counts are meant, not normalised amplitudes."""
        return (self.scale_contract_version, self.measurement_domain) == COUNTS

    def _refuse_other_models(self) -> None:
        model = self.config.model
        for name, found, wanted in (
            ("physics_forward_mode", self.physics_forward_mode, "rectangular_scaled"),
            ("model_type", model.model_type, "pinn"),
            ("torch_loss_mode", self.config.torch_loss_mode, "poisson"),
            ("generator_output_mode (real/imag)", model.generator_output_mode, "real_imag"),
        ):
            if found != wanted:
                raise ContractError(field=name, expected=f"{wanted!r} with {COUNTS[1]}", found=repr(found))
