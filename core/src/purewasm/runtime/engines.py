"""Which engine a runtime gets."""

from __future__ import annotations

from purewasm.errors import WasmError
from purewasm.light_typing import TYPE_CHECKING

if TYPE_CHECKING:
    from purewasm.engine.protocol import Engine
    from purewasm.runtime.config import RuntimeConfig


def make_engine(config: RuntimeConfig) -> Engine:
    """A new engine for a runtime. `WasmError` where the one that is asked for cannot work here; it says why."""
    if config.engine == "interpreter":
        return _interpreter(config.max_stack_bytes, config.heap_limit_bytes)
    if config.engine == "auto" and not _is_native_proven():
        return _interpreter(config.max_stack_bytes, config.heap_limit_bytes)
    reason = _why_not_native()
    if reason is None:
        return _compiler(config)
    if config.engine == "auto":
        return _interpreter(config.max_stack_bytes, config.heap_limit_bytes)
    raise WasmError(f"no compiler engine here: {reason}; use engine='interpreter', or 'auto' to take what there is")


# An engine is imported when it is needed: the other one costs nothing.


def _interpreter(stack_bytes: int, heap_limit_bytes: int | None) -> Engine:
    from purewasm.engine.interpreter.engine import InterpreterEngine

    return InterpreterEngine(max_stack_bytes=stack_bytes, heap_limit_bytes=heap_limit_bytes)


def _compiler(config: RuntimeConfig) -> Engine:
    """The native engine, with the interpreter for modules that it does not compile."""
    from purewasm.engine.native.engine import NativeEngine

    stack_bytes, heap_limit_bytes = config.max_stack_bytes, config.heap_limit_bytes
    return NativeEngine(
        lambda: _interpreter(stack_bytes, heap_limit_bytes),
        max_stack_bytes=stack_bytes,
        explicit_checks=config.explicit_checks,
        heap_limit_bytes=heap_limit_bytes,
        workers=1 if config.eager else config.workers,
        optimize_after=config.optimize_after,
    )


def own_processor() -> int:
    """Features of the present processor, for the native engine. `WasmError` where it cannot work."""
    reason = _why_not_native()
    if reason is not None:
        raise WasmError(f"there is no compiler for this machine's processor: {reason}; name a target to compile for another one")
    from purewasm.engine.native.engine import cpu_features

    return cpu_features()


def _is_native_proven() -> bool:
    from purewasm.engine.native.availability import is_proven

    return is_proven()


def _why_not_native() -> str | None:
    """Why the native engine cannot work in this process, or None."""
    from purewasm.engine.native.availability import why_unsupported

    reason = why_unsupported()
    if reason is not None:
        return reason
    try:
        from purewasm.engine.native.engine import check_available

        check_available()
    except (ImportError, OSError, MemoryError) as error:
        return f"this process cannot have executable memory or has no ctypes: {error}"
    return None
