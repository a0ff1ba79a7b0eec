"""Backends in a process of their own: `proc:NAME` (this interpreter) and `venv:PATH:NAME` (another environment's).

The suite stays where it is and holds *handles* (`handle`); values cross as data (`wire`), everything else stays beside the
backend and is asked there (`peer`, `connectors.beside`). The other end (`worker`) needs NumPy alone, is put on the interpreter's
path for the one process, and refuses the backend the reference, the oracles and the suite. Nothing is installed. POSIX only.
"""
