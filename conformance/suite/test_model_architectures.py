"""MODEL-028 … MODEL-038: what every architecture owes that the backend lists."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conformance.judging.observe import Observer
from conformance.scenes import generators, sides

BOTH = pytest.mark.parametrize("g", [1, 2], ids=["g1", "g2"])


def close(observe: Observer, what: str, found: dict[str, tuple[np.ndarray, np.ndarray]]) -> None:
    """The two arrays of each architecture are one, up to the clause's bound; the name says of which."""
    for name, (value, truth) in found.items():
        observe.close(f"{what} of {name}", value, truth)


def same(observe: Observer, what: str, found: dict[str, tuple[np.ndarray, np.ndarray]]) -> None:
    """The two arrays of each architecture are one, bit for bit."""
    for name, (value, truth) in found.items():
        observe.equal(f"{what} of {name}", value, truth)


@pytest.mark.clause("MODEL-028~1")
def test_architectures_are_listed(backend: Any, observe: Observer) -> None:
    """Each once, `cnn` among them. If this fails, suspect a list that is written by hand."""
    found = generators.names(backend)

    observe.equal("once each", len(found), len(set(found)))
    observe.holds("cnn", "cnn" in found, "cnn among them", f"{found}")


@pytest.mark.clause("MODEL-028~1")
@pytest.mark.parametrize(
    ("N", "g", "allowed"),
    [(64, 1, {"weights"}), (64, 2, {"weights"}), (128, 1, {"weights", "refused"}), (256, 1, {"weights", "refused"})],
    ids=["N64-g1", "N64-g2", "N128-g1", "N256-g1"],
)
def test_each_makes_a_module(backend: Any, observe: Observer, N: int, g: int, allowed: set[str]) -> None:
    """A module with weights. If this fails, suspect an optional package that is missing."""
    with observe.accepts("valid input"):
        found = generators.each(backend, lambda name: generators.makes(backend, name, N, g))

    observe.equal("others", {name: made for name, made in found.items() if made not in allowed}, {})


@pytest.mark.device
@pytest.mark.clause("MODEL-029~1")
@BOTH
@pytest.mark.parametrize("modes", [1, 3], ids=["one-mode", "three-modes"])
def test_each_answers_in_one_form(backend: Any, observe: Observer, g: int, modes: int) -> None:
    """Four arrays (B, C, N, N), finite. If this fails, suspect stacked parts, double precision, or a dark pattern's energy."""
    with observe.accepts("valid input"):
        found = generators.each(backend, lambda name: generators.forms(backend, name, g, modes))

    observe.equal("forms", found, dict.fromkeys(found, generators.formed(g)))


@pytest.mark.device
@pytest.mark.clause("MODEL-029~1", evidence="algebraic")
def test_each_has_patches_of_its_amplitude_and_phase(backend: Any, observe: Observer) -> None:
    """A·exp(iφ). If this fails, suspect a conjugated patch, or another way through the network."""
    found = generators.each(backend, lambda name: generators.answers(backend, name, 2))

    close(observe, "patches", {k: (v[3], v[1].astype(float) * np.exp(1j * v[2].astype(float))) for k, v in found.items()})


@pytest.mark.device
@pytest.mark.clause("MODEL-030~2", needs=("MODEL-029",))
@pytest.mark.parametrize("activation", list(generators.LOWEST))
@pytest.mark.parametrize("strength", [1e-3, 1e3], ids=["faint", "bright"])
def test_each_keeps_the_ranges(backend: Any, observe: Observer, activation: str, strength: float) -> None:
    """Amplitude, phase, prediction. If this fails, suspect a head of its own that never reads `amp_activation`."""
    found = generators.each(backend, lambda name: generators.beyond(backend, name, activation, strength))

    observe.equal("beyond", found, dict.fromkeys(found, {}))


@pytest.mark.device
@pytest.mark.clause("MODEL-030~2", needs=("MODEL-029",))
def test_each_leaves_the_border_empty_without_probe_big(backend: Any, observe: Observer) -> None:
    """Zero in the ring, something in the centre. If this fails, suspect a setting that the network never reads."""
    found = generators.each(backend, lambda name: generators.border(backend, name))

    observe.equal("lit", found, dict.fromkeys(found, {"border": False, "centre": True}))


@pytest.mark.device
@pytest.mark.clause("MODEL-031~1", evidence=("symmetry", "algebraic"), needs=("MODEL-029",))
@BOTH
def test_in_each_samples_are_alone(backend: Any, observe: Observer, g: int) -> None:
    """Alone, and elsewhere in the batch. If this fails, suspect a norm over the batch, or the first sample's probe for all."""
    found = generators.each(backend, lambda name: generators.companies(backend, name, g))

    close(observe, "alone, patches", {name: (alone, whole) for name, (whole, alone, _) in found.items()})
    close(observe, "elsewhere, patches", {name: (moved, whole) for name, (whole, _, moved) in found.items()})


@pytest.mark.device
@pytest.mark.clause("MODEL-032~1", needs=("MODEL-029",))
def test_each_repeats_itself(backend: Any, observe: Observer) -> None:
    """The same bits after another call. If this fails, suspect dropout, drawn starts, or a result that is kept."""
    same(observe, "patches", generators.each(backend, lambda name: generators.twice(backend, name)))


@pytest.mark.clause("MODEL-033~1", needs=("MODEL-028",))
def test_weights_of_each_follow_from_the_configuration(backend: Any, observe: Observer) -> None:
    """Names, shapes, dtypes. If this fails, suspect counted names, or layers made at the first call."""
    found = generators.each(backend, lambda name: generators.two(backend, name))

    observe.equal("weights", {k: first for k, (first, _) in found.items()}, {k: second for k, (_, second) in found.items()})


@pytest.mark.device
@pytest.mark.clause("MODEL-033~1", needs=("MODEL-029",))
def test_weights_are_all_of_each(backend: Any, observe: Observer) -> None:
    """Handed to a fresh module they predict the same bits. If this fails, suspect numbers drawn and not registered."""
    same(observe, "patches", generators.each(backend, lambda name: generators.handed_over(backend, name)))


@pytest.mark.device
@pytest.mark.clause("MODEL-034~2", needs=("MODEL-029",))
def test_every_weight_of_each_learns(backend: Any, observe: Observer) -> None:
    """Finite slopes, none nothing where patches hang on it. If this fails, suspect a detached part, or the root of zero."""
    found = generators.each(backend, lambda name: generators.gradients(backend, name))

    observe.equal("faults", found, dict.fromkeys(found, {}))


@pytest.mark.slow
@pytest.mark.clause("MODEL-035~1", needs=("MODEL-029",))
def test_each_comes_back_from_its_bundle(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """The same bits, under another registry. If this fails, suspect a setting that the bundle does not keep."""
    with observe.accepts("valid input"):
        found = generators.each(backend, lambda name: generators.bundled(backend, name, tmp_path))

    observe.equal("named", {name: made["named"] for name, made in found.items()}, {name: name for name in found})
    same(observe, "patches", {name: (made["opened"], made["trained"]) for name, made in found.items()})


@pytest.mark.device
@pytest.mark.clause("MODEL-036~1", evidence=("symmetry", "algebraic"), needs=("MODEL-029",))
def test_each_multiplies_its_patterns_by_their_scale(backend: Any, observe: Observer) -> None:
    """k·x with s/k is x with s. If this fails, suspect patterns that reach the network without their scale."""
    close(observe, "patches", generators.each(backend, lambda name: generators.scaled(backend, name)))


@pytest.mark.device
@pytest.mark.clause("MODEL-036~1", needs=("MODEL-029",))
def test_each_reads_every_pattern(backend: Any, observe: Observer) -> None:
    """Another pattern, other patches. If this fails, suspect a member that is never read."""
    found = generators.each(backend, lambda name: generators.blind_to(backend, name))

    observe.equal("blind to members", found, dict.fromkeys(found, []))


@pytest.mark.device
@pytest.mark.clause("MODEL-037~1", evidence="symmetry", needs=("PHYS-001",))
@BOTH
def test_each_sees_the_probe_behind_its_mask(backend: Any, observe: Observer, g: int) -> None:
    """Light beyond the mask changes no answer. If this fails, suspect a network that is handed the probe as it came."""
    found = generators.each(backend, lambda name: generators.behind_the_mask(backend, name, g))

    close(observe, "prediction", {name: pairs[0] for name, pairs in found.items()})
    close(observe, "patches", {name: pairs[1] for name, pairs in found.items()})


@pytest.mark.clause("MODEL-029~1", needs=("MODEL-028",))
@pytest.mark.parametrize("N", [128], ids=["N128"])
def test_each_answers_at_the_sides_that_it_takes(backend: Any, observe: Observer, N: int) -> None:
    """Or refuses the side by MODEL-002's words. If this fails, suspect a side that is made, and never used."""
    with observe.accepts("valid input"):
        found = generators.each(backend, lambda name: sides.of_architecture(backend, name, N, 1))

    observe.equal("others", {name: told for name, told in found.items() if told not in (sides.owed(N, 1), "refused")}, {})


@pytest.mark.device
@pytest.mark.clause("MODEL-038~1", evidence="symmetry")
@BOTH
def test_to_each_the_order_of_modes_is_one(backend: Any, observe: Observer, g: int) -> None:
    """The same light. If this fails, suspect the first mode in the place of all."""
    close(observe, "patches", generators.each(backend, lambda name: generators.in_another_order(backend, name, g)))


@pytest.mark.device
@pytest.mark.clause("MODEL-038~1")
def test_each_hears_every_mode_or_none(backend: Any, observe: Observer) -> None:
    """Of three. If this fails, suspect the strongest mode in the place of all."""
    found = generators.each(backend, lambda name: generators.deaf_to(backend, name))

    observe.equal("deaf to modes", {name: modes for name, modes in found.items() if modes}, {})
