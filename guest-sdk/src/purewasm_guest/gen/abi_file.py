"""ABI files: what a host module of version 1 offers, as TOML. `docs/abi.md` describes the format.

A mistake is an `AbiFileError` that says where it is and what was expected; nothing is guessed and no key is ignored.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final, NamedTuple, cast

from purewasm_guest.gen.toml_reader import Table, TomlReader, plain, read_toml

SCALARS: Final = ("bool", "i32", "u32", "i64", "u64", "f64", "str", "bytes")
NUMBERS: Final = ("i32", "i64", "f64")
"""What plain imports are made of: WebAssembly's own types."""
TYPES: Final = (*SCALARS, *(f"list<{name}>" for name in SCALARS), "value")
STATUSES: Final = {
    "OK": 0, "NOT_FOUND": 1, "EXISTS": 2, "INVALID": 3, "DENIED": 4, "TOO_LARGE": 5, "TIMEOUT": 6, "UNAVAILABLE": 7,
    "UNSUPPORTED": 8, "INTERNAL": 9,
}  # fmt: skip
MODULE_STATUS: Final = 100
_RESERVED: Final = frozenset(
    "answer box call caller count err error first_buffer host i item kind mailbox memory out reader request self status".split()
)
"""Names that the SDKs' own functions use inside."""

class Field(NamedTuple):
    """An argument or a part of the result."""

    name: str
    type: str
    default: object = None
    """What the host takes where a guest leaves it out; None where it may not."""


class Operation(NamedTuple):
    """One operation."""

    number: int
    name: str
    summary: str
    arguments: tuple[Field, ...]
    results: tuple[Field, ...]
    errors: tuple[str, ...]
    uses_call: bool
    """True where the host's method gets the call (its instance, state and handle) first."""


class OwnStatus(NamedTuple):
    """A status of the module itself."""

    number: int
    name: str
    summary: str


class Plain(NamedTuple):
    """An import of plain numbers, beside the mailbox."""

    name: str
    summary: str
    parameters: tuple[Field, ...]
    result: str | None
    uses_caller: bool
    """True where the host's method gets the `Caller` first."""


class CaseStep(NamedTuple):
    """A call of a case, with what has to come of it."""

    operation: Operation
    arguments: tuple[object, ...]
    status: str
    result: object
    any_result: bool


class Case(NamedTuple):
    """A case of the file's own."""

    name: str
    steps: tuple[CaseStep, ...]


class AbiFile(NamedTuple):
    """What an ABI file says."""

    path: Path
    name: str
    version: tuple[int, int]
    summary: str
    class_name: str
    request_bytes: int
    operations: tuple[Operation, ...]
    plains: tuple[Plain, ...]
    statuses: tuple[OwnStatus, ...]
    cases: tuple[Case, ...]
    outputs: dict[str, Path]
    """Where `purewasm gen` writes, by target."""

    @property
    def import_name(self) -> str:
        """The import module."""
        return f"{self.name}@{self.version[0]}"

    @property
    def stem(self) -> str:
        """The word for it in names."""
        return re.sub(r"\W", "_", self.name.rpartition("/")[2], flags=re.ASCII)

    @property
    def prefix(self) -> str:
        """The word for it in guest SDKs: `purewasm_kv` of `purewasm/kv`."""
        return re.sub(r"\W", "_", f"{self.name.partition('/')[0]}_{self.stem}", flags=re.ASCII)


def load(path: Path) -> AbiFile:
    """Read an ABI file of version 1."""
    return _Reader(path).read(read_toml(path))


class _Reader(TomlReader):
    """The walk through one file of version 1; `where` goes into every message."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._statuses: dict[str, int] = dict(STATUSES)

    def read(self, content: Table) -> AbiFile:
        module = cast("Table", self._get(content, "module", dict, "the file"))
        limits = cast("Table", self._get(content, "limits", dict, "the file", {}))
        generate = cast("Table", self._get(content, "generate", dict, "the file", {}))
        name = self._module_name(module)
        version = self._version(self._get(module, "version", list, "[module]"))
        stem = re.sub(r"\W", "_", name.rpartition("/")[2], flags=re.ASCII)
        class_name = str(self._get(module, "class", str, "[module]", "".join(part.capitalize() for part in stem.split("_"))))
        summary = str(self._get(module, "summary", str, "[module]"))
        self._done(module, "[module]")
        statuses = tuple(self._status(table) for table in self._tables(content, "status"))
        operations = tuple(self._operation(table) for table in self._tables(content, "operation"))
        plains = tuple(self._plain(table) for table in self._tables(content, "plain"))
        self._check_names(operations, plains)
        cases = tuple(self._case(table, operations) for table in self._tables(content, "case"))
        request_bytes = cast("int", self._get(limits, "request_bytes", int, "[limits]", 1 << 20))
        self._done(limits, "[limits]")
        outputs = self._outputs(generate)
        self._done(content, "the file")
        return AbiFile(self._path, name, version, summary, class_name, request_bytes, operations, plains, statuses, cases, outputs)

    def _version(self, value: object) -> tuple[int, int]:
        numbers = value if isinstance(value, list) else []
        if len(numbers) != 2 or not all(type(part) is int and 0 <= part <= 0xFFFF for part in numbers) or not numbers[0]:
            raise self._fail("[module]", f"the version is [major, minor], major 1 or more, not {value!r}")
        return numbers[0], numbers[1]

    def _check_names(self, operations: tuple[Operation, ...], plains: tuple[Plain, ...]) -> None:
        names = {operation.name for operation in operations} | {plain.name for plain in plains}
        fields_of = {f"operation {operation.name}": (*operation.arguments, *operation.results) for operation in operations}
        fields_of |= {f"plain {plain.name}": plain.parameters for plain in plains}
        for position, operation in enumerate(operations):
            for other in operations[:position]:
                if other.number == operation.number or other.name == operation.name:
                    raise self._fail(f"operation {operation.name}", f"same number or name as {other.name}")
        for where, fields in fields_of.items():
            for field in fields:
                if field.name in names:
                    raise self._fail(where, f"{field.name!r} is the name of an operation too: not every language can tell them apart")
        if not operations:
            raise self._fail("the file", "there is no [[operation]]")

    def _status(self, table: Table) -> OwnStatus:
        name = str(self._get(table, "name", str, "[[status]]"))
        number = cast("int", self._get(table, "number", int, f"status {name}"))
        if number < MODULE_STATUS or number in self._statuses.values() or name in self._statuses:
            raise self._fail(f"status {name}", f"a number from {MODULE_STATUS} on and a name of its own, not {number}")
        self._statuses[name] = number
        summary = str(self._get(table, "summary", str, f"status {name}"))
        self._done(table, f"status {name}")
        return OwnStatus(number, name, summary)

    def _operation(self, table: Table) -> Operation:
        name = self._snake(self._get(table, "name", str, "[[operation]]"), "[[operation]]")
        where = f"operation {name}"
        number = cast("int", self._get(table, "number", int, where))
        if not 0 < number < 1 << 32:
            raise self._fail(where, f"the number is 1 to 2**32 - 1, not {number}")
        arguments = self._fields(table, "arguments", where)
        defaults = [field.default is not None for field in arguments]
        if defaults != sorted(defaults):
            raise self._fail(where, "an argument without a default follows one that has one")
        results = self._fields(table, "results", where)
        errors = cast("list[object]", self._get(table, "errors", list, where, []))
        for error in errors:
            if error not in self._statuses:
                raise self._fail(where, f"unknown status {error!r}")
        summary = str(self._get(table, "summary", str, where))
        uses_call = bool(self._get(table, "call", bool, where, False))
        self._done(table, where)
        return Operation(number, name, summary, arguments, results, tuple(map(str, errors)), uses_call)

    def _plain(self, table: Table) -> Plain:
        name = self._snake(self._get(table, "name", str, "[[plain]]"), "[[plain]]")
        where = f"plain {name}"
        parameters, result = self._fields(table, "parameters", where), self._get(table, "result", str, where, None)
        for kind in (*(field.type for field in parameters), *([] if result is None else [result])):
            if kind not in NUMBERS:
                raise self._fail(where, f"plain imports have numbers alone, {', '.join(NUMBERS)}, not {kind!r}")
        summary = str(self._get(table, "summary", str, where))
        uses_caller = bool(self._get(table, "caller", bool, where, False))
        self._done(table, where)
        return Plain(name, summary, parameters, None if result is None else str(result), uses_caller)

    def _fields(self, table: Table, key: str, where: str) -> tuple[Field, ...]:
        found = []
        for item in cast("list[Table]", self._get(table, key, list, where, [])):
            if not isinstance(item, dict):
                raise self._fail(where, f"{key} are {{ name = …, type = … }}, not {item!r}")
            name = self._field_name(item.pop("name", None), where)
            if name in _RESERVED:
                raise self._fail(where, f"{name!r} is a name that the SDKs use themselves: choose another one")
            kind = item.pop("type", None)
            if kind not in TYPES:
                raise self._fail(f"{where}, {name}", f"unknown type {kind!r}: there are {', '.join(TYPES)}")
            default = item.pop("default", None) if key == "arguments" else None
            if default is not None and str(kind) not in SCALARS:
                raise self._fail(f"{where}, {name}", "only numbers, bool, str and bytes have a default")
            self._done(item, f"{where}, {name}")
            found.append(Field(name, str(kind), plain(default)))
        return tuple(found)

    def _case(self, table: Table, operations: tuple[Operation, ...]) -> Case:
        name = str(self._get(table, "name", str, "[[case]]"))
        where = f"case {name}"
        steps = cast("list[Table]", self._get(table, "steps", list, where))
        self._done(table, where)
        return Case(name, tuple(self._step(step, operations, where) for step in steps))

    def _step(self, step: Table, operations: tuple[Operation, ...], where: str) -> CaseStep:
        called = self._get(step, "call", str, where)
        operation = next((operation for operation in operations if operation.name == called), None)
        if operation is None:
            raise self._fail(where, f"unknown operation {called!r}")
        arguments = cast("list[object]", self._get(step, "arguments", list, where, []))
        status = str(self._get(step, "status", str, where, "OK"))
        if status not in self._statuses:
            raise self._fail(where, f"unknown status {status!r}")
        any_result = "result" not in step and bool(operation.results or status != "OK")
        result = plain(step.pop("result", None))
        self._done(step, where)
        return CaseStep(operation, tuple(map(plain, arguments)), status, result, any_result)


def status_number(abi: AbiFile, name: str) -> int:
    """The number of a status of the ABI or of the module."""
    own = {status.name: status.number for status in abi.statuses}
    return own[name] if name in own else STATUSES[name]
