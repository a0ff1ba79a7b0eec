"""Defects of loading: architecture, weights, registry, trust."""

from __future__ import annotations

import copy
import io
import pickle
from dataclasses import replace

import torch

from conformance.defects.planting import Plant
from conformance.mutants import mutant
from reference_impl.bundle import archive, load_torch_bundle, parameters, safe_pickle, weights
from reference_impl.bundle.container import BundleReader
from reference_impl.config import registry
from reference_impl.errors import ContractError
from reference_impl.training import PtychoLightningModule

WORKS = "BUNDLE-025:a_loaded_model_works_like_the_saved_one"
ATTACKS = "test_bundle_attacks"


@mutant(
    "DEF-149",
    "loading is not implemented",
    "BUNDLE-020:loading_gives_both_models_and_the_parameters",
    "BUNDLE-021:a_missing_archive_is_not_found",
)
def loading_is_not_implemented(plant: Plant) -> None:
    def load(*given):
        raise NotImplementedError("loading a bundle is not implemented yet")

    plant.function(load_torch_bundle, lambda original: load)


@mutant("DEF-150", "loading gives dictionaries in place of models", "BUNDLE-033:what_comes_back_are_models")
def loading_gives_dictionaries(plant: Plant) -> None:
    def sentinels(original):
        def load(*given):
            models, params = original(*given)
            return {name: dict(model.state_dict()) for name, model in models.items()}, params

        return load

    plant.function(load_torch_bundle, sentinels)


@mutant(
    "DEF-151",
    "weights that do not fit are left at random, silently",
    "BUNDLE-031:other_weights_are_refused_by_name[renamed-diffraction_to_obj]",
    "BUNDLE-031:other_weights_are_refused_by_name[missing-diffraction_to_obj]",
)
def weights_are_loaded_without_strictness(plant: Plant) -> None:
    def lenient(original):
        return lambda self, state, **options: original(self, state, strict=False)

    plant.function(weights.refuse_other_weights, lambda original: lambda *given: None)
    plant.function(weights.refuse_unequal, lambda original: lambda *given: None)
    plant.method(PtychoLightningModule, "load_state_dict", lenient)


@mutant("DEF-152", "the autoencoder comes back with fresh weights", "BUNDLE-032:the_autoencoder_is_the_trained_one")
def the_autoencoder_is_rebuilt_and_not_read(plant: Plant) -> None:
    def rebuilt(original):
        def load(*given):
            models, params = original(*given)
            part = copy.deepcopy(models["autoencoder"])
            for weight in part.parameters():
                torch.nn.init.normal_(weight, std=0.1)
            return {**models, "autoencoder": part}, params

        return load

    plant.function(load_torch_bundle, rebuilt)


@mutant(
    "DEF-156",
    "object.big is false where an archive does not say it",
    "BUNDLE-025:a_missing_field_is_refused_or_harmless[object.big]",
)
def a_missing_field_gets_a_wrong_default(plant: Plant) -> None:
    def defaulting(original):
        def loads(data, field, *file):
            found = original(data, field, *file)
            return {"object.big": False, **found} if field.endswith("params.dill") else found

        return loads

    plant.function(safe_pickle.loads, defaulting)


@mutant("DEF-157", "probe mask and probe scale are lost", f"{WORKS}[g2]")
def the_list_of_restored_fields_is_too_short(plant: Plant) -> None:
    def short(original):
        def config_of(params):
            found = original(params)
            return replace(found, model=replace(found.model, probe_mask=None, probe_scale=4.0))

        return config_of

    plant.function(parameters.config_of, short)


@mutant("DEF-158", "four channels come back as one", "BUNDLE-024:the_architecture_is_rebuilt[g2]")
def the_channel_number_is_a_default(plant: Plant) -> None:
    def single(original):
        return lambda *given: {**original(*given), "gridsize": 1}

    plant.function(archive._parameters, single)


@mutant(
    "GUARD-BUNDLE-022",
    "a size that an archive does not state is guessed",
    "BUNDLE-022:parameters_without_an_architecture_are_refused",
)
def the_registrys_defaults_stand_in(plant: Plant) -> None:
    def guessing(original):
        def loads(data, field, *file):
            found = original(data, field, *file)
            return {"N": registry.cfg["N"], "gridsize": 1, **found} if field.endswith("params.dill") else found

        return loads

    plant.function(safe_pickle.loads, guessing)


@mutant(
    "GUARD-BUNDLE-023",
    "the registry knows nothing of the loaded bundle",
    "BUNDLE-023:the_registry_holds_the_parameters_after_loading",
    "BUNDLE-023:predictions_survive_in_a_fresh_process",
)
def parameters_are_returned_and_not_written(plant: Plant) -> None:
    def restoring(original):
        def rebuilt(*given):
            before = dict(registry.cfg)
            module = original(*given)
            registry.cfg.clear()
            registry.cfg.update(before)
            return module

        return rebuilt

    plant.function(archive._rebuilt, restoring)


@mutant("GUARD-BUNDLE-003b", "archives without tag or digests do not load", "BUNDLE-003:older_manifests_load[backend]")
def the_backend_tag_is_required_on_read(plant: Plant) -> None:
    def strict(original):
        def manifest(reader):
            found = original(reader)
            if "backend" not in found:
                raise ContractError(file=reader.path, field="manifest.dill: backend", expected="a tag", found="none")
            return found

        return manifest

    plant.function(archive._manifest, strict)


@mutant(
    "GUARD-BUNDLE-031",
    "digests are written and never read",
    "BUNDLE-031:a_wrong_digest_is_refused_by_name[diffraction_to_obj-model.pth]",
)
def digests_are_not_compared(plant: Plant) -> None:
    plant.function(archive._refuse_other_digests, lambda original: lambda *given: None)


@mutant(
    "GUARD-BUNDLE-034",
    "an archive of another backend goes straight to the weights",
    "BUNDLE-034:archives_of_another_backend_are_named",
)
def the_manifest_is_not_looked_at(plant: Plant) -> None:
    def unread(original):
        return lambda reader: safe_pickle.loads(reader.read("manifest.dill"), "manifest.dill", reader.path)

    plant.function(archive._manifest, unread)


@mutant(
    "GUARD-BUNDLE-021",
    "loading spills files, outside of its folder too",
    "BUNDLE-021:a_good_archive_is_read_without_a_trace",
    "BUNDLE-021:a_damaged_archive_is_refused[further-entry]",
)
def the_archive_is_extracted_beside_itself(plant: Plant) -> None:
    def extracting(original):
        def require(self, names):
            self._zip.extractall(self.path.parent)
            original(self, names)

        return require

    plant.method(BundleReader, "require", extracting)


@mutant(
    "GUARD-BUNDLE-021b",
    "further, double and outward entries are let through",
    "BUNDLE-021:a_damaged_archive_is_refused[entry-twice]",
    "BUNDLE-021:a_damaged_archive_is_refused[parent-folder]",
)
def only_the_entries_that_are_needed_are_looked_at(plant: Plant) -> None:
    def admitting(original):
        return lambda self, info: self._entries.update({info.filename: info})

    plant.method(BundleReader, "_admit", admitting)
    plant.method(BundleReader, "require", lambda original: lambda self, names: None)


@mutant(
    "GUARD-BUNDLE-021c",
    "an archive runs code when it is loaded",
    "BUNDLE-021:a_call_among_the_parameters_is_refused[global]",
    "BUNDLE-021:a_call_in_any_entry_is_refused[global-manifest]",
    files=(ATTACKS,),
)
def a_second_attempt_is_made_after_the_safe_one(plant: Plant) -> None:
    def insisting(original):
        def loads(data, *place):
            try:
                return original(data, *place)
            except ContractError:
                return pickle.loads(data)

        return loads

    plant.function(safe_pickle.loads, insisting)


@mutant("GUARD-BUNDLE-021d", "weights run code when they are read", "BUNDLE-021:a_call_in_any_entry_is_refused[global-whole]")
def weights_are_unpickled_without_restriction(plant: Plant) -> None:
    def trusting(data, *place):
        return dict(torch.load(io.BytesIO(data), map_location="cpu", weights_only=False))

    plant.function(weights.state_from_bytes, lambda original: trusting)
