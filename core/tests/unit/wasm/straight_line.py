"""Runs functions of straight-line code with the functions of `purewasm.wasm` alone, so that scripts can test these.

A function can run here if its body has nothing but variables, `drop`, calls, the instructions of the families numeric and vector,
vector loads and stores, and `i64.load`. Globals and the data of memories have to be given by one constant instruction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from purewasm.binary.body import decode_body, decode_const
from purewasm.wasm import module as wasm_module
from purewasm.wasm.numeric import NUMERIC
from purewasm.wasm.opcodes import BY_CODE, CODE, signature
from purewasm.wasm.opcodes import immediates as imm
from purewasm.wasm.valtypes import F32, F64, I32, I64, V128
from purewasm.wasm.vector_memory import VECTOR_LANE_LOADS, VECTOR_LANE_STORES, VECTOR_LOADS
from purewasm.wasm.vectors import VECTOR

if TYPE_CHECKING:
    from purewasm.binary.body import Body
    from purewasm.wasm.module import WasmModule

    Raw = int | float | bytes

_ZERO: dict[int, Raw] = {I32: 0, I64: 0, F32: 0.0, F64: 0.0, V128: bytes(16)}
_ARITHMETIC = {**NUMERIC, **VECTOR}
_GET, _SET, _TEE = CODE["local.get"], CODE["local.set"], CODE["local.tee"]
_GLOBAL_GET, _GLOBAL_SET = CODE["global.get"], CODE["global.set"]
_DROP, _END, _CALL = CODE["drop"], CODE["end"], CODE["call"]
_STORE, _LOAD = CODE["v128.store"], CODE["i64.load"]
_ACCESSES = frozenset((*VECTOR_LOADS, *VECTOR_LANE_LOADS, *VECTOR_LANE_STORES, _STORE, _LOAD))
_KNOWN = frozenset((*_ARITHMETIC, *_ACCESSES, _GET, _SET, _TEE, _GLOBAL_GET, _GLOBAL_SET, _DROP, _END, _CALL))


class NotStraightLineError(Exception):
    """The function has an instruction that is not known here."""


class OutOfBoundsError(Exception):
    pass


class StraightLine:
    """The functions of a module, by the names under which they are exported."""

    def __init__(self, module: WasmModule) -> None:
        self.module = module
        self.imported = sum(item.kind == wasm_module.FUNC for item in module.imports)
        self.exports = {item.name: item.index - self.imported for item in module.exports if item.kind == wasm_module.FUNC}
        constants = [decode_const(module, item.init) for item in module.globals]
        self.globals = [_ARITHMETIC[c.ops[0]](c.imms[0]) if c.ops[0] in _ARITHMETIC else None for c in constants]
        self.memory = bytearray(module.memories[0].limits.min << 16) if module.memories else bytearray()
        for segment in module.data:
            if segment.offset is not None:
                start = cast("int", decode_const(module, segment.offset).imms[0])
                content = module.source[segment.start : segment.end]
                self.memory[start : start + len(content)] = content

    def call(self, name: str, arguments: list[Raw]) -> list[Raw]:
        index = self.exports.get(name, -1)
        if not self._can_run(index):
            raise NotStraightLineError(name)
        return self._run(index, arguments)

    def _body(self, index: int) -> Body:
        return decode_body(self.module, self.module.codes[index])

    def _can_run(self, index: int) -> bool:
        if index < 0:
            return False
        body = self._body(index)
        if not _KNOWN.issuperset(body.ops) or body.ops.count(_END) != 1:
            return False
        callees = [cast("int", value) for op, value in zip(body.ops, body.imms, strict=True) if op == _CALL]
        return all(self._can_run(callee - self.imported) for callee in callees)

    def _run(self, index: int, arguments: list[Raw]) -> list[Raw]:
        variables = [*arguments, *(_ZERO[kind] for count, kind in self.module.codes[index].locals for _ in range(count))]
        stack: list[Raw] = []
        body = self._body(index)
        for op, immediate in zip(body.ops, body.imms, strict=True):
            self._step(op, immediate, variables, stack)
        return stack

    def _step(self, op: int, immediate: object, variables: list[Raw], stack: list[Raw]) -> None:
        if op in _ARITHMETIC:
            shape = signature(op)
            assert shape is not None
            operands: list[object] = [*_pop(stack, len(shape[0]))]
            if BY_CODE[op][2] != imm.NONE:
                operands.append(immediate)
            result = _ARITHMETIC[op](*operands)
            stack.extend(result) if isinstance(result, tuple) else stack.append(result)
        elif op == _GET:
            stack.append(variables[cast("int", immediate)])
        elif op == _SET:
            variables[cast("int", immediate)] = stack.pop()
        elif op == _TEE:
            variables[cast("int", immediate)] = stack[-1]
        elif op == _GLOBAL_GET:
            stack.append(cast("Raw", self.globals[cast("int", immediate)]))
        elif op == _GLOBAL_SET:
            self.globals[cast("int", immediate)] = stack.pop()
        elif op == _DROP:
            stack.pop()
        elif op == _CALL:
            index = cast("int", immediate) - self.imported
            params, _ = self.module.types[self.module.functions[index]].func
            stack.extend(self._run(index, _pop(stack, len(params))))
        elif op != _END:
            self._access(op, cast("tuple[int, ...]", immediate), stack)

    def _access(self, op: int, argument: tuple[int, ...], stack: list[Raw]) -> None:
        size = 1 << BY_CODE[op][5]
        vector = b"" if op in VECTOR_LOADS or op == _LOAD else cast("bytes", stack.pop())
        address = cast("int", stack.pop()) + argument[0]
        if address + size > len(self.memory):
            raise OutOfBoundsError
        data = bytes(self.memory[address : address + size])
        if op == _LOAD:
            stack.append(int.from_bytes(data, "little"))
        elif op in VECTOR_LOADS:
            stack.append(VECTOR_LOADS[op](data))
        elif op in VECTOR_LANE_LOADS:
            stack.append(VECTOR_LANE_LOADS[op](data, vector, argument[3]))
        else:
            self.memory[address : address + size] = vector if op == _STORE else VECTOR_LANE_STORES[op](vector, argument[3])


def _pop(stack: list[Raw], count: int) -> list[Raw]:
    first = len(stack) - count
    values = stack[first:]
    del stack[first:]
    return values
