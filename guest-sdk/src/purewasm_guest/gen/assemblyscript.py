"""The guest's side in AssemblyScript: one file, on top of `mailbox.ts`."""

from __future__ import annotations

from typing import Final

from purewasm_guest.gen.abi_file import AbiFile, Field, Operation, Plain
from purewasm_guest.gen.wording import camel, generated_note, pascal

_NUMBERS: Final = ("bool", "i32", "u32", "i64", "u64", "f64")
_TYPES: Final = {**dict(zip(_NUMBERS, _NUMBERS, strict=True)), "str": "string", "bytes": "Uint8Array"}


def _type(kind: str) -> str:
    return f"Array<{_TYPES[kind[5:-1]]}>" if kind.startswith("list<") else _TYPES[kind]


def _put(kind: str, name: str) -> str:
    method = "int" if kind[0] == "i" else "uint" if kind[0] == "u" else kind
    return f"request.{method}({name});"


def _take(kind: str) -> str:
    if kind[0] in "iu":
        return f"<{kind}>reader.{'int' if kind[0] == 'i' else 'uint'}({kind[1:]})"
    return f"reader.{kind}()"


def _send(field: Field) -> str:
    name = camel(field.name)
    if not field.type.startswith("list<"):
        return f"  {_put(field.type, name)}\n"
    item = _put(field.type[5:-1], f"{name}[i]")
    return f"  request.array({name}.length);\n  for (let i = 0; i < {name}.length; i++) {item}\n"


def _receive(field: Field, target: str) -> str:
    if not field.type.startswith("list<"):
        return f"  {target} = {_take(field.type)};\n"
    item = _take(field.type[5:-1])
    return f"  for (let count = reader.array(); count > 0 && !reader.bad; count--) {target}.push({item});\n"


def _empty(kind: str) -> str:
    if kind.startswith("list<"):
        return "[]"
    return {"bool": "false", "str": '""', "bytes": "new Uint8Array(0)", "f64": "0.0"}.get(kind, "0")


def _function(abi: AbiFile, operation: Operation) -> str:
    results, name = operation.results, camel(f"{abi.stem}_{operation.name}")
    errors = f" Errors: {', '.join(operation.errors)}." if operation.errors else ""
    parameters = ", ".join(f"{camel(field.name)}: {_type(field.type)}" for field in operation.arguments)
    sent = "".join(map(_send, operation.arguments))
    record, returns = "", "void" if not results else _type(results[0].type)
    if len(results) > 1:
        returns = f"{pascal(f'{abi.stem}_{operation.name}')}Result"
        fields = "".join(f"  {camel(field.name)}: {_type(field.type)} = {_empty(field.type)};\n" for field in results)
        record = f"export class {returns} {{\n{fields}}}\n\n"
    head = (
        f"{record}/** {operation.summary}{errors} */\n"
        f"export function {name}({parameters}): {returns} {{\n"
        f"  const request = new Writer();\n  request.array({len(operation.arguments)});\n{sent}"
    )
    call = f"box.send({operation.number}, request, () => call())"
    if not results:
        return f"{head}  {call};\n}}\n"
    if len(results) == 1:
        middle = f"  let {camel(results[0].name)}: {returns} = {_empty(results[0].type)};\n"
        target = camel(results[0].name)
        body = _receive(results[0], target)
        last = f"  return {target};\n"
    else:
        middle = f"  const answer = new {returns}();\n"
        body = f"  reader.expect({len(results)});\n" + "".join(_receive(field, f"answer.{camel(field.name)}") for field in results)
        last = "  return answer;\n"
    body = "".join(f"  {line}\n" for line in body.splitlines())
    return (
        f"{head}  const reader = {call};\n{middle}  if (box.status == Status.OK) {{\n{body}    box.done(reader);\n  }}\n{last}}}\n"
    )


def _plain(abi: AbiFile, plain: Plain) -> str:
    parameters = ", ".join(f"{camel(field.name)}: {_type(field.type)}" for field in plain.parameters)
    imported = f'@external("{abi.import_name}", "__{abi.stem}_{plain.name}")\n'
    name = camel(f"{abi.stem}_{plain.name}")
    head = f"\n/** {plain.summary} */\n// @ts-ignore: decorator\n{imported}"
    return f"{head}export declare function {name}({parameters}): {plain.result or 'void'};\n"


def write(abi: AbiFile) -> str:
    """The text of the file. Operations with a `value` are left out: they have no type in AssemblyScript."""
    typed = [
        operation
        for operation in abi.operations
        if all(field.type != "value" for field in (*operation.arguments, *operation.results))
    ]
    statuses = "".join(f"/** {status.summary} */\nexport const {status.name}: i32 = {status.number};\n" for status in abi.statuses)
    return (
        f"// {abi.summary} The guest's side of `{abi.import_name}`. {generated_note(abi)}\n"
        f"//\n"
        f"// The entry file of a guest has to export the mailbox: `export {{ __{abi.stem} }} from \"…/{abi.stem}\";`. After each call\n"
        f"// `box.status` says how it went, and `box.message` more.\n\n"
        f'import {{ Box, Reader, Status, Writer }} from "./mailbox";\n\n'
        f'@external("{abi.import_name}", "__{abi.stem}_call")\ndeclare function call(): void;\n\n'
        f"export const box = new Box(memory.data(40, 8), {abi.version[0]}, {abi.version[1]});\n\n"
        f"export function __{abi.stem}(): u32 {{\n  return <u32>box.address;\n}}\n\n"
        f"{statuses}" + "\n".join(_function(abi, operation) for operation in typed)
        + "".join(_plain(abi, plain) for plain in abi.plains)
    )
