"""What `train` trains on: one file in memory, or several (or one that is too large) in a memory map on disk."""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from reference_impl.cli.flags import of
from reference_impl.cli.judging import judged, read_record
from reference_impl.cli.progress import Reporter
from reference_impl.errors import ContractError

MAP = "map"
"""The folder of the map inside the output folder, where `--map-dir` names no other."""


def add_flags(group: argparse._ArgumentGroup) -> None:
    """Where the map of several files lies."""
    place = "folder of the memory map of several files (default: OUTPUT_DIR/map); with it a single file is mapped too"
    group.add_argument("--map-dir", type=of("map_dir"), help=place)
    group.add_argument("--remake-map", action="store_true", help="build the map anew, whatever lies there")
    skip = "leave out files that cannot be used, with a warning for each, instead of stopping"
    group.add_argument("--skip-bad-files", action="store_true", help=skip)


def settle(args: argparse.Namespace) -> None:
    """`args.sources`: the files and folders that were given; `args.train_data_file`: the first file, which decides the side N.

    Raises `ContractError` for flags that say nothing about data in memory.
    """
    args.sources = args.train_data_file
    if mapped(args):
        from reference_impl.batch.mapping import sources_of  # it brings torch and Lightning

        args.train_data_file = sources_of(args.sources)[0]
        if args.labels != "none":
            found = f"{args.labels} with a memory map"
            raise ContractError(field="labels", expected="none: a solver's labels are made of one file in memory", found=found)
        return
    args.train_data_file = args.sources[0]
    for flag in ("remake_map", "skip_bad_files"):
        if getattr(args, flag):
            raise ContractError(field=flag, expected="several files, a folder or --map-dir", found="one file in memory")


def mapped(args: argparse.Namespace) -> bool:
    """Whether a map is asked for: several files, a folder, or a place for it."""
    return len(args.sources) > 1 or args.sources[0].is_dir() or args.map_dir is not None


def read(args: argparse.Namespace, config: Any, say: Reporter) -> tuple[Any, list[Any]]:
    """The training data, a raw record or the dataset of a map, and the reports of what was mapped, judged file by file."""
    if not mapped(args):
        return read_record(args, args.train_data_file), []
    from reference_impl.batch import open_mapped

    reports: list[Any] = []
    folder, start = args.map_dir or args.output_dir / MAP, time.perf_counter()
    options = {"measurement": args.measurement, "mask": args.mask, "coord_scale": args.position_scale}
    dataset = open_mapped(
        args.sources,
        folder,
        of_all(config),
        args.remake_map,
        args.skip_bad_files,
        every=args.n_groups == "all",
        look=lambda record: reports.append(judged(args, record, say)),
        **options,
    )
    done = "built" if reports else "opened; its files were judged when it was built"
    say.line(f"{folder}: memory map of {dataset.experiments} files {done}, {time.perf_counter() - start:.1f} s")
    return dataset, reports


def of_all(config: Any) -> Any:
    """The configuration without the photons that the first file states: they are not the other files'."""
    from reference_impl.config.factory import DEFAULT_NPHOTONS

    first = config.nphotons_source == "metadata"
    return replace(config, nphotons=DEFAULT_NPHOTONS, nphotons_source="default") if first else config


def described(args: argparse.Namespace, data: Any, config: Any) -> str:
    """One line: how many patterns of what size."""
    side = config.model.N
    if not mapped(args):
        return f"{args.train_data_file}: {len(data)} patterns of {side} x {side} pixels"
    first, *rest = data.manifest.scans
    others = f" and {len(rest)} more" if rest else ""
    return f"{args.train_data_file.with_name(first.name)}{others}: {data.manifest.patterns} patterns of {side} x {side} pixels"


def groups_of(args: argparse.Namespace, data: Any) -> dict[str, int]:
    """The number of groups as an override, where it is that of the data."""
    return {"n_groups": len(data)} if args.n_groups == "all" or mapped(args) else {}


def under(data: Any, config: Any) -> Any:
    """A mapped dataset under a changed configuration (its probes are normalised when it is opened); a record as it is."""
    return type(data)(Path(data.folder), data.manifest, config) if hasattr(data, "manifest") else data
