"""PHYS-022:extraction_looks_where_the_member_stands@cpu on venv:ENVIRONMENT:ptychi: a failure of `conform run`.

This red cannot be repeated without the suite: conformance.suite.test_physics_motion.N is bound in a way that cannot be taken along.
This script runs the check by the suite's own command, and needs `conform`:   python PHYS-022-extraction_looks_where_the_member_stands@cpu.py
"""

import subprocess
import sys

COMMAND = ['run', '--backend', 'venv:ENVIRONMENT:ptychi', '--device', 'cpu', '-k', 'PHYS-022:extraction_looks_where_the_member_stands@cpu']

if __name__ == "__main__":
    code = subprocess.run([sys.executable, "-m", "conformance", *COMMAND], stdout=sys.stderr).returncode
    print({0: "GREEN", 1: "RED", 6: "RED (a process died)"}.get(code, f"UNASKED (exit {code})"), 'PHYS-022:extraction_looks_where_the_member_stands@cpu')
    sys.exit({0: 0, 1: 1, 6: 1}.get(code, 2))
