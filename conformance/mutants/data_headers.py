"""Defects of headers of numbered files, of findings in the first of many patterns, of overrides that reach a map, of masks."""

from __future__ import annotations

import warnings
from dataclasses import replace
from types import SimpleNamespace

import numpy as np

from conformance.defects.changes import constant, every, function, instead, method, result, source
from conformance.mutants import rows
from reference_impl.batch import mapping
from reference_impl.batch.container import photons_of
from reference_impl.config import ModelConfig, bridge, cfg, factory
from reference_impl.data import header, pairing
from reference_impl.data.evidence import Evidence

NUMBERED = "DATA-013:headers_of_numbered_files_are_taken"
FIRST = "DATA-030:the_first_of_many_patterns_are_judged"
OVERRIDE = "BATCH-049:photons_of_an_override_reach_a_map"
DROPPED = "CLI-011:a_scan_with_dropped_frames_needs_no_number_of_groups"
SKIPPED = "BATCH-056:a_map_that_skips_a_file_is_for_who_skips_it"
NO_NEWS = "CONFIG-053:a_test_file_that_is_stated_is_no_news"
REGISTERED = "CONFIG-001:the_registry_holds_what_a_payload_says"
BLOCK = 4096
"""Patterns of 16 x 16 pixels."""


def top_of_the_last_block(self):
    stack, last = self.patterns, self.patterns[len(self.patterns) // BLOCK * BLOCK :]
    top = float(stack.max())
    held = last == top
    return top, int(held.sum()), int(held.any(axis=(1, 2)).sum()), float(np.where(stack == top, 0, stack).max())


def brightest_of_the_last_block(self):
    _, where, light, *_ = self._sums
    first = len(light) // BLOCK * BLOCK
    return where, np.where(np.arange(len(light)) < first, 0.0, light)


def counting(what):
    return source("data/header.py", "n_patterns=count if pairs is None else len(pairs.frames)", f"n_patterns={what}")


def as_before_the_file(name):
    """The registry's entry is the default of a model again."""

    def made(original, *given, **options):
        payload = original(*given, **options)
        cfg[name] = getattr(ModelConfig(), name)
        return payload

    return made


def warned_by(side):
    """The warning looks at the settings, or at the overrides, alone."""

    def made(original, model, data, network, training, overrides=None):
        stated = {"training": training.test_data_file, "overrides": (overrides or {}).get("test_data_file")}[side]
        if stated is None:
            warnings.warn("test_data_file is not given", UserWarning, stacklevel=2)
        return bridge.training_config(model, data, network, training, overrides)

    return made


def sources(change):
    return constant(mapping, "photons_of", change)


mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
mutant("GUARD-DATA-013m", "headers hold patterns against positions that are numbered", NUMBERED,
    plant=constant(header, "pairing", SimpleNamespace(frame_count=lambda archive, stack, count: count, read=pairing.read)))
mutant("GUARD-DATA-013n", "headers know nothing of numbers", NUMBERED,
    plant=constant(header, "pairing", SimpleNamespace(frame_count=pairing.frame_count, read=lambda *_, **__: None)))
mutant("GUARD-DATA-030ze", "saturated pixels are counted in the last block alone", f"{FIRST}[saturated]",
    plant=method(Evidence, "largest", instead(property(top_of_the_last_block))))
mutant("GUARD-DATA-030zf", "hot pixels are looked for in the last block alone", f"{FIRST}[hot-pixel]",
    plant=method(Evidence, "brightest", instead(property(brightest_of_the_last_block))))
mutant("GUARD-BATCH-049x", "in a map an override of the photons loses to what a file states", OVERRIDE,
    plant=sources(lambda raw, plan: photons_of(raw, replace(plan, nphotons_source=None))))
mutant("GUARD-BATCH-049y", "in a map an override of the photons is the default", OVERRIDE,
    plant=sources(lambda raw, plan: (1e9, "override") if plan.nphotons_source else photons_of(raw, plan)))
mutant("GUARD-CLI-011b", "without a number a training takes a group for each pattern, with a position or without", DROPPED,
    plant=every(counting("count"), source("cli/scans.py", "return {\"n_groups\": len(data)} if", "return {} if")))
mutant("GUARD-CLI-011c", "without a number a training takes a group for each position, with a pattern or without", DROPPED,
    plant=every(counting("positions[0]"), source("cli/scans.py", "return {\"n_groups\": len(data)} if", "return {} if")))
mutant("GUARD-CLI-011d", "without a number a training takes a group for each entry of the first axis, in the older layout a row",
    "CLI-011:a_small_scan_needs_no_number_of_groups",
    plant=every(counting("shape[0]"), source("cli/scans.py", "return {\"n_groups\": len(data)} if", "return {} if")))
mutant("GUARD-CLI-016g", "absolute counts refuse a file whose mask hides nothing",
    "CLI-016:counts_are_trained_and_inferred_by_command",
    plant=source("counts/records.py", "if record.mask is not None and not np.all(record.mask):", "if record.mask is not None:"))
mutant("GUARD-CONFIG-001c", "behind the factory of an inference the registry has the side of before the file was read",
    f"{REGISTERED}[inference]",
    plant=function(factory.create_inference_payload, as_before_the_file("N")))
mutant("GUARD-CONFIG-001d", "behind the factory of a training the registry has the side of before the file was read",
    f"{REGISTERED}[training]",
    plant=function(factory.create_training_payload, as_before_the_file("N")))
mutant("GUARD-BATCH-056c", "a map from which a bad file was left out is opened by who asks for all of them", SKIPPED,
    plant=method(mapping.Plan, "settings", result(lambda found: found | {"skip": False})))
mutant("GUARD-BATCH-056d", "a map is opened by the names of its files and their number of patterns a side", SKIPPED,
    plant=method(mapping.Plan, "settings", result(lambda found: {name: found[name] for name in ("N", "gridsize")})))
mutant("GUARD-CONFIG-053c", "a training is warned of a test file that an override states", f"{NO_NEWS}[overrides]",
    plant=function(bridge.to_training_config, warned_by("training")))
mutant("GUARD-CONFIG-053d", "a training is warned of a test file that its settings state", f"{NO_NEWS}[settings]",
    plant=function(bridge.to_training_config, warned_by("overrides")))
