"""Requests to a server of the test's own, and everything that must not get there. On both engines."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from purewasm import Interrupted, Runtime
from purewasm.hostmod import OperationError, Status
from purewasm.testing import ConformanceCase, MailboxGuest, check_hostile, conformance_cases, fuzz
from purewasm_http import Http

NAMES = {"good.test": "127.0.0.1", "other.test": "127.0.0.1", "metadata.test": "169.254.169.254", "inside.test": "10.0.0.1"}


class Handler(BaseHTTPRequestHandler):
    """Answers by path; `seen` keeps what came."""

    seen: list[tuple[str, str, dict[str, str], bytes]] = []  # noqa: RUF012 (shared on purpose)

    def log_message(self, format: str, *arguments: object) -> None:
        pass

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        self.seen.append((self.command, self.path, {name.lower(): value for name, value in self.headers.items()}, body))
        port = self.headers["host"].rpartition(":")[2]
        places = {
            "/to-other": f"http://other.test:{port}/end", "/to-metadata": f"http://metadata.test:{port}/", "/loop": "/loop", "/back": "end",
            "/to-file": "file:///etc/passwd", "/to-denied": f"http://denied.test:{port}/", "/to-dots": "/a/../b",
            "/to-nonsense": "http://[::1",
        }  # fmt: skip
        if self.path in places:
            self.send_response(303 if self.command == "POST" else 307)
            self.send_header("location", places[self.path])
            self.end_headers()
            return
        size = int(self.path.removeprefix("/size/")) if self.path.startswith("/size/") else 2
        self.send_response(404 if self.path == "/missing" else 200)
        self.send_header("x-test", "1")
        self.send_header("set-cookie", "a=b")
        self.end_headers()
        if self.path == "/slow":
            for _ in range(20):
                self.wfile.write(b"x")
                self.wfile.flush()
                time.sleep(0.05)
        elif self.command != "HEAD":
            self.wfile.write(b"ok" if size == 2 else bytes(size))

    do_GET = do_POST = do_HEAD = do_PUT = _answer  # noqa: N815 (the library's names)


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()
    thread.join()


def resolve(host: str, port: int) -> list[str]:
    if host not in NAMES:
        raise OSError("no such name")
    return [NAMES[host]]


@pytest.fixture
def new_guest(runtime: Runtime, port: int) -> Iterator[Callable[..., MailboxGuest]]:
    """A guest that may reach the server as good.test and other.test, and metadata.test and inside.test by rule alone."""
    made: list[Http] = []
    Handler.seen.clear()

    def make(**options: object) -> MailboxGuest:
        names = [f"http://{name}:{port}" for name in NAMES]
        defaults: dict[str, object] = {"allow": names, "allow_networks": ["127.0.0.0/8"], "resolver": resolve}
        made.append(Http(**{**defaults, **options}))  # type: ignore[arg-type]
        return MailboxGuest(runtime, made[-1])

    yield make
    for host in made:
        host.close()


def _request(guest: MailboxGuest, url: str, verb: str = "GET", headers: list[str] | None = None, body: bytes = b"") -> tuple[int, bytes]:
    answer = guest.call("request", verb, url, headers or [], body)
    assert isinstance(answer, list)
    return answer[0], answer[2]


def _status(guest: MailboxGuest, url: str, **options: object) -> int:
    with pytest.raises(OperationError) as caught:
        _request(guest, url, **options)  # type: ignore[arg-type]
    return caught.value.status


@pytest.mark.parametrize("case", conformance_cases(Path(__file__).parent / "abi_cases.json"), ids=str)
def test_conformance(case: ConformanceCase, runtime: Runtime) -> None:
    case.run(runtime, Http())


def test_hostile_guests(runtime: Runtime) -> None:
    check_hostile(runtime, Http)
    assert fuzz(runtime, Http, seed=5, rounds=200) > 0


def test_a_request(new_guest: Callable[..., MailboxGuest], port: int) -> None:
    guest = new_guest()
    answer = guest.call("request", "POST", f"http://good.test:{port}/a?b=c", ["X-One", "1", "Authorization", "secret"], b"body")
    assert isinstance(answer, list)
    code, fields, content = answer
    assert (code, content) == (200, b"ok")
    assert fields[fields.index("x-test") + 1] == "1"
    ((verb, path, headers, body),) = Handler.seen
    assert (verb, path, body) == ("POST", "/a?b=c", b"body")
    assert (headers["host"], headers["x-one"], headers["authorization"], headers["accept-encoding"]) == (
        f"good.test:{port}",
        "1",
        "secret",
        "identity",
    )


def test_no_cookie_is_kept_and_any_byte_is_a_header(new_guest: Callable[..., MailboxGuest], port: int) -> None:
    guest = new_guest()
    for _ in range(2):
        assert _request(guest, f"http://good.test:{port}/", headers=["X-Name", "J\u00fcrgen"]) == (200, b"ok")
    assert [("cookie" in seen[2], seen[2]["x-name"]) for seen in Handler.seen] == [(False, "J\u00fcrgen")] * 2


def test_answers_of_any_status_are_answers(new_guest: Callable[..., MailboxGuest], port: int) -> None:
    assert _request(new_guest(), f"http://good.test:{port}/missing") == (404, b"ok")
    assert _request(new_guest(), f"http://good.test:{port}/", verb="HEAD") == (200, b"")


def test_an_answer_larger_than_the_guests_buffer(new_guest: Callable[..., MailboxGuest], port: int) -> None:
    code, body = _request(new_guest(), f"http://good.test:{port}/size/300000")
    assert (code, len(body)) == (200, 300_000)


def test_nothing_is_allowed_without_a_rule(new_guest: Callable[..., MailboxGuest], port: int) -> None:
    assert _status(new_guest(allow=()), f"http://good.test:{port}/") == Status.DENIED
    assert _status(new_guest(allow=["http://good.test"]), f"http://good.test:{port}/") == Status.DENIED
    assert _status(new_guest(allow=[f"POST http://good.test:{port}"]), f"http://good.test:{port}/") == Status.DENIED
    assert Handler.seen == []


@pytest.mark.parametrize("name", ["metadata.test", "inside.test"])
def test_private_addresses_are_refused_after_resolution(new_guest: Callable[..., MailboxGuest], port: int, name: str) -> None:
    with pytest.raises(OperationError, match=rf"DENIED: '{name}' leads to {NAMES[name]}, which is no public address"):
        _request(new_guest(), f"http://{name}:{port}/")


def test_loopback_is_refused_unless_it_is_allowed(new_guest: Callable[..., MailboxGuest], port: int) -> None:
    assert _status(new_guest(allow_networks=()), f"http://good.test:{port}/") == Status.DENIED
    assert Handler.seen == []


def test_one_private_address_among_many_is_enough(new_guest: Callable[..., MailboxGuest], port: int) -> None:
    guest = new_guest(allow_networks=(), resolver=lambda host, port: ["93.184.216.34", "127.0.0.1"])
    assert _status(guest, f"http://good.test:{port}/") == Status.DENIED


def test_the_connection_goes_to_the_address_that_was_checked(new_guest: Callable[..., MailboxGuest], port: int) -> None:
    answers = iter([["127.0.0.1"], ["10.0.0.1"]])
    guest = new_guest(resolver=lambda host, port: next(answers))
    assert _request(guest, f"http://good.test:{port}/") == (200, b"ok")
    assert next(answers) == ["10.0.0.1"]  # the name was resolved once


def test_a_redirect_is_followed(new_guest: Callable[..., MailboxGuest], port: int) -> None:
    assert _request(new_guest(), f"http://good.test:{port}/back", headers=["Authorization", "s"]) == (200, b"ok")
    assert [(seen[1], seen[2].get("authorization")) for seen in Handler.seen] == [("/back", "s"), ("/end", "s")]


def test_a_redirect_to_another_origin_has_no_secrets(new_guest: Callable[..., MailboxGuest], port: int) -> None:
    guest = new_guest()
    sent = ["Authorization", "s", "Cookie", "c", "X-A", "1"]
    assert _request(guest, f"http://good.test:{port}/to-other", "POST", sent, b"body") == (200, b"ok")
    verb, path, headers, body = Handler.seen[-1]
    assert (verb, path, headers["host"], body) == ("GET", "/end", f"other.test:{port}", b"")
    assert "authorization" not in headers
    assert "cookie" not in headers
    assert headers["x-a"] == "1"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/to-metadata", Status.DENIED),
        ("/to-denied", Status.DENIED),
        ("/to-file", Status.INVALID),
        ("/to-nonsense", Status.INVALID),
        ("/loop", Status.UNAVAILABLE),
    ],
)
def test_every_redirect_is_checked_again(new_guest: Callable[..., MailboxGuest], port: int, path: str, status: Status) -> None:
    assert _status(new_guest(), f"http://good.test:{port}{path}") == status
    assert len(Handler.seen) == (6 if path == "/loop" else 1)


def test_an_answer_over_the_limit(new_guest: Callable[..., MailboxGuest], port: int) -> None:
    guest = new_guest(max_response_bytes=1000)
    assert len(_request(guest, f"http://good.test:{port}/size/1000")[1]) == 1000
    with pytest.raises(OperationError) as caught:
        _request(guest, f"http://good.test:{port}/size/1001")
    assert (caught.value.status, caught.value.data) == (Status.TOO_LARGE, 1000)


def test_an_answer_that_drips_is_ended(new_guest: Callable[..., MailboxGuest], port: int) -> None:
    guest = new_guest()
    with pytest.raises(OperationError) as caught:
        guest.call("request", "GET", f"http://good.test:{port}/slow", [], b"", 200)
    assert caught.value.status == Status.TIMEOUT


@pytest.mark.parametrize("how", ["timeout", "instance", "runtime", "control-c"])
def test_a_guest_that_has_to_stop_is_not_waited_for(new_runtime: Callable[..., Runtime], how: str) -> None:
    release = threading.Event()

    def slow(host: str, port: int) -> list[str]:
        release.wait(60)
        return []

    host = Http(["http://good.test"], resolver=slow, timeout=60)
    runtime = new_runtime(timeout=0.05) if how == "timeout" else new_runtime()
    guest = MailboxGuest(runtime, host)
    ends = {"instance": guest.instance.close, "runtime": runtime.close, "control-c": lambda: signal.raise_signal(signal.SIGINT)}
    timer = threading.Timer(0.05, ends.get(how, lambda: None))
    timer.start()
    try:
        with pytest.raises(KeyboardInterrupt if how == "control-c" else Interrupted):
            guest.call("request", "GET", "http://good.test/", [], b"")
    finally:
        release.set()
        timer.join()
        host.close()


def test_a_name_that_takes_too_long(new_guest: Callable[..., MailboxGuest], port: int) -> None:
    release = threading.Event()

    def slow(host: str, port: int) -> list[str]:
        release.wait(5)
        return ["127.0.0.1"]

    guest = new_guest(resolver=slow, timeout=0.1)
    assert _status(guest, f"http://good.test:{port}/") == Status.TIMEOUT
    release.set()


def test_a_certificate_is_checked_for_the_name(new_guest: Callable[..., MailboxGuest]) -> None:
    """The connection goes to an address; TLS has to be for the name all the same."""
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, stream=httpx.ByteStream(b"ok"))

    guest = new_guest(allow=["https://good.test"], transport=httpx.MockTransport(answer))
    assert _request(guest, "https://good.test/x") == (200, b"ok")
    (request,) = seen
    assert (str(request.url), request.headers["host"]) == ("https://127.0.0.1/x", "good.test")
    assert request.extensions["sni_hostname"] == "good.test"


def test_nobody_there(new_guest: Callable[..., MailboxGuest]) -> None:
    guest = new_guest(allow=["http://good.test:1", "http://unknown.test"])
    assert _status(guest, "http://good.test:1/") == Status.UNAVAILABLE
    assert _status(guest, "http://unknown.test/") == Status.UNAVAILABLE


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (["Host", "evil"], Status.DENIED),
        (["content-LENGTH", "1"], Status.DENIED),
        (["Transfer-Encoding", "chunked"], Status.DENIED),
        (["X-A", "1\r\nX-B: 2"], Status.INVALID),
        (["X A", "1"], Status.INVALID),
        (["", "1"], Status.INVALID),
        (["X-A", "1\0"], Status.INVALID),
        (["X-A", "\u20ac"], Status.INVALID),
        (["X-A"], Status.INVALID),
        (["X-A", "x" * 66_000], Status.INVALID),
        (["X-A", "1"] * 101, Status.INVALID),
    ],
)
def test_headers_of_a_guest(new_guest: Callable[..., MailboxGuest], port: int, headers: list[str], status: Status) -> None:
    assert _status(new_guest(), f"http://good.test:{port}/", headers=headers) == status
    assert Handler.seen == []


def test_a_guest_in_c(runtime: Runtime, port: int, guest: Callable[[str], Path]) -> None:
    Handler.seen.clear()
    Http(allow=[f"http://good.test:{port}"], allow_networks=["127.0.0.0/8"], resolver=resolve).register(runtime)
    instance = runtime.instantiate(guest("guests/fetch.c"))
    exports, memory = instance.exports, instance.memory
    for url, code in ((f"http://good.test:{port}/size/5000", 200), (f"http://other.test:{port}/", -Status.DENIED), ("x", -Status.INVALID)):
        assert exports.fetch(memory.write_str(exports.url(), url)) == code
    assert Handler.seen[0][2]["accept"] == "text/plain"
    assert exports.fetch(memory.write_str(exports.url(), f"http://good.test:{port}/")) == 200
    assert memory.read(exports.body(), 2) == b"ok"
