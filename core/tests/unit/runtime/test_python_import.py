"""`import guest`: finding, loading, and where a guest's imports come from."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import purewasm.importer
from purewasm import Function, HostModule, Instance, Memory, Runtime, Trap
from purewasm.runtime.python_import import WasmFinder

ADD = '(module (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))) (memory (export "memory") 1))'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder on `sys.path`, a runtime of its own, and no trace left afterwards."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(tmp_path)
    with Runtime() as runtime:
        monkeypatch.setattr(purewasm.importer, "runtime", runtime)
        yield tmp_path
    for name in set(sys.modules) - before:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "") or getattr(sys.modules[name], "__path__", "")):
            del sys.modules[name]


def load(name: str) -> ModuleType:
    return importlib.import_module(name)


def test_a_text_and_a_binary_module(folder: Path) -> None:
    (folder / "guest_text.wat").write_text(ADD)
    guest = load("guest_text")
    assert guest.add(2, 3) == 5
    (folder / "guest_binary.wasm").write_bytes(guest.__instance__.module.source)
    assert load("guest_binary").add(4, 5) == 9
    assert load("guest_binary") is load("guest_binary")


def test_what_the_module_object_holds(folder: Path) -> None:
    (folder / "guest_parts.wat").write_text(ADD)
    guest = load("guest_parts")
    assert isinstance(guest.add, Function)
    assert isinstance(guest.memory, Memory)
    assert isinstance(guest.__instance__, Instance)
    assert guest.__all__ == ["add", "memory"]
    assert guest.__file__ == str(folder / "guest_parts.wat")
    assert guest.__name__ == "guest_parts"
    assert "add: func (i32, i32) -> i32" in (guest.__doc__ or "")
    namespace: dict[str, object] = {}
    exec("from guest_parts import *", namespace)
    assert namespace["add"] is guest.add


def test_exports_do_not_overwrite_what_python_needs(folder: Path) -> None:
    (folder / "guest_odd.wat").write_text(
        """(module (func (export "__name__")) (func (export "__loader__")) (func (export "__x"))
          (func (export "a-b") (result i32) (i32.const 1)))"""
    )
    guest = load("guest_odd")
    assert guest.__name__ == "guest_odd"
    assert getattr(guest, "a-b")() == 1
    assert guest.__dict__["__x"]() is None
    assert isinstance(guest.__instance__.exports["__name__"], Function)


def test_guests_in_packages(folder: Path) -> None:
    (folder / "guest_package").mkdir()
    (folder / "guest_package" / "__init__.py").write_text("")
    (folder / "guest_package" / "inner.wat").write_text(ADD)
    assert load("guest_package.inner").add(1, 2) == 3


def test_a_python_module_of_the_name_goes_first(folder: Path) -> None:
    (folder / "guest_both.wat").write_text(ADD)
    (folder / "guest_both.py").write_text("who = 'python'")
    assert load("guest_both").who == "python"


def test_a_folder_of_the_name_does_not(folder: Path) -> None:
    (folder / "guest_sources").mkdir()
    (folder / "guest_sources" / "main.c").write_text("")
    (folder / "guest_sources.wat").write_text(ADD)
    assert load("guest_sources").add(1, 1) == 2


def test_an_absent_guest_is_an_ordinary_import_error(folder: Path) -> None:
    with pytest.raises(ModuleNotFoundError, match="No module named 'guest_absent'"):
        load("guest_absent")


def test_reloading_makes_another_instance(folder: Path) -> None:
    (folder / "guest_again.wat").write_text('(module (func (export "f") (result i32) (i32.const 1)))')
    guest = load("guest_again")
    first = guest.__instance__
    (folder / "guest_again.wat").write_text('(module (func (export "f") (result i32) (i32.const 2)))')
    assert importlib.reload(guest).f() == 2
    assert guest.__instance__ is not first


# ---- imports of a guest

LOGS = '(module (import "{module}" "log" (func $log (param i32))) (func (export "run") (call $log (i32.const 42))))'


def test_imports_from_a_host_module(folder: Path) -> None:
    seen: list[int] = []
    host = HostModule("guest_env_host")
    host.add_function("log", seen.append, ["i32"], [])
    host.register(purewasm.importer.runtime)
    (folder / "guest_env_host.py").write_text("def log(x): raise AssertionError('the host module goes first')")
    (folder / "guest_hosted.wat").write_text(LOGS.format(module="guest_env_host"))
    load("guest_hosted").run()
    assert seen == [42]


def test_imports_from_a_python_module(folder: Path) -> None:
    (folder / "guest_env.py").write_text("seen = []\ndef log(x): seen.append(x)\n")
    (folder / "guest_user.wat").write_text(LOGS.format(module="guest_env"))
    load("guest_user").run()
    assert load("guest_env").seen == [42]


def test_imports_from_a_module_of_the_same_package_go_first(folder: Path) -> None:
    (folder / "guest_env2.py").write_text("def log(x): raise AssertionError")
    (folder / "guest_pack").mkdir()
    (folder / "guest_pack" / "__init__.py").write_text("")
    (folder / "guest_pack" / "guest_env2.py").write_text("seen = []\ndef log(x): seen.append(x)\n")
    (folder / "guest_pack" / "user.wat").write_text(LOGS.format(module="guest_env2"))
    load("guest_pack.user").run()
    assert load("guest_pack.guest_env2").seen == [42]


def test_imports_from_another_guest(folder: Path) -> None:
    (folder / "guest_library.wat").write_text('(module (memory (export "memory") 1) (func (export "seven") (result i32) (i32.const 7)))')
    (folder / "guest_linked.wat").write_text(
        """(module (import "guest_library" "memory" (memory 1)) (import "guest_library" "seven" (func $f (result i32)))
          (func (export "store") (i32.store8 (i32.const 5) (call $f))))"""
    )
    load("guest_linked").store()
    assert load("guest_library").memory[5] == 7


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("def log(x): pass", True),
        ("__all__ = ['log']\ndef log(x): pass", True),
        ("__all__ = []\ndef log(x): pass", False),
        ("log = 5", False),
        ("", False),
    ],
)
def test_only_public_names_of_a_python_module_are_offered(folder: Path, text: str, found: bool) -> None:
    name = f"guest_public_{abs(hash(text))}"
    (folder / f"{name}.py").write_text(text)
    (folder / f"{name}_user.wat").write_text(LOGS.format(module=name))
    if found:
        load(f"{name}_user").run()
    else:
        with pytest.raises(ImportError, match=rf"{name}\.log"):
            load(f"{name}_user")


def test_private_names_are_not_offered(folder: Path) -> None:
    (folder / "guest_private.py").write_text("def _log(x): pass")
    (folder / "guest_private_user.wat").write_text(LOGS.format(module="guest_private").replace('"log"', '"_log"'))
    with pytest.raises(ImportError, match=r"guest_private\._log"):
        load("guest_private_user")


@pytest.mark.parametrize("module", ["os", "builtins", "sys", "os.path", "purewasm/none", "", "guest_nowhere"])
def test_nothing_comes_from_the_standard_library_or_from_nowhere(folder: Path, module: str) -> None:
    name = f"guest_import_{abs(hash(module))}"
    (folder / f"{name}.wat").write_text(LOGS.format(module=module).replace('"log"', '"_exit"' if module == "os" else '"kill"'))
    with pytest.raises(ImportError, match="unknown import") as caught:
        load(name)
    assert caught.value.name == name
    assert caught.value.path == str(folder / f"{name}.wat")
    assert name not in sys.modules


def test_an_error_inside_a_python_module_is_not_hidden(folder: Path) -> None:
    (folder / "guest_broken_env.py").write_text("import guest_that_is_missing")
    (folder / "guest_broken_user.wat").write_text(LOGS.format(module="guest_broken_env"))
    with pytest.raises(ModuleNotFoundError, match="guest_that_is_missing"):
        load("guest_broken_user")


@pytest.mark.parametrize(("data", "message"), [(b"nonsense", "magic header"), (b"\0asm\1\0\0\0\1", "unexpected end")])
def test_a_file_that_is_no_module_is_an_import_error(folder: Path, data: bytes, message: str) -> None:
    name = f"guest_bad_{len(data)}"
    (folder / f"{name}.wasm").write_bytes(data)
    with pytest.raises(ImportError, match=message) as caught:
        load(name)
    assert str(folder) in str(caught.value)


def test_a_trap_while_starting_comes_out_as_it_is(folder: Path) -> None:
    (folder / "guest_traps.wat").write_text("(module (func $f (unreachable)) (start $f))")
    with pytest.raises(Trap, match="unreachable"):
        load("guest_traps")
    assert "guest_traps" not in sys.modules


def test_the_finder_is_there_once() -> None:
    importlib.reload(purewasm.importer)
    finders: list[object] = list(sys.meta_path)
    assert len([finder for finder in finders if isinstance(finder, WasmFinder)]) == 1
