"""What a backend is beyond the core: the surfaces that one profile alone asks for, under the rules of `conformance.protocol`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from conformance.protocol import Native


class Mapped(Protocol):
    """Scans in memory maps on disk, and groups by rule (profile `mmap`)."""

    def mapped(self, sources: Sequence[Path], folder: Path, config: Native, remake: bool = False, skip: bool = False) -> Native:
        """The dataset of the map in `folder`, of files and folders of files; built where it is not there (BATCH-040, BATCH-045).

        With `remake` it is built anew; with `skip` a file that cannot be used is left out (BATCH-047).
        """

    def mapped_loader(self, dataset: Any, batch_size: int) -> Native:
        """A loader that asks any `dataset` for whole batches, in order (BATCH-042)."""

    def mapped_centre(self, dataset: Native, rows: Sequence[int]) -> Native:
        """`(2,)`: the mean position [x, y] of the members of these rows (BATCH-048)."""

    def group_by(self, points: np.ndarray, rule: str, gridsize: int, **options: Any) -> Native:
        """Members `(m, C)` of points `(n, 2)` by `Nearest`, `Min_dist` or `4_quadrant` (GROUP-041, which names the options)."""


class Counts(Protocol):
    """Absolute counts (specs/counts.md): images are numbers of photons, the probe is calibrated.

    Data are mappings: `intensity` `(n, C, N, N)` counts, `offsets` `(n, C, 1, 2)`, `probe` `(P, N, N)` physical, `experiment_id`
    `(n,)` from 0.
    """

    def count_settings(self, config: Native, **fields: Any) -> Native:
        """Settings on top of a canonical training configuration; raise where they contradict each other (CISCALE-001)."""

    def counts_of(self, amplitude: np.ndarray, scale: float, probe: np.ndarray) -> tuple[Native, Native]:
        """CISCALE-005: counts, and the probe that makes them."""

    def count_prepare(self, train: Mapping[str, Any], test: Mapping[str, Any] | None, settings: Native) -> Mapping[str, Any]:
        """`train` and `test` loaders, a fresh `module`, and the `statistics` by name, `(E,)` each."""

    def count_train(self, prepared: Mapping[str, Any], execution: Native | None = None) -> Mapping[str, Any]:
        """`history` and `module`; the last checkpoint is `<output_dir>/checkpoints/last.ckpt`."""

    def count_open(self, checkpoint: Path) -> Native:
        """The module of a checkpoint (BUNDLE-040)."""

    def count_statistics(self, module: Native) -> Mapping[str, Any]:
        """The statistics that a module holds."""

    def count_object(self, module: Native, batch: Native) -> Native:
        """The patches `(B, C, N, N)` that light is sent through, factors and merge included."""

    def count_predict(self, module: Native, batch: Native) -> Native:
        """Predicted counts of a native batch, as training sees them (PHYS-040)."""

    def count_infer(self, module: Native, data: Mapping[str, Any]) -> Mapping[str, Any]:
        """`object` `(n, C, N, N)` and `predicted` counts of data outside of training (CISCALE-007)."""

    def count_loss(self, module: Native, batch: Native) -> Native:
        """LOSS-020, a scalar; `gradient` of the protocol's loss is its gradient where the module is one of counts."""

    def count_scale(self, module: Native, batch: Native) -> float:
        """CISCALE-008: the factor at which a batch has the light that was measured."""

    def rectangular(
        self, real: np.ndarray, imaginary: np.ndarray, s1: float, s2: float, probe: np.ndarray, normalization: np.ndarray
    ) -> Native:
        """PHYS-040: counts of `s1·a + i·s2·b` under training probes `(B|1, C|1, P, N, N)`, their factors `(B|1, 1, 1, 1, 1)`."""

    def count_likelihood(self, predicted: np.ndarray, measured: np.ndarray, mean: np.ndarray) -> Native:
        """LOSS-020 on `(B, C, N, N)` counts and `(B, 1, 1, 1)` mean counts."""


class Weighted(Protocol):
    """Weights and factors between patches and image (profile `varpro`). A weighting is `uniform`, `central` or `probe`."""

    def merge_weighted(
        self, patches: np.ndarray, offsets: np.ndarray, M: int, weighting: str, probe: np.ndarray | None = None
    ) -> Native:
        """PHYS-037: a canvas `(B, M, M)` or `(B, 1, M, M)` of `(B, C, N, N)` patches at `(B, C, 1, 2)` relative offsets."""

    def stitch_weighted(
        self,
        patches: np.ndarray,
        offsets: np.ndarray,
        M: int,
        weighting: str,
        probe: np.ndarray | None = None,
        shape: tuple[int, int] | None = None,
    ) -> Mapping[str, Any]:
        """INFER-020: `image` `(H, W)`, `origin` [x, y] of its pixel [0, 0], `dropped`; of `(n, N, N, 1)` at `(n, 1, 1, 2)`."""

    def varpro_scales(
        self, real: np.ndarray, imaginary: np.ndarray, probe: np.ndarray, measured: np.ndarray
    ) -> tuple[float, float]:
        """INFER-021: the factors of two parts `(n, N, N)` under a probe `(P, N, N)`, from intensities `(n, N, N)`."""


class Generators(Protocol):
    """Networks by name (profile `generators`): the rest of what is asked of them stands in `protocol.Model`, `Loss`, `Bundle`."""

    def architectures(self) -> Sequence[str]:
        """MODEL-028: every name that `architecture` takes where this runs."""


class Interop(Protocol):
    """Files and figures that neighbouring programs share (specs/interop.md, which names the parts of each mapping)."""

    def write_product(self, path: Path, product: Mapping[str, Any]) -> None:
        """SIDE-001: a product of ptychodus."""

    def read_product(self, path: Path) -> Mapping[str, Any]:
        """SIDE-002: whoever wrote it."""

    def write_pair(self, stem: Path, experiment: Mapping[str, Any]) -> None:
        """SIDE-020: `<stem>_dp.hdf5` and `<stem>_para.hdf5`."""

    def read_pair(self, stem: Path) -> Mapping[str, Any]:
        """SIDE-021: the pair again."""

    def write_normalisation(self, path: Path, stems: Sequence[Path]) -> Mapping[str, Any]:
        """SIDE-022: the largest intensities of pairs in a pickle at `path`; the settings of PtychoViT that point there."""

    def assemble_pair(self, stem: Path, patches: np.ndarray, said: str = "") -> Native:
        """SIDE-023: the object `(H, W)` of the patches `(M, N, N)` predicted for a pair; `said`: what the prediction printed."""

    def disc_overlap(self, distance: np.ndarray, diameter: float) -> Native:
        """SIDE-010: shares of an area."""

    def overlap_metrics(self, xcoords: np.ndarray, ycoords: np.ndarray, groups: np.ndarray, **settings: Any) -> Mapping[str, Any]:
        """SIDE-011, which names the settings."""

    def compare_objects(self, objects: Mapping[str, np.ndarray], truth: np.ndarray, folder: Path) -> None:
        """SIDE-030: files in `folder`."""


class Judged(Protocol):
    """What is judged before data are used and after (profile `judged`; DATA-030 … DATA-032, INFER-050 … INFER-056).

    `judge`, `granted`, `admit` take the settings `crop` (M of the stitcher, pixels; 20), `measurement` (DATA-003), `accept`
    (names of findings that the user has answered; none), `position_scale` (1) and `nphotons` (by hand; None).
    """

    def judge(self, raw: Native, **settings: Any) -> Sequence[Mapping[str, Any]]:
        """DATA-030: what is implausible about a record: `name`, `severity`, `field`, `state` and `found`, a sentence, of each."""

    def granted(self, raw: Native, **settings: Any) -> Mapping[str, Sequence[str]]:
        """DATA-032: what was taken for granted, by name: what, and because of what."""

    def admit(self, raw: Native, **settings: Any) -> None:
        """DATA-031: warn of warnings, raise for an error that is not accepted."""

    def disagreement(
        self, patches: np.ndarray, offsets: np.ndarray, M: int, light: np.ndarray | None = None
    ) -> Mapping[str, float]:
        """INFER-050: `plain`, `aligned`, `shuffled`, `overlapping` of `(n, N, N, 1)` at `(n, 1, 1, 2)` under light `(N, N)`."""

    def agreed(self, patches: np.ndarray, offsets: np.ndarray, M: int, light: np.ndarray | None = None) -> Native:
        """INFER-051: the patches, each turned by one phase where that makes them agree."""

    def canvas_origin(self, offsets: np.ndarray, N: int, M: int) -> Native:
        """INFER-052: `[x, y]`, the position of pixel [0, 0] of the canvas of INFER-006."""

    def covered_share(self, covered: np.ndarray, origin: tuple[float, float], positions: np.ndarray) -> float:
        """INFER-053: of the field of positions `(k, 2)`, the share that pixels `(H, W)` of a canvas cover."""

    def flat_residual(self, container: Native, config: Native) -> float:
        """INFER-054: the relative residual of the best constant object."""

    def amplitude_residual(self, module: Native, container: Native, config: Native) -> float:
        """INFER-056: the relative residual of what a module predicts for a container's patterns."""

    def compared(self, image: np.ndarray, truth: np.ndarray) -> Mapping[str, float]:
        """INFER-055: figures of an object `(H, W)` beside a reference, by the names of the clause."""

    def compare_models(self, bundles: Mapping[str, Path], test: Path, folder: Path, **settings: Any) -> None:
        """SIDE-031, which names the settings: files in `folder`, of the models in `bundles` (name → folder)."""
