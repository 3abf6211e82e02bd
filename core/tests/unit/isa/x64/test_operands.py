from __future__ import annotations

import pytest

from purewasm.isa.x64.operands import Operand, parse_operands


@pytest.mark.parametrize(
    ("text", "register", "memory_bits", "constant_bits", "name_part"),
    [
        ("r32", "r32", -1, 0, "R32"),
        ("xmm", "xmm", -1, 0, "XMM"),
        ("r/m64", "r64", 64, 0, "RM64"),
        ("xmm/m128", "xmm", 128, 0, "XM128"),
        ("r32/m8", "r32", 8, 0, "R32M8"),
        ("m32", "", 32, 0, "M32"),
        ("m", "", 0, 0, "M"),
        ("imm32", "", -1, 32, "IMM32"),
        ("simm8", "", -1, 8, "IMM8"),
        ("rel32", "", -1, 32, "REL32"),
        ("cl", "", -1, 0, "CL"),
        ("rax", "", -1, 0, "RAX"),
        ("xmm0", "", -1, 0, "XMM0"),
        ("1", "", -1, 0, "1"),
    ],
)
def test_kinds(text: str, register: str, memory_bits: int, constant_bits: int, name_part: str) -> None:
    operand = Operand(text)
    assert (register, memory_bits, constant_bits) == (operand.register, operand.memory_bits, operand.constant_bits)
    assert name_part == operand.name_part
    assert operand.is_fixed == (text in ("cl", "rax", "xmm0", "1"))
    assert operand.signed == (text in ("simm8", "rel32"))


@pytest.mark.parametrize(
    ("text", "reads", "writes", "accesses"),
    [("r32", True, False, True), ("=r32", False, True, True), ("+r32", True, True, True), ("~m", False, False, False)],
)
def test_roles(text: str, reads: bool, writes: bool, accesses: bool) -> None:
    operand = Operand(text)
    assert (reads, writes, accesses) == (operand.reads, operand.writes, operand.accesses)


def test_a_cell_is_a_list_and_equal_operands_are_one_object() -> None:
    first, second = parse_operands("+r32, r/m32"), parse_operands("r/m32, +r32")
    assert first == second[::-1]
    assert parse_operands("") == ()
