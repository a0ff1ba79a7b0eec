"""Files and sets of files: old or new at whatever line a writer is killed, no litter after the next one, errors with a name."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from reference_impl import atomic, claims
from reference_impl.atomic import atomic_write, refuse_same_file, require_writable, sole_run, whole_set
from reference_impl.errors import ContractError
from reference_impl.tests.killing import contents, in_a_small_space, killed, lines_of, with_a_failing

WHOLE = bool(os.environ.get("PTYCHO_EVERY_KILL"))
"""All kill points and errors; otherwise a sample, drawn with a seed."""
NAMES = ("a.npz", "b.npz", "c.txt")


def write_file(folder: Path, text: str = "new") -> None:
    with atomic_write(folder / "a.npz") as temporary:
        temporary.write_text(text)


def write_set(folder: Path, text: str = "new") -> None:
    with whole_set(folder) as stage:
        for name in NAMES:
            with atomic_write(stage / name) as temporary:
                temporary.write_text(text + name)


def old_folder(root: Path, kind: str) -> Path:
    """A folder to write into: not there yet, with an older result, or with one among other files."""
    folder = root / "out"
    if kind != "absent":
        write_set(folder, "old")
    if kind == "shared":
        (folder / "notes.md").write_text("mine")
        (folder / "logs").mkdir()
        (folder / "logs" / "1.csv").write_text("1")
    return folder


def without_hidden(found: dict[str, bytes]) -> dict[str, bytes]:
    return {name: data for name, data in found.items() if not name.startswith(".")}


@pytest.mark.parametrize("kind", ["absent", "alone", "shared"])
@pytest.mark.parametrize("write", [write_file, write_set], ids=["file", "set"])
def test_a_writer_killed_at_any_line_leaves_old_or_new_and_the_next_one_no_litter(
    tmp_path: Path, write: Callable[[Path], None], kind: str
) -> None:
    write(old_folder(tmp_path / "model", kind))
    new = contents(tmp_path / "model" / "out")
    counted = old_folder(tmp_path / "count", kind)
    count = lines_of(lambda: write(counted), atomic, claims)
    assert count > 40

    for at in sorted(random.Random(count).sample(range(1, count + 1), count if WHOLE else 40)):
        root = tmp_path / str(at)
        folder = old_folder(root, kind)
        old = contents(folder) if folder.exists() else {}

        assert killed(lambda folder=folder: write(folder), at, atomic, claims), f"line {at} was not reached"

        found = without_hidden(contents(folder) if folder.exists() else {})
        mixed = {data[:3] for name, data in found.items() if name in NAMES}
        assert mixed in ({b"old"}, {b"new"}, set()) or write is write_file, f"line {at}: {found}"
        whole = found in (old, new)
        assert whole or (kind == "shared" and write is write_set), f"line {at}: {found}"
        write(folder)
        assert contents(folder) == new, f"line {at}"
        assert os.listdir(root) == ["out"], f"line {at}"


def test_what_a_kill_had_decided_is_completed_by_whoever_writes_next(tmp_path: Path) -> None:
    """Among other files a set is exchanged file by file: a kill in between leaves fewer, the next writer brings them."""
    counted = old_folder(tmp_path / "count", "shared")
    count = lines_of(lambda: write_set(counted), atomic, claims)
    for at in sorted(random.Random(count).sample(range(1, count + 1), count if WHOLE else 40)):
        root = tmp_path / str(at)
        folder = old_folder(root, "shared")
        old = contents(folder)
        assert killed(lambda folder=folder: write_set(folder), at, atomic, claims)
        with atomic_write(folder / "later.txt") as temporary:
            temporary.write_text("later")
        found = {name: data for name, data in contents(folder).items() if name != "later.txt"}
        assert found in (old, {**old, **{name: f"new{name}".encode() for name in NAMES}}), f"line {at}: {found}"


@pytest.mark.parametrize("kind", ["absent", "alone", "shared"])
@pytest.mark.parametrize("write", [write_file, write_set], ids=["file", "set"])
@pytest.mark.parametrize("call", "fsync replace rename open close mkdir unlink rmdir scandir listdir".split())
def test_an_error_of_the_disk_names_the_file_and_leaves_old_or_new(
    tmp_path: Path, call: str, write: Callable[[Path], None], kind: str
) -> None:
    write(old_folder(tmp_path / "model", kind))
    new = contents(tmp_path / "model" / "out")
    for at in range(1, 12 if WHOLE else 5):
        folder = old_folder(tmp_path / str(at), kind)
        old = contents(folder) if folder.exists() else {}

        said = with_a_failing(call, at, lambda folder=folder: write(folder))

        found = contents(folder) if folder.exists() else {}
        assert without_hidden(found) in (old, new), f"{call} {at}: {said}"
        assert not said or str(folder) in said, said
        write(folder)
        assert contents(folder) == new


@pytest.mark.parametrize("limit", [0, 1, 3, 5])
@pytest.mark.parametrize("write", [write_file, write_set], ids=["file", "set"])
def test_a_full_disk_is_named_with_the_file(tmp_path: Path, write: Callable[[Path, str], None], limit: int) -> None:
    folder = old_folder(tmp_path, "alone")
    old = contents(folder)

    said = in_a_small_space(lambda: write(folder, "longer"), limit)

    assert said.startswith("OSError") and str(folder / "a.npz") in said and "partial" not in said
    assert contents(tmp_path) == {f"out/{name}": data for name, data in old.items()}


def test_what_a_living_writer_holds_is_not_litter(tmp_path: Path) -> None:
    with atomic_write(tmp_path / "a.npz") as first:
        write_file(tmp_path, "second")
        write_set(tmp_path / "set")
        first.write_text("first")

    assert (tmp_path / "a.npz").read_text() == "first"


def test_names_of_any_length_can_be_written(tmp_path: Path) -> None:
    path = tmp_path / ("é" * 124 + ".npz")

    with atomic_write(path) as temporary:
        temporary.write_text("x")

    assert path.read_text() == "x" and len(list(tmp_path.iterdir())) == 1


def test_a_folder_in_the_way_of_a_set_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.npz").mkdir()

    with pytest.raises(IsADirectoryError, match="a.npz"):
        write_set(tmp_path)

    assert [path.name for path in tmp_path.iterdir()] == ["a.npz"]


def test_a_set_keeps_the_mode_of_its_folder_and_goes_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir(mode=0o750)
    (tmp_path / "link").symlink_to("real")

    write_set(tmp_path / "link")

    assert sorted(os.listdir(tmp_path / "real")) == sorted(NAMES)
    assert (tmp_path / "real").stat().st_mode & 0o777 == 0o750 and (tmp_path / "link").is_symlink()


def test_a_set_is_written_into_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_set(tmp_path / "out", "old")
    monkeypatch.chdir(tmp_path / "out")

    write_set(Path("."))

    assert (Path.cwd() / "a.npz").read_text() == "newa.npz"
    assert sorted(os.listdir(".")) == sorted(NAMES)


def test_a_second_run_in_a_folder_is_refused_and_a_killed_one_holds_nothing(tmp_path: Path) -> None:
    def hold() -> None:
        with sole_run(tmp_path):
            with sole_run(tmp_path):  # a run may ask again
                os.write(write, b"1")
                os.read(end, 1)

    (read, write), (end, go) = os.pipe(), os.pipe()
    child = os.fork()
    if not child:
        hold()
    os.read(read, 1)
    with pytest.raises(ContractError, match="another run holds"), sole_run(tmp_path):
        pass
    os.kill(child, 9)
    os.waitpid(child, 0)

    with sole_run(tmp_path):
        pass
    assert os.listdir(tmp_path) == []
    os.write(go, b"1")


def test_an_output_that_is_an_input_is_refused_by_whatever_name(tmp_path: Path) -> None:
    source = tmp_path / "a.npz"
    source.write_text("x")
    (tmp_path / "other.npz").symlink_to(source)

    with pytest.raises(ContractError, match="--output: expected another file than --source"):
        refuse_same_file("--output", tmp_path / "other.npz", {"--source": source})
    refuse_same_file("--output", tmp_path / "new.npz", {"--source": source, "--mask": None})


def test_a_writable_folder_is_swept_and_left_empty(tmp_path: Path) -> None:
    (tmp_path / ".wts.h5.zip.partial-abcd1234.zip").write_text("litter")
    (tmp_path / ".mine").write_text("mine")

    require_writable(tmp_path)

    assert os.listdir(tmp_path) == [".mine"]


@pytest.mark.parametrize("kind", ["alone", "shared"])
def test_files_of_the_older_set_go_with_it(tmp_path: Path, kind: str) -> None:
    folder = old_folder(tmp_path, kind)
    others = contents(folder).keys() - set(NAMES)

    with whole_set(folder, also=NAMES) as stage:
        (stage / "a.npz").write_text("new")

    assert contents(folder).keys() == {"a.npz"} | others and (folder / "a.npz").read_text() == "new"
    assert os.listdir(tmp_path) == ["out"]


def test_a_set_is_written_where_folders_have_no_attributes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unsupported(path: Path) -> list[str]:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(os, "listxattr", unsupported)
    write_set(tmp_path / "out", "old")
    write_set(tmp_path / "out")

    assert (tmp_path / "out" / "a.npz").read_text() == "newa.npz"
