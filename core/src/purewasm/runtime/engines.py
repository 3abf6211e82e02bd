"""Which engine a runtime gets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from purewasm.errors import WasmError

if TYPE_CHECKING:
    from purewasm.engine.protocol import Engine
    from purewasm.runtime.config import RuntimeConfig


def make_engine(config: RuntimeConfig) -> Engine:
    """A new engine for a runtime. `WasmError` where the one that is asked for cannot work here; it says why."""
    if config.engine == "compiler":
        raise WasmError("no compiler engine for this platform: use engine='interpreter', or 'auto' to take what there is")
    # An engine is imported when it is chosen: the other one costs nothing.
    from purewasm.engine.interpreter.engine import InterpreterEngine

    return InterpreterEngine(max_stack_bytes=config.max_stack_bytes)
