"""What a command leaves: its numbers whatever becomes of its pictures, and nothing of an older call beside them."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path

from reference_impl.atomic import whole_set


def keep(
    folder: Path, also: Collection[str], numbers: Callable[[Path], Path], pictures: Callable[[Path], list[Path]]
) -> list[Path]:
    """Let `numbers` and `pictures` write into a folder that takes its place in `folder`; returns the paths there.

    `also`: names of an older call's files, which go. Where a picture fails the numbers are kept, and what it failed by is raised.
    """
    failed: Exception | None = None
    with whole_set(folder, also=also) as stage:
        written = [numbers(stage)]
        try:
            written += pictures(stage)
        except Exception as error:  # raised below, once the numbers stand
            failed = error
    if failed is not None:
        raise failed
    return [folder / path.name for path in written]
