from __future__ import annotations

import pytest

from purewasm.errors import InternalError
from purewasm.isa.x64.address import BYTE, NO_REGISTER, RIP, Mem, address_tails
from purewasm.isa.x64.registers import R12, R13, R15, RAX, RBP, RCX, RSP


@pytest.mark.parametrize(
    ("address", "tail", "text"),
    [
        (Mem(RAX), "00", "[rax]"),
        (Mem(RCX, 8), "41 08", "[rcx+0x8]"),
        (Mem(RCX, -128), "41 80", "[rcx-0x80]"),
        (Mem(RCX, 127), "41 7f", "[rcx+0x7f]"),
        (Mem(RCX, 128), "81 80 00 00 00", "[rcx+0x80]"),
        (Mem(RCX, -129), "81 7f ff ff ff", "[rcx-0x81]"),
        (Mem(RSP), "04 24", "[rsp]"),
        (Mem(R12, 8), "44 24 08", "[r12+0x8]"),
        (Mem(RBP), "45 00", "[rbp]"),
        (Mem(R13), "45 00", "[r13]"),
        (Mem(RBP, index=RCX), "44 0d 00", "[rbp+rcx*1]"),
        (Mem(R15, index=RCX, scale=8), "04 cf", "[r15+rcx*8]"),
        (Mem(RAX, index=R12), "04 20", "[rax+r12*1]"),
        (Mem(R15, 0x1000, index=RCX), "84 0f 00 10 00 00", "[r15+rcx*1+0x1000]"),
        (Mem(NO_REGISTER, 4, index=RCX, scale=4), "04 8d 04 00 00 00", "[rcx*4+0x4]"),
        (Mem(NO_REGISTER, 0x1000), "04 25 00 10 00 00", "[0x1000]"),
        (Mem(NO_REGISTER, -16), "04 25 f0 ff ff ff", "[0xfffffffffffffff0]"),
        (Mem(RIP, -4), "05 fc ff ff ff", "[rip-0x4]"),
    ],
)
def test_tail_and_text(address: Mem, tail: str, text: str) -> None:
    assert bytes.fromhex(tail) == address.tail(0)
    assert text == repr(address)
    # The field only fills bits 3 to 5 of ModRM.
    expected = bytes.fromhex(tail)
    assert bytes((expected[0] | 5 << 3,)) + expected[1:] == address.tail(5)


def test_extension_bits() -> None:
    assert (Mem(R15).rex_x, Mem(R15).rex_b) == (0, 1)
    assert (Mem(RAX, index=R12).rex_x, Mem(RAX, index=R12).rex_b) == (1, 0)
    assert (Mem(RIP, 4).rex_x, Mem(RIP, 4).rex_b) == (0, 0)


@pytest.mark.parametrize(
    "arguments",
    [
        {"base": 16},
        {"base": -3},
        {"base": RAX, "index": RSP},
        {"base": RAX, "index": 16},
        {"base": RAX, "index": RCX, "scale": 3},
        {"base": RIP, "index": RCX},
        {"base": RAX, "disp": 1 << 31},
        {"base": RAX, "disp": (-1 << 31) - 1},
    ],
)
def test_what_is_no_address(arguments: dict[str, int]) -> None:
    with pytest.raises(InternalError, match="x64"):
        Mem(**arguments)


def test_address_tails_end_in_three_ways() -> None:
    assert address_tails(0, RSP, NO_REGISTER, 1) == (b"\x04\x24", b"\x44\x24", b"\x84\x24")
    assert address_tails(7, R13, NO_REGISTER, 1) == (b"\x7d\x00", b"\x7d", b"\xbd")


def test_byte_is_indexed_by_signed_values() -> None:
    assert [bytes((value & 255,)) for value in range(-128, 128)] == [BYTE[value] for value in range(-128, 128)]
