"""What the client's scripts do with a record, and calls of one process one after the other; imported by them alone."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
from client_told import Answer

FORMS = {
    "int64": lambda counts: counts.astype(np.int64) * 4000,
    "uint32": lambda counts: counts.astype(np.uint32) * 4000,
    "uint16": lambda counts: counts.astype(np.uint16),
    "big-endian": lambda counts: counts.astype(">i4") * 4000,
    "strided": lambda counts: np.repeat(counts, 2, axis=2)[:, :, ::2],
    "Fortran": np.asfortranarray,
}
"""Counts as a detector's files hold them: brighter than 16 bits, in another byte order, in another order in memory."""


def contained(record: Any, N: int, job: Answer) -> Any:
    """The groups of a record as the client asks for them, as what a model is fed with."""
    import ptycho.loader

    groups = record.generate_grouped_data(N, K=job["neighbours"], nsamples=job["samples"], gridsize=job["gridsize"])
    return ptycho.loader.load(lambda: groups, record.probeGuess, which=None, create_split=False)


def record_of(scan: Any, x: np.ndarray, y: np.ndarray) -> Any:
    """The exposures of a scan at these positions, handed over in memory."""
    from ptycho.raw_data import RawData

    parts = {name: scan[name] for name in ("diff3d", "probeGuess", "objectGuess")}
    return RawData.from_coords_without_pc(xcoords=x, ycoords=y, scan_index=np.zeros(len(x), dtype=int), **parts)


def image_of(container: Any, scan: Any, name: str, instead: np.ndarray, M: int = 20) -> np.ndarray:
    """The image of known patches `name`, `M` central pixels of each at their places; of `instead` in groups of several."""
    import ptycho.tf_helper

    X = np.asarray(container.X)
    known = scan[name][exposures(X, scan["diff3d"])][..., None] if X.shape[-1] == 1 else instead
    return np.squeeze(ptycho.tf_helper.reassemble_position(known, container.global_offsets, M=M))


def changed_by_placing(container: Any, scan: Any) -> list[str]:
    """What of known patches, each with a phase of its own, and of their places is another once they were placed."""
    import ptycho.tf_helper

    known = scan["patches"][exposures(np.asarray(container.X), scan["diff3d"])][..., None]
    turned = known * np.exp(2j * np.arange(len(known)))[:, None, None, None]
    given = {"known patches": turned, "offsets": container.global_offsets}
    before = {name: np.array(array) for name, array in given.items()}
    ptycho.tf_helper.reassemble_position(*given.values(), M=20)
    return [name for name, array in given.items() if not np.array_equal(array, before[name])]


def exposures(X: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Which exposure each group holds: the one whose pattern is most like it."""
    groups, patterns = (np.asarray(array, np.float64).reshape(len(array), -1) for array in (X, counts))
    groups, patterns = (a / np.linalg.norm(a, axis=1, keepdims=True) for a in (groups, np.sqrt(patterns)))
    return np.argmax(groups @ patterns.T, axis=1)


def forms(job: Answer, folder: Path) -> Answer:
    """Form of the counts in memory → how far the patterns of its container are from those of the plain counts, at most.

    And the shapes of the containers of a few exposures.
    """
    scan = dict(np.load(folder / "scan.npz"))
    counts, far = scan["diff3d"], {}

    def patterns(diff3d: np.ndarray) -> np.ndarray:
        record = record_of({**scan, "diff3d": diff3d}, scan["xcoords"], scan["ycoords"])
        return np.asarray(contained(record, counts.shape[-1], job).X, np.float64)

    plain = patterns(counts)
    for name, form in FORMS.items():
        far[name] = float(np.abs(patterns(form(counts)) - plain).max() / plain.max())
    part = {n: {**scan, "diff3d": counts[:n]} for n in job["few"]}
    few = {
        n: contained(record_of(one, scan["xcoords"][:n], scan["ycoords"][:n]), counts.shape[-1], job) for n, one in part.items()
    }
    return {"far": far, "few": [list(np.shape(one.X)) for one in few.values()]}


def _lies(folder: Path, model: str) -> Path:
    """The one folder of all models, once this one has taken the place of whichever lay there, in one step."""
    place = folder / "model of the day"
    place.mkdir(exist_ok=True)
    shutil.copy(folder / model / "wts.h5.zip", place / "new")
    (place / "new").replace(place / "wts.h5.zip")
    return place


def together(job: Answer, folder: Path) -> Answer:
    """A second model opened beside the first, from the folder where that one lay: what each of them predicts then, and the scale
    that is in force.
    """
    import ptycho.params
    import ptycho.probe
    from ptycho.workflows.components import load_inference_bundle

    scan = dict(np.load(folder / "scan.npz"))
    given = {name: array.copy() for name, array in scan.items()}
    many = {**scan, "diff3d": np.concatenate([scan["diff3d"]] * job["times"])}
    record = record_of(many, *(np.concatenate([scan[name]] * job["times"]) for name in ("xcoords", "ycoords")))
    ptycho.probe.set_probe_guess(None, record.probeGuess)
    container = contained(record, scan["diff3d"].shape[-1], job)
    inputs = [np.asarray(container.X), np.asarray(container.local_offsets)]
    few = [array[:3] for array in inputs]
    first, _ = load_inference_bundle(_lies(folder, job["first"]))
    alone = np.asarray(first.predict(few))
    given |= {"patterns": few[0].copy(), "a prediction": alone.copy()}
    ptycho.params.cfg.update(job["elsewhere"])  # what another configuration has left there
    second, _ = load_inference_bundle(_lies(folder, job["second"]))
    scale = float(ptycho.params.get("intensity_scale"))
    beside, other = np.array(first.predict(few)), np.asarray(second.predict(few))
    now = {**scan, "patterns": few[0], "a prediction": alone}
    changed = [name for name, array in given.items() if not np.array_equal(now[name], array)]
    seen = {"alone": given["a prediction"], "beside": beside, "other": other, "many": np.asarray(second.predict(inputs))}
    np.savez(folder / "together.npz", **seen)
    return {"scale": scale, "changed": changed, "rows": int(np.size(container.global_offsets)) // 2}
