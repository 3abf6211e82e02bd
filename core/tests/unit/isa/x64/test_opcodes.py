from __future__ import annotations

import pytest

from purewasm.errors import InternalError
from purewasm.isa.x64.opcodes import Legacy, Vex, parse_opcode


@pytest.mark.parametrize(
    ("text", "prefix", "w", "opcode", "digit", "has_modrm", "in_opcode", "immediate_bytes"),
    [
        ("03 /r", "", 0, "03", -1, True, False, 0),
        ("REX.W 81 /5 id", "", 1, "81", 5, True, False, 4),
        ("66 F0 0F B1 /r", "66 f0", 0, "0f b1", -1, True, False, 0),
        ("F3 REX.W 0F 2A /r", "f3", 1, "0f 2a", -1, True, False, 0),
        ("REX.W B8+r io", "", 1, "b8", -1, False, True, 8),
        ("66 0F 66 /r", "66", 0, "0f 66", -1, True, False, 0),
        ("66 90", "66", 0, "90", -1, False, False, 0),
        ("F3 0F 1E FA", "f3", 0, "0f 1e fa", -1, False, False, 0),
        ("0F 80 cd", "", 0, "0f 80", -1, False, False, 4),
    ],
)
def test_legacy(
    text: str, prefix: str, w: int, opcode: str, digit: int, has_modrm: bool, in_opcode: bool, immediate_bytes: int
) -> None:
    parsed = parse_opcode(text)
    assert isinstance(parsed, Legacy)
    assert (bytes.fromhex(prefix), w, bytes.fromhex(opcode)) == (parsed.prefix, parsed.w, parsed.opcode)
    assert (digit, has_modrm, in_opcode, immediate_bytes) == (
        parsed.digit, parsed.has_modrm, parsed.register_in_opcode, parsed.immediate_bytes,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "pp", "opcode_map", "w", "opcode", "digit", "immediate_bytes"),
    [
        ("VEX.128.66.0F38.WIG 00 /r", 1, 2, 0, 0x00, -1, 0),
        ("VEX.LZ.0F38.W1 F3 /3", 0, 2, 1, 0xF3, 3, 0),
        ("VEX.LIG.F2.0F.WIG 58 /r", 3, 1, 0, 0x58, -1, 0),
        ("VEX.LZ.F2.0F3A.W0 F0 /r ib", 3, 3, 0, 0xF0, -1, 1),
        ("VEX.128.66.0F3A.W0 4C /r /is4", 1, 3, 0, 0x4C, -1, 1),
    ],
)
def test_vex(text: str, pp: int, opcode_map: int, w: int, opcode: int, digit: int, immediate_bytes: int) -> None:
    parsed = parse_opcode(text)
    assert isinstance(parsed, Vex)
    assert (pp, opcode_map, w, opcode) == (parsed.pp, parsed.map, parsed.w, parsed.opcode)
    assert (digit, True, immediate_bytes) == (parsed.digit, parsed.has_modrm, parsed.immediate_bytes)


def test_legacy_head() -> None:
    add = parse_opcode("03 /r")
    assert add.head(0, 0, 0) == b"\x03"
    assert add.head(0, 0, 0, byte_register=True) == b"\x40\x03"
    assert [add.head(1, 0, 0), add.head(0, 1, 0), add.head(0, 0, 1)] == [b"\x44\x03", b"\x42\x03", b"\x41\x03"]
    assert parse_opcode("F2 REX.W 0F 2A /r").head(1, 0, 1) == b"\xf2\x4d\x0f\x2a"


def test_vex_head() -> None:
    short, wide = parse_opcode("VEX.LIG.F2.0F.WIG 58 /r"), parse_opcode("VEX.LZ.66.0F38.W1 F7 /r")
    assert bytes.fromhex("c5 fb 58") == short.head(0, 0, 0)
    assert bytes.fromhex("c5 03 58") == short.head(1, 0, 0, 15)
    assert bytes.fromhex("c4 a1 7b 58") == short.head(0, 1, 0)
    assert bytes.fromhex("c4 c1 7b 58") == short.head(0, 0, 1)
    assert bytes.fromhex("c4 e2 f1 f7") == wide.head(0, 0, 0, 1)


@pytest.mark.parametrize("text", ["VEX.256.66.0F.WIG 58 /r", "VEX.128.66.0F.W2 58 /r", "VEX.128.66.0F.W0 58 59 /r"])
def test_bad_notation(text: str) -> None:
    with pytest.raises(InternalError, match="bad opcode column"):
        parse_opcode(text)
