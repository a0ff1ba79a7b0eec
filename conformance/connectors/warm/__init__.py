"""Interpreters that find the large libraries imported already: 4 s of CPU less for each process that a check starts.

A check starts commands and scripts in processes of their own, and each of them imports torch and Lightning before all else.
`server.py` is a fresh interpreter that has imported libraries, nothing of this project, and computed nothing; what is started
through `interpreter` runs in a fork of it, in the environment, the folder and with the streams of whoever asks (`client.py`),
and finds a library in `sys.modules` when it has imported it, not before (`kept.py`).
What a fork cannot be (`-c`, options of the interpreter, a `sitecustomize`, which blocks imports) is a new interpreter as ever.
The server is no child of the trial: what its forks cost is written into the file `CONFORM_CPU`, where one is named (`charged`).
Trials of planted backends take these, and runs of the suite that are asked to (`--warm`, which the report says); every other run
starts true interpreters. The twins among the trials would be accused if a fork were another process than an interpreter.
"""

from __future__ import annotations

import compileall
import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from conformance.connectors import process

LIBRARIES = (
    "numpy", "scipy.spatial", "scipy.ndimage", "scipy.optimize", "scipy.io", "h5py", "hdf5plugin", "matplotlib.figure",
    "matplotlib.backends.backend_agg", "tqdm.auto", "rich.console", "torch", "torch.distributed", "torch.utils.data",
    "tensordict", "torchmetrics", "lightning.pytorch", "lightning.pytorch.loggers", "fsspec.implementations.chained",
)  # fmt: skip
"""What commands of the reference spend their first seconds with; each may rest on those before it, on none behind it."""
HERE = Path(__file__).resolve().parent
SOCKET, NAME, COMPILED = "warm", "python", "compiled"
PROJECT = ("conformance", "reference_impl")
TESTS = re.compile(r"/(selftest|suite|tests|results)/")
ACCOUNT = "CONFORM_CPU"
"""Variable: the file to which the server adds the seconds of CPU of each fork that ends."""


@contextmanager
def interpreter(libraries: Sequence[str] = LIBRARIES) -> Iterator[str]:
    """The path of an executable that stands in for `sys.executable` as long as the context lasts; its forks end with it.

    Raises `RuntimeError` where the server dies before it listens.
    """
    folder = Path(tempfile.mkdtemp(prefix="conform-"))  # not below a report's folder: the path of a socket has 107 characters
    compile_into(folder / COMPILED)
    command = [sys.executable, str(HERE / "server.py"), str(folder / SOCKET), str(folder / COMPILED), *libraries]
    environment = {name: value for name, value in {**os.environ, **process.QUIET}.items() if name != "PYTHONPATH"}
    server = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        if server.stdout is None or not server.stdout.readline():
            raise RuntimeError("the interpreter with the libraries did not come up; see the lines above")
        stub = folder / NAME
        words = [sys.executable, "-IS", str(HERE / "client.py"), str(folder / SOCKET), sys.executable, str(stub)]
        stub.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n', encoding="utf-8")
        stub.chmod(0o755)
        yield str(stub)
    finally:
        server.communicate()  # it ends with its standard input
        shutil.rmtree(folder)


def spent(account: Path) -> float:
    """The seconds of CPU that the server has written into `account`."""
    return sum(map(float, account.read_text(encoding="utf-8").split())) if account.is_file() else 0.0


def compile_into(folder: Path) -> None:
    """The bytecode of this project below `folder`: where none is kept beside the files, each process would compile them anew."""
    before, sys.pycache_prefix = sys.pycache_prefix, str(folder)
    try:
        for package in PROJECT:
            if (found := importlib.util.find_spec(package)) is not None:
                for place in found.submodule_search_locations or ():
                    compileall.compile_dir(place, quiet=2, rx=TESTS)
    finally:
        sys.pycache_prefix = before


def imported(libraries: Sequence[str] = LIBRARIES) -> None:
    """In this process, too: its forks find them."""
    for name in libraries:
        if importlib.util.find_spec(name.partition(".")[0]) is not None:
            importlib.import_module(name)


@contextmanager
def started(libraries: Sequence[str] = LIBRARIES) -> Iterator[None]:
    """Python processes that checks start are forks of such a server inside."""
    with interpreter(libraries) as stub:
        os.environ[process.INTERPRETER] = stub
        try:
            yield
        finally:
            del os.environ[process.INTERPRETER]
