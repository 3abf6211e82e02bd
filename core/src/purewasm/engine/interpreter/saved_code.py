"""Code objects of functions as bytes, for `SavedCode`, and what those bytes depend on beside module and options."""

from __future__ import annotations

import marshal
import os
import sys
from types import CodeType

from purewasm.binary.body import decode_body
from purewasm.engine.digest import sha256
from purewasm.engine.interpreter.context import ModuleContext
from purewasm.engine.interpreter.lower import FILENAME, is_leaf, lower_function
from purewasm.errors import UnsupportedError
from purewasm.light_library import cache
from purewasm.light_typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from purewasm.engine.protocol import CompileOptions, Content
    from purewasm.engine.workers import Maker
    from purewasm.wasm.module import WasmModule


class FunctionCode(NamedTuple):
    """Code objects of one function: `entry`, and the `body` of one that makes tail calls. A `leaf` calls nothing."""

    entry: CodeType
    body: CodeType | None
    leaf: bool


_MAX_SOURCE_CHARACTERS: Final = 1 << 26
"""CPython's compiler needs up to a hundred bytes for each."""
_MARSHAL_VERSION: Final = 2
"""The last one that does not write down which objects are shared, so that equal code is equal bytes."""


def lower_and_compile(context: ModuleContext, index: int) -> FunctionCode:
    """Code of a defined function."""
    module = context.module
    decoded = decode_body(module, module.codes[index - module.imported_functions])
    source = lower_function(context, index, decoded).source
    try:
        if len(source) > _MAX_SOURCE_CHARACTERS:
            raise MemoryError
        compiled = compile(source, FILENAME, "exec")
    except (MemoryError, RecursionError):  # a limit of CPython's own compiler is a MemoryError too
        raise UnsupportedError(
            f"function {index} is too large for the interpreter: Python's compiler cannot take {len(source)} characters of such code",
            offset=module.codes[index - module.imported_functions].start,
        ) from None
    codes = {const.co_name: const for const in compiled.co_consts if isinstance(const, CodeType)}
    return FunctionCode(codes[f"f{index}"], codes.get(f"b{index}"), is_leaf(decoded.ops))


def part_maker(module: WasmModule, options: CompileOptions) -> Maker:
    """What workers call."""
    context = ModuleContext(module, fuel=options.fuel, interruptible=options.interruptible)
    return lambda index: [(index, dump_function(lower_and_compile(context, index)))]


def dump_function(code: FunctionCode) -> bytes:
    """A function's code as bytes that another process with the same `identity` can load."""
    return marshal.dumps(tuple(code), _MARSHAL_VERSION)


def load_function(content: Content) -> FunctionCode | None:
    """What `dump_function` wrote; None if it is something else. Never call it with bytes that nobody vouches for."""
    try:
        entry, body, leaf = marshal.loads(content)
    except (EOFError, TypeError, ValueError):
        return None
    if isinstance(entry, CodeType) and isinstance(body, CodeType | None) and isinstance(leaf, bool):
        return FunctionCode(entry, body, leaf)
    return None


_ALSO: Final = ("binary/body.py", "binary/immediates.py", "wasm/fuel.py")
"""Files of other layers that what is made of a function depends on."""


@cache
def identity() -> str:
    """This Python's bytecode, and this lowering: the bytes of its source files stand for what it makes of a function.

    So code is never taken for that of another state of the lowering, and nobody has to remember a number. Where Python runs
    without source files the version of the package, which is part of every key, has to do.
    """
    from importlib.util import MAGIC_NUMBER

    lowering = b""
    folder = os.path.dirname(os.path.abspath(__file__))
    root = os.path.dirname(os.path.dirname(folder))
    try:
        names = [os.path.join(folder, name) for name in sorted(os.listdir(folder)) if name.endswith(".py")]
        for name in [*names, *(os.path.join(root, *name.split("/")) for name in _ALSO)]:
            with open(name, "rb") as file:
                lowering += file.read()
    except OSError:
        pass
    return f"{sys.implementation.cache_tag} {MAGIC_NUMBER.hex()} {sys.flags.optimize} {sha256(lowering).hex()}"
