"""Defects of the training factory: order, needs, what it takes from the file."""

from __future__ import annotations

from pathlib import Path

from conformance.defects.planting import Plant
from conformance.mutants import mutant
from reference_impl.config import bridge, factory


def _nothing(*arguments: object, **options: object) -> None:
    """Instead of synchronising."""


@mutant(
    "DEF-108",
    "data are read with the grid size of the run before",
    "CONFIG-001:the_registry_is_up_to_date_when_the_training_file_is_opened",
    "CONFIG-001:the_registry_is_up_to_date_when_the_test_file_is_opened",
)
def the_registry_is_synchronised_after_the_file_was_read(plant: Plant) -> None:
    def late(original):
        def from_file(file, settings, build):
            populate, factory.populate_legacy_params = factory.populate_legacy_params, _nothing
            try:
                return original(file, settings, build)
            finally:
                factory.populate_legacy_params = populate

        return from_file

    plant.function(factory._from_file, late)


@mutant(
    "GUARD-CONFIG-001",
    "the registry keeps the patch side and photons of before the file was read",
    "CONFIG-001:what_the_file_says_is_in_the_registry_afterwards",
)
def the_registry_is_synchronised_once(plant: Plant) -> None:
    def once(original):
        def from_file(file, settings, build):
            answer = original(file, settings, build)
            factory.populate_legacy_params = _nothing
            return answer

        return from_file

    plant.function(factory._from_file, once)


@mutant("DEF-104", "a misspelt override is ignored", "CONFIG-044:an_unknown_override_is_refused_by_name")
def unknown_overrides_are_skipped(plant: Plant) -> None:
    plant.function(bridge.refuse_unknown, lambda original: _nothing)


@mutant(
    "GUARD-CONFIG-062",
    "a run without a stated number of groups trains on 512",
    "CONFIG-062:the_number_of_groups_has_no_default",
    "CONFIG-070:inference_needs_a_number_of_groups",
)
def the_number_of_groups_has_a_default(plant: Plant) -> None:
    plant.function(factory._require_groups, lambda original: lambda settings: settings.setdefault("n_groups", 512))


@mutant(
    "GUARD-CONFIG-062b",
    "a wrong path ends in an error of the archive reader",
    "CONFIG-062:a_missing_training_file_is_reported_as_such",
)
def the_file_is_left_to_its_reader(plant: Plant) -> None:
    plant.function(factory._existing, lambda original: lambda path, what: Path(path))


@mutant(
    "DEF-105",
    "a file that cannot be read counts as one of 64 pixels",
    "CONFIG-064:a_file_without_a_patch_side_is_not_passed_over",
)
def a_file_without_a_patch_side_has_64_pixels(plant: Plant) -> None:
    def falling_back(original):
        def from_file(file, settings, build):
            try:
                return original(file, settings, build)
            except Exception:
                return original(file, {"N": 64, "nphotons": 1e9, **settings}, build)

        return from_file

    plant.function(factory._from_file, falling_back)


@mutant("GUARD-CONFIG-064b", "a probe of 128 pixels is trained as one of 64", "CONFIG-064:the_patch_side_is_the_probes")
def the_default_patch_side_stands_before_the_files(plant: Plant) -> None:
    def assuming(original):
        return lambda file, settings, build: original(file, {"N": 64, **settings}, build)

    plant.function(factory._from_file, assuming)


@mutant("GUARD-CONFIG-064", "a stated patch side has no effect", "CONFIG-064:an_override_of_the_patch_side_wins")
def the_file_is_believed_more_than_its_user(plant: Plant) -> None:
    def stubborn(original):
        def from_file(file, settings, build):
            return original(file, {name: value for name, value in settings.items() if name != "N"}, build)

        return from_file

    plant.function(factory._from_file, stubborn)


@mutant(
    "GUARD-CONFIG-065",
    "the photon number in the file is read by nobody",
    "CONFIG-065:the_photon_number_says_where_it_came_from",
    "CONFIG-001:what_the_file_says_is_in_the_registry_afterwards",
)
def the_metadata_of_the_file_are_ignored(plant: Plant) -> None:
    def ignoring(original):
        return lambda file, settings, build: original(file, {"nphotons": 1e9, **settings}, build)

    plant.function(factory._from_file, ignoring)
