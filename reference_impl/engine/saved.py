"""Where a solver stood, as a file: what a later sweep depends on, and what tells whether it is the same problem.

A run that is continued makes the very sweeps, on the CPU to the bit, that it would have made without the break.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from reference_impl.data.npz import Archive, write_npz
from reference_impl.engine.settings import Settings
from reference_impl.engine.settling import Settling
from reference_impl.engine.solver import Solver, State
from reference_impl.errors import ContractError

KINDS = ("object", "probe", "positions")
TENSORS = (*KINDS, "object_velocity", "probe_velocity", *(f"{name}_best" for name in KINDS))
SAME = ("batch", "seed", "settle", "refine_probe", "refine_positions", "likelihood")
"""Settings that a run is continued with; `modes` shows in the probe, and there may be more sweeps than there were to be."""


def save(solver: Solver, path: Path) -> None:
    """Write the state as NPZ, whole or not at all, sealed by a digest. Raises `OSError`."""
    state = solver.state
    tensors = {name: getattr(state, name).cpu().numpy() for name in TENSORS}
    settling = state.settling
    write_npz(
        path,
        {
            **tensors,
            "residuals": np.array(settling.residuals),
            "scale": np.array(settling.scale),
            "since": np.array(settling.since),
            "settings": _words(solver.settings),
            "given": solver.problem.positions,
            "unit": np.array(solver.problem.unit),
        },
    )


def resume(solver: Solver, path: Path) -> None:
    """Put `solver` where the file's stood. `ContractError` where that was another scan or another way to solve it."""
    with Archive(path) as archive:
        found = {
            name: archive.array(archive.require(name)) for name in (*TENSORS, "residuals", "scale", "since", "given", "unit")
        }
        words = archive.text("settings") if "settings" in archive else ""
    _refuse_other(solver, found, words, path)
    state = {name: torch.from_numpy(np.array(found[name])).to(solver.problem.device) for name in TENSORS}
    residuals = tuple(float(value) for value in found["residuals"].ravel())
    settling = Settling(residuals, float(found["scale"]), int(found["since"]), False)
    solver.state = State(**state, sweep=len(residuals), settling=settling)


def _words(settings: Settings) -> str:
    return ", ".join(f"{name} {getattr(settings, name)}" for name in SAME)


def _refuse_other(solver: Solver, found: dict[str, np.ndarray], words: str, path: Path) -> None:
    """The same positions, the same light, the same settings; every array of the size, kind and finiteness that it must have."""
    now = _words(solver.settings)
    if words != now:
        raise ContractError(file=path, field="settings", expected=now, found=words or "none")
    problem = solver.problem
    same = np.array_equal(found["given"], problem.positions) and np.isclose(float(found["unit"].ravel()[0]), problem.unit)
    if not same:
        raise ContractError(file=path, field="given", expected="the scan that was being solved", found="another one")
    for name in TENSORS:
        own = getattr(solver.state, name)
        value = found[name]
        fits = value.shape == tuple(own.shape) and value.dtype == own.cpu().numpy().dtype and bool(np.isfinite(value).all())
        if not fits:
            expected = f"finite {str(own.dtype).removeprefix('torch.')} {tuple(own.shape)}"
            raise ContractError(file=path, field=name, expected=expected, found=f"{value.dtype} {value.shape}")
