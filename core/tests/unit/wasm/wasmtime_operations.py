"""A second opinion on single operations: a guest with one function per instruction, run by wasmtime.

Operands and results go through the guest's memory, so that every bit counts and v128 is possible: function `n` of the guest loads
its operands from 0, 16, 32, …, applies the n-th instruction, and stores the results at 128, 144.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from purewasm.wasm.float_bits import f32_from_bytes, f32_to_bytes, f64_from_bytes, f64_to_bytes
from purewasm.wasm.opcodes import BY_CODE, CODE, PREFIX_SHIFT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.tests.unit.wasm.straight_line import Raw

wasmtime = pytest.importorskip("wasmtime", reason="wasmtime is not installed")

RESULTS = 128
_LOAD = {"i": "i32.load", "I": "i64.load", "f": "f32.load", "F": "f64.load", "V": "v128.load"}
_STORE = {letter: name.replace("load", "store") for letter, name in _LOAD.items()}
_TRAPS = {
    wasmtime.TrapCode.INTEGER_DIVISION_BY_ZERO: "integer divide by zero",
    wasmtime.TrapCode.INTEGER_OVERFLOW: "integer overflow",
    wasmtime.TrapCode.BAD_CONVERSION_TO_INTEGER: "invalid conversion to integer",
}


def leb(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*out, value))


def opcode(code: int) -> bytes:
    return bytes((code,)) if code < 0x100 else bytes((code >> PREFIX_SHIFT,)) + leb(code & (1 << PREFIX_SHIFT) - 1)


def section(id_: int, content: bytes) -> bytes:
    return bytes((id_,)) + leb(len(content)) + content


def vector(items: Sequence[bytes]) -> bytes:
    return leb(len(items)) + b"".join(items)


def access(name: str) -> bytes:
    return opcode(CODE[name]) + b"\0\0"


def address(at: int) -> bytes:
    return opcode(CODE["i32.const"]) + (bytes((at,)) if at < 64 else bytes((at & 0x7F | 0x80, at >> 7)))


def body(code: int, immediate: bytes) -> bytes:
    """Loads, the instruction, stores. Two results are i64, kept in locals since the address comes first."""
    params, _, results = BY_CODE[code][3].partition(">")
    out = b"".join(address(16 * place) + access(_LOAD[letter]) for place, letter in enumerate(params))
    out += opcode(code) + immediate
    if len(results) == 1:
        kinds = {"i": 0, "I": 1, "f": 2, "F": 3, "V": 4}
        local = bytes((kinds[results],))
        out += b"\x21" + local + address(RESULTS) + b"\x20" + local + access(_STORE[results])
    else:
        out += b"\x21\x05\x21\x01"
        out += address(RESULTS) + b"\x20\x01" + access("i64.store") + address(RESULTS + 16) + b"\x20\x05" + access("i64.store")
    locals_ = vector([b"\x01\x7f", b"\x01\x7e", b"\x01\x7d", b"\x01\x7c", b"\x01\x7b", b"\x01\x7e"])
    return locals_ + out + b"\x0b"


def guest(operations: Sequence[tuple[int, bytes]]) -> bytes:
    bodies = [body(code, immediate) for code, immediate in operations]
    return b"\0asm\x01\0\0\0" + b"".join(
        (
            section(1, vector([b"\x60\0\0"])),
            section(3, vector([b"\0"] * len(bodies))),
            section(5, vector([b"\0\x01"])),
            section(7, vector([b"\x01m\x02\0", *(vector_name(str(n)) + b"\0" + leb(n) for n in range(len(bodies)))])),
            section(10, vector([leb(len(content)) + content for content in bodies])),
        )
    )


def vector_name(name: str) -> bytes:
    return leb(len(name)) + name.encode()


def to_bytes(letter: str, value: Raw) -> bytes:
    if isinstance(value, bytes):
        return value
    if isinstance(value, float):
        return f32_to_bytes(value) if letter == "f" else f64_to_bytes(value)
    return value.to_bytes(4 if letter == "i" else 8, "little")


def from_bytes(letter: str, data: bytes) -> Raw:
    if letter == "V":
        return data[:16]
    if letter in "fF":
        return f32_from_bytes(data[:4]) if letter == "f" else f64_from_bytes(data[:8])
    return int.from_bytes(data[: 4 if letter == "i" else 8], "little")


class Operations:
    """`run(n, operands)` gives the results of the n-th operation, or the words of its trap."""

    def __init__(self, operations: Sequence[tuple[int, bytes]]) -> None:
        config = wasmtime.Config()
        config.wasm_relaxed_simd = True
        config.wasm_relaxed_simd_deterministic = True
        config.wasm_wide_arithmetic = True
        self.operations = operations
        self.store = wasmtime.Store(wasmtime.Engine(config))
        instance = wasmtime.Instance(self.store, wasmtime.Module(self.store.engine, guest(operations)), [])
        exports = instance.exports(self.store)
        self.memory = exports["m"]
        self.functions = [exports[str(n)] for n in range(len(operations))]

    def run(self, index: int, operands: Sequence[Raw]) -> list[Raw] | str:
        params, _, results = BY_CODE[self.operations[index][0]][3].partition(">")
        data = b"".join(to_bytes(letter, value).ljust(16, b"\0") for letter, value in zip(params, operands, strict=True))
        self.memory.write(self.store, data, 0)
        try:
            self.functions[index](self.store)
        except wasmtime.Trap as trap:
            return _TRAPS[trap.trap_code]
        out = bytes(self.memory.read(self.store, RESULTS, RESULTS + 32))
        return [from_bytes(letter, out[16 * place : 16 * place + 16]) for place, letter in enumerate(results)]
