"""The guest's side in Python, in the subset that `purewasm_guest.python` compiles: one module, which imports `mailbox`."""

from __future__ import annotations

import keyword
from typing import Final

from purewasm_guest.gen.abi_file import AbiFile, Field, Operation, Plain
from purewasm_guest.gen.wording import built_against, generated_note, pascal

_TYPES: Final = {"i32": "i32", "u32": "u32", "i64": "i64", "u64": "u64", "f64": "f64", "bool": "bool", "str": "str", "bytes": "bytes"}
_PUT: Final = {
    "bool": "put_bool({})", "i32": "put_int(i64({}))", "u32": "put_uint(u64({}))", "i64": "put_int({})", "u64": "put_uint({})",
    "f64": "put_float({})", "str": "put_str({})", "bytes": "put_bytes({})",
}  # fmt: skip
_TAKE: Final = {
    "bool": "bool_", "i32": "i32_", "u32": "u32_", "i64": "int_", "u64": "uint", "f64": "float_", "str": "str_", "bytes": "bytes_",
}  # fmt: skip
_EMPTY: Final = {"bool": "False", "str": '""', "bytes": 'b""', "f64": "0.0"}
_TAKEN: Final = frozenset(
    "bool bytes dataclass export f64 float host i32 i64 int len list mailbox message range status str u32 u64".split()
)


def _named(name: str) -> str:
    return f"{name}_" if name in _TAKEN or keyword.iskeyword(name) else name


def _type(field: Field) -> str:
    return f"list[{field.type[5:-1]}]" if field.type.startswith("list<") else _TYPES[field.type]


def _parameters(fields: tuple[Field, ...]) -> str:
    return ", ".join(f"{_named(field.name)}: {_type(field)}" for field in fields)


def _sent(field: Field) -> str:
    name = _named(field.name)
    if not field.type.startswith("list<"):
        return f"    request.{_PUT[field.type].format(name)}\n"
    put = _PUT[field.type[5:-1]].format(f"{name}_item")
    return f"    request.put_array(len({name}))\n    for {name}_item in {name}:\n        request.{put}\n"


def _variable(field: Field) -> str:
    empty = "[]" if field.type.startswith("list<") else _EMPTY.get(field.type, "0")
    return f"    {_named(field.name)}: {_type(field)} = {empty}\n"


def _taken(field: Field) -> str:
    name = _named(field.name)
    if not field.type.startswith("list<"):
        return f"        {name} = answer.{_TAKE[field.type]}()\n"
    return f"        for _ in range(answer.array()):\n            {name}.append(answer.{_TAKE[field.type[5:-1]]}())\n"


def _function(operation: Operation) -> str:
    results, record = operation.results, ""
    # An argument may have the name of a result.
    arguments = {field.name for field in operation.arguments}
    results = tuple(field._replace(name=f"{field.name}_found") if field.name in arguments else field for field in results)
    if not results:
        returns, end = "None", ""
    elif len(results) == 1:
        returns, end = _type(results[0]), f"    return {_named(results[0].name)}\n"
    else:
        returns = f"{pascal(operation.name)}Result"
        fields = "".join(f"    {_named(field.name)}: {_type(field)}\n" for field in results)
        record = f'@dataclass\nclass {returns}:\n    """What `{operation.name}` answers."""\n\n{fields}\n\n'
        end = f"    return {returns}({', '.join(_named(field.name) for field in results)})\n"
    errors = f" Errors: {', '.join(operation.errors)}." if operation.errors else ""
    body = f"    request = mailbox.request()\n    request.put_array({len(operation.arguments)})\n{''.join(map(_sent, operation.arguments))}"
    if results:
        check = f"        assert answer.array() == {len(results)}\n" if len(results) > 1 else ""
        body += f"    answer = _send({operation.number}, request)\n{''.join(map(_variable, results))}"
        body += f"    if status() == 0:\n{check}{''.join(map(_taken, results))}{end}"
    else:
        body += f"    _send({operation.number}, request)\n"
    head = f"def {_named(operation.name)}({_parameters(operation.arguments)}) -> {returns}:\n"
    return f'{record}{head}    """{operation.summary}{errors}"""\n{body}'


def _plain(abi: AbiFile, plain: Plain) -> str:
    head = f"def {_named(plain.name)}({_parameters(plain.parameters)}) -> {plain.result}:\n"
    return f'@host("{abi.import_name}", "__{abi.stem}_{plain.name}")\n{head}    """{plain.summary}"""\n    raise NotImplementedError\n'


def write(abi: AbiFile) -> str:
    """The text of the module. Operations with a `value` are left out: they have no type in the subset."""
    typed = [
        operation
        for operation in abi.operations
        if all(field.type != "value" for field in (*operation.arguments, *operation.results))
    ]
    escaped = "".join(f"\\x{byte:02x}" for byte in built_against(abi))
    version = abi.version[0] | abi.version[1] << 16
    statuses = "".join(f'{status.name} = {status.number}\n"""{status.summary}"""\n' for status in abi.statuses)
    functions = [*map(_function, typed), *(_plain(abi, plain) for plain in abi.plains)]
    body = "\n\n".join(functions)
    names = sorted({"export", "host", "i32", "u32", *(name for name in ("f64", "i64", "u64") if name in body)})
    dataclass = "from dataclasses import dataclass\n\n" if "@dataclass" in body else ""
    return (
        f'"""{abi.summary} The guest\'s side of `{abi.import_name}`. {generated_note(abi)}\n\n'
        f"Importing this file exports `__{abi.stem}`, through which the host finds the mailbox. After each call `status()` says how it\n"
        f"went, 0 for well, and `message()` more; without a result the functions return an empty value.\n"
        f'"""\n\n'
        f"{dataclass}from purewasm_guest.python import {', '.join(names)}\n"
        f"from purewasm_guest.python.memory import reserve\n"
        f"from purewasm_guest.sdk.python import mailbox\n\n"
        f"{statuses}"
        f"__hostmods__ = b'{escaped}'\n"
        f"_BOX: u32 = reserve(40)\n\n\n"
        f'@export("__{abi.stem}")\n'
        f"def mailbox_address() -> u32:\n"
        f'    """Where the host finds the mailbox."""\n'
        f"    return mailbox.prepare(_BOX, {version:#x})\n\n\n"
        f'@host("{abi.import_name}", "__{abi.stem}_call")\n'
        f"def _call() -> None: ...\n\n\n"
        f"def _send(operation: u32, buffer: mailbox.Buffer) -> mailbox.Buffer:\n"
        f"    mailbox_address()\n"
        f"    mailbox.post(_BOX, operation, buffer, 0)\n"
        f"    _call()\n"
        f"    if mailbox.is_kept(_BOX, buffer):\n"
        f"        mailbox.post(_BOX, operation, buffer, mailbox.FETCH)\n"
        f"        _call()\n"
        f"    return mailbox.answered(_BOX, buffer)\n\n\n"
        f"def status() -> i32:\n"
        f'    """The status of the last call."""\n'
        f"    return mailbox.status_of(_BOX)\n\n\n"
        f"def message() -> str:\n"
        f'    """The text of the last error."""\n'
        f"    return mailbox.message_of(_BOX)\n\n\n"
        f"{body}"
    )
