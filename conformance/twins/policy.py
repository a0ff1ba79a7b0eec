"""Freedoms of the guards around the numeric stack."""

from __future__ import annotations

from conformance.defects.planting import Plant
from conformance.twins import twin

CHILDREN = ("POLICY-005:no_module_survives_the_absence_of_a_torch_it_asked_for",)


@twin(
    "TWIN-GUARD-OF-ITS-OWN-CLASS",
    "the missing stack is a subclass of RuntimeError with advice on several lines",
    files=("test_policy",),
    checks=CHILDREN,
)
def the_guard_raises_a_class_of_its_own(plant: Plant) -> None:
    own = "class MissingStack(RuntimeError):\n    pass\n\n\ndef require_torch() -> None:\n"
    plant.source("policy.py", "def require_torch() -> None:\n", own)
    plant.source("policy.py", "        raise RuntimeError(\n", '        raise MissingStack(\n            "reference_impl\\n  "\n')
