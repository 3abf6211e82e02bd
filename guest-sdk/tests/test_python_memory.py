"""Guests in Python: size, the arena, texts from outside, and several files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from purewasm import Instance, Runtime, Trap
from purewasm_guest.python.compiler import compile_guest

pytest_plugins = ["purewasm.testing.plugin"]

HELLO = """
from purewasm_guest.python import export

@export
def hello(name: str) -> str:
    return f"hello, {name}!"
"""
COUNTER = """
from purewasm_guest.python import export

total = 0

@export
def waste(count: int) -> int:
    global total
    kept: list[str] = []
    for index in range(count):
        kept.append("x" * 1000)
    total += len(kept)
    return total

@export
def fill(count: int) -> bytes:
    return bytes(count)

@export
def fails() -> None:
    kept = [0] * 1000
    assert len(kept) == 0
"""


@pytest.fixture
def compiled(tmp_path: Path) -> Callable[[str], bytes]:
    """The module of a source."""

    def compile_it(text: str) -> bytes:
        path = tmp_path / "guest.py"
        path.write_text(text, encoding="utf-8")
        return compile_guest(path)

    return compile_it


def _hello(instance: Instance, name: bytes) -> bytes:
    exports = instance.exports
    address = exports.allocate(len(name))
    exports.memory.write(address, name)
    found, size = exports.hello(address, len(name))
    return bytes(exports.memory.read(found, size))


def test_a_guest_is_small(compiled: Callable[[str], bytes]) -> None:
    assert len(compiled(HELLO)) < 4096
    assert len(compiled("from purewasm_guest.python import export\n@export\ndef f(a: int) -> int:\n    return a + 1\n")) < 512


def test_the_same_source_gives_the_same_bytes(compiled: Callable[[str], bytes]) -> None:
    assert compiled(COUNTER) == compiled(COUNTER)


def test_texts_from_outside(runtime: Runtime, compiled: Callable[[str], bytes]) -> None:
    instance = runtime.instantiate(compiled(HELLO))
    assert [_hello(instance, name) for name in (b"you", "Zoë 🐍".encode(), b"")] == [b"hello, you!", "hello, Zoë 🐍!".encode(), b"hello, !"]


@pytest.mark.parametrize(
    "content", [b"\xff", b"\xc0\x80", b"\xe0\x80\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xf0\x8f\xbf\xbf", b"a\xe2\x82", b"\x80"]
)
def test_a_str_from_outside_is_utf8(runtime: Runtime, compiled: Callable[[str], bytes], content: bytes) -> None:
    instance = runtime.instantiate(compiled(HELLO))
    with pytest.raises(Trap):
        _hello(instance, content)
    assert _hello(instance, b"you") == b"hello, you!"


@pytest.mark.parametrize(("address", "size"), [(0xFFFFFFF0, 8), (0, 0xFFFFFFFF), (65_530, 0x7FFFFFFF), (-1, 1)])
def test_a_str_outside_the_memory(runtime: Runtime, compiled: Callable[[str], bytes], address: int, size: int) -> None:
    exports = runtime.instantiate(compiled(HELLO)).exports
    with pytest.raises(Trap):
        exports.hello(address, size)


def test_a_call_leaves_no_memory_taken(runtime: Runtime, compiled: Callable[[str], bytes]) -> None:
    exports = runtime.instantiate(compiled(COUNTER)).exports
    assert exports.waste(200) == 200
    size = exports.memory.size
    assert [exports.waste(200) for _ in range(50)][-1] == 51 * 200
    for _ in range(50):
        address, count = exports.fill(150_000)
        assert exports.memory.read(address, count) == bytes(150_000)
    assert exports.memory.size == size


def test_more_than_there_is(compiled: Callable[[str], bytes]) -> None:
    with Runtime(memory_limit_pages=16) as runtime:
        exports = runtime.instantiate(compiled(COUNTER)).exports
        with pytest.raises(Trap):
            exports.waste(100_000)
        with pytest.raises(Trap):
            exports.fill(-1)
        with pytest.raises(Trap):
            exports.fails()


def test_a_guest_of_several_files(runtime: Runtime, tmp_path: Path) -> None:
    (tmp_path / "text.py").write_text(
        "from dataclasses import dataclass\nWORD = 'ab'\n@dataclass\nclass Pair:\n    a: int\n    b: int = 3\n"
        "def text_concat(a: int) -> int:\n    return a * 2\n"
    )
    (tmp_path / "guest.py").write_text(
        "import text\nfrom text import Pair\nfrom purewasm_guest.python import export\n@export\ndef f(a: int) -> int:\n"
        "    pair = text.Pair(a)\n    both: list[text.Pair] = [pair, Pair(1, 2)]\n"
        "    return text.text_concat(pair.a + both[1].b + pair.b) + len(text.WORD + 'c')\n"
    )
    assert runtime.instantiate(compile_guest(tmp_path / "guest.py")).exports.f(5) == 23
