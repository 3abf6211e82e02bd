"""Write `purewasm/import_order.py`: which modules come with an import, in the order in which they need each other.

    python tools/import_order.py [--check]

To be run when a test says so: some module imports another one since. `--check` writes nothing, and fails where something is to be written.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
PACKAGE: Final = ROOT / "core/src/purewasm"
TARGET: Final = PACKAGE / "import_order.py"
_ALWAYS: Final = ("purewasm.runtime.runtime", "purewasm.engine.native.engine", "purewasm.validate.module")
STARTS: Final = ((*_ALWAYS, "purewasm.isa.x64.baseline.compile"), (*_ALWAYS, "purewasm.isa.x64.compile"))
"""What starts import, one after the other, as far as they have need to."""
_HEAD: Final = '''"""Which modules come with an import, in the order in which they need each other (`light_importing`).

Made by `tools/import_order.py`. Nothing depends on it but the time that a start takes.
"""

from __future__ import annotations

ORDER = {
'''
_PROGRAM: Final = """
import sys
import _frozen_importlib as system
from purewasm import light_importing
light_importing._together.clear()
load, done = system._load_unlocked, ["purewasm"]
def noted(spec):
    module = load(spec)
    if spec.name.rpartition(".")[0] in done:  # else it is a package that imports it
        done.append(spec.name)
    return module
system._load_unlocked = noted
for entrance in sys.argv[1:]:
    first = len(done)
    __import__(entrance)
    print(*done[first:])
"""


def imported(entrances: Sequence[str]) -> dict[str, list[str]]:
    """For each entrance what comes with it, packages before their modules, without itself."""
    command = [sys.executable, "-S", "-c", _PROGRAM, *entrances]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={"PYTHONPATH": str(PACKAGE.parent)})
    lines = done.stdout.splitlines()
    return {entrance: [name for name in line.split() if name != entrance] for entrance, line in zip(entrances, lines, strict=True)}


def text() -> str:
    """The file."""
    lines = [_HEAD.rstrip("\n")]
    for entrance, names in {entrance: names for start in STARTS for entrance, names in imported(start).items()}.items():
        lines.append(f'    "{entrance}": (')
        lines += [f'        "{line} "' for line in textwrap.wrap(" ".join(names), 125, break_on_hyphens=False, break_long_words=False)]
        lines[-1] = lines[-1][:-2] + '"'
        lines.append("    ),")
    return "\n".join([*lines, "}", ""])


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--check", action="store_true", help="write nothing; status 1 where the file is not as it would be written")
    options = parser.parse_args(arguments)
    made = text()
    if TARGET.read_text(encoding="utf-8") == made:
        return 0
    if options.check:
        print(f"{TARGET.relative_to(ROOT)} is out of date: run `python tools/import_order.py`", file=sys.stderr)
        return 1
    TARGET.write_text(made, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
