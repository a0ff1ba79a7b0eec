"""CLI-015, CLI-016, CLI-081: what the profiles `varpro` and `ci` have by command."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conformance.connectors import native
from conformance.judging.observe import Observer
from conformance.oracles import pictures
from conformance.scenes import commands, counted_commands, flags, networks, pictured, solving
from conformance.specification import effects


def ended(observe: Observer, done: Any) -> None:
    """The command ended well."""
    observe.holds("exit code", done.returncode == 0, "0", f"{done.returncode}: {done.stderr[-1500:]}")


@pytest.mark.slow
@pytest.mark.clause("CLI-015~1", needs=("CLI-007",))
@pytest.mark.parametrize("flag", sorted(effects.flags("infer")))
def test_a_way_of_stitching_changes_the_picture(backend: Any, observe: Observer, shared_folder: Path, flag: str) -> None:
    """Amplitude or phase. If this fails, suspect a way that the command does not hand over."""
    flow = commands.brief(backend, shared_folder)
    ways = [flow.pictures, commands.way(flow, flag, effects.flags("infer")[flag][1])]

    ended(observe, ways[1].done)

    names = ("reconstructed_amplitude.png", "reconstructed_phase.png")
    plain, chosen = ([pictures.pixels(folder / name) for name in names] for folder in (ways[0], ways[1].folder))
    differ = [a.shape != b.shape or bool((a != b).any()) for a, b in zip(plain, chosen, strict=True)]
    observe.holds("pictures", any(differ), "another amplitude or phase", "the same pictures")


@pytest.mark.slow
@pytest.mark.clause("CLI-015~1", needs=("CLI-007",))
def test_each_weighting_is_one_of_its_own(backend: Any, observe: Observer, shared_folder: Path) -> None:
    """By the middle, and by the light. If this fails, suspect a name that stands for another one's weights."""
    ways = [commands.way(commands.brief(backend, shared_folder), "patch_weighting", name) for name in ("central", "probe")]
    ended(observe, ways[0].done)
    ended(observe, ways[1].done)

    names = [f"reconstructed_{name}.png" for name in pictured.NAMES]
    central, light = ([pictures.pixels(way.folder / name) for name in names] for way in ways)
    differ = [a.shape != b.shape or bool((a != b).any()) for a, b in zip(central, light, strict=True)]
    observe.holds("pictures", any(differ), "another amplitude or phase", "the same pictures")


@pytest.mark.slow
@pytest.mark.clause("CLI-087~1", needs=("CLI-015",))
def test_what_is_covered_is_where_the_image_is(backend: Any, observe: Observer, shared_folder: Path) -> None:
    """By weight, too, on a canvas that is no square. If this fails, suspect two canvases about one middle."""
    way = commands.way(commands.brief(backend, shared_folder), "patch_weighting", "probe")
    ended(observe, way.done)

    image, covered = pictured.covered(way.folder)

    observe.equal("shape", covered.shape, image.shape)
    observe.equal("pixels of the image that are not covered", int(np.sum((image != 0) & ~covered)), 0)


@pytest.mark.slow
@pytest.mark.clause("CLI-015~1", needs=("CLI-007",))
@pytest.mark.parametrize("flag", sorted(effects.flags("infer")))
def test_an_unknown_way_of_stitching_is_refused(
    backend: Any, observe: Observer, shared_folder: Path, tmp_path: Path, flag: str
) -> None:
    """Code 1, and the flag's name. If this fails, suspect a default that stands in for unknown names."""
    done = commands.stitched(commands.brief(backend, shared_folder), tmp_path, flag, "sideways").done

    observe.equal("exit code", done.returncode, 1)
    named = commands.hyphened(flag) in commands.hyphened(done.output)
    observe.holds("message", named, f"a message that names {commands.hyphened(flag)}", done.output[-500:])


@pytest.mark.slow
@pytest.mark.clause("CLI-016~2", needs=("BUNDLE-040",))
def test_counts_are_trained_and_inferred_by_command(backend: Any, observe: Observer, shared_folder: Path) -> None:
    """The statistics are those of the file's counts. If this fails, suspect amplitudes normalised on the way."""
    train, photons, truth, folder = counted_commands.counted_once(backend, shared_folder)
    ended(observe, train)

    module = backend.count_open(folder / "output" / "checkpoints" / "last.ckpt")
    found = backend.count_statistics(module)
    infer, place = counted_commands.drawn(backend, shared_folder, 1, "--seed" in solving.offered(backend, "infer", shared_folder))

    mean = native.array(native.item(found, "mean_measured_intensity")).astype(float)
    observe.close("photons of a mean pattern", mean * networks.N**2, np.array([photons]), dtype="float32")
    rms = native.array(native.item(found, "rms_input_scale")).astype(float)
    observe.close("scale of the input", rms, np.array([truth]), dtype="float32")
    ended(observe, infer)
    pictures_left = [commands.picture(place / f"reconstructed_{name}.png")["format"] for name in pictured.NAMES]
    observe.equal("format", pictures_left, ["png", "png"])


@pytest.mark.slow
@pytest.mark.clause("CLI-081~1", needs=("CLI-016",))
def test_counts_are_inferred_of_what_the_seed_chooses(backend: Any, observe: Observer, shared_folder: Path) -> None:
    """Ten of 24 exposures, others for another seed. If this fails, suspect a flag that a model of amplitudes knows alone."""
    solving.understood(backend, "infer", "--seed", shared_folder)
    calls = [counted_commands.drawn(backend, shared_folder, seed) for seed in (1, 2)]
    ended(observe, calls[0][0])
    ended(observe, calls[1][0])

    first, second = (pictures.pixels(folder / "reconstructed_amplitude.png") for _, folder in calls)

    same = first.shape == second.shape and bool((first == second).all())
    observe.holds("amplitudes", not same, "another picture", "the same one")


@pytest.mark.slow
@pytest.mark.clause("CLI-016~2")
def test_counts_of_several_processes_are_refused_or_trained(
    backend: Any, observe: Observer, tmp_path: Path, shared_folder: Path
) -> None:
    """One line that names the flag, and no traceback. If this fails, suspect a step that knows one process alone."""
    done = counted_commands.counted(backend, tmp_path, *flags.processes(backend, shared_folder))[0]

    told = done.returncode == 0 or (done.returncode == 1 and "--devices" in commands.hyphened(done.output))
    observe.holds("end", told, "code 0, or code 1 and a message that names --devices", f"{done.returncode}: {done.output[-500:]}")
    observe.equal("traceback", "Traceback (most recent call last)" in done.output, False)


@pytest.mark.slow
@pytest.mark.clause("CLI-016~2", needs=("BUNDLE-040",))
def test_photons_by_hand_go_before_those_of_the_file(backend: Any, observe: Observer, shared_folder: Path) -> None:
    """The file states 20,000, the flag 5,000. If this fails, suspect a flag that counts where the file says nothing alone."""
    train, checkpoint = counted_commands.by_hand(backend, shared_folder)
    ended(observe, train)

    found = backend.count_statistics(backend.count_open(checkpoint))

    mean = native.array(native.item(found, "mean_measured_intensity")).astype(float)
    observe.close("photons of a mean pattern", mean * networks.N**2, np.array([counted_commands.BY_HAND]), dtype="float32")


@pytest.mark.slow
@pytest.mark.clause("CLI-016~2", needs=("CISCALE-008", "CISCALE-010"))
@pytest.mark.parametrize("flag", counted_commands.FACTORS[::2])
def test_factors_begin_and_learn_as_flags_say(backend: Any, observe: Observer, shared_folder: Path, flag: str) -> None:
    """At one, and both move from there. If this fails, suspect flags that are parsed and dropped."""
    solving.understood(backend, "train", flag, shared_folder)
    train, checkpoint = counted_commands.by_hand(backend, shared_folder)
    ended(observe, train)

    moved = counted_commands.factors(backend, checkpoint)

    observe.equal("far from one", [part for part, by in moved.items() if abs(by) > counted_commands.NEAR], [])
    observe.equal("moved", sorted(part for part, by in moved.items() if by != 0), ["imaginary", "real"])
