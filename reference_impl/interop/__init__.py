"""Files of other programs: each writes a known scan in its own environment, `convert` reads it; `export` writes, it reads.

The modules beside this one run in those environments, which have NumPy, h5py and the program, and nothing of ours.
"""

from __future__ import annotations
