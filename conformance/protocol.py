"""What a backend is, to the harness.

A backend is any object that offers some of the methods below. Each group is a *surface*; the checks that need a method that is
absent read `not-claimed`, or `not-offered` where the backend says what it offers, and never `pass`. Inputs are NumPy arrays and
plain Python values. A backend returns its **native** objects (tensors, dicts, modules); the harness turns them into arrays and
descriptions itself (`connectors.native`), so that no adapter can describe itself green. g: gridsize, C = g²: channels, N: patch
side, B: batch, P: probe modes, M: canvas side, n: groups. Offsets are `[x, y]`: index 0 moves columns. A check calls a method
as it stands here. Two arguments may be left out, and are given by name to who has them: `execution` (loaders), `experiment_ids`.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np

Native = Any
"""An object of the backend's own, opaque to the harness until `conformance.connectors.native` reads it."""

Overrides = Mapping[str, Any] | None
"""Settings by name that stand above the others."""


@dataclass(frozen=True, kw_only=True)
class BackendInfo:
    """Who answers, as every report's header shows it. `modules`: modules that need the numeric stack, and refuse to be
    imported without it (POLICY-002); `distribution`: what declares it (POLICY-001); `selector`: `module:function` that picks a
    backend by `config.backend` (POLICY-003, DISPATCH-003), importable without the stack; `python`: the interpreter it lives in;
    `surfaces`: what is offered (`physics`, `physics.diffract`; empty: whatever is there); `specification`: the release that it is
    judged by (`1.0`; empty: today's words).
    """

    name: str
    version: str
    profiles: tuple[str, ...] = ("core",)
    devices: tuple[str, ...] = ("cpu",)
    numeric_libraries: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    distribution: str | None = None
    selector: str | None = None
    surfaces: tuple[str, ...] = ()
    specification: str = ""
    python: str = sys.executable


@runtime_checkable
class Describe(Protocol):
    """Every backend offers this one."""

    def info(self) -> BackendInfo: ...


class Config(Protocol):
    """Configuration objects and the registry that must be synchronised before data is read."""

    def canonical(self, kind: str, **fields: Any) -> Native:
        """A configuration object; `kind` is `model`, `training`, `inference` or `execution`."""

    def registry(self) -> MutableMapping[str, Any]:
        """The live registry: the same object at every call."""

    def defaults(self) -> Mapping[str, Any]:
        """The registry's defaults, in a fresh mapping."""

    def derived(self) -> Mapping[str, int]:
        """`bigN`, `padding_size`, `padded_size` as the live registry implies them now."""

    def lookup(self, key: str, *default: Any) -> Any:
        """One value of the live registry (CONFIG-032)."""

    def parameters(self) -> Mapping[str, Any]:
        """A snapshot of the live registry with `bigN` (CONFIG-032)."""

    def check_registry(self) -> None:
        """Raise where the live registry contradicts itself (CONFIG-032)."""

    def populate(self, config: Native, force: bool = False) -> None:
        """The factory's way to write into the live registry (CONFIG-069)."""

    def read_yaml(self, path: Path) -> Mapping[str, Any]:
        """The mapping in a YAML file (CONFIG-016)."""

    def flatten(self, config: Native) -> Mapping[str, Any]:
        """The flat registry form of a configuration object."""

    def synchronise(self, config: Native, registry: MutableMapping[str, Any] | None = None) -> None:
        """Write `config` into `registry` (the live one by default), in place."""

    def validate(self, config: Native) -> None:
        """Raise where the contract says so."""

    def payload(self, train_file: Path, output_dir: Path, overrides: Overrides = None, execution: Native | None = None) -> Native:
        """The training payload of the factory."""

    def inference_payload(
        self, model_path: Path, test_file: Path, output_dir: Path, overrides: Overrides = None, execution: Native | None = None
    ) -> Native:
        """The inference payload of the factory."""

    def bridge(self, kind: str, overrides: Overrides = None, **fields: Any) -> Native:
        """Backend-side settings → canonical object (`kind`: `model`, `training`, `inference`); `fields` name its own fields."""


class Data(Protocol):
    """Files and raw records."""

    def read(self, path: Path, **options: Any) -> Native: ...
    def record(self, **arrays: Any) -> Native: ...
    def write(self, raw: Native, path: Path) -> None: ...
    def masked(self, raw: Native, mask: np.ndarray | Path) -> Native:
        """The record with a mask `(N, N)` of its detector, True where a pixel is good (DATA-012), or its file's (DATA-027)."""


class Grouping(Protocol):
    """Neighbourhood grouping; returns the grouped mapping of specs/grouping.md."""

    def group(
        self,
        raw: Native,
        *,
        N: int,
        K: int = 4,
        nsamples: int = 1,
        seed: int | None = None,
        sequential_sampling: bool = False,
        gridsize: int | None = None,
        enable_oversampling: bool = False,
        neighbor_pool_size: int | None = None,
    ) -> Mapping[str, Any]: ...

    def transform(self, images: np.ndarray, source: str, target: str, gridsize: int) -> Native:
        """GROUP-040: between the layouts `channel` `(B, N, N, C)`, `flat` `(B·C, N, N, 1)` and `grid` `(B, g, g, N, N, 1)`."""


class Batch(Protocol):
    """Container → dataset → loader → batch.

    `config` is made by `canonical`; where that is not claimed, a plain object with the stated fields of CONFIG-010.
    """

    def container_from_groups(self, grouped: Mapping[str, Any], probe: np.ndarray | None, nphotons: float = 1e9) -> Native: ...

    def container(self, source: Native, config: Native) -> Native:
        """A container from a raw record or a container (BATCH-011)."""

    def loaders(self, train: Native, test: Native | None, config: Native, execution: Native | None = None) -> tuple[Any, Any]:
        """Train and validation loader, or None. `train`: any object with the container's attributes, as arrays or native."""


class Physics(Protocol):
    """The forward model, on arrays."""

    def diffract(self, field: np.ndarray, probe: np.ndarray) -> Native:
        """`(B, C, N, N)` complex64 field, `(B|1, C|1, P, N, N)` complex64 probe → `(B, C, N, N)` detector amplitude."""

    def translate(self, images: np.ndarray, offsets: np.ndarray) -> Native:
        """`(n, H, W)` real or complex images moved by `(n, 2)` offsets in pixels."""

    def merge(self, patches: np.ndarray, offsets: np.ndarray, M: int) -> Native:
        """`(B, C, N, N)` patches, `(B, C, 1, 2)` relative offsets → canvas `(B, M, M)` or `(B, 1, M, M)`."""

    def extract(self, canvas: np.ndarray, offsets: np.ndarray, N: int) -> Native:
        """Canvas `(B, 1, M, M)`, offsets `(B, C, 1, 2)` → patches `(B, C, N, N)`."""

    def padded_size(self, N: int, gridsize: int, max_neighbor_distance: float) -> int: ...

    def merge_for_inference(
        self, patches: np.ndarray, offsets: np.ndarray, crop_size: int | None = None, padded_size: int | None = None
    ) -> Native: ...

    def normalise_probe(self, probe: np.ndarray, probe_scale: float) -> tuple[Native, float]: ...

    def physics_scale(self, images: np.ndarray, nphotons: float) -> float:
        """BATCH-012 on channel-last `(n, N, N, C)` images."""

    def observe_photons(self, amplitude: np.ndarray, seed: int) -> Native:
        """A Poisson observation of a detector amplitude (PHYS-005)."""

    def simulation_scale(self, exit_wave: np.ndarray, nphotons: float) -> float:
        """PHYS-006 on `(B, N, N)` or `(B, C, N, N)` exit waves."""

    def simulate(self, field: np.ndarray, probe: np.ndarray, nphotons: float, seed: int) -> Mapping[str, Any]:
        """PHYS-007: `images`, `label_amp`, `label_phase`, each `(B, C, N, N)`, of a simulated measurement."""


class Model(Protocol):
    """The trainable module."""

    def module(self, config: Native) -> Native:
        """A fresh module for a canonical training configuration."""

    def weights(self, module: Native) -> Mapping[str, Any]: ...

    def with_weights(self, module: Native, weights: Mapping[str, np.ndarray]) -> Native:
        """The module with these values under the names of `weights`; weights that are not named keep theirs."""

    def forward(
        self,
        module: Native,
        images: np.ndarray,
        offsets: np.ndarray,
        probe: np.ndarray,
        input_scale: np.ndarray,
        output_scale: np.ndarray,
        experiment_ids: np.ndarray | None = None,
    ) -> Sequence[Native]:
        """MODEL-020: `(predicted amplitude, object amplitude, object phase)`."""

    def predict(
        self, module: Native, images: np.ndarray, offsets: np.ndarray, probe: np.ndarray, input_scale: np.ndarray
    ) -> Native:
        """MODEL-021: complex64 object patches `(B, C, N, N)`."""


class Loss(Protocol):
    """The training objective, as the network computes outside of training (no dropout, kept statistics)."""

    def likelihood(self, predicted: np.ndarray, measured: np.ndarray, scale: np.ndarray) -> Native:
        """LOSS-001, LOSS-003: batch mean of the Poisson negative log-likelihood of amplitudes `(B, C, N, N)`, not normalised."""

    def loss(self, module: Native, batch: Native) -> Native:
        """The total training loss of a native batch, a scalar."""

    def gradient(self, module: Native, batch: Native) -> Mapping[str, Any]:
        """The gradient of `loss` with respect to each trainable weight."""

    def loss_names(self, module: Native) -> Mapping[str, str]:
        """`{"train": …, "val": …}`: the names under which the losses are logged (LOSS-010)."""


class Training(Protocol):
    """The training workflow."""

    def train(
        self, train: Native, test: Native | None, config: Native, execution: Native | None = None, overrides: Overrides = None
    ) -> Mapping[str, Any]: ...

    def load_checkpoint(self, path: Path) -> Native:
        """The module of a checkpoint, without further arguments (TRAIN-060)."""


class Bundle(Protocol):
    """The dual-model archive `wts.h5.zip`."""

    def save(
        self, models: Mapping[str, Native], base_path: Path, config: Native, intensity_scale: float | None = None
    ) -> Any: ...

    def load(self, directory: Path) -> tuple[Mapping[str, Native], Mapping[str, Any]]: ...


class Inference(Protocol):
    """Patches to an image."""

    def stitch(self, patches: np.ndarray, offsets: np.ndarray, M: int) -> Native:
        """`(n, N, N, 1)` complex64 patches at `(n, 1, 1, 2)` float64 offsets → complex64 canvas `(H, W)`."""

    def reconstruct(self, results: Mapping[str, Any] | None, test: Native, config: Native, **options: Any) -> Any:
        """`(amplitude, phase, results)`; options `M`, `flip_x`, `flip_y`, `transpose`, `execution`; an engine gets None."""


class Dispatch(Protocol):
    """Workflows chosen by `config.backend`."""

    def run(self, train: Native, test: Native | None, config: Native, execution: Native | None = None, **options: Any) -> Any: ...

    def run_training(self, train: Native, test: Native | None, config: Native, execution: Native = None, **more: Any) -> Any: ...

    def open(self, directory: Path, config: Native, model_name: str = "diffraction_to_obj") -> tuple[Any, Mapping[str, Any]]:
        """The inference bundle through the dispatcher."""


class Cli(Protocol):
    """Commands."""

    def command(self, name: str) -> Sequence[str]:
        """argv prefix of `train` or `infer`, to be followed by flags."""

    def resolve_accelerator(self, accelerator: str = "auto", device: str | None = None) -> str:
        """EXEC-010: the accelerator that two flags, one of them deprecated, ask for."""

    def execution_from_flags(self, flags: Mapping[str, Any], mode: str) -> Native:
        """EXEC-011: the execution configuration of parsed flags, named as on the command line with `_` for `-`."""

    def validate_paths(self, train_file: Path | None, test_file: Path | None, output_dir: Path) -> None:
        """EXEC-012."""


class Client(Protocol):
    """What ptychodus imports (specs/client.md): folders that go on the `PYTHONPATH` of `info().python`."""

    def drop_in(self) -> Path:
        """The folder of the package `ptycho`."""

    def drop_in_torch(self) -> Path:
        """The folder of the package `ptycho_torch`."""
