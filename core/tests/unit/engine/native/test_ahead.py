"""Processes that compile functions before they are called."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from purewasm import CompilationCache, Features, InvalidError, Runtime
from purewasm.engine.protocol import CompileOptions
from purewasm.runtime.module import Module
from purewasm.runtime.storage import StoredEntry
from purewasm.text.assembler import assemble

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from purewasm.engine.native.ahead import Ahead
    from purewasm.engine.native.ahead_process import WorkerProcess
    from purewasm.engine.native.ahead_worker import Plan
    from purewasm.engine.native.module_code import ModuleCode
    from purewasm.engine.workers import Maker

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:.*use of fork.*:DeprecationWarning")]
FUNCTIONS: Final = 12
_STEPS: Final = 3000
_SECONDS: Final = 30.0


@cache
def large() -> bytes:
    """Function 0 is exported; each calls the next one, after many instructions."""
    steps = "(i32.add (i32.mul {x} (i32.const 1103515245)) (i32.const 12345))"
    functions = []
    for number in range(FUNCTIONS):
        body = "".join(f"(local.set $x {steps.format(x='(local.get $x)')})" for _ in range(_STEPS // 4))
        following = f"(call $f{number + 1} (local.get $x))" if number + 1 < FUNCTIONS else "(local.get $x)"
        functions.append(f"(func $f{number} (param $x i32) (result i32) {body} (i32.add (i32.const {number}) {following}))")
    return assembled(f'(module {"".join(functions)} (export "run" (func $f0)))')


def assembled(text: str) -> bytes:
    return assemble(text.encode(), Features.WASM3)


def expected(value: int) -> int:
    added = 0
    for number in range(FUNCTIONS):
        for _ in range(_STEPS // 4):
            value = (value * 1103515245 + 12345) & 0xFFFF_FFFF
        added += number
    value = (value + added) & 0xFFFF_FFFF
    return value - (value >> 31 << 32)


def code_of(runtime: Runtime, module: Module) -> ModuleCode:
    from purewasm.engine.native.module_code import ModuleCode

    code = runtime._code(module)
    assert isinstance(code, ModuleCode)
    return code


def eventually(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + _SECONDS
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def start(count: int) -> Ahead:
    from purewasm.engine.native.ahead import Ahead
    from purewasm.engine.native.engine import cpu_features

    made = Ahead(Module(large()).wasm, CompileOptions(), cpu_features(), count)
    made.note_valid()
    return made


@pytest.fixture(params=["fork", "spawn"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """How workers are started."""
    from purewasm.engine.native import ahead_process

    # The engine's own thread, which may run already, is one that no copy misses.
    monkeypatch.setattr(ahead_process, "can_fork", lambda: request.param == "fork")
    return str(request.param)


@pytest.fixture
def ahead(way: str) -> Iterator[Ahead]:
    made = start(1)
    yield made
    made.stop()


@pytest.fixture
def make() -> Maker:
    from purewasm.engine.native.ahead_of_time import part_maker
    from purewasm.engine.native.engine import cpu_features

    return part_maker(Module(large()).wasm, CompileOptions(), cpu_features(), 0)


def wait_for(ahead: Ahead, index: int) -> list[tuple[int, bytes]]:
    """The parts of a function, once some worker has made it: whoever takes it before then makes it."""

    def is_made() -> bool:
        ahead._receive()
        return index in ahead._made

    eventually(is_made)
    parts = ahead.take(index)
    assert parts is not None
    return parts


def test_what_they_make_is_what_is_made_here(ahead: Ahead, make: Maker) -> None:
    for index in (0, 1, 2, FUNCTIONS - 1):  # the export, and what it calls
        assert wait_for(ahead, index) == make(index)


@pytest.mark.usefixtures("way")
def test_shares_of_several_are_all_there_is(make: Maker) -> None:
    ahead = start(3)
    assert len(ahead.pids) == 3
    for index in range(FUNCTIONS):
        assert wait_for(ahead, index) == make(index)
    ahead.stop()


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("workers", [2, 3])
def test_results_and_saved_code_do_not_depend_on_workers(workers: int) -> None:
    kept: dict[int, dict[bytes, bytes]] = {1: {}, workers: {}}

    for count, entries in kept.items():
        with Runtime(engine="compiler", workers=count, optimize_after=0, cache=CompilationCache(storage=Kept(entries))) as runtime:
            module = runtime.compile(large())
            instance = runtime.instantiate(module)
            if count > 1:
                eventually(partial(has_some, code_of(runtime, module)))
            assert instance.exports.run(7) == expected(7)
    assert kept[workers] == kept[1]
    ((_, content),) = kept[1].items()
    assert len(StoredEntry(content)) > FUNCTIONS


class Kept:
    """A storage that is a dictionary."""

    def __init__(self, entries: dict[bytes, bytes]) -> None:
        self.get, self.add = entries.get, entries.__setitem__

    def delete(self, key: bytes) -> None:
        raise AssertionError("nothing is damaged")


def has_some(code: ModuleCode) -> bool:
    assert code._ahead is not None
    code._ahead._receive()
    return len(code._ahead._made) > 1


def test_who_gets_some(monkeypatch: pytest.MonkeyPatch) -> None:
    def pids(wasm: bytes, **options: object) -> int:
        with Runtime(engine="compiler", **options) as runtime:
            module = runtime.compile(wasm)
            found = code_of(runtime, module)._ahead
            return 0 if found is None else len(found.pids)

    small = assembled('(module (func (export "run")))')
    assert pids(large(), workers=2) == 1
    assert pids(large(), workers=3) == 2
    assert pids(large()) == pids(small, workers=2) == pids(large(), workers=2, eager=True) == 0
    assert pids(large(), workers=2, explicit_checks=True) == 0
    monkeypatch.setattr("purewasm.engine.native.compilers.LEAST_AHEAD_BYTES", 1)
    for can_fork in (False, True):
        monkeypatch.setattr("purewasm.engine.native.ahead_process.can_fork", partial(bool, can_fork))
        assert pids(small, workers=2) == can_fork
        assert pids(assembled("(module)"), workers=2) == 0
    monkeypatch.setattr("purewasm.engine.native.ahead.LEAST_BYTES", 1)
    assert pids(small, workers=2) == 1


def test_code_that_is_there_already_needs_none(tmp_path: Path) -> None:
    for is_warm in (False, True):
        with Runtime(engine="compiler", workers=2, cache=CompilationCache(tmp_path / "cache")) as runtime:
            module = runtime.compile(large())
            assert (code_of(runtime, module)._ahead is None) is is_warm
            assert runtime.instantiate(module).exports.run(7) == expected(7)


@pytest.mark.usefixtures("way")
def test_closing_the_runtime_ends_them() -> None:
    before = set(os.listdir("/proc/self/fd"))
    with Runtime(engine="compiler", workers=2) as runtime:
        module = runtime.compile(large())
        ahead = code_of(runtime, module)._ahead
        assert ahead is not None
        (pid,) = ahead.pids
        assert is_running(pid)
    with pytest.raises(ChildProcessError):  # not even a zombie
        os.waitpid(pid, 0)
    assert ahead.pids == []
    ahead.stop()
    assert set(os.listdir("/proc/self/fd")) == before
    assert ahead.take(0) is None


@pytest.mark.usefixtures("way")
def test_a_worker_that_dies_is_no_error() -> None:
    with Runtime(engine="compiler", workers=2) as runtime:
        module = runtime.compile(large())
        instance = runtime.instantiate(module)
        ahead = code_of(runtime, module)._ahead
        assert ahead is not None
        (pid,) = ahead.pids
        os.kill(pid, signal.SIGKILL)
        eventually(lambda: not is_running(pid))
        assert instance.exports.run(7) == expected(7)
        assert ahead.pids == []


def test_a_worker_that_says_nothing_is_not_waited_for() -> None:
    with Runtime(engine="compiler", workers=2, optimize_after=0) as runtime:
        module = runtime.compile(large())
        instance = runtime.instantiate(module)
        ahead = code_of(runtime, module)._ahead
        assert ahead is not None
        (worker,) = ahead._workers
        os.kill(worker.pid, signal.SIGSTOP)
        ahead._begun.update(dict.fromkeys(range(1, FUNCTIONS), worker))
        assert instance.exports.run(7) == expected(7)
        assert ahead._failed_waits > 0


@pytest.mark.parametrize("executable", ["", "/nowhere/python", "/bin/false"])
def test_without_a_python_to_start(monkeypatch: pytest.MonkeyPatch, executable: str) -> None:
    monkeypatch.setattr("purewasm.engine.native.ahead_process.can_fork", lambda: False)
    monkeypatch.setattr(sys, "executable", executable)
    with Runtime(engine="compiler", workers=2) as runtime:
        assert runtime.instantiate(large()).exports.run(7) == expected(7)


@pytest.mark.parametrize("error", [BlockingIOError("no more processes"), RuntimeError("fork not supported for subinterpreters")])
def test_where_no_copy_can_be_made(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fork() -> int:
        raise error

    monkeypatch.setattr("purewasm.engine.native.ahead_process.can_fork", lambda: True)
    monkeypatch.setattr(os, "fork", fork)
    before = set(os.listdir("/proc/self/fd"))
    with Runtime(engine="compiler", workers=2) as runtime:
        module = runtime.compile(large())
        assert module.prepared is not None
        assert set(os.listdir("/proc/self/fd")) == before
        assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == set()
        assert runtime.instantiate(module).exports.run(7) == expected(7)


def test_ctrl_c_is_not_for_them(ahead: Ahead) -> None:
    wait_for(ahead, 0)
    (pid,) = ahead.pids
    os.kill(pid, signal.SIGINT)
    wait_for(ahead, 3)
    assert is_running(pid)


def test_the_child_of_a_fork_leaves_them_alone(ahead: Ahead) -> None:
    (pid,) = ahead.pids
    child = os.fork()
    if not child:
        fails = ahead.take(0) is not None
        ahead.stop()
        os._exit(fails or not is_running(pid))
    assert os.waitpid(child, 0)[1] == 0
    wait_for(ahead, 1)


_PARENT: Final = """
import sys, time
from functools import cache, partial
from pathlib import Path
from purewasm import Runtime
runtime = Runtime(engine="compiler", workers=2)
module = runtime.compile(Path(sys.argv[1]).read_bytes())
instance = runtime.instantiate(module)
print(*runtime._code(module)._ahead.pids, flush=True)
if sys.argv[2] == "hang":
    time.sleep(600)
"""


@pytest.mark.parametrize("end", ["return", "hang"])
def test_they_end_with_the_process(tmp_path: Path, end: str) -> None:
    (tmp_path / "large.wasm").write_bytes(large())
    command = [sys.executable, "-c", _PARENT, str(tmp_path / "large.wasm"), end]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        if end == "hang":
            parent.kill()
    eventually(lambda: not is_running(pid))


def test_the_command_uses_them(tmp_path: Path) -> None:
    (tmp_path / "large.wasm").write_bytes(large())
    record = "import purewasm.engine.native.ahead_process as a; s = a._fork; a._fork = lambda *w: (print('started'), s(*w))[1]"
    code = f"{record}; import purewasm.cli.run as r; r.idle_processors = lambda: 2; from purewasm.cli.process import run; run()"
    command = [sys.executable, "-c", code, "run", "large.wasm", "--no-cache", "--invoke", "run", "7"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == ["started", str(expected(7))]


# ---- before the module is known to be valid


def invalid() -> bytes:
    """`large`, the last function of which is not valid."""
    wasm = large()
    body = Module(wasm).wasm.codes[-1]
    assert wasm[body.end - 2] == 0x6A  # i32.add
    return wasm[: body.end - 2] + b"\x7c" + wasm[body.end - 1 :]


@pytest.mark.usefixtures("way")
def test_they_begin_while_bodies_are_validated() -> None:
    with Runtime(engine="compiler", workers=2) as runtime:
        module = runtime.compile(large())
        prepared = module.prepared
        assert prepared is not None
        assert code_of(runtime, module)._ahead is prepared
        assert runtime.instantiate(module).exports.run(7) == expected(7)


@pytest.mark.usefixtures("way")
def test_a_module_that_is_not_valid_ends_them(monkeypatch: pytest.MonkeyPatch) -> None:
    from purewasm.engine.native import ahead

    started: list[int] = []

    def recorded(start: Callable[..., WorkerProcess]) -> Callable[..., WorkerProcess]:
        def call(*arguments: object) -> WorkerProcess:
            made = start(*arguments)
            started.append(made.pid)
            return made

        return call

    monkeypatch.setattr(ahead, "_fork", recorded(ahead._fork))
    monkeypatch.setattr(ahead, "_spawn", recorded(ahead._spawn))
    with Runtime(engine="compiler", workers=2) as runtime:
        with pytest.raises(InvalidError, match="type mismatch"):
            runtime.compile(invalid())
        (pid,) = started
        with pytest.raises(ChildProcessError):
            os.waitpid(pid, 0)


@pytest.mark.usefixtures("way")
def test_nothing_is_compiled_that_is_not_valid(make: Maker) -> None:
    from purewasm.engine.native.ahead import Ahead
    from purewasm.engine.native.ahead_process import can_fork
    from purewasm.engine.native.engine import cpu_features

    def check(index: int) -> None:
        if index > 1:
            raise InvalidError("it is not")

    module = Module(large()).wasm
    ahead = Ahead(module, CompileOptions(), cpu_features(), 1, check)
    if can_fork():
        eventually(partial(has_ended, ahead))
        assert set(ahead._made) == {0, 1}
    else:
        time.sleep(0.2)
        ahead._receive()
        assert not ahead._made
        ahead.note_valid()
        assert wait_for(ahead, 2) == make(2)
    ahead.stop()


@pytest.mark.parametrize("bad", [-1, 5])
def test_copies_help_with_the_validation_of_large_modules(monkeypatch: pytest.MonkeyPatch, bad: int) -> None:
    from purewasm.engine.native import ahead_process, ahead_worker
    from purewasm.engine.native.ahead import Ahead
    from purewasm.engine.native.engine import cpu_features

    def check(index: int) -> None:
        if index == bad:
            raise InvalidError("it is not")

    monkeypatch.setattr(ahead_process, "can_fork", lambda: True)
    monkeypatch.setattr(ahead_worker, "_SHARED_BYTES", 1)
    monkeypatch.setattr(ahead_worker, "_CHECKED_BYTES", 1)
    ahead = Ahead(Module(large()).wasm, CompileOptions(), cpu_features(), 1, check)
    eventually(lambda: ahead.checked_from() == bad + 1)
    if bad >= 0:
        eventually(partial(has_ended, ahead))
        assert ahead.checked_from() == bad + 1
    ahead.stop()
    with Runtime(engine="compiler", workers=2) as runtime:
        assert runtime.instantiate(large()).exports.run(7) == expected(7)
        with pytest.raises(InvalidError, match="type mismatch"):
            runtime.compile(invalid())


def has_ended(ahead: Ahead) -> bool:
    ahead._receive()
    return not ahead.pids


def test_who_asks_for_nothing_gets_little(monkeypatch: pytest.MonkeyPatch) -> None:
    from purewasm.engine.native import ahead_process, ahead_worker

    monkeypatch.setattr(ahead_process, "can_fork", lambda: True)
    monkeypatch.setattr(ahead_worker, "_UNASKED_SECONDS", 0.0)
    ahead = start(1)
    time.sleep(0.1)
    ahead._receive()
    assert not ahead._begun
    ahead.take(0)
    wait_for(ahead, 1)
    ahead.stop()


# ---- copies of this process


_FORKED: Final = """
import os, signal, socket, sys, threading, time
from pathlib import Path
import purewasm.engine.native.ahead_process as ahead_process
from purewasm import Runtime
{before}
reader, writer = os.pipe()
os.set_inheritable(writer, True)
signal.signal(signal.SIGTERM, lambda *_: os.write(writer, b"handled"))
wakeup, its = socket.socketpair()
its.setblocking(False)
signal.set_wakeup_fd(its.fileno())
print("not written twice", end=" ")
runtime = Runtime(engine="compiler", workers=2)
module = runtime.compile(Path(sys.argv[1]).read_bytes())
(pid,) = module.prepared.pids
is_copy = Path(f"/proc/{{pid}}/cmdline").read_bytes() == Path("/proc/self/cmdline").read_bytes()
end = time.monotonic() + 30
while len(files := os.listdir(f"/proc/{{pid}}/fd")) > 3 and time.monotonic() < end:
    time.sleep(0.01)
print(is_copy, sorted(files), end=" ")
os.kill(pid, signal.SIGTERM)
os.close(writer)
print(os.read(reader, 9), runtime.instantiate(module).exports.run(7))
"""


@pytest.mark.parametrize(
    ("before", "is_copy"),
    [
        ("", True),
        ("threading.Thread(target=time.sleep, args=(600,), daemon=True).start()", False),
        ("sys.modules['greenlet'] = sys", False),
        ("sys.setprofile(lambda *_: None)", False),
        ("ahead_process._FORKED_PAGES = 1", False),
    ],
    ids=["alone", "with a thread", "with greenlets", "watched", "large"],
)
def test_copies_have_nothing_of_ours(tmp_path: Path, before: str, *, is_copy: bool) -> None:
    (tmp_path / "large.wasm").write_bytes(large())
    command = [sys.executable, "-c", _FORKED.format(before=before), str(tmp_path / "large.wasm")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == f"not written twice {is_copy} ['0', '1', '2'] b'' {expected(7)}\n"
    assert done.stderr == ""


@pytest.mark.usefixtures("way")
def test_hot_functions_have_been_optimized_by_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """… where they have baseline code first, for which nobody waits."""
    from purewasm.engine.native.compilers import OPTIMIZED, ModuleCompilers

    with Runtime(engine="compiler", workers=2, optimize_after=3) as runtime:
        module = runtime.compile(large())
        run = runtime.instantiate(module).exports.run
        assert run(1) == expected(1)
        code = code_of(runtime, module)
        ahead = code._ahead
        assert ahead is not None

        def is_made() -> bool:
            ahead._receive()
            return len(ahead._made) + len(code.variant(explicit_checks=False).code[OPTIMIZED]) >= FUNCTIONS

        eventually(is_made)
        monkeypatch.setattr(ModuleCompilers, "optimized", lambda self, index: pytest.fail("compiled here"))
        for value in range(6):
            assert run(value) == expected(value)
        assert len(code.variant(explicit_checks=False).code[OPTIMIZED]) == FUNCTIONS


# ---- what comes next


def plan_of(text: str) -> Plan:
    from purewasm.engine.native.ahead_worker import Plan

    return Plan(Module(assembled(text)).wasm)


def test_what_is_called_comes_before_what_that_calls() -> None:
    plan = plan_of("""(module
      (func $main (export "main") (call $a) (call $b))
      (func $a (call $deep)) (func $b (call $popular)) (func $deep (call $popular)) (func $popular) (func $nobody (call $popular)))""")
    assert plan.callees(0) == [1, 2]
    assert [plan.next() for _ in range(5)] == [0, 1, 2, 4, 3]
    assert plan.next() is None


def test_what_is_needed_moves_its_callees_to_the_front() -> None:
    plan = plan_of("""(module (import "" "host" (func $host))
      (func $main (export "main") (call $a) (call $b)) (func $a (call $host)) (func $b) (func $other (return_call $last)) (func $last))""")
    plan.needed(1)
    plan.needed(4)
    assert sorted(index for _ in range(3) if (index := plan.next()) is not None) == [2, 3, 5]
    assert plan.next() is None


def test_what_has_baseline_code_comes_first() -> None:
    plan = plan_of("""(module
      (func $main (export "main") (call $a) (call $b)) (func $a) (func $b (call $c)) (func $c (call $d)) (func $d))""")
    assert plan.next() == 0
    plan.called(3)
    assert [plan.next() for _ in range(4)] == [3, 4, 1, 2]
    plan.called(3)
    assert plan.next() is None


def test_numbers_that_are_no_functions_do_no_harm() -> None:
    plan = plan_of('(module (func (export "run") (drop (i32.const 2064)) (drop (i64.const 0x1010101010101010))))')
    for index in (-1, 7, 1 << 31):
        plan.needed(index)
        plan.called(index)
    assert plan.next() == 0
    assert plan.next() is None
    assert plan_of("(module)").next() is None
