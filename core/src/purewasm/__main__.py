"""`python -m purewasm`: the command line."""

from __future__ import annotations

from purewasm.cli.process import run

if __name__ == "__main__":
    run()
