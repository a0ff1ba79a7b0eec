"""Freedoms of bundles: the zip around the entries, further keys, the class and the words of a refusal, whose memory it is."""

from __future__ import annotations

import copy
import zipfile

from conformance.defects.changes import caught, constant, every, function, instead
from conformance.twins import rows
from reference_impl import atomic
from reference_impl.bundle import container, load_torch_bundle, safe_pickle


class BundleRefused(ValueError, RuntimeError):
    """A refusal in words of its own."""


EVERY_FILE = ("test_bundle", "test_bundle_load", "test_bundle_attacks")


def the_zip_is_written_otherwise(entries, path):
    with (
        atomic.atomic_write(path) as temporary,
        zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED, compresslevel=2) as archive,
    ):
        archive.comment = b"weights of a ptychography model"
        for name in sorted(entries, reverse=True):
            archive.writestr(zipfile.ZipInfo(name, (2001, 2, 3, 4, 5, 6)), entries[name], zipfile.ZIP_DEFLATED)


def the_autoencoder_has_its_own_memory(original, *given):
    models, params = original(*given)
    public = {name: value for name, value in params.items() if not name.startswith("_")}
    return {**models, "autoencoder": copy.deepcopy(models["autoencoder"]).train()}, public


def absent_fields_get_their_true_defaults(original, data, field, *file):
    found = original(data, field, *file)
    return {"object.big": True, **found} if field.endswith("params.dill") else found


twin = rows(__name__)
# A row is a freedom: its id, what is free, the files whose checks stay green; what is planted.
# fmt: off
twin("TWIN-ZIP-COMMENT", "the zip has a comment, its entries stand in another order, of another day, at another level",
    "BUNDLE-001:a_bundle_is_one_deflated_zip", "BUNDLE-002:a_bundle_has_exactly_five_entries[g2]",
    "BUNDLE-035:equal_models_give_equal_bytes", files=EVERY_FILE,
    plant=function(container.write_entries, instead(the_zip_is_written_otherwise)))
twin("TWIN-FURTHER-PARAMETERS", "manifest and parameters hold further plain keys, in an older pickle's words",
    files=("test_bundle", "test_bundle_load"),
    plant=every(function(safe_pickle.dumps,
            lambda original, value, field: original({"a_remark": "none", "_written_by": [1, "twin"], **value}, field)),
        constant(safe_pickle, "PROTOCOL", 2)))
twin("TWIN-REFUSAL", "a refusal has a class and words of its own", "BUNDLE-021:a_damaged_archive_is_refused[cut-in-half]",
    "BUNDLE-031:other_weights_are_refused_by_name[shape-autoencoder]", files=("test_bundle_load", "test_bundle_attacks"),
    plant=function(load_torch_bundle,
        caught(ValueError, lambda error, *_: BundleRefused(f"this bundle is not opened ({error}); see the manual"))))
twin("TWIN-TWO-NETWORKS", "the loaded autoencoder is a copy, and parameters come without private keys",
    files=("test_bundle_load",),
    plant=function(load_torch_bundle, the_autoencoder_has_its_own_memory))
twin("TWIN-TRUE-DEFAULTS", "a field that is absent gets the default that was saved",
    "BUNDLE-025:a_missing_field_is_refused_or_harmless[object.big]", files=("test_bundle_load",),
    plant=function(safe_pickle.loads, absent_fields_get_their_true_defaults))
