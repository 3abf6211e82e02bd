"""The C header under a real compiler: in several files, in C++, with warnings as errors. Skipped where there is no `ziglang`."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from purewasm import Runtime, Trap
from purewasm.hostmod import Status
from purewasm_global import Globals
from purewasm_guest import include_path
from purewasm_kv import Kv

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("ziglang") is None, reason="needs the compiler in the package ziglang"),
]

ONE = """
#include <purewasm_global.h>
#include <purewasm_globals.h>
#include <purewasm_http.h>
#include <purewasm_kv.h>
#include <purewasm_log.h>
extern "C" __attribute__((export_name("both"))) int32_t both(void) {
    purewasm_bytes value;
    bool found;
    return purewasm_kv_get(purewasm_text_of("a"), &value) + purewasm_kv_exists(purewasm_text_of("b"), &found);
}
extern "C" uint64_t two(void);
extern "C" __attribute__((export_name("one"))) uint64_t one(void) { return purewasm_global_uint64("ONE", 1); }
extern "C" __attribute__((export_name("sum"))) uint64_t sum(void) { return one() + two(); }
"""
TWO = """
#include <purewasm_global.h>
#include <purewasm_kv.h>
__attribute__((export_name("set"))) int32_t set(void) {
    purewasm_bytes value = {(const uint8_t *)"1", 1};
    return purewasm_kv_set(PUREWASM_TEXT("a"), value, 0);
}
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
        Kv().register(runtime)
        exports = runtime.instantiate(guest).exports
        assert exports.sum() == 21
        settings["ONE"] = 10
        assert exports.sum() == 30


def test_a_name_may_fill_the_buffer_and_no_more(guest: Path) -> None:
    with Runtime() as runtime:
        Globals({"x" * 64: 9}).register(runtime)
        Kv().register(runtime)
        exports = runtime.instantiate(guest).exports
        assert exports.long_name(64) == 9
        assert exports.long_name(63) == 7
        with pytest.raises(Trap, match="unreachable"):
            exports.long_name(65)


def test_the_files_of_a_guest_share_one_mailbox(guest: Path) -> None:
    with Runtime() as runtime:
        Globals().register(runtime)
        Kv().register(runtime)
        exports = runtime.instantiate(guest).exports
        assert exports.both() == Status.NOT_FOUND
        assert exports.set() == Status.OK
        assert exports.both() == Status.OK
        needs = {need.module: need.abi for need in runtime.resolve(guest)}
        assert needs == {"pantopic/wazero-global": None, "purewasm/kv@1": 1}
