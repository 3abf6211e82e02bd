"""Writes `encodings.txt`, the listing that hosts without an assembler compare with: `python -m core.tests.unit.isa.x64.record`.

Every line is first checked with the GNU assembler; a line that it does not agree with ends the run. Run it after adding rows.
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from core.tests.unit.isa.x64.assembler import assemble, is_same_instruction, read_back
from core.tests.unit.isa.x64.matrix import few_cases
from purewasm.isa.x64.disassemble import format_instruction
from purewasm.isa.x64.instructions import named_rows

LISTING: Final = Path(__file__).with_name("encodings.txt")
_HEAD: Final = "# name of the row | bytes | text; written by record.py, which checked every line with the GNU assembler\n"


def main() -> None:
    work = [(name, row, case) for name, row in named_rows() for case in few_cases(row)]
    codes = [row(*case) for _, row, case in work]  # type: ignore[operator]
    with TemporaryDirectory() as folder:
        theirs = assemble([(row, case) for _, row, case in work], Path(folder))
        ours = read_back(codes, Path(folder))
    lines = []
    for (name, row, case), code, their, our in zip(work, codes, theirs, ours, strict=True):
        if code != our[0] or not is_same_instruction(row, case, our, their):
            sys.exit(f"{name} {case}: {code.hex(' ')} is {our}, the assembler says {their}")
        lines.append(f"{name} | {code.hex(' ')} | {format_instruction(row, case, len(code))}\n")
    LISTING.write_text(_HEAD + "".join(lines))
    print(f"{len(lines)} lines in {LISTING.name}")


if __name__ == "__main__":
    main()
