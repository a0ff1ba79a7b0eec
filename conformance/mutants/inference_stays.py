"""Defects of judgements that change what they judge, or tell another thing the second time."""

from __future__ import annotations

from typing import Any

import numpy as np

from conformance.defects.changes import function
from conformance.mutants import rows
from reference_impl.evaluate import figures as evaluated
from reference_impl.inference import agreement

STAYS = "INFER-064:a_judgement_changes_nothing"


def patches_are_turned_in_place(original: Any, patches: np.ndarray, *given: Any) -> Any:
    patches[...] = original(patches, *given)
    return patches


def the_order_is_drawn_from_the_process(original: Any, patches: np.ndarray, *given: Any) -> Any:
    found = original(patches, *given)
    return type(found)(found.plain, found.aligned, found.shuffled + 1e-3 * np.random.random(), found.overlapping)


def planes_are_compared_about_their_mean(original: Any, image: np.ndarray, truth: np.ndarray) -> Any:
    found = original(image, truth)
    image *= np.exp(-1j * np.angle(image.mean()))
    return found


mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
mutant("GUARD-INFER-064", "patches are turned in place", f"{STAYS}[agreed]",
    plant=function(agreement.agreed, patches_are_turned_in_place))
mutant("GUARD-INFER-064b", "the shuffled order is drawn from the process's own generator", f"{STAYS}[disagreement]",
    plant=function(agreement.disagreement, the_order_is_drawn_from_the_process))
mutant("GUARD-INFER-064c", "an object that was compared has another phase", f"{STAYS}[compared]",
    plant=function(evaluated.compared, planes_are_compared_about_their_mean))
