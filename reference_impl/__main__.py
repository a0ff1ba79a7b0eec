"""`python -m reference_impl train|infer|inspect|convert|export|simulate|drop-in`."""

from __future__ import annotations

import sys

from reference_impl.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
