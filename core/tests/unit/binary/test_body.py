from __future__ import annotations

from core.tests.unit.binary.every_instruction import ROWS, every_instruction, immediate, place
from core.tests.unit.binary.module_bytes import assemble, module, one_function, section, signed, vector
from purewasm.binary.body import decode_body, decode_const
from purewasm.binary.decoder import decode_module
from purewasm.binary.immediates import READERS
from purewasm.binary.types import TypeSpace
from purewasm.wasm.features import Features
from purewasm.wasm.opcodes import CODE

ALL = Features.all()


def test_three_parallel_lists() -> None:
    code = assemble(
        "block", b"\x7f", "local.get", 300, "i32.const", signed(-5), "i32.load", 2, 128, "br_if", 0, "i8x16.splat", "drop",
        "i32.const", signed(1 << 19), "end", "drop",
    )  # fmt: skip
    made = decode_module(one_function(code), ALL)
    body = decode_body(made, made.codes[0])
    names = ["block", "local.get", "i32.const", "i32.load", "br_if", "i8x16.splat", "drop", "i32.const", "end", "drop", "end"]
    assert [CODE[text] for text in names] == body.ops
    assert body.imms == [((), (0x7F,)), 300, 0xFFFF_FFFB, (128, 0, 2), 0, None, None, 1 << 19, None, None, None]
    start = made.codes[0].start
    assert [offset - start for offset in body.offsets] == [0, 2, 5, 7, 11, 13, 15, 16, 20, 21, 22]


def test_the_fast_way_reads_what_the_strict_one_reads() -> None:
    made = decode_module(every_instruction(), ALL)
    space = TypeSpace(made.types, ALL.bits)
    for row, code in zip(ROWS, made.codes, strict=True):
        body = decode_body(made, code)
        i = body.offsets.index(code.start + place(row))
        assert row[0] == body.ops[i]
        assert READERS[row[2]](iter(immediate(row)), space) == body.imms[i], row[1]


def test_constant_expressions() -> None:
    made = decode_module(module(section(6, vector([b"\x7f\0" + assemble("i32.const", 5, "i32.const", 6, "i32.add", "end")]))), ALL)
    expression = made.globals[0].init
    body = decode_const(made, expression)
    assert (body.ops, body.imms) == ([CODE["i32.const"], CODE["i32.const"], CODE["i32.add"], CODE["end"]], [5, 6, None, None])
    assert [expression.start, expression.start + 2, expression.start + 4, expression.start + 5] == body.offsets
