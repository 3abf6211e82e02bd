"""The guest's side in Zig: one module, which imports `purewasm_mailbox`."""

from __future__ import annotations

from typing import Final

from purewasm_guest.gen.abi_file import AbiFile, Field, Operation, Plain
from purewasm_guest.gen.wording import built_against, camel, generated_note, pascal

_NUMBERS: Final = ("bool", "i32", "u32", "i64", "u64", "f64")
_TYPES: Final = {**dict(zip(_NUMBERS, _NUMBERS, strict=True)), "str": "[]const u8", "bytes": "[]const u8"}


def _parameter(field: Field) -> str:
    if field.type == "list<str>":
        return f"{field.name}: []const mailbox.Text"
    kind = f"[]const {_TYPES[field.type[5:-1]]}" if field.type.startswith("list<") else _TYPES[field.type]
    return f"{field.name}: {kind}"


def _sent(field: Field) -> str:
    return f"mailbox.Text{{ .text = {field.name} }}" if field.type == "str" else field.name


def _result(field: Field) -> str:
    return f"mailbox.List({_TYPES[field.type[5:-1]]})" if field.type.startswith("list<") else _TYPES[field.type]


def _function(operation: Operation) -> str:
    results, name = operation.results, camel(operation.name)
    record = ""
    if not results:
        returns = "void"
    elif len(results) == 1:
        returns = _result(results[0])
    else:
        returns = f"{pascal(operation.name)}Result"
        record = f"pub const {returns} = struct {{ {', '.join(f'{field.name}: {_result(field)}' for field in results)} }};\n\n"
    sent = ", ".join(map(_sent, operation.arguments))
    call = f"box.ready(&first_buffer).send({operation.number}, .{{{f' {sent} ' if sent else ''}}}, &host.__call)"
    if not results:
        body = f"    _ = try {call};\n"
    elif len(results) == 1:
        body = f"    var in = try {call};\n    return in.take({returns});\n"
    else:
        parts = "".join(f"        .{field.name} = try in.take({_result(field)}),\n" for field in results)
        check = f"    if (try in.array() != {len(results)}) return error.Internal;\n"
        body = f"    var in = try {call};\n{check}    return .{{\n{parts}    }};\n"
    errors = f" Errors: {', '.join(operation.errors)}." if operation.errors else ""
    parameters = ", ".join(map(_parameter, operation.arguments))
    return f"{record}/// {operation.summary}{errors}\npub fn {name}({parameters}) Error!{returns} {{\n{body}}}\n"


def _plain(abi: AbiFile, plain: Plain) -> tuple[str, str]:
    """The import, and the function that guests call."""
    parameters, result = ", ".join(map(_parameter, plain.parameters)), plain.result or "void"
    names = ", ".join(field.name for field in plain.parameters)
    imported = f"__{abi.stem}_{plain.name}"
    declared = f'    extern "{abi.import_name}" fn {imported}({parameters}) {result};\n'
    body = f"    return host.{imported}({names});\n"
    return declared, f"\n/// {plain.summary}\npub fn {camel(plain.name)}({parameters}) {result} {{\n{body}}}\n"


def write(abi: AbiFile) -> str:
    """The text of the module. Operations with a `value` are left out: they have no type in Zig."""
    typed = [
        operation
        for operation in abi.operations
        if all(field.type != "value" for field in (*operation.arguments, *operation.results))
    ]
    statuses = "".join(f"/// {status.summary}\npub const status_{status.name.lower()} = {status.number};\n" for status in abi.statuses)
    escaped = "".join(f"\\\\{byte:03o}" for byte in built_against(abi))
    functions = "\n".join(map(_function, typed)).replace("host.__call", f"host.__{abi.stem}_call")
    plains = [_plain(abi, plain) for plain in abi.plains]
    return (
        f"//! {abi.summary} The guest's side of `{abi.import_name}`. {generated_note(abi)}\n"
        f"//!\n"
        f"//! Importing this file exports `__{abi.stem}`, through which the host finds the mailbox.\n"
        f"//! After an error `box.message()` tells more.\n\n"
        f'const mailbox = @import("purewasm_mailbox");\n\n'
        f"pub const Error = mailbox.Error;\n"
        f"pub const Text = mailbox.Text;\n{statuses}\n"
        f"var first_buffer: [mailbox.first_capacity]u8 = undefined;\n"
        f"pub var box: mailbox.Mailbox = .{{ .major = {abi.version[0]}, .minor = {abi.version[1]} }};\n\n"
        f"const host = struct {{\n"
        f'    extern "{abi.import_name}" fn __{abi.stem}_call() void;\n'
        f"{''.join(declared for declared, _ in plains)}"
        f"}};\n\n"
        f"fn mailboxAddress() callconv(.c) u32 {{\n"
        f"    return @intFromPtr(box.ready(&first_buffer));\n"
        f"}}\n\n"
        f"// What the guest was built against, as a custom section.\n"
        f"comptime {{\n"
        f'    asm (".section .custom_section.hostmods,\\"\\",@\\n.ascii \\"{escaped}\\"\\n.text\\n");\n'
        f"}}\n\n"
        f"comptime {{\n"
        f'    @export(&mailboxAddress, .{{ .name = "__{abi.stem}" }});\n'
        f"}}\n\n"
        f"{functions}{''.join(function for _, function in plains)}"
    )
