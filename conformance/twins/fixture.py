"""Freedoms of the minimal record."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np

from conformance.planting import Plant
from conformance.twins import twin
from fixtures import minimal_dataset


@twin(
    "TWIN-compressed-record", "the record is compressed, its description has further keys and another order",
    files=["test_fixture"], checks=["FIXTURE-001:the_record_is_made_where_it_is_absent", "FIXTURE-007:a_backend_reads_it"],
)  # fmt: skip
def the_record_is_compressed(plant: Plant) -> None:
    described = json.loads(minimal_dataset.DESCRIPTION.read_text(encoding="utf-8"))
    text = json.dumps({"remark": "further", **dict(reversed(described.items()))})
    plant.constant(
        minimal_dataset, "DESCRIPTION", SimpleNamespace(name="minimal_dataset_v1.json", read_text=lambda **options: text)
    )
    plant.constant(minimal_dataset, "write", lambda arrays, path: np.savez_compressed(path, **arrays))
