"""What a decoded module says, apart from where it stands in the source: to compare modules whose bytes differ."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from purewasm.binary.body import decode_body, decode_const
from purewasm.binary.decoder import decode_module
from purewasm.binary.names import decode_names
from purewasm.wasm.features import Features

if TYPE_CHECKING:
    from purewasm.wasm.module import ConstExpr, WasmModule

_NAMES = (
    "module", "functions", "locals", "labels", "types", "tables", "memories", "globals", "elements", "data", "fields", "tags",
)  # fmt: skip


def facts(source: bytes) -> dict[str, object]:
    """Everything that `decode_module` finds in the bytes of a module, instructions and names included."""
    module = decode_module(source, Features.all())
    return {
        "types": (module.types, module.rec_groups),
        "imports": module.imports,
        "functions": module.functions,
        "tables": [(table.type, _expression(module, table.init)) for table in module.tables],
        "memories": module.memories,
        "tags": module.tags,
        "globals": [(item.type, _expression(module, item.init)) for item in module.globals],
        "exports": module.exports,
        "start": module.start,
        "elements": [
            (
                s.mode,
                s.table,
                _expression(module, s.offset),
                s.reftype,
                [i if isinstance(i, int) else _expression(module, i) for i in s.items],
            )
            for s in module.elements
        ],
        "bodies": [(code_locals(code.locals), _instructions(module, number)) for number, code in enumerate(module.codes)],
        "data": [(s.mode, s.memory, _expression(module, s.offset), source[s.start : s.end]) for s in module.data],
        "customs": [custom for custom in module.customs if custom.name != "name"],
        "names": {kind: getattr(decode_names(module), kind) for kind in _NAMES},
    }


def code_locals(runs: tuple[tuple[int, int], ...]) -> list[tuple[int, int]]:
    """Runs of locals, with runs of one type that follow each other put together."""
    return [(valtype, sum(count for count, _ in same)) for valtype, same in groupby(runs, key=lambda run: run[1])]


def _instructions(module: WasmModule, number: int) -> list[tuple[int, object]]:
    body = decode_body(module, module.codes[number])
    return list(zip(body.ops, body.imms, strict=True))


def _expression(module: WasmModule, expression: ConstExpr | None) -> list[tuple[int, object]] | None:
    if expression is None:
        return None
    body = decode_const(module, expression)
    return list(zip(body.ops, body.imms, strict=True))
