"""THE opcode table: every instruction that purewasm knows, once.

Each family of instructions is a file of rows `(code, name, immediate, signature, feature, width)`:

- `code`: the opcode byte, or `prefix << 12 | n` for one behind a prefix byte (0xFB, 0xFC, 0xFD, 0xFE);
- `name`: as the text format has it. Two binary forms of one name are told apart by a word behind a space (`select t`, `ref.test null`);
- `immediate`: one of the kinds in `immediates`, which says what follows the opcode and what a decoder makes of it;
- `signature`: `params>results`, one letter a value: i32 `i`, i64 `I`, f32 `f`, f64 `F`, v128 `V`, and `m` for the address type of
  the memory that is named; `*` where validation needs more than a signature (polymorphic and control instructions);
- `feature`: bit of the proposal that brought it (`features`), 0 for WebAssembly 1.0; with several bits, any one of them will do;
- `width`: for an access to memory log2 of the bytes that it touches, else 0.

Decoder, validator, text parser, printer, interpreter and compiler derive what they need from these rows.
"""

from __future__ import annotations

from purewasm.light_typing import Final
from purewasm.wasm.opcodes import (
    aggregate,
    atomic,
    calls,
    control,
    exceptions,
    memory,
    numeric,
    parametric,
    reference,
    table,
    variable,
    vector,
)

Row = tuple[int, str, int, str, int, int]

FAMILIES: Final[dict[str, tuple[Row, ...]]] = {
    "control": control.ROWS,
    "calls": calls.ROWS,
    "parametric": parametric.ROWS,
    "variable": variable.ROWS,
    "table": table.ROWS,
    "memory": memory.ROWS,
    "reference": reference.ROWS,
    "numeric": numeric.ROWS,
    "vector": vector.ROWS,
    "aggregate": aggregate.ROWS,
    "exceptions": exceptions.ROWS,
    "atomic": atomic.ROWS,
}

BY_CODE: Final[dict[int, Row]] = {row[0]: row for rows in FAMILIES.values() for row in rows}
CODE: Final[dict[str, int]] = {row[1]: row[0] for row in BY_CODE.values()}
"""Code of a name: `CODE["i32.add"] == 0x6A`."""
NAME: Final[dict[int, str]] = {code: row[1] for code, row in BY_CODE.items()}

PREFIXES: Final = (0xFB, 0xFC, 0xFD, 0xFE)
PREFIX_SHIFT: Final = 12

_LETTERS: Final = {"i": 0x7F, "I": 0x7E, "f": 0x7D, "F": 0x7C, "V": 0x7B, "m": -1}
ADDRESS: Final = -1
"""Stands in a signature for the address type of the instruction's memory (i32, or i64 for a 64-bit one)."""


Signature = tuple[tuple[int, ...], tuple[int, ...]]
_signatures: Final[dict[str, Signature]] = {}


def signature(code: int) -> Signature | None:
    """(parameter types, result types) of an instruction with a fixed signature, `ADDRESS` for an address; None for the others.

    Rows with one text share one object.
    """
    text = BY_CODE[code][3]
    if text == "*":
        return None
    known = _signatures.get(text)
    if known is None:
        params, _, results = text.partition(">")
        known = _signatures[text] = tuple(_LETTERS[c] for c in params), tuple(_LETTERS[c] for c in results)
    return known


def family_of(code: int) -> str:
    """Name of the family (and so of the file in each layer) that an instruction belongs to."""
    return next(family for family, rows in FAMILIES.items() if any(row[0] == code for row in rows))
