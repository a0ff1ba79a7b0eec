"""A recipe: a TOML file from which a synthetic experiment follows, bit for bit, and its digest.

The digest is that of what is simulated: every value, those that the file leaves out included, and of a probe from a file its
numbers; not of how the file is written, nor of where the probe lies.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import tomllib
from collections.abc import Collection
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from reference_impl.data.npz import Archive
from reference_impl.errors import ContractError, printable
from reference_impl.simulation.experiment import Experiment, Optic, check

LARGEST, LARGEST_PROBE = 1 << 16, 1 << 28
"""Bytes of a recipe, and of a file with a probe."""
NAME, PROBE = "recipe.toml", "probe.npy"
KEYS: dict[str, tuple[str, ...]] = {
    "": ("N", "photons", "seed"),
    "object": ("kinds", "size"),
    "probe": ("kind", "path", "powers", "aperture", "stop", "defocus", "coefficients"),
    "scan": ("patterns", "test_patterns"),
    "detector": ("beam_stop",),
}
OPTICS = {"zernike": ("aperture", "coefficients"), "zone_plate": ("aperture", "stop", "defocus")}
"""Kind of a probe → what of `Optic` it is made of; the others know nothing of it."""
PLACES = {
    "object": "object.kinds", "others": "object.kinds", "size": "object.size", "probe": "probe.kind",
    "patterns": "scan.patterns", "test_patterns": "scan.test_patterns", "beam_stop": "detector.beam_stop",
    "N": "N", "photons": "photons", "seed": "seed",
    **{name: f"probe.{name}" for name in ("path", "powers", "aperture", "stop", "defocus", "coefficients")},
}  # fmt: skip
"""Field of an experiment → where a recipe states it."""


def load(path: Path) -> Experiment:
    """The experiment of a recipe; a relative path of a probe begins at the recipe's folder.

    Raises `FileNotFoundError`, and `ContractError` that names file, key, what is expected and what stands there.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path}: recipe not found")
    data = path.read_bytes()[: LARGEST + 1]
    if len(data) > LARGEST:
        raise ContractError(file=path, field="recipe", expected=f"at most {LARGEST} bytes", found="more")
    try:
        table = tomllib.loads(data.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        raise ContractError(file=path, field="recipe", expected="TOML", found=printable(error, 120)) from error
    return _experiment(table, path)


def _experiment(table: dict[str, Any], path: Path) -> Experiment:
    sections = {name: table.pop(name, {}) for name in KEYS if name}
    for name, content in {"": table, **sections}.items():
        if not isinstance(content, dict):
            raise ContractError(file=path, field=name, expected="a section [name]", found=printable(repr(content), 80))
        _refuse_unknown(path, name, content)
    thing, probe, scan, detector = sections.values()
    kinds = thing.get("kinds", [Experiment.object])
    if not isinstance(kinds, list) or not 1 <= len(kinds) <= 64:
        raise ContractError(file=path, field="object.kinds", expected="a list of 1 to 64 kinds", found=printable(repr(kinds), 80))
    powers = probe.get("powers", list(Experiment.powers))
    if not isinstance(powers, list):
        raise ContractError(file=path, field="probe.powers", expected="a list of numbers", found=printable(repr(powers), 80))
    N = table.get("N", Experiment.N)
    array = None if "path" not in probe else _array(path, probe["path"])
    made = Experiment(
        **{name: table[name] for name in KEYS[""] if name in table},
        **{"object": kinds[0], "others": tuple(kinds[1:]), "size": thing.get("size", 5 * N if isinstance(N, int) else N)},
        **{"probe": probe.get("kind", Experiment.probe), "powers": tuple(powers), "probe_array": array},
        **{name: scan[name] for name in KEYS["scan"] if name in scan},
        **detector,
        optic=_optic(probe, path),
    )
    check(made, path, PLACES)
    stated = [name for name in ("aperture", "stop", "defocus", "coefficients") if name in probe]
    refuse_without_effect(made.probe, stated, path, "probe.{}")
    return made


def refuse_without_effect(kind: str, given: Collection[str], file: Path | None, field: str) -> None:
    """`ContractError` for the first name in `given` that a probe of this kind has not; `field`: with `{}` for that name."""
    for name in given:
        if name not in OPTICS.get(kind, ()):
            having = " or ".join(one for one, names in OPTICS.items() if name in names)
            raise ContractError(file=file, field=field.format(name), expected=f"a probe that has it ({having})", found=repr(kind))


def _optic(probe: dict[str, Any], path: Path) -> Optic:
    given = {name: probe[name] for name in ("aperture", "stop", "defocus") if name in probe}
    if "coefficients" not in probe:
        return Optic(**given)
    found = probe["coefficients"]
    if not isinstance(found, dict) or not all(name.isdecimal() and len(name) < 4 for name in found):
        expected = "Noll's numbers and rad rms, as { 4 = 1.5, 7 = 0.5 }"
        raise ContractError(file=path, field="probe.coefficients", expected=expected, found=printable(repr(found), 80))
    return Optic(**given, coefficients={int(name): size for name, size in found.items()})


def _refuse_unknown(path: Path, section: str, content: dict[str, Any]) -> None:
    allowed = KEYS[section] if section else (*KEYS[""], *(f"[{name}]" for name in KEYS if name))
    for key in content:
        if key not in KEYS[section]:
            near = difflib.get_close_matches(key, [name.strip("[]") for name in allowed], n=1)
            hint = f"; is {near[0]!r} meant?" if near else ""
            raise ContractError(
                file=path, field=section or "recipe", expected=f"one of {', '.join(allowed)}", found=f"{key[:60]!r}{hint}"
            )


def _array(recipe: Path, name: Any) -> np.ndarray:
    if not isinstance(name, str):
        raise ContractError(file=recipe, field="probe.path", expected="the path of a file", found=printable(repr(name), 80))
    return read_probe(recipe.parent / Path(name).expanduser())


def read_probe(path: Path) -> np.ndarray:
    """complex64 `(N, N)` or `(P, N, N)` of an NPY file, or of an NPZ's `probeGuess` or `probe`; nothing in it is run.

    Raises `FileNotFoundError` and `ContractError`.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path}: probe not found")
    if path.stat().st_size > LARGEST_PROBE:
        raise ContractError(file=path, field="probe", expected=f"at most {LARGEST_PROBE >> 20} MiB", found="more")
    if path.suffix == ".npz":
        with Archive(path) as archive:
            found = archive.array("probeGuess" if "probeGuess" in archive else archive.require("probe"))
    else:
        try:
            found = np.load(path, mmap_mode="r", allow_pickle=False)  # a map is no larger than its file, whatever it announces
        except (ValueError, OSError, EOFError) as error:
            raise ContractError(file=path, field="probe", expected="an array, NPY or NPZ", found=printable(error, 120)) from error
    if not isinstance(found, np.ndarray) or found.dtype.kind != "c":
        raise ContractError(
            file=path, field="probe", expected="a complex array", found=getattr(found, "dtype", type(found)).__str__()
        )
    return np.ascontiguousarray(found, np.complex64)


def canonical(experiment: Experiment) -> dict[str, Any]:
    """Everything that decides what is simulated, as plain values."""
    found = {field.name: getattr(experiment, field.name) for field in fields(Experiment)}
    optic, array = found.pop("optic"), found.pop("probe_array")
    found |= {"others": list(experiment.others), "powers": [float(share) for share in experiment.powers]}
    found |= {name: float(found[name]) for name in ("photons", "beam_stop")}
    if experiment.probe in ("zernike", "zone_plate"):
        rows = {str(j): float(size) for j, size in sorted(optic.coefficients.items())}
        found["aperture"] = float(optic.aperture)
        found |= (
            {"coefficients": rows}
            if experiment.probe == "zernike"
            else {"stop": float(optic.stop), "defocus": float(optic.defocus)}
        )
    if array is not None:
        found["probe_sha256"] = hashlib.sha256(repr(array.shape).encode() + array.tobytes()).hexdigest()
    return found


def digest(experiment: Experiment) -> str:
    """SHA-256 of `canonical`, in hexadecimal."""
    return hashlib.sha256(json.dumps(canonical(experiment), sort_keys=True).encode()).hexdigest()


def text(experiment: Experiment) -> str:
    """The recipe that `load` reads as this experiment, every value stated; a probe from a file lies beside it as `probe.npy`."""
    found, optic = canonical(experiment), experiment.optic
    probe = [f'kind = "{experiment.probe}"', f"powers = {found['powers']}"]
    if experiment.probe_array is not None:
        probe.append(f'path = "{PROBE}"')
    probe += [f"{name} = {found[name]!r}" for name in ("aperture", "stop", "defocus") if name in found]
    if "coefficients" in found:
        probe.append(
            f"coefficients = {{ {', '.join(f'{j} = {float(size)!r}' for j, size in sorted(optic.coefficients.items()))} }}"
        )
    kinds = ", ".join(f'"{kind}"' for kind in (experiment.object, *experiment.others))
    lines = [
        f"# digest {digest(experiment)}",
        *(f"{name} = {found[name]!r}" for name in KEYS[""]),
        *("", "[object]", f"kinds = [{kinds}]", f"size = {experiment.size}"),
        *("", "[probe]", *probe),
        *("", "[scan]", *(f"{name} = {found[name]}" for name in KEYS["scan"])),
        *("", "[detector]", f"beam_stop = {found['beam_stop']!r}"),
    ]
    return "\n".join(lines) + "\n"
