"""Every reader of what is stored, and the same calls hidden in files of every kind: nothing of them may run."""

from __future__ import annotations

import bz2
import gzip
import io
import struct
import zipfile
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from conformance.connectors import native
from conformance.connectors.names import NotClaimed, NotEvaluated, NotOffered
from conformance.oracles import bundle as oracle
from conformance.scenes import archives, attacks, entrances, maps, runs, workflows
from conformance.scenes.archives import NAME
from conformance.scenes.damage import HEADER
from conformance.scenes.runs import BASE, settings

YAML = "gridsize: 2\nmodel:\n  N: 128\n"
Write = Callable[[Path, Path], None]
"""Writes a file that holds a call: `(path, canary)`; the call, if it runs, makes the canary."""


@dataclass(frozen=True)
class Reader:
    """Something that opens a file of this name; `honest` makes one that it takes, where that costs no training of its own."""

    name: str
    open: Callable[[Any, Path], Any]
    honest: Callable[[Any, Path], Any]
    own: Callable[[Any], dict[str, Write]]
    """Files of the reader's own format, whole but for one call among their values."""


# -- the same calls in files of every kind ---------------------------------------------------------------------------------------


def _pickled(kind: str, canary: Path) -> bytes:
    return b"\x80\x02" + attacks.calls(canary)[kind] + b"."


def _numpy(pickled: bytes) -> bytes:
    """A zero-dimensional array of objects, as `numpy.save` writes it, of this pickle."""
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(HEADER)) + HEADER + pickled


def _torch(pickled: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archives.state_bytes({}))) as old, zipfile.ZipFile(buffer, "w") as new:
        for name in old.namelist():
            new.writestr(name, pickled if name.endswith("data.pkl") else old.read(name))
    return buffer.getvalue()


_OTHERS: dict[str, Callable[[bytes], bytes]] = {
    "hdf5": lambda content: b"\x89HDF\r\n\x1a\n" + content,
    "matlab": lambda content: b"MATLAB 5.0 MAT-file".ljust(124) + b"\x00\x01IM" + content,
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
}
"""Other formats, by their first bytes: readers that look there hand the rest to somebody else."""


def _header(canary: Path) -> bytes:
    """An array whose header is a call for whoever evaluates it."""
    text = f"{{'descr': '<f8', 'fortran_order': False, 'shape': (__import__('builtins').open({str(canary)!r}, 'w').fileno(),)}}"
    return b"\x93NUMPY\x01\x00" + len(text + "\n").to_bytes(2, "little") + text.encode() + b"\n"


def _texts(canary: Path) -> dict[str, str]:
    """Documents that run where a loader obeys tags, or evaluates what it reads."""
    call = f"__import__('builtins').open({str(canary)!r}, 'w')"
    return {
        "yaml-apply": f"gridsize: !!python/object/apply:builtins.open ['{canary}', 'w']\n",
        "yaml-new": f"gridsize: !!python/object/new:os.system ['touch \"{canary}\"']\n",
        "yaml-flow": f"!!python/object/apply:builtins.eval [\"open('{canary}', 'w')\"]\n",
        "expression": f"{call}\n",
        "assignment": f"N = {call}\n",
        "json-like": f'{{"N": {call}}}\n',
        "toml-like": f'N = 64\ngridsize = "{call}"\n[model]\nN = "=eval({call})"\n',
    }


def _member(path: Path, member: str, data: bytes) -> None:
    """A whole file of data, one member of which is this."""
    entrances.put(path.parent, {name: value for name, value in entrances.whole().items() if name != member})
    (path.parent / entrances.NAME).rename(path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(f"{member}.npy", data)


def calling(path: Path, canary: Path) -> Path:
    """An NPY file of objects that calls."""
    _put(path, _numpy(_pickled("global", canary)))
    return path


def hidden(path: Path, member: str, canary: Path) -> None:
    """One more member of an archive: an array of objects that calls."""
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(f"{member}.npy", _numpy(_pickled("global", canary)))


def everywhere() -> dict[str, Write]:
    """Name → a file with a call in it, whatever reads it."""
    found: dict[str, Write] = {}
    for kind in attacks.ATTACKS:
        found[f"pickle {kind}"] = lambda path, canary, kind=kind: _put(path, _pickled(kind, canary))
        found[f"npy {kind}"] = lambda path, canary, kind=kind: _put(path, _numpy(_pickled(kind, canary)))
        found[f"torch {kind}"] = lambda path, canary, kind=kind: _put(path, _torch(_pickled(kind, canary)))
        found[f"npz {kind}"] = lambda path, canary, kind=kind: _member(path, "_metadata", _numpy(_pickled(kind, canary)))
    for member in ("probeGuess", "diff3d", "scan_index"):
        found[f"npz {member}"] = lambda path, canary, m=member: _member(path, m, _numpy(_pickled("global", canary)))
    for form, wrap in _OTHERS.items():
        found[f"{form} pickle"] = lambda path, canary, wrap=wrap: _put(path, wrap(_pickled("global", canary)))
        found[f"{form} npy"] = lambda path, canary, wrap=wrap: _put(path, wrap(_numpy(_pickled("global", canary))))
    found["npy header"] = lambda path, canary: _put(path, _header(canary))
    found["npz header"] = lambda path, canary: _member(path, "probeGuess", _header(canary))
    for name in _texts(Path("canary")):
        found[name] = lambda path, canary, name=name: _put(path, _texts(canary)[name].encode())
    return found


def _put(path: Path, data: bytes) -> None:
    path.write_bytes(data)


# -- readers ---------------------------------------------------------------------------------------------------------------------


def nothing(backend: Any) -> dict[str, Write]:
    """No files of the reader's own format."""
    return {}


def _in_bundles(backend: Any) -> dict[str, Write]:
    content = archives.entries(archives.good(backend))

    def write(entry: str, kind: str) -> Write:
        return lambda path, canary: _put(
            path, (archives.put(path.parent, attacks.hostile(kind, entry, content, canary)) / NAME).read_bytes()
        )

    return {f"{entry} {kind}": write(entry, kind) for entry in oracle.ENTRIES for kind in ("global", "inst")}


def _in_checkpoints(backend: Any) -> dict[str, Write]:
    honest = runs.last(runs.trained(backend, BASE))
    return {
        f"checkpoint {kind}": lambda path, canary, kind=kind: attacks.hostile_checkpoint(kind, honest, path, canary)
        for kind in attacks.ATTACKS
    }


def _file(backend: Any, folder: Path) -> Path:
    return entrances.put(folder, entrances.whole())


def _settings(backend: Any, folder: Path) -> Path:
    (folder / "settings.yaml").write_text(YAML, encoding="utf-8")
    return folder / "settings.yaml"


def _checkpoint(backend: Any, folder: Path) -> Path:
    return runs.last(runs.trained(backend, BASE))


def _bundle(backend: Any, folder: Path) -> Path:
    return archives.good(backend) / NAME


def _resumed(backend: Any, path: Path) -> Any:
    return runs.fresh(
        backend, replace(BASE, epochs=BASE.epochs + 1, overrides=settings(resume_from=str(path))), path.parent / "run"
    )


def _read(backend: Any, path: Path) -> Any:
    try:
        reader = backend.read_yaml
    except NotClaimed as error:
        raise NotOffered("a reader of settings is a MAY (CONFIG-016), and this backend has none", "read_yaml") from error
    return reader(path)


def _mapped(backend: Any, path: Path) -> Any:
    """A map, first of which the arrays, then everything is what the file holds."""
    sources = [maps.scan(path.parent / "data", 0)]
    dataset = maps.opened(backend, path.parent, sources)
    if path.is_file():
        for pattern in ("*.bin", "*"):
            found = [target for target in (path.parent / "map").rglob(pattern) if target.is_file()]
            for target in found:
                target.write_bytes(path.read_bytes())
            _attempted(backend, replace(MAP, open=lambda backend, path: maps.opened(backend, path.parent, sources)), path)
    return dataset


def _opened(backend: Any, path: Path) -> Any:
    run = runs.trained(backend, BASE)
    return backend.open(path.parent, workflows.inference(backend, run, model_path=path.parent))


READERS = {
    "record": Reader("scan.npz", lambda backend, path: backend.read(path), _file, nothing),
    "header": Reader("scan.npz", lambda backend, path: entrances.answer(backend, "header", path), _file, nothing),
    "factory": Reader("scan.npz", lambda backend, path: entrances.answer(backend, "factory", path), _file, nothing),
    "settings": Reader("settings.yaml", _read, _settings, nothing),
    "bundle": Reader(NAME, lambda backend, path: backend.load(path.parent), _bundle, _in_bundles),
    "dispatcher": Reader(NAME, _opened, _bundle, _in_bundles),
    "checkpoint": Reader("last.ckpt", lambda backend, path: backend.load_checkpoint(path), _checkpoint, _in_checkpoints),
    "resumption": Reader("last.ckpt", _resumed, _checkpoint, _in_checkpoints),
}
"""Everything of the protocol that opens a file."""

MAP = Reader("anything", _mapped, lambda backend, folder: folder / "absent", nothing)
"""The reader of memory maps, which belongs to a profile of its own."""


def honest(backend: Any, reader: Reader, folder: Path) -> Any:
    """What a reader makes of a file that holds nothing but what it should."""
    return reader.open(backend, reader.honest(backend, folder))


def tried(backend: Any, reader: Reader, folder: Path, forms: Collection[str] = ()) -> dict[str, bool]:
    """Name of a file → did something that it holds run when the reader opened it? The answer to the file itself is free.

    `forms`: those of `everywhere` that are tried beside the reader's own; all without them.
    """
    return dict(_tried(backend, reader, folder, forms))


def _tried(backend: Any, reader: Reader, folder: Path, forms: Collection[str]) -> Iterator[tuple[str, bool]]:
    every = {name: write for name, write in everywhere().items() if not forms or name in forms}
    for number, (name, write) in enumerate({**every, **reader.own(backend)}.items()):
        place = folder / f"case{number}"
        place.mkdir()
        write(place / reader.name, place / "canary")
        _attempted(backend, reader, place / reader.name)
        yield name, (place / "canary").exists() or (place / "'canary'").exists()


def _attempted(backend: Any, reader: Reader, path: Path) -> None:
    try:
        reader.open(backend, path)
    except (NotClaimed, NotEvaluated):
        raise
    except Exception:
        return  # refused: any error will do, for the clauses of each reader say which


# -- two of a kind ---------------------------------------------------------------------------------------------------------------


def _two_texts(backend: Any, folder: Path) -> tuple[bytes, bytes]:
    return YAML.encode(), YAML.replace("gridsize: 2", "gridsize: 3").encode()


def _two_bundles(backend: Any, folder: Path) -> tuple[bytes, bytes]:
    """A bundle, and one of the same network whose weights have the other sign."""
    content = archives.entries(archives.good(backend))
    turned = content
    for model in ("autoencoder", archives.MODEL):
        turned = archives.with_state(turned, model, archives.signs_turned)
    written = [(archives.put(folder / name, given) / NAME).read_bytes() for name, given in (("a", content), ("b", turned))]
    return written[0], written[1]


def _two_checkpoints(backend: Any, folder: Path) -> tuple[bytes, bytes]:
    one, other = (runs.last(runs.trained(backend, replace(BASE, epochs=2 + more))) for more in (0, 1))
    return one.read_bytes(), other.read_bytes()


PAIRS = {"settings": _two_texts, "bundle": _two_bundles, "checkpoint": _two_checkpoints}
"""Reader → two files that it takes and that differ in what they hold."""


def pair(backend: Any, reader: str, folder: Path) -> tuple[Path, Path]:
    """The two files, each under the name that the reader expects, in folders of their own."""
    made = []
    for name, data in zip(("one", "other"), PAIRS[reader](backend, folder), strict=True):
        (folder / name).mkdir()
        made.append(folder / name / READERS[reader].name)
        made[-1].write_bytes(data)
    return made[0], made[1]


def told(backend: Any, reader: str, path: Path) -> Any:
    """What a reader makes of a file, as plain values that can be compared."""
    found = READERS[reader].open(backend, path)
    if reader == "settings":
        return dict(found)
    module, parameters = (found[0][archives.MODEL], dict(found[1])) if reader == "bundle" else (found, {})
    weights = {name: array.tobytes() for name, array in runs.weights(backend, module).items()}
    container = native.item(runs.trained(backend, BASE).results, "train_container")
    return [parameters, weights, runs.prediction(backend, module, container).tobytes()]
