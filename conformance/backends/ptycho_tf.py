"""PtychoPINN's TensorFlow line, the package `ptycho`: configuration, data, grouping, containers, physics on arrays and stitching.

Its images carry their channels last. Functions that read N, gridsize or the photon count from the registry find there, while they
run, what their arguments say, as every workflow of the line writes it first; `stitch` finds what was synchronised. Training and
bundles are left out: importing `ptycho.model` builds the network from whatever the registry then holds, once a process. What was
found stands in `ptycho_tf.md` beside this file.
"""

from __future__ import annotations

import contextlib
import io
import math
from collections.abc import Iterator, Mapping, MutableMapping
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from ptycho import diffsim, loader, params, tf_helper, train_pinn
from ptycho.config import config as settings
from ptycho.raw_data import RawData
from ptycho.workflows import components

from conformance.protocol import BackendInfo

KINDS = {kind: f"{kind.title()}Config" for kind in ("model", "training", "inference")} | {"execution": "PyTorchExecutionConfig"}

OFFERED = {
    "config": "canonical registry defaults derived lookup parameters check_registry read_yaml flatten synchronise validate",
    "data": "read record write",
    "grouping": "group transform",
    "batch": "container_from_groups container",
    "physics": "diffract translate merge extract padded_size physics_scale observe_photons simulation_scale simulate",
    "inference": "stitch",
}


@contextlib.contextmanager
def registered(**values: Any) -> Iterator[None]:
    """The registry with these values for a while; the line prints what it does, which is kept from the report."""
    before = dict(params.cfg)
    params.cfg.update(values)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        params.cfg.clear()
        params.cfg.update(before)


def last(images: np.ndarray) -> tf.Tensor:
    """`(B, C, …)` as `(B, …, C)`."""
    return tf.constant(np.moveaxis(images, 1, -1))


class Backend:
    """The surfaces above; native objects are handed over and returned."""

    def __init__(self, device: str = "cpu") -> None:
        self.device = device

    def info(self) -> BackendInfo:
        return BackendInfo(
            name="ptycho_tf",
            version=next((found.version for found in metadata.distributions(name="ptychopinn")), "checkout"),
            numeric_libraries=tuple(f"{name} {metadata.version(name)}" for name in ("tensorflow-cpu", "numpy")),
            surfaces=tuple(f"{area}.{name}" for area, names in OFFERED.items() for name in names.split()),
        )

    canonical = staticmethod(lambda kind, **fields: getattr(settings, KINDS[kind])(**fields))
    registry = staticmethod(lambda: params.cfg)
    defaults = staticmethod(lambda: dict(params.DEFAULT_CFG))
    derived = staticmethod(lambda: {key: getattr(params, f"get_{key}")() for key in ("bigN", "padding_size", "padded_size")})
    lookup = staticmethod(params.get)
    parameters = staticmethod(params.params)
    check_registry = staticmethod(params.validate)
    read_yaml = staticmethod(settings.load_yaml_config)
    flatten = staticmethod(settings.dataclass_to_legacy_dict)

    def synchronise(self, config: Any, registry: MutableMapping[str, Any] | None = None) -> None:
        settings.update_legacy_dict(params.cfg if registry is None else registry, config)

    def validate(self, config: Any) -> None:
        """By kind; an execution configuration validates itself when it is made."""
        getattr(settings, f"validate_{type(config).__name__.removesuffix('Config').lower()}_config", lambda _: None)(config)

    def read(self, path: Path, **options: Any) -> Any:
        """What the line's commands call (`scripts/training/train.py`)."""
        return components.load_data(str(path), **options)

    record = staticmethod(lambda **arrays: (RawData if "xcoords_start" in arrays else RawData.from_coords_without_pc)(**arrays))
    write = staticmethod(lambda raw, path: raw.to_file(str(path)))
    group = staticmethod(lambda raw, **options: raw.generate_grouped_data(**options))

    def transform(self, images: np.ndarray, source: str, target: str, gridsize: int) -> Any:
        """The three layouts' own functions, by way of the flat one."""
        to_flat = {"channel": tf_helper._channel_to_flat, "flat": tf.identity, "grid": tf_helper._fromgrid}
        to_grid = {"channel": tf_helper._flat_to_channel, "flat": tf.identity, "grid": tf_helper._togrid}
        with registered(N=images.shape[1 if source == "channel" else -2], gridsize=gridsize):
            return to_grid[target](to_flat[source](tf.constant(images)))

    def container_from_groups(self, grouped: Mapping[str, Any], probe: Any, nphotons: float = 1e9) -> Any:
        with registered(nphotons=nphotons):
            return loader.load(lambda: grouped, probe, which=None, create_split=False)

    container = staticmethod(components.create_ptycho_data_container)

    def diffract(self, field: np.ndarray, probe: np.ndarray) -> Any:
        """Far field of the exit waves; the line's probe has one mode, and is multiplied where it is needed."""
        if probe.ndim != 5 or probe.shape[2] != 1:
            raise ValueError(f"probe: the TensorFlow line knows one mode, found {probe.shape}")
        B, C, H, W = field.shape
        waves = tf.reshape(tf.constant(field * probe[:, :, 0]), (B * C, H, W, 1))
        with registered():
            return tf.reshape(tf_helper.pad_and_diffract(waves, H, W, pad=False)[1], (B, C, H, W))

    def translate(self, images: np.ndarray, offsets: np.ndarray) -> Any:
        with registered():
            return tf_helper.translate(tf.constant(images[..., None]), tf.constant(offsets))[..., 0]

    def merge(self, patches: np.ndarray, offsets: np.ndarray, M: int) -> Any:
        with registered(N=patches.shape[-1], gridsize=math.isqrt(patches.shape[1])):
            place = tf_helper.mk_reassemble_position_real(last(offsets), padded_size=M)
            return tf_helper.reassemble_patches(last(patches), fn_reassemble_real=place)[..., 0]

    def extract(self, canvas: np.ndarray, offsets: np.ndarray, N: int) -> Any:
        g, places = math.isqrt(offsets.shape[1]), last(offsets)
        with registered(N=N, gridsize=g):
            flat = tf_helper.extract_patches_position(last(canvas), places, N=N, gridsize=g)
            return tf.transpose(tf_helper._flat_to_channel(flat, N=N, gridsize=g), [0, 3, 1, 2])

    def padded_size(self, N: int, gridsize: int, max_neighbor_distance: float) -> int:
        with registered(N=N, gridsize=gridsize, offset=max_neighbor_distance):
            return params.get_padded_size()

    def physics_scale(self, images: np.ndarray, nphotons: float) -> float:
        with registered(N=images.shape[1], nphotons=nphotons):
            return train_pinn.calculate_intensity_scale(type("Container", (), {"X": tf.constant(images)}))

    def observe_photons(self, amplitude: np.ndarray, seed: int) -> Any:
        tf.random.set_seed(seed)
        return diffsim.observe_amplitude(tf.constant(amplitude))

    def simulation_scale(self, exit_wave: np.ndarray, nphotons: float) -> float:
        with registered(nphotons=nphotons):
            waves = np.abs(exit_wave).reshape(-1, *exit_wave.shape[-2:])
            return float(diffsim.scale_nphotons(tf.constant(waves[..., None])))

    def simulate(self, field: np.ndarray, probe: np.ndarray, nphotons: float, seed: int) -> Mapping[str, Any]:
        """One probe for all; noise is always drawn."""
        flat = tf.constant(field.reshape(-1, *field.shape[2:], 1))
        tf.random.set_seed(seed)
        with registered(N=field.shape[-1], gridsize=math.isqrt(field.shape[1]), nphotons=nphotons):
            made = diffsim.illuminate_and_diffract(tf.abs(flat), tf.math.angle(flat), tf.constant(probe[0, 0, 0, ..., None]))
        return {name: np.moveaxis(a, -1, 1) for name, a in zip(("images", "label_amp", "label_phase"), made, strict=False)}

    stitch = staticmethod(lambda patches, offsets, M: tf_helper.reassemble_position(patches, offsets, M=M)[..., 0])
