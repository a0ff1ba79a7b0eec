"""`python -m reference_impl train|infer|inspect|convert|export|simulate|drop-in`."""

from __future__ import annotations

import gc
import sys

# torch and Lightning make a million objects that stay: looking among them for garbage is an eighth of the time to import them.
gc.set_threshold(50_000, 20, 50)

from reference_impl.cli.main import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main())
