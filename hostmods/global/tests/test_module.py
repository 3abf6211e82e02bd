"""The host module end to end: SDK guests, initialisation, several instances and runtimes, threads, lifetime."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from purewasm import Instance, LinkError, Runtime, Trap
from purewasm_global import Globals

GuestText = Callable[..., str]

# Asks for "X" with the default 1 and gives the answer back.
ASK_X = """
    (data (i32.const 128) "X")
    (func $ask_x (export "ask_x") (result i64)
        (i64.store (i32.const 64) (i64.const 1))
        (i32.store (i32.const 72) (i32.const 64))
        (i32.store (i32.const 76) (i32.const 1))
        (call $get)
        (i64.load (i32.const 64)))"""


def test_defaults_overrides_and_defaults_again(runtime: Runtime, sdk_guest: Path) -> None:
    settings = Globals()
    settings.register(runtime)
    instance = runtime.instantiate(sdk_guest, name="mod1")
    instance.exports.testGet()
    settings.set("TEST_BOOL", 0)
    settings.set("TEST_UINT64", 43)
    settings.set("TEST_DURATION", 1_000_000_000)
    instance.exports.testOverride()
    with pytest.raises(Trap, match="unreachable"):
        instance.exports.testGet()
    for name in ("TEST_BOOL", "TEST_UINT64", "TEST_DURATION"):
        settings.delete(name)
    instance.exports.testGet()
    with pytest.raises(Trap, match="unreachable"):
        instance.exports.testOverride()


def test_the_mapping() -> None:
    settings = Globals({"A": 1})
    settings["B"] = 2
    assert dict(settings) == {"A": 1, "B": 2}
    assert len(settings) == 2
    assert "A" in settings
    assert "C" not in settings
    assert settings.get("C") is None
    del settings["A"]
    with pytest.raises(KeyError):
        del settings["A"]
    with pytest.raises(KeyError):
        settings["A"]
    settings.delete("A")
    assert repr(settings) == "Globals({'B': 2})"
    assert settings.pop("B") == 2
    assert settings.copy() == {}


def test_a_value_may_change_while_someone_iterates() -> None:
    settings = Globals({"A": 1, "B": 2})
    for name in settings:
        settings.delete(name)
    assert len(settings) == 0


@pytest.mark.parametrize("bits", [0, 2**63, 2**64 - 1])
def test_all_64_bits_arrive(runtime: Runtime, guest_text: GuestText, bits: int) -> None:
    settings = Globals({"X": bits})
    settings.register(runtime)
    instance = runtime.instantiate(guest_text(more=ASK_X))
    assert instance.exports.ask_x() % 2**64 == bits


def test_the_empty_name_is_a_name(runtime: Runtime, guest_text: GuestText) -> None:
    Globals({"": 5}).register(runtime)
    instance = runtime.instantiate(guest_text())
    instance.exports.ask()
    assert instance.memory.read_u64(64) == 5


@pytest.mark.parametrize(
    "initialiser",
    ["(start $init)", '(export "_initialize" (func $init))'],
    ids=["start function", "reactor"],
)
def test_a_guest_may_ask_while_it_initialises(runtime: Runtime, guest_text: GuestText, initialiser: str) -> None:
    Globals({"X": 7}).register(runtime)
    more = f"""{ASK_X}
        (global $seen (mut i64) (i64.const 0))
        (func $init (global.set $seen (call $ask_x)))
        {initialiser}
        (func (export "seen") (result i64) (global.get $seen))"""
    instance = runtime.instantiate(guest_text(more=more))
    assert instance.exports.seen() == 7


def test_the_page_is_read_once_and_only_when_needed(runtime: Runtime, guest_text: GuestText) -> None:
    Globals().register(runtime)
    instance = runtime.instantiate(guest_text(more=ASK_X))
    assert instance.exports.pages_read() == 0
    for _ in range(3):
        instance.exports.ask_x()
    assert instance.exports.pages_read() == 1


def test_instances_share_values_but_not_pages(runtime: Runtime, guest_text: GuestText) -> None:
    settings = Globals()
    settings.register(runtime)
    first = runtime.instantiate(guest_text(more=ASK_X))
    other_page = r'(data (i32.const 32) "\08\01\00\00\48\00\00\00\4c\00\00\00\80\00\00\00")'
    second = runtime.instantiate(guest_text(page=32, more=ASK_X + other_page))
    settings["X"] = 9
    assert first.exports.ask_x() == 9
    assert second.exports.ask_x() == 1
    assert second.memory.read_u64(0x108) == 9


def test_runtimes_share_values(guest_text: GuestText) -> None:
    settings = Globals({"X": 3})
    with Runtime() as one, Runtime() as other:
        for runtime in (one, other):
            settings.register(runtime)
        guests = [runtime.instantiate(guest_text(more=ASK_X)) for runtime in (one, other)]
        settings["X"] = 4
        assert [guest.exports.ask_x() for guest in guests] == [4, 4]
    with Runtime() as third:
        settings.register(third)
        assert third.instantiate(guest_text(more=ASK_X)).exports.ask_x() == 4


def test_one_instance_may_have_values_of_its_own(runtime: Runtime, guest_text: GuestText) -> None:
    everyone, one = Globals({"X": 3}), Globals({"X": 4})
    everyone.register(runtime)
    text = guest_text(more=ASK_X)
    assert runtime.instantiate(text, imports=one.host_module).exports.ask_x() == 4
    assert runtime.instantiate(text).exports.ask_x() == 3


def test_a_runtime_has_one_of_them(runtime: Runtime) -> None:
    Globals().register(runtime)
    with pytest.raises(LinkError, match="pantopic/wazero-global"):
        Globals().register(runtime)


def test_a_runtime_without_it_refuses_the_guest(runtime: Runtime, guest_text: GuestText) -> None:
    with pytest.raises(LinkError, match="pantopic/wazero-global"):
        runtime.instantiate(guest_text())


def test_a_memory_that_grew(runtime: Runtime, guest_text: GuestText) -> None:
    Globals({"X": 7}).register(runtime)
    instance = runtime.instantiate(guest_text(cells=(64, 72, 76, 70_000), memory='(memory (export "memory") 1 2)'))
    memory = instance.memory
    memory.grow(1)
    memory.write_u32(72, 64)
    memory.write_u32(76, 1)
    memory.write(70_000, b"X")
    instance.exports.ask()
    assert memory.read_u64(64) == 7


def test_threads_see_whole_values(guest_text: GuestText) -> None:
    settings = Globals({"X": 0})
    values = {0, 2**64 - 1}
    stop = threading.Event()

    def change() -> None:
        while not stop.is_set():
            for value in values:
                settings["X"] = value

    def read() -> set[int]:
        with Runtime() as runtime:
            settings.register(runtime)
            instance = runtime.instantiate(guest_text(more=ASK_X))
            return {instance.exports.ask_x() % 2**64 for _ in range(300)}

    changer = threading.Thread(target=change)
    changer.start()
    try:
        with ThreadPoolExecutor(4) as pool:
            seen = [future.result() for future in [pool.submit(read) for _ in range(8)]]
    finally:
        stop.set()
        changer.join()
    assert all(found <= values for found in seen)


def _ask_and_drop(settings: Globals, text: str) -> weakref.ref[Instance]:
    with Runtime() as runtime:
        settings.register(runtime)
        instance = runtime.instantiate(text)
        instance.exports.ask_x()
        return weakref.ref(instance)


def test_it_keeps_no_instance_alive(guest_text: GuestText) -> None:
    settings = Globals({"X": 1})
    instances = [_ask_and_drop(settings, guest_text(more=ASK_X)) for _ in range(20)]
    gc.collect()
    assert [instance() for instance in instances] == [None] * 20
    assert dict(settings) == {"X": 1}


def test_close_forgets_the_values(runtime: Runtime, guest_text: GuestText) -> None:
    settings = Globals({"X": 7})
    settings.register(runtime)
    instance = runtime.instantiate(guest_text(more=ASK_X))
    assert instance.exports.ask_x() == 7
    settings.close()
    settings.close()
    assert instance.exports.ask_x() == 1


def test_it_is_listed_under_its_import_module_name() -> None:
    (entry,) = entry_points(group="purewasm.hostmods", name="pantopic/wazero-global")
    assert entry.load() is Globals
    assert (Globals.name, Globals.abi, Globals.aliases) == ("pantopic/wazero-global", (0, 0), ())
