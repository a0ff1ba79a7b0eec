"""`drop-in`: where the packages lie under whose names ptychodus finds the reference."""

from __future__ import annotations

import argparse

SUMMARY = "print the folder to be put on PYTHONPATH for ptychodus"
DESCRIPTION = (
    "Print the folder that holds the packages `ptycho` and `ptycho_torch` over the reference. With it on PYTHONPATH, ptychodus "
    "finds both of its PtychoPINN libraries there."
)


def add_flags(parser: argparse.ArgumentParser) -> None:
    """None of its own."""


def run(args: argparse.Namespace) -> None:
    """Print the folder."""
    from reference_impl.drop_in import folder

    print(folder())
