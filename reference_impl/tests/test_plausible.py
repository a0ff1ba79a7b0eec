"""The table of plausibility: for each row a file that is right and one that is wrong; masks; pairs; what the commands say."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reference_impl.cli.main import main
from reference_impl.data import RawData, load_data
from reference_impl.data.plausible import NAMES, TABLE, judge
from reference_impl.data.report import report
from reference_impl.errors import ContractError
from reference_impl.simulation import exposures, objects, probes, scans

N, COUNT = 16, 40
GOOD = np.ones((N, N), bool)
GOOD[5:7], GOOD[13, 2] = False, False


def scene(count: int = COUNT, seed: int = 3, kind: str = "lines", side: int = 80) -> dict[str, Any]:
    """The arrays of a contract file: what a detector would see, photon noise included."""
    draw = np.random.default_rng(seed)
    truth = objects.KINDS[kind](side, draw)
    probe = probes.curved_disk(N, draw)
    made = exposures.expose(truth, probe, scans.jittered_grid(count, scans.inner_bounds(side, side, N), draw), 2e4, draw)
    return {name: value for name, value in made.items() if not name.startswith("_")}


SCENE = scene()
Change = Callable[[dict[str, Any]], dict[str, Any]]


def stack(change: Callable[[np.ndarray], Any]) -> Change:
    """The patterns changed in place."""

    def changed(given: dict[str, Any]) -> dict[str, Any]:
        patterns = given["diff3d"].copy()
        found = change(patterns)
        return {"diff3d": patterns if found is None else found}

    return changed


def put(*places: tuple[Any, Any]) -> Change:
    def change(patterns: np.ndarray) -> None:
        for place, value in places:
            patterns[place] = value

    return stack(change)


def scaled(factor: float) -> Change:
    return lambda given: {name: given[name] * factor for name in ("xcoords", "ycoords", "xcoords_start", "ycoords_start")}


def moved(index: int, x: float) -> Change:
    return lambda given: {"xcoords": np.where(np.arange(COUNT) == index, x, given["xcoords"])}


def repeated(given: dict[str, Any]) -> dict[str, Any]:
    twice = np.arange(COUNT) // 2 * 2
    return {name: given[name][twice] for name in ("xcoords", "ycoords")}


WRONG: dict[str, tuple[Change, dict[str, Any]]] = {
    "layout": (lambda given: {**given, **cube(given)}, {}),
    "largest-integer": (put(((3, 5, 7), np.sqrt(65535.0))), {}),
    "saturated": (stack(lambda patterns: np.minimum(patterns, 0.6 * patterns.max())), {}),
    "hot-pixel": (put(((3, 5, 7), 1e9)), {}),
    "bright-patterns": (stack(lambda patterns: patterns * np.where(np.arange(COUNT) == 7, 30, 1)[:, None, None]), {}),
    "dead-patterns": (put((11, 0), (12, 0)), {}),
    "repeated-patterns": (stack(lambda patterns: patterns[np.r_[0, 0:39]]), {}),
    "whole-numbers": (stack(lambda patterns: np.rint(patterns**2)), {}),
    "broken-counts": (stack(lambda patterns: np.sqrt(patterns)), {"measurement": "counts"}),
    "zero-frequency": (stack(lambda patterns: np.fft.ifftshift(patterns, axes=(1, 2))), {}),
    "positions-equal": (scaled(0), {}),
    "positions-unit": (scaled(5e-8), {}),
    "position-outlier": (moved(17, 1e6), {}),
    "canvas": (scaled(1e5), {}),
    "empty-field": (scaled(40), {}),
    "duplicates": (repeated, {}),
    "steps": (scaled(1.5), {}),
    "probe-power": (lambda given: {"probeGuess": given["probeGuess"] * 1e-3}, {}),
    "mask-share": (lambda given: {"mask": ~GOOD}, {}),
}


def cube(given: dict[str, Any]) -> dict[str, Any]:
    """As many patterns as rows, exposures last."""
    rows = {name: given[name][:N] for name in ("xcoords", "ycoords", "xcoords_start", "ycoords_start", "scan_index")}
    return {**rows, "diff3d": np.moveaxis(given["diff3d"][:N], 0, 2)}


def found(arrays: dict[str, Any], **options: Any) -> dict[str, str]:
    """Row → what it found."""
    verdicts = judge(RawData(**arrays), crop=options.pop("crop", 12), **options)
    return {verdict.row.name: verdict.found for verdict in verdicts if verdict.found is not None}


def test_every_row_has_a_wrong_file_and_a_source() -> None:
    assert tuple(WRONG) == NAMES and len(set(NAMES)) == len(NAMES)
    assert all(row.source and row.advice and row.severity in ("error", "warning", "note") for row in TABLE)


@pytest.mark.parametrize("name", NAMES)
def test_a_row_finds_its_fault_and_only_there(name: str) -> None:
    change, options = WRONG[name]
    wrong = {**SCENE, **change(SCENE)}

    assert name in found(wrong, **options) and name not in found(SCENE)


@pytest.mark.parametrize("kind", ["lines", "dead_leaves", "grf"])
@pytest.mark.parametrize("seed", [1, 2])
def test_right_files_are_free_of_findings(kind: str, seed: int) -> None:
    assert found(scene(64, seed, kind)) == {}
    assert found({**scene(16, seed, kind, 48), "mask": GOOD}) == {}  # a cube, the right way round


def test_counts_that_are_said_to_be_counts_are_right(tmp_path: Path) -> None:
    np.savez(tmp_path / "counts.npz", **{**SCENE, "diff3d": np.rint(SCENE["diff3d"] ** 2)})
    record = load_data(tmp_path / "counts.npz", measurement="counts")

    assert not [v for v in judge(record, measurement="counts", crop=12) if v.found]


def test_what_is_found_is_said_with_figures() -> None:
    said = {name: found({**SCENE, **change(SCENE)}, **options)[name] for name, (change, options) in WRONG.items()}

    assert "pattern 3 is at row 5, column 7" in said["hot-pixel"] and "1 pixel in 1 pattern" in said["largest-integer"]
    assert "over 40 exposures; likely unit: metres" in said["positions-unit"] and "number 17" in said["position-outlier"]
    assert "nanometres" not in said["steps"] and "nanometres" in found({**SCENE, **scaled(51.7)(SCENE)})["steps"]
    assert "2 of 40 patterns" in said["dead-patterns"] and "GiB" in said["canvas"]


def test_a_pixel_that_is_hot_in_every_pattern_is_found_off_the_beam_alone() -> None:
    everywhere, beam = (found({**SCENE, **put(((slice(None), *at), 500))(SCENE)}) for at in ((5, 7), (N // 2, N // 2)))

    assert f"in {COUNT} of {COUNT} patterns" in everywhere["hot-pixel"] and "hot-pixel" not in beam


def test_an_error_stops_until_it_is_accepted() -> None:
    record = RawData(**{**SCENE, **scaled(5e-8)(SCENE)}, file="scan.npz")

    with pytest.raises(ContractError, match="scan.npz: xcoords: .*metres.*--accept positions-unit"):
        report(record, judge(record, crop=20), measurement="amplitude").refuse()

    accepted = report(record, judge(record, ["positions-unit"], crop=20), measurement="amplitude")
    accepted.refuse()
    assert [one["state"] for one in accepted.plain()["checked"] if one["name"] == "positions-unit"] == ["accepted"]


def test_one_hot_pixel_does_not_pass_for_a_corner() -> None:
    said = found({**SCENE, **put(((3, 0, 0), 1e9))(SCENE)})

    assert "hot-pixel" in said and "zero-frequency" not in said


@pytest.mark.parametrize(("by_hand", "because"), [(None, "nobody says"), (5e4, "--nphotons")])
def test_the_photons_come_from_where_the_report_says(by_hand: float | None, because: str) -> None:
    made = report(RawData(**SCENE), (), measurement="amplitude", nphotons=by_hand)

    assert because in made.assumed["photons"][1] and f"{by_hand or 1e9:.4g}" in made.assumed["photons"][0]


def test_an_unknown_name_cannot_be_accepted() -> None:
    with pytest.raises(ContractError, match="--accept: expected one of layout, .*found positions"):
        judge(RawData(**SCENE), ["positions"], crop=20)


def written(folder: Path, **changes: Any) -> Path:
    np.savez(folder / "scan.npz", **{**SCENE, **changes})
    return folder / "scan.npz"


OF_64 = {"diff3d": np.pad(SCENE["diff3d"], ((0, 0), (24, 24), (24, 24))), "probeGuess": np.pad(SCENE["probeGuess"], 24)}
"""The scene on a side that `train` takes: dark pixels around it."""


def test_inspect_prints_the_table_and_draws(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path, **OF_64)

    code = main(["inspect", str(path), "--stitch-crop-size", "12", "--output", str(tmp_path / "seen.png")])

    said = capsys.readouterr().out
    assert code == 0 and all(name in said for name in NAMES) and "taken for granted" in said and "object pixels" in said
    assert (tmp_path / "seen.png").read_bytes().startswith(b"\x89PNG")


def test_inspect_refuses_what_train_refuses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path, **OF_64, **scaled(5e-8)(SCENE))
    picture = ["--output", str(tmp_path / "seen.png")]

    assert main(["inspect", str(path), *picture]) == 1
    assert "--accept positions-unit" in capsys.readouterr().err and (tmp_path / "seen.png").is_file()
    assert main(["inspect", str(path), *picture, "--accept", "positions-unit"]) == 0
    assert main(["inspect", str(path), *picture, "--position-scale", "2e7"]) == 0


@pytest.mark.parametrize("command", ["train", "infer"])
def test_the_commands_judge_before_they_work(command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from reference_impl.cli import judging
    from reference_impl.cli.main import COMMANDS, build_parser
    from reference_impl.cli.progress import Reporter

    path = written(tmp_path, **WRONG["hot-pixel"][0](SCENE))
    needed = {"train": ["--train-data-file", str(path)], "infer": ["--test-data", str(path), "--model-path", str(tmp_path)]}
    args = build_parser().parse_args([command, *needed[command], "--output-dir", str(tmp_path)])

    assert "judged(args" in Path(COMMANDS[command].__file__).read_text(encoding="utf-8")
    with pytest.raises(ContractError, match="hot-pixel"), pytest.warns(UserWarning, match="bright-patterns"):
        judging.judged(args, judging.read_record(args, path), Reporter(quiet=False))
    assert "taken for granted" in capsys.readouterr().out


@pytest.mark.parametrize("mark", [np.nan, -1.0, np.inf])
def test_bad_pixels_are_counted_and_a_mask_is_offered(mark: float, tmp_path: Path) -> None:
    path = written(tmp_path, diff3d=np.where(GOOD, SCENE["diff3d"], np.float32(mark)))

    with pytest.raises(ContractError, match=f"at {(~GOOD).sum()} of {N * N} pixels in {COUNT} of {COUNT} patterns.*--mask"):
        load_data(path)
    np.save(tmp_path / "good.npy", GOOD)
    record = load_data(path, mask=tmp_path / "good.npy")
    np.testing.assert_array_equal(record.diff3d, np.where(GOOD, SCENE["diff3d"], 0))


@pytest.mark.parametrize("suffix", [".npy", ".npz"])
def test_a_mask_may_be_an_array_or_an_archive(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"good{suffix}"
    np.save(path, GOOD.astype(np.uint8)) if suffix == ".npy" else np.savez(path, mask=GOOD)

    record = load_data(written(tmp_path), mask=path)

    np.testing.assert_array_equal(record.mask, GOOD)


@pytest.mark.parametrize("content", [b"", b"\x93NUMPY\x01\x00v\x00{'descr'", b"PK\x03\x04", b"text"])
def test_a_broken_mask_is_one_line(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "good.npy").write_bytes(content)

    with pytest.raises(ContractError, match="good.npy"):
        load_data(written(tmp_path), mask=tmp_path / "good.npy")


def test_two_masks_hide_what_either_hides_in_a_subsample_too(tmp_path: Path) -> None:
    other = np.ones((N, N), bool)
    other[0] = False

    record = load_data(written(tmp_path, mask=GOOD), mask=other, n_subsample=5, subsample_seed=1)

    np.testing.assert_array_equal(record.mask, GOOD & other)


def test_scan_indices_are_whole_numbers(tmp_path: Path) -> None:
    index = np.zeros(COUNT)
    index[4] = np.nan

    with pytest.raises(ContractError, match="scan.npz: scan_index: expected whole numbers, found 1 NaN of 40"):
        load_data(written(tmp_path, scan_index=index))


def test_an_object_in_another_order_of_memory_gives_the_same_labels(tmp_path: Path) -> None:
    from reference_impl.grouping import generate_grouped_data

    first = load_data(written(tmp_path))
    second = load_data(written(tmp_path, objectGuess=np.asfortranarray(SCENE["objectGuess"])))

    labels = [generate_grouped_data(record, N, nsamples=COUNT, gridsize=1)["Y"] for record in (first, second)]
    np.testing.assert_array_equal(*labels)


def test_lost_frames_are_matched_by_their_numbers(tmp_path: Path) -> None:
    kept = np.delete(np.arange(COUNT), [5, 9])
    path = written(tmp_path, diff3d=SCENE["diff3d"][kept], frame_index=kept, position_index=np.arange(COUNT))

    with pytest.warns(RuntimeWarning, match="0 patterns and 2 positions"):
        record = load_data(path)

    np.testing.assert_array_equal(record.xcoords, SCENE["xcoords"][kept])
    np.testing.assert_array_equal(record.scan_index, SCENE["scan_index"][kept])


def test_surplus_positions_without_numbers_are_refused(tmp_path: Path) -> None:
    with pytest.raises(
        ContractError, match="expected 38 positions for 38 patterns, found 40, and which 2 are surplus is unknown"
    ):
        load_data(written(tmp_path, diff3d=SCENE["diff3d"][:38]))


def test_a_report_is_plain_json() -> None:
    record = RawData(**SCENE, file="scan.npz")

    plain = report(record, judge(record, crop=20), measurement="amplitude").plain()

    assert json.loads(json.dumps(plain)) == plain and [one["name"] for one in plain["checked"]] == list(NAMES)
