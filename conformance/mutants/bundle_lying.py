"""A defect of weights that lie in another order."""

from __future__ import annotations

from typing import Any

import numpy as np

from conformance.defects.changes import method
from conformance.mutants import rows
from reference_impl.stored import tensors

LYING = "BUNDLE-024:weights_may_lie_in_another_order"


def numbers_one_after_the_other(original: Any, self: Any, storage: Any, offset: int, size: Any, stride: Any, *rest: Any) -> Any:
    steps = tuple(int(np.prod(size[i + 1 :])) for i in range(len(size)))
    return original(self, storage, offset, size, steps, *rest)


mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
mutant("GUARD-BUNDLE-024b", "weights are read one after the other, however they lie", LYING,
    plant=method(tensors._Contents, "_tensor", numbers_one_after_the_other))
