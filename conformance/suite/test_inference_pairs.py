"""INFER: an image, in circumstances in which every two values of two axes meet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from conformance.judging.observe import Observer
from conformance.scenes import pairs_of_images as pairs


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
