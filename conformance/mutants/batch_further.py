"""Defects of the norm of several modes under a mask, and of folders, of rules for few points, of many modes."""

from __future__ import annotations

import glob
import zlib
from pathlib import Path

import numpy as np

from conformance.defects.changes import function
from conformance.mutants import rows
from reference_impl.batch import fields, manifest
from reference_impl.batch import probe as normalisation
from reference_impl.data import header
from reference_impl.errors import ContractError
from reference_impl.grouping import rules

SINGLE = "BATCH-024:the_scale_of_a_single_sample_is_its_own"
CANNOT = "GROUP-042:a_rule_that_cannot_be_is_refused"
QUADRANTS, DISTANCES = "GROUP-041:quadrants_have_no_unit[close]", "GROUP-041:distances_have_no_unit[close]"
FEW = "GROUP-041:few_points_are_candidates_of_every_rule"
MANY = "DATA-017:there_are_as_many_modes_as_there_are"
LARGE = "BATCH-045:damage_of_a_large_map_is_found_wherever_it_lies"
FOLDER = "BATCH-040:a_folder_stands_for_nothing_else"
NORM = "BATCH-050:equal_modes_have_the_norm_of_one"


def several_modes_have_no_mask(original, probe, probe_scale, mask=None):
    return original(probe, probe_scale, None if np.ndim(probe) == 3 and np.shape(probe)[0] > 1 else mask)


def a_quadrant_begins_a_pixel_off(original, points, centres, candidates, draw):
    x, y = np.moveaxis(points[candidates] - points[centres][:, None], 2, 0)
    quadrants = [(sign_x * x > 1) & (sign_y * y > 1) for sign_y in (-1, 1) for sign_x in (-1, 1)]
    return np.concatenate([rules._drawn(candidates, fits, 1, draw) for fits in quadrants], axis=1)


def one_sample_has_no_number(original, container, name, count):
    value = fields.attribute(container, name)
    if count == 1 and value is not None and np.shape(value)[0] != 1:  # a number has no first axis
        raise ValueError(name)
    return original(container, name, count)


def the_first_mode_is_masked_alone(original, probe, probe_scale, mask=None):
    if mask is None or np.ndim(probe) != 3 or np.shape(probe)[0] == 1:
        return original(probe, probe_scale, mask)
    return original(probe, probe_scale, np.stack([mask] + [np.ones_like(mask)] * (len(probe) - 1)))


def _in_folders(pattern):
    def change(original, given):
        sources = [given] if isinstance(given, str | Path) else given
        found = [sorted(Path(one).glob(pattern)) if Path(one).is_dir() else [Path(one)] for one in sources]
        return original([path for inside in found for path in inside])

    return change


def folders_are_patterns(original, given):
    sources = [given] if isinstance(given, str | Path) else given
    found = [sorted(glob.glob(f"{one}/*.npz")) if Path(one).is_dir() else [one] for one in sources]
    return original([path for inside in found for path in inside])


def _modes(allowed):
    def change(original, archive):
        shape = archive.header("probeGuess").shape
        if len(shape) == 3 and not allowed(*shape[:2]):
            raise ContractError(file=archive.path, field="probeGuess", expected="(N,N) or (P,N,N)", found=f"shape {shape}")
        return original(archive)

    return change


def missing_neighbours_are_the_last_point(original, points, centres, K):
    found = original(points, centres, K)
    short = K - found.shape[1]
    return np.pad(found, ((0, 0), (0, max(0, short))), constant_values=len(points) - 1)


def as_many_points_as_neighbours_are_asked_for(original, points, centres, K):
    if len(points) <= K:
        raise ContractError(field="points", expected=f"more than K={K} points", found=str(len(points)))
    return original(points, centres, K)


def _sum_of(offset, length):
    def change(original, path):
        with open(path, "rb") as stream:
            stream.seek(offset(path.stat().st_size))
            return zlib.crc32(stream.read(length))

    return change


mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
mutant("GUARD-BATCH-050g", "the norm of several modes is not masked", f"{NORM}[2-masked]", f"{NORM}[3-masked]",
    plant=function(normalisation.normalise_probe, several_modes_have_no_mask))
mutant("GUARD-BATCH-050h", "of several modes the first is masked alone", f"{NORM}[2-masked]", f"{NORM}[3-masked]",
    plant=function(normalisation.normalise_probe, the_first_mode_is_masked_alone))
mutant("GUARD-BATCH-040d", "folders in a folder are looked into", f"{FOLDER}[folder]",
    plant=function(manifest.sources_of, _in_folders("**/*.npz")))
mutant("GUARD-BATCH-040e", "copies that an editor keeps are scans", f"{FOLDER}[backup]",
    plant=function(manifest.sources_of, _in_folders("*.npz*")))
mutant("GUARD-BATCH-040h", "a folder with brackets in its name holds no scans", f"{FOLDER}[folder]", f"{FOLDER}[backup]",
    plant=function(manifest.sources_of, folders_are_patterns))
mutant("GUARD-GROUP-041j", "neighbours that are missing are the last point", f"{FEW}[5-Nearest]",
    plant=function(rules._candidates, missing_neighbours_are_the_last_point))
mutant("GUARD-GROUP-041k", "a rule wants more than K points", f"{FEW}[5-Nearest]", f"{FEW}[6-4_quadrant]",
    plant=function(rules._candidates, as_many_points_as_neighbours_are_asked_for))
mutant("GUARD-DATA-017h", "headers of as many modes as rows are refused", f"{MANY}[64-header]", f"{MANY}[64-factory]",
    plant=function(header._probe_side, _modes(lambda P, N: P != N)))
mutant("GUARD-DATA-017i", "headers of a single mode with its axis are refused", f"{MANY}[1-header]", f"{MANY}[1-factory]",
    plant=function(header._probe_side, _modes(lambda P, N: P > 1)))
mutant("GUARD-BATCH-045j", "a map is compared in its first 16 MiB", f"{LARGE}[late]", f"{LARGE}[last]",
    plant=function(manifest.checksum, _sum_of(lambda size: 0, 1 << 24)))
mutant("GUARD-BATCH-045k", "a map is compared in its last 16 MiB", f"{LARGE}[first]", f"{LARGE}[quarter]",
    plant=function(manifest.checksum, _sum_of(lambda size: max(0, size - (1 << 24)), 1 << 24)))
mutant("GUARD-BATCH-024", "a single sample takes no number for a scale", f"{SINGLE}[number-physics_scaling_constant]",
    f"{SINGLE}[number-rms_scaling_constant]", plant=function(fields.scale, one_sample_has_no_number))
mutant("GUARD-GROUP-042", "bounds of y are not looked at", f"{CANNOT}[y-pixels]",
    plant=function(rules._check, lambda original, *given: original(*given[:-1])))
mutant("GUARD-GROUP-042b", "bounds are cut to the scan", f"{CANNOT}[x-below]", f"{CANNOT}[x-pixels]",
    plant=function(rules._check, lambda original, rule, C, K, repetitions, *bounds:
        original(rule, C, K, repetitions, *((max(0, low), min(1, high)) for low, high in bounds))))
mutant("GUARD-GROUP-042c", "what is no rule is that of the nearest", f"{CANNOT}[unknown]",
    plant=function(rules._check, lambda original, rule, *given: original(rule if rule in rules.RULES else "Nearest", *given)))
mutant("GUARD-GROUP-041l", "what is less than a pixel away is in no quadrant", QUADRANTS,
    plant=function(rules._one_a_quadrant, a_quadrant_begins_a_pixel_off))
mutant("GUARD-GROUP-041m", "limits of a distance are taken to a hundredth of a pixel", DISTANCES,
    plant=function(rules._apart, lambda original, *given: original(*given[:-2], given[-2] - 0.01, given[-1] + 0.01)))
