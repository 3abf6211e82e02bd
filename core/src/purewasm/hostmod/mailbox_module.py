"""Version 1 of the ABI: operations with typed arguments and results, through a mailbox.

    class Greeter(MailboxModule):
        name = "acme/greeter@1"
        abi = (1, 0)

        @operation(1)
        def greet(self, who: str) -> str:
            if not who:
                raise OperationError(Status.INVALID, "nobody to greet")
            return f"hello, {who}"

    with Runtime() as runtime:
        Greeter().register(runtime)
"""

from __future__ import annotations

import inspect
import re
import typing
from threading import get_ident

from purewasm.errors import InternalError
from purewasm.hostmod.codec import DecodeError, decode, encode
from purewasm.hostmod.mailbox import FETCH, Mailbox
from purewasm.hostmod.members import marked_members
from purewasm.hostmod.status import AbiError, OperationError, Status
from purewasm.hostmod.versions import check_version
from purewasm.hostmod.wire_types import WireType, WireTypeError, result_type, wire_type
from purewasm.light_typing import TYPE_CHECKING, ClassVar, Final, NamedTuple, TypeVar, final
from purewasm.runtime.annotations import signature_of
from purewasm.runtime.discovery import split_import_name
from purewasm.runtime.hostmodule import HostModule
from purewasm.store.host import Caller, wants_caller

if TYPE_CHECKING:
    from collections.abc import Callable

    from purewasm.store.instance import Instance

_Method = TypeVar("_Method", bound="Callable[..., object]")
_NUMBER: Final = "__purewasm_operation__"
_IMPORT: Final = "__purewasm_plain_import__"
_BODY_OFFSET: Final = 16


def operation(number: int, *, name: str | None = None) -> Callable[[_Method], _Method]:
    """Decorator: this method is the operation of that number, under its own name or `name`. Its annotations say the types of arguments
    and result; arguments with a default may be left out by guests of older minor versions. A first parameter annotated `Call` gets the
    call itself."""
    if not 0 < number <= 0xFFFF_FFFF:
        raise ValueError(f"the number of an operation is 1 to 2**32 - 1, not {number}")

    def mark(method: _Method) -> _Method:
        setattr(method, _NUMBER, (number, name or method.__name__))
        return method

    return mark


def plain_import(name: str) -> Callable[[_Method], _Method]:
    """Decorator: this method is an import of plain numbers, beside the mailbox. Types as for `HostModule.function`."""

    def mark(method: _Method) -> _Method:
        setattr(method, _IMPORT, name)
        return method

    return mark


@final
class Call:
    """One call of an operation: the instance that makes it, its state, and the mailbox's handle, which the operation may set."""

    __slots__ = ("_caller", "handle", "state")

    def __init__(self, caller: Caller, state: object, handle: int) -> None:
        self._caller, self.state, self.handle = caller, state, handle

    @property
    def instance(self) -> Instance:
        """The instance that calls."""
        return self._caller.instance

    def check_interruption(self) -> None:
        """Raise what stops the guest, if its time is up or it was closed: an operation that waits asks every 20 ms or so."""
        self._caller.check_interruption()


class Operation(NamedTuple):
    """What a host module knows about one of its operations."""

    number: int
    name: str
    method: Callable[..., object]
    parameters: tuple[tuple[str, WireType], ...]
    required: int
    result: WireType
    wants_call: bool


@final
class MailboxState:
    """What belongs to one instance: its mailbox, found at its first call, an answer that did not fit, the module's own state."""

    __slots__ = ("_reader", "kept", "mailbox", "own")

    def __init__(self, own: object) -> None:
        self.own = own
        self.mailbox: Mailbox | None = None
        self.kept: tuple[int, int, bytes] | None = None
        """(operation, status, body) of the answer that waits for a larger buffer."""
        self._reader: int | None = None

    def find(self, host: MailboxModule, instance: Instance) -> Mailbox:
        """Ask the guest for its mailbox: this calls the guest."""
        thread = get_ident()
        if self._reader == thread:
            problem = f"called from inside the guest's own {host.page_export}, before the host knows where the mailbox is"
            raise AbiError(host.name, host.call_import, problem)
        self._reader = thread
        try:
            mailbox = self.mailbox = Mailbox.of(instance, host.name, host.page_export, host.abi, host.operation_names)
        finally:
            self._reader = None
        return mailbox


class MailboxModule(HostModule):
    """A host module of version 1. A subclass says its name and version, and has methods marked with `operation`.

    An operation raises `OperationError` for what the guest should know. Any other exception is the host's own trouble: it passes through
    the guest's frames and comes out of the embedder's call.
    """

    name: str
    """The import module, `owner/name@major`: said by the class."""
    abi: ClassVar[tuple[int, int]]
    """Major and minor version of the operations."""
    aliases: tuple[str, ...] = ()
    max_request_bytes: int = 1 << 20
    """Longer requests get the status TOO_LARGE."""
    max_reply_bytes: int = 1 << 24
    """Longer answers are not kept for a guest with a small buffer; it gets the status TOO_LARGE."""

    def __init__(self) -> None:
        super().__init__(self.name, aliases=self.aliases)
        self._base, major = split_import_name(self.name)
        if major != self.abi[0]:
            problem = f"the name {self.name!r} and the version {self.abi} do not agree: expected …@{self.abi[0]}"
            raise ValueError(f"{type(self).__name__}: {problem}")
        stem = module_stem(self._base)
        self.page_export: Final = f"__{stem}"
        self.call_import: Final = f"__{stem}_call"
        self.operations: Final = find_operations(self)
        """By number."""
        self.operation_names: Final = {number: found.name for number, found in self.operations.items()}
        self.add_function(self.call_import, self._answer, (), ())
        for attribute, member in marked_members(type(self), _IMPORT).items():
            # Types are those of the class that marked it: a method that overrides a generated one needs no annotations.
            declared: Callable[..., object] = getattr(member, "__get__")(self)  # noqa: B009 (no attribute that `object` has)
            params, results = signature_of(declared)
            method = getattr(self, attribute)
            if wants_caller(declared) and not wants_caller(method):
                method = _with_caller(method)
            self.add_function(getattr(member, _IMPORT), method, params, results)

    # ---- state of each instance, for subclasses

    def new_state(self, instance: Instance) -> object:
        """What belongs to one instance; operations find it in `Call.state`. The guest has not run yet."""
        return None

    def drop_state(self, state: object) -> None:
        """The instance is closed."""

    def attach(self, instance: Instance) -> MailboxState:
        """`LinkError` for a guest that was built against another major version."""
        check_version(instance, self.name, self._base, self.abi)
        return MailboxState(self.new_state(instance))

    def detach(self, state: object) -> None:
        """Give back what `new_state` made."""
        if isinstance(state, MailboxState):
            self.drop_state(state.own)

    # ---- a call

    def _answer(self, caller: Caller) -> None:
        state = caller.state
        if not isinstance(state, MailboxState):
            raise InternalError(f"{caller.instance!r} calls {self.call_import}, but {self.name} was never attached to it")
        mailbox = state.mailbox
        if mailbox is None:
            mailbox = state.find(self, caller.instance)
        try:
            body = mailbox.take(self.max_request_bytes)
        except OperationError as error:
            mailbox.put(error.status, _error_body(error), mailbox.buffer, mailbox.capacity, mailbox.handle, keep=False)
            return
        # Kept here: a guest that the operation calls may use the mailbox too.
        number, buffer, capacity, handle = mailbox.operation, mailbox.buffer, mailbox.capacity, mailbox.handle
        try:
            if mailbox.flags:
                self._fetch(state, mailbox)
                return
            state.kept = None
            found = self.operations.get(number)
            if found is None:
                own = "{}.{}".format(*self.abi)
                raise OperationError(Status.UNSUPPORTED, f"{self.name} of version {own} has no operation {number}")
            arguments = self._arguments(mailbox, found, body)
            if found.wants_call:
                call = Call(caller, state.own, handle)
                result = found.method(call, *arguments)
                handle = call.handle
            else:
                result = found.method(*arguments)
            reply = self._reply(found, result)
            if not mailbox.put(Status.OK, reply, buffer, capacity, handle, keep=True):
                if len(reply) > self.max_reply_bytes:
                    raise OperationError(Status.TOO_LARGE, "the answer is over the host's limit", len(reply))
                state.kept = number, Status.OK, reply
        except OperationError as error:
            mailbox.put(error.status, _error_body(error), buffer, capacity, handle, keep=False)

    def _arguments(self, mailbox: Mailbox, found: Operation, body: bytes) -> list[object]:
        at = -1
        try:
            values = decode(body)
            if type(values) is not list:
                raise WireTypeError("an array of arguments was expected")
            if not found.required <= len(values) <= len(found.parameters):
                most = len(found.parameters)
                wanted = f"{most}" if found.required == most else f"{found.required} to {most}"
                raise WireTypeError(f"takes {wanted} arguments, got {len(values)}")
            for at, value in enumerate(values):
                values[at] = found.parameters[at][1].check(value)
        except WireTypeError as error:
            where = f"argument {found.parameters[at][0]!r}: " if at >= 0 else ""
            raise AbiError(self.name, found.name, f"{where}{error}", mailbox.buffer) from None
        except DecodeError as error:
            raise AbiError(self.name, found.name, f"the request is not what the ABI asks for: {error}", mailbox.buffer) from None
        return values

    def _reply(self, found: Operation, result: object) -> bytes:
        try:
            return encode(found.result.check(result))
        except WireTypeError as error:
            raise TypeError(f"{self.name} {found.name}: the operation returned a wrong result: {error}") from None

    def _fetch(self, state: MailboxState, mailbox: Mailbox) -> None:
        """A guest comes back with a larger buffer."""
        if mailbox.flags != FETCH:
            raise OperationError(Status.UNSUPPORTED, f"unknown flags 0x{mailbox.flags:x}")
        kept = state.kept
        if kept is None or kept[0] != mailbox.operation:
            raise OperationError(Status.NOT_FOUND, "there is no answer that waits to be fetched")
        if mailbox.put(kept[1], kept[2], mailbox.buffer, mailbox.capacity, mailbox.handle, keep=True):
            state.kept = None


def _error_body(error: OperationError) -> bytes:
    return encode([error.status, error.message, error.data])


def _with_caller(method: Callable[..., object]) -> Callable[..., object]:
    def call(caller: Caller, *arguments: object) -> object:
        return method(caller, *arguments)

    return call


def module_stem(base: str) -> str:
    """The word for a host module in the names of imports and exports: `acme/my-kv` is `my_kv`."""
    return re.sub(r"\W", "_", base.rpartition("/")[2], flags=re.ASCII)


def find_operations(host: MailboxModule) -> dict[int, Operation]:
    """The operations of a host module by number. `TypeError` for annotations that the ABI has no type for."""
    found: dict[int, Operation] = {}
    for name, member in marked_members(type(host), _NUMBER).items():
        if not callable(member):
            continue
        number, public = getattr(member, _NUMBER)
        if number in found:
            raise ValueError(f"{type(host).__name__}: {found[number].name} and {public} are both operation {number}")
        found[number] = _describe(number, public, member, getattr(host, name))
    return found


def _describe(number: int, name: str, declared: Callable[..., object], method: Callable[..., object]) -> Operation:
    hints = typing.get_type_hints(declared, include_extras=True)
    where = getattr(declared, "__qualname__", name)
    parameters = list(inspect.signature(declared).parameters.values())[1:]
    wants_call = bool(parameters) and hints.get(parameters[0].name) is Call
    parameters = parameters[wants_call:]
    for parameter in parameters:
        if parameter.name not in hints:
            raise TypeError(f"parameter {parameter.name!r} of {where} has no annotation")
    typed = tuple((parameter.name, wire_type(hints[parameter.name], where)) for parameter in parameters)
    required = sum(parameter.default is inspect.Parameter.empty for parameter in parameters)
    return Operation(number, name, method, typed, required, result_type(hints.get("return"), where), wants_call)
