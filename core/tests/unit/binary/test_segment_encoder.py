"""Element and data segments take the shortest form that says it, and are read back as they were."""

from __future__ import annotations

import pytest

from purewasm.binary import primitive_encoder as enc
from purewasm.binary.decoder import decode_module
from purewasm.binary.segment_encoder import REF_FUNC, data_segment, element_segment
from purewasm.wasm import valtypes as vt
from purewasm.wasm.features import Features
from purewasm.wasm.module import ACTIVE, DECLARATIVE, PASSIVE

ZERO = b"\x41\0\x0b"
NULL = b"\xd0\x70\x0b"


@pytest.mark.parametrize(
    ("mode", "table", "reftype", "items", "flags"),
    [
        (ACTIVE, 0, REF_FUNC, [0, 1], 0),
        (PASSIVE, 0, REF_FUNC, [0], 1),
        (ACTIVE, 2, REF_FUNC, [0], 2),
        (DECLARATIVE, 0, REF_FUNC, [0], 3),
        (ACTIVE, 0, vt.FUNCREF, [NULL], 4),
        (PASSIVE, 0, vt.FUNCREF, [NULL], 5),
        (ACTIVE, 2, vt.FUNCREF, [NULL], 6),
        (ACTIVE, 0, vt.EXTERNREF, [b"\xd0\x6f\x0b"], 6),
        (DECLARATIVE, 0, vt.FUNCREF, [NULL], 7),
        (ACTIVE, 0, REF_FUNC, [], 0),
        (ACTIVE, 0, vt.FUNCREF, [], 4),
        (PASSIVE, 0, vt.EXTERNREF, [], 5),
    ],
)
def test_element_segments(mode: int, table: int, reftype: int, items: list[int | bytes], flags: int) -> None:
    offset = ZERO if mode == ACTIVE else None
    encoded = element_segment(mode, table, offset, reftype, items)
    assert encoded[0] == flags
    source = enc.MAGIC_AND_VERSION + enc.section(enc.ELEMENT, enc.vector([encoded]))
    (segment,) = decode_module(source, Features.WASM3).elements
    found = [item if isinstance(item, int) else source[item.start : item.end] for item in segment.items]
    assert (segment.mode, segment.table, segment.reftype, found) == (mode, table, reftype, items)


def test_function_indices_stay_indices_in_the_first_version_of_the_spec() -> None:
    assert element_segment(ACTIVE, 0, ZERO, vt.FUNCREF, [7]) == b"\0" + ZERO + b"\1\7"


def test_data_segments() -> None:
    assert data_segment(ACTIVE, 0, ZERO, b"ab") == b"\0" + ZERO + b"\2ab"
    assert data_segment(ACTIVE, 3, ZERO, b"") == b"\2\3" + ZERO + b"\0"
    assert data_segment(PASSIVE, 0, None, b"a") == b"\1\1a"
