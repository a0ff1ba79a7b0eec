"""Defects of what the factories find in the headers of a file."""

from __future__ import annotations

import warnings
from typing import Any

from conformance.defects.changes import function, instead
from conformance.mutants import rows
from reference_impl.config import factory
from reference_impl.data import checks, header

TOLD = "CONFIG-072:a_stated_side_that_the_file_contradicts_is_told"
NO_NEWS = "CONFIG-072:a_side_that_the_file_has_is_no_news"
ANOTHER = "DATA-020:headers_of_a_probe_of_another_side_are_refused"
NO_PROBE = "CONFIG-064:headers_of_what_is_no_probe_are_refused"
COUNTED = "CONFIG-064:headers_are_counted_as_the_reader_counts"


def contradictions_are_kept_quiet(original: Any, *given: Any) -> Any:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*was asked for, the file holds.*")
        return original(*given)


def every_stated_side_is_told(original, file, settings, build):
    if settings.get("N") is not None:
        warnings.warn(f"{file}: N={settings['N']} was asked for", UserWarning, stacklevel=3)
    return original(file, settings, build)


def the_last_axis_is_the_side(archive):
    return archive.header(archive.require("probeGuess")).shape[-1]


def the_patterns_side_is_the_probes(archive):
    key = archive.require(*header.PATTERN_KEYS)
    return archive.header(key).shape[1]


mutant = rows(__name__)

mutant(
    "GUARD-CONFIG-072",
    "128 for a file of 64 trains in silence",
    TOLD,
    plant=function(factory._from_file, contradictions_are_kept_quiet),
)
mutant(
    "GUARD-CONFIG-072b",
    "every stated side is called a contradiction",
    NO_NEWS,
    plant=function(factory._from_file, every_stated_side_is_told),
)
mutant(
    "GUARD-DATA-020c",
    "factories take a probe of half the side",
    ANOTHER,
    plant=function(header._probe_side, instead(the_patterns_side_is_the_probes)),
)
mutant(
    "GUARD-CONFIG-064g",
    "a probe is as wide as its last axis",
    f"{NO_PROBE}[row-training]",
    f"{NO_PROBE}[wide-inference]",
    plant=function(header._probe_side, instead(the_last_axis_is_the_side)),
)
mutant(
    "GUARD-CONFIG-064h",
    "factories do not miss patterns",
    f"{COUNTED}[fewer-patterns-training]",
    plant=function(checks.equal_counts, instead(lambda *given: None)),
)
