"""PHYS-003:constant_wave_lands_in_the_centre[10x15]@cpu on venv:ENVIRONMENT:ptylab: a failure of `conform run`.

Needs NumPy and the backend, nothing else:   …/python PHYS-003-constant_wave_lands_in_the_centre-10x15-@cpu.py [module:attribute]
Ends with 1 and one line while the backend is red, with 0 once it is mended, with 2 where it cannot be asked.
"""

from __future__ import annotations

import importlib as _importlib
import inspect as _inspect
import os as _os
import pathlib as _pathlib
import random as _random
import sys as _sys
import tempfile as _tempfile

import numpy as np


CHECK = 'PHYS-003:constant_wave_lands_in_the_centre[10x15]@cpu'
BACKEND, DEVICE = 'conformance.backends.ptylab:PtyLab', 'cpu'
RAN_IN = '…/room'  # where the run stood: an adapter that is not installed may lie there


def check(backend, _given, tmp_path, shared_folder):
    waves = _given['waves']
    amplitude = backend.diffract(waves, _given['fields_unit_probe'])


def read_only(array):
    """The array, locked."""
    array.flags.writeable = False
    return array


def strided(array):
    """The same values with gaps in memory."""
    larger = np.zeros((*array.shape[:-1], 2 * array.shape[-1]), array.dtype)
    larger[..., ::2] = array
    return larger[..., ::2]


class names_NotClaimed(Exception):
    """The backend does not offer the surface that a check needs: neither green nor red. `method`: the one that is absent."""

    def __init__(self, message, method=''):
        super().__init__(message)
        self.method = method


class names_NotEvaluated(Exception):
    """The check could not be made here, for a reason that is not the backend's."""


class observe_Refuted(AssertionError):
    """The observation contradicts its clause: name, expected, found, bound, and whether numbers alone are wrong."""


class Backend:
    """The adapter; a method that it does not offer is not claimed."""

    def __init__(self, adapter):
        self._adapter = adapter

    def __getattr__(self, name):
        if not callable(getattr(self._adapter, name, None)):
            raise names_NotClaimed(f"the backend offers no {name}")
        return getattr(self._adapter, name)


def fresh(backend):
    """The same random numbers as in the suite, and defaults in the registry."""
    _random.seed(0)
    np.random.seed(0)
    if torch := _sys.modules.get("torch"):
        torch.manual_seed(0)
    adapter = backend._adapter
    if callable(getattr(adapter, "registry", None)) and callable(getattr(adapter, "defaults", None)):
        live, defaults = adapter.registry(), dict(adapter.defaults())
        live.clear()
        live.update(defaults)


def made(name):
    """The backend: a `module:attribute`, called with the device where it is a class or a factory."""
    module, _, attribute = name.partition(":")
    attribute, _, planted = attribute.partition("=")
    found = _importlib.import_module(module)
    for part in attribute.split("."):
        found = getattr(found, part)
    if planted:
        return found(planted, device=DEVICE)
    return found(device=DEVICE) if _inspect.isclass(found) or _inspect.isroutine(found) else found


def told(error):
    """One line: expected, found, bound."""
    if type(error) is observe_Refuted:
        name, expected, found, bound, _ = error.args
        return " ".join(f"observation `{name}`: expected {expected}, found {found}, bound {bound}".split())
    return " ".join(f"expected an answer, found {type(error).__name__}: {error}, bound exact".split())


def main():
    """Exit code."""
    _sys.path[:0] = [_os.getcwd(), RAN_IN]
    here = _pathlib.Path(__file__)
    archive = here.with_name(here.stem + ".npz")
    asked = _sys.argv[1] if len(_sys.argv) > 1 else BACKEND
    if ":" not in asked:
        print(f"UNASKED {CHECK}: expected a backend as module:attribute, found {asked!r}")
        return 2
    try:
        backend = Backend(made(asked))
    except Exception as error:
        print(f"UNASKED {CHECK}: the backend cannot be made: {type(error).__name__}: {error}")
        return 2
    fresh(backend)
    with _tempfile.TemporaryDirectory() as folder:
        room = _pathlib.Path(folder, "own")
        room.mkdir()
        try:
            check(backend, np.load(archive, allow_pickle=False) if archive.is_file() else {}, room, _pathlib.Path(folder))
        except (names_NotClaimed, names_NotEvaluated) as error:
            print(f"UNASKED {CHECK}: {error}")
            return 2
        except Exception as error:
            print(f"RED {CHECK}: {told(error)}")
            return 1
    print(f"GREEN {CHECK}")
    return 0


if __name__ == "__main__":
    _sys.exit(main())
