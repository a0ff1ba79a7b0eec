"""The command line: `train|infer|inspect|convert|export|simulate`. Thin: all that they do is also a function."""

from __future__ import annotations
