"""The guest's side in Go: one package, on top of `purewasm/mailbox`."""

from __future__ import annotations

from typing import Final

from purewasm_guest.gen.abi_file import AbiFile, Field, Operation, Plain
from purewasm_guest.gen.wording import camel, generated_note, pascal

_TYPES: Final = {
    "bool": "bool", "i32": "int32", "u32": "uint32", "i64": "int64", "u64": "uint64", "f64": "float64", "str": "string", "bytes": "[]byte",
}  # fmt: skip
_ZERO: Final = {"bool": "false", "f64": "0", "str": '""', "bytes": "nil"}


def _type(kind: str) -> str:
    return f"[]{_TYPES[kind[5:-1]]}" if kind.startswith("list<") else _TYPES[kind]


def _put(kind: str, name: str) -> str:
    if kind in ("i32", "i64"):
        return f"request.Int(int64({name}))"
    if kind in ("u32", "u64"):
        return f"request.Uint(uint64({name}))"
    return f"request.{pascal(kind)}({name})"


def _take(kind: str) -> str:
    if kind[0] in "iu":
        return f"{_TYPES[kind]}(in.{'Int' if kind[0] == 'i' else 'Uint'}({kind[1:]}))"
    return f"in.{pascal(kind)}()"


def _send(field: Field) -> str:
    if not field.type.startswith("list<"):
        return f"\t{_put(field.type, camel(field.name))}\n"
    name = camel(field.name)
    return f"\trequest.Array(len({name}))\n\tfor _, item := range {name} {{\n\t\t{_put(field.type[5:-1], 'item')}\n\t}}\n"


def _receive(field: Field) -> str:
    name = camel(field.name)
    if not field.type.startswith("list<"):
        return f"\t{name} = {_take(field.type)}\n"
    item = _take(field.type[5:-1])
    return f"\tfor count := in.Array(); count > 0 && in.Err() == nil; count-- {{\n\t\t{name} = append({name}, {item})\n\t}}\n"


def _function(operation: Operation) -> str:
    results = [f"{camel(field.name)} {_type(field.type)}" for field in operation.results]
    returns = f"({', '.join([*results, 'err error'])})"
    sent = "".join(map(_send, operation.arguments))
    errors = f" Errors: {', '.join(operation.errors)}." if operation.errors else ""
    parameters = ", ".join(f"{camel(field.name)} {_type(field.type)}" for field in operation.arguments)
    head = (
        f"// {pascal(operation.name)}: {operation.summary}{errors}\n"
        f"func {pascal(operation.name)}({parameters}) {returns} {{\n"
        f"\tvar request mailbox.Writer\n\trequest.Array({len(operation.arguments)})\n{sent}"
    )
    if not operation.results:
        return f"{head}\t_, err = box.Send({operation.number}, request)\n\treturn err\n}}\n"
    several = f"\tin.Expect({len(operation.results)})\n" if len(operation.results) > 1 else ""
    received = several + "".join(map(_receive, operation.results))
    names = ", ".join(camel(field.name) for field in operation.results)
    return (
        f"{head}\tin, err := box.Send({operation.number}, request)\n\tif err != nil {{\n\t\treturn {names}, err\n\t}}\n"
        f"{received}\treturn {names}, in.Err()\n}}\n"
    )


def _plain(abi: AbiFile, plain: Plain) -> str:
    parameters = ", ".join(f"{camel(field.name)} {_type(field.type)}" for field in plain.parameters)
    result = f" {_type(plain.result)}" if plain.result else ""
    head = f"\n// {pascal(plain.name)}: {plain.summary}\n//\n"
    return f"{head}//go:wasmimport {abi.import_name} __{abi.stem}_{plain.name}\nfunc {pascal(plain.name)}({parameters}){result}\n"


def write(abi: AbiFile) -> str:
    """The text of the package. Operations with a `value` are left out: they have no type in Go."""
    typed = [
        operation
        for operation in abi.operations
        if all(field.type != "value" for field in (*operation.arguments, *operation.results))
    ]
    statuses = "".join(
        f"// {pascal(status.name.lower())}: {status.summary}\n"
        f'var {pascal(status.name.lower())} = &mailbox.Error{{Status: {status.number}, Message: "{status.name.lower()}"}}\n\n'
        for status in abi.statuses
    )
    return (
        f"// Package {abi.stem}: {abi.summary} The guest's side of `{abi.import_name}`. {generated_note(abi)}\n"
        f"package {abi.stem}\n\n"
        f'import "purewasm/mailbox"\n\n'
        f"//go:wasmimport {abi.import_name} __{abi.stem}_call\nfunc hostCall()\n\n"
        f"var box = mailbox.New({abi.version[0]}, {abi.version[1]}, hostCall)\n\n"
        f"//go:wasmexport __{abi.stem}\nfunc mailboxAddress() uint32 {{ return box.Address() }}\n\n"
        f"{statuses}" + "\n".join(map(_function, typed)) + "".join(_plain(abi, plain) for plain in abi.plains)
    )
