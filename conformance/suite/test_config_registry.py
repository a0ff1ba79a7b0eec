"""The registry: how configurations reach it, what it holds by default, what follows from it."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.connectors.connect import Proxy
from conformance.judging.observe import Observer
from conformance.scenes import configs, reactions


@pytest.mark.clause("CONFIG-002~1")
def test_synchronising_writes_into_the_registry_that_readers_hold(backend: Proxy, observe: Observer) -> None:
    """A reader that took the registry before sees the new values afterwards.

    If this fails, suspect a copy of the registry in the call.
    """
    held = backend.registry()

    backend.synchronise(configs.training(backend))

    observe.equal("grid size", held.get("gridsize"), 3)
    observe.holds("identity", backend.registry() is held, "the same object at every call", "another object")


@pytest.mark.clause("CONFIG-005~1", needs=("CONFIG-002",))
def test_synchronising_changes_the_mapping_in_place_and_returns_nothing(backend: Proxy, observe: Observer) -> None:
    """The mapping that is passed is the mapping that changes; other entries survive.

    If this fails, suspect a registry cleared before it is filled, or a new mapping that is returned.
    """
    registry = {"gridsize": 1, "someone_elses": 5}

    returned = backend.synchronise(configs.training(backend), registry)

    observe.equal("returned", returned, None)
    observe.equal("written", registry["gridsize"], 3)
    observe.equal("kept", registry.get("someone_elses"), 5)


@pytest.mark.clause("CONFIG-005~1")
@pytest.mark.parametrize("field", ["n_subsample", "subsample_seed", "gradient_clip_val", "neighbor_pool_size", "train_data_file"])
def test_none_is_skipped_and_the_older_value_survives(backend: Proxy, observe: Observer, field: str) -> None:
    """A value that is not stated leaves what stood in the registry.

    If this fails, suspect None written over a value.
    """
    key = configs.REGISTRY_KEYS.get(field, field)
    registry = {key: "older"}

    backend.synchronise(configs.training(backend, **{field: None}), registry)

    observe.equal("older value", registry[key], "older")


@pytest.mark.clause("CONFIG-005~1", "CONFIG-021~1", needs=("CONFIG-002",))
def test_paths_are_text_in_the_registry(backend: Proxy, observe: Observer) -> None:
    """Paths that are renamed and paths that are not are both written as text.

    If this fails, suspect a conversion of the renamed paths alone.
    """
    registry: dict[str, Any] = {}

    backend.synchronise(configs.inference(backend), registry)

    observe.equal("model path", registry.get("model_path"), str(configs.INFERENCE["model_path"]), clause="CONFIG-021")
    observe.equal("test file", registry.get("test_data_file_path"), str(configs.INFERENCE["test_data_file"]), clause="CONFIG-005")
    observe.equal("output", registry.get("output_prefix"), str(configs.INFERENCE["output_dir"]), clause="CONFIG-005")


@pytest.mark.clause("CONFIG-005~1")
def test_a_second_run_inherits_what_it_does_not_state(backend: Proxy, observe: Observer) -> None:
    """In the live registry, too, the subsample of the first run survives a second one without any.

    If this fails, suspect a registry reset by synchronising.
    """
    backend.synchronise(configs.training(backend, n_subsample=19))

    backend.synchronise(configs.training(backend, n_subsample=None))

    observe.equal("n_subsample", backend.registry().get("n_subsample"), 19)


@pytest.mark.clause("CONFIG-006~1", needs=("CONFIG-002",))
def test_defaults_are_a_fresh_mapping_for_a_run_without_history(backend: Proxy, observe: Observer) -> None:
    """Synchronised into fresh defaults, a configuration shows no trace of an earlier one.

    If this fails, suspect defaults handed out as one shared object.
    """
    first, second = backend.defaults(), backend.defaults()

    backend.synchronise(configs.training(backend, n_subsample=19), first)
    backend.synchronise(configs.training(backend, n_subsample=None), second)

    observe.equal("first run", first.get("n_subsample"), 19)
    observe.equal("second run", second.get("n_subsample"), None)
    observe.equal("defaults afterwards", backend.defaults().get("n_subsample"), None)


@pytest.mark.clause("CONFIG-020~1")
@pytest.mark.parametrize("kind", ["training", "inference"])
def test_renamed_fields_stand_under_their_registry_keys_only(backend: Proxy, observe: Observer, kind: str) -> None:
    """The key of the registry is there with the value, the field's own name is not.

    If this fails, suspect a field that was added without its key, or both names written.
    """
    make, stated = configs.FULL[kind]
    renamed = {field: key for field, key in configs.REGISTRY_KEYS.items() if field in stated}

    flat = backend.flatten(make(backend))

    observe.equal("values", configs.chosen(flat, renamed.values()), configs.chosen(configs.in_registry(stated), renamed.values()))
    observe.equal("old names", sorted(set(renamed) & set(flat)), [])


@pytest.mark.clause("CONFIG-021~1")
@pytest.mark.parametrize("kind", ["training", "inference"])
def test_the_flat_form_holds_the_model_beside_the_rest(backend: Proxy, observe: Observer, kind: str) -> None:
    """Every field of both levels is at the top, and no entry is nested.

    If this fails, suspect the nested model left in place, or a hand-written list of fields.
    """
    make, stated = configs.FULL[kind]
    expected = configs.in_registry(stated)

    flat = backend.flatten(make(backend))

    observe.equal("values", {**configs.chosen(flat, expected), **configs.as_text(flat, "model_path")}, expected)
    observe.equal("entry model", "model" in flat, False)


@pytest.mark.clause("CONFIG-022~1", needs=("CONFIG-002",))
@pytest.mark.parametrize("kind", ["training", "inference"])
def test_a_fully_specified_configuration_is_in_the_registry_as_stated(backend: Proxy, observe: Observer, kind: str) -> None:
    """Each of the stated values, none of them a default, arrives under its key.

    If this fails, suspect a field that is dropped, or filled from a default.
    """
    make, stated = configs.FULL[kind]
    expected = configs.in_registry(stated)
    registry: dict[str, Any] = {}

    backend.synchronise(make(backend), registry)

    observe.equal("values", configs.chosen(registry, expected), expected)
    observe.contract("registry", configs.chosen(registry, expected))


@pytest.mark.clause("CONFIG-030~1")
def test_the_registry_starts_from_the_defaults_of_the_contract(backend: Proxy, observe: Observer) -> None:
    """Forty values, several of them unlike the defaults of the canonical objects.

    If this fails, suspect a default brought into line with the canonical objects.
    """
    found = backend.defaults()

    observe.contract("defaults", configs.chosen(found, configs.REGISTRY_DEFAULTS))


@pytest.mark.clause("CONFIG-030~1")
def test_a_process_starts_with_the_defaults_in_the_live_registry(backend: Proxy, observe: Observer) -> None:
    """What stood in it first, before anything was done, are the defaults.

    If this fails, suspect a live registry that hides or converts its entries.
    """
    live = backend.registry()

    observe.equal(
        "live values",
        configs.chosen(live, configs.REGISTRY_DEFAULTS),
        configs.chosen(backend.defaults(), configs.REGISTRY_DEFAULTS),
    )


@pytest.mark.clause("CONFIG-031~1")
@pytest.mark.parametrize(
    ("N", "gridsize", "offset", "jitter", "expected"),
    [
        (64, 1, 4, 10, {"bigN": 64, "padding_size": 10, "padded_size": 74}),
        (64, 2, 4, 10, {"bigN": 68, "padding_size": 14, "padded_size": 78}),
        (128, 3, 7, 5, {"bigN": 142, "padding_size": 19, "padded_size": 147}),
        (128, 3, 4, 10, {"bigN": 136, "padding_size": 18, "padded_size": 146}),
        (128, 2, 7, 10, {"bigN": 135, "padding_size": 17, "padded_size": 145}),
        (128, 2, 4, 5, {"bigN": 132, "padding_size": 9, "padded_size": 137}),
    ],
    ids=["g1", "g2", "g3", "gridsize-alone", "offset-alone", "jitter-alone"],
)
def test_derived_sizes_follow_the_registry(
    backend: Proxy, observe: Observer, N: int, gridsize: int, offset: int, jitter: int, expected: dict[str, int]
) -> None:
    """The three sizes are what the registry implies now, whatever it implied before.

    If this fails, suspect a value stored at the first reading.
    """
    before = dict(backend.derived())

    backend.registry().update(N=N, gridsize=gridsize, offset=offset, max_position_jitter=jitter)

    observe.equal("before", configs.chosen(before, expected), {"bigN": 132, "padding_size": 14, "padded_size": 142})
    observe.equal("after", configs.chosen(backend.derived(), expected), expected)


@pytest.mark.clause("CONFIG-032~1")
def test_an_unknown_key_is_an_error_unless_there_is_a_default(backend: Proxy, observe: Observer) -> None:
    """A misspelt key never reads as nothing.

    If this fails, suspect a lookup that returns None.
    """
    with observe.raises("lookup", KeyError, "grid_seize"):
        backend.lookup("grid_seize")
    observe.equal("with a default", backend.lookup("grid_seize", 5), 5)
    observe.equal("known", backend.lookup("offset"), 4)


@pytest.mark.clause("CONFIG-032~1")
def test_the_snapshot_has_the_derived_size_and_stays_as_it_is(backend: Proxy, observe: Observer) -> None:
    """The parameters taken once contain bigN and do not follow the registry.

    If this fails, suspect a snapshot that is the live mapping.
    """
    taken = backend.parameters()

    backend.registry().update(gridsize=3)

    observe.equal("snapshot", configs.chosen(taken, ["N", "gridsize", "bigN"]), {"N": 128, "gridsize": 2, "bigN": 132})


@pytest.mark.clause("CONFIG-032~1")
@pytest.mark.parametrize(
    ("changes", "fragment"),
    [({"data_source": "hearsay"}, "data_source"), ({"realspace_mae_weight": 0.5, "realspace_weight": 0.0}, "realspace_weight")],
    ids=["source", "weights"],
)
def test_a_registry_that_contradicts_itself_is_refused(
    backend: Proxy, observe: Observer, changes: dict[str, Any], fragment: str
) -> None:
    """Checking finds an unknown source of data, and a weight inside a term that is off.

    If this fails, suspect a check that was never called.
    """
    observe.equal("refusal of the defaults", reactions.refusal(lambda: backend.check_registry()), "")

    backend.registry().update(changes)

    with observe.raises("checked", ValueError, fragment):
        backend.check_registry()


@pytest.mark.clause("CONFIG-069~1")
@pytest.mark.parametrize("kind", ["model", "execution", "mapping"])
def test_only_canonical_runs_fill_the_registry(backend: Proxy, observe: Observer, kind: str) -> None:
    """Anything but a training or inference configuration is a TypeError.

    If this fails, suspect a helper that flattens whatever it is given.
    """
    thing = {"model": configs.model(backend), "execution": configs.execution(backend), "mapping": {"gridsize": 3}}[kind]

    with observe.raises("filled", TypeError):
        backend.populate(thing)


@pytest.mark.clause("CONFIG-069~1", needs=("CONFIG-002",))
def test_filling_twice_warns_and_writes(backend: Proxy, observe: Observer) -> None:
    """The second experiment of a process is announced, and takes effect.

    If this fails, suspect a warning that returns early.
    """
    backend.populate(configs.training(backend, batch_size=8), force=True)

    with observe.warns("second", UserWarning, "already populated"):
        backend.populate(configs.training(backend, batch_size=32))

    observe.equal("batch size", backend.registry()["batch_size"], 32)
    with observe.warns("an inference", UserWarning, "already populated"):
        backend.populate(configs.inference(backend))


@pytest.mark.clause("CONFIG-069~1")
def test_filling_with_force_says_nothing(backend: Proxy, observe: Observer) -> None:
    """Whoever insists is not warned.

    If this fails, suspect an option that is not looked at.
    """
    backend.populate(configs.training(backend, batch_size=8), force=True)

    _, said = reactions.quietly(lambda: backend.populate(configs.training(backend, batch_size=32), force=True))

    observe.equal("warnings", said, [])
    observe.equal("batch size", backend.registry()["batch_size"], 32)
