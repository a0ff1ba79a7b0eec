"""What is read back: one strict reader of zip archives, one of pickles, one of PyTorch's files. They run nothing."""

from __future__ import annotations
