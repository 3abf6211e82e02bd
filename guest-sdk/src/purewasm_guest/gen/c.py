"""The guest's side in C: one header, on top of `purewasm_mailbox.h`."""

from __future__ import annotations

from typing import Final

from purewasm_guest.gen.abi_file import AbiFile, Field, Operation, Plain
from purewasm_guest.gen.wording import built_against, generated_note

_TYPES: Final = {
    "bool": "bool", "i32": "int32_t", "u32": "uint32_t", "i64": "int64_t", "u64": "uint64_t", "f64": "double", "str": "purewasm_text",
    "bytes": "purewasm_bytes",
}  # fmt: skip


def _parameters(field: Field) -> list[str]:
    if field.type.startswith("list<"):
        return [f"const {_TYPES[field.type[5:-1]]} *{field.name}", f"uint32_t {field.name}_count"]
    return [f"{_TYPES[field.type]} {field.name}"]


def _out(field: Field) -> str:
    return f"purewasm_list *{field.name}" if field.type.startswith("list<") else f"{_TYPES[field.type]} *{field.name}"


def _put(field: Field) -> str:
    if not field.type.startswith("list<"):
        return f"        purewasm_put_{field.type}(&out, {field.name});\n"
    return (
        f"        purewasm_put_array(&out, {field.name}_count);\n"
        f"        for (uint32_t i = 0; i < {field.name}_count; i++) {{\n"
        f"            purewasm_put_{field.type[5:-1]}(&out, {field.name}[i]);\n"
        f"        }}\n"
    )


def _take(field: Field) -> str:
    kind = "list" if field.type.startswith("list<") else field.type
    return f"    *{field.name} = purewasm_take_{kind}(&in);\n"


def _function(abi: AbiFile, operation: Operation) -> str:
    prefix = abi.prefix
    parameters = [text for field in operation.arguments for text in _parameters(field)] + [_out(field) for field in operation.results]
    several = "    in.bad |= purewasm_take_array(&in) != " + f"{len(operation.results)};\n" if len(operation.results) > 1 else ""
    errors = f" Errors: {', '.join(operation.errors)}." if operation.errors else ""
    results = several + "".join(map(_take, operation.results))
    guard = "    in.bad |= status != PUREWASM_OK;\n" if operation.results else ""
    last = "    return status == PUREWASM_OK && in.bad ? PUREWASM_INTERNAL : status;\n" if operation.results else "    return status;\n"
    return (
        f"/* {operation.summary}{errors} */\n"
        f"static inline int32_t {prefix}_{operation.name}({', '.join(parameters) or 'void'}) {{\n"
        f"    purewasm_mailbox *box = {prefix}_ready();\n"
        f"    purewasm_writer out;\n"
        f"    purewasm_reader in;\n"
        f"    do {{\n"
        f"        out = purewasm_begin(box, {len(operation.arguments)});\n"
        f"{''.join(map(_put, operation.arguments))}"
        f"    }} while (purewasm_again(box, &out));\n"
        f"    int32_t status = purewasm_send(box, {operation.number}, &out, {prefix}_import_call, &in);\n"
        f"{guard}{results}{last}}}\n"
    )


def _plain(abi: AbiFile, plain: Plain) -> str:
    parameters = ", ".join(text for field in plain.parameters for text in _parameters(field)) or "void"
    result = _TYPES[plain.result] if plain.result else "void"
    names = f'import_module("{abi.import_name}"), import_name("__{abi.stem}_{plain.name}")'
    return f"\n/* {plain.summary} */\n__attribute__(({names})) {result} {abi.prefix}_{plain.name}({parameters});\n"


def _section(abi: AbiFile) -> str:
    """The custom section, as assembler text: msgpack of {name: [major, minor]}."""
    escaped = "".join(f"\\\\{byte:03o}" for byte in built_against(abi))
    return f'__asm__(".section .custom_section.hostmods,\\"\\",@\\n.ascii \\"{escaped}\\"\\n.text\\n");\n'


def write(abi: AbiFile) -> str:
    """The text of the header. Operations with a `value` are left out: they have no type in C."""
    prefix, guard, version = abi.prefix, f"{abi.prefix.upper()}_H", f"{abi.version[0]}, {abi.version[1]}"
    typed = [
        operation
        for operation in abi.operations
        if all(field.type != "value" for field in (*operation.arguments, *operation.results))
    ]
    statuses = "".join(f"#define {prefix.upper()}_{status.name} {status.number} /* {status.summary} */\n" for status in abi.statuses)
    return (
        f"/* {abi.summary} The guest's side of `{abi.import_name}`. {generated_note(abi)}\n"
        f" *\n"
        f" * Each function returns a status, PUREWASM_OK for success; `purewasm_error_message(&{prefix}_box)` tells more. */\n"
        f"#ifndef {guard}\n#define {guard}\n\n"
        f"#include <purewasm_mailbox.h>\n\n"
        f"#ifdef __cplusplus\nextern \"C\" {{\n#endif\n\n"
        f"{statuses}"
        f"/* Weak: every file that includes this defines them, and the linker keeps one of each. */\n"
        f"__attribute__((weak)) uint8_t {prefix}_first_buffer[PUREWASM_MAILBOX_CAPACITY];\n"
        f"__attribute__((weak)) purewasm_mailbox {prefix}_box = {{PUREWASM_MAGIC, {version}, 0, 0, 0, 0, 0, 0, 0}};\n"
        f"{_section(abi)}\n"
        f'__attribute__((import_module("{abi.import_name}"), import_name("__{abi.stem}_call"))) void {prefix}_import_call(void);\n\n'
        f"static inline purewasm_mailbox *{prefix}_ready(void) {{\n"
        f"    if (!{prefix}_box.capacity) {{\n"
        f"        {prefix}_box.buffer = (uint32_t)(uintptr_t){prefix}_first_buffer;\n"
        f"        {prefix}_box.capacity = PUREWASM_MAILBOX_CAPACITY;\n"
        f"    }}\n"
        f"    return &{prefix}_box;\n"
        f"}}\n\n"
        f'__attribute__((weak, export_name("__{abi.stem}"))) uint32_t {prefix}_export_mailbox(void) {{\n'
        f"    return (uint32_t)(uintptr_t){prefix}_ready();\n"
        f"}}\n\n"
        + "\n".join(_function(abi, operation) for operation in typed)
        + "".join(_plain(abi, plain) for plain in abi.plains)
        + "\n#ifdef __cplusplus\n}\n#endif\n\n#endif\n"
    )
