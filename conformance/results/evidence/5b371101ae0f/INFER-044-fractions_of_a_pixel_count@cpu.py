"""INFER-044:fractions_of_a_pixel_count@cpu on venv:ENVIRONMENT:ptylab: a failure of `conform run`.

This red cannot be repeated without the suite: the check runs for 187 s.
This script runs the check by the suite's own command, and needs `conform`:   python INFER-044-fractions_of_a_pixel_count@cpu.py
"""

import subprocess
import sys

COMMAND = ['run', '--backend', 'venv:ENVIRONMENT:ptylab', '--device', 'cpu', '-k', 'INFER-044:fractions_of_a_pixel_count@cpu']

if __name__ == "__main__":
    code = subprocess.run([sys.executable, "-m", "conformance", *COMMAND], stdout=sys.stderr).returncode
    print({0: "GREEN", 1: "RED", 6: "RED (a process died)"}.get(code, f"UNASKED (exit {code})"), 'INFER-044:fractions_of_a_pixel_count@cpu')
    sys.exit({0: 0, 1: 1, 6: 1}.get(code, 2))
