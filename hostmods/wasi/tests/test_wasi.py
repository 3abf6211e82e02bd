"""The host module in a runtime: registering, instances and their descriptors, running, closing."""

from __future__ import annotations

import copy
import gc
import io
import os
import pickle
import subprocess
import sys
import threading
import weakref
from pathlib import Path
from typing import Any

import pytest

import purewasm_wasi
from hostmods.wasi.tests.guest import Guest, passing_on
from purewasm import GuestExit, HostModule, Instance, LinkError, Runtime, Trap
from purewasm_wasi import CalledProcessError, CompletedProcess, HostDir, Wasi

HELLO = """(module
    (import "{module}" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
    (import "{module}" "proc_exit" (func $proc_exit (param i32)))
    (memory (export "memory") 1)
    (data (i32.const 8) "\\10\\00\\00\\00\\06\\00\\00\\00hello\\n")
    (func $say (param $fd i32) (drop (call $fd_write (local.get $fd) (i32.const 8) (i32.const 1) (i32.const 0))))
    (func (export "say") (param i32) (call $say (local.get 0)))
    (func (export "_start") (call $say (i32.const 1)) (call $say (i32.const 2)) {end}))"""


def hello(end: str = "", module: str = "wasi_snapshot_preview1") -> str:
    return HELLO.format(end=end, module=module)


class Running:
    """An instance of the module that passes calls on, as a machine."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self.memory = instance.memory

    def call(self, name: str, *args: int) -> int | None:
        result: int | None = getattr(self._instance.exports, name)(*args)
        return result


def open_descriptors() -> int:
    gc.collect()  # what other tests have left behind is not counted
    return len(os.listdir("/proc/self/fd"))


counts_descriptors = pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="this system does not list a process's descriptors")


# Registering

@pytest.mark.parametrize("module", ["wasi_snapshot_preview1", "wasi_unstable"])
def test_registered_with_a_runtime(module: str) -> None:
    output = io.BytesIO()
    with Wasi(stdout=output) as wasi, Runtime() as runtime:
        wasi.register(runtime)
        instance = runtime.instantiate(hello(module=module))
        instance.exports.say(1)
        instance.exports._start()
    assert b"hello\nhello\n" == output.getvalue()


def test_given_to_one_instance() -> None:
    first, second = io.BytesIO(), io.BytesIO()
    with Runtime() as runtime, Wasi(stdout=first) as one, Wasi(stdout=second) as other:
        one.register(runtime)
        runtime.instantiate(hello(), imports=other.host_modules()).exports.say(1)
        assert (b"", b"hello\n") == (first.getvalue(), second.getvalue())
        runtime.instantiate(hello()).exports.say(1)
        assert b"hello\n" == first.getvalue()


@pytest.mark.parametrize("unstable", [False, True])
def test_every_function_through_an_engine(unstable: bool, jail: Path) -> None:
    with Wasi(["a"], {"B": "c"}, dirs={"/": jail}) as wasi, Runtime() as runtime:
        wasi.register(runtime)
        guest = Guest(Running(runtime.instantiate(passing_on(unstable=unstable))), unstable=unstable)
        assert [b"a"] == guest.strings("args")
        assert b"inside" == guest.read(guest.open(3, "file"), 20)
        assert 6 == guest.stat(3, "file").size
        assert 1 == len(guest.poll(guest.clock_subscription(1, 1)))
        with pytest.raises(GuestExit) as ended:
            guest.machine.call("proc_exit", -1)
        assert 0xFFFF_FFFF == ended.value.status


def test_both_versions_in_one_instance_share_its_descriptors(jail: Path) -> None:
    text = """(module
        (import "wasi_unstable" "fd_close" (func $close (param i32) (result i32)))
        (import "wasi_snapshot_preview1" "fd_datasync" (func $sync (param i32) (result i32)))
        (export "close" (func $close)) (export "sync" (func $sync)))"""
    with Wasi(dirs={"/": jail}) as wasi, Runtime() as runtime:
        wasi.register(runtime)
        exports = runtime.instantiate(text).exports
        assert [0, 0, 8] == [exports.sync(3), exports.close(3), exports.sync(3)]


def test_found_by_its_entry_points() -> None:
    from importlib.metadata import entry_points

    found = {entry.name: entry for entry in entry_points(group="purewasm.hostmods")}
    if "wasi_snapshot_preview1" not in found:
        pytest.skip("the package is not installed")
    assert found["wasi_snapshot_preview1"].load() is found["wasi_unstable"].load() is Wasi


def test_public_names() -> None:
    expected = {
        "INHERIT", "PIPE", "STDOUT", "CalledProcessError", "Clocks", "CompletedProcess", "FsspecFS", "HostDir", "MemoryFS",
        "ReadOnlyTree", "RunningProgram", "SystemClocks", "VirtualClocks", "Wasi", "__version__",
    }  # fmt: skip
    assert expected == set(purewasm_wasi.__all__)
    assert all(hasattr(purewasm_wasi, name) for name in expected)


def test_names_that_are_not_there_and_modules_that_are_not_needed() -> None:
    with pytest.raises(AttributeError, match=r"'purewasm_wasi' has no attribute 'Nonsense'"):
        purewasm_wasi.Nonsense  # noqa: B018
    assert set(purewasm_wasi.__all__) <= set(dir(purewasm_wasi))
    program = "import sys; before = set(sys.modules); from purewasm_wasi import Wasi; Wasi(); print(*(set(sys.modules) - before))"
    loaded = set(subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split())
    unneeded = {"dataclasses", "inspect", "random", "socket", *(f"purewasm_wasi.{name}" for name in ("fsspec_fs", "memory_fs", "sockets"))}
    assert sorted(loaded & unneeded) == []


# Instances

def test_each_instance_has_descriptors_of_its_own(jail: Path) -> None:
    with Wasi(dirs={"/": jail}) as wasi, Runtime() as runtime:
        wasi.register(runtime)
        module = runtime.compile(passing_on())
        one, other = (Guest(Running(runtime.instantiate(module))) for _ in range(2))
        one.close(3)
        assert b"/" == other.prestat(3)
        assert 4 == other.open(3, "file")


@counts_descriptors
def test_closing_an_instance_closes_what_it_has_open(jail: Path) -> None:
    with Wasi(dirs={"/": jail}, stdout=jail / "output") as wasi, Runtime() as runtime:
        wasi.register(runtime)
        module = runtime.compile(passing_on())
        before = open_descriptors()
        instance = runtime.instantiate(module)
        guest = Guest(Running(instance))
        guest.open(3, "file")
        guest.open_directory(3, "sub")
        assert before + 4 == open_descriptors()
        instance.close()
        assert before == open_descriptors()


@counts_descriptors
def test_an_instance_that_is_forgotten_gives_everything_back(jail: Path) -> None:
    with Wasi(dirs={"/": jail}, stdout=jail / "output") as wasi, Runtime() as runtime:
        wasi.register(runtime)
        module = runtime.compile(passing_on())
        before = open_descriptors()
        references = [weakref.ref(with_a_file_open(runtime.instantiate(module))) for _ in range(20)]
        gc.collect()
        assert [None] * 20 == [reference() for reference in references]
        assert before == open_descriptors()


def with_a_file_open(instance: Instance) -> Instance:
    Guest(Running(instance)).open(3, "file")
    return instance


@counts_descriptors
def test_everything_is_closed_in_any_order(jail: Path) -> None:
    before = open_descriptors()
    for order in ("wasi", "runtime"):
        wasi, runtime = Wasi(dirs={"/": jail}, read_only_dirs={"/sub": jail / "sub"}), Runtime()
        wasi.register(runtime)
        Guest(Running(runtime.instantiate(passing_on()))).open(3, "file")
        for closing in (wasi, runtime) if order == "wasi" else (runtime, wasi):
            closing.close()
        wasi.close()
        assert before == open_descriptors()


@counts_descriptors
def test_an_instance_that_cannot_have_its_descriptors_leaves_none(jail: Path) -> None:
    with Wasi(dirs={"/": jail}, stderr=jail / "missing" / "errors") as wasi, Runtime() as runtime:
        wasi.register(runtime)
        before = open_descriptors()
        with pytest.raises(FileNotFoundError):
            runtime.instantiate(hello())
        assert before == open_descriptors()


def test_instances_in_threads(jail: Path) -> None:
    counts: list[int] = []

    def work() -> None:
        guest = Guest(Running(runtime.instantiate(module)))
        for _ in range(50):
            fd = guest.open(3, "sub/../file")
            assert b"inside" == guest.read(fd, 10)
            guest.close(fd)
        counts.append(50)

    with Wasi(dirs={"/": jail}) as wasi, Runtime() as runtime:
        wasi.register(runtime)
        module = runtime.compile(passing_on())
        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert [50] * 4 == counts


# Running

def test_run_captures() -> None:
    result = Wasi(["hello", "x"]).run(hello(), capture=True)
    assert CompletedProcess(("hello", "x"), 0, b"hello\n", b"hello\n") == result
    result.check_returncode()
    assert CompletedProcess((), 0) == Wasi().run(hello())


def test_a_result_is_a_value() -> None:
    result = CompletedProcess(("a", "b"), 3, stderr=b"no\n")
    assert "CompletedProcess(args=('a', 'b'), returncode=3, stdout=None, stderr=b'no\\n')" == repr(result)
    assert CompletedProcess(("a", "b"), 3) != result != (("a", "b"), 3, None, b"no\n")
    assert hash(CompletedProcess(("a", "b"), 3, None, b"no\n")) == hash(result)
    assert pickle.loads(pickle.dumps(result)) == copy.deepcopy(result) == result
    match result:
        case CompletedProcess(args, status):
            assert (("a", "b"), 3) == (args, status)
    with pytest.raises(AttributeError, match="returncode"):
        result.returncode = 0
    with pytest.raises(AttributeError, match="stdout"):
        del result.stdout


def test_run_uses_what_it_was_made_with_unless_told_otherwise() -> None:
    output = io.BytesIO()
    wasi = Wasi(stdout=output)
    assert wasi.run(hello()).stdout is None
    assert b"hello\n" == output.getvalue()
    assert b"hello\n" == wasi.run(hello(), capture=True).stdout
    assert b"hello\n" == output.getvalue()


def test_run_gives_the_exit_status() -> None:
    result = Wasi(["prog"]).run(hello("(call $proc_exit (i32.const -1))"), capture=True)
    assert 0xFFFF_FFFF == result.returncode
    with pytest.raises(CalledProcessError, match=r"the program 'prog' ended with status 4294967295; its last words: hello"):
        result.check_returncode()


def test_run_checks() -> None:
    wasi = Wasi(["prog"])
    assert 0 == wasi.run(hello(), check=True).returncode
    with pytest.raises(CalledProcessError) as caught:
        wasi.run(hello("(call $proc_exit (i32.const 3))"), check=True, capture=True)
    error = pickle.loads(pickle.dumps(caught.value))
    assert (3, b"hello\n", b"hello\n") == (error.returncode, error.stdout, error.stderr)
    assert CompletedProcess(("prog",), 3, b"hello\n", b"hello\n") == error.process
    with pytest.raises(CalledProcessError, match=r"^the program ended with status 3$"):
        Wasi().run(hello("(call $proc_exit (i32.const 3))"), check=True)


def test_run_tells_the_last_words_of_a_program_that_trapped() -> None:
    with pytest.raises(Trap) as caught:
        Wasi().run(hello("unreachable"), capture=True)
    assert "the guest's last words: hello" in caught.value.__notes__


def test_run_of_an_instance() -> None:
    output = io.BytesIO()
    with Wasi(["prog"], stdout=output) as wasi, Runtime() as runtime:
        wasi.register(runtime)
        instance = runtime.instantiate(hello())
        assert CompletedProcess(("prog",), 0, b"hello\n", b"hello\n") == wasi.run(instance, capture=True)
        assert b"" == output.getvalue()
        instance.exports.say(1)
        assert b"hello\n" == output.getvalue()
        with pytest.raises(LinkError, match="does not import from this Wasi"):
            Wasi().run(instance)


def test_run_in_a_given_runtime() -> None:
    with Runtime() as runtime:
        module = runtime.compile(hello())
        assert b"hello\n" == Wasi().run(module, runtime=runtime, capture=True).stdout
        assert b"hello\n" == Wasi().run(module, capture=True).stdout


def test_run_of_bytes_and_files(tmp_path: Path) -> None:
    with Runtime() as runtime:
        (tmp_path / "hello.wat").write_text(hello())
        assert b"hello\n" == Wasi().run(tmp_path / "hello.wat", runtime=runtime, capture=True).stdout
    with pytest.raises(FileNotFoundError):
        Wasi().run(tmp_path / "missing.wasm")


def test_run_of_what_is_no_program() -> None:
    with pytest.raises(LinkError, match="no function _start"):
        Wasi().run("(module)")
    with pytest.raises(LinkError, match="no function _start"):
        Wasi().run('(module (memory (export "_start") 1))')


def test_run_of_a_program_that_ends_while_it_is_made() -> None:
    text = hello().replace('(func (export "_start")', "(start $main) (func $main (call $proc_exit (i32.const 5))) (func ")
    assert 5 == Wasi().run(text).returncode


def test_run_of_a_program_that_uses_no_function_of_wasi() -> None:
    assert CompletedProcess((), 0, b"", b"") == Wasi().run('(module (func (export "_start")))', capture=True)


# Giving

def test_changed_copies(jail: Path) -> None:
    with Wasi(["a"], {"B": "c"}, dirs={"/": jail}, random=1, max_open_files=9) as wasi:
        copy = wasi.replace(args=["x", "y"], stdin=b"in")
        assert ["args=['x', 'y'] dirs=['/']", "args=['a'] dirs=['/']"] == [repr(one)[6:-1] for one in (copy, wasi)]
        with Runtime() as runtime:
            copy.register(runtime)
            guest = Guest(Running(runtime.instantiate(passing_on())))
            assert ([b"x", b"y"], [b"B=c"], b"in") == (guest.strings("args"), guest.strings("environ"), guest.read(0, 5))
            assert b"/" == guest.prestat(3)
        copy.close()
        assert 0 == wasi.run(hello()).returncode


def test_inheriting_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    output = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(output))
    errors = io.BytesIO()
    wasi = Wasi.inherit_stdio(["x"], stderr=errors)
    assert ("x",) == wasi.run(hello()).args
    assert (b"hello\n", b"hello\n") == (output.getvalue(), errors.getvalue())


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"dirs": {"/": "/missing/folder"}}, FileNotFoundError),
        ({"dirs": {"/": __file__}}, NotADirectoryError),
        ({"dirs": {"": "/"}}, ValueError),
        ({"dirs": {"a\0b": "/"}}, ValueError),
        ({"dirs": {1: "/"}}, TypeError),
        ({"dirs": {"/": "/"}, "read_only_dirs": {"/": "/"}}, ValueError),
        ({"dirs": {"/": 5}}, TypeError),
        ({"random": 1.5}, TypeError),
    ],
)
def test_what_cannot_be_given_is_refused_at_once(options: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        Wasi(**options)


def test_a_directory_is_the_one_that_it_was_when_it_was_given(tmp_path: Path) -> None:
    (tmp_path / "given").mkdir()
    (tmp_path / "given" / "file").write_bytes(b"given")
    with Wasi(dirs={"/": tmp_path / "given"}) as wasi, Runtime() as runtime:
        (tmp_path / "given").rename(tmp_path / "moved")
        (tmp_path / "given").mkdir()
        wasi.register(runtime)
        guest = Guest(Running(runtime.instantiate(passing_on())))
        assert b"given" == guest.read(guest.open(3, "file"), 10)


def test_a_mount_that_is_closed_cannot_be_given(jail: Path) -> None:
    mount = HostDir(jail)
    assert f"HostDir({str(jail)!r})" == repr(mount)
    mount.close()
    mount.close()
    with pytest.raises(ValueError, match="is closed"):
        Wasi(dirs={"/": mount}).run(hello())


def test_a_system_without_calls_relative_to_a_directory_says_so(monkeypatch: pytest.MonkeyPatch, jail: Path) -> None:
    monkeypatch.setattr(os, "supports_dir_fd", set())
    with pytest.raises(NotImplementedError, match="relative to a directory descriptor"):
        Wasi(dirs={"/": jail})
    assert 0 == Wasi().run(hello()).returncode


def test_other_host_modules_beside_it() -> None:
    seen: list[int] = []
    other = HostModule("other")
    other.add_function("see", seen.append, ["i32"], [])
    with Wasi() as wasi, Runtime() as runtime:
        wasi.register(runtime)
        other.register(runtime)
        runtime.instantiate(
            """(module (import "other" "see" (func $see (param i32)))
                (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
                (func (export "go") (call $see (call $yield))))"""
        ).exports.go()
    assert [0] == seen
