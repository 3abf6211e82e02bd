from __future__ import annotations

from purewasm.isa.x64.disassemble import disassemble
from purewasm.isa.x64.padding import BRANCH_PADDING, LONGEST_BRANCH_BYTES, align, fill, nops


def test_nops_have_the_length_asked_for_and_do_nothing() -> None:
    for size in range(40):
        code = nops(size)
        assert size == len(code)
        lines = list(disassemble(code))
        assert (size + 8) // 9 == len(lines)
        assert all(line.text.removeprefix("data16 ").startswith("nop") for line in lines)


def test_alignment() -> None:
    assert all((offset + len(align(offset, 16))) % 16 == 0 and len(align(offset, 16)) < 16 for offset in range(64))
    assert align(32, 32) == b""
    assert fill(13, 16) == b"\xcc" * 3
    assert fill(16, 16) == b""


def test_padded_branches_neither_cross_nor_end_at_a_boundary() -> None:
    for size in range(1, LONGEST_BRANCH_BYTES + 1):
        for offset in range(32):
            padding = BRANCH_PADDING[size][offset]
            start = (offset + len(padding)) % 32
            assert start + size < 32, (size, offset)
            # Nothing where nothing is needed, and never past the next boundary.
            assert bool(padding) == (offset + size >= 32)
            assert offset + len(padding) <= 32


def test_the_longest_branch_fits() -> None:
    assert BRANCH_PADDING[LONGEST_BRANCH_BYTES][0] == b""
    assert len(BRANCH_PADDING[LONGEST_BRANCH_BYTES][1]) == 31
