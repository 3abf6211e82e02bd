"""`purewasm run`: run a program, or call one function of a module, compiled ahead of time or not."""

from __future__ import annotations

import os
from contextlib import ExitStack, closing

from purewasm.cli import grants, wasi
from purewasm.cli.cache_directory import open_cache
from purewasm.cli.failure import describe, describe_module_error, failed, misuse
from purewasm.cli.progress import ProgressLine
from purewasm.cli.run_options import idle_processors, parse_options, processors
from purewasm.cli.sources import read, to_binary
from purewasm.cli.target import choose_export, choose_program
from purewasm.errors import GuestExit, InternalError, LinkError, ModuleError, WasmError
from purewasm.light_typing import TYPE_CHECKING
from purewasm.runtime.runtime import Runtime
from purewasm.runtime.storage import is_entry
from purewasm.store.function import Function

if TYPE_CHECKING:
    from collections.abc import Sequence

    from purewasm.cli.run_options import Options
    from purewasm.cli.sources import Source
    from purewasm.cli.target import Target
    from purewasm.runtime.module import Module


def main(arguments: Sequence[str]) -> int:
    """The guest's exit status, or 0."""
    options = parse_options(arguments)
    source = None if _is_precompiled(options.file) else read(options.file)
    with ExitStack() as stack:
        line = stack.enter_context(ProgressLine(f"compiling {os.path.basename(options.file)}"))
        runtime = stack.enter_context(_runtime(options, line))
        module = _load_precompiled(runtime, options.file) if source is None else _load(runtime, source, options)
        line.clear()
        target = _choose(module, options)
        _grant(runtime, module, options, stack)
        try:
            _run(runtime, module, target, options.fuel)
        except GuestExit as end:
            return _exit_status(end.status)
        except InternalError:
            raise
        except LinkError as error:
            failed(f"{options.file}: {error}{grants.hints(module, runtime)}")
        except WasmError as error:
            failed(describe(error))
    return 0


def _is_precompiled(file: str) -> bool:
    try:
        with open(file, "rb") as stream:
            return is_entry(stream.read(8)) if stream.seekable() else False
    except (OSError, ValueError):  # ValueError: a name with a zero byte
        return False  # `read` says what is wrong with it


def _load(runtime: Runtime, source: Source, options: Options) -> Module:
    if is_entry(source.data):
        misuse("a precompiled module cannot come from standard input or a pipe: name its file")
    data = to_binary(source, options.chosen_features)
    try:
        return runtime.compile(data)
    except ModuleError as error:
        failed(describe_module_error(error, source.name, source.text))


def _load_precompiled(runtime: Runtime, file: str) -> Module:
    try:
        return runtime.load(file)
    except OSError as error:
        misuse(f"{file}: cannot be read: {error.strerror or error}")
    except WasmError as error:
        misuse(str(error))


def _choose(module: Module, options: Options) -> Target | None:
    if options.invoke is not None:
        return choose_export(module, options.file, options.invoke, options.arguments)
    if options.arguments and not wasi.is_wanted(module):
        misuse(f"{options.file} does not import WASI, so it cannot see arguments: {' '.join(options.arguments)}")
    return choose_program(module, options.file)


def _runtime(options: Options, line: ProgressLine) -> Runtime:
    try:
        return Runtime(
            engine=options.engine,
            features=options.chosen_features,
            memory_limit_pages=options.max_memory,
            fuel=options.fuel is not None,
            timeout=options.timeout,
            eager=options.eager,
            workers=processors() if options.eager else idle_processors(),
            progress=line.callback,
            cache=None if options.no_cache else open_cache(),
        )
    except WasmError as error:
        misuse(str(error))


def _grant(runtime: Runtime, module: Module, options: Options, stack: ExitStack) -> None:
    for name in options.hostmod:
        if not grants.is_wasi(name):
            host_module = stack.enter_context(closing(grants.make_host_module(name)))
            try:
                host_module.register(runtime)
            except LinkError as error:
                misuse(f"--hostmod {name}: {error}")
    if wasi.is_wanted(module):
        program = [os.path.basename(options.file), *(() if options.invoke is not None else options.arguments)]
        stack.enter_context(closing(wasi.make(options, program))).register(runtime)
    elif given := wasi.given_options(options):
        misuse(f"{options.file} does not import WASI, so it cannot use what {' and '.join(given)} grant{'s' if len(given) == 1 else ''}")


def _run(runtime: Runtime, module: Module, target: Target | None, fuel: int | None) -> None:
    instance = runtime.instantiate(module, fuel=fuel)
    if target is None:
        return
    function = instance.exports[target.name]
    assert isinstance(function, Function)
    result = function(*target.arguments)
    types = target.type.results
    if not types:
        return
    from purewasm.cli.values import format_result

    results = result if len(types) > 1 and isinstance(result, tuple) else (result,) * len(types)
    for value, valtype in zip(results, types, strict=True):
        print(format_result(value, valtype))


def _exit_status(status: int) -> int:
    """A process's status has 8 bits on most systems; a failure stays one."""
    return status & 0xFF or min(status, 1)
