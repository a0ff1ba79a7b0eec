"""Freedoms of what is judged before data are used: order and words of findings."""

from __future__ import annotations

from conformance.defects.changes import method, result
from conformance.twins import rows
from reference_impl.data.report import Report

FILES = ("test_data_judged",)


def in_other_words(found):
    told = [{**row, "found": row["found"] and f"Look here: {row['found']}, say the figures"} for row in found["checked"]]
    return {**found, "checked": told[::-1]}


twin = rows(__name__)

twin(
    "TWIN-findings-in-other-words",
    "findings stand in another order and in other words",
    files=FILES,
    plant=method(Report, "plain", result(in_other_words)),
)
twin(
    "TWIN-another-error-first",
    "another error is told first",
    files=FILES,
    plant=method(Report, "errors", result(lambda found: found[::-1])),
)
