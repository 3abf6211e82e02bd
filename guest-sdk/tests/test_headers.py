"""The C header under a real compiler: in several files, in C++, with warnings as errors. Skipped where there is no `ziglang`."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from purewasm import Runtime, Trap
from purewasm_global import Globals
from purewasm_guest import include_path

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("ziglang") is None, reason="needs the compiler in the package ziglang"),
]

ONE = """
#include <purewasm_global.h>
extern "C" uint64_t two(void);
extern "C" __attribute__((export_name("one"))) uint64_t one(void) { return purewasm_global_uint64("ONE", 1); }
extern "C" __attribute__((export_name("sum"))) uint64_t sum(void) { return one() + two(); }
"""
TWO = """
#include <purewasm_global.h>
uint64_t two(void) { return purewasm_global_uint64("TWO", 2); }
static char name[70];
__attribute__((export_name("long_name"))) uint64_t long_name(uint32_t length) {
    for (uint32_t i = 0; i < length; i++) {
        name[i] = 'x';
    }
    name[length] = 0;
    return purewasm_global_uint64(name, 7);
}
"""


@pytest.fixture(scope="module")
def guest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A guest of two files, one C and one C++, that both include the header."""
    folder = tmp_path_factory.mktemp("guest")
    (folder / "one.cpp").write_text(ONE, encoding="utf-8")
    (folder / "two.c").write_text(TWO, encoding="utf-8")
    options = ["--target=wasm32-freestanding", "-nostdlib", "-Os", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-I", str(include_path())]
    for name in ("one.cpp", "two.c"):
        command = [sys.executable, "-m", "ziglang", "c++" if name.endswith("cpp") else "cc", *options, "-c", name]
        subprocess.run(command, cwd=folder, check=True)
    link = ["one.o", "two.o", "-Wl,--no-entry", "-o", "guest.wasm"]
    subprocess.run([sys.executable, "-m", "ziglang", "cc", *options, *link], cwd=folder, check=True)
    return folder / "guest.wasm"


def test_the_files_of_a_guest_share_one_page(guest: Path) -> None:
    settings = Globals({"TWO": 20})
    with Runtime() as runtime:
        settings.register(runtime)
        exports = runtime.instantiate(guest).exports
        assert exports.sum() == 21
        settings["ONE"] = 10
        assert exports.sum() == 30


def test_a_name_may_fill_the_buffer_and_no_more(guest: Path) -> None:
    with Runtime() as runtime:
        Globals({"x" * 64: 9}).register(runtime)
        exports = runtime.instantiate(guest).exports
        assert exports.long_name(64) == 9
        assert exports.long_name(63) == 7
        with pytest.raises(Trap, match="unreachable"):
            exports.long_name(65)
