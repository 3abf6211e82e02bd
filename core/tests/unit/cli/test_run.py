"""`purewasm run`."""

from __future__ import annotations

import io
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from core.tests.unit.cli.conftest import ADD, Done
from core.tests.unit.cli.guest_hosts import Greeter
from core.tests.unit.cli.plugins import Plugins
from purewasm import Runtime
from purewasm.cli import run_options
from purewasm.cli.plugins import HOST_MODULES

Cli = Callable[..., Done]


# ---- calling a function


@pytest.mark.parametrize(
    "words",
    [
        ("add.wat", "--invoke", "add", "2", "3"),
        ("--invoke", "add", "add.wat", "2", "3"),
        ("add.wat", "2", "3", "--invoke", "add"),
        ("add.wat", "--invoke=add", "--", "2", "3"),
        ("add.wat", "--invoke", "add", "0x2", "--", "3"),
        ("add.wat", "--invoke", "add", "-1", "6"),
        ("add.wat", "--invoke", "add", "4294967295", "0b110"),
    ],
)
def test_calling_a_function(purewasm: Cli, words: tuple[str, ...]) -> None:
    assert purewasm("run", *words) == (0, "5\n", "")


def test_several_results_and_none(purewasm: Cli, folder: Path) -> None:
    (folder / "a.wat").write_text('(module (func (export "f") (result i32 f64) (i32.const -1) (f64.const 0.1)) (func (export "g")))')
    assert purewasm("run", "a.wat", "--invoke", "f") == (0, "-1\n0.1\n", "")
    assert purewasm("run", "a.wat", "--invoke", "g") == (0, "", "")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--invoke", "add", "1"), "add (a: i32, b: i32) -> i32 takes 2 arguments, got 1"),
        (("--invoke", "div", "1", "2"), "div (x: i32) -> i32 takes 1 argument, got 2"),
        (("--invoke", "add", "x", "1"), "argument 1 (a) of add: expected an integer for i32, got 'x'"),
        (("--invoke", "add", "1", "1.5"), "argument 2 (b) of add: expected an integer for i32, got '1.5'"),
        (("--invoke", "add", "1", "4294967296"), "argument 2 (b) of add: 4294967296 does not fit i32"),
        (("--invoke", "ad"), "add.wat exports no function 'ad': did you mean add?"),
        (("--invoke", "zzz"), "add.wat exports no function 'zzz': it exports the functions: add, div, loop, forever"),
        (("--invoke", "memory"), "add.wat: the export 'memory' is a memory, not a function"),
        ((), "add.wat is no program, it exports no function _start: call a function with --invoke NAME (there are: add, div, loop,"),
        (("--invoke", "add", "1", "2", "--dir", "."), "add.wat does not import WASI, so it cannot use what"),
        (("--invoke", "add", "1", "2", "--env", "A=B"), "does not import WASI"),
        (("one", "two"), "add.wat does not import WASI, so it cannot see arguments: one two"),
        (("-l",), "unknown option -l: what is meant for the guest stands behind --, as in: purewasm run add.wat -- -l"),
        (("--fuel", "x"), "argument --fuel: expected a number from 0, got 'x'"),
        (("--fuel", "1_"), "argument --fuel: unexpected value '1_'"),
        (("--max-memory", "9" * 5000), "argument --max-memory: unexpected value '999"),
        (("--timeout", "-1"), "--timeout: expected a number of seconds, got '-1'"),
        (("--timeout", "nan"), "--timeout: expected a number of seconds"),
        (("--max-memory", "many"), "--max-memory: expected pages of 64 KiB or a size such as 64MiB, got 'many'"),
        (("--engine", "jit"), "--engine: expected one of auto, compiler, interpreter, got 'jit'"),
        (("--features", "tea"), "unknown feature 'tea'"),
        (("--disable", "tea"), "unknown feature 'tea'"),
    ],
)
def test_wrong_use_is_one_message_and_status_2(purewasm: Cli, words: tuple[str, ...], message: str) -> None:
    done = purewasm("run", "add.wat", *words)
    assert (done.status, done.out) == (2, "")
    assert message in done.err
    assert "Traceback" not in done.err


def test_a_trap_shows_the_guests_frames(purewasm: Cli) -> None:
    done = purewasm("run", "add.wat", "--invoke", "div", "0")
    assert done.status == 1
    lines = done.err.splitlines()
    assert lines[:2] == ["purewasm: trap: integer divide by zero", "guest frames, innermost first:"]
    assert [line.partition(" at ")[0] for line in lines[2:]] == ["  0: math!inner", "  1: math!div"]


def test_a_long_backtrace_is_cut_in_the_middle(purewasm: Cli) -> None:
    done = purewasm("run", "add.wat", "--invoke", "forever")
    assert done.status == 1
    assert done.err.startswith("purewasm: trap: call stack exhausted\n")
    assert "more frames …" in done.err
    assert done.err.count("\n") < 30


def test_limits(purewasm: Cli, folder: Path) -> None:
    done = purewasm("run", "add.wat", "--invoke", "loop", "--timeout", "0.05")
    assert (done.status, done.err) == (1, "purewasm: the call ran longer than its timeout of 0.05 s\n")
    done = purewasm("run", "add.wat", "--invoke", "loop", "--fuel", "1_000")
    assert done.status == 1
    assert done.err.startswith("purewasm: trap: all fuel consumed\n")
    (folder / "grow.wat").write_text('(module (memory 1) (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0))))')
    for size in ("3", "192K", "192KiB", "200kb"):
        assert purewasm("run", "grow.wat", "--max-memory", size, "--invoke", "grow", "2").out == "1\n"
        assert purewasm("run", "grow.wat", "--max-memory", size, "--invoke", "grow", "3").out == "-1\n"
    done = purewasm("run", "add.wat", "--max-memory", "0", "--invoke", "add", "1", "2")
    assert (done.status, done.err) == (1, "purewasm: add.wat: memory of 1 pages is larger than the runtime's limit of 0 pages\n")


def test_engines(purewasm: Cli) -> None:
    assert purewasm("run", "add.wat", "--engine", "interpreter", "--invoke", "add", "1", "2").out == "3\n"
    assert purewasm("run", "add.wat", "--engine", "auto", "--invoke", "add", "1", "2").out == "3\n"


def test_features(purewasm: Cli, folder: Path) -> None:
    (folder / "a.wat").write_text('(module (memory 1 1 shared) (func (export "f") (result i32) (i32.atomic.load (i32.const 0))))')
    done = purewasm("run", "a.wat", "--invoke", "f")
    assert done.status == 1
    assert "threads" in done.err
    assert purewasm("run", "a.wat", "--features", "threads", "--invoke", "f").out == "0\n"
    assert purewasm("run", "a.wat", "--features", "wasm1, threads", "--invoke", "f").out == "0\n"
    assert purewasm("run", "a.wat", "--features", "all", "--disable", "threads", "--invoke", "f").status == 1


def test_an_exception_that_the_guest_throws(purewasm: Cli, folder: Path) -> None:
    (folder / "a.wat").write_text('(module $m (tag (param i32)) (func $f (export "f") (throw 0 (i32.const 5))))')
    done = purewasm("run", "a.wat", "--invoke", "f")
    assert done.status == 1
    assert done.err.startswith("purewasm: uncaught exception: ")
    assert "  0: m!f at 0x" in done.err


def test_a_module_from_standard_input(purewasm: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(ADD.encode())))
    assert purewasm("run", "-", "--invoke", "add", "2", "3").out == "5\n"


def test_a_start_function_is_enough(purewasm: Cli, folder: Path) -> None:
    (folder / "a.wat").write_text("(module (func $f (unreachable)) (start $f))")
    done = purewasm("run", "a.wat")
    assert (done.status, done.err.splitlines()[0]) == (1, "purewasm: trap: unreachable")
    (folder / "a.wat").write_text("(module (func $f) (start $f))")
    assert purewasm("run", "a.wat") == (0, "", "")


def test_a_program_without_wasi(purewasm: Cli, folder: Path) -> None:
    (folder / "a.wat").write_text('(module (func (export "_start")))')
    assert purewasm("run", "a.wat") == (0, "", "")
    (folder / "a.wat").write_text('(module (func (export "_start") (param i32)))')
    done = purewasm("run", "a.wat")
    assert done.status == 2
    assert "_start has the type (i32) -> (), not that of a program" in done.err


# ---- host modules

USES_GREETER = '(module (import "acme/greeter" "number" (func $n (result i32))) (func (export "f") (result i32) (call $n)))'


def test_a_host_module_is_granted_by_name(purewasm: Cli, plugins: Plugins, folder: Path) -> None:
    (folder / "a.wat").write_text(USES_GREETER)
    plugins.add(HOST_MODULES, "acme/greeter", "core.tests.unit.cli.guest_hosts:Greeter", "purewasm-greeter")
    for name in ("acme/greeter", "purewasm-greeter", "greeter"):
        Greeter.opened.clear()
        assert purewasm("run", "a.wat", "--hostmod", name, "--invoke", "f") == (0, "42\n", "")
        assert Greeter.opened == ["open", "closed"]


def test_a_host_module_that_is_not_granted_is_not_there(purewasm: Cli, plugins: Plugins, folder: Path) -> None:
    (folder / "a.wat").write_text(USES_GREETER)
    plugins.add(HOST_MODULES, "acme/greeter", "core.tests.unit.cli.guest_hosts:Greeter", "purewasm-greeter")
    done = purewasm("run", "a.wat", "--invoke", "f")
    assert done.status == 1
    assert "unknown import acme/greeter.number" in done.err
    assert "acme/greeter is provided by purewasm-greeter: grant it with --hostmod acme/greeter" in done.err


def test_what_was_granted_is_no_hint(purewasm: Cli, plugins: Plugins, folder: Path) -> None:
    other = '(import "acme/other" "f" (func))'
    for wanted in ('"number" (func $n (result i32))) ' + other, '"more" (func))'):
        (folder / "a.wat").write_text(f'(module (import "acme/greeter" {wanted} (func (export "f")))')
        for name, distribution in (("acme/greeter", "purewasm-greeter"), ("acme/other", "acme-other")):
            plugins.add(HOST_MODULES, name, "core.tests.unit.cli.guest_hosts:Greeter", distribution)
        done = purewasm("run", "a.wat", "--hostmod", "greeter", "--invoke", "f")
        assert (done.status, "--hostmod acme/other" in done.err) == (1, "other" in wanted)
        assert "--hostmod acme/greeter" not in done.err


def test_a_host_module_granted_twice(purewasm: Cli, plugins: Plugins, folder: Path) -> None:
    (folder / "a.wat").write_text(USES_GREETER)
    plugins.add(HOST_MODULES, "acme/greeter", "core.tests.unit.cli.guest_hosts:Greeter", "purewasm-greeter")
    done = purewasm("run", "a.wat", "--hostmod", "greeter", "--hostmod", "greeter", "--invoke", "f")
    assert done.status == 2
    assert "--hostmod greeter: a module named 'acme/greeter' is registered already" in done.err


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("nobody/knows", "not installed (installed host modules: none)"),
        ("global", "not installed: pip install purewasm-global"),
        ("pantopic/wazero-global", "not installed: pip install purewasm-global"),
    ],
)
def test_a_host_module_that_is_not_installed(purewasm: Cli, plugins: Plugins, name: str, hint: str) -> None:
    done = purewasm("run", "add.wat", "--hostmod", name, "--invoke", "add", "1", "2")
    assert done.status == 2
    assert f"--hostmod {name}: {hint}" in done.err


def test_an_import_of_a_known_package_says_what_to_install(purewasm: Cli, plugins: Plugins, folder: Path) -> None:
    (folder / "a.wat").write_text('(module (import "pantopic/wazero-global" "get" (func)) (func (export "_start")))')
    done = purewasm("run", "a.wat")
    assert done.status == 1
    assert "pantopic/wazero-global is provided by another package: pip install purewasm-global" in done.err


def test_a_program_says_when_wasi_is_not_installed(purewasm: Cli, plugins: Plugins, folder: Path) -> None:
    (folder / "a.wat").write_text('(module (import "wasi_snapshot_preview1" "proc_exit" (func (param i32))) (func (export "_start")))')
    done = purewasm("run", "a.wat")
    assert done.status == 1
    assert done.err == "purewasm: the module imports WASI (wasi_snapshot_preview1), which is not installed: pip install purewasm-wasi\n"


# ---- programs

PROGRAM = """(module
  (import "wasi_snapshot_preview1" "args_get" (func $args_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_sizes_get" (func $args_sizes (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_get" (func $environ_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_sizes_get" (func $environ_sizes (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_prestat_dir_name" (func $preopen (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 2)
  (func $print (param $at i32) (param $n i32)
    (i32.store (i32.const 0) (local.get $at)) (i32.store (i32.const 4) (local.get $n))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))
  (func (export "_start")
    (drop (call $args_sizes (i32.const 16) (i32.const 20)))
    (drop (call $args_get (i32.const 100) (i32.const 1000)))
    (call $print (i32.const 1000) (i32.load (i32.const 20)))
    (drop (call $environ_sizes (i32.const 16) (i32.const 20)))
    (drop (call $environ_get (i32.const 100) (i32.const 20000)))
    (call $print (i32.const 20000) (i32.load (i32.const 20)))
    (drop (call $preopen (i32.const 3) (i32.const 70000) (i32.const 5)))
    (call $print (i32.const 70000) (i32.const 5))
    (i32.store (i32.const 0) (i32.const 80000)) (i32.store (i32.const 4) (i32.const 100))
    (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 24)))
    (call $print (i32.const 80000) (i32.load (i32.const 24)))
    (call $exit (i32.const 7)))
  (func (export "f") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1))))"""


@pytest.fixture
def program(folder: Path) -> str:
    pytest.importorskip("purewasm_wasi")
    with Runtime() as runtime:
        (folder / "program.wasm").write_bytes(runtime.compile(PROGRAM).source)
    return "program.wasm"


@pytest.fixture
def standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"input")))


@pytest.mark.usefixtures("standard_input")
def test_a_program_gets_what_it_is_granted_and_its_status_is_passed_on(
    purewasm: Cli, program: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "data").mkdir()
    monkeypatch.setenv("FROM_HERE", "1")
    done = purewasm("run", program, "--dir", "data:/data", "--env", "A=B=C", "--env", "FROM_HERE", "--", "-x", "two words")
    assert done.status == 7
    assert done.out == "program.wasm\0-x\0two words\0A=B=C\0FROM_HERE=1\0/datainput"
    assert done.err == ""


@pytest.mark.usefixtures("standard_input")
def test_a_program_gets_nothing_by_default(purewasm: Cli, program: str) -> None:
    assert purewasm("run", program) == (7, "program.wasm\0\0\0\0\0\0input", "")


@pytest.mark.usefixtures("standard_input")
def test_the_whole_environment(purewasm: Cli, program: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUREWASM_TEST_ONE", "1")
    monkeypatch.setenv("PUREWASM_TEST_TWO", "2")
    out = purewasm("run", program, "--inherit-env", "--env", "PUREWASM_TEST_TWO=changed").out
    assert "\0PUREWASM_TEST_ONE=1\0" in out
    assert "\0PUREWASM_TEST_TWO=changed\0" in out


def test_a_function_of_a_program_can_be_called(purewasm: Cli, program: str) -> None:
    assert purewasm("run", program, "--invoke", "f", "41") == (0, "42\n", "")


def test_wasi_may_be_named_as_a_host_module(purewasm: Cli, program: str) -> None:
    for name in ("wasi", "purewasm-wasi", "wasi_snapshot_preview1"):
        assert purewasm("run", program, "--hostmod", name, "--invoke", "f", "41").out == "42\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--dir", "absent"), "--dir absent: 'absent' is no file or directory"),
        (("--dir", "add.wat"), "--dir add.wat: 'add.wat' is not a directory"),
        (("--dir", ".:/a:rw"), "--dir .:/a:rw: expected HOST[:GUEST[:ro]], got 'rw' in the place of ro"),
        (("--dir", ""), "got no directory"),
        (("--dir", ".:/a", "--dir", ".:/a:ro"), "the guest's name '/a' is given twice"),
        (("--env", "=x"), "--env =x: expected NAME=VALUE"),
        (("--env", "PUREWASM_TEST_ABSENT"), "--env PUREWASM_TEST_ABSENT: there is no such variable in this environment"),
    ],
)
def test_grants_that_cannot_be_given(purewasm: Cli, program: str, words: tuple[str, ...], message: str) -> None:
    done = purewasm("run", program, *words)
    assert done.status == 2
    assert message in done.err


@pytest.mark.parametrize(("status", "passed_on"), [(0, 0), (1, 1), (255, 255), (256, 1), (513, 1)])
def test_statuses(purewasm: Cli, folder: Path, status: int, passed_on: int) -> None:
    pytest.importorskip("purewasm_wasi")
    (folder / "a.wat").write_text(
        f"""(module (import "wasi_snapshot_preview1" "proc_exit" (func $e (param i32))) (memory (export "memory") 1)
          (func (export "_start") (call $e (i32.const {status}))))"""
    )
    assert purewasm("run", "a.wat").status == passed_on


def test_standard_input_from_a_file(purewasm: Cli, program: str, folder: Path) -> None:
    (folder / "input").write_bytes(b"from a file")
    assert purewasm("run", program, "--stdin", "input").out.endswith("from a file")
    done = purewasm("run", program, "--stdin", "absent")
    assert (2, True) == (done.status, "absent" in done.err)


@pytest.mark.usefixtures("standard_input")
def test_a_trace_of_the_calls(purewasm: Cli, program: str) -> None:
    done = purewasm("run", program, "--trace=wasi", "--max-output", "1KiB")
    lines = done.err.splitlines()
    assert any(line.startswith("fd_read(fd=0, ") and line.endswith(" -> success, nread=5") for line in lines)
    assert lines[-1].startswith("proc_exit(rval=7) -> ")


@pytest.mark.usefixtures("standard_input")
@pytest.mark.parametrize(("size", "kept"), [("0", 0), ("5", 5), ("1K", 24)])
def test_no_more_output_than_granted(purewasm: Cli, program: str, size: str, kept: int) -> None:
    assert purewasm("run", program, "--max-output", size).out == "program.wasm\0\0\0\0\0\0input"[:kept]


TIME = """(module
  (import "wasi_snapshot_preview1" "clock_time_get" (func $time (param i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_accept" (func $accept (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_send" (func $send (param i32 i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 16) "\\30\\00\\00\\00\\05\\00\\00\\00") (data (i32.const 48) "hello")
  (func (export "time") (result i64) (drop (call $time (i32.const 0) (i64.const 0) (i32.const 8))) (i64.load (i32.const 8)))
  (func (export "random") (result i64) (drop (call $random (i32.const 8) (i32.const 8))) (i64.load (i32.const 8)))
  (func (export "_start")
    (drop (call $accept (i32.const 3) (i32.const 0) (i32.const 8)))
    (drop (call $send (i32.load (i32.const 8)) (i32.const 16) (i32.const 1) (i32.const 0) (i32.const 8)))))"""


def test_a_run_that_can_be_repeated(purewasm: Cli, folder: Path) -> None:
    pytest.importorskip("purewasm_wasi")
    (folder / "a.wat").write_text(TIME)
    assert purewasm("run", "a.wat", "--deterministic", "--invoke", "time").out == "0\n"
    assert purewasm("run", "a.wat", "--invoke", "time").out != "0\n"
    first, second, other = (
        purewasm("run", "a.wat", *words, "--invoke", "random").out for words in (("--deterministic",), ("--deterministic",), ())
    )
    assert first == second != other


def test_a_program_that_listens(folder: Path) -> None:
    pytest.importorskip("purewasm_wasi")
    (folder / "a.wat").write_text(TIME)
    server = subprocess.Popen(
        [sys.executable, "-m", "purewasm", "run", "a.wat", "--listen", "0"], cwd=folder, stderr=subprocess.PIPE, text=True
    )
    assert server.stderr is not None
    line = server.stderr.readline()
    assert line.startswith("purewasm: listening on 127.0.0.1:")
    with socket.create_connection(("127.0.0.1", int(line.rpartition(":")[2])), timeout=20) as client:
        assert client.makefile("rb").read() == b"hello"
    assert server.wait(20) == 0
    server.stderr.close()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--listen", "x"), "--listen x: expected [HOST:]PORT"),
        (("--listen", "127.0.0.1:70000"), "expected [HOST:]PORT"),
        (("--listen", "192.0.2.1:1"), "--listen 192.0.2.1:1: "),
        (("--max-output", "many"), "expected a number of bytes or a size such as 64MiB, got 'many'"),
        (("--trace", "all"), "expected wasi, got 'all'"),
    ],
)
def test_options_of_wasi_that_are_wrong(purewasm: Cli, program: str, words: tuple[str, ...], message: str) -> None:
    done = purewasm("run", program, *words)
    assert (2, True) == (done.status, message in done.err)


def test_options_of_wasi_for_a_module_without_it(purewasm: Cli) -> None:
    done = purewasm("run", "add.wat", "--invoke", "add", "1", "2", "--deterministic", "--listen", "0")
    assert (2, True) == (done.status, "add.wat does not import WASI, so it cannot use what --listen and --deterministic grant" in done.err)


@pytest.mark.parametrize(("count", "load", "expected"), [(8, 0.1, 8), (8, 2.6, 5), (2, 0.4, 2), (2, 0.7, 1), (2, 30.0, 1), (1, 0.0, 1)])
def test_what_is_compiled_ahead_takes_idle_processors(monkeypatch: pytest.MonkeyPatch, count: int, load: float, expected: int) -> None:
    monkeypatch.setattr(run_options, "processors", lambda: count)
    monkeypatch.setattr("os.getloadavg", lambda: (load, 9.0, 9.0), raising=False)
    assert run_options.idle_processors() == expected
    monkeypatch.delattr("os.getloadavg")
    assert run_options.idle_processors() == count


def test_a_feature_that_is_off_is_named_with_what_to_do(purewasm: Cli, folder: Path) -> None:
    (folder / "shared.wat").write_text('(module (memory 1 2 shared) (func (export "f")))')
    status, out, err = purewasm("run", "shared.wat", "--invoke", "f")
    assert (status, out) == (1, "")
    assert err.startswith("purewasm: shared.wat:1:21: a shared memory needs the feature 'threads', which is off; name it in --features")
    assert purewasm("run", "shared.wat", "--invoke", "f", "--features", "threads") == (0, "", "")
