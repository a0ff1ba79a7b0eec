"""Defects of readers: each runs something that a file holds, where the others do not."""

from __future__ import annotations

import ast
import contextlib
import io
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import torch

from conformance.defects.changes import Change, answer, function, instead, method
from conformance.mutants import rows
from reference_impl.batch import manifest
from reference_impl.bundle import safe_pickle
from reference_impl.config import load_yaml_config
from reference_impl.data import npz, text
from reference_impl.engine import saved
from reference_impl.formats.npz import NpzSource
from reference_impl.stored.tensors import read_tensors

RUNS = "POLICY-011:nothing_that_is_stored_runs"


def tags_are_obeyed(path):
    import yaml

    return yaml.unsafe_load(Path(path).read_text(encoding="utf-8"))


def numpy_unpickles(payload):
    return pickle.loads(payload).item()


class Evaluating:
    """In the place of the pattern of a header: evaluates what the pattern does not know."""

    def __init__(self, pattern: Any) -> None:
        self.pattern = pattern

    def fullmatch(self, header: str) -> Any:
        """A match, or none; what is no literal is tried as an expression."""
        try:
            ast.literal_eval(header.strip())
        except ValueError:
            with contextlib.suppress(Exception):
                eval(header.strip())
        return self.pattern.fullmatch(header)


def a_second_attempt_is_careless(original, data, *rest):
    try:
        return original(data, *rest)
    except ValueError:
        with contextlib.suppress(Exception):
            pickle.loads(data)
        raise


def weights_are_unpickled(wanted: type) -> Change:
    """`torch.load` as it is, for weights in files (`Path`) or in archives (`bytes`)."""

    def read(original, source, *rest):
        if isinstance(source, wanted):
            stream = io.BytesIO(source if isinstance(source, bytes) else Path(source).read_bytes())
            with contextlib.suppress(Exception):
                torch.load(stream, weights_only=False)
        return original(source, *rest)

    return function(read_tensors, read)


def the_dispatcher_looks_into_the_manifest(original, directory, *rest, **options):
    with contextlib.suppress(OSError, KeyError, zipfile.BadZipFile), zipfile.ZipFile(Path(directory) / "wts.h5.zip") as archive:
        with contextlib.suppress(Exception):
            pickle.loads(archive.read("manifest.dill"))
    return original(directory, *rest, **options)


def the_manifest_of_an_older_map_is_tried_as_a_pickle(original, folder):
    with contextlib.suppress(Exception):
        pickle.loads((Path(folder) / manifest.NAME).read_bytes())
    return original(folder)


def objects_are_arrays_too(original, self, name):
    with np.load(self.path, allow_pickle=True) as file:
        found = file[name]
    return np.asarray(found.item()) if found.dtype.hasobject else original(self, name)


def the_settings_of_a_state_may_be_an_object(original, solver, path):
    with np.load(path, allow_pickle=True) as file:
        str(file["settings"])
    return original(solver, path)


mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
mutant("GUARD-POLICY-011", "settings run what their tags ask for", f"{RUNS}[settings]",
    plant=function(load_yaml_config, instead(tags_are_obeyed)))
mutant("GUARD-POLICY-011b", "metadata of older files are unpickled", f"{RUNS}[record]", f"{RUNS}[header]", f"{RUNS}[factory]",
    plant=function(text._held, instead(numpy_unpickles)))
mutant("GUARD-POLICY-011c", "headers of arrays are evaluated", f"{RUNS}[record]", f"{RUNS}[header]",
    plant=lambda plant: plant.constant(npz, "_HEADER", Evaluating(npz._HEADER)))
mutant("GUARD-POLICY-011d", "parameters of a bundle are unpickled where the careful reader refuses", f"{RUNS}[bundle]",
    f"{RUNS}[dispatcher]", plant=function(safe_pickle.loads, a_second_attempt_is_careless))
mutant("GUARD-POLICY-011e", "weights of a bundle are unpickled", f"{RUNS}[bundle]", f"{RUNS}[dispatcher]",
    plant=weights_are_unpickled(bytes))
mutant("GUARD-POLICY-011f", "checkpoints are unpickled", f"{RUNS}[checkpoint]", f"{RUNS}[resumption]",
    plant=weights_are_unpickled(Path))
mutant("GUARD-POLICY-011g", "the dispatcher unpickles the manifest to see who wrote it", f"{RUNS}[dispatcher]",
    plant=answer("open", the_dispatcher_looks_into_the_manifest))
mutant("GUARD-POLICY-012", "a map from before the manifests were JSON is unpickled", "POLICY-012:nothing_that_a_map_holds_runs",
    plant=function(manifest.read_manifest, the_manifest_of_an_older_map_is_tried_as_a_pickle))
mutant("GUARD-POLICY-015", "what a program saved as an object is unpickled where it is converted",
    "POLICY-015:nothing_runs_of_what_is_converted[source]", plant=method(NpzSource, "array", objects_are_arrays_too))
mutant("GUARD-POLICY-016", "the settings of a state are unpickled",
    "POLICY-016:nothing_runs_of_what_a_reconstruction_goes_on_with[resume]",
    plant=function(saved.resume, the_settings_of_a_state_may_be_an_object))
