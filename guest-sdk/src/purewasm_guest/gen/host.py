"""The base class of a host module: its operations with their types, for the author to fill in."""

from __future__ import annotations

import json
import textwrap
from typing import Final

from purewasm_guest.gen.abi_file import AbiFile, Field, Operation, Plain
from purewasm_guest.gen.wording import generated_note

_WIDTH: Final = 120
_LINE: Final = 140
_TYPES: Final = {"bool": "bool", "f64": "f64", "str": "str", "bytes": "bytes", "value": "object"}


def python_type(kind: str) -> str:
    """The annotation of a type."""
    if kind.startswith("list<"):
        return f"list[{python_type(kind[5:-1])}]"
    return _TYPES.get(kind, kind)


def _parameter(field: Field) -> str:
    default = "" if field.default is None else f" = {_literal(field.default)}"
    return f"{field.name}: {python_type(field.type)}{default}"


def _literal(value: object) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)


def _docstring(text: str) -> str:
    lines = textwrap.wrap(text, _WIDTH)
    return "\n        ".join(lines) + ("\n        " if len(lines) > 1 else "")


def _returns(operation: Operation) -> str:
    types = [python_type(field.type) for field in operation.results]
    return "None" if not types else types[0] if len(types) == 1 else f"tuple[{', '.join(types)}]"


def _imports(abi: AbiFile) -> str:
    used = " ".join(field.type for operation in abi.operations for field in (*operation.arguments, *operation.results))
    used += " ".join([field.type for plain in abi.plains for field in plain.parameters] + [str(plain.result) for plain in abi.plains])
    numbers = [name for name in ("f64", "i32", "i64", "u32", "u64") if name in used]
    names = [*(["Call"] if any(operation.uses_call for operation in abi.operations) else []), "MailboxModule", *numbers, "operation"]
    names += ["plain_import"] if abi.plains else []
    return ", ".join(sorted(names, key=lambda name: (not name[0].isupper(), name)))


def _method(operation: Operation) -> str:
    parameters = ["self", *(["call: Call"] if operation.uses_call else []), *map(_parameter, operation.arguments)]
    errors = f" Errors: {', '.join(operation.errors)}." if operation.errors else ""
    answer = f" Returns {', '.join(field.name for field in operation.results)}." if len(operation.results) > 1 else ""
    return (
        f'    @operation({operation.number}, name="{operation.name}")\n'
        f"{_signature(operation.name, parameters, _returns(operation))}"
        f'        """{_docstring(operation.summary + answer + errors)}"""\n'
        f"        raise NotImplementedError\n"
    )


def _signature(name: str, parameters: list[str], returns: str) -> str:
    line = f"    def on_{name}({', '.join(parameters)}) -> {returns}:\n"
    return line if len(line) <= _LINE else f"    def on_{name}(\n        {', '.join(parameters)}\n    ) -> {returns}:\n"


def _plain(abi: AbiFile, plain: Plain) -> str:
    parameters = ["self", *(["caller: Caller"] if plain.uses_caller else []), *map(_parameter, plain.parameters)]
    return (
        f'    @plain_import("__{abi.stem}_{plain.name}")\n'
        f"    def on_{plain.name}({', '.join(parameters)}) -> {plain.result}:\n"
        f'        """{_docstring(plain.summary)}"""\n'
        f"        raise NotImplementedError\n"
    )


def write(abi: AbiFile) -> str:
    """The text of the Python module."""
    constants = "".join(f"{status.name}: Final = {status.number}\n\"\"\"{status.summary}\"\"\"\n" for status in abi.statuses)
    typing = "from typing import Final\n\n" if constants else ""
    constants = f"\n{constants}" if constants else ""
    methods = "\n".join([*map(_method, abi.operations), *(_plain(abi, plain) for plain in abi.plains)])
    caller = "from purewasm import Caller\n" if any(plain.uses_caller for plain in abi.plains) else ""
    return (
        f'"""The operations of `{abi.import_name}`. {generated_note(abi)}"""\n\n'
        f"from __future__ import annotations\n\n{typing}"
        f"{caller}from purewasm.hostmod import {_imports(abi)}\n{constants}\n\n"
        f"class {abi.class_name}Abi(MailboxModule):\n"
        f'    """{abi.summary} A host module overrides every method."""\n\n'
        f'    name = "{abi.import_name}"\n'
        f"    abi = {abi.version!r}\n"
        f"    max_request_bytes = {abi.request_bytes}\n\n"
        f"{methods}"
    )
