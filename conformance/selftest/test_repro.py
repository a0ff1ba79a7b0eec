"""Scripts that repeat a red without the harness: red on the backend, green once it is mended, honest where they cannot be."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conformance.connectors import process
from conformance.evidence import report as reports
from conformance.evidence import summary
from conformance.pages.cards import cards
from conformance.selftest.house import House, build, check, clause

BACKEND = '''
import os

import numpy as np

RIGHT = os.environ.get("MENDED") == "1"


class Backend:
    """Wrong in everything, until it is mended; knows nothing of the harness but the form of its own description."""

    def __init__(self, device="cpu"):
        self.live = {"N": 64}

    def info(self):
        from conformance.protocol import BackendInfo

        return BackendInfo(name="mine", version="0")

    def registry(self):
        return self.live

    def defaults(self):
        return {"N": 64}

    def synchronise(self, config, registry=None):
        self.live["N"] = config["N"] if RIGHT else 64

    def translate(self, images, offsets):
        return images if RIGHT else images + 1

    def diffract(self, field, probe):
        if not RIGHT:
            raise TypeError("a probe of five axes was expected")
        return field

    def extract(self, canvas, offsets, N):
        raise ValueError("N must be positive" if RIGHT else "no")

    def normalise_probe(self, probe, probe_scale):
        odd = not probe.flags.writeable or not probe.flags.c_contiguous
        return (probe if RIGHT or not odd else probe * 2), 1.0

    def read(self, path, **options):
        found = dict(np.load(path))
        return found if RIGHT else {name: value.T for name, value in found.items()}

    def padded_size(self, N, gridsize, max_neighbor_distance):
        return N if RIGHT or N < 3 else N + 1

    def weights(self, module):
        return {"kernel": 0} if RIGHT else {"kernel": 0, "bias": 0}

    def physics_scale(self, images, nphotons):
        self.asked = getattr(self, "asked", 0) + 1
        return 1.0 if RIGHT or self.asked > 1 else 2.0

    def merge_for_inference(self, patches, offsets, crop_size=None, padded_size=None):
        patches[...] = patches if RIGHT else 0
        return patches

    def merge(self, patches, offsets, M):
        if not RIGHT:
            os._exit(0)
        return patches
'''
ABOVE = """
import sys

from hypothesis import strategies as st

from conformance.connectors import native, process
from conformance.scenes.strategies import every
"""
EVERY = "@every(n=st.integers(1, 9))"
FORMS = '@pytest.mark.parametrize("images", [np.arange(192.0).reshape(2, 96)[:, ::2]], ids=["strided"])'
ALONE = (
    check("values", 'images = np.ones((8, 6, 6))\nobserve.close("images", backend.translate(images, X), images * 1)'),
    check("crash", 'observe.close("images", backend.diffract(X, X), X)'),
    check("refusal", 'with observe.raises("refusal", ValueError, "positive"):\n    backend.extract(X, X, 0)'),
    check("own_answer", 'once = backend.translate(X, X)\nobserve.close("twice", backend.translate(once, X), native.array(once))'),
    check("file", 'np.savez(tmp_path / "a.npz", X=X)\nobserve.equal("X", backend.read(tmp_path / "a.npz")["X"], X)',
          arguments="backend, observe, tmp_path"),
    check("locked", 'probe = np.array(X)\nprobe.flags.writeable = False\n'
          'observe.equal("probe", backend.normalise_probe(probe, 1.0)[0], X)'),
    check("strided", 'observe.equal("probe", backend.normalise_probe(images, 1.0)[0], np.array(images))', above=FORMS,
          arguments="backend, observe, images"),
    check("state", 'backend.synchronise({"N": 9})\nobserve.equal("N", backend.registry()["N"], 9)'),
    check("drawn", 'observe.equal("size", backend.padded_size(n, 1, 0.0), n)', above=EVERY, arguments="backend, observe, n"),
    check("form", 'observe.equal("side", backend.weights(X)["kernel"], 0)\n'
          'observe.equal("keys", list(backend.weights(X)), ["kernel"])'),
    check("other_truth", 'images = np.ones((4, 6, 6))\nsums = native.array(backend.translate(images, X)).sum(axis=(1, 2))\n'
          'observe.close("sums", sums, np.full(4, 36.0))'),
    check("filled", 'seen = np.zeros((3, 4), np.float32)\nnp.copyto(seen, native.array(backend.translate(X, X)))\n'
          'observe.close("images", np.abs(seen), X)'),
    check("kept", 'given, before = np.array(X), np.array(X)\nfound = backend.merge_for_inference(given, X)\n'
          'observe.equal("given", np.array(given), before)'),
    check("agreed", 'observe.contract("names", native.keys(backend.weights(X)))'),
)  # fmt: skip
BY_THE_SUITE = (
    check("command", 'count = int(native.array(backend.translate(X, X))[0, 0])\n'
          'done = process.run([sys.executable, "-c", f"raise SystemExit({count})"], timeout=60)\n'
          'observe.equal("code", done.returncode, 0)'),
    check("own_fault", 'backend.translate(X, X)\nobserve.equal("n", len(X), 4)'),
    check("once", 'observe.equal("scale", backend.physics_scale(X, 1.0), 1.0)'),
    check("dies", 'observe.close("images", backend.merge(X, X, 1), X)'),
)  # fmt: skip
ALL = [body.split("def test_")[1].split("(")[0] for body in (*ALONE, *BY_THE_SUITE)]
NAMES = ALL[: len(ALONE)]
GREEN = check("sound", 'observe.equal("size", backend.padded_size(1, 1, 0.0), 1)')
# Scripts in an interpreter in which the harness and its libraries cannot be imported: name → exit code and what it said.
BARE = """
import contextlib, io, json, runpy, sys
sys.modules.update(dict.fromkeys(("conformance", "pytest", "hypothesis", "scipy", "torch")))
told = {}
for script in sys.argv[1:]:
    sys.argv = [script]
    with contextlib.redirect_stdout(io.StringIO()) as said:
        try:
            runpy.run_path(script, run_name="__main__")
        except SystemExit as ended:
            told[script] = (ended.code, said.getvalue())
print(json.dumps(told))
"""


def examine(house: House, *arguments: str) -> process.Completed:
    argv = [sys.executable, "-m", "conformance", "--specs", str(house.specs), "--suite", str(house.suite), "run"]
    argv += ["--backend", "mine:Backend", "--output", str(house.root / "reports"), *arguments]
    return process.run(argv, cwd=house.root, env={"CONFORM_DRAFT": None, "CI": None}, timeout=120)


def home(root: Path, *checks: str) -> House:
    house = build(root).chapter("physics", clause("PHYS-001~1", fence='tolerance = "exact"'))
    (root / "mine.py").write_text(BACKEND)
    return house.tests("physics", ABOVE, *checks).lock()


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[House, Path, process.Completed]:
    house = home(tmp_path_factory.mktemp("repro"), *ALONE, *BY_THE_SUITE, GREEN)
    snapshot = house.suite / "__snapshots__" / "test_physics" / "test_agreed[names].json"
    snapshot.parent.mkdir(parents=True)
    snapshot.write_text('[\n  "kernel"\n]\n')
    done = examine(house, "--workers", "1")
    return house, house.folder(), done


def told(house: House) -> dict[str, Any]:
    return {line["check"].split(":")[1].split("[")[0].split("@")[0]: line for line in house.lines() if line["kind"] == "result"}


def spoken(house: House, folder: Path, mended: bool) -> dict[str, tuple[int, str]]:
    """How each script that stands alone ends."""
    scripts = {str(folder / line["repro"]["script"]): name for name, line in told(house).items() if name in NAMES}
    env = {"MENDED": "1" if mended else "0", "PATH": ""}
    argv = [sys.executable, "-c", BARE, *scripts]
    done = subprocess.run(argv, cwd=house.root, env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return {scripts[script]: tuple(ended) for script, ended in json.loads(done.stdout).items()}


@pytest.fixture(scope="module")
def red(ran: tuple[House, Path, process.Completed]) -> dict[str, tuple[int, str]]:
    return spoken(ran[0], ran[1], mended=False)


@pytest.fixture(scope="module")
def green(ran: tuple[House, Path, process.Completed]) -> dict[str, tuple[int, str]]:
    return spoken(ran[0], ran[1], mended=True)


def test_every_red_has_its_script_and_a_green_has_none(ran: tuple[House, Path, process.Completed]) -> None:
    house, folder, done = ran
    found = {name: line["repro"]["alone"] for name, line in told(house).items() if "repro" in line}
    expected = dict.fromkeys(ALL, True) | dict.fromkeys(ALL[len(ALONE) :], False)
    assert found == expected, (done.output, {n: line.get("repro") for n, line in told(house).items()})
    assert len(list(folder.glob("repro/*.py"))) == len(ALL)
    assert told(house)["command"]["repro"]["reason"] == "it starts a process"
    assert told(house)["own_fault"]["repro"]["reason"] == "the backend has no part in what was refuted"
    assert told(house)["once"]["repro"]["reason"] == "alone it does not become red for the same reason"
    assert told(house)["dies"]["repro"]["reason"] == "the process died with it"


@pytest.mark.parametrize("name", NAMES)
def test_alone_it_is_red_in_one_line_and_green_once_mended(
    red: dict[str, tuple[int, str]], green: dict[str, tuple[int, str]], name: str
) -> None:
    code, said = red[name]
    assert code == 1 and said.startswith(f"RED PHYS-001:{name}") and said.count("\n") == 1
    assert all(word in said for word in ("expected ", ", found ", ", bound "))
    assert green[name][0] == 0 and green[name][1].startswith(f"GREEN PHYS-001:{name}"), green[name]


def test_the_line_says_what_the_report_says(red: dict[str, tuple[int, str]]) -> None:
    assert "expected ValueError whose message contains 'positive', found ValueError: no, bound exact" in red["refusal"][1]
    assert "found TypeError: a probe of five axes was expected, bound exact" in red["crash"][1]
    assert "observation `size`: expected 3, found 4" in red["drawn"][1], "the smallest n that refutes"


def test_its_own_process_ends_with_the_code(ran: tuple[House, Path, process.Completed]) -> None:
    house, folder, _ = ran
    script = str(folder / told(house)["values"]["repro"]["script"])
    for mended, code in (("0", 1), ("1", 0)):
        done = process.run([sys.executable, script], cwd=house.root, env={"MENDED": mended}, timeout=60)
        assert done.returncode == code, done.output


def test_the_archive_is_small_shrunk_and_plain(ran: tuple[House, Path, process.Completed]) -> None:
    archives = list(ran[1].glob("repro/*.npz"))
    assert archives and all(path.stat().st_size < 50_000 for path in archives)
    values = np.load(next(path for path in archives if "values" in path.name), allow_pickle=False)
    assert [values[name].size for name in values.files] == [1] * len(values.files), "one sample of one pixel is as red as eight"


def test_the_suite_stands_in_and_says_so(ran: tuple[House, Path, process.Completed]) -> None:
    text = (ran[1] / told(ran[0])["command"]["repro"]["script"]).read_text()
    assert "This red cannot be repeated without the suite: it starts a process." in text
    assert "'-k', 'PHYS-001:command@cpu'" in text
    compile(text, "command", "exec")


def test_reports_and_pages_name_the_script(ran: tuple[House, Path, process.Completed]) -> None:
    house, folder, done = ran
    report = reports.read((folder / "report.jsonl").read_text())
    line = f"scripts in repro/: {len(ALONE)} reproducible alone, 4 by the suite only"
    assert summary.scripts(report) == line and f"- {line}\n" in (folder / "summary.md").read_text()
    assert line in done.stdout
    place = told(house)["values"]["repro"]["script"]
    assert f"script: `{place}`" in (folder / "summary.md").read_text()
    assert ("script", place) in next(case for card in cards(report) for case in card.whole if "values" in case.check).rows
    checked = process.run(
        [sys.executable, "-m", "conformance", "--specs", str(house.specs), "report", str(folder), "--validate"], timeout=60
    )
    assert checked.returncode == 0, checked.output


def test_a_backend_that_cannot_be_asked_is_neither(ran: tuple[House, Path, process.Completed]) -> None:
    house, folder, _ = ran
    script = str(folder / told(house)["values"]["repro"]["script"])
    done = subprocess.run([sys.executable, script, "nowhere:Backend"], cwd=house.root, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and done.stdout.startswith("UNASKED PHYS-001:values@cpu: the backend cannot be made")


def test_no_more_than_fifty_and_none_where_none_is_wanted(tmp_path: Path) -> None:
    above = '@pytest.mark.parametrize("n", range(53))'
    house = home(
        tmp_path,
        check(
            "many", 'observe.equal("n", backend.padded_size(n + 3, 1, 0.0), n + 3)', above=above, arguments="backend, observe, n"
        ),
    )
    done = examine(house, "--workers", "2")
    assert len(list(house.folder().glob("repro/*.py"))) == 50
    assert "scripts in repro/: 50 reproducible alone, 0 by the suite only, 3 failures without a script" in done.stdout
    assert examine(house, "--workers", "0", "--no-repro", "-k", "many[1]").returncode == 1
    assert not (house.folder() / "repro").exists() and "scripts in" not in (house.folder() / "summary.md").read_text()


def test_machines_are_told_too(tmp_path: Path) -> None:
    house = home(tmp_path, check("values", 'observe.equal("size", backend.padded_size(9, 1, 0.0), 9)'))
    (red,) = json.loads(examine(house, "--workers", "0", "--json").stdout)["reds"]
    assert red["repro"] == {"script": "repro/PHYS-001-values@cpu.py", "alone": True}
