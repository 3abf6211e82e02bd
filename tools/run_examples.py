"""Run every example under a given Python, from a copy outside the checkout, so that only what is installed can be imported.

    python tools/run_examples.py PYTHON
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

EXAMPLES: Final = Path(__file__).resolve().parents[1] / "examples"


def main(python: str) -> int:
    """The exit status: 1 if an example fails, whose output is then shown."""
    failed = 0
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "examples"
        shutil.copytree(EXAMPLES, copy)
        for script in sorted(copy.glob("*/main.py")):
            command = [python, "-E", "-s", str(script)]
            finished = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
            failed += finished.returncode != 0
            print(f"{'FAILED' if finished.returncode else 'ok':6} {script.parent.name}")
            if finished.returncode:
                print(finished.stdout + finished.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python tools/run_examples.py PYTHON")
    sys.exit(main(sys.argv[1]))
