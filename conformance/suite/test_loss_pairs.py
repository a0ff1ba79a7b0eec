"""LOSS: the sum of all terms, in circumstances in which every two values of two axes meet."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.judging.observe import Observer
from conformance.scenes import pairs_of_terms as pairs


@pytest.mark.slow
@pytest.mark.clause("LOSS-030~2", evidence="differential", needs=("LOSS-002", "LOSS-006", "MODEL-020"))
@pytest.mark.parametrize("row", range(pairs.COUNT), ids=lambda number: f"row{number}")
def test_the_loss_is_the_sum_of_its_terms(backend: Any, observe: Observer, row: int) -> None:
    """Of the module's own prediction, whatever is masked, scaled or merged. If this fails, suspect a term that one of two
    options leaves out, or a mean over other pixels than the sums.
    """
    found, owed = pairs.total(backend, pairs.rows()[row])

    observe.close("loss", found, owed)
