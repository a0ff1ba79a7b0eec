"""INFER-036:an_engine_repeats_itself@cpu on venv:ENVIRONMENT:ptychi: a failure of `conform run`.

This red cannot be repeated without the suite: the check runs for 78 s.
This script runs the check by the suite's own command, and needs `conform`:   python INFER-036-an_engine_repeats_itself@cpu.py
"""

import subprocess
import sys

COMMAND = ['run', '--backend', 'venv:ENVIRONMENT:ptychi', '--device', 'cpu', '-k', 'INFER-036:an_engine_repeats_itself@cpu']

if __name__ == "__main__":
    code = subprocess.run([sys.executable, "-m", "conformance", *COMMAND], stdout=sys.stderr).returncode
    print({0: "GREEN", 1: "RED", 6: "RED (a process died)"}.get(code, f"UNASKED (exit {code})"), 'INFER-036:an_engine_repeats_itself@cpu')
    sys.exit({0: 0, 1: 1, 6: 1}.get(code, 2))
