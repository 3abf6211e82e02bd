"""Version 1 end to end: arguments, results, errors, answers that do not fit, versions, lifetime. On both engines."""

from __future__ import annotations

import gc
import pickle
import threading
import weakref

import pytest

from core.tests.unit.hostmod.greeter import Greeter
from purewasm import Caller, Instance, LinkError, Runtime
from purewasm.hostmod import AbiError, MailboxModule, OperationError, Status, f64, i64, operation, plain_import
from purewasm.hostmod.codec import encode
from purewasm.hostmod.mailbox import KEPT
from purewasm.testing import MailboxGuest, check_hostile, fuzz


@pytest.fixture
def guest(runtime: Runtime) -> MailboxGuest:
    return MailboxGuest(runtime, Greeter())


def test_arguments_and_results_of_every_type(guest: MailboxGuest) -> None:
    assert guest.call("greet", "wörld") == "hello, wörld"
    assert guest.call("add", 2**64 - 2, 1) == 2**64 - 1
    assert guest.call("add", 5) == 6
    assert guest.call("split", [1, -2, 4]) == [True, 1.5, b"\0\0\0"]
    assert guest.call("nothing") is None
    value: object = {"a": [1, None, True, "x", b"y", 1.5, {"b": []}]}
    assert guest.call("echo", value) == value


def test_a_plain_import_is_called_without_the_mailbox(runtime: Runtime) -> None:
    text = '(module (import "acme/greeter@1" "__greeter_level" (func (param i32) (result i32))) (export "level" (func 0)))'
    assert runtime.instantiate(text, imports=Greeter()).exports.level(4) == 5


def test_state_and_handle_of_each_instance(runtime: Runtime) -> None:
    host = Greeter()
    first, second = MailboxGuest(runtime, host), MailboxGuest(runtime, host)
    assert first.call("note", "a") == ["a"]
    assert first.call("note", "b") == ["a", "b"]
    assert second.call("note", "c") == ["c"]
    assert first.send(4, encode(["d"]), handle=2**63).handle == 2**63 + 1
    second.instance.close()
    assert host.dropped == [["c"]]


def test_an_error_is_an_answer(guest: MailboxGuest) -> None:
    with pytest.raises(OperationError, match="INVALID: nobody to greet") as caught:
        guest.call("greet", "")
    assert (caught.value.status, caught.value.data) == (Status.INVALID, ["who"])
    assert guest.call("greet", "you") == "hello, you"


def test_an_error_that_does_not_fit_is_its_status(guest: MailboxGuest) -> None:
    answer = guest.send(1, encode([""]), capacity=4)
    assert (answer.status, answer.length, answer.flags) == (Status.INVALID, 0, 0)


def test_an_operation_that_is_not_there(guest: MailboxGuest) -> None:
    answer = guest.send(99, b"\x90", minor=7)
    assert answer.status == Status.UNSUPPORTED
    assert answer.value == [8, "acme/greeter@1 of version 1.2 has no operation 99", None]


def test_a_request_over_the_limit(guest: MailboxGuest) -> None:
    with pytest.raises(OperationError) as caught:
        guest.call("greet", "x" * 50_000)
    assert (caught.value.status, caught.value.data) == (Status.TOO_LARGE, 50_000)


def test_a_request_over_the_limit_of_a_guest_with_a_large_buffer(guest: MailboxGuest) -> None:
    with pytest.raises(OperationError, match="TOO_LARGE: the request has 70007 bytes, over the limit of 50000"):
        guest.call("greet", "x" * 70_000 + "y")


def test_an_answer_that_does_not_fit_is_kept(guest: MailboxGuest) -> None:
    answer = guest.send(8, encode([100_000]), capacity=100)
    assert (answer.status, answer.flags, answer.length) == (0, KEPT, 100_005)
    assert guest.memory.read(1024, 100) == encode([100_000]).ljust(100, b"\0")
    again = guest.send(8, b"", capacity=100, flags=1)
    assert (again.flags, again.length) == (KEPT, 100_005)
    assert guest.fetch(8, 100_005).value == bytes(100_000)
    assert guest.send(8, b"", flags=1).status == Status.NOT_FOUND


def test_a_new_operation_drops_what_was_kept(guest: MailboxGuest) -> None:
    assert guest.send(8, encode([1000]), capacity=100).flags == KEPT
    assert guest.send(1, b"", flags=1).status == Status.NOT_FOUND
    assert guest.call("nothing") is None
    assert guest.send(8, b"", flags=1).status == Status.NOT_FOUND


def test_an_answer_over_the_limit_is_not_kept(runtime: Runtime) -> None:
    host = Greeter()
    host.max_reply_bytes = 1000
    guest = MailboxGuest(runtime, host)
    answer = guest.send(8, encode([2000]), capacity=200)
    assert (answer.status, answer.flags) == (Status.TOO_LARGE, 0)
    assert answer.value == [5, "the answer is over the host's limit", 2003]
    assert len(guest.send(8, encode([2000])).body) == 2003


def test_unknown_flags_are_unsupported(guest: MailboxGuest) -> None:
    assert guest.send(6, b"\x90", flags=0x8000_0001).status == Status.UNSUPPORTED


@pytest.mark.parametrize(
    ("number", "arguments", "problem"),
    [
        (1, [], "takes 1 arguments, got 0"),
        (1, ["a", "b"], "takes 1 arguments, got 2"),
        (2, [], "takes 1 to 2 arguments, got 0"),
        (1, [b"a"], "argument 'who': str expected, got bytes b'a'"),
        (1, [None], "argument 'who': str expected, got NoneType None"),
        (2, [-1], "argument 'a': u64 expected, 0 to 18446744073709551615, got -1"),
        (2, [True], "argument 'a': u64 expected, got bool True"),
        (2, [1, 2**32], "argument 'b': u32 expected, 0 to 4294967295, got 4294967296"),
        (5, [[1, "x"]], "argument 'numbers': i64 expected, got str 'x'"),
        (5, [2**63], "argument 'numbers': list<i64> expected, got int 9223372036854775808"),
        (3, [[[[]] * 2] * 2], None),
    ],
)
def test_arguments_of_the_wrong_type(guest: MailboxGuest, number: int, arguments: list[object], problem: str | None) -> None:
    if problem is None:
        assert guest.send(number, encode(arguments)).value == arguments[0]
        return
    with pytest.raises(AbiError) as caught:
        guest.send(number, encode(arguments))
    error = caught.value
    assert (error.module, error.operation, error.problem, error.address) == (
        "acme/greeter@1",
        guest.host.operations[number].name,
        problem,
        1024,
    )


def test_a_value_is_so_deep_and_no_deeper(guest: MailboxGuest) -> None:
    deep: object = 1
    for _ in range(32):
        deep = [deep]
    assert guest.call("echo", deep) == deep
    with pytest.raises(AbiError, match="nested at most 32 deep"):
        guest.call("echo", [deep])


def test_what_the_host_gets_wrong_comes_out(guest: MailboxGuest) -> None:
    with pytest.raises(KeyError, match="raises"):
        guest.call("broken", "raises")
    with pytest.raises(TypeError, match=r"acme/greeter@1 broken: the operation returned a wrong result: u32 expected"):
        guest.call("broken", "returns")
    assert guest.call("greet", "you") == "hello, you"


def test_hostile_guests(runtime: Runtime) -> None:
    check_hostile(runtime, Greeter)


@pytest.mark.parametrize("seed", range(3))
def test_random_guests(runtime: Runtime, seed: int) -> None:
    def make() -> Greeter:
        host = Greeter()
        del host.operations[7]  # raises on purpose
        host.operations[8] = host.operations[8]._replace(method=lambda size: bytes(size % 100_000))
        return host

    assert 0 < fuzz(runtime, make, seed=seed, rounds=300) < 300


def test_the_error_names_module_operation_and_address(guest: MailboxGuest) -> None:
    with pytest.raises(AbiError) as caught:
        guest.send(1, b"\x91\xa1a", major=2, minor=5)
    error = caught.value
    assert str(error) == (
        "acme/greeter@1 greet: the guest asks for version 2.5, and the host has 1.2: the major versions differ (address 0x00000044)"
    )
    copy = pickle.loads(pickle.dumps(error))
    assert (str(copy), copy.address) == (str(error), error.address)


def test_a_newer_major_is_refused_at_instantiation(runtime: Runtime) -> None:
    Greeter().register(runtime)
    text = '(module (import "acme/greeter@2" "__greeter_call" (func)))'
    with pytest.raises(LinkError, match=r"the guest asks for 'acme/greeter@2', and 'acme/greeter@1' is registered"):
        runtime.instantiate(text)


@pytest.mark.parametrize(
    ("section", "problem"),
    [
        (encode({"acme/greeter": [2, 0]}), r"built against version 2.0 of acme/greeter, and the host has 1.2 \(acme/greeter@1\)"),
        (encode({"acme/other": [9, 9]}) + encode({"acme/greeter": [3, 1], "sdk": "x"}), r"built against version 3.1"),
        (encode({"acme/greeter": [1]}), "custom section 'hostmods' is broken: the version of 'acme/greeter' is not"),
        (b"\x81\xa1", "custom section 'hostmods' is broken: Unpack failed: incomplete input"),
        (b"\xc1", "custom section 'hostmods' is broken"),
        (encode([1]), "custom section 'hostmods' is broken: a map was expected"),
        (b"\x91" * 3000, "custom section 'hostmods' is broken"),
    ],
)
def test_what_the_guest_was_built_against(runtime: Runtime, section: bytes, problem: str) -> None:
    with pytest.raises(LinkError, match=problem):
        MailboxGuest(runtime, Greeter(), section=section)


def test_a_newer_minor_is_fine(runtime: Runtime) -> None:
    assert MailboxGuest(runtime, Greeter(), section=encode({"acme/greeter": [1, 9]})).call("greet", "you") == "hello, you"


def test_a_mailbox_export_that_calls(runtime: Runtime) -> None:
    text = """(module (import "acme/greeter@1" "__greeter_call" (func $call)) (memory (export "memory") 1)
        (func (export "__greeter") (result i32) (call $call) (i32.const 64)) (func (export "call") (call $call)))"""
    with pytest.raises(AbiError, match="from inside the guest's own __greeter, before"):
        runtime.instantiate(text, imports=Greeter()).exports.call()


@pytest.mark.parametrize(
    ("memory", "export", "problem"),
    [
        ("", '(func (export "__greeter") (result i32) (i32.const 64))', "the guest has no memory"),
        ('(memory (export "memory") 1)', "", "is not exported by the guest: a guest that imports acme/greeter@1 exports __greeter"),
        ('(memory (export "memory") 1)', '(func (export "__greeter"))', "where () -> i32 was expected"),
        ('(memory (export "memory") 1)', '(global (export "__greeter") i32 (i32.const 1))', "is no function"),
    ],
)
def test_guests_without_a_mailbox(runtime: Runtime, memory: str, export: str, problem: str) -> None:
    text = f'(module (import "acme/greeter@1" "__greeter_call" (func $call)) {memory} {export} (func (export "call") (call $call)))'
    with pytest.raises(AbiError) as caught:
        runtime.instantiate(text, imports=Greeter()).exports.call()
    assert problem in caught.value.problem


def test_a_memory_of_64_bit_addresses_is_refused(runtime: Runtime) -> None:
    text = """(module (import "acme/greeter@1" "__greeter_call" (func $call)) (memory (export "memory") i64 1)
        (func (export "__greeter") (result i32) (i32.const 64)) (func (export "call") (call $call)))"""
    with pytest.raises(AbiError, match="64-bit addresses"):
        runtime.instantiate(text, imports=Greeter()).exports.call()


def test_the_mailbox_is_found_once(runtime: Runtime) -> None:
    guest = MailboxGuest(runtime, Greeter())
    state = guest.instance.host_state(guest.host)
    guest.call("nothing")
    found = state.mailbox  # type: ignore[attr-defined]
    guest.call("nothing")
    assert state.mailbox is found  # type: ignore[attr-defined]


def test_nested_calls(runtime: Runtime) -> None:
    """An operation calls its guest, which uses the same mailbox; the outer answer is whole."""

    class Nest(MailboxModule):
        name = "acme/nest@1"
        abi = (1, 0)

        @operation(1)
        def outer(self, depth: int) -> str:
            return f"{depth}{nested.send(1, encode([0]), buffer=4096, capacity=1000).value}" if depth else "inner"

    nested = MailboxGuest(runtime, Nest())
    with pytest.raises(AssertionError, match="address or the capacity"):  # the inner call named another buffer, and left it there
        nested.call("outer", 1)
    assert nested.memory.read(1024, 7) == encode("1inner")
    assert nested.memory.read(4096, 6) == encode("inner")


def test_threads_have_instances_of_their_own(runtime: Runtime) -> None:
    host = Greeter()
    guests = [MailboxGuest(runtime, host) for _ in range(4)]
    results: list[object] = []

    def work(number: int) -> None:
        results.extend(guests[number].call("add", turn, number) == turn + number for turn in range(50))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [True] * 200


def _call_and_drop(runtime: Runtime, host: Greeter) -> weakref.ref[Instance]:
    guest = MailboxGuest(runtime, host)
    guest.call("note", "a")
    return weakref.ref(guest.instance)


def test_no_instance_is_kept_alive(runtime: Runtime) -> None:
    host = Greeter()
    dropped = [_call_and_drop(runtime, host) for _ in range(10)]
    gc.collect()
    assert [found() for found in dropped] == [None] * 10


def test_mistakes_in_a_host_module_are_found_when_it_is_made() -> None:
    class Twice(MailboxModule):
        name = "acme/twice@1"
        abi = (1, 0)

        @operation(1)
        def one(self) -> None: ...

        @operation(1)
        def two(self) -> None: ...

    class Unversioned(MailboxModule):
        name = "acme/unversioned"
        abi = (1, 0)

    class Untyped(MailboxModule):
        name = "acme/untyped@1"
        abi = (1, 0)

        @operation(1)
        def one(self, what: complex) -> None: ...

    with pytest.raises(ValueError, match="one and two are both operation 1"):
        Twice()
    with pytest.raises(ValueError, match="do not agree"):
        Unversioned()
    with pytest.raises(TypeError, match="no type of the ABI for annotation <class 'complex'>"):
        Untyped()
    with pytest.raises(ValueError, match="1 to 2"):
        operation(0)
    with pytest.raises(ValueError, match="the status of an error"):
        OperationError(Status.OK)


class _Marked(MailboxModule):
    """As `purewasm gen` writes a base class."""

    name = "acme/scales@1"
    abi = (1, 0)

    @plain_import("__scales_weigh")
    def on_weigh(self, caller: Caller, left: i64, right: f64) -> f64:
        raise NotImplementedError


class _Unmarked(_Marked):
    def on_weigh(self, caller, left, right):  # type: ignore[no-untyped-def]
        return left + right + caller.memory.pages


def test_an_import_has_the_types_of_the_class_that_marked_it(runtime: Runtime) -> None:
    guest = """(module (import "acme/scales@1" "__scales_weigh" (func $weigh (param i64 f64) (result f64))) (memory 3)
        (func (export "weigh") (result f64) (call $weigh (i64.const 1) (f64.const 0.5))))"""
    assert runtime.instantiate(guest, imports=_Unmarked()).exports.weigh() == 4.5
