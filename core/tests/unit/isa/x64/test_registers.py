from __future__ import annotations

from purewasm.isa.x64 import registers


def test_numbers_and_names_agree() -> None:
    for number, name in enumerate(registers.NAMES_64):
        assert number == vars(registers)[name.upper()]
    for number, name in enumerate(registers.NAMES_XMM):
        assert number == vars(registers)[name.upper()]


def test_names_are_unique_across_widths() -> None:
    names = [name for table in registers.NAMES.values() for name in table]
    assert len(names) == len(set(names)) == 5 * registers.REGISTERS_PER_CLASS


def test_widths() -> None:
    assert tuple(registers.NAMES[word][registers.R9] for word in ("r8", "r16", "r32", "r64")) == ("r9b", "r9w", "r9d", "r9")
    assert (registers.CLASS_NAMES[registers.GPR], registers.CLASS_NAMES[registers.XMM]) == ("gpr", "xmm")
