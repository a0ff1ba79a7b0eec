"""Defects of saving: what stands in the archive, and what is left when saving fails."""

from __future__ import annotations

import hashlib
import pickle
import warnings
import zipfile
import zlib
from contextlib import contextmanager
from pathlib import Path

from conformance.defects.planting import Plant
from conformance.mutants import mutant
from reference_impl import atomic, config
from reference_impl.bundle import archive, container, parameters, safe_pickle, save_torch_bundle, weights

WHOLE, PART = "diffraction_to_obj", "autoencoder"


@mutant(
    "GUARD-BUNDLE-001",
    "entries are stored as they are, with the time of day",
    "BUNDLE-001:a_bundle_is_one_deflated_zip",
    "BUNDLE-035:equal_models_give_equal_bytes",
)
def the_archive_tools_defaults_are_taken(plant: Plant) -> None:
    def write_entries(entries, path):
        with atomic.atomic_write(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
            for name, data in entries.items():
                archive.writestr(name, data)

    plant.function(container.write_entries, lambda original: write_entries)


@mutant("DEF-145", "the archive has no manifest", "BUNDLE-002:a_bundle_has_exactly_five_entries[g1]")
def the_manifest_is_not_written(plant: Plant) -> None:
    def without_manifest(original):
        return lambda entries, path: original({name: data for name, data in entries.items() if name != container.MANIFEST}, path)

    plant.function(container.write_entries, without_manifest)


@mutant(
    "GUARD-BUNDLE-003",
    "digests of the compressed bytes: other writers' archives are refused",
    "BUNDLE-003:the_manifest_names_models_version_backend_and_digests",
    "BUNDLE-031:rewritten_weights_load",
)
def digests_are_of_the_compressed_bytes(plant: Plant) -> None:
    plant.function(container.digest, lambda original: lambda data: hashlib.sha256(zlib.compress(data, 1)).hexdigest())


@mutant(
    "GUARD-BUNDLE-004",
    "the dictionaries hold paths and import their classes",
    "BUNDLE-003:dictionaries_are_plain_pickles[params]",
)
def paths_are_left_in_the_parameters(plant: Plant) -> None:
    def living(original):
        def parameters_of(*given):
            found = original(*given)
            return {**found, "output_prefix": Path(found["output_prefix"])}

        return parameters_of

    plant.function(parameters.parameters_of, living)
    plant.function(safe_pickle.dumps, lambda original: lambda value, field: pickle.dumps(value))


@mutant(
    "GUARD-BUNDLE-004b", "the parameters say nothing of the training", "BUNDLE-004:parameters_are_the_flat_training_configuration"
)
def the_parameters_are_the_models_part_alone(plant: Plant) -> None:
    def part(original):
        def parameters_of(settings, *given):
            training = config.dataclass_to_legacy_dict(settings).keys() - config.dataclass_to_legacy_dict(settings.model).keys()
            return {key: value for key, value in original(settings, *given).items() if key not in training}

        return parameters_of

    plant.function(parameters.parameters_of, part)


@mutant("GUARD-BUNDLE-004c", "the two folders have different parameters", "BUNDLE-004:parameters_are_the_same_in_both_folders")
def the_parameters_are_built_apart(plant: Plant) -> None:
    def apart(original):
        return lambda value, field: original({**value, "model_name": field.split("/")[0]}, field)

    plant.function(safe_pickle.dumps, apart)


@mutant("DEF-154", "the intensity scale is 1.0 after loading", "BUNDLE-005:the_intensity_scale_has_its_precedence[registry]")
def the_intensity_scale_is_not_written(plant: Plant) -> None:
    def lost(original):
        return lambda settings, module, scale: original(settings, module, 1.0)

    plant.function(parameters.parameters_of, lost)


@mutant(
    "DEF-185", "the intensity scale that save is given is lost", "BUNDLE-005:the_intensity_scale_has_its_precedence[argument]"
)
def the_scale_argument_is_ignored(plant: Plant) -> None:
    plant.function(parameters.parameters_of, lambda original: lambda settings, module, scale: original(settings, module, None))


@mutant(
    "GUARD-BUNDLE-005",
    "a scale that stands in the registry alone is lost",
    "BUNDLE-005:the_intensity_scale_has_its_precedence[registry]",
)
def a_default_is_taken_before_the_registry(plant: Plant) -> None:
    def early(original):
        return lambda settings, module, scale: original(settings, module, 1.0 if scale is None else scale)

    plant.function(parameters.parameters_of, early)


@mutant(
    "DEF-153",
    "the saved model was never trained",
    "BUNDLE-006:weights_are_stored_bit_for_bit",
    "BUNDLE-030:predictions_survive_in_the_same_process",
)
def another_module_than_the_trained_one_is_saved(plant: Plant) -> None:
    def untrained(original):
        def save(models, *given):
            fresh = type(models[WHOLE])(**models[WHOLE].hparams)
            return original({WHOLE: fresh, PART: fresh.model.autoencoder}, *given)

        return save

    plant.function(save_torch_bundle, untrained)


@mutant(
    "GUARD-BUNDLE-006",
    "what is no model is passed over in silence",
    "BUNDLE-006:what_is_no_model_is_refused_by_name[autoencoder]",
)
def the_part_is_taken_from_the_whole_where_it_is_no_model(plant: Plant) -> None:
    def lenient(original):
        def pair(models):
            return original({**models, PART: models[WHOLE]} if PART in models and WHOLE in models else models)

        return pair

    plant.function(archive._pair, lenient)


@mutant("DEF-146", "one of two models is enough", "BUNDLE-011:a_missing_model_is_refused[autoencoder]")
def a_missing_model_is_filled_in(plant: Plant) -> None:
    plant.function(
        archive._pair, lambda original: lambda models: original({PART: models[WHOLE], **models} if WHOLE in models else models)
    )


@mutant("GUARD-BUNDLE-011", "further models are dropped without a word", "BUNDLE-011:a_further_model_is_refused")
def only_the_two_names_are_looked_at(plant: Plant) -> None:
    def picking(original):
        return lambda models: original({name: models[name] for name in (PART, WHOLE) if name in models})

    plant.function(archive._pair, picking)


@mutant(
    "GUARD-BUNDLE-010",
    "a full disk costs the old archive, and a folder in a folder is not made",
    "BUNDLE-010:a_full_disk_leaves_the_old_archive",
    "BUNDLE-010:missing_folders_are_made",
)
def the_archive_is_written_in_place(plant: Plant) -> None:
    @contextmanager
    def in_place(path):
        Path(path).parent.mkdir(exist_ok=True)
        yield Path(path)

    plant.function(atomic.atomic_write, lambda original: in_place)


@mutant(
    "GUARD-BUNDLE-010b",
    "a bundle that could not be written is only warned about",
    "BUNDLE-010:a_folder_that_cannot_be_written_is_an_error",
    "BUNDLE-010:no_models_at_all_are_refused",
)
def errors_of_saving_are_swallowed(plant: Plant) -> None:
    def swallowing(original):
        def save(*given):
            try:
                return original(*given)
            except (OSError, ValueError) as error:
                warnings.warn(f"no bundle was written: {error}", stacklevel=1)
                return None

        return save

    plant.function(save_torch_bundle, swallowing)


@mutant("GUARD-BUNDLE-033", "placeholders stand in place of weights", "BUNDLE-033:the_archive_of_a_model_has_some_weight")
def no_weights_are_written(plant: Plant) -> None:
    plant.function(weights.state_to_bytes, lambda original: lambda state: original({}))


@mutant("GUARD-BUNDLE-002", "a second run's bundle is added to the first one's", "BUNDLE-002:saving_again_replaces_the_archive")
def the_archive_is_opened_to_append(plant: Plant) -> None:
    def write_entries(entries, path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with warnings.catch_warnings(), zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
            warnings.simplefilter("ignore")
            for name, data in entries.items():
                archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)

    plant.function(container.write_entries, lambda original: write_entries)
