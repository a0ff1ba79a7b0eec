"""The integration record `minimal_dataset_v1`: 64 exposures of a synthetic scan, regenerated bit for bit (specs/fixture.md).

    python -m reference_impl.simulation.minimal_dataset [--source FILE] [--output FILE] [--subset-size N]
        [--metadata-out FILE] [--description]

Without `--source` the scan is made from `RECIPE`; the arrays' digest is then compared with the committed description
(`fixtures/` of the checkout; inside the package where that is installed). Patterns and positions are taken with one and the
same index array, so that they belong to the same exposures (FIXTURE-020).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from reference_impl.atomic import atomic_write
from reference_impl.simulation import exposures, objects, probes, scans

PACKAGE = Path(__file__).resolve().parent.parent
DATASET = Path("minimal_dataset_v1.npz")
CHECKOUT = PACKAGE.parent / "fixtures" / "minimal_dataset_v1.json"
DESCRIPTION = CHECKOUT if CHECKOUT.is_file() else PACKAGE / "_fixtures" / CHECKOUT.name
SUBSET_SIZE, SMALLEST_SUBSET = 64, 16
STRATEGY = "stratified_uniform_sampling"
REQUIRED = ("xcoords", "ycoords", "objectGuess", "probeGuess")

RECIPE: dict[str, Any] = {
    "object": {"kind": "lines", "height": 160, "width": 224, "seed": 20251020},
    "probe": {"kind": "curved", "N": 64, "seed": 11},
    # three times as wide as high, at one pitch in both directions: an exchange of the axes cannot hide
    "scan": {"kind": "anisotropic_raster", "positions": 1087, "bounds": [36.0, 186.0, 44.0, 94.0], "seed": 5},
    "photons_per_pattern": 1500.0,  # keeps every amplitude below 10 (FIXTURE-002)
    "noise_seed": 17,
}


def source_record() -> dict[str, np.ndarray]:
    """The whole scan of `RECIPE`: 1,087 exposures with Poisson counts, as arrays of a contract file."""
    shape, probe, scan = RECIPE["object"], RECIPE["probe"], RECIPE["scan"]
    canvas = objects.KINDS[shape["kind"]](max(shape["height"], shape["width"]), np.random.default_rng(shape["seed"]))
    return exposures.expose(
        canvas[: shape["height"], : shape["width"]],
        probes.KINDS[probe["kind"]](probe["N"], np.random.default_rng(probe["seed"])),
        scans.anisotropic_raster(scan["positions"], tuple(scan["bounds"]), np.random.default_rng(scan["seed"])),
        RECIPE["photons_per_pattern"],
        np.random.default_rng(RECIPE["noise_seed"]),
    )


def read_source(path: Path) -> dict[str, np.ndarray]:
    """Arrays of a contract file; a missing file is a `FileNotFoundError`, missing keys a `KeyError` (FIXTURE-006)."""
    if not path.is_file():
        raise FileNotFoundError(f"{path}: source data set not found")
    with np.load(path, allow_pickle=False) as archive:
        found = {key: archive[key] for key in archive.files if key in (*REQUIRED, "diffraction", "diff3d")}
    missing = [key for key in REQUIRED if key not in found]
    if not {"diffraction", "diff3d"} & found.keys():
        missing.append("diffraction or diff3d")
    if missing:
        raise KeyError(f"{path}: expected the keys {', '.join(missing)}, found {', '.join(sorted(found)) or 'none of them'}")
    found["diff3d"] = _patterns_first(found.pop("diffraction", found.get("diff3d")), found["xcoords"].size, path)
    return found


def _patterns_first(patterns: np.ndarray, count: int, path: Path) -> np.ndarray:
    """`(M, H, W)` from that or the legacy `(H, W, M)` layout; the axis of the patterns is the one as long as the positions."""
    if patterns.ndim == 3 and patterns.shape[0] == count:
        return patterns
    if patterns.ndim == 3 and patterns.shape[-1] == count:
        return np.moveaxis(patterns, -1, 0)
    raise ValueError(f"{path}: diffraction: expected ({count}, H, W) or (H, W, {count}), found {patterns.shape}")


def subset(record: Mapping[str, np.ndarray], size: int = SUBSET_SIZE) -> dict[str, np.ndarray]:
    """`size` exposures, the i-th at `int(i · M / size)`: by one index array, without randomness (FIXTURE-003)."""
    count = record["xcoords"].size
    if not SMALLEST_SUBSET <= size <= count:
        raise ValueError(f"subset size: expected {SMALLEST_SUBSET} to {count}, found {size}")
    chosen = (np.arange(size) * count) // size
    diffraction = np.ascontiguousarray(record["diff3d"][chosen], dtype=np.float32)
    x, y = (np.asarray(record[key], np.float64)[chosen] for key in ("xcoords", "ycoords"))
    probe, object_ = (np.asarray(record[key], np.complex64) for key in ("probeGuess", "objectGuess"))
    dose = float(np.sum(diffraction.astype(np.float64) ** 2, axis=(1, 2)).mean())
    return {
        "diffraction": diffraction,
        "diff3d": diffraction,
        "xcoords": x,
        "ycoords": y,
        "xcoords_start": x,
        "ycoords_start": y,
        "probeGuess": probe,
        "objectGuess": object_,
        "scan_index": np.zeros(size, np.int64),
        "_metadata": exposures.metadata(round(dose, 6), probe.shape[-1], 1),
    }


def digest(arrays: Mapping[str, np.ndarray]) -> str:
    """SHA-256 over names, dtypes, shapes and contents in the order of the names, not over a container's bytes (FIXTURE-021)."""
    total = hashlib.sha256()
    for name in sorted(arrays):
        value = np.ascontiguousarray(arrays[name])
        total.update(f"{name}\0{value.dtype.str}\0{arrays[name].shape}\0".encode())
        total.update(value.tobytes())
    return total.hexdigest()


def describe(arrays: Mapping[str, np.ndarray], source: str, commit: str) -> dict[str, Any]:
    """The JSON beside the arrays (FIXTURE-005)."""
    return {
        "version": "v1",
        "created": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "generator_script": "reference_impl/simulation/minimal_dataset.py",
        "generator_commit": commit,
        "source_dataset": source,
        "subset_strategy": STRATEGY,
        "subset_size": int(arrays["xcoords"].size),
        "transformations": [
            "exposures int(i * M / subset_size): patterns and positions by one index array",
            "legacy (H, W, M) stacks moved to (M, H, W)",
            "diffraction cast to float32; diff3d is the same array",
            "sha256_checksum: names, dtypes, shapes and contents of the arrays in the order of their names",
        ],
        "recipe": RECIPE,
        "arrays": {name: {"dtype": arrays[name].dtype.str, "shape": list(arrays[name].shape)} for name in sorted(arrays)},
        "sha256_checksum": digest(arrays),
        "validation_notes": "amplitude in [0, 10); probeGuess is on the photon scale: |FFT(object * probe)|^2 expects the counts",
    }


def write(arrays: Mapping[str, np.ndarray], path: Path) -> None:
    """Write an uncompressed NPZ, whole or not at all."""
    with atomic_write(path) as temporary, open(temporary, "wb") as stream:
        np.savez(stream, **arrays)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m reference_impl.simulation.minimal_dataset", description="Make the minimal integration record."
    )
    parser.add_argument("--source", type=Path, help="contract file to take exposures from (default: the synthetic recipe)")
    parser.add_argument("--output", type=Path, default=DATASET)
    parser.add_argument("--subset-size", type=int, default=SUBSET_SIZE, help=f"exposures to keep, at least {SMALLEST_SUBSET}")
    parser.add_argument("--metadata-out", type=Path, help="write the JSON description there")
    parser.add_argument("--description", action="store_true", help="print the committed description and make nothing")
    parser.add_argument("--commit", default="unknown", help="recorded as generator_commit")
    return parser


def _run(args: argparse.Namespace) -> str:
    if args.description:
        return DESCRIPTION.read_text(encoding="utf-8")
    record = source_record() if args.source is None else read_source(args.source)
    arrays = subset(record, args.subset_size)
    if args.metadata_out is not None:
        source = "synthetic: see recipe" if args.source is None else args.source.name
        args.metadata_out.write_text(json.dumps(describe(arrays, source, args.commit), indent=2) + "\n")
    elif args.source is None and args.subset_size == SUBSET_SIZE:
        expected, found = json.loads(DESCRIPTION.read_text())["sha256_checksum"], digest(arrays)
        if expected != found:
            raise ValueError(f"{DESCRIPTION.name}: sha256_checksum: expected {expected}, found {found}")
    write(arrays, args.output)
    return f"{args.output}: {args.subset_size} exposures, sha256 of the contents {digest(arrays)}"


def main(argv: Sequence[str] | None = None) -> int:
    """Exit status 0, or 1 with one line on stderr."""
    try:
        print(_run(_parser().parse_args(argv)))
    except (OSError, KeyError, ValueError) as error:
        print(f"error: {error.args[0] if isinstance(error, KeyError) else error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
