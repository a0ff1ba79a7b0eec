"""Freedoms of the guards around the numeric stack."""

from __future__ import annotations

from conformance.defects.changes import every, source
from conformance.twins import rows

CHILDREN = ("POLICY-005:no_module_survives_the_absence_of_a_torch_it_asked_for",)


twin = rows(__name__)
# A row is a freedom: its id, what is free, the files whose checks stay green; what is planted.
# fmt: off
twin("TWIN-GUARD-OF-ITS-OWN-CLASS", "the missing stack is a subclass of RuntimeError with advice on several lines", *CHILDREN,
    files=("test_policy",),
    plant=every(source("policy.py", "def require_torch() -> None:\n",
            "class MissingStack(RuntimeError):\n    pass\n\n\ndef require_torch() -> None:\n"),
        source("policy.py", "        raise RuntimeError(\n", '        raise MissingStack(\n            "reference_impl\\n  "\n')))
