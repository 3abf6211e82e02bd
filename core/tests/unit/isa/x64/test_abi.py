from __future__ import annotations

import pytest

from purewasm.isa.x64.abi import CONVENTIONS, STACK, SYSTEM_V, WIN64, CallingConvention
from purewasm.isa.x64.registers import GPR, R8, R9, RBX, RCX, RDI, RDX, RSI, RSP, XMM


@pytest.mark.parametrize("convention", [SYSTEM_V, WIN64], ids=repr)
def test_every_register_is_saved_by_exactly_one_side(convention: CallingConvention) -> None:
    gprs = [*convention.caller_saved_gpr, *convention.callee_saved_gpr, RSP]
    assert list(range(16)) == sorted(gprs)
    assert list(range(16)) == sorted((*convention.caller_saved_xmm, *convention.callee_saved_xmm))
    assert set(convention.gpr_arguments + convention.gpr_results) <= set(convention.caller_saved_gpr)
    assert set(convention.xmm_arguments + convention.xmm_results) <= set(convention.caller_saved_xmm)
    assert RBX in convention.callee_saved_gpr


def test_system_v_counts_classes_apart() -> None:
    placements, stack = SYSTEM_V.place_arguments([GPR, XMM, GPR, XMM])
    assert placements == [(GPR, RDI), (XMM, 0), (GPR, RSI), (XMM, 1)]
    assert stack == 0


def test_win64_counts_positions_and_has_shadow_space() -> None:
    placements, stack = WIN64.place_arguments([GPR, XMM, GPR, XMM, GPR])
    assert placements == [(GPR, RCX), (XMM, 1), (GPR, R8), (XMM, 3), (STACK, 32)]
    assert stack == 48


def test_arguments_beyond_registers_go_to_the_stack() -> None:
    placements, stack = SYSTEM_V.place_arguments([GPR] * 8 + [XMM] * 9 + [GPR])
    assert placements[:8] == [(GPR, RDI), (GPR, RSI), (GPR, RDX), (GPR, RCX), (GPR, R8), (GPR, R9), (STACK, 0), (STACK, 8)]
    assert [(XMM, number) for number in range(8)] == placements[8:16]
    assert placements[16:] == [(STACK, 16), (STACK, 24)]
    assert stack == 32
    assert WIN64.place_arguments([]) == ([], 32)


def test_conventions_by_system() -> None:
    assert {"linux": SYSTEM_V, "macos": SYSTEM_V, "windows": WIN64} == CONVENTIONS
