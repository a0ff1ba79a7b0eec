"""Files of scans → one memory map on disk, whole or not at all, built once and refused where it is stale (BATCH-040 … BATCH-049).

Patterns stand in the map once, normalised; a row names the members of a group. So a map is as large as its files, whatever the
grid size, and building it needs no memory for patterns.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from reference_impl import processes
from reference_impl.policy import require_torch

require_torch()

from reference_impl.atomic import whole_set  # noqa: E402
from reference_impl.batch.container import photons_of, resolve_seed, scale_for  # noqa: E402
from reference_impl.batch.fields import needs_labels  # noqa: E402
from reference_impl.batch.manifest import (  # noqa: E402
    NAME,
    PATTERNS,
    ROWS,
    Manifest,
    Scan,
    checksum,
    dtype_of,
    file_of,
    read_manifest,
    refuse_damage,
    refuse_stale,
    source_digest,
    sources_of,
)
from reference_impl.config import InferenceConfig, TrainingConfig  # noqa: E402
from reference_impl.data.load import selection  # noqa: E402
from reference_impl.data.mask import good_pixels  # noqa: E402
from reference_impl.data.npz import write_npz  # noqa: E402
from reference_impl.data.on_disk import blocks, read_on_disk  # noqa: E402
from reference_impl.errors import ContractError, naming, reason_of  # noqa: E402
from reference_impl.grouping.arrays import pattern_energies, scaled  # noqa: E402
from reference_impl.grouping.grouped import factor_of, patterns_of, place  # noqa: E402
from reference_impl.grouping.indices import group_indices  # noqa: E402
from reference_impl.grouping.rules import group_by  # noqa: E402

SMALL = "scans.npz"
"""Probes, objects and masks, an array a file."""
PATIENCE = 0.2
"""Seconds between two looks at a map that another process builds."""

Look = Callable[[Any], Any]
"""What is done with each record while it is read: it may refuse it."""


@dataclass(frozen=True)
class Plan:
    """What shapes the rows of a map, beside its files; `n_groups` None: one around every pattern of each file.

    `nphotons_source`: 'override' where the photons stand above those that a file states. `rule`: the arguments of `group_by`,
    where groups are made by a rule (GROUP-041); None for a draw among the nearest.
    """

    N: int
    gridsize: int
    neighbor_count: int
    n_groups: int | None
    subsample_seed: int
    sequential_sampling: bool
    enable_oversampling: bool
    neighbor_pool_size: int | None
    nphotons: float
    nphotons_source: str | None
    n_subsample: int | None
    labels: bool
    measurement: str = "amplitude"
    mask: str | None = None
    coord_scale: float = 1.0
    skip: bool = False
    rule: Mapping[str, Any] | None = None

    @classmethod
    def of(cls, config: TrainingConfig | InferenceConfig, every: bool = False, **options: Any) -> Plan:
        """The plan of a configuration; `every`: as many groups as there are patterns, whatever `n_groups` says."""
        return cls(
            N=config.model.N,
            gridsize=config.model.gridsize,
            neighbor_count=config.neighbor_count,
            n_groups=None if every else config.n_groups,
            subsample_seed=resolve_seed(config.subsample_seed),
            sequential_sampling=getattr(config, "sequential_sampling", False),
            enable_oversampling=config.enable_oversampling,
            neighbor_pool_size=config.neighbor_pool_size,
            nphotons=float(getattr(config, "nphotons", 1e9)),
            nphotons_source="override" if getattr(config, "nphotons_source", None) == "override" else None,
            n_subsample=config.n_subsample,
            labels=needs_labels(config),
            **{name: None if value is None else str(value) if name == "mask" else value for name, value in options.items()},
        )

    def settings(self) -> dict[str, Any]:
        """Setting → plain value; of the mask its content, not its name."""
        settings = {field.name: getattr(self, field.name) for field in fields(self)}
        good = None if self.mask is None else good_pixels(self.mask)
        return settings | {"mask": None if good is None else hashlib.blake2b(good.tobytes(), digest_size=16).hexdigest()}


def make_map(
    sources: str | Path | Sequence[str | Path], folder: Path, plan: Plan, remake: bool = False, look: Look | None = None
) -> Manifest:
    """The manifest of the map in `folder`: opened where it fits sources and plan, built where there is none or with `remake`.

    Of several processes one builds while the others wait. `look` is shown every record that is read. Raises `ContractError`
    ("Rebuild it with remake_map=True" for a map that is stale or damaged; the file's name for one that cannot be used, unless the
    plan skips it with a `UserWarning`; "resulted in 0 items"), `FileNotFoundError`, `OSError`.
    """
    files = sources_of(sources)
    remake = remake and processes.number() == 0  # the others open what the first one built
    with _alone(folder):
        if remake or not (folder / NAME).exists():
            return _build(files, folder, plan, look)
        manifest = read_manifest(folder)
        refuse_stale(folder, manifest, plan.settings(), _sources(files, plan))
        refuse_damage(folder, manifest)
        return manifest


def _sources(files: Sequence[Path], plan: Plan) -> list[list[str]]:
    return [[path.name, _digest(path, plan)] for path in files]


def _digest(path: Path, plan: Plan) -> str:
    """The file's digest; of one that is no archive, in a plan that skips it, nothing."""
    try:
        return source_digest(path)
    except ContractError:
        if not plan.skip:
            raise
        return ""


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the name of a map while it is looked for or built; who comes second waits. A killed process holds nothing."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder.with_name(f".{folder.name}.lock"), os.O_RDWR | os.O_CREAT, 0o666)
    try:
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                time.sleep(PATIENCE)
            except OSError:  # a file system without locks: two that build make the same map
                break
        yield
    finally:
        os.close(handle)


@contextmanager
def _or_none(folder: Path) -> Iterator[None]:
    """On an error an empty folder that was not there before goes again."""
    new = not folder.exists()
    try:
        yield
    except BaseException:
        if new:
            with suppress(OSError):  # not empty: somebody else's
                folder.rmdir()
        raise


def _build(files: Sequence[Path], folder: Path, plan: Plan, look: Look | None) -> Manifest:
    arrays = [file_of(folder, name).name for name in (PATTERNS, *ROWS)]
    with _or_none(folder), whole_set(folder, also=[*arrays, SMALL, NAME]) as stage:
        scans, small = _scans(files, stage, plan, look)
        if not scans:
            found = f"none: {len(files)} files resulted in 0 items"
            raise ContractError(file=folder, field="sources", expected="groups to train on", found=found)
        write_npz(stage / SMALL, small)
        known = {name: checksum(file_of(stage, name)) for name in (PATTERNS, *ROWS)}
        manifest = Manifest(plan.settings(), _sources(files, plan), tuple(scans), {**known, "scans": checksum(stage / SMALL)})
        (stage / NAME).write_text(manifest.text(), encoding="utf-8")
    return manifest


def _scans(files: Sequence[Path], stage: Path, plan: Plan, look: Look | None) -> tuple[list[Scan], dict[str, np.ndarray]]:
    """Append what each file holds to the arrays in `stage`; constants of each, and its small arrays by number."""
    scans: list[Scan] = []
    small: dict[str, np.ndarray] = {}
    for path in files:
        start = _size(file_of(stage, PATTERNS))
        try:
            with naming(path, but=plan.settings()):
                scan, rows, own = _scan(path, stage, plan, look, small)
        except (ContractError, OSError) as error:
            if not plan.skip:
                raise
            os.truncate(file_of(stage, PATTERNS), start) if start < _size(file_of(stage, PATTERNS)) else None
            warnings.warn(f"{path}: skipped, with all that belongs to it: {reason_of(error)}", UserWarning, stacklevel=4)
            continue
        rows["experiment_id"] = np.full(scan.groups, len(scans))
        for name, array in rows.items():
            with open(file_of(stage, name), "ab") as stream:
                stream.write(np.ascontiguousarray(array, dtype=dtype_of(name)).data)
        small |= {f"{name}_{len(scans)}": array for name, array in own.items() if array is not None}
        scans.append(scan)
    return scans, small


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _scan(
    path: Path, stage: Path, plan: Plan, look: Look | None, before: dict[str, np.ndarray]
) -> tuple[Scan, dict[str, np.ndarray], dict[str, Any]]:
    """One file: its patterns on disk; its constants, its rows, its small arrays."""
    options = {"measurement": plan.measurement, "mask": plan.mask, "coord_scale": plan.coord_scale}
    raw = read_on_disk(path, file_of(stage, PATTERNS), **options)
    patterns = patterns_of(raw, plan.N, path)
    _refuse_unlike(raw, plan, before, path)
    if look is not None:
        look(raw)
    points = np.column_stack([raw.xcoords, raw.ycoords]).astype(np.float64)
    indices = _groups(points, plan)
    factor = factor_of(patterns, indices, plan.N, path)
    photons, source = photons_of(raw, plan)
    coords = {name: value.transpose(0, 3, 1, 2) for name, value in place(points, indices).items()}
    scan = Scan(
        name=path.name,
        digest=source_digest(path),
        patterns=len(patterns),
        groups=len(indices),
        factor=factor,
        physics=float(scale_for(float(_normalised(patterns, factor)[indices].mean()), photons)),
        nphotons=float(photons),
        nphotons_source=source,
    )
    named = {"coords_global": "coords_nn", "coords_center": "coords_offsets", "coords_relative": "coords_relative"}
    rows = {"nn_indices": indices, **{own: coords[name] for own, name in named.items()}}
    return scan, rows, {"probe": raw.probeGuess, "object": raw.objectGuess if plan.labels else None, "mask": raw.mask}


def _groups(points: np.ndarray, plan: Plan) -> np.ndarray:
    """The members of each group, by their numbers in the file, as `ensure_container` draws them."""
    drawn = selection(len(points), None, plan.n_subsample, plan.subsample_seed)
    chosen = np.arange(len(points)) if drawn is None else drawn
    if plan.rule is not None:
        return chosen[group_by(points[chosen], gridsize=plan.gridsize, seed=plan.subsample_seed, **plan.rule)]
    count = len(chosen) if plan.n_groups is None else plan.n_groups
    how = (plan.subsample_seed, plan.sequential_sampling, plan.enable_oversampling, plan.neighbor_pool_size)
    return chosen[group_indices(points[chosen], plan.gridsize**2, plan.neighbor_count, count, *how)]


def _refuse_unlike(raw: Any, plan: Plan, before: dict[str, np.ndarray], path: Path) -> None:
    """Every file has a probe, with as many modes as the others have, and an object where labels are asked for (BATCH-047)."""
    shape = np.shape(raw.probeGuess)
    first = before.get("probe_0")
    if first is not None and shape != first.shape:
        raise ContractError(
            file=path, field="probeGuess", expected=f"shape {first.shape}, as in the first file", found=f"{shape}"
        )
    if plan.labels and raw.objectGuess is None:
        found = "none (supervised training and realspace_mae_weight need ground truth)"
        raise ContractError(file=path, field="objectGuess", expected="an object (H, W), for labels", found=found)


def _normalised(patterns: np.ndarray, factor: float) -> np.ndarray:
    """Multiply the patterns where they lie on disk (GROUP-030); `Σ (k·x)²` of each, float64 `(n,)`, as BATCH-012 sums them."""
    found = np.empty(len(patterns))
    for part in blocks(patterns):
        patterns[part] = scaled(patterns[part], factor)
        found[part] = pattern_energies(patterns[part])
    return found
