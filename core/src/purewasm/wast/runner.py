"""Runs a script of the testsuite on an engine, through the public API, and counts what came of its commands."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from purewasm import (
    Features,
    Function,
    Global,
    GuestException,
    Instance,
    InvalidError,
    LinkError,
    MalformedError,
    Module,
    ModuleError,
    Runtime,
    Trap,
    UnsupportedError,
    WasmError,
)
from purewasm.light_typing import TYPE_CHECKING, Final, final
from purewasm.text.assembler import assemble
from purewasm.text.script import (
    Action,
    AssertAction,
    AssertModule,
    AssertReturn,
    Command,
    Get,
    InstanceCommand,
    Invoke,
    ModuleCommand,
    ModuleSource,
    Register,
    Thread,
    Wait,
    parse_script,
)
from purewasm.wasm.valtypes import format_type
from purewasm.wast.spectest import spectest
from purewasm.wast.values import HostObjects, format_expected, is_of_type, matches, to_python

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

# What counts as the right error, by kind of assertion; its words are those of the script. What is invalid in an older version of the
# spec may only need a proposal that is off.
_REFUSALS: Final[dict[str, tuple[type[ModuleError], ...]]] = {
    "malformed": (MalformedError,),
    "malformed_custom": (MalformedError,),
    "invalid": (InvalidError, UnsupportedError),
    "invalid_custom": (InvalidError,),
}


@dataclass(slots=True)
class Failure:
    """A command that did not come out as it should."""

    line: int
    kind: str
    reason: str


@dataclass(slots=True)
class Outcome:
    """What came of a script: how many commands of each kind passed, and which failed."""

    passed: dict[str, int] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    left_out: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Instances that another engine runs, and the functions that they define, by the reason why."""

    def left(self, reason: str, instances: int, functions: int) -> None:
        """Count what another engine runs."""
        before = self.left_out.get(reason, (0, 0))
        self.left_out[reason] = (before[0] + instances, before[1] + functions)

    def add(self, other: Outcome) -> None:
        for kind, count in other.passed.items():
            self.passed[kind] = self.passed.get(kind, 0) + count
        self.failures += other.failures
        for reason, (instances, functions) in other.left_out.items():
            self.left(reason, instances, functions)


class _UnexpectedError(Exception):
    """A command did not come out as it should."""


def run_script(source: bytes, engine: str, features: Features, **options: object) -> Outcome:
    """Run all commands of a script on a runtime of its own, with these options."""
    with Runtime(engine=engine, features=features, **options) as runtime:
        spectest(features).register(runtime)
        runner = ScriptRunner(runtime, features)
        runner.run(parse_script(source))
        return runner.outcome


@final
class ScriptRunner:
    """The state of a script: its instances, definitions, host objects and threads."""

    def __init__(self, runtime: Runtime, features: Features) -> None:
        self.runtime, self.features = runtime, features
        self.outcome = Outcome()
        self.instances: dict[str | None, Instance] = {}
        """By identifier; None for the last one."""
        self.definitions: dict[str | None, Module] = {}
        self.objects = HostObjects()
        self.threads: dict[str | None, tuple[threading.Thread, ScriptRunner]] = {}

    def run(self, commands: Iterable[Command]) -> None:
        """Run commands one after the other; one that fails does not keep the others from running."""
        for command in commands:
            kind = _kind(command)
            try:
                self._run(command)
            except _UnexpectedError as problem:
                self.outcome.failures.append(Failure(command.line, kind, str(problem)))
            except Exception as error:  # noqa: BLE001 (whatever it is, it is a failure of this command)
                self.outcome.failures.append(Failure(command.line, kind, f"{type(error).__name__}: {error}"))
            else:
                self.outcome.passed[kind] = self.outcome.passed.get(kind, 0) + 1

    def _run(self, command: Command) -> None:
        if isinstance(command, ModuleCommand):
            self._module(command)
        elif isinstance(command, InstanceCommand):
            self._remember(command.name, self.runtime.instantiate(self._definition(command.definition)))
        elif isinstance(command, Register):
            self.runtime.register_instance(command.name, self._instance(command.instance))
        elif isinstance(command, Invoke | Get):
            self._act(command)
        elif isinstance(command, AssertReturn):
            self._assert_return(command)
        elif isinstance(command, AssertAction):
            self._assert_action(command)
        elif isinstance(command, AssertModule):
            self._assert_module(command)
        elif isinstance(command, Thread):
            self._thread(command)
        else:
            self._wait(command)

    # ---- modules and instances

    def _compile(self, source: ModuleSource) -> Module:
        if source.is_binary:
            return self.runtime.compile(source.content)
        return self.runtime.compile(assemble(source.content, self.features))

    def _module(self, command: ModuleCommand) -> None:
        module = self._compile(command.source)
        if command.is_definition:
            self.definitions[command.source.name] = self.definitions[None] = module
        else:
            # a module that cannot be instantiated is not the current one either
            self.instances.pop(None, None)
            self._remember(command.source.name, self.runtime.instantiate(module))

    def _definition(self, name: str | None) -> Module:
        if name not in self.definitions:
            raise _UnexpectedError(f"no module definition {name or ''}")
        return self.definitions[name]

    def _remember(self, name: str | None, instance: Instance) -> None:
        reason = getattr(instance.code, "reason", None)
        if isinstance(reason, str):
            self.outcome.left(reason, 1, len(instance.wasm.functions))
        self.instances[None] = instance
        if name is not None:
            self.instances[name] = instance

    def _instance(self, name: str | None) -> Instance:
        if name not in self.instances:
            raise _UnexpectedError(f"no instance {name or ''}: its module failed")
        return self.instances[name]

    # ---- actions

    def _act(self, action: Action) -> tuple[object, tuple[str, ...]]:
        """The result of a call and its types, or the value of a global and its type."""
        export = self._instance(action.instance).exports[action.field]
        if isinstance(action, Get):
            if not isinstance(export, Global):
                raise _UnexpectedError(f"export {action.field!r} is no global but {export!r}")
            return export.value, (format_type(export.type.valtype),)
        if not isinstance(export, Function):
            raise _UnexpectedError(f"export {action.field!r} is no function but {export!r}")
        arguments = [to_python(argument, self.objects) for argument in action.arguments]
        return export(*arguments), export.type.results

    def _assert_return(self, command: AssertReturn) -> None:
        result, types = self._act(command.action)
        expected = command.expected
        results = (result,) if len(expected) == 1 else () if result is None else result
        if not isinstance(results, tuple) or not len(results) == len(types) == len(expected):
            raise _UnexpectedError(f"{len(expected)} results expected, got {result!r}")
        for value, type, wanted in zip(results, types, expected, strict=True):
            if not matches(value, wanted, self.objects) or not is_of_type(type, wanted):
                raise _UnexpectedError(f"expected {format_expected(wanted)}, got {_shown(value)} of type {type}")

    def _assert_action(self, command: AssertAction) -> None:
        wanted = GuestException if command.kind == "exception" else Trap
        self._expect((wanted,), command.message, lambda: self._act(command.action)[0])

    # ---- modules that must be refused

    def _assert_module(self, command: AssertModule) -> None:
        source, kind = command.source, command.kind
        if kind in _REFUSALS:
            self._expect(_REFUSALS[kind], command.message, lambda: self._compile(source))
            return
        module = self._compile(source)
        wanted = LinkError if kind == "unlinkable" else Trap
        self._expect((wanted,), command.message, lambda: self.runtime.instantiate(module))

    def _expect(self, wanted: tuple[type[WasmError], ...], message: str, attempt: Callable[[], object]) -> None:
        """`attempt` must fail with one of these errors and the words of the script."""
        try:
            result = attempt()
        except WasmError as error:
            if isinstance(error, wanted) and str(error).startswith(message):
                return
            raise _UnexpectedError(f"expected {message!r}, got {type(error).__name__}: {error}") from None
        raise _UnexpectedError(f"expected {message!r}, but it went well: {_shown(result)}")

    # ---- threads

    def _thread(self, command: Thread) -> None:
        child = ScriptRunner(self.runtime, self.features)
        child.instances = {name: self._instance(name) for name in command.shared}
        thread = threading.Thread(target=child.run, args=(command.commands,), daemon=True)
        self.threads[command.name] = (thread, child)
        thread.start()

    def _wait(self, command: Wait) -> None:
        thread, child = self.threads.pop(command.thread)
        thread.join(_THREAD_SECONDS)
        if thread.is_alive():
            raise _UnexpectedError(f"thread {command.thread} does not end")
        self.outcome.add(child.outcome)


_THREAD_SECONDS: Final = 60


def _kind(command: Command) -> str:
    """What a command is counted as."""
    if isinstance(command, AssertReturn):
        return "return"
    if isinstance(command, AssertAction):
        return command.kind
    if isinstance(command, AssertModule):
        return "uninstantiable" if command.kind == "trap" else command.kind
    if isinstance(command, ModuleCommand | InstanceCommand):
        return "module"
    return "action" if isinstance(command, Invoke | Get) else type(command).__name__.lower()


def _shown(value: object) -> str:
    if isinstance(value, float) and value != value:
        return f"nan ({value.hex()})"
    return value.hex() if isinstance(value, bytes) else repr(value)
