"""Freedoms of what is judged before data are used: order and words of findings."""

from __future__ import annotations

import re

from conformance.defects.changes import answer, method, result
from conformance.twins import rows
from reference_impl.data.report import Report

FILES = ("test_data_judged",)


def in_other_words(found):
    told = [{**row, "found": row["found"] and f"Look here: {row['found']}, say the figures"} for row in found["checked"]]
    return {**found, "checked": told[::-1]}


def nobody_has_answered(found):
    told = [{**row, "state": row["state"] if row["state"] in ("ok", "accepted") else "open"} for row in found["checked"]]
    return {**found, "checked": told}


def in_few_words(said):
    ways = {"counts; their root was taken": "counts", "the file's metadata": "the file's own number"}

    def shorter(text):
        for long, short in ways.items():
            text = text.replace(long, short)
        return text

    return {name: tuple(map(shorter, pair)) for name, pair in said.items()}


def in_other_units(found):
    """Shares of a layout as ratios, memory in bytes."""
    ways = {"layout": (r"([\d.]+) %", lambda share: f"{float(share[1]) / 100:.3g}"),
            "canvas": (r"([\d.e+]+) GiB", lambda memory: f"{float(memory[1]) * 2**30:.6g} bytes")}  # fmt: skip
    told = [(row, ways.get(row["name"], ("^$", ""))) for row in found["checked"]]
    return {**found, "checked": [{**row, "found": row["found"] and re.sub(*way, row["found"])} for row, way in told]}


def a_note_comes_first(original, raw, **settings):
    found = [{**one, "more": "the manual"} for one in original(raw, **settings)]
    return (
        {"name": "exposures", "severity": "note", "field": "diff3d", "state": "note", "found": "many", "more": ""},
        *reversed(found),
    )


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
twin(
    "TWIN-findings-that-are-open",
    "what nobody has answered is open, and its severity stands beside",
    files=FILES,
    plant=method(Report, "plain", result(nobody_has_answered)),
)
twin(
    "TWIN-findings-in-other-units",
    "what varies is told as a ratio, memory in bytes",
    files=FILES,
    plant=method(Report, "plain", result(in_other_units)),
)
twin(
    "TWIN-granted-in-few-words",
    "of what is taken for granted the state is told, and nothing of how it came about",
    files=FILES,
    plant=answer("granted", result(in_few_words)),
)
twin(
    "TWIN-FURTHER-FINDINGS",
    "a note of its own stands first, findings say where more is told and come the other way round",
    files=("test_data_judged",),
    plant=answer("judge", a_note_comes_first),
)
