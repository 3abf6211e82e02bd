"""The GNU assembler and `objdump` as a second opinion: what they make of our text, and what they read in our bytes."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Final

import pytest

from purewasm.isa.x64.cpu import AVX_VNNI
from purewasm.isa.x64.disassemble import format_instruction

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from core.tests.unit.isa.x64.matrix import Case
    from purewasm.isa.x64.formats import Instruction

_LISTING: Final = re.compile(r"^\s*[0-9a-f]+:\t([0-9a-f ]+)\t(.*)$", re.MULTILINE)


def _is_for_x64() -> bool:
    version = subprocess.run(["as", "--version"], capture_output=True, text=True, check=False).stdout
    return "x86_64" in version


# Where the assembler picks another instruction for the same text, and `objdump` prints the two differently: the short form
# of a shift by 1, and of an exchange with the accumulator (of which one is `nop`).
_SHORT_FORMS: Final = {"rol": 1, "ror": 1, "shl": 1, "shr": 1, "sar": 1, "xchg": 0}


def is_same_instruction(row: Instruction, case: Case, ours: tuple[bytes, str], theirs: tuple[bytes, str]) -> bool:
    """Whether the assembler's bytes are ours, or another encoding of the same instruction."""
    return ours[0] == theirs[0] or ours[1] == theirs[1] or _SHORT_FORMS.get(row.mnemonic, -1) in case


needs_assembler = pytest.mark.skipif(
    shutil.which("as") is None or shutil.which("objdump") is None or not _is_for_x64(),
    reason="no GNU assembler and objdump for x86-64 here",
)


def _source_line(row: Instruction, case: Case) -> str:
    if row.form != "D":
        # Without the word, the assembler prefers the AVX-512 encoding of what exists in both.
        return ("{vex} " if row.cpu & AVX_VNNI else "") + format_instruction(row, case)
    distance = case[0]
    assert isinstance(distance, int)
    return f"{row.mnemonic} . {distance + len(row(distance)):+}"  # type: ignore[operator]


def _objdump(*arguments: str) -> list[tuple[bytes, str]]:
    output = subprocess.run(
        ["objdump", "-M", "intel", "--insn-width=16", *arguments], capture_output=True, text=True, check=True
    ).stdout
    return [(bytes.fromhex(code), " ".join(text.split("#")[0].split())) for code, text in _LISTING.findall(output)]


def assemble(rows: Sequence[tuple[Instruction, Case]], folder: Path) -> list[tuple[bytes, str]]:
    """The assembler's bytes for our text, and `objdump`'s text of them, one for each row."""
    source, output = folder / "source.s", folder / "output.o"
    source.write_text(".intel_syntax noprefix\n" + "\n".join(_source_line(row, case) for row, case in rows) + "\n")
    subprocess.run(["as", "-o", str(output), str(source)], check=True, capture_output=True, text=True)
    return _objdump("-d", str(output))


def read_back(codes: Sequence[bytes], folder: Path) -> list[tuple[bytes, str]]:
    """`objdump`'s reading of our bytes."""
    binary = folder / "ours.bin"
    binary.write_bytes(b"".join(codes))
    return _objdump("-D", "-b", "binary", "-m", "i386:x86-64", str(binary))
