"""Code memory: where code is found, and how it is written where the same page cannot be mapped twice."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from purewasm import Runtime

if TYPE_CHECKING:
    from purewasm.engine.native.code_memory import CodeRegion

RETURN = b"\xc3"


def test_a_region_that_goes_while_another_comes(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    from purewasm.engine.native import code_memory

    first, second = (code_memory.CodeRegion(1 << 16) for _ in range(2))
    real, left = code_memory._address, [first]

    def address(region: CodeRegion) -> int:
        if left:
            left.pop().free()  # as a collection of garbage does
        return real(region)

    monkeypatch.setattr(code_memory, "_address", address)
    third = code_memory.CodeRegion(1 << 16)
    monkeypatch.undo()
    assert first not in code_memory._regions
    assert second in code_memory._regions
    assert third in code_memory._regions
    for region in (second, third):
        region.free()


@pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="needs a system that has files in memory, to take them away")
def test_code_without_files_in_memory(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    from purewasm.engine.native import code_memory

    def mappings() -> list[list[str]]:
        with open("/proc/self/maps") as maps:
            return [line.split()[:2] for line in maps]

    def unsafe() -> list[str]:
        return [span for span, mode in mappings() if "w" in mode and "x" in mode]

    monkeypatch.delattr(os, "memfd_create")
    before = unsafe()  # of other packages in this process, where ctypes makes callbacks
    memory = code_memory.CodeMemory()
    addresses = [memory.add(RETURN * size) for size in (1, 5000, 1 << 17, 1)]
    addresses += memory.add_all(memoryview(RETURN * 5000), [0, 64], [])
    ranges = mappings()
    for address in addresses:
        (mode,) = [mode for span, mode in ranges if int(span.partition("-")[0], 16) <= address < int(span.partition("-")[2], 16)]
        assert mode == "r-xp"
    assert unsafe() == before
