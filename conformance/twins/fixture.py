"""Freedoms of the minimal record."""

from __future__ import annotations

from conformance.defects.planting import Plant
from conformance.twins import rows

GENERATOR = "simulation/minimal_dataset.py"
TOLD = 'return DESCRIPTION.read_text(encoding="utf-8")'


def the_record_is_compressed(plant: Plant) -> None:
    turned = 'json.dumps({"remark": "further", **dict(reversed(json.loads(DESCRIPTION.read_text()).items()))})'
    plant.source(GENERATOR, TOLD, f"return {turned}")
    plant.source(GENERATOR, "np.savez(stream", "np.savez_compressed(stream")


twin = rows(__name__)
# A row is a freedom: its id, what is free, the files whose checks stay green; what is planted.
# fmt: off
twin("TWIN-compressed-record", "the record is compressed, its description has further keys and another order",
    "FIXTURE-001:the_record_is_made_where_it_is_absent", "FIXTURE-007:a_backend_reads_it", files=["test_fixture"],
    plant=the_record_is_compressed)
