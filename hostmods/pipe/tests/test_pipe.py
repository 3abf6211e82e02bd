"""Pipes between guests and with the host, on both engines."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from purewasm import Interrupted, Runtime
from purewasm.hostmod import AbiError
from purewasm.testing import PageCase, PageGuest, check_hostile, fuzz, page_conformance_cases
from purewasm_pipe import PipeClosedError, PipeError, Pipes, PipeTimeoutError

PIPE, CAPACITY, LENGTH, DATA = 256, 260, 264, 1024


class Party:
    """A guest, driven from Python."""

    def __init__(self, runtime: Runtime, host: Pipes, capacity: int = 1000) -> None:
        self.page = PageGuest(runtime, host, (PIPE, CAPACITY, LENGTH, DATA))
        self.page.memory.write_u32(CAPACITY, capacity)

    def send(self, pipe: int, message: bytes) -> None:
        self.page.memory.write_u32(PIPE, pipe)
        self.page.memory.write(DATA, message)
        self.page.memory.write_u32(LENGTH, len(message))
        self.page.call("__pipe_send")

    def recv(self, pipe: int) -> bytes:
        self.page.memory.write_u32(PIPE, pipe)
        self.page.call("__pipe_recv")
        return self.page.memory.read(DATA, self.page.memory.read_u32(LENGTH))


def test_messages_in_order(runtime: Runtime) -> None:
    host = Pipes(timeout=0)
    sender, receiver = Party(runtime, host), Party(runtime, host)
    for message in (b"one", b"", b"three"):
        sender.send(1, message)
    sender.send(2**32 - 1, b"other")
    assert host.waiting(1) == 3
    assert [receiver.recv(1), receiver.recv(1), receiver.recv(1), receiver.recv(2**32 - 1)] == [b"one", b"", b"three", b"other"]


def test_the_host_takes_part(runtime: Runtime) -> None:
    host = Pipes(timeout=0)
    guest = Party(runtime, host)
    host.send(1, b"in")
    assert guest.recv(1) == b"in"
    guest.send(2, b"out")
    assert host.recv(2) == b"out"
    with pytest.raises(ValueError, match="at most 2097152 bytes"):
        host.send(1, bytes((2 << 20) + 1))


def test_a_full_and_an_empty_pipe_time_out(runtime: Runtime) -> None:
    host = Pipes(capacity=2, timeout=0.02)
    guest = Party(runtime, host)
    with pytest.raises(PipeTimeoutError, match="pipe 1: no message in time"):
        guest.recv(1)
    guest.send(1, b"a")
    guest.send(1, b"b")
    with pytest.raises(PipeTimeoutError, match="pipe 1: no room for a message in time"):
        guest.send(1, b"c")
    assert [guest.recv(1), guest.recv(1)] == [b"a", b"b"]


def test_a_message_that_does_not_fit_stays(runtime: Runtime) -> None:
    host = Pipes(timeout=0)
    small, large = Party(runtime, host, capacity=4), Party(runtime, host, capacity=5)
    host.send(1, b"12345")
    with pytest.raises(AbiError, match="the message's buffer holds 4 bytes, and 5 are needed"):
        small.recv(1)
    assert large.recv(1) == b"12345"


def _in_thread(work: Callable[[], object]) -> tuple[threading.Thread, list[object]]:
    found: list[object] = []

    def run() -> None:
        try:
            found.append(work())
        except PipeError as error:
            found.append(type(error))

    thread = threading.Thread(target=run)
    thread.start()
    return thread, found


def test_waiting_ends_when_somebody_comes(new_runtime: Callable[..., Runtime]) -> None:
    host = Pipes(capacity=1, timeout=10)
    sender, receiver = Party(new_runtime(), host), Party(new_runtime(), host)
    thread, found = _in_thread(lambda: [receiver.recv(1), receiver.recv(1), receiver.recv(1)])
    for message in (b"a", b"b", b"c"):
        sender.send(1, message)
    thread.join(10)
    assert found == [[b"a", b"b", b"c"]]


def test_a_rendezvous(new_runtime: Callable[..., Runtime]) -> None:
    host = Pipes(capacity=0, timeout=10)
    sender, receiver = Party(new_runtime(), host), Party(new_runtime(), host)
    thread, found = _in_thread(lambda: sender.send(1, b"a"))
    assert receiver.recv(1) == b"a"
    thread.join(10)
    assert found == [None]


def test_a_rendezvous_without_a_receiver_leaves_nothing(runtime: Runtime) -> None:
    host = Pipes(capacity=0, timeout=0.02)
    guest = Party(runtime, host)
    with pytest.raises(PipeTimeoutError, match="no receiver in time"):
        guest.send(1, b"a")
    assert host.waiting(1) == 0
    with pytest.raises(PipeTimeoutError, match="no message"):
        guest.recv(1)


def test_closing_wakes_and_drains(new_runtime: Callable[..., Runtime]) -> None:
    host = Pipes(timeout=30)
    sender, receiver = Party(new_runtime(), host), Party(new_runtime(), host)
    thread, found = _in_thread(lambda: receiver.recv(1))
    started = time.monotonic()
    time.sleep(0.05)
    host.close(1)
    thread.join(10)
    assert found == [PipeClosedError]
    assert time.monotonic() - started < 10
    sender.send(2, b"last")
    host.close(2)
    assert receiver.recv(2) == b"last"
    with pytest.raises(PipeClosedError, match="pipe 2: it is closed"):
        receiver.recv(2)
    with pytest.raises(PipeClosedError):
        sender.send(2, b"more")


def test_a_runtime_that_ends_closes_all() -> None:
    host = Pipes(timeout=30)
    with Runtime() as runtime:
        host.register(runtime)
        host.send(1, b"a")
    assert host.recv(1) == b"a"
    for pipe in (1, 2):
        with pytest.raises(PipeClosedError):
            host.send(pipe, b"b")


def test_limits(runtime: Runtime) -> None:
    host = Pipes(timeout=0, max_pipes=1, max_message_bytes=4)
    guest = Party(runtime, host)
    guest.send(1, b"1234")
    with pytest.raises(AbiError, match="the message's buffer has 5 bytes, over the limit of 4"):
        guest.send(1, b"12345")
    with pytest.raises(PipeError, match="pipe 2: there are 1 pipes already"):
        guest.send(2, b"")
    with pytest.raises(ValueError, match="0 or more"):
        Pipes(capacity=-1)


def test_each_message_is_received_once(new_runtime: Callable[..., Runtime]) -> None:
    host = Pipes(capacity=3, timeout=20)
    parties = [Party(new_runtime(), host) for _ in range(6)]

    def send(number: int) -> list[bytes]:
        for turn in range(30):
            parties[number].send(1, f"{number} {turn}".encode())
        return []

    def receive(number: int) -> list[bytes]:
        return [parties[number].recv(1) for _ in range(30)]

    with ThreadPoolExecutor(6) as pool:
        futures = [pool.submit(send if number < 3 else receive, number) for number in range(6)]
        received = [message for future in futures for message in future.result()]
    assert sorted(received) == sorted(f"{number} {turn}".encode() for number in range(3) for turn in range(30))


Waiting = Callable[[Runtime], tuple[Pipes, Party, Callable[[], object]]]


@pytest.fixture(params=[("recv", 1), ("send", 1), ("send", 0)], ids=["recv", "send", "rendezvous"])
def waiting(request: pytest.FixtureRequest) -> Waiting:
    """Makes a guest that has nobody to deal with, and the call in which it waits for a minute."""
    name, capacity = request.param

    def make(runtime: Runtime) -> tuple[Pipes, Party, Callable[[], object]]:
        host = Pipes(capacity=capacity, timeout=60)
        if name == "send" and capacity:
            host.send(1, b"there is no room")
        party = Party(runtime, host)
        return host, party, (lambda: party.recv(1)) if name == "recv" else (lambda: party.send(1, b"mine"))

    return make


def test_a_timeout_ends_the_waiting(new_runtime: Callable[..., Runtime], waiting: Waiting) -> None:
    host, _, call = waiting(new_runtime(timeout=0.05))
    before = host.waiting(1)
    with pytest.raises(Interrupted, match=r"timeout of 0\.05 s"):
        call()
    assert host.waiting(1) == before


@pytest.mark.parametrize("what", ["instance", "runtime"])
def test_a_close_ends_the_waiting(new_runtime: Callable[..., Runtime], waiting: Waiting, what: str) -> None:
    runtime = new_runtime()
    host, party, call = waiting(runtime)
    before = host.waiting(1)
    timer = threading.Timer(0.05, runtime.close if what == "runtime" else party.page.instance.close)
    timer.start()
    with pytest.raises((Interrupted, PipeClosedError)):
        call()
    timer.join()
    assert host.waiting(1) == before


def test_control_c_ends_the_waiting(runtime: Runtime, waiting: Waiting) -> None:
    host, _, call = waiting(runtime)
    before = host.waiting(1)
    timer = threading.Timer(0.05, signal.raise_signal, [signal.SIGINT])
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        call()
    timer.join()
    assert host.waiting(1) == before


def test_hostile_guests(runtime: Runtime) -> None:
    check_hostile(runtime, lambda: Pipes(timeout=0))


def test_random_guests(runtime: Runtime) -> None:
    def make() -> Pipes:
        host = Pipes(timeout=0, capacity=1_000, max_pipes=10_000)
        host.send(0, b"")
        return host

    assert 0 < fuzz(runtime, make, seed=1, rounds=80) < 80


def test_a_chain_of_guests_in_c(runtime: Runtime, guest: Callable[[str], Path]) -> None:
    host = Pipes(timeout=0)
    host.register(runtime)
    exports = runtime.instantiate(guest("guests/upper.c")).exports
    host.send(1, b"hello")
    host.send(1, b"x" * 4_097)
    assert exports.upper(1, 2) == 5
    assert host.recv(2) == b"HELLO"
    with pytest.raises(AbiError, match="holds 4096 bytes, and 4097 are needed"):
        exports.upper(1, 2)
    assert host.waiting(1) == 1


@pytest.mark.parametrize("case", page_conformance_cases(Path(__file__).with_name("abi_cases.json")), ids=str)
def test_conformance(case: PageCase, runtime: Runtime) -> None:
    case.run(runtime, Pipes(timeout=0))
