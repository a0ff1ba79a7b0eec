"""Several processes of one run: which of them this is, as launchers (Lightning's, torchrun, SLURM) say it, before torch is
imported; and whether they can talk to each other.
"""

from __future__ import annotations

import os
import sys
import tempfile

NUMBERS = ("RANK", "LOCAL_RANK", "SLURM_PROCID")
"""Where a launcher writes a process's number, in the order in which Lightning looks."""


def number() -> int:
    """0 for the first process, and for the only one."""
    said = next((os.environ[name] for name in NUMBERS if os.environ.get(name)), "0")
    return int(said) if said.isdecimal() else 0


LONGEST_SOCKET = 103 if sys.platform == "darwin" else 107
"""Bytes of a socket's path that the kernel takes (`sun_path` in unix(7), less the closing zero)."""
NAME_OF_A_SOCKET = len("/pymp-12345678/listener-12345678")
"""What multiprocessing puts behind the temporary folder's path."""


def check_sockets(workers: int) -> None:
    """Raises `OSError` where loading processes would wait for ever: their sockets' paths, in the temporary folder, are too long.

    A process that cannot open its socket hands over no batch, and torch's loader goes on waiting for it.
    """
    folder = tempfile.gettempdir()
    length, room = len(os.fsencode(folder)), LONGEST_SOCKET - NAME_OF_A_SOCKET
    if workers > 0 and os.name == "posix" and length > room:
        raise OSError(
            f"num_workers is {workers}, but loading processes cannot talk to each other in the temporary folder: its path has "
            f"{length} bytes, and sockets have room for {room}. Set TMPDIR to a folder with a shorter path, or num_workers to 0"
        )
