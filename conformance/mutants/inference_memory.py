"""Defects of who knows arrays by the memory in which they lie: others in the same place are taken for those that lay there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from conformance.defects.changes import constant, whole
from conformance.mutants import rows
from reference_impl.batch import ensure_container
from reference_impl.engine.problem import problem_of
from reference_impl.inference import reassemble


def place_of(data: Any) -> int:
    """Where the patterns of a record lie; a container is known by itself."""
    return np.asarray(data.diff3d).__array_interface__["data"][0] if hasattr(data, "diff3d") else id(data)


def kept_by_memory(original: Callable[..., Any]) -> Callable[..., Any]:
    """`original`, asked once for each place in memory of a record's patterns and the rest that it is given."""
    known: dict[Any, Any] = {}

    def answer(data: Any, *given: Any, **options: Any) -> Any:
        key = place_of(data), repr((given, options))
        if key not in known:
            known[key] = original(data, *given, **options), data  # kept too: freed memory would be handed out again
        return known[key][0]

    return answer


mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
mutant("GUARD-INFER-047b", "the engine prepares patterns once for the memory that they lie in",
    "INFER-047:a_pass_hears_every_pattern",
    plant=whole(problem_of, kept_by_memory))
mutant("GUARD-INFER-049c", "patterns that were changed in their place are reconstructed as they were",
    "INFER-049:a_reconstruction_knows_nothing_of_the_last_one[patterns]",
    plant=constant(reassemble, "ensure_container", kept_by_memory(ensure_container)))
