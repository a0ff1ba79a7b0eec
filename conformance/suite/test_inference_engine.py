"""INFER-030 … INFER-044: from patterns to an image without training."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from conformance.connectors import native
from conformance.judging.observe import Observer
from conformance.oracles import inference as oracle
from conformance.scenes import convergence, ends, engines, late_engines, odd_engines
from conformance.scenes.engines import PLAIN, Ask
from conformance.scenes.images import apart

SCANS = pytest.mark.parametrize("ask", [PLAIN, Ask(whole=False)], ids=["whole", "between-pixels"])


@pytest.mark.clause("INFER-030~1", evidence="algebraic")
@SCANS
def test_an_engine_gives_modulus_and_argument(backend: Any, observe: Observer, ask: Ask) -> None:
    """Two real pictures, and the object that they show. If this fails, suspect a picture made for display."""
    with observe.accepts("a record without results"):
        image = engines.image(backend, ask)

    amplitude, phase = native.array(image.amplitude), native.array(image.phase)
    observe.equal("kinds", [(a.ndim, a.dtype.kind) for a in (amplitude, phase)], [(2, "f"), (2, "f")])
    observe.close("image", image.field, native.array(native.item(image.results, "object")), dtype="complex64")


@pytest.mark.clause("INFER-030~1", evidence="conservation")
@SCANS
def test_an_engines_canvas_holds_every_patch(backend: Any, observe: Observer, ask: Ask) -> None:
    """As wide as the scan and a patch. If this fails, suspect a canvas that is cut to the scan."""
    offsets = np.stack(engines.scan(ask.whole), axis=-1).reshape(-1, 1, 1, 2)

    sides = native.shape(engines.image(backend, ask).amplitude)

    height, width = oracle.smallest_side(np.trunc(oracle.centred(offsets)), engines.N)
    observe.at_least("height", sides[0], height)
    observe.at_least("width", sides[1], width)
    observe.equal("odd margins", [(side - engines.N) % 2 for side in sides], [0, 0])


@pytest.mark.clause("INFER-031~1", evidence="differential")
@SCANS
def test_an_engine_turns_nothing(backend: Any, observe: Observer, ask: Ask) -> None:
    """Of sixteen orientations the image has its own. If this fails, suspect (row, column) positions, or a conjugate."""
    found = oracle.nearest(*engines.beside(backend, ask))

    observe.equal("orientation", found, "turned by 0°")


@pytest.mark.clause("INFER-032~1", evidence="differential", needs=("INFER-031", "INFER-033", "INFER-040"))
@SCANS
def test_the_scans_mean_lies_in_the_canvas_centre(backend: Any, observe: Observer, ask: Ask) -> None:
    """The object lies where its positions are. If this fails, suspect half a patch, or a canvas that begins at a corner."""
    found = convergence.converged(backend, ask)

    observe.close("shift", np.array(found.shift), np.zeros(2))


@pytest.mark.clause("INFER-032~1", evidence="symmetry")
def test_where_the_scan_begins_does_not_matter(backend: Any, observe: Observer) -> None:
    """Positions moved together give the same image. If this fails, suspect absolute positions on the canvas."""
    moved = engines.image(backend, Ask(change="elsewhere"))

    observe.close("elsewhere", apart(moved.field, engines.image(backend).field), 0.0)


@pytest.mark.clause("INFER-032~1", evidence="symmetry")
def test_far_away_places_between_pixels_stay_what_they_are(backend: Any, observe: Observer) -> None:
    """Four million pixels from the origin. If this fails, suspect positions in single precision."""
    moved = engines.image(backend, Ask(whole=False, change="far-away"))

    observe.close("elsewhere", apart(moved.field, engines.image(backend, Ask(whole=False)).field), 0.0)


@pytest.mark.clause("INFER-046~1", evidence="analytic", needs=("INFER-033",))
@SCANS
def test_an_engine_tells_where_its_canvas_lies(backend: Any, observe: Observer, ask: Ask) -> None:
    """The first pixel's position, by the scan's mean. If this fails, suspect half a pixel, or half a patch."""
    results, sides = engines.told(backend, ask, "origin")
    middle = np.array([np.mean(axis) for axis in engines.scan(ask.whole)])

    observe.close("origin", native.array(results["origin"]).astype(float), middle - np.array(sides[::-1]) / 2)


@pytest.mark.clause("INFER-046~1", evidence="differential")
@SCANS
def test_an_engine_tells_positions_in_the_records_order(backend: Any, observe: Observer, ask: Ask) -> None:
    """Row for row. If this fails, suspect the order of the engine's own steps."""
    results, _ = engines.told(backend, ask, "positions")

    observe.close("positions", native.array(results["positions"]).astype(float), np.stack(engines.scan(ask.whole), axis=-1))


@pytest.mark.clause("INFER-057~1", evidence="conservation", needs=("INFER-046",))
@pytest.mark.parametrize("change", ["bright", "dim"])
def test_an_engines_probe_has_the_records_unit(backend: Any, observe: Observer, change: str) -> None:
    """In another unit probe and object bring as much more light as is measured. If this fails, suspect a unit of its own."""
    made, measured = engines.brought(backend, Ask(change=change))
    usual, known = engines.brought(backend, PLAIN)

    observe.close("light", made / usual, measured / known)


@pytest.mark.clause("INFER-033~4", evidence="differential", needs=("INFER-031", "INFER-040"))
@SCANS
def test_an_engine_recovers_the_object(backend: Any, observe: Observer, ask: Ask) -> None:
    """Noiseless, well overlapped, with the true probe, after as many passes as the error takes to settle.

    If this fails, suspect amplitudes that are taken for intensities, or a wave that comes back by another way than it went.
    """
    found = convergence.converged(backend, ask)

    observe.close("object", found.error, 0.0)
    observe.close("ramp", np.array(found.ramp), np.zeros(2))


@pytest.mark.clause("INFER-044~1", needs=("INFER-031",))
def test_fractions_of_a_pixel_count(backend: Any, observe: Observer) -> None:
    """Between pixels the object comes out as well as at whole ones. If this fails, suspect positions that are rounded."""
    whole, between = convergence.fractions(backend)

    observe.at_most("error", between, max(convergence.FRACTIONS * whole, convergence.FINE))


@pytest.mark.clause("INFER-033~4", evidence="symmetry", needs=("INFER-031", "INFER-040"))
def test_a_mirrored_experiment_gives_the_mirrored_object(backend: Any, observe: Observer) -> None:
    """The same quality in the mirror. If this fails, suspect a sign that only one direction of the scan shows."""
    found = convergence.converged(backend, Ask(change="mirrored"))

    observe.close("object", found.error, 0.0)
    observe.close("ramp", np.array(found.ramp), np.zeros(2))


@pytest.mark.clause("INFER-033~4", evidence="differential", needs=("INFER-031", "INFER-040"))
def test_an_engine_recovers_the_object_of_many_patterns(backend: Any, observe: Observer) -> None:
    """Each place four times, 288 patterns. If this fails, suspect work in blocks, of which one is left out."""
    observe.close("object", convergence.converged(backend, Ask(change="four-times", passes=15)).error, 0.0)


@pytest.mark.clause("INFER-034~2")
def test_more_passes_come_nearer(backend: Any, observe: Observer) -> None:
    """`nepochs` counts passes over the record. If this fails, suspect a number of its own."""
    few, many = (engines.match(backend, Ask(passes=passes)).error for passes in (2, engines.PASSES))

    observe.holds("nearer", many < few, f"less than the {few:.3g} of two passes", f"{many:.3g}")


@pytest.mark.clause("INFER-034~2", needs=("INFER-031",))
def test_an_engine_does_not_stop_on_its_way(backend: Any, observe: Observer) -> None:
    """Passes that are asked for are made while the error is large. If this fails, suspect an end of its own."""
    observe.equal("stopped", convergence.stopped(backend), "")


@pytest.mark.clause("INFER-047~1")
def test_a_pass_hears_every_pattern(backend: Any, observe: Observer) -> None:
    """Twenty patterns, eight a step. If this fails, suspect a step that is left out where it is not full."""
    observe.equal("unheard", engines.unheard(backend), [])


@pytest.mark.clause("INFER-035~2", evidence="symmetry")
@pytest.mark.parametrize("change", ["bright", "dim"])
def test_the_brightness_of_a_record_does_not_matter(backend: Any, observe: Observer, change: str) -> None:
    """Amplitudes in other units, the same image. If this fails, suspect a floor in absolute numbers."""
    observe.close("image", convergence.unlike_plain(backend, change), 0.0)


@pytest.mark.clause("INFER-059~1", evidence="symmetry", needs=("INFER-033",))
def test_odd_sides_show_what_even_ones_show(backend: Any, observe: Observer) -> None:
    """One more row and column of the same light. If this fails, suspect `fftshift` in the place of its inverse."""
    observe.close("odd sides", odd_engines.unlike_even(backend), 0.0)


@pytest.mark.clause("INFER-059~1", evidence="symmetry", needs=("INFER-033", "INFER-041", "INFER-042", "INFER-043"))
@pytest.mark.parametrize("name", sorted(odd_engines.MORE))
def test_odd_sides_are_taken_with_all_that_even_ones_have(backend: Any, observe: Observer, name: str) -> None:
    """A mask, modes, a probe to refine. If this fails, suspect a part of the record that is turned as even sides are."""
    observe.close("odd sides", odd_engines.unlike_even(backend, name), 0.0)


@pytest.mark.clause("INFER-036~1")
def test_an_engine_repeats_itself(backend: Any, observe: Observer) -> None:
    """The same seed, the same bits, whatever came between. If this fails, suspect an order drawn from a global generator."""
    first, again = engines.image(backend), engines.once_more(backend)

    observe.equal("amplitude", native.array(again.amplitude), native.array(first.amplitude))
    observe.equal("phase", native.array(again.phase), native.array(first.phase))


@pytest.mark.clause("INFER-036~1")
def test_an_engine_leaves_the_record_alone(backend: Any, observe: Observer) -> None:
    """Not a bit of the given arrays changes. If this fails, suspect patterns that are shifted or squared in place."""
    given, records = engines.experiment(), late_engines.used(backend)

    changed = [
        name
        for record in records
        for name, values in given.items()
        if not np.array_equal(native.array(getattr(record, name)), values)
    ]
    observe.equal("changed", changed, [])


@pytest.mark.clause("INFER-037~1")
@pytest.mark.parametrize("wrong", sorted(engines.WRONG))
def test_an_experiment_that_is_none_is_an_error(backend: Any, observe: Observer, wrong: str) -> None:
    """Nothing is made of what is no experiment. If this fails, suspect an image of NaN."""
    arrays = engines.WRONG[wrong](engines.experiment())
    engines.claimed(backend)

    with observe.raises("refusal", (ValueError, TypeError)):
        backend.reconstruct(None, engines.record(backend, arrays), engines.configuration(backend, 2))


@pytest.mark.clause("INFER-037~1")
@pytest.mark.parametrize("value", [np.nan, np.inf], ids=["nan", "infinite"])
@pytest.mark.parametrize("name", ["diff3d", "xcoords", "ycoords"])
def test_what_is_wrong_late_in_an_experiment_is_an_error(backend: Any, observe: Observer, name: str, value: float) -> None:
    """Of 288 patterns one of the last. If this fails, suspect blocks, of which the first is looked at."""
    engines.claimed(backend)
    arrays, config = late_engines.wrong_late(name, value), engines.configuration(backend, 2)

    with observe.raises("refusal", (ValueError, TypeError)):
        backend.reconstruct(None, engines.record(backend, arrays), config)


@pytest.mark.clause("INFER-040~1", needs=("INFER-034",))
@SCANS
def test_an_engine_converges(backend: Any, observe: Observer, ask: Ask) -> None:
    """It comes near, or comes to rest. If this fails, suspect steps that are too small: more passes are needed than were made."""
    found = convergence.errors(backend, ask)

    observe.holds(
        "converged", found.ended, "an error that is small enough, or that more passes no longer make smaller", str(found)
    )


@pytest.mark.clause("INFER-042~1", evidence="differential", needs=("INFER-033",))
@SCANS
def test_an_engine_hears_nothing_of_a_masked_pixel(backend: Any, observe: Observer, ask: Ask) -> None:
    """Gaps of the detector are not dark. If this fails, suspect a mask that does not reach the engine."""
    found = convergence.converged(backend, replace(ask, change="masked"))

    observe.close("object", found.error, 0.0)


@pytest.mark.clause("INFER-067~2", needs=("INFER-033", "INFER-042"))
@pytest.mark.parametrize("change", ["", "masked"], ids=["whole", "masked"])
def test_an_engines_residual_is_that_of_the_good_pixels(backend: Any, observe: Observer, change: str) -> None:
    """Hardly anything is left. If this fails, suspect a misfit of what a mask hides."""
    results, _ = engines.told(backend, replace(PLAIN, change=change), "residuals")

    left = ends.ended(native.array(results["residuals"]).astype(float))
    observe.at_most("passes", left.size, engines.PASSES)
    observe.at_most("residual", float(left[-1]), ends.LEFT)


@pytest.mark.clause("INFER-058~1", needs=("INFER-042",))
def test_an_engine_hears_a_dark_pixel(backend: Any, observe: Observer) -> None:
    """Zeros are no gaps. If this fails, suspect pixels without light that are left out."""
    left = engines.unlike(backend, *(Ask(change=change, passes=10) for change in ("darkened", "masked")))

    observe.at_least("distance of the images", left, engines.HEARD)


@pytest.mark.clause("INFER-043~1", evidence="differential", needs=("INFER-033",))
@SCANS
def test_an_engine_takes_every_mode_of_the_probe_or_none(backend: Any, observe: Observer, ask: Ask) -> None:
    """Intensities of modes add, or are refused. If this fails, suspect an engine that takes the first mode alone."""
    error = convergence.error_unless_refused(backend, replace(ask, change="two-modes"))

    observe.close("object", error, 0.0)


@pytest.mark.clause("INFER-043~1")
def test_modes_without_light_add_nothing(backend: Any, observe: Observer) -> None:
    """One dark mode, or nineteen. If this fails, suspect light that each mode begins with, or a step heard in part."""
    observe.at_most("distance", odd_engines.under_dark_modes(backend), engines.ALIKE)


@pytest.mark.clause("INFER-041~1", evidence="differential", needs=("INFER-033",))
def test_a_trainable_probe_is_refined_or_refused(backend: Any, observe: Observer) -> None:
    """A probe out of focus comes into focus. If this fails, suspect a setting that the engine never reads."""
    error = convergence.error_unless_refused(backend, Ask(change="out-of-focus", trainable=True))

    observe.close("object", error, 0.0)


@pytest.mark.clause("INFER-041~1", evidence="differential", needs=("INFER-033", "INFER-043"))
def test_every_mode_of_a_trainable_probe_is_refined_or_refused(backend: Any, observe: Observer) -> None:
    """The weaker of two modes comes into focus. If this fails, suspect an engine that refines the first one alone."""
    error = convergence.error_unless_refused(backend, Ask(change="weaker-out-of-focus", trainable=True))

    observe.close("object", error, 0.0)
