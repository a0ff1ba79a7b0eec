"""PHYS-020:whole_offsets_are_exact_shifts[whole-12x12]@cpu on venv:ENVIRONMENT:ptychi: a failure of `conform run`.

Needs NumPy and the backend, nothing else:   …/python PHYS-020-whole_offsets_are_exact_shifts-whole-12x12-@cpu.py [module:attribute]
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
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from dataclasses import field
import functools

CHECK = 'PHYS-020:whole_offsets_are_exact_shifts[whole-12x12]@cpu'
BACKEND, DEVICE = 'conformance.backends.ptychi:PtyChi', 'cpu'
RAN_IN = '…/room'  # where the run stood: an adapter that is not installed may lie there


def check(backend, _given, tmp_path, shared_folder):
    scene = motions_MotionScene(name='whole-12x12', images=_given['scene.images'], offsets=_given['scene.offsets'])
    with observe_accepts('images'):
        moved = backend.translate(scene.images, scene.offsets)
    observe_close('whole', moved, _given['np_stack'])


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


class native_Malformed(AssertionError):
    """The backend's answer does not have the form that the check needs."""


def observe_refute(name, expected, found, within='exact', numbers=False):
    """Say it in a line. `numbers`: two arrays of one form were compared."""
    raise observe_Refuted(name, expected, found, within, numbers)


@contextmanager
def observe_accepts(name, *, clause=None):
    """Nothing is raised in the block."""
    try:
        yield
    except (names_NotClaimed, names_NotEvaluated, observe_Refuted, native_Malformed, KeyboardInterrupt):
        raise
    except BaseException as raised:
        observe_refute(name, 'no error', f'{type(raised).__name__}: {raised}')


observe_NAME = 'whole'


beside_FUNCTIONS = {}


class beside_Door:
    """What stands before a backend, here or afar (`conformance.connectors.connect.Proxy`)."""
    _backend: Any


class beside_Afar:
    """What lives in another process: `_peer` is the connection to it, `_there` the object as it is known there."""
    __slots__ = ()
    _peer: Any
    _there: Any


def beside_beside(function):
    """Run the function where the first of its arguments lives that lives elsewhere."""
    beside_FUNCTIONS[function.__name__] = function

    @functools.wraps(function)
    def asked(*arguments, **options):
        given = [a._backend if isinstance(a, beside_Door) else a for a in arguments]
        peer = next((a._peer for a in given if isinstance(a, beside_Afar)), None)
        if peer is None:
            return function(*given, **options)
        return peer.request('beside', function.__name__, tuple((a._there if isinstance(a, beside_Afar) else a for a in given)), options)
    return asked


def native__is_tensor(x):
    return hasattr(x, 'detach') and hasattr(x, 'dtype')


@beside_beside
def native_shape(x):
    """The shape as plain integers; raises `Malformed` where there is none."""
    found = getattr(x, 'shape', None)
    if found is None:
        raise native_Malformed(f'expected an array with a shape, found {native_kind(x)}')
    return tuple((int(side) for side in found))


@beside_beside
def native_kind(x):
    """A short description for messages: the type, and the dtype and shape where there are any."""
    name = type(x).__name__
    if hasattr(x, 'dtype') and hasattr(x, 'shape'):
        return f'{name} {native_dtype(x)} {native_shape(x)}'
    return f'{name} of length {len(x)}' if hasattr(x, '__len__') else f'{name} {x!r}'[:80]


@beside_beside
def native_dtype(x):
    """The dtype's plain name, as in `float32`, `complex64`, `int64`; raises `Malformed` where there is none."""
    found = getattr(x, 'dtype', None)
    if found is None:
        raise native_Malformed(f'expected an array with a dtype, found {native_kind(x)}')
    return str(getattr(found, 'name', found)).removeprefix('torch.')


@beside_beside
def native_array(x):
    """`x` as a NumPy array of the same shape and dtype (bfloat16 becomes float32); `Malformed` for anything without values.

    Tensors are detached, moved to the host, and freed of lazy conjugation. Numbers and nested sequences of them count as arrays.
    """
    if isinstance(x, np.ndarray | np.generic):
        return np.asarray(x)
    if native__is_tensor(x):
        host = x.detach().cpu()
        host = host.resolve_conj().resolve_neg() if hasattr(host, 'resolve_conj') else host
        return host.float().numpy() if native_dtype(x) == 'bfloat16' else host.numpy()
    if x is None or isinstance(x, Mapping | str | bytes):
        raise native_Malformed(f'expected an array, found {native_kind(x)}')
    found = np.asarray(x)
    if found.dtype == object:
        raise native_Malformed(f'expected an array, found {native_kind(x)}')
    return found


def compare__wide(x):
    return x.astype(np.complex128 if np.iscomplexobj(x) else np.float64)


def compare__without_ramp(value, truth):
    """Slopes (radians a pixel, along the last two axes) from the mean phase step of value·conj(truth) between neighbours."""
    ratio = value * np.conj(truth)
    slope_row = float(np.angle(np.sum(ratio[..., 1:, :] * np.conj(ratio[..., :-1, :]))))
    slope_column = float(np.angle(np.sum(ratio[..., :, 1:] * np.conj(ratio[..., :, :-1]))))
    rows, columns = (np.arange(value.shape[-2])[:, None], np.arange(value.shape[-1])[None, :])
    return (value * np.exp(-1j * (slope_row * rows + slope_column * columns)), [slope_row, slope_column])


def compare__without_phase(value, truth):
    phase = float(np.angle(np.vdot(truth, value)))
    return (value * np.exp(-1j * phase), phase)


def compare__without_scale(value, truth):
    """One positive real factor; where none is positive the values stay as they are."""
    power = float(np.vdot(value, value).real)
    factor = float(np.vdot(value, truth).real) / power if power > 0 else 1.0
    return (value * factor, factor) if factor > 0 else (value, 1.0)


compare__REMOVE = {'ramp': compare__without_ramp, 'global-phase': compare__without_phase, 'scale': compare__without_scale}


def compare_remove_gauge(value, truth, gauge):
    """`value` as near to `truth` as the named freedoms allow, and what was taken out; ramps first, then phase, then scale."""
    removed: dict[str, Any] = {}
    for name in sorted(gauge, key=('ramp', 'global-phase', 'scale').index):
        value, removed[name] = compare__REMOVE[name](value, truth)
    return (value, removed)


@dataclass(frozen=True)
class compare_Distance:
    """`value` against `bound`, both in `unit`; `removed` says which freedoms were taken out and by how much."""
    value: float
    bound: float
    unit: str
    where: tuple[int, ...] = ()
    removed: dict[str, Any] = field(default_factory=dict)

    def __str__(self):
        return f'{self.value:.4g}' + ('' if self.unit == '1' else f' {self.unit}')

    @property
    def within(self):
        """True where the bound holds; a distance that is not a number never does."""
        return bool(self.value <= self.bound)


tolerances_EPS = {'float16': 2.0 ** (-10), 'bfloat16': 2.0 ** (-7), 'float32': 2.0 ** (-23), 'complex64': 2.0 ** (-23), 'float64': 2.0 ** (-52), 'complex128': 2.0 ** (-52)}


def compare_distance(value, truth, tolerance, *, working, gauge=(), spread=None):
    """The largest deviation of `value` from `truth` (same shape), in the tolerance's unit.

    `working` is the dtype in which the backend computed; `spread` the standard error of each element, for `sigma`.
    """
    a, b = (compare__wide(value), compare__wide(truth))
    a, removed = compare_remove_gauge(a, b, gauge)
    deviation = np.abs(a - b)
    if tolerance.kind == 'sigma':
        deviation = deviation / np.broadcast_to(np.asarray(spread, dtype=float), deviation.shape)
    worst = float(deviation.max()) if deviation.size else 0.0
    where = tuple((int(i) for i in np.unravel_index(int(np.argmax(deviation)), deviation.shape))) if deviation.size else ()
    peak = float(np.abs(b).max()) if b.size else 0.0
    if tolerance.kind in ('exact', 'absolute', 'sigma'):
        unit = {'exact': '1', 'absolute': '1', 'sigma': 'standard errors'}[tolerance.kind]
        return compare_Distance(worst, tolerance.amount, unit, where, removed)
    step = tolerances_EPS[tolerance.dtype or working] if tolerance.kind == 'eps' else 1.0
    scaled = 0.0 if worst == 0 else worst / (peak * step) if peak else float('inf')
    unit = f'eps of {tolerance.dtype or working} × max|truth|' if tolerance.kind == 'eps' else 'max|truth|'
    return compare_Distance(scaled, tolerance.amount, unit, where, removed)


@dataclass(frozen=True)
class tolerances_Tolerance:
    """A bound: `exact`; `eps`, in rounding steps of the working dtype (or of `dtype`) times max|truth|; `relative`, of
    max|truth|; `absolute`; or `sigma`, in standard errors that the check states."""
    kind: str
    amount: float = 0.0
    dtype: str | None = None

    def __str__(self):
        unit = {'eps': f"eps{(f' of {self.dtype}' if self.dtype else '')} × max|truth|", 'relative': '× max|truth|'}
        return 'exact' if self.kind == 'exact' else f'{self.amount:g} {unit.get(self.kind, self.kind)}'


observe_BOUND = ('exact', 0.0, None)


def judge_working_dtype(value):
    """The dtype whose rounding the answer carries: its own if floating, else float32, the contract's precision."""
    found = str(getattr(value, 'dtype', '')).removeprefix('torch.')
    return found if found in tolerances_EPS else 'float32'


def observe__distance(value, truth, gauge, spread, dtype):
    a, b = (native_array(value), native_array(truth))
    if a.shape != b.shape:
        observe_refute(observe_NAME, f'shape {b.shape}', f'shape {a.shape}')
    if not np.isfinite(a).all():
        observe_refute(observe_NAME, 'finite values', f'{int((~np.isfinite(a)).sum())} of {a.size} are not finite')
    return compare_distance(a, b, tolerances_Tolerance(*observe_BOUND), working=dtype or judge_working_dtype(value), gauge=gauge, spread=spread)


observe_GAUGE = ()


def judge_deviated(seen, value, truth):
    """What was found in the place of the truth, for a message: of one number itself, of an array its worst element."""
    a, b = (native_array(value), native_array(truth))
    if a.ndim == 0 and a.dtype.kind in 'fiuc':
        return f'{a[()]:.4g} instead of {b[()]:.4g}, a deviation of {seen}'
    return f'a deviation of {seen} at {seen.where}' + (f': {a[seen.where]!s} instead of {b[seen.where]!s}' if a.size else '')


def observe_close(name, value, truth, *, clause=None, gauge=None, spread=None, dtype=None):
    """`value` equals `truth` up to the bound, the freedoms taken out."""
    if name != observe_NAME:
        return
    seen = observe__distance(value, truth, observe_GAUGE, spread, dtype)
    if not seen.within:
        removed = f', after taking out {seen.removed}' if seen.removed else ''
        found = f'{judge_deviated(seen, value, truth)}{removed}'
        observe_refute(name, f'the truth ({native_kind(truth)})', found, str(tolerances_Tolerance(*observe_BOUND)), numbers=True)


@dataclass(frozen=True)
class motions_MotionScene:
    """`(n, H, W)` images and the `(n, 2)` offsets `[dx, dy]` by which they are moved."""
    name: str
    images: np.ndarray
    offsets: np.ndarray

    def __str__(self):
        return self.name


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
