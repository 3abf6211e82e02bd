"""Data that instances map instead of copying: the same bytes, of each instance its own."""

from __future__ import annotations

import gc
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from purewasm import Instance, Runtime, Trap
from purewasm.engine.native.memory import NativeMemory
from purewasm.store.layout import RESERVED_BYTES

if TYPE_CHECKING:
    from purewasm.engine.native.data_image import DataImage

MAPS_FILES = pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="needs files in memory")
FIRST, SECOND = bytes(range(1, 251)) * 80, b"overlapping" * 3


def module(*segments: str, memory: str = '(memory (export "memory") 3 8)', more: str = "") -> str:
    text = " ".join(segments)
    return f'(module {memory} {text} {more} (func (export "store") (param i32 i32) (i32.store8 (local.get 0) (local.get 1))))'


def segment(offset: str, data: bytes) -> str:
    return f'(data ({offset}) "{"".join(f"{chr(92)}{byte:02x}" for byte in data)}")'


TEXT = module(segment("i32.const 70000", FIRST), segment("i32.const 70100", SECOND), segment("i32.const 1000", b"low"))


def image_of(instance: Instance) -> DataImage | None:
    from purewasm.engine.native.module_code import ModuleCode

    assert isinstance(instance.code, ModuleCode)
    return instance.code._data_image


def instances(runtime: Runtime, text: str, count: int = 3) -> list[Instance]:
    compiled = runtime.compile(text)
    return [runtime.instantiate(compiled) for _ in range(count)]


@MAPS_FILES
def test_every_instance_has_the_same_bytes_of_its_own(runtime: Runtime) -> None:
    made = instances(runtime, TEXT)
    assert [instance.data_in_place for instance in made] == [False, True, True]
    expected = bytearray(3 << 16)
    expected[70000 : 70000 + len(FIRST)] = FIRST
    expected[70100 : 70100 + len(SECOND)] = SECOND
    expected[1000:1003] = b"low"
    assert all(bytes(instance.memory.data) == expected for instance in made)
    for number, instance in enumerate(made):
        instance.exports.store(70001, number)
        instance.memory.write(2000, bytes([number]))
    assert [(instance.memory.read_u8(70001), instance.memory.read_u8(2000)) for instance in made] == [(0, 0), (1, 1), (2, 2)]
    assert instances(runtime, TEXT)[2].memory.read(70000, 3) == FIRST[:3]


@MAPS_FILES
@pytest.mark.parametrize(("pages", "mappings"), [(3, 2), (16, 2), (17, 4)])
def test_a_small_memory_is_mapped_as_a_whole(runtime: Runtime, pages: int, mappings: int) -> None:
    first = segment("i32.const 70000", FIRST)
    instance = instances(runtime, module(first, memory=f'(memory (export "memory") {pages})'))[2]
    memory = instance.memory
    assert isinstance(memory, NativeMemory)
    end = memory.address + RESERVED_BYTES
    lines = Path("/proc/self/maps").read_text().splitlines()
    starts = [int(line.partition("-")[0], 16) for line in lines]
    assert sum(memory.address <= start < end for start in starts) == mappings
    assert memory.read(70000, len(FIRST)) == FIRST
    instance.exports.store(pages * 65536 - 1, 5)
    with pytest.raises(Trap, match="out of bounds memory access"):
        instance.exports.store(pages * 65536, 5)


def test_nothing_that_an_instance_wrote_is_in_a_later_one(runtime: Runtime) -> None:
    more = """(global $g (export "g") (mut i64) (i64.const 77)) (table $t (export "t") 4 funcref) (elem (table $t) (i32.const 1) func $set)
      (func $set (export "set") (global.set $g (i64.const -1)) (table.fill $t (i32.const 0) (ref.func $set) (i32.const 4)))
      (func (export "grow") (drop (memory.grow (i32.const 2))) (drop (table.grow $t (ref.func $set) (i32.const 30))))"""
    compiled = runtime.compile(module(segment("i32.const 70000", FIRST), more=more))
    expected = bytearray(3 << 16)
    expected[70000 : 70000 + len(FIRST)] = FIRST
    for _ in range(30):
        instance = runtime.instantiate(compiled)
        memory, table = instance.memory, instance.exports.t
        assert bytes(memory.data) == expected
        assert (instance.exports.g.value, table.size, [table.get(i) is None for i in range(4)]) == (77, 4, [True, False, True, True])
        instance.exports.grow()
        instance.exports.set()
        memory.write(0, b"\xff" * len(memory))
        instance.close()


def test_a_mapped_memory_grows_and_traps(runtime: Runtime) -> None:
    instance = instances(runtime, TEXT)[2]
    with pytest.raises(Trap, match="out of bounds memory access"):
        instance.exports.store(3 << 16, 1)
    assert instance.memory.grow(2) == 3
    instance.exports.store(5 * 65536 - 1, 7)
    assert (instance.memory.read_u8(5 * 65536 - 1), instance.memory.read(1000, 3), instance.memory.read_u8(3 << 16)) == (7, b"low", 0)


def test_active_segments_are_dropped(runtime: Runtime) -> None:
    more = '(func (export "init") (memory.init 0 (i32.const 0) (i32.const 0) (i32.const 1)))'
    for instance in instances(runtime, module(segment("i32.const 0", FIRST), more=more)):
        with pytest.raises(Trap, match="out of bounds memory access"):
            instance.exports.init()


@pytest.mark.parametrize(
    "text",
    [
        module(segment("i32.const 0", b"small")),
        module(segment("i32.const 0", FIRST), segment("i32.const 196000", b"far")),
        module(segment("i32.add (i32.const 1) (i32.const 2)", FIRST)),
        module(segment("i32.const 4", FIRST), memory='(memory (export "memory") i64 3)').replace("i32.const 4", "i64.const 4").replace(
            "(param i32 i32)", "(param i64 i32)"
        ),
        module(segment("i32.const 0", FIRST), more='(import "m" "t" (table 1 funcref))').replace("(module", "(module ", 1),
    ],
    ids=["small", "far apart", "computed", "64-bit addresses", "imported table"],
)
def test_whatever_the_segments_are_instances_are_alike(runtime: Runtime, text: str) -> None:
    if "import" in text:
        head, _, tail = text.partition('(import "m" "t" (table 1 funcref))')
        text = head.replace("(module", '(module (import "m" "t" (table 1 funcref))') + tail
        table = runtime.instantiate('(module (table (export "t") 1 funcref))').exports.t
        compiled = runtime.compile(text)
        made = [runtime.instantiate(compiled, imports={"m": {"t": table}}) for _ in range(3)]
        assert image_of(made[2]) is None
    else:
        made = instances(runtime, text)
    assert len({bytes(instance.memory.data) for instance in made}) == 1
    assert any(made[0].memory.data)


def test_data_that_do_not_fit_trap_in_every_instance(runtime: Runtime) -> None:
    compiled = runtime.compile(module(segment("i32.const 0", FIRST), segment("i32.const 196600", b"too long a text")))
    for _ in range(3):
        with pytest.raises(Trap, match="out of bounds memory access"):
            runtime.instantiate(compiled)


def test_without_a_mapping_or_room_for_a_file_data_are_copied(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    from purewasm.engine.native.libc import system

    real = system.map_pages

    def no_files(size: int, protection: int, flags: int = system.MAP_PRIVATE | system.MAP_ANONYMOUS, fd: int = -1, at: int = 0) -> int:
        if fd >= 0 and flags & system.MAP_PRIVATE:
            system.unmap_pages(at, size)  # as a failed call may leave it
            raise OSError(12, "Cannot allocate memory")
        return real(size, protection, flags, fd, at)

    compiled = runtime.compile(TEXT)
    first = runtime.instantiate(compiled)
    monkeypatch.setattr(system, "map_pages", no_files)
    second = runtime.instantiate(compiled)
    assert not second.data_in_place
    assert bytes(first.memory.data) == bytes(second.memory.data)


@MAPS_FILES
def test_a_file_that_cannot_be_written_is_not_used(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(fd: int, data: bytes, offset: int) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    made = instances(runtime, TEXT)
    assert len({bytes(instance.memory.data) for instance in made}) == 1
    assert not any(instance.data_in_place for instance in made)


@MAPS_FILES
def test_the_file_is_closed_with_the_module() -> None:
    def count() -> int:
        gc.collect()
        return len(os.listdir("/proc/self/fd"))

    with Runtime(engine="compiler") as warm:
        instances(warm, TEXT)
    before = count()
    for number in range(5):
        with Runtime(engine="compiler") as runtime:
            assert image_of(instances(runtime, TEXT.replace("low", f"lo{number}"))[2]) is not None
        del runtime
    assert count() == before
