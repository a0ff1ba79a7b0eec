"""`python -IS client.py SOCKET PYTHON STUB WORD …`: `PYTHON WORD …` in a fork of the server, or, where it cannot be, PYTHON."""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import sys

HARMLESS = {"PYTHONPATH", "PYTHONUNBUFFERED", "PYTHONWARNINGS", "PYTHONDONTWRITEBYTECODE"}
"""Variables of the interpreter that a fork can honour, or does by itself."""


def fits(words: list[str], environment: dict[str, str]) -> bool:
    """Whether a fork that has imported libraries can be what was asked for."""
    if not (words[:1] == ["-m"] and len(words) > 1) and not (words and words[0].endswith(".py")):
        return False
    if any(name.startswith("PYTHON") and name not in HARMLESS for name in environment):
        return False
    tracing = os.path.join(os.path.dirname(environment.get("COVERAGE_PROCESS_START", "")), "hook")  # a fork is traced without it
    path = [part for part in environment.get("PYTHONPATH", "").split(os.pathsep) if part and part != tracing]
    customised = (os.path.join(part, f"{name}customize.py") for part in path for name in ("site", "user"))
    return not any(map(os.path.exists, customised))


def inherited() -> dict[str, object]:
    """What a child has from its parent beside environment and streams: rights of new files, limits, ignored signals."""
    umask = os.umask(0)
    os.umask(umask)
    limits = {name: resource.getrlimit(getattr(resource, name)) for name in dir(resource) if name.startswith("RLIMIT_")}
    ignored = [int(one) for one in signal.valid_signals() if signal.getsignal(one) == signal.SIG_IGN]
    return {"umask": umask, "limits": limits, "ignored": ignored}


def main(server: str, python: str, stub: str, *words: str) -> None:
    """Hand over and wait; ends as the fork ends."""
    if not fits(list(words), dict(os.environ)):
        os.execv(python, [python, *words])
    asked = {"words": words, "folder": os.getcwd(), "environment": dict(os.environ), "python": stub, **inherited()}
    body = json.dumps(asked).encode("utf-8", errors="surrogateescape")
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(server)
        socket.send_fds(line, [len(body).to_bytes(8, "big")], [0, 1, 2])
        line.sendall(body)
        status = line.recv(4, socket.MSG_WAITALL)
    if len(status) < 4:
        sys.exit("the interpreter with the libraries is gone")
    code = os.waitstatus_to_exitcode(int.from_bytes(status, "big"))
    if code < 0:
        os.kill(os.getpid(), -code)
    os._exit(code)


if __name__ == "__main__":
    main(*sys.argv[1:])
