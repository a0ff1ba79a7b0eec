"""Defects of the minimal record, its recipe and its generator."""

from __future__ import annotations

from conformance.defects.changes import function, source
from conformance.mutants import rows
from reference_impl.data import checks

GENERATOR, EXPOSURES = "simulation/minimal_dataset.py", "simulation/exposures.py"
DESCRIPTION = "fixtures/minimal_dataset_v1.json"
PATTERNS = 'np.ascontiguousarray(record["diff3d"][chosen], dtype=np.float32)'
CHOICE = "chosen = (np.arange(size) * count) // size"
NAMES = "total = hashlib.sha256()\n    for name in sorted(arrays):"
DIGEST = "    return total.hexdigest()"
OF_FILE = """    import io

    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)
    return hashlib.sha256(stream.getvalue()).hexdigest()"""

mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
mutant("GUARD-FIXTURE-007", "a cube of patterns is transposed", "FIXTURE-007:a_backend_reads_it",
    "DATA-004:the_stack_comes_out_pattern_by_pattern",
    plant=function(checks.pattern_layout,
        lambda original, shape, count, *rest: shape[-1] == count and shape[0] == shape[1] or original(shape, count, *rest)))
mutant("DEF-186", "patterns and positions are of different exposures", "FIXTURE-020:patterns_belong_to_their_positions",
    "FIXTURE-003:exposures_are_chosen_evenly",
    plant=source(GENERATOR, PATTERNS, PATTERNS.replace("[chosen]", "[:size]")))
mutant("DEF-188", "a source is judged by the side of its patterns", "FIXTURE-006:the_generator_takes_a_subset_of_a_source",
    plant=source(GENERATOR, 'count = record["xcoords"].size', 'count = record["diff3d"].shape[-1]'))
mutant("DEF-196", "the dose of a record is a label", "FIXTURE-022:the_stated_dose_was_counted",
    "FIXTURE-022:smaller_exposures_have_a_known_dose",
    plant=source(GENERATOR, "exposures.metadata(round(dose, 6)", 'exposures.metadata(RECIPE["photons_per_pattern"]'))
mutant("GUARD-FIXTURE-001", "the recipe is no longer that of the description",
    "FIXTURE-001:the_record_is_made_where_it_is_absent", "FIXTURE-021:the_digest_is_that_of_the_contents",
    plant=source(GENERATOR, '"noise_seed": 17', '"noise_seed": 18'))
mutant("GUARD-FIXTURE-002", "positions are single precision", "FIXTURE-002:arrays_have_their_shapes_and_dtypes",
    plant=source(GENERATOR, "np.asarray(record[key], np.float64)[chosen]", "np.asarray(record[key], np.float32)[chosen]"))
mutant("GUARD-FIXTURE-002b", "the record holds counts", "FIXTURE-002:values_are_small_amplitudes_under_both_names",
    plant=source(GENERATOR, PATTERNS, f"{PATTERNS} ** 2"))
mutant("GUARD-FIXTURE-003", "each machine has another record", "FIXTURE-003:exposures_are_chosen_evenly",
    "FIXTURE-003:two_runs_make_equal_arrays",
    plant=source(GENERATOR, CHOICE, "chosen = np.sort(np.random.choice(count, size, replace=False))"))
mutant("GUARD-FIXTURE-004", "the record is a corner of the scan", "FIXTURE-004:positions_cover_the_scan",
    plant=source(GENERATOR, CHOICE, "chosen = np.arange(size)"))
mutant("GUARD-FIXTURE-005", "the description does not tell the recipe", "FIXTURE-005:the_description_has_its_keys",
    plant=source(DESCRIPTION, '"recipe": {', '"recipes": {'))
mutant("GUARD-FIXTURE-006", "the generator ends in a traceback", "FIXTURE-006:the_generator_refuses_in_one_line[too-many]",
    "FIXTURE-006:the_generator_names_a_missing_source",
    plant=source(GENERATOR, "except (OSError, KeyError, ValueError) as error:", "except ZeroDivisionError as error:"))
mutant("GUARD-FIXTURE-006b", "a missing source makes the synthetic record", "FIXTURE-006:the_generator_names_a_missing_source",
    plant=source(GENERATOR, "record = source_record() if args.source is None",
        "record = source_record() if not args.source.is_file()"))
mutant("GUARD-FIXTURE-006c", "where all sides are equal the generator takes the last axis for the exposures",
    "FIXTURE-006:the_generator_counts_positions[as-many-as-pixels]",
    plant=source(GENERATOR, "patterns.shape[0] == count:", "patterns.shape[0] == count != patterns.shape[-1]:"))
mutant("GUARD-FIXTURE-006d", "the generator knows one layout", "FIXTURE-006:the_generator_counts_positions[patterns-last]",
    plant=source(GENERATOR, "return np.moveaxis(patterns, -1, 0)", "return patterns"))
mutant("GUARD-FIXTURE-020", "the probe is off the photon scale", "FIXTURE-020:photons_agree_with_the_prediction",
    plant=source(EXPOSURES, "probe = (probe * np.sqrt(gain)).astype", "probe = probe.astype"))
mutant("GUARD-FIXTURE-021", "the digest changes with the version of zlib", "FIXTURE-021:the_digest_is_that_of_the_contents",
    "FIXTURE-021:the_digest_does_not_depend_on_compression",
    plant=source(GENERATOR, DIGEST, OF_FILE))
mutant("GUARD-FIXTURE-021b", "another shape has the same digest", "FIXTURE-021:the_digest_sees_shapes",
    plant=source(GENERATOR, "{arrays[name].shape}", "{arrays[name].size}"))
mutant("GUARD-FIXTURE-021c", "the digest leaves the probe out", "FIXTURE-021:the_digest_sees_every_array[probeGuess]",
    plant=source(GENERATOR, NAMES, NAMES.replace("sorted(arrays)", "sorted(set(arrays) - {'probeGuess'})")))
mutant("GUARD-FIXTURE-006e", "the least size of a subset is one more", "FIXTURE-006:the_generator_counts_positions",
    plant=source(GENERATOR, "SMALLEST_SUBSET = 64, 16", "SMALLEST_SUBSET = 64, 17"))
