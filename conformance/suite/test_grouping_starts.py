"""GROUP: start coordinates of a mapping, whatever a record says of its starts."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.connectors import native
from conformance.judging.observe import Observer
from conformance.oracles import grouping as oracle
from conformance.scenes import groups


@pytest.mark.clause("GROUP-021~1", evidence="differential")
@pytest.mark.parametrize("g", [1, 2], ids=["g1", "g2"])
@pytest.mark.parametrize("case", groups.STARTS)
def test_a_mapping_has_the_starts_of_its_record(backend: Any, observe: Observer, case: str, g: int) -> None:
    """Its coordinates, where none are stated (DATA-007). If this fails, suspect starts that are left out as no news."""
    given = groups.starting(case)

    mapping = backend.group(backend.record(**groups.stated_starts(case)), N=groups.N, K=6, nsamples=9, gridsize=g, seed=4)

    members = groups.indices(mapping, len(given["xcoords"]))
    truth = groups.positions(given, "coords_start", members)
    observe.equal("places", native.array(native.item(mapping, "coords_start_nn")), truth)
    observe.close("centre", native.array(native.item(mapping, "coords_start_offsets")), oracle.centre(truth), dtype="float64")
    observe.close(
        "relative", native.array(native.item(mapping, "coords_start_relative")), oracle.relative(truth), dtype="float64"
    )
