"""The straight ways give exactly what the general functions give, whatever the arguments."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from hostmods.wasi.tests.guest import PAGE, ByteMemory, FakeCaller, FakeInstance, signed
from purewasm import Interrupted
from purewasm_wasi import MemoryFS, VirtualClocks, Wasi, straight
from purewasm_wasi.flags import OFLAG_CREAT
from purewasm_wasi.preview1 import FUNCTIONS, Function, _bind
from purewasm_wasi.process import Process

END = 4 * PAGE
POINTERS = (0, 1, 4, 8, 64, 66, 128, 132, END - 16, END - 8, END - 4, END - 1, END, 0x7FFF_FFF8, 0xFFFF_FFF8, 0xFFFF_FFFF)
SIZES = (0, 1, 5, PAGE, END - 128, END, 0x7FFF_F001, 0xFFFF_FFFF)
DESCRIPTORS = (0, 1, 2, 3, 4, 5, 6, 99, 0xFFFF_FFFF)


def prepared(folder: Path, chance: random.Random) -> tuple[Process, ByteMemory, Wasi]:
    """A process with files of both kinds open, and a memory with iovecs that are good and bad."""
    (folder / "file").write_bytes(b"0123456789")
    files = MemoryFS({"file": b"abcdef"})
    wasi = Wasi(stdin=b"some input", stdout=folder / "out", dirs={"/": folder, "/m": files}, clocks=VirtualClocks(5, step=3))
    process = wasi.attach(FakeInstance())  # type: ignore[arg-type]  # all that is asked of one
    memory = ByteMemory()
    memory.write(0, b"file")
    for fd in (3, 4):
        open_file = FUNCTIONS[[row.name for row in FUNCTIONS].index("path_open")]
        call = _bind(open_file, open_file.implementation)
        assert 0 == call(FakeCaller(None, memory, process), fd, 0, 0, 4, OFLAG_CREAT, 66, 0, 0, 8)
    memory.write(0, bytes(chance.randrange(256) for _ in range(256)))
    for address in (64, 128, END - 8):
        memory.write(address, struct.pack("<II", chance.choice(POINTERS), chance.choice(SIZES)))
    return process, memory, wasi


def outcome(function: Callable[..., int], *arguments: object) -> object:
    try:
        return function(*arguments)
    except Exception as error:  # noqa: BLE001 (both have to raise the same)
        return type(error), str(error)


def random_arguments(row: Function, chance: random.Random) -> list[int]:
    if row.name == "clock_time_get":
        values = [chance.choice((0, 1, 2, 3, 4, 0xFFFF_FFFF)), chance.randrange(1 << 64), chance.choice(POINTERS)]
    else:
        values = [chance.choice(DESCRIPTORS), chance.choice(POINTERS), chance.choice((0, 1, 1, 1, 2)), chance.choice(POINTERS)]
    return [signed(kind, value) for kind, value in zip(row.kinds(), values, strict=True)]


@pytest.mark.parametrize("name", ["fd_write", "fd_read", "clock_time_get"])
@pytest.mark.parametrize("seed", range(15))
def test_the_same_results(name: str, seed: int, tmp_path: Path) -> None:
    row = next(row for row in FUNCTIONS if row.name == name)
    general = _bind(row, row.implementation)
    way = straight.WAYS[row.implementation](general)
    results = []
    for number, function in enumerate((general, way)):
        folder = tmp_path / str(number)
        folder.mkdir()
        chance = random.Random(seed)
        process, memory, wasi = prepared(folder, chance)
        caller = FakeCaller(None, memory, process)
        done: list[object] = []
        for _ in range(60):
            arguments = random_arguments(row, chance)
            done.append((arguments, outcome(function, caller, *arguments)))
        done.append(bytes(memory.data))
        wasi.close()
        done.append([(folder / file).read_bytes() for file in ("file", "out")])
        results.append(done)
    assert results[0] == results[1]


@pytest.mark.parametrize("name", ["fd_write", "fd_read", "clock_time_get"])
def test_a_closed_instance_is_interrupted(name: str) -> None:
    row = next(row for row in FUNCTIONS if row.name == name)
    way = straight.WAYS[row.implementation](_bind(row, row.implementation))
    with pytest.raises(Interrupted):
        way(FakeCaller(None, ByteMemory(), None), *(1 for _ in row.kinds()))
