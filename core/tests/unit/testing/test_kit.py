"""The kit itself: it must find a host module or guest that does not do as it should."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from core.tests.unit.hostmod.greeter import Greeter
from purewasm import Runtime
from purewasm.hostmod import MailboxModule, OperationError, Status
from purewasm.hostmod.codec import encode
from purewasm.testing import FakeHost, MailboxGuest, UnexpectedCallError, check_hostile, conformance_cases

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parents[4]


def test_the_runtime_is_of_each_engine(runtime: Runtime, purewasm_engine: str) -> None:
    assert runtime.engine_name == purewasm_engine


def test_a_fake_follows_its_script(runtime: Runtime) -> None:
    fake = FakeHost(Greeter)
    fake.on("greet").returns("hi")
    fake.on("greet", "you").does(lambda who: f"hey {who}")
    fake.on("add").raises(OperationError(Status.DENIED, "no"))
    assert isinstance(fake.module, MailboxModule)
    guest = MailboxGuest(runtime, fake.module)
    assert [guest.call("greet", "me"), guest.call("greet", "you")] == ["hi", "hey you"]
    with pytest.raises(OperationError, match="DENIED: no"):
        guest.call("add", 1, 2)
    assert fake.calls == [("greet", ("me",)), ("greet", ("you",)), ("add", (1, 2))]
    fake.verify()


def test_a_strict_fake_ends_an_unexpected_call(runtime: Runtime) -> None:
    fake = FakeHost(Greeter)
    fake.on("greet", "you").returns("hi")
    guest = MailboxGuest(runtime, fake.module)  # type: ignore[arg-type]
    with pytest.raises(UnexpectedCallError, match=r"unexpected call greet\('me',\); the script knows greet\('you'\)"):
        guest.call("greet", "me")
    with pytest.raises(AssertionError, match=r"never called: greet\('you'\)"):
        fake.verify()
    with pytest.raises(ValueError, match="has no 'greed': there are"):
        fake.on("greed")


def test_a_lenient_fake_answers_unsupported(runtime: Runtime) -> None:
    fake = FakeHost(Greeter, strict=False)
    guest = MailboxGuest(runtime, fake.module)  # type: ignore[arg-type]
    with pytest.raises(OperationError, match="UNSUPPORTED"):
        guest.call("greet", "me")
    assert fake.calls == [("greet", ("me",))]


def test_a_fake_of_plain_imports(runtime: Runtime) -> None:
    module = runtime.compile(
        """(module (import "acme/x" "f" (func $f (param i32) (result i64))) (import "acme/x" "g" (func $g))
        (func (export "run") (param i32) (result i64) (call $g) (call $f (local.get 0))))"""
    )
    fake = FakeHost("acme/x", module)
    fake.on("f", 5).returns(50)
    fake.on("g").returns(None)
    exports = runtime.instantiate(module, imports=fake.module).exports
    assert exports.run(5) == 50
    with pytest.raises(UnexpectedCallError, match=r"f\(6,\)"):
        exports.run(6)
    lenient = FakeHost("acme/x", module, strict=False)
    assert runtime.instantiate(module, imports=lenient.module).exports.run(7) == 0
    assert lenient.calls == [("g", ()), ("f", (7,))]


def _write(folder: Path, steps: list[dict[str, object]]) -> Path:
    file = folder / "cases.json"
    content = {"format": 1, "module": "acme/greeter@1", "cases": [{"name": "the case", "steps": steps}]}
    file.write_text(json.dumps(content), encoding="utf-8")
    return file


GREET = encode(["you"]).hex()


@pytest.mark.parametrize(
    ("step", "problem"),
    [
        ({"operation": 1, "request": GREET, "status": 0, "reply": encode("hello, you").hex()}, None),
        ({"operation": 1, "request": "90", "refused": True}, None),
        ({"operation": 8, "request": encode([99]).hex(), "mailbox": {"capacity": 50}, "kept": True}, None),
        ({"operation": 1, "request": GREET, "status": 1}, "status 0 instead of 1"),
        ({"operation": 1, "request": GREET, "reply": encode("bye").hex()}, "'hello, you' instead of 'bye'"),
        ({"operation": 1, "request": GREET, "refused": True}, "broke the ABI, and got status 0"),
        ({"operation": 1, "request": "90"}, "the call was ended"),
        ({"operation": 1, "request": GREET, "kept": True}, "the answer fits"),
    ],
)
def test_conformance_cases_fail_where_they_should(
    runtime: Runtime, tmp_path: Path, step: dict[str, object], problem: str | None
) -> None:
    (case,) = conformance_cases(_write(tmp_path, [step]))
    assert str(case) == "the case"
    if problem is None:
        case.run(runtime, Greeter())
        return
    with pytest.raises(AssertionError, match=f"the case, step 1: .*{problem}"):
        case.run(runtime, Greeter())


def test_a_host_that_believes_its_guests_is_found(runtime: Runtime) -> None:
    class Gullible(MailboxModule):
        name = "acme/gullible@1"
        abi = (1, 0)

        def _arguments(self, mailbox: object, found: object, body: bytes) -> list[object]:
            return []

        def __init__(self) -> None:
            super().__init__()
            self.operations[6] = Greeter().operations[6]._replace(method=lambda: None)

    with pytest.raises(AssertionError, match="empty: acme/gullible@1 answered with status 0"):
        check_hostile(runtime, Gullible)


PLUGIN_TEST = """
def test_guest(runtime, guest):
    assert runtime.instantiate(guest("add.wat")).exports.add(2, 3) == 5

def test_c(runtime, guest):
    assert runtime.instantiate(guest("add.c")).exports.add(2, 3) == 5
    assert guest("add.c") == guest("add.c")

def test_fake(runtime, guest, fake_host):
    from core.tests.unit.hostmod.greeter import Greeter
    fake_host(Greeter).on("greet").returns("never")
"""


def test_the_plugin_from_outside(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT), prepend=os.pathsep)
    pytester.makepyfile(PLUGIN_TEST)
    (pytester.path / "add.wat").write_text(
        '(module (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))'
    )
    (pytester.path / "add.c").write_text('__attribute__((export_name("add"))) int add(int a, int b) { return a + b; }\n')
    result = pytester.runpytest_subprocess("-q", "--purewasm-engine=interpreter")
    outcomes = result.parseoutcomes()
    assert outcomes["passed"] + outcomes.get("skipped", 0) == 3
    assert outcomes["errors"] == 1
    result.stdout.fnmatch_lines(["*AssertionError: acme/greeter@1: never called: greet(…)*"])
