"""How fast, and in how much memory (`nox -s bench`): each figure beside the bound that was promised.

    python -m reference_impl.bench [--output FILE] [--runs 5] [--threads 2]

Times are medians of at least five runs after one that warms up, with the fastest and the slowest beside them; memory is the
growth of the resident set at its peak (Linux keeps that mark and lets it be reset). `cpu_share` is the part of the wall time in
which this process computed (times its threads): far below 1 it says that the machine was busy with something else. Exit code 1
where a bound is missed.
"""

from __future__ import annotations
