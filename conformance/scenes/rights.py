"""Rights of what a process makes, under another mask than the usual one."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
UMASK = 0o027
"""Rights that files and folders do not get."""


def masked(make: Callable[P, T]) -> Callable[P, T]:
    """What `make` makes, here and by what it starts, has the rights of `UMASK`."""

    @wraps(make)
    def made(*given: P.args, **options: P.kwargs) -> T:
        before = os.umask(UMASK)
        try:
            return make(*given, **options)
        finally:
            os.umask(before)

    return made
