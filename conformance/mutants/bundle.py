"""Defects of bundles: what stands in the archive, what a failed saving leaves, what comes out when one is loaded."""

from __future__ import annotations

import copy
import hashlib
import io
import pickle
import warnings
import zipfile
import zlib
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch

from conformance.defects.changes import Change, caught, constant, every, function, instead, method, result
from conformance.defects.planting import Plant
from conformance.mutants import rows
from reference_impl import atomic, config
from reference_impl.bundle import archive, container, load_torch_bundle, parameters, safe_pickle, save_torch_bundle, weights
from reference_impl.bundle.container import BundleReader
from reference_impl.config import registry
from reference_impl.domains.fields import refuse_outside
from reference_impl.errors import ContractError
from reference_impl.stored import pickles
from reference_impl.stored.members import MemberStream
from reference_impl.training.module import CONFIGURATIONS, PtychoModule

WHOLE, PART = "diffraction_to_obj", "autoencoder"


def the_archive_tools_defaults_are_taken(entries, path):
    with atomic.atomic_write(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name, data in entries.items():
            archive.writestr(name, data)


def only_the_models_fields_are_looked_at(name, value, *, owner, **named):
    if owner == "ModelConfig":
        refuse_outside(name, value, owner=owner, **named)


def the_parameters_are_the_models_part_alone(original, settings, *given):
    training = config.dataclass_to_legacy_dict(settings).keys() - config.dataclass_to_legacy_dict(settings.model).keys()
    return {key: value for key, value in original(settings, *given).items() if key not in training}


def another_module_than_the_trained_one_is_saved(original, models, *given):
    fresh = type(models[WHOLE])(*(getattr(models[WHOLE], name) for name in CONFIGURATIONS))
    return original({WHOLE: fresh, PART: fresh.model.autoencoder}, *given)


def the_archive_is_written_in_place(plant: Plant) -> None:
    @contextmanager
    def in_place(path):
        Path(path).parent.mkdir(exist_ok=True)
        yield Path(path)

    plant.function(atomic.atomic_write, lambda original: in_place)


def the_archive_is_opened_to_append(entries, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings(), zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        warnings.simplefilter("ignore")
        for name, data in entries.items():
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)


WORKS = "BUNDLE-025:a_loaded_model_works_like_the_saved_one"
ATTACKS = "test_bundle_attacks"


def loading_is_not_implemented(*given):
    raise NotImplementedError("loading a bundle is not implemented yet")


def loading_gives_dictionaries(original, *given):
    models, params = original(*given)
    return {name: dict(model.state_dict()) for name, model in models.items()}, params


def the_autoencoder_is_rebuilt_and_not_read(original, *given):
    models, params = original(*given)
    part = copy.deepcopy(models["autoencoder"])
    for weight in part.parameters():
        torch.nn.init.normal_(weight, std=0.1)
    return {**models, "autoencoder": part}, params


def a_missing_field_gets_a_wrong_default(original, data, field, *file):
    found = original(data, field, *file)
    return {"object.big": False, **found} if field.endswith("params.dill") else found


def the_registrys_defaults_stand_in(original, data, field, *file):
    found = original(data, field, *file)
    return {"N": registry.cfg["N"], "gridsize": 1, **found} if field.endswith("params.dill") else found


def parameters_are_returned_and_not_written(original, *given):
    before = dict(registry.cfg)
    module = original(*given)
    registry.cfg.clear()
    registry.cfg.update(before)
    return module


def the_backend_tag_is_required_on_read(original, reader):
    found = original(reader)
    if "backend" not in found:
        raise ContractError(file=reader.path, field="manifest.dill: backend", expected="a tag", found="none")
    return found


def the_archive_is_extracted_beside_itself(original, self, names):
    with zipfile.ZipFile(self.path) as archive:
        archive.extractall(self.path.parent)
    original(self, names)


def the_librarys_reader_is_taken_as_it_is(self, path):
    self.path, self._zip = path, zipfile.ZipFile(path)


DIGITS = "BUNDLE-005:an_intensity_scale_keeps_its_digits"


def manifest_always_says(**fields: Any) -> Change:
    """What the backend's own manifests state, some of it whatever stands there."""

    def change(original: Any, data: bytes, name: str, *rest: Any) -> Any:
        found = original(data, name, *rest)
        own = name == "manifest.dill" and isinstance(found, dict) and found.get("backend") == "pytorch"
        return {**found, **{key: value for key, value in fields.items() if key in found}} if own else found

    return function(safe_pickle.loads, change)


mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
# Saving: what stands in the archive, and what is left when saving fails.
mutant("GUARD-BUNDLE-001", "entries are stored as they are, with the time of day", "BUNDLE-001:a_bundle_is_one_deflated_zip",
    "BUNDLE-035:equal_models_give_equal_bytes",
    plant=function(container.write_entries, instead(the_archive_tools_defaults_are_taken)))
mutant("DEF-145", "the archive has no manifest", "BUNDLE-002:a_bundle_has_exactly_five_entries[g1]",
    breaks="load: the reader asks for the manifest that is missing",
    plant=function(container.write_entries,
        lambda original, entries, path:
        original({name: data for name, data in entries.items() if name != container.MANIFEST}, path)))
mutant("GUARD-BUNDLE-003", "digests of the compressed bytes: other writers' archives are refused",
    "BUNDLE-003:the_manifest_names_models_version_backend_and_digests", "BUNDLE-031:rewritten_weights_load",
    plant=function(container.digest, instead(lambda data: hashlib.sha256(zlib.compress(data, 1)).hexdigest())))
mutant("GUARD-BUNDLE-004", "the dictionaries hold paths and import their classes",
    "BUNDLE-003:dictionaries_are_plain_pickles", clauses=["BUNDLE-004"],
    breaks="load: the reader refuses pickles that name classes",
    plant=every(function(parameters.parameters_of,
            result(lambda found: {**found, "output_prefix": Path(found["output_prefix"])})),
        function(safe_pickle.dumps, instead(lambda value, field: pickle.dumps(value)))))
mutant("GUARD-BUNDLE-004b", "the parameters say nothing of the training",
    "BUNDLE-004:parameters_are_the_flat_training_configuration",
    breaks="load: the reader asks for the field that is missing",
    plant=function(parameters.parameters_of, the_parameters_are_the_models_part_alone))
mutant("GUARD-BUNDLE-004c", "the two folders have different parameters", "BUNDLE-004:parameters_are_the_same_in_both_folders",
    breaks="load: the reader refuses two dictionaries that differ",
    plant=function(safe_pickle.dumps,
        lambda original, value, field: original({**value, "model_name": field.split("/")[0]}, field)))
mutant("DEF-154", "the intensity scale is 1.0 after loading", "BUNDLE-005:the_intensity_scale_has_its_precedence[registry]",
    plant=function(parameters.parameters_of, lambda original, settings, module, scale: original(settings, module, 1.0)))
mutant("DEF-185", "the intensity scale that save is given is lost", "BUNDLE-005:the_intensity_scale_has_its_precedence[argument]",
    plant=function(parameters.parameters_of, lambda original, settings, module, scale: original(settings, module, None)))
mutant("GUARD-BUNDLE-005", "a scale that stands in the registry alone is lost",
    "BUNDLE-005:the_intensity_scale_has_its_precedence[registry]",
    plant=function(parameters.parameters_of,
        lambda original, settings, module, scale: original(settings, module, 1.0 if scale is None else scale)))
mutant("DEF-153", "the saved model was never trained", "BUNDLE-006:weights_are_stored_bit_for_bit",
    "BUNDLE-030:predictions_survive_in_the_same_process",
    plant=function(save_torch_bundle, another_module_than_the_trained_one_is_saved))
mutant("GUARD-BUNDLE-006", "what is no model is passed over in silence",
    "BUNDLE-006:what_is_no_model_is_refused_by_name[autoencoder]",
    plant=function(archive._pair, lambda original, models:
        original({**models, PART: models[WHOLE]} if PART in models and WHOLE in models else models)))
mutant("DEF-146", "one of two models is enough", "BUNDLE-011:a_missing_model_is_refused[autoencoder]",
    plant=function(archive._pair, lambda original, models:
        original({PART: models[WHOLE], **models} if WHOLE in models else models)))
mutant("GUARD-BUNDLE-011", "further models are dropped without a word", "BUNDLE-011:a_further_model_is_refused",
    plant=function(archive._pair, lambda original, models:
        original({name: models[name] for name in (PART, WHOLE) if name in models})))
mutant("GUARD-BUNDLE-010", "a full disk costs the old archive, and a folder in a folder is not made",
    "BUNDLE-010:a_full_disk_leaves_the_old_archive", "BUNDLE-010:missing_folders_are_made", plant=the_archive_is_written_in_place)
mutant("GUARD-BUNDLE-010b", "a bundle that could not be written is only warned about",
    "BUNDLE-010:a_folder_that_cannot_be_written_is_an_error", "BUNDLE-010:no_models_at_all_are_refused",
    plant=function(save_torch_bundle,
        caught((OSError, ValueError), lambda error, *_: warnings.warn(f"no bundle was written: {error}", stacklevel=1))))
mutant("GUARD-BUNDLE-033", "placeholders stand in place of weights", "BUNDLE-033:the_archive_of_a_model_has_some_weight",
    breaks="load: the network asks for weights of its own names",
    plant=function(weights.state_to_bytes, lambda original, state: original({})))
mutant("GUARD-BUNDLE-002", "a second run's bundle is added to the first one's", "BUNDLE-002:saving_again_replaces_the_archive",
    plant=function(container.write_entries, instead(the_archive_is_opened_to_append)))

# Loading: architecture, weights, registry, trust.
mutant("DEF-149", "loading is not implemented", "BUNDLE-020:loading_gives_both_models_and_the_parameters",
    "BUNDLE-021:a_missing_archive_is_not_found",
    breaks="load: it is what is missing",
    plant=function(load_torch_bundle, instead(loading_is_not_implemented)))
mutant("DEF-150", "loading gives dictionaries in place of models", "BUNDLE-033:what_comes_back_are_models",
    breaks="infer: dictionaries are no models",
    plant=function(load_torch_bundle, loading_gives_dictionaries))
mutant("DEF-151", "weights that do not fit are left at random, silently",
    "BUNDLE-031:other_weights_are_refused_by_name[renamed-diffraction_to_obj]",
    "BUNDLE-031:other_weights_are_refused_by_name[missing-diffraction_to_obj]",
    plant=every(function(weights.refuse_other_weights, instead(lambda *given: None)),
        function(weights.refuse_unequal, instead(lambda *given: None)),
        method(PtychoModule, "load_state_dict",
            lambda original, self, state, **options: original(self, state, strict=False))))
mutant("DEF-152", "the autoencoder comes back with fresh weights", "BUNDLE-032:the_autoencoder_is_the_trained_one",
    plant=function(load_torch_bundle, the_autoencoder_is_rebuilt_and_not_read))
mutant("DEF-156", "object.big is false where an archive does not say it",
    "BUNDLE-025:a_missing_field_is_refused_or_harmless[object.big]",
    plant=function(safe_pickle.loads, a_missing_field_gets_a_wrong_default))
mutant("DEF-157", "probe mask and probe scale are lost", f"{WORKS}[g2]",
    plant=function(parameters.config_of,
        result(lambda found: replace(found, model=replace(found.model, probe_mask=False, probe_scale=4.0)))))
mutant("DEF-158", "four channels come back as one", "BUNDLE-024:the_architecture_is_rebuilt[g2]",
    breaks="load: a network of one channel refuses the weights of four",
    plant=function(archive._parameters, result(lambda found: {**found, "gridsize": 1})))
mutant("GUARD-BUNDLE-022", "a size that an archive does not state is guessed",
    "BUNDLE-022:parameters_without_an_architecture_are_refused",
    plant=function(safe_pickle.loads, the_registrys_defaults_stand_in))
mutant("GUARD-BUNDLE-024", "a bundle does not say of how many files its scales are",
    "BUNDLE-024:a_model_of_several_files_is_rebuilt",
    plant=function(parameters.parameters_of,
        result(lambda found: {key: value for key, value in found.items() if key != "_num_datasets"})))
mutant("GUARD-BUNDLE-026", "only fields of the model are looked at when a bundle is read",
    "BUNDLE-026:a_parameter_that_its_field_cannot_hold_is_refused[intensity_scale-float]",
    plant=constant(parameters, "refuse_outside", only_the_models_fields_are_looked_at))
mutant("GUARD-BUNDLE-023", "the registry knows nothing of the loaded bundle",
    "BUNDLE-023:the_registry_holds_the_parameters_after_loading", "BUNDLE-023:predictions_survive_in_a_fresh_process",
    plant=function(archive._rebuilt, parameters_are_returned_and_not_written))
mutant("GUARD-BUNDLE-003b", "archives without tag or digests do not load", "BUNDLE-003:older_manifests_load[backend]",
    plant=function(archive._manifest, the_backend_tag_is_required_on_read))
mutant("GUARD-BUNDLE-031", "digests are written and never read",
    "BUNDLE-031:a_wrong_digest_is_refused_by_name[diffraction_to_obj-model.pth]",
    plant=function(archive._refuse_other_digests, instead(lambda *given: None)))
mutant("GUARD-BUNDLE-034", "an archive of another backend goes straight to the weights",
    "BUNDLE-034:archives_of_another_backend_are_named",
    plant=function(archive._manifest,
        instead(lambda reader: safe_pickle.loads(reader.read("manifest.dill"), "manifest.dill", reader.path))))
mutant("GUARD-BUNDLE-005c", "an intensity scale is kept in single precision", DIGITS,
    plant=function(parameters.parameters_of, result(lambda found: {
        **found, "intensity_scale": float(torch.tensor(found["intensity_scale"], dtype=torch.float32))})))
mutant("GUARD-BUNDLE-005d", "an intensity scale is rounded to six digits", DIGITS,
    plant=function(parameters.parameters_of, result(lambda found: {
        **found, "intensity_scale": float(f"{found['intensity_scale']:.6g}")})))
mutant("GUARD-BUNDLE-041", "an archive of a later version opens as one of this",
    "BUNDLE-041:an_archive_of_another_form_is_refused[version]",
    plant=manifest_always_says(version="2.0-pytorch"))
mutant("GUARD-BUNDLE-041b", "models of an archive that nobody knows are left lying there",
    "BUNDLE-041:an_archive_of_another_form_is_refused[models]",
    plant=manifest_always_says(models=["autoencoder", "diffraction_to_obj"]))
mutant("GUARD-BUNDLE-021", "loading spills files, outside of its folder too", "BUNDLE-021:a_good_archive_is_read_without_a_trace",
    "BUNDLE-021:a_damaged_archive_is_refused[further-entry]",
    plant=method(BundleReader, "require", the_archive_is_extracted_beside_itself))
mutant("GUARD-BUNDLE-021b", "further, double and outward entries are let through",
    "BUNDLE-021:a_damaged_archive_is_refused[entry-twice]", "BUNDLE-021:a_damaged_archive_is_refused[parent-folder]",
    plant=every(method(BundleReader, "__init__", instead(the_librarys_reader_is_taken_as_it_is)),
        method(BundleReader, "require", instead(lambda self, names: None)),
        method(BundleReader, "read", instead(lambda self, name: self._zip.read(name)))))
mutant("GUARD-BUNDLE-021c", "an archive runs code when it is loaded", "BUNDLE-021:a_call_among_the_parameters_is_refused[global]",
    "BUNDLE-021:a_call_in_any_entry_is_refused[global-manifest]", files=(ATTACKS,),
    plant=function(safe_pickle.loads, caught(ContractError, lambda error, data, *_: pickle.loads(data))))
mutant("GUARD-BUNDLE-021d", "weights run code when they are read", "BUNDLE-021:a_call_in_any_entry_is_refused[global-whole]",
    plant=function(weights.state_from_bytes,
        instead(lambda data, *place: dict(torch.load(io.BytesIO(data), map_location="cpu", weights_only=False)))))
mutant("GUARD-BUNDLE-036", "checksums and digests are written and not compared",
    "BUNDLE-036:changed_bytes_load_what_was_saved_or_nothing",
    plant=every(method(MemberStream, "end", instead(lambda self: None)),
        function(archive._refuse_other_digests, instead(lambda *given: None)),
        function(weights.refuse_unequal, instead(lambda *given: None))))
mutant("GUARD-BUNDLE-037", "an unpickler without names, and a look at what it has built",
    "BUNDLE-037:small_archives_that_want_much_are_refused",
    plant=constant(safe_pickle, "pickles", SimpleNamespace(**{**vars(pickles), "read": pickle.loads})))
mutant("GUARD-BUNDLE-030x", "a bundle opens as a network for 64 pixels",
    "BUNDLE-030:a_bundle_of_a_larger_side_gives_the_same_image",
    plant=function(parameters.config_of, lambda original, params, *rest: original({**params, "N": 64}, *rest)))
