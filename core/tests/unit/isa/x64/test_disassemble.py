from __future__ import annotations

import random

from purewasm.isa.x64.address import NO_REGISTER, RIP, Mem
from purewasm.isa.x64.control import CALL_REL32, CALL_RM64, JCC_REL8, JMP_REL32, RET
from purewasm.isa.x64.disassemble import decode, disassemble
from purewasm.isa.x64.integer import ADD_RM32_IMM32, ADD_RM64_IMM8, SHL_RM32_CL
from purewasm.isa.x64.memory import LEA_R64_M, MOV_R64_RM64, MOV_RM8_IMM8
from purewasm.isa.x64.registers import R15, RAX, RBX, RCX
from purewasm.isa.x64.vex import VPBLENDVB
from purewasm.isa.x64.xmm_moves import MOVSD_XMM_M64


def _text(code: bytes, address: int = 0) -> list[str]:
    return [line.text for line in disassemble(code, address)]


def test_constants() -> None:
    assert _text(ADD_RM64_IMM8(RAX, -8)) == ["add rax, -8"]
    assert _text(ADD_RM64_IMM8(RAX, -16)) == ["add rax, -0x10"]
    assert _text(ADD_RM32_IMM32(RCX, -16)) == ["add ecx, 0xfffffff0"]
    assert _text(MOV_RM8_IMM8(Mem(R15, 16, index=RCX), 255)) == ["mov byte ptr [r15+rcx*1+0x10], 0xff"]


def test_operands() -> None:
    assert _text(SHL_RM32_CL(RCX)) == ["shl ecx, cl"]
    assert _text(LEA_R64_M(RAX, Mem(RAX, index=RCX, scale=4))) == ["lea rax, [rax+rcx*4]"]
    assert _text(VPBLENDVB(1, 2, Mem(RAX), 15)) == ["vpblendvb xmm1, xmm2, xmmword ptr [rax], xmm15"]
    assert _text(CALL_RM64(Mem(RAX))) == ["call qword ptr [rax]"]


def test_branches_count_from_the_end_and_get_names() -> None:
    code = CALL_REL32(0x10) + JCC_REL8[4](-7) + JMP_REL32(0) + RET()
    lines = list(disassemble(code, 0x1000, {0x1015: "f", 0x100C: "end"}))
    assert [line.text for line in lines] == ["call 0x1015  # 0x1015 f", "je 0x1000", "jmp 0x100c  # 0x100c end", "ret"]
    assert [line.address for line in lines] == [0x1000, 0x1005, 0x1007, 0x100C]
    assert code == b"".join(line.code for line in lines)


def test_rip_relative_addresses_say_where_they_point() -> None:
    (line,) = disassemble(MOVSD_XMM_M64(3, Mem(RIP, 0x20)), 0x100, {0x128: "pi"})
    assert line.text == "movsd xmm3, qword ptr [rip+0x20]  # 0x128 pi"
    assert str(line) == "     100:  f2 0f 10 1d 20 00 00 00         movsd xmm3, qword ptr [rip+0x20]  # 0x128 pi"


def test_what_no_row_writes_is_bytes() -> None:
    # ah without REX, a 256-bit instruction, an unknown opcode, VEX.vvvv where there is no operand for it.
    for code in ("88 e0", "c5 ed 58 cb", "0f 04", "c5 e0 51 c1", "c4 ff 00 00", "f0 c3"):
        assert decode(bytes.fromhex(code)) is None
    assert _text(b"\x06\xc3") == [".byte 0x6", "ret"]


def test_code_that_is_cut_off() -> None:
    for whole in (
        ADD_RM32_IMM32(Mem(R15, 0x12345, index=RCX), 0x7777_7777), VPBLENDVB(1, 2, Mem(R15, 5, index=9), 15), CALL_REL32(0x123456),
    ):  # fmt: skip
        assert decode(whole) is not None
        for size in range(len(whole)):
            assert decode(whole[:size]) is None
            assert size == sum(len(line.code) for line in disassemble(whole[:size]))


def test_any_bytes_come_back_whole() -> None:
    source = random.Random(64)
    for _ in range(300):
        code = source.randbytes(40)
        assert code == b"".join(line.code for line in disassemble(code))


def test_decoding_starts_anywhere() -> None:
    decoded = decode(b"\x06\x06" + RET(), 2)
    assert decoded is not None
    assert RET is decoded.instruction
    assert decoded.arguments == ()


def test_addresses_in_the_data_of_the_thread() -> None:
    code = MOV_R64_RM64(RBX, Mem(NO_REGISTER, 0x508))
    assert _text(b"\x64" + code) == ["mov rbx, qword ptr fs:[0x508]"]
    assert _text(b"\x65" + code) == ["mov rbx, qword ptr gs:[0x508]"]
    assert _text(b"\x64\xc3") == [".byte 0x64", "ret"]
    assert _text(b"\x64") == [".byte 0x64"]
