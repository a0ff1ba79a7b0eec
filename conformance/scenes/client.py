"""What ptychodus does with a backend, step by step: its exported files, its processes, and what came out of them."""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from conformance.connectors import native, process
from conformance.scenes import client_doors, client_kept, records
from conformance.scenes.client_scan import at_corners, between, exported, known_patches, scan
from conformance.scenes.client_settings import (
    ASKED,
    GROUPING,
    KINDS,
    MODEL,
    MODULES,
    REGISTRY,
    TORCH_MODULES,
    TORCH_SETTINGS,
    TRAINING,
    N,
)
from conformance.scenes.shared import once

STEPS = Path(__file__).with_name("client_steps.py")
PATIENCE = 900.0
"""Seconds after which a process of the client is taken for hung; the longest makes some thirty trainings."""
NARROW = 12
"""Central pixels of a patch that are placed, besides twenty."""
ODD = 13
"""The same, of which no half are whole."""
TIMES = 4
"""So many times the exposures of the scan are more than a batch of 64."""
TRAIN, TEST = (12, 3), (8, 4)
"""Exposures and seed of the scans that are exported."""
FEW = [1, 5]
"""Numbers of exposures that are fewer than the neighbours which the client asks for."""
FORMS = ("int64", "uint32", "uint16", "big-endian", "strided", "Fortran")
"""Forms of counts in memory that `client_calls` makes."""
OTHER = "before/of another run"
"""The folder of the model that was trained first."""
REACH = (NARROW, NARROW + 4)
"""Sides of what is sure to be covered by them, the pixel at its rim aside, and of what is beyond all of them, one aside."""

CONFIGURE = {"configure": {"model": MODEL, "training": TRAINING, "N": N}}


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
    def changed_by_refusals(self) -> list[str]:
        """The keys of the registry that another value has after them."""
        return list(self._first("refuse")["changed"])

    @property
    def refused_torch(self) -> dict[str, Any]:
        """The same, of the other library."""
        return dict(self._torch("torch_refuse")["errors"])

    @property
    def grouped(self) -> dict[str, Any]:
        """Groups of four, by the arguments that they were asked for with."""
        return self._first("grouped")

    @property
    def forms(self) -> dict[str, float]:
        """How far the patterns of counts in other forms are from those of the plain ones."""
        return dict(self._first("forms")["far"])

    @property
    def of_few(self) -> list[list[int]]:
        """The shapes of containers of `FEW` exposures."""
        return list(self._first("forms")["few"])

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
        return self._opened(bundle), self.arrays(bundle)

    @property
    def together(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """What two models gave that were opened beside each other, the second that of another training."""
        _ = self.reconstructed()
        return self._opened("together"), self.arrays("together")

    def _opened(self, step: str) -> dict[str, Any]:
        job = {"do": "reconstruct", "narrow": NARROW, "odd": ODD, **GROUPING}
        steps = {name: {"bundle": name, "name": name, **job} for name in ("output", "unpacked")}
        elsewhere = {"intensity_scale": client_kept.ELSEWHERE["intensity_scale"]}
        steps["together"] = {"first": "output", "second": OTHER, "times": TIMES, "elsewhere": elsewhere, **GROUPING}
        return self._ask("reconstructed", steps, step)

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
        steps |= {"grouped": {"cases": ASKED}, "forms": {**GROUPING, "few": FEW}, "refuse": {}}
        scenes = [vars(scene) for scene in client_doors.scenes()]
        return self._ask("first", {**steps, "doors": {"scenes": scenes}}, step)

    def _torch(self, step: str) -> dict[str, Any]:
        modules = {"modules": TORCH_MODULES, "packages": ["ptycho_torch"]}
        steps = {"found": modules, "torch_train": {**TORCH_SETTINGS, "kinds": KINDS}}
        return self._ask("torch", {**steps, "torch_refuse": {**TORCH_SETTINGS, "kinds": KINDS}}, step, torch=True)

    def arrays(self, step: str) -> dict[str, np.ndarray]:
        """The arrays that a step left."""
        with np.load(self.folder / f"{step}.npz") as archive:
            return {name: archive[name] for name in archive.files}

    @property
    def scan(self) -> dict[str, np.ndarray]:
        """The scan that is reconstructed."""
        return self.arrays("scan")

    def _export(self, folder: Path) -> None:
        for name, (n, seed) in (("train", TRAIN), ("test", TEST)):
            records.write_npz(folder / f"{name}_data.npz", **exported(scan(n, seed), filled=True))
        (folder / "alone [1]").mkdir()
        records.write_npz(folder / "alone [1]" / "train_data.npz", **exported(scan(28, 6), filled=False))
        view, places = scan(18, 5), {}
        for name, other in (("edge", at_corners(view)), ("slope", between(view))):
            known = {"x": other["xcoords"], "y": other["ycoords"], "patches": known_patches(other)}
            places |= {f"{name}_{part}": array for part, array in known.items()}
        records.write_npz(folder / "scan.npz", **view, patches=known_patches(view), **places)
        whole = exported(view, filled=False)
        records.write_npz(folder / "no_probe.npz", **{name: a for name, a in whole.items() if name != "probeGuess"})
        few = {name: array[:5] for name, array in whole.items() if "coords" in name}
        # Nothing but the positions is unusual here, not even the probe's rank.
        records.write_npz(folder / "few_positions.npz", **{**whole, **few, "probeGuess": whole["probeGuess"][0]})
        for name in ("empty", "broken", "no_probe", "few_positions"):
            (folder / name).mkdir()
        for name in ("no_probe", "few_positions"):
            shutil.copy(folder / f"{name}.npz", folder / name / "train_data.npz")
        (folder / "broken" / "cut_off.ckpt").write_bytes(b"PK\x03\x04 cut off")
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
