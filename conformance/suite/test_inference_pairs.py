"""INFER: an image, in circumstances in which every two values of two axes meet; patterns without light among others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conformance.judging.observe import Observer
from conformance.scenes import images
from conformance.scenes import pairs_of_images as pairs
from conformance.scenes.runs import BASE

UNEVEN = np.resize([8.0, 0.0, 1.0, 0.5], BASE.groups).reshape(-1, 1, 1, 1)
"""Factors of the groups of a container: a quarter of them is dark."""


@pytest.mark.slow
@pytest.mark.clause("INFER-003~1", "INFER-004~1", "INFER-008~1", needs=("INFER-005", "MODEL-021"))
@pytest.mark.parametrize("row", range(pairs.COUNT), ids=lambda number: f"row{number}")
def test_an_image_is_made_of_the_modules_patches(backend: Any, observe: Observer, tmp_path: Path, row: int) -> None:
    """At the places of the scan, turned as asked, whatever was drawn, masked or opened. If this fails, suspect a turn that
    another undoes, or a batch that is left over.
    """
    seen = pairs.looked_at(backend, tmp_path, pairs.rows()[row])

    observe.equal("exposures without a patch", seen.missing, [], clause="INFER-008")
    observe.close("patches", seen.patches, seen.own, clause="INFER-008")
    observe.close("places", seen.offsets, seen.places, clause="INFER-004")
    observe.close("image", seen.image, seen.stitched, clause="INFER-003", dtype="complex64")


@pytest.mark.slow
@pytest.mark.clause("INFER-009~1", evidence="differential", needs=("INFER-003",))
def test_dark_patterns_have_their_part_in_the_scale(backend: Any, observe: Observer) -> None:
    """The mean energy is that of all patterns. If this fails, suspect a scale of each batch, or of patterns with light."""
    container = images.scaled_container(backend, BASE, UNEVEN)

    image = images.afresh(backend, BASE, container, M=20)

    expected = images.expected_patches(backend, BASE, container), images.expected_offsets(container)
    observe.close("patches", images.apart(image.patches, images.paired(image, *expected)[0]), 0.0)


@pytest.mark.slow
@pytest.mark.clause("INFER-009~1", evidence="symmetry", needs=("INFER-003",))
def test_a_scale_that_a_container_states_is_not_taken(backend: Any, observe: Observer) -> None:
    """The patterns tell it. If this fails, suspect a scale that was right when the container was made."""
    container = images.scaled_container(backend, BASE, 1.0)

    found, owed = (images.afresh(backend, BASE, images.stating_scale(container, scale), M=20) for scale in (3.0, None))

    observe.close("image", images.apart(found.field, owed.field), 0.0)
