"""Machine code as bytes that outlive the process."""

from __future__ import annotations

import marshal
import os
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from purewasm.backend.machine_code import MachineCode
from purewasm.isa.x64.cpu import format_features

if TYPE_CHECKING:
    from purewasm.engine.protocol import Content

_SOURCES: Final = ("ir", "frontend", "passes", "backend", "isa", "store", "binary", "wasm", "engine")
"""Layers that the code depends on."""


@cache
def _compiler_digest() -> str:
    """The bytes of the compiler's source files stand for what it makes of a function, so that no other state's code is ever taken."""
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    digest = sha256()
    for layer in _SOURCES:
        for folder, folders, names in os.walk(os.path.join(root, layer)):
            folders.sort()
            for name in sorted(names):
                if name.endswith(".py"):
                    with open(os.path.join(folder, name), "rb") as file:
                        digest.update(file.read())
    return digest.hexdigest()


def identity(cpu: int, *, explicit_checks: bool) -> str:
    """What saved code depends on beside module, options and version."""
    return f"compiler linux {format_features(cpu)}{' checks' if explicit_checks else ''} {_compiler_digest()}"


def part_number(index: int, *, explicit_checks: bool) -> int:
    """The number under which a function's code is saved: each variant has its own."""
    return 2 * index + explicit_checks


def dump_function(machine: MachineCode) -> bytes:
    return marshal.dumps(
        (
            machine.index,
            machine.code,
            machine.traps,
            machine.call_sites,
            (machine.frame_bytes, machine.body_offset, machine.argument_bytes, machine.pool_offset),
            (machine.makes_calls, machine.has_loops),
        )
    )


def load_function(content: Content, index: int) -> MachineCode | None:
    """None where the content is of something else."""
    try:
        saved, code, traps, call_sites, sizes, (calls, loops) = marshal.loads(content)
        made = MachineCode(index, code)
        made.frame_bytes, made.body_offset, made.argument_bytes, made.pool_offset = sizes
    except (ValueError, TypeError, EOFError):
        return None
    if saved != index or not isinstance(code, bytes):
        return None
    made.traps, made.call_sites, made.makes_calls, made.has_loops = traps, call_sites, calls, loops
    return made
