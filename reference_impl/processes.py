"""Which of several processes of one run this is, as launchers (Lightning's, torchrun, SLURM) say it, before torch is imported."""

from __future__ import annotations

import os

NUMBERS = ("RANK", "LOCAL_RANK", "SLURM_PROCID")
"""Where a launcher writes a process's number, in the order in which Lightning looks."""


def number() -> int:
    """0 for the first process, and for the only one."""
    said = next((os.environ[name] for name in NUMBERS if os.environ.get(name)), "0")
    return int(said) if said.isdecimal() else 0
