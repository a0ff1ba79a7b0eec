"""Bundles that a stranger could send: damaged, incomplete, with entries that leave the folder, with pickles that call."""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conformance.connectors.names import NotEvaluated
from conformance.oracles import bundle as oracle
from conformance.scenes import configs
from conformance.scenes.archives import NAME, SMALL, Entries, imported, put, sealed, state_bytes, text_of


@dataclass(frozen=True)
class Damage:
    """One way to spoil a bundle; `named` must stand in the refusal beside the archive's name."""

    name: str
    spoil: Callable[[Path, Entries], Any]
    named: str | tuple[str, ...] = ""

    def __str__(self) -> str:
        return self.name


def _bytes(change: Callable[[bytes], bytes]) -> Callable[[Path, Entries], None]:
    def spoil(folder: Path, content: Entries) -> None:
        put(folder, content, level=SMALL)
        (folder / NAME).write_bytes(change((folder / NAME).read_bytes()))

    return spoil


def _entry(name: str, data: bytes | None) -> Callable[[Path, Entries], Path]:
    def spoil(folder: Path, content: Entries) -> Path:
        left = {key: value for key, value in content.items() if key != name}
        return put(folder, left if data is None else {**left, name: data})

    return spoil


def _further(name: str) -> Callable[[Path, Entries], Path]:
    return lambda folder, content: put(folder, content, (name, content.get(name, b"out")))


def _flipped(data: bytes) -> bytes:
    place = data.index(b"diffraction_to_obj/model.pth") + 5000
    return data[:place] + bytes([data[place] ^ 0x55]) + data[place + 1 :]


DAMAGES = [
    Damage("empty", _bytes(lambda data: b"")),
    Damage("no-zip", _bytes(lambda data: b"weights, honestly\n" * 500)),
    Damage("cut-in-half", _bytes(lambda data: data[: len(data) // 2])),
    Damage("cut-at-the-end", _bytes(lambda data: data[:-10])),
    Damage("one-byte-changed", _bytes(_flipped), "diffraction_to_obj/model.pth"),
    *[Damage(f"without-{name.replace('/', '-')}", _entry(name, None), name) for name in oracle.ENTRIES],
    Damage("further-entry", _further("notes.txt"), "notes.txt"),
    Damage("entry-twice", _further("manifest.dill"), "manifest.dill"),
    Damage("parent-folder", _further("../escaped.txt"), "escaped.txt"),
    Damage("inner-parent", _further("autoencoder/../../escaped.txt"), "escaped.txt"),
    Damage("absolute", lambda folder, content: put(folder, content, (f"{folder.parent}/escaped.txt", b"out")), "escaped.txt"),
    Damage("manifest-no-pickle", _entry("manifest.dill", b"\x00\xff not a pickle"), "manifest.dill"),
    Damage("manifest-a-list", _entry("manifest.dill", pickle.dumps(["models"])), "manifest.dill"),
    Damage(
        "manifest-without-models", lambda folder, content: put(folder, sealed(content, models=None)), ("models", "manifest.dill")
    ),
    Damage(
        "manifest-without-version",
        lambda folder, content: put(folder, sealed(content, version=None)),
        ("version", "manifest.dill"),
    ),
]


def half_registered(backend: Any) -> None:
    """Another experiment is in the registry, every other entry of it."""
    backend.synchronise(configs.training(backend))
    for key in [*backend.registry()][::2]:
        del backend.registry()[key]


def calls(canary: Path) -> dict[str, bytes]:
    """Opcodes that leave one value on the stack and, if they are obeyed, the canary on the disk."""
    code = f"open({str(canary)!r}, 'w').close()"
    line = repr(code).encode()
    return {
        "global": imported("builtins", "exec") + b"(" + text_of(code) + b"tR",
        "system": imported("posix", "system") + b"(" + text_of(f"touch '{canary}'") + b"tR",
        "stack-global": text_of("builtins") + text_of("eval") + b"\x93(" + text_of(f"open({str(canary)!r}, 'w')") + b"tR",
        "inst": b"(S" + line + b"\nibuiltins\nexec\n",
        "obj": b"(" + imported("builtins", "exec") + b"S" + line + b"\no",
        "partial": imported("functools", "partial") + b"(" + imported("builtins", "exec") + text_of(code) + b"tR)R",
        "dill": imported("dill._dill", "_load_type") + b"(" + text_of("CodeType") + b"tR",
        "import-alone": imported("subprocess", "Popen"),
        "persistent": b"Pcanary\n",
    }


ATTACKS = tuple(calls(Path("canary")))


def hostile(kind: str, entry: str, content: Mapping[str, bytes], canary: Path) -> Entries:
    """The entries with a call hidden among the values that one of them should hold, sealed; `params.dill` stands for both."""
    call = calls(canary)[kind]
    if entry.endswith("model.pth"):
        return sealed({**content, entry: state_bytes(oracle.state(content[entry]), call)})
    named = [name for name in content if name.endswith(entry)]
    honest = pickle.dumps(oracle.plain(content[named[0]]), protocol=2)
    changed = {**content, **dict.fromkeys(named, honest[:-1] + text_of("extra") + call + b"s.")}
    return changed if entry == "manifest.dill" else sealed(changed)


def _torchs(checkpoint: Path) -> zipfile.ZipFile:
    """A checkpoint in PyTorch's zip format; `NotEvaluated` for one of another form, of which nothing is said."""
    if not zipfile.is_zipfile(checkpoint):
        raise NotEvaluated(f"{checkpoint.name} is not in PyTorch's zip format")
    return zipfile.ZipFile(checkpoint)


def lacking_checkpoint(part: str, honest: Path, target: Path) -> None:
    """A copy of a checkpoint in PyTorch's zip format in which a part has another name; everything else as it was."""
    with _torchs(honest) as archive, zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as copy:
        for info in archive.infolist():
            data = archive.read(info)
            if info.filename.endswith("data.pkl"):
                if text_of(part) not in data:
                    raise NotEvaluated(f"the checkpoint has no {part!r}")
                data = data.replace(text_of(part), text_of(part[:-1] + "_"))
            copy.writestr(info.filename, data)


def hostile_checkpoint(kind: str, honest: Path, target: Path, canary: Path) -> None:
    """A copy of a checkpoint in PyTorch's zip format with a call among its values; everything else as it was."""
    with _torchs(honest) as archive, zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as copy:
        for info in archive.infolist():
            data = archive.read(info)
            if info.filename.endswith("data.pkl"):
                data = data[:-1] + text_of("extra") + calls(canary)[kind] + b"s."
            copy.writestr(info.filename, data)
