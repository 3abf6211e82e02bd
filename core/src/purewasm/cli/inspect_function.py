"""`purewasm inspect --ir FUNCTION`, `--asm`, `--stage`: what the engines make of one function, step by step.

A function has machine code of one *tier* first, `baseline`, and of the other one when it has proved hot, `optimized`. Code is made for the
processor that the compiler needs at least, so it looks the same on every machine. `python` is the text that the interpreter engine makes
of the function.
"""

from __future__ import annotations

import difflib

from purewasm.cli.failure import failed, misuse
from purewasm.light_typing import TYPE_CHECKING, Final
from purewasm.store.descriptors import format_extern_type
from purewasm.wasm import module as wm

if TYPE_CHECKING:
    from collections.abc import Iterator

    from purewasm.runtime.module import Module

PYTHON: Final = "python"
MACHINE_CODE: Final = "asm"
OPTIMIZED: Final = "optimized"
BASELINE: Final = "baseline"
TIERS: Final = (OPTIMIZED, BASELINE)
_SHOWN_NAMES: Final = 8
_MAX_DIGITS: Final = 10


def show_function(module: Module, file: str, function: str, stage: str, tier: str = OPTIMIZED) -> Iterator[str]:
    """Lines about one stage of one function, which is named by an export, a debug name or its index."""
    if tier == BASELINE and stage != MACHINE_CODE:
        misuse(f"--tier {BASELINE} has machine code only (--{MACHINE_CODE}): it is made without the stage {stage!r}")
    index = find_function(module, function)
    wasm = module.wasm
    if index < wasm.imported_functions:
        wanted = next(item for item in _imports(module) if item[0] == index)
        failed(f"function {index} is imported ({wanted[1]}): it has no code here")
    code = wasm.codes[index - wasm.imported_functions]
    name = module.names.functions.get(index)
    head = "" if name is None else f" {name!r}"
    exported = "".join(f", export {export.name!r}" for export in wasm.exports if (export.kind, export.index) == (wm.FUNC, index))
    signature = format_extern_type(wm.FUNC, wasm.func_types[index])
    what = f"{tier} {stage}" if tier == BASELINE else stage
    yield f"; {what} of function {index}{head}{exported}: {signature}; {code.end - code.start:,} bytes at 0x{code.start:x} of {file}"
    yield (_python(module, index) if stage == PYTHON else _compiled(module, file, index, stage, tier)).rstrip("\n")


def find_function(module: Module, name: str) -> int:
    """Index of a function. An export's name wins over a debug name, and that over an index."""
    wasm = module.wasm
    for export in wasm.exports:
        if export.name == name:
            if export.kind != wm.FUNC:
                misuse(f"the export {name!r} is a {wm.KIND_NAMES[export.kind]}, not a function")
            return export.index
    found = [index for index, known in module.names.functions.items() if known == name.removeprefix("$")]
    if len(found) > 1:
        misuse(f"{len(found)} functions are called {name!r}: give one of their indices, {', '.join(map(str, found[:_SHOWN_NAMES]))}")
    if found:
        return found[0]
    if not (name.isascii() and name.isdigit()):
        misuse(f"no function {name!r}: {_known(module, name)}")
    if int(name[-_MAX_DIGITS:]) >= len(wasm.func_types) or len(name) > _MAX_DIGITS:
        misuse(f"no function {name}: the module has {len(wasm.func_types)} functions, counted from 0")
    return int(name)


def _known(module: Module, name: str) -> str:
    names = [export.name for export in module.wasm.exports if export.kind == wm.FUNC]
    every = [*names, *module.names.functions.values()]
    near = difflib.get_close_matches(name, every, 3)
    if near:
        return f"did you mean {' or '.join(map(repr, dict.fromkeys(near)))}?"
    shown = ", ".join(map(repr, names[:_SHOWN_NAMES])) + (" …" if len(names) > _SHOWN_NAMES else "")
    return f"exported functions are {shown}" if names else "the module exports no function, give an index"


def _imports(module: Module) -> Iterator[tuple[int, str]]:
    """Index and name of each imported function."""
    functions = (item for item in module.wasm.imports if item.kind == wm.FUNC)
    return ((index, f"{item.module}.{item.name}") for index, item in enumerate(functions))


def _python(module: Module, index: int) -> str:
    # An engine's code is imported only where it is asked for.
    from purewasm.binary.body import decode_body
    from purewasm.engine.interpreter.context import ModuleContext
    from purewasm.engine.interpreter.lower import lower_function

    wasm = module.wasm
    context = ModuleContext(wasm, interruptible=True, fuel=False)
    return lower_function(context, index, decode_body(wasm, wasm.codes[index - wasm.imported_functions])).source


def _compiled(module: Module, file: str, index: int, stage: str, tier: str) -> str:
    # An engine's code is imported only where it is asked for.
    from purewasm.backend.machine_code import TargetOptions
    from purewasm.isa.x64.cpu import EMITTED_FEATURES
    from purewasm.isa.x64.inspection import baseline_code, stages
    from purewasm.isa.x64.support import unsupported

    reason = unsupported(module.wasm)
    if reason is not None:
        failed(f"{file}: the interpreter runs this module, since {reason}: `--stage {PYTHON}` shows what it makes of the function")
    if tier == BASELINE:
        text = baseline_code(module.wasm, index, TargetOptions(EMITTED_FEATURES))
        if text is None:
            failed(f"{file}: function {index} has no {BASELINE} code: it is optimized at its first call")
        return text
    texts = stages(module.wasm, index, TargetOptions(EMITTED_FEATURES))
    if stage not in texts:
        misuse(f"no stage {stage!r}: there are {', '.join((*texts, PYTHON))}")
    return texts[stage]
