"""Sockets that the embedder made: accepting, receiving, sending, shutting down."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from hostmods.wasi.tests.guest import Guest, direct, fails
from purewasm import Interrupted
from purewasm_wasi import Wasi
from purewasm_wasi.flags import FDFLAG_APPEND, FDFLAG_NONBLOCK, FILETYPE_SOCKET_DGRAM, FILETYPE_SOCKET_STREAM
from purewasm_wasi.process import Process

MakeGuest = Callable[..., Guest]
PEEK, WAITALL = 1, 2


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def receive(guest: Guest, fd: int, *sizes: int, flags: int = 0) -> tuple[bytes, int]:
    with guest.room() as put:
        iovs, count, addresses = guest._iovs(put, *sizes)
        size, roflags = put(4), put(4)
        guest.call("sock_recv", fd, iovs, count, flags, size, roflags)
        data = b"".join(guest.memory.read(address, length) for address, length in zip(addresses, sizes, strict=True))
        return data[: guest.u32(size)], guest.u32(roflags)


def send(guest: Guest, fd: int, *data: bytes, flags: int = 0) -> int:
    with guest.room() as put:
        iovs, count, _ = guest._iovs(put, *data)
        return guest.u32_of("sock_send", fd, iovs, count, flags)


def test_both_directions_by_both_families_of_calls(pair: tuple[socket.socket, socket.socket], make_guest: MakeGuest) -> None:
    ours, theirs = pair
    guest = make_guest(sockets=[theirs])
    assert (FILETYPE_SOCKET_STREAM, 0) == guest.fdstat(3)[:2]
    assert FILETYPE_SOCKET_STREAM == guest.stat(3).filetype
    ours.sendall(b"request")
    assert (b"requ", 0) == receive(guest, 3, 4, flags=PEEK)
    assert (b"request", 0) == receive(guest, 3, 3, 9)
    ours.sendall(b"more")
    assert b"more" == guest.read(3, 9)
    assert 6 == send(guest, 3, b"ans", b"", b"wer")
    assert 1 == guest.write(3, b"!")
    assert b"answer!" == ours.recv(100)
    with fails("badf"):
        guest.prestat(3)
    with fails("spipe"):
        guest.tell(3)


def test_waiting_for_all(pair: tuple[socket.socket, socket.socket], make_guest: MakeGuest) -> None:
    ours, theirs = pair
    guest = make_guest(sockets=[theirs])
    ours.sendall(b"12345678")
    assert (b"12345678", 0) == receive(guest, 3, 8, flags=WAITALL)
    assert (b"", 0) == receive(guest, 3)


def test_waiting_for_all_can_be_interrupted(pair: tuple[socket.socket, socket.socket], make_guest: MakeGuest) -> None:
    ours, theirs = pair
    guest = make_guest(sockets=[theirs])
    ours.sendall(b"some")
    timer = threading.Timer(0.1, lambda: setattr(guest.machine.instance.meter, "reason", "time is up"))  # type: ignore[attr-defined]
    timer.start()
    with pytest.raises(Interrupted, match="time is up"):
        receive(guest, 3, 10, flags=WAITALL)
    timer.join()


def test_looking_at_all_gives_what_is_there(pair: tuple[socket.socket, socket.socket], make_guest: MakeGuest) -> None:
    ours, theirs = pair
    guest = make_guest(sockets=[theirs])
    ours.sendall(b"some")
    assert (b"some", 0) == receive(guest, 3, 10, flags=PEEK | WAITALL)  # the system would wait where nothing can stop it
    assert (b"some", 0) == receive(guest, 3, 10)


def test_waiting_for_all_ends_with_the_connection(pair: tuple[socket.socket, socket.socket], make_guest: MakeGuest) -> None:
    ours, theirs = pair
    guest = make_guest(sockets=[theirs])
    ours.sendall(b"some")
    ours.close()
    assert (b"some", 0) == receive(guest, 3, 3, 10, flags=WAITALL)


def test_accepting(listener: socket.socket, make_guest: MakeGuest) -> None:
    guest = make_guest(sockets=[listener])
    with socket.create_connection(listener.getsockname()) as client:
        fd = guest.u32_of("sock_accept", 3, 0)
        assert 4 == fd
        client.sendall(b"hello")
        assert (b"hello", 0) == receive(guest, fd, 10)
        send(guest, fd, b"bye")
        assert b"bye" == client.recv(10)
        guest.call("sock_shutdown", fd, 2)
        assert b"" == client.recv(10)
        guest.close(fd)


def test_two_guests_at_one_listener(listener: socket.socket) -> None:
    """Both wake up for a connection that only one can have: the other waits on, and can be stopped."""
    with Wasi(sockets=[listener]) as wasi:
        first, second = direct(wasi), direct(wasi)
        outcomes: list[object] = []
        process = second.machine.process  # type: ignore[attr-defined]
        woken = threading.Event()
        wait_readable = type(process).wait_readable

        def accept() -> None:
            try:
                outcomes.append(second.u32_of("sock_accept", 3, 0))
            except Interrupted as error:
                outcomes.append(str(error))

        def wait(self: object, fd: int) -> None:
            if not woken.is_set():
                wait_readable(process, fd)
                first.u32_of("sock_accept", 3, 0)  # before the other one does
                woken.set()
                second.machine.instance.meter.reason = "time is up"  # type: ignore[attr-defined]
            else:
                wait_readable(process, fd)

        thread = threading.Thread(target=accept)
        with pytest.MonkeyPatch.context() as patch, socket.create_connection(listener.getsockname()):
            patch.setattr(Process, "wait_readable", lambda self, fd: wait(self, fd) if self is process else wait_readable(self, fd))
            thread.start()
            thread.join(30)
        assert ["time is up"] == outcomes
        assert listener.getblocking()


def test_accepting_without_waiting(listener: socket.socket, make_guest: MakeGuest) -> None:
    guest = make_guest(sockets=[listener])
    guest.call("fd_fdstat_set_flags", 3, FDFLAG_NONBLOCK)
    assert FDFLAG_NONBLOCK == guest.fdstat(3)[1]
    with fails("again"):
        guest.u32_of("sock_accept", 3, 0)
    assert [1] == [event.userdata for event in guest.poll(guest.clock_subscription(1, 1_000_000), guest.fd_subscription(2, 3))]
    with socket.create_connection(listener.getsockname()):
        assert [2] == [event.userdata for event in guest.poll(guest.clock_subscription(1, 10**12), guest.fd_subscription(2, 3))]
        fd = guest.u32_of("sock_accept", 3, FDFLAG_NONBLOCK)
        with fails("again"):
            receive(guest, fd, 1)
        assert 1 == len(guest.poll(guest.fd_subscription(1, fd, write=True)))


def test_no_descriptor_left_for_a_connection(listener: socket.socket, make_guest: MakeGuest) -> None:
    guest = make_guest(sockets=[listener], max_open_files=4)
    with socket.create_connection(listener.getsockname()), fails("mfile"):
        guest.u32_of("sock_accept", 3, 0)


def test_shutting_down(pair: tuple[socket.socket, socket.socket], make_guest: MakeGuest) -> None:
    ours, theirs = pair
    guest = make_guest(sockets=[theirs])
    for how in (0, 4, 255):
        with fails("inval"):
            guest.call("sock_shutdown", 3, how)
    guest.call("sock_shutdown", 3, 3)
    assert b"" == ours.recv(1)
    with fails("pipe"):
        send(guest, 3, b"x")


def test_datagrams_that_are_cut(make_guest: MakeGuest) -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with ours, theirs:
        guest = make_guest(sockets=[theirs])
        assert FILETYPE_SOCKET_DGRAM == guest.fdstat(3)[0]
        ours.send(b"12345678")
        assert (b"1234", 1) == receive(guest, 3, 4)


def test_what_is_no_socket(guest: Guest) -> None:
    for fd, errno in ((0, "notsock"), (1, "notsock"), (3, "notsock"), (99, "badf")):
        for call in (
            lambda fd: guest.u32_of("sock_accept", fd, 0),
            lambda fd: receive(guest, fd, 1),
            lambda fd: send(guest, fd, b"x"),
            lambda fd: guest.call("sock_shutdown", fd, 1),
        ):
            with fails(errno):
                call(fd)


def test_flags_that_are_none(pair: tuple[socket.socket, socket.socket], make_guest: MakeGuest) -> None:
    guest = make_guest(sockets=[pair[1]])
    for call in (
        lambda: receive(guest, 3, 1, flags=4),
        lambda: send(guest, 3, b"x", flags=1),
        lambda: guest.u32_of("sock_accept", 3, 32),
        lambda: guest.call("fd_fdstat_set_flags", 3, FDFLAG_APPEND),
    ):
        with fails("inval"):
            call()


def test_the_embedders_socket_stays_open(pair: tuple[socket.socket, socket.socket], make_guest: MakeGuest) -> None:
    ours, theirs = pair
    guest = make_guest(sockets=[theirs])
    guest.close(3)
    theirs.sendall(b"x")
    assert b"x" == ours.recv(1)


def test_sockets_stand_behind_the_directories(pair: tuple[socket.socket, socket.socket], make_guest: MakeGuest, tmp_path: object) -> None:
    guest = make_guest(sockets=[pair[1]], dirs={"/": str(tmp_path)})
    assert b"/" == guest.prestat(3)
    assert FILETYPE_SOCKET_STREAM == guest.fdstat(4)[0]
