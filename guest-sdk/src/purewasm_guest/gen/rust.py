"""The guest's side in Rust: one module of the crate, on top of `mailbox`."""

from __future__ import annotations

from typing import Final

from purewasm_guest.gen.abi_file import AbiFile, Field, Operation, Plain
from purewasm_guest.gen.wording import built_against, generated_note

_NUMBERS: Final = ("bool", "i32", "u32", "i64", "u64", "f64")
_TYPES: Final = {**dict(zip(_NUMBERS, _NUMBERS, strict=True)), "str": "String", "bytes": "Vec<u8>"}
_BORROWED: Final = {"str": "&str", "bytes": "&[u8]"}


def _parameter(field: Field) -> str:
    if field.type.startswith("list<"):
        item = field.type[5:-1]
        return f"{field.name}: &[{_BORROWED.get(item, _TYPES[item])}]"
    return f"{field.name}: {_BORROWED.get(field.type, _TYPES[field.type])}"


def _result(field: Field) -> str:
    return f"Vec<{_TYPES[field.type[5:-1]]}>" if field.type.startswith("list<") else _TYPES[field.type]


def _put(kind: str, name: str) -> str:
    if kind in ("i32", "u32"):
        return f"request.{'int' if kind[0] == 'i' else 'uint'}({name}.into());"
    method = {"i64": "int", "u64": "uint"}.get(kind, kind)
    return f"request.{method}({name});"


def _take(kind: str) -> str:
    if kind[0] in "iu":
        return f"reader.{'int' if kind[0] == 'i' else 'uint'}({kind[1:]})? as {_TYPES[kind]}"
    return f"reader.{kind}()?"


def _send(field: Field) -> str:
    if not field.type.startswith("list<"):
        return f"    {_put(field.type, field.name)}\n"
    put = _put(field.type[5:-1], "item")
    return f"    request.array({field.name}.len());\n    for &item in {field.name} {{\n        {put}\n    }}\n"


def _receive(field: Field) -> str:
    if field.type.startswith("list<"):
        return f"reader.list(|reader| Ok({_take(field.type[5:-1])}))?"
    return _take(field.type)


def _function(operation: Operation) -> str:
    results = [_result(field) for field in operation.results]
    returns = "()" if not results else results[0] if len(results) == 1 else f"({', '.join(results)})"
    errors = f" Errors: {', '.join(operation.errors)}." if operation.errors else ""
    answer = f" Returns {', '.join(field.name for field in operation.results)}." if len(results) > 1 else ""
    head = (
        f"/// {operation.summary}{answer}{errors}\n"
        f"pub fn {operation.name}({', '.join(map(_parameter, operation.arguments))}) -> Result<{returns}> {{\n"
        f"    let mut request = Writer::default();\n    request.array({len(operation.arguments)});\n"
        f"{''.join(map(_send, operation.arguments))}"
    )
    call = f"CHANNEL.send({operation.number}, request)"
    if not results:
        return f"{head}    {call}.map(|_| ())\n}}\n"
    several = f"    reader.expect({len(results)})?;\n" if len(results) > 1 else ""
    values = ", ".join(map(_receive, operation.results))
    return f"{head}    let mut reader = {call}?;\n{several}    Ok({values if len(results) == 1 else f'({values})'})\n}}\n"


def _plain(abi: AbiFile, plain: Plain) -> tuple[str, str]:
    """The import, and the function that guests call."""
    parameters, result = ", ".join(map(_parameter, plain.parameters)), f" -> {plain.result}" if plain.result else ""
    names = ", ".join(field.name for field in plain.parameters)
    imported = f"__{abi.stem}_{plain.name}"
    body = f"    // SAFETY: numbers in, numbers out.\n    unsafe {{ {imported}({names}) }}\n"
    return f"    fn {imported}({parameters}){result};\n", f"\n/// {plain.summary}\npub fn {plain.name}({parameters}){result} {{\n{body}}}\n"


def write(abi: AbiFile) -> str:
    """The text of the module. Operations with a `value` are left out: they have no type in Rust."""
    typed = [
        operation
        for operation in abi.operations
        if all(field.type != "value" for field in (*operation.arguments, *operation.results))
    ]
    statuses = "".join(f"/// {status.summary}\npub const {status.name}: i32 = {status.number};\n" for status in abi.statuses)
    content = built_against(abi)
    section = "".join(f"\\x{byte:02x}" for byte in content)
    plains = [_plain(abi, plain) for plain in abi.plains]
    declared = "".join(text for text, _ in plains)
    return (
        f"//! {abi.summary} The guest's side of `{abi.import_name}`. {generated_note(abi)}\n\n"
        f"use crate::mailbox::{{Channel, Result, Writer}};\n\n"
        f'#[link(wasm_import_module = "{abi.import_name}")]\nextern "C" {{\n    fn __{abi.stem}_call();\n{declared}}}\n\n'
        f"static CHANNEL: Channel = Channel::new({abi.version[0]}, {abi.version[1]}, __{abi.stem}_call);\n\n"
        f"#[no_mangle]\npub extern \"C\" fn __{abi.stem}() -> u32 {{\n    CHANNEL.address()\n}}\n\n"
        f"/// What the guest was built against, as a custom section.\n"
        f'#[cfg(target_arch = "wasm32")]\n#[link_section = "hostmods"]\n#[used]\n'
        f'static BUILT_AGAINST: [u8; {len(content)}] = *b"{section}";\n\n'
        f"{statuses}" + "\n".join(map(_function, typed)) + "".join(function for _, function in plains)
    )


