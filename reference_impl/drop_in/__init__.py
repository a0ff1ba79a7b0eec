"""The reference under the names that ptychodus imports (specs/client.md).

`path/` holds two packages, `ptycho` and `ptycho_torch`. Nothing finds them unless that folder is put on `PYTHONPATH`
(`python -m reference_impl drop-in` prints it), so they never stand in the way of PtychoPINN itself. They translate names,
argument orders and layouts; what computes is the reference.
"""

from __future__ import annotations

from pathlib import Path


def folder() -> Path:
    """The folder to be put on `PYTHONPATH`."""
    return Path(__file__).resolve().parent / "path"
