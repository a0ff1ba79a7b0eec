"""POLICY-014:work_that_is_not_random_draws_nothing[solving]@cpu on venv:ENVIRONMENT:ptychi: a failure of `conform run`.

This red cannot be repeated without the suite: alone it does not become red for the same reason.
This script runs the check by the suite's own command, and needs `conform`:   python POLICY-014-work_that_is_not_random_draws_nothing-solving-@cpu.py
"""

import subprocess
import sys

COMMAND = ['run', '--backend', 'venv:ENVIRONMENT:ptychi', '--device', 'cpu', '-k', 'POLICY-014:work_that_is_not_random_draws_nothing[solving]@cpu']

if __name__ == "__main__":
    code = subprocess.run([sys.executable, "-m", "conformance", *COMMAND], stdout=sys.stderr).returncode
    print({0: "GREEN", 1: "RED", 6: "RED (a process died)"}.get(code, f"UNASKED (exit {code})"), 'POLICY-014:work_that_is_not_random_draws_nothing[solving]@cpu')
    sys.exit({0: 0, 1: 1, 6: 1}.get(code, 2))
