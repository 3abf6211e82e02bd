from __future__ import annotations

import pytest

from purewasm.validate.dispatch import handlers_for
from purewasm.validate.plan import DROP, HANDLER, plan_for
from purewasm.validate.state import BodyState
from purewasm.wasm import valtypes as vt
from purewasm.wasm.features import Features
from purewasm.wasm.module import Limits, MemoryType, WasmModule
from purewasm.wasm.opcodes import BY_CODE, CODE


@pytest.mark.parametrize("features", [Features(), Features.WASM1, Features.WASM2, Features.WASM3, Features.all()])
def test_every_row_has_a_handler(features: Features) -> None:
    first, prefixed = handlers_for(features.bits)
    assert len(first) == 256
    assert all(callable(prefixed[code]) for code in BY_CODE if code > 0xFF)


def _state(features: Features, *, is_64: bool = False) -> BodyState:
    module = WasmModule(b"")
    module.memory_types.append(MemoryType(Limits(1, None), is_64=is_64))
    return BodyState(module, features.bits)


def test_what_is_off_is_not_planned() -> None:
    code = CODE["i32.extend8_s"]
    assert plan_for(_state(Features.WASM2))[code] != (HANDLER, 0, 0)
    assert plan_for(_state(Features.WASM1))[code] == (HANDLER, 0, 0)


def test_accesses_are_planned_for_a_plain_memory_only() -> None:
    code = CODE["i64.load32_u"]
    assert plan_for(_state(Features.WASM3))[code][1:] == (2, vt.I64)
    assert plan_for(_state(Features.WASM3, is_64=True))[code] == (HANDLER, 0, 0)
    assert plan_for(BodyState(WasmModule(b""), Features.WASM3.bits))[code] == (HANDLER, 0, 0)


def test_bytes_that_are_no_opcode_are_not_planned() -> None:
    table = plan_for(_state(Features.all()))
    assert all(entry == (HANDLER, 0, 0) for byte, entry in enumerate(table) if byte not in BY_CODE)
    assert all(kind <= HANDLER for kind, _, _ in table)
    assert table[CODE["drop"]][0] == DROP
