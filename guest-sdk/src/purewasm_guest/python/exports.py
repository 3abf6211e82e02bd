"""Exported functions as the host calls them: str, bytes and lists are an address and a length, and the arena is emptied at the end."""

from __future__ import annotations

from typing import Final, Protocol

from purewasm_guest.python.definitions import Function, quoted
from purewasm_guest.python.types import BOOL, BYTES, NONE, STR, Sequence, Type, is_reference, is_text


class Linker(Protocol):
    """The guest, as exports need it."""

    def use(self, function: Function) -> str:
        """The symbol of a function."""

    def runtime(self, name: str) -> str:
        """The instruction that calls a function of the prelude."""


_ALLOCATE: Final = "allocate"


def wrapper(linker: Linker, function: Function) -> str:
    """The function that is exported for one of the source."""
    kinds = [parameter.type for parameter in function.parameters]
    for kind in (*kinds, function.result):
        _check(function, kind)
    mark = sum(len(_outside(kind)) for kind in kinds)
    code, at = [linker.runtime("enter"), f"local.set {mark}"], 0
    for kind in kinds:
        code += _argument(linker, kind, at)
        at += len(_outside(kind))
    code += [f"call {linker.use(function)}", *_result(linker, function.result, mark)]
    parameters = " ".join(word for kind in kinds for word in _outside(kind))
    result = " ".join(_outside(function.result))
    return f"(func (export {quoted(str(function.exported))}) (param {parameters}) (result {result}) (local i32 i32)\n{chr(10).join(code)})"


def needs_allocate(function: Function) -> bool:
    """Whether the host has to put arguments into the guest's memory."""
    return any(len(_outside(parameter.type)) > 1 for parameter in function.parameters)


def allocate_export(linker: Linker) -> str:
    """The export through which the host gets room for arguments."""
    return f'(func (export "{_ALLOCATE}") (param i32) (result i32) local.get 0 {linker.runtime("allocate_argument")})'


def _check(function: Function, kind: Type) -> None:
    is_list = isinstance(kind, Sequence) and not is_reference(kind.item)
    if is_reference(kind) and not is_text(kind) and not is_list:
        problem = f"an exported function takes and returns numbers, bool, str, bytes and lists of numbers, not {kind}"
        raise function.module.error(function.node, problem)


def _outside(kind: Type) -> list[str]:
    """The value types that the host sees."""
    if is_text(kind) or isinstance(kind, Sequence):
        return ["i32", "i32"]
    return [kind.wasm] if kind != NONE else []


def _argument(linker: Linker, kind: Type, at: int) -> list[str]:
    if kind == BOOL:
        return [f"local.get {at}", "i32.const 0", "i32.ne"]
    code = [f"local.get {at + index}" for index in range(len(_outside(kind)))]
    if kind == STR:
        return [*code, linker.runtime("text_from")]
    if kind == BYTES:
        return [*code, linker.runtime("bytes_from")]
    if isinstance(kind, Sequence):
        return [*code, f"i32.const {kind.item.size}", linker.runtime("list_from")]
    return code


def _result(linker: Linker, kind: Type, mark: int) -> list[str]:
    made = mark + 1
    if is_text(kind):
        found = [f"local.get {made}", "i32.const 8", "i32.add"]
        size = [f"local.get {made}", "i32.load"]
    elif isinstance(kind, Sequence):
        found = [f"local.get {made}", "i32.load offset=8"]
        size = [f"local.get {made}", "i32.load", f"i32.const {kind.item.size}", "i32.mul"]
    else:
        return [f"local.get {mark}", linker.runtime("leave")]
    # The count is read before the bytes are moved, for they may be moved over it.
    count = [f"local.get {made}", "i32.load"]
    moved = [f"local.get {mark}", *found, *size, linker.runtime("leave_with")]
    return [f"local.set {made}", *count, *moved, f"local.set {mark}", f"local.set {made}", f"local.get {mark}", f"local.get {made}"]
