"""INFER-037:an_experiment_that_is_none_is_an_error[pattern-missing]@cpu on venv:ENVIRONMENT:ptylab: a failure of `conform run`.

Needs NumPy and the backend, nothing else:   …/python INFER-037-an_experiment_that_is_none_is_an_error-pattern-missing-@cpu.py [module:attribute]
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
from contextlib import contextmanager
from types import SimpleNamespace

CHECK = 'INFER-037:an_experiment_that_is_none_is_an_error[pattern-missing]@cpu'
BACKEND, DEVICE = 'conformance.backends.ptylab:PtyLab', 'cpu'
RAN_IN = '…/room'  # where the run stood: an adapter that is not installed may lie there


def check(backend, _given, tmp_path, shared_folder):
    arrays = {'xcoords': _given['arrays.xcoords'], 'ycoords': _given['arrays.ycoords'], 'diff3d': _given['arrays.diff3d'], 'probeGuess': _given['arrays.probeGuess']}
    engines_claimed(backend)
    with observe_raises('refusal', (ValueError, TypeError)):
        backend.reconstruct(None, engines_record(backend, arrays), engines_configuration(backend, 2))


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


def engines_claimed(backend):
    """Raises `NotClaimed` where the backend's images come from training (its `reconstruct` answers INFER-002 instead)."""
    if 'reconstruct' not in backend.info().profiles:
        raise names_NotClaimed('profile `reconstruct`: the backend does not say that it reconstructs without training')


def observe__wanted(text, fragments):
    named = (repr(one) if isinstance(one, str) else ' or '.join(map(repr, one)) for one in fragments)
    return text + (f" whose message contains {', '.join(named)}" if fragments else '')


class observe_Caught:
    """The error that a `raises` block asked for."""
    error: BaseException | None = None
    message: str = ''


class names_NotEvaluated(Exception):
    """The check could not be made here, for a reason that is not the backend's."""


class observe_Refuted(AssertionError):
    """The observation contradicts its clause: name, expected, found, bound, and whether numbers alone are wrong."""


class native_Malformed(AssertionError):
    """The backend's answer does not have the form that the check needs."""


def observe__says(message, fragment):
    return any((one in message for one in ((fragment,) if isinstance(fragment, str) else fragment)))


def observe_refute(name, expected, found, within='exact', numbers=False):
    """Say it in a line. `numbers`: two arrays of one form were compared."""
    raise observe_Refuted(name, expected, found, within, numbers)


@contextmanager
def observe_raises(name, error, *fragments, clause=None):
    """This class of error (or a subclass) is raised in the block, and its message contains every fragment: of several, one."""
    classes = error if isinstance(error, tuple) else (error,)
    expected = observe__wanted(' or '.join((c.__name__ for c in classes)), fragments)
    caught = observe_Caught()
    try:
        yield caught
    except (names_NotClaimed, names_NotEvaluated, observe_Refuted, native_Malformed, KeyboardInterrupt):
        raise
    except BaseException as raised:
        caught.error, caught.message = (raised, str(raised))
        if isinstance(raised, KeyError) and raised.args:
            caught.message = str(raised.args[0])
        if not (isinstance(raised, classes) and all((observe__says(caught.message, fragment) for fragment in fragments))):
            observe_refute(name, expected, f'{type(raised).__name__}: {caught.message}')
    else:
        observe_refute(name, expected, 'no error')


def engines_record(backend, arrays):
    """The native record, masked where there is a mask; a plain object with its arrays where the backend keeps none."""
    if 'mask' in arrays:
        plain = {name: values for name, values in arrays.items() if name != 'mask'}
        return backend.masked(engines_record(backend, plain), arrays['mask'])
    given = {**arrays, 'xcoords_start': arrays['xcoords'], 'ycoords_start': arrays['ycoords']}
    given = {name: np.array(values) for name, values in given.items()}
    try:
        return backend.record(**given)
    except names_NotClaimed:
        return SimpleNamespace(**given)


engines_PASSES = 60


def configs_stating(backend, kind, /, **fields):
    """A canonical object with these fields; a plain one that has nothing else where the backend makes none (specs/batch.md)."""
    try:
        return backend.canonical(kind, **fields)
    except names_NotClaimed:
        return SimpleNamespace(**fields)


engines_N = 32


engines_PHOTONS = 1000000.0


def engines_configuration(backend, passes=engines_PASSES, trainable=False):
    """The training configuration with what an engine reads of it (INFER-034, INFER-036, INFER-041)."""
    model = configs_stating(backend, 'model', N=engines_N, gridsize=1)
    read = {'nepochs': passes, 'batch_size': 8, 'subsample_seed': 42, 'probe_trainable': trainable}
    return configs_stating(backend, 'training', model=model, nphotons=engines_PHOTONS, backend='pytorch', **read)


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
