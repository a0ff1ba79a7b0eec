"""What ptychodus does with a backend, step by step: its exported files, its processes, and what came out of them."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from conformance.connectors import native, process
from conformance.scenes import client_doors, client_kept, records
from conformance.scenes.client_settings import (
    ASKED,
    GROUPING,
    KINDS,
    MODEL,
    MODULES,
    PHOTONS,
    REGISTRY,
    TORCH_MODULES,
    TORCH_SETTINGS,
    TRAINING,
    N,
)
from conformance.scenes.optics import curved_probe, object_image
from conformance.scenes.shared import once

STEPS = Path(__file__).with_name("client_steps.py")
PATIENCE = 900.0
"""Seconds after which a process of the client is taken for hung; the longest makes some thirty trainings."""
HEIGHT, WIDTH = 117, 160
"""So much wider than high that some positions in x are beyond the height; one middle is on a pixel, the other between."""
NARROW = 12
"""Central pixels of a patch that are placed, besides twenty."""
REACH = (NARROW, NARROW + 4)
"""Sides of what is sure to be covered by them, the pixel at its rim aside, and of what is beyond all of them, one aside."""
FILLED = ((5, 9), (40, 3))
"""Pixels that the client repaired before it exported: marked, and not zero."""

CONFIGURE = {"configure": {"model": MODEL, "training": TRAINING, "N": N}}


def counts_of(x: np.ndarray, y: np.ndarray, whole: np.ndarray, probe: np.ndarray, seed: int) -> np.ndarray:
    """int32 photon counts `(n, N, N)` of an object under a probe `(P, N, N)`, at positions in object pixels."""
    patches = np.stack([records.patch_at(whole, a, b, N) for a, b in zip(x, y, strict=True)])
    far = np.abs(np.fft.fftshift(np.fft.fft2(patches[:, None] * probe, norm="ortho"), axes=(-2, -1))) ** 2
    mean = far.sum(axis=1)
    return np.random.default_rng(seed).poisson(mean * PHOTONS / mean.sum(axis=(-2, -1)).mean()).astype(np.int32)


def scan(n: int, seed: int) -> dict[str, np.ndarray]:
    """`n` exposures as the client holds them; whole pixels, so that known patches fit exactly; mean and middle differ.

    The scan's box lies around the middle of the object, as the client builds its objects.
    """
    rng = np.random.default_rng(seed)
    low, high = (N // 2, N // 2), (WIDTH - 1 - N // 2, HEIGHT - 1 - N // 2)
    points = {low, high, (low[0], high[1])}
    while len(points) < n:
        points.add((int(rng.integers(low[0], high[0]) // 2 + low[0] // 2), int(rng.integers(low[1], high[1]))))
    x, y = np.array(sorted(points), dtype=np.float64)[rng.permutation(n)].T
    whole, probe = object_image(HEIGHT, WIDTH, seed).astype(np.complex128), curved_probe(N).astype(np.complex128)
    arrays = {"xcoords": x, "ycoords": y, "diff3d": counts_of(x, y, whole, probe, seed), "probeGuess": probe}
    return {**arrays, "objectGuess": whole}


def exported(arrays: Mapping[str, np.ndarray], filled: bool) -> dict[str, np.ndarray]:
    """The file that the client writes: every key, rank and dtype of it."""
    bad = np.zeros((N, N), dtype=bool)
    patterns = arrays["diff3d"].copy()
    if filled:
        rows, columns = np.array(FILLED).T
        bad[rows, columns], patterns[:, rows, columns] = True, 7
    starts = {"xcoords_start": arrays["xcoords"], "ycoords_start": arrays["ycoords"]}
    index = np.zeros(len(patterns), dtype=np.int64)
    return {**arrays, **starts, "diff3d": patterns, "bad_pixels": bad, "scan_index": index}


def known_patches(arrays: Mapping[str, np.ndarray]) -> np.ndarray:
    """`(n, N, N)` complex64: what of the object lies around each position."""
    places = zip(arrays["xcoords"], arrays["ycoords"], strict=True)
    return np.stack([records.patch_at(arrays["objectGuess"], x, y, N) for x, y in places]).astype(np.complex64)


def at_corners(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The same scan, two of its positions on the object's first and last pixel."""
    x, y = arrays["xcoords"].copy(), arrays["ycoords"].copy()
    x[:2], y[:2] = (0, WIDTH - 1), (0, HEIGHT - 1)
    return {**arrays, "xcoords": x, "ycoords": y}


@dataclass(frozen=True)
class Session:
    """The client's processes on one backend; each is started when it is first asked for, once for all checks."""

    backend: Any
    shared: Path

    @property
    def folder(self) -> Path:
        """Where the client works: its exported files, its models."""
        once(self.shared, "client", self._export)
        return self.shared / "client"

    @property
    def found(self) -> dict[str, Any]:
        """What of the library is found."""
        return self._first("found")

    @property
    def refused(self) -> dict[str, Any]:
        """The errors of input that cannot be worked with."""
        return dict(self._first("refuse")["errors"])

    @property
    def grouped(self) -> dict[str, Any]:
        """Groups of four, by the arguments that they were asked for with."""
        return self._first("grouped")

    @property
    def configured(self) -> dict[str, Any]:
        """The parent's part."""
        return self._ask("configured", CONFIGURE, "configure")

    @property
    def settled(self) -> dict[str, Any]:
        """The registry, once the child has set the side that the data have."""
        return dict(self._first("settle")["registry"])

    @property
    def registries(self) -> list[dict[str, Any]]:
        """The registries that the configurations of `client_doors` leave."""
        return list(self._first("doors")["registries"])

    @property
    def trained(self) -> dict[str, Any]:
        """A training, after the configuration."""
        _ = self.configured
        return self._ask("trained", {"train": {**GROUPING, "elsewhere": client_kept.ELSEWHERE}}, "train")

    def reconstructed(self, bundle: str = "output") -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """What a reconstruction said, and its arrays; `bundle` is the folder of the model: `output`, or `unpacked`."""
        _ = self.trained
        once(self.shared, "client-unpacked", self._unpack)
        job = {"do": "reconstruct", "narrow": NARROW, **GROUPING}
        steps = {name: {"bundle": name, "name": name, **job} for name in ("output", "unpacked")}
        return self._ask("reconstructed", steps, bundle), self.arrays(bundle)

    @property
    def found_torch(self) -> dict[str, Any]:
        """What of the other library is found."""
        return self._torch("found")

    @property
    def trained_torch(self) -> dict[str, Any]:
        """A training with the other library."""
        return self._torch("torch_train")

    @property
    def reconstructed_torch(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """What a reconstruction with the other library said, and its image."""
        told = {name: list(values) for name, values in TORCH_SETTINGS.items()}
        job = {"torch_reconstruct": {"checkpoint": self.trained_torch["checkpoint"], "told": told}}
        return self._ask("torch-reconstructed", job, "torch_reconstruct", torch=True), self.arrays("torch_reconstruct")

    def _first(self, step: str) -> dict[str, Any]:
        self._answers("configured", CONFIGURE)  # whether it went well is another check's question
        steps = {"found": {"modules": MODULES, "packages": ["ptycho"]}, "settle": {"N": N, "registry": list(REGISTRY)}}
        steps |= {"grouped": {"cases": ASKED}, "refuse": {}}
        scenes = [vars(scene) for scene in client_doors.scenes()]
        return self._ask("first", {**steps, "doors": {"N": N, "scenes": scenes}}, step)

    def _torch(self, step: str) -> dict[str, Any]:
        modules = {"modules": TORCH_MODULES, "packages": ["ptycho_torch"]}
        return self._ask("torch", {"found": modules, "torch_train": {**TORCH_SETTINGS, "kinds": KINDS}}, step, torch=True)

    def arrays(self, step: str) -> dict[str, np.ndarray]:
        """The arrays that a step left."""
        with np.load(self.folder / f"{step}.npz") as archive:
            return {name: archive[name] for name in archive.files}

    @property
    def scan(self) -> dict[str, np.ndarray]:
        """The scan that is reconstructed."""
        return self.arrays("scan")

    def _export(self, folder: Path) -> None:
        for name, n, seed in (("train", 12, 3), ("test", 8, 4)):
            records.write_npz(folder / f"{name}_data.npz", **exported(scan(n, seed), filled=True))
        (folder / "alone [1]").mkdir()
        records.write_npz(folder / "alone [1]" / "train_data.npz", **exported(scan(28, 6), filled=False))
        view = scan(18, 5)
        edge = at_corners(view)
        places = {"edge_x": edge["xcoords"], "edge_y": edge["ycoords"], "edge_patches": known_patches(edge)}
        records.write_npz(folder / "scan.npz", **view, patches=known_patches(view), **places)
        whole = exported(view, filled=False)
        records.write_npz(folder / "no_probe.npz", **{name: a for name, a in whole.items() if name != "probeGuess"})
        few = {name: array[:5] for name, array in whole.items() if "coords" in name}
        # Nothing but the positions is unusual here, not even the probe's rank.
        records.write_npz(folder / "few_positions.npz", **{**whole, **few, "probeGuess": whole["probeGuess"][0]})
        for name in ("empty", "broken"):
            (folder / name).mkdir()
        (folder / "broken" / "wts.h5.zip").write_bytes(b"PK\x03\x04 cut off")

    def _unpack(self, folder: Path) -> None:
        """The client saves a model as a copy of the archive, under another name, and unpacks what is named so."""
        with zipfile.ZipFile(self.folder / "output" / "wts.h5.zip") as archive:
            archive.extractall(self.folder / "unpacked")

    def _ask(
        self, process_name: str, steps: Mapping[str, Any], step: str, torch: bool = False, script: Path = STEPS
    ) -> dict[str, Any]:
        answer = self._answers(process_name, steps, torch, script)[step]
        if answer["error"] is not None:
            raise native.Malformed(f"expected the client's step {step!r} to end well, found {answer['error']}\n{answer['trace']}")
        return dict(answer["said"])

    def _answers(self, process_name: str, steps: Mapping[str, Any], torch: bool = False, script: Path = STEPS) -> dict[str, Any]:
        where = self.backend.drop_in_torch() if torch else self.backend.drop_in()
        folder = self.folder
        named = {name: {"do": name, **job} for name, job in steps.items()}
        return dict(once(self.shared, f"client-{process_name}", lambda own: self._run(named, str(where), folder, own, script)))

    def cases(self, script: Path, step: str, job: Mapping[str, Any], torch: bool = False) -> dict[str, Any]:
        """What a step of another script of the client's said: many trainings, in one process."""
        return self._ask(step, {step: job}, step, torch, script)

    def _run(self, steps: Mapping[str, Any], where: str, folder: Path, own: Path, script: Path) -> dict[str, Any]:
        cwd, question, answer = own / "cwd", own / "question.json", own / "answer.json"
        cwd.mkdir()
        job = {"steps": steps, "folder": str(folder), "answer": str(answer), "cwd": str(cwd)}
        question.write_text(json.dumps(job), encoding="utf-8")
        path = os.pathsep.join(part for part in (where, os.environ.get("PYTHONPATH", "")) if part)
        try:
            argv = [self.backend.info().python, str(script), str(question)]
            done = process.run(argv, env={"PYTHONPATH": path}, cwd=cwd, timeout=PATIENCE)
            trouble, trace = f"an end with code {done.returncode}", done.output[-3000:]
        except process.NoAnswer as error:
            trouble, trace = str(error), ""
        if not answer.is_file():
            return {name: {"said": {}, "error": trouble, "trace": trace} for name in steps}
        return dict(json.loads(answer.read_text(encoding="utf-8")))


def session(backend: Any, shared: Path) -> Session:
    """The client's session that all checks share."""
    return Session(backend, shared)


def told_otherwise(told: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """The settings of the other library that came back as others than the client stated; its device count is set afterwards."""
    owed = {f"{name} {key}": value for name, part in TORCH_SETTINGS.items() for key, value in part.items()}
    owed["training_config n_devices"] = 1
    found = {f"{name} {key}": value for name, part in told.items() for key, value in part.items()}
    return {name: f"{found.get(name)!r}, owed {value!r}" for name, value in owed.items() if found.get(name) != value}


def wrongly_said(errors: Mapping[str, Mapping[str, Any]], expected: Mapping[str, tuple[str, tuple[str, ...]]]) -> dict[str, str]:
    """The errors that are not of their class, not on one line, or do not name what is wrong."""
    found = {}
    for name, (kind, names) in expected.items():
        kinds, message = errors[name]["kinds"], errors[name]["message"]
        if kind not in kinds or not any(one in message for one in names) or "\n" in message.strip():
            found[name] = f"{(kinds or ['no error'])[0]}: {message}"
    return found


def box(image: np.ndarray) -> np.ndarray:
    """The middle [x, y] of what is not zero in an image, from the middle of the image, in pixels."""
    rows, columns = (np.flatnonzero((image != 0).any(axis=axis)) for axis in (1, 0))
    middles = np.array([(columns[0] + columns[-1]) / 2, (rows[0] + rows[-1]) / 2]) if rows.size else np.full(2, np.nan)
    return middles - (np.array(image.shape[::-1]) - 1) / 2


def extent(image: np.ndarray) -> list[int]:
    """Width and height of what is not zero in an image, pixels."""
    rows, columns = (np.flatnonzero((image != 0).any(axis=axis)) for axis in (1, 0))
    return [int(np.ptp(columns)) + 1, int(np.ptp(rows)) + 1] if rows.size else [0, 0]


def width_beyond_height(image: np.ndarray) -> int:
    """By how many pixels what is not zero in an image is wider than high."""
    width, height = extent(image)
    return width - height


def in_order(array: np.ndarray) -> np.ndarray:
    """Rows (patterns, positions) in an order of their own, so that the order of groups plays no part."""
    flat = np.asarray(array, np.float64).reshape(len(array), -1)
    # A projection on fixed numbers orders patterns that differ by rounding alike; positions are told apart by it as well.
    weights = np.random.default_rng(1).uniform(1, 2, flat.shape[1])
    return np.asarray(array)[np.argsort(flat @ weights)]
