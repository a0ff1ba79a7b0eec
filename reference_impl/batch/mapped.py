"""The dataset of a memory map: a batch is gathered at once, from patterns that stay on disk (BATCH-040 … BATCH-049)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from reference_impl.policy import require_torch

require_torch()

import torch  # noqa: E402
from tensordict import MemoryMappedTensor, TensorDict  # noqa: E402

from reference_impl.batch import fields  # noqa: E402
from reference_impl.batch.dataset import Batch, Gathered  # noqa: E402
from reference_impl.batch.manifest import PATTERNS, ROWS, Manifest, dtype_of, file_of  # noqa: E402
from reference_impl.batch.mapping import SMALL, Look, Plan, make_map  # noqa: E402
from reference_impl.config import InferenceConfig, TrainingConfig  # noqa: E402
from reference_impl.data.npz import Archive  # noqa: E402
from reference_impl.grouping.arrays import label_patches  # noqa: E402


def open_mapped(
    sources: str | Path | Sequence[str | Path],
    folder: str | Path,
    config: TrainingConfig | InferenceConfig,
    remake: bool = False,
    skip: bool = False,
    *,
    every: bool = False,
    look: Look | None = None,
    **options: Any,
) -> MappedDataset:
    """The dataset of the map in `folder`, which is built of `sources` where it is not there; see `make_map` and `Plan`."""
    manifest = make_map(sources, Path(folder), Plan.of(config, every, skip=skip, **options), remake, look)
    return MappedDataset(Path(folder), manifest, config)


class MappedDataset(Gathered):
    """Groups of several scans. `dataset[rows]` is a batch (see `Batch`), with these fields beside those of a container's:

    `coords_global` `(B, C, 1, 2)` and `coords_center` `(B, 1, 1, 2)` float32 px, `nn_indices` `(B, C)` int64, counted within the
    sample's own file. `experiment_id` is the number of the file. Only what a batch needs is read; a copy in another process
    (workers, ranks) maps the same files. Physics, probe and mask are those of the sample's file.
    """

    def __init__(self, folder: Path, manifest: Manifest, config: TrainingConfig | InferenceConfig) -> None:
        self.folder, self.manifest, self.config = folder, manifest, config
        shapes = manifest.shapes()
        # As plain arrays: indexing a memmap costs ten times as much as the rows that it gives.
        maps = {
            name: np.asarray(np.memmap(file_of(folder, name), dtype_of(name), "r", shape=shapes[name]))
            for name in (PATTERNS, *ROWS)
        }
        self.patterns, self.rows = maps.pop(PATTERNS), maps
        scans, N = manifest.scans, manifest.settings["N"]
        self.first = np.cumsum([0, *(scan.patterns for scan in scans)])[:-1]
        self.physics = np.array([scan.physics for scan in scans], np.float32)
        with Archive(folder / SMALL) as archive:
            small = {key: archive.array(key) for key in archive.keys}
        probes = [fields.probe({"probe": small[f"probe_{e}"]}, N, config.model) for e in range(len(scans))]
        self.probes = np.stack([probe for probe, _ in probes])
        self.scalings = np.array([scaling for _, scaling in probes], np.float32)
        self.labels = fields.needs_labels(config)
        self.objects = [small.get(f"object_{e}") for e in range(len(scans))]
        masks = [small.get(f"mask_{e}") for e in range(len(scans))]
        good = [np.ones((N, N), bool) if mask is None else mask.astype(bool) for mask in masks]
        self.masks = None if all(mask is None for mask in masks) else np.stack(good)

    def __reduce__(self) -> tuple[Any, ...]:
        return MappedDataset, (self.folder, self.manifest, self.config)

    def __len__(self) -> int:
        return self.manifest.groups

    @property
    def experiments(self) -> int:
        """How many files there are."""
        return len(self.manifest.scans)

    @property
    def digest(self) -> str:
        """The digest of all that is trained on."""
        return self.manifest.digest

    @property
    def physics_scaling_constant(self) -> torch.Tensor:
        """`(files, 1, 1, 1)` float32, one a file."""
        return torch.from_numpy(self.physics.reshape(-1, 1, 1, 1))

    @cached_property
    def table(self) -> TensorDict:
        """The rows as a memory-mapped TensorDict of batch size `[L]`: what stands on disk for each group."""
        kinds = {"<f4": torch.float32, "<f8": torch.float64, "<i8": torch.int64}
        shapes = self.manifest.shapes()
        tensors = {
            name: MemoryMappedTensor.from_filename(file_of(self.folder, name), kinds[kind], torch.Size(shapes[name]))
            for name, kind in ROWS.items()
        }
        return TensorDict(tensors, batch_size=[len(self)])

    def __getitems__(self, indices: Sequence[int]) -> Batch:
        """The batch of these rows."""
        rows = np.asarray(indices, dtype=np.intp)
        found = {name: array[rows] for name, array in self.rows.items()}
        experiment, count = found["experiment_id"], len(rows)
        members = found["nn_indices"] + self.first[experiment][:, None]
        given = {
            "images": self.patterns[members],
            "rms_scaling_constant": np.ones((count, 1, 1, 1), np.float32),
            "physics_scaling_constant": self.physics[experiment].reshape(count, 1, 1, 1),
            **{
                name: np.ascontiguousarray(array, np.float32 if array.dtype.kind == "f" else None)
                for name, array in found.items()
            },
        }
        if self.masks is not None:
            given["mask"] = self.masks[experiment][:, None]
        if self.labels:
            given |= self._labels(experiment, found["coords_global"])
        # One probe a sample serves all its channels (BATCH-028): copies for each of them cost as much as the patterns.
        probe = np.empty((count, 1, *self.probes.shape[1:]), np.complex64)
        one_file = count and (experiment == experiment[0]).all()
        probe[...] = self.probes[experiment[0]] if one_file else self.probes[experiment][:, None]
        scaling = self.scalings[experiment].reshape(count, 1, 1, 1)
        tensors = {name: torch.from_numpy(array) for name, array in given.items()}
        return TensorDict(tensors, batch_size=[count]), torch.from_numpy(probe), torch.from_numpy(scaling)

    def _labels(self, experiment: np.ndarray, coords: np.ndarray) -> dict[str, np.ndarray]:
        """`label_amp`, `label_phase` float32 `(B, C, N, N)`: each file's own object at its members' places (GROUP-031)."""
        N, C = self.patterns.shape[1], coords.shape[1]
        Y = np.empty((len(coords), C, N, N), np.complex64)
        for number in np.unique(experiment):
            own = experiment == number
            Y[own] = label_patches(self.objects[number], coords[own].transpose(0, 2, 3, 1), N).transpose(0, 3, 1, 2)
        return {"label_amp": np.abs(Y), "label_phase": np.angle(Y)}

    def centre(self, rows: Sequence[int] | None = None) -> np.ndarray:
        """`(2,)` float64: the mean position [x, y] of the members of these rows (of all), and of no others (BATCH-048)."""
        chosen = self.rows["coords_global"] if rows is None else self.rows["coords_global"][np.asarray(rows, dtype=np.intp)]
        return np.asarray(chosen, np.float64).reshape(-1, 2).mean(axis=0)

    def of_file(self, number: int) -> np.ndarray:
        """The rows of the file with this number."""
        return np.flatnonzero(self.rows["experiment_id"] == number)

    def part(self, count: int) -> dict[str, Any]:
        """The first `count` groups of the first file as a container in memory (specs/batch.md)."""
        given, _, _ = self[: min(count, self.manifest.scans[0].groups)]
        names = {"X": given["images"].permute(0, 2, 3, 1), "coords_relative": given["coords_relative"].permute(0, 2, 3, 1)}
        return {**names, "probe": self.probeGuess, "mask": None if self.masks is None else self.masks[0]}

    @cached_property
    def probeGuess(self) -> np.ndarray:
        """The physical probe of the first file, complex64 `(N, N)` or `(P, N, N)`."""
        with Archive(self.folder / SMALL) as archive:
            return archive.array("probe_0")
