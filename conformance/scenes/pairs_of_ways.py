"""Inferences under some flags each, beside the library's: of every two flags a call has the first alone, another the second."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from conformance.connectors import native, process
from conformance.connectors.names import NotClaimed
from conformance.scenes import commands, conduct, configs, flags, gaps, images, masks, runs, solving
from conformance.scenes.records import record, write_npz
from conformance.scenes.shared import once

MASK, COUNTS = "good.npy", "counts"
CALLS: dict[str, dict[str, Any]] = {
    "gaps": {"--stitch-crop-size": conduct.CROP, "--flip-y": None, **gaps.BESIDE["gaps"]},
    "none": {"--stitch-crop-size": gaps.WHOLE, "--flip-x": None, "--position-scale": gaps.SPREAD, **gaps.BESIDE["none"]},
    "turned": {"--flip-x": None, "--transpose": None, "--varpro-scaling": "global", "--measurement": COUNTS},
    "masked": {"--flip-y": None, "--patch-weighting": "central", "--measurement": COUNTS, "--mask": MASK,
               "--position-scale": flags.SCALE},
    "weighed": {"--transpose": None, "--patch-weighting": "probe", "--varpro-scaling": "global", "--mask": MASK, "--n_images": 7,
                "--seed": 5},
}  # fmt: skip
"""Call → flag → its value; None: a switch. With the call of CLI-024, of every two there is one that has the first alone, one that
has the second alone, and, but for a few, one that has both."""
M = 24
"""Central pixels of a patch that are placed where a call of its own says it."""
OPTIONS = {"--flip-x": "flip_x", "--flip-y": "flip_y", "--transpose": "transpose", "--stitch-crop-size": "M",
           "--patch-weighting": "patch_weighting", "--varpro-scaling": "varpro_scaling"}  # fmt: skip
READ = {"--measurement": "measurement", "--position-scale": "coord_scale"}
"""Flag → the option of the library's call; the second, of its reader's."""


def called(backend: Any, shared: Path, call: str) -> tuple[process.Completed, Path, dict[str, Any]]:
    """A call, once for all checks of a session: how it ended, its folder, and the flags of this file that it had.

    `NotClaimed` where it is refused by a flag's name: what cannot act beside another may say so.
    """
    for flag in ("--plain", "--stitch-crop-size", "--position-scale"):
        solving.understood(backend, "infer", flag, shared)
    if call in gaps.BESIDE:
        done, folder = gaps.windowed(backend, shared)[call], shared / f"windowed-{call}"
    else:
        done = process.Completed(**once(shared, f"ways-{call}", lambda folder: vars(_run(backend, shared, call, folder))))
        folder = shared / f"ways-{call}"
    last = commands.hyphened(done.stderr.strip().rpartition("\n")[2])
    if done.returncode == 1 and (named := [flag for flag in CALLS[call] if commands.hyphened(flag) in last]):
        raise NotClaimed(f"command `infer`: {named[0]} beside {', '.join(CALLS[call])}: {last}")
    return done, folder, {flag: value for flag, value in CALLS[call].items() if flag in done.argv}


def _run(backend: Any, shared: Path, call: str, folder: Path) -> process.Completed:
    words = gaps.listed_words(backend, shared, CALLS[call])
    good = masks.mask(64)
    np.save(folder / MASK, good)
    given = record(n=20, N=64)
    if COUNTS in words:
        given["diff3d"] = np.rint(given["diff3d"].astype(float) ** 2).astype(np.float32)
    if MASK in words:
        given["diff3d"] = np.where(good, given["diff3d"], flags.HOT * given["diff3d"].max())
    if "--position-scale" in words:
        given = {**given, **{axis: given[axis] / flags.SCALE for axis in ("xcoords", "ycoords")}}
    files = {"--test_data": write_npz(folder / "data.npz", **given), "--model_path": commands.brief(backend, shared).output}
    argv = [*backend.command("infer"), *commands.listed(files | {"--output_dir": folder / "out"}), *words]
    return commands.call([*argv, "--stitch-crop-size", M, *gaps.always(backend, shared), "--accelerator", "cpu"], folder)


def by_the_library(backend: Any, shared: Path, call: str, given: Mapping[str, Any], folder: Path) -> images.Image:
    """The same through `reconstruct`: the settings that the flags of a call state, and no others."""
    flow = commands.brief(backend, shared)
    data = flow.output.parent / "data.npz" if call in gaps.BESIDE else shared / f"ways-{call}" / "data.npz"
    models, parameters = backend.load(flow.output)
    read = backend.read(data, **{name: given[flag] for flag, name in READ.items() if flag in given})
    read = backend.masked(read, masks.mask(64)) if "--mask" in given else read
    known = {name: parameters.get(configs.REGISTRY_KEYS.get(name, name)) for name in configs.MODEL}
    model = backend.canonical("model", **{name: value for name, value in known.items() if value is not None})
    paths = {"model_path": flow.output, "test_data_file": data, "output_dir": folder / "out", "backend": "pytorch"}
    drawn = {"n_groups": given.get("--n_images", len(native.array(read.xcoords))), "subsample_seed": given.get("--seed", 42)}
    config = backend.canonical("inference", model=model, **paths, **drawn)
    backend.synchronise(config)
    options = {name: True if given[flag] is None else given[flag] for flag, name in OPTIONS.items() if flag in given}
    return images.Image(*runs.three(backend.reconstruct({"models": models}, read, config, **{"M": M, **options})))
