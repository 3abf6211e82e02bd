"""Host modules that follow a script: for tests of guests without the real thing.

    fake = FakeHost(KvAbi)                              # a class of operations, such as `purewasm gen` writes
    fake.on("get", "colour").returns(b"blue")
    fake.on("get").raises(OperationError(Status.NOT_FOUND))
    runtime.instantiate(guest, imports=fake.module).exports.run()
    assert fake.calls == [("get", ("colour",)), ("get", ("size",))]

Strict, as it is by default, a call that nothing was said about ends the guest's call with `UnexpectedCallError`, and `verify` fails where
something that was said has not happened.
"""

from __future__ import annotations

from purewasm.hostmod import MailboxModule, OperationError, Status
from purewasm.light_typing import TYPE_CHECKING, Final, NamedTuple, final
from purewasm.runtime.hostmodule import HostModule
from purewasm.store.host import HostFunction
from purewasm.wasm import module as wm
from purewasm.wasm.deftypes import DefType

if TYPE_CHECKING:
    from collections.abc import Callable

    from purewasm.hostmod.mailbox_module import Call
    from purewasm.runtime.module import Module


class UnexpectedCallError(AssertionError):
    """A guest called what the script says nothing about."""


class RecordedCall(NamedTuple):
    """What a guest called: the operation or import, and its arguments."""

    name: str
    arguments: tuple[object, ...]


@final
class Rule:
    """What to answer to one kind of call. Made by `FakeHost.on`."""

    def __init__(self, name: str, arguments: tuple[object, ...]) -> None:
        self.name, self.arguments, self.used = name, arguments, 0
        self._answer: Callable[..., object] = lambda *_: None

    def returns(self, value: object) -> Rule:
        """Answer with this value."""
        self._answer = lambda *_: value
        return self

    def raises(self, error: BaseException) -> Rule:
        """Raise this: an `OperationError` is an answer to the guest, anything else ends its call."""

        def fail(*_: object) -> object:
            raise error

        self._answer = fail
        return self

    def does(self, action: Callable[..., object]) -> Rule:
        """Answer with what this function returns for the call's arguments."""
        self._answer = action
        return self

    def fits(self, call: RecordedCall) -> bool:
        """True for calls of that name, with those arguments if any were said."""
        return self.name == call.name and self.arguments in ((), call.arguments)

    def answer(self, call: RecordedCall) -> object:
        """The answer, counted."""
        self.used += 1
        return self._answer(*call.arguments)

    def __repr__(self) -> str:
        return f"{self.name}({', '.join(map(repr, self.arguments)) or '…'})"


@final
class FakeHost:
    """A fake of a host module: of a class of operations, or of whatever `guest` imports from the import module `kind`."""

    def __init__(self, kind: type[MailboxModule] | str, guest: Module | None = None, *, strict: bool = True) -> None:
        self.calls: Final[list[RecordedCall]] = []
        """Every call so far, in order."""
        self.strict = strict
        self._rules: list[Rule] = []
        self.module: Final = self._of_imports(kind, guest) if isinstance(kind, str) else self._of_operations(kind)
        """The import module, for `imports=` or `register`."""

    def on(self, name: str, *arguments: object) -> Rule:
        """Say what to answer to a call, with these arguments or (where none are given) any. A later rule wins over an earlier one."""
        if name not in self._names:
            raise ValueError(f"{self.module.name} has no {name!r}: there are {', '.join(sorted(self._names))}")
        rule = Rule(name, arguments)
        self._rules.insert(0, rule)
        return rule

    def verify(self) -> None:
        """`AssertionError` if a rule was never used."""
        unused = [rule for rule in reversed(self._rules) if not rule.used]
        if unused:
            raise AssertionError(f"{self.module.name}: never called: {', '.join(map(repr, unused))}")

    def _take(self, name: str, arguments: tuple[object, ...]) -> object:
        call = RecordedCall(name, arguments)
        self.calls.append(call)
        for rule in self._rules:
            if rule.fits(call):
                return rule.answer(call)
        if self.strict:
            said = ", ".join(map(repr, reversed(self._rules))) or "nothing"
            raise UnexpectedCallError(f"{self.module.name}: unexpected call {name}{arguments!r}; the script knows {said}")
        return None

    def _of_operations(self, kind: type[MailboxModule]) -> MailboxModule:
        def init(module: MailboxModule) -> None:
            MailboxModule.__init__(module)

        own = {"__init__": init, "new_state": lambda module, instance: None, "drop_state": lambda module, state: None}
        module: MailboxModule = type(f"Fake{kind.__name__}", (kind,), own)()
        for number, found in list(module.operations.items()):
            module.operations[number] = found._replace(method=self._operation(found.name, found.wants_call))
        self._names = {found.name for found in module.operations.values()}
        self._fake_plain_imports(module)
        return module

    def _fake_plain_imports(self, module: MailboxModule) -> None:
        for name, definition in list(module.definitions.items()):
            if isinstance(definition, HostFunction) and name != module.call_import:
                module.definitions[name] = self._import(name, definition.deftype, module)
                self._names.add(name)

    def _operation(self, name: str, wants_call: bool) -> Callable[..., object]:
        if not wants_call:
            return lambda *arguments: self._answered(name, arguments)

        def with_call(call: Call, *arguments: object) -> object:
            return self._answered(name, arguments)

        return with_call

    def _answered(self, name: str, arguments: tuple[object, ...]) -> object:
        used = sum(rule.used for rule in self._rules)
        result = self._take(name, arguments)
        if result is None and used == sum(rule.used for rule in self._rules):
            raise OperationError(Status.UNSUPPORTED, f"the fake of {self.module.name} knows no answer to {name}")
        return result

    def _of_imports(self, name: str, guest: Module | None) -> HostModule:
        if guest is None:
            raise TypeError(f"FakeHost({name!r}) needs the guest, whose imports say what to fake")
        module = HostModule(name)
        self._names = set()
        for wanted in guest.wasm.imports:
            if wanted.module == name and wanted.kind == wm.FUNC and isinstance(wanted.type, DefType) and wanted.name not in self._names:
                self._names.add(wanted.name)
                module.add(wanted.name, self._import(wanted.name, wanted.type, module))
        return module

    def _import(self, name: str, deftype: DefType, module: HostModule) -> HostFunction:
        results = len(deftype.func.results)

        def call(*arguments: object) -> object:
            answer = self._take(name, arguments)
            return (0 if results == 1 else (0,) * results) if answer is None and results else answer

        return HostFunction(call, deftype, module=module.name, name=name, owner=module)
