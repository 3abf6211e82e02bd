"""Machine code as bytes that outlive the process.

A function is two parts: its code, as it will stand in memory, and its tables, which nobody looks at before a trap. The code of all
functions is one group, so that it is checked and copied as a whole, however many functions there are; tables are read one by one.
"""

from __future__ import annotations

import marshal

from purewasm.backend.machine_code import MachineCode
from purewasm.engine.digest import digest_of, source_files, state_of
from purewasm.engine.native.availability import SYSTEM
from purewasm.engine.native.compilers import OPTIMIZED, kind_of, number_of
from purewasm.engine.native.packed_rows import pack_rows, unpack_rows
from purewasm.engine.protocol import CODE_GROUP, GROUP_BITS
from purewasm.errors import InternalError
from purewasm.isa.x64.cpu import format_features
from purewasm.light_library import cache
from purewasm.light_typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from purewasm.engine.protocol import Content, SavedCode

_SOURCES: Final = ("ir", "frontend", "passes", "backend", "isa", "store", "binary", "wasm", "engine")
"""Layers that the code depends on."""


@cache
def compiler_digest() -> str:
    """The bytes of the compiler's source files stand for what it makes of a function, so that no other state's code is ever taken."""
    return digest_of(source_files(*_SOURCES))


@cache
def compiler_state() -> str:
    """The same for code that stays on this machine, in a fifth of the time."""
    return state_of(source_files(*_SOURCES))


def name_compiler(*, for_here: bool) -> str:
    """This compiler, as text: its digest, and its state too where that will be looked at on this machine."""
    return f"{compiler_digest()} {compiler_state()}" if for_here else compiler_digest()


def is_this_compiler(name: str) -> bool:
    """True where `name_compiler` of this compiler was that, here or on another machine."""
    digest, _, state = name.partition(" ")
    return bool(state and state == compiler_state()) or digest == compiler_digest()


def identity(cpu: int, compiler: str, *, explicit_checks: bool) -> str:
    """What saved code depends on beside module, options and version; `compiler` is its digest or state."""
    return f"compiler {SYSTEM} {format_features(cpu)}{' checks' if explicit_checks else ''} {compiler}"


# Groups of parts. 0 is left to the engine that runs what the compiler does not take.
_CODE: Final = (CODE_GROUP, 7, 11)
"""By kind of code."""
_TABLES: Final = 1
"""Added for its tables …"""
_EXPLICIT: Final = 2
"""… and for code that checks addresses itself."""
_VERDICT: Final = 5 << GROUP_BITS
_COLLECTOR: Final = 6 << GROUP_BITS

_MARSHAL_VERSION: Final = 2
"""The last one that does not write down which objects are shared, so that equal tables are equal bytes."""
_ROWS: Final = ("traps", "call_sites")
"""Long tables, as packed rows."""
_OTHER_FIELDS: Final = tuple(name for name in MachineCode.__slots__ if name not in ("code", "instructions", *_ROWS))


def code_group(kind: int, *, explicit_checks: bool) -> int:
    """The group that holds the code of one kind in one variant."""
    return _CODE[kind] + _EXPLICIT * explicit_checks


def save_code(saved: SavedCode, machine: MachineCode, *, explicit_checks: bool) -> None:
    """Keep code."""
    if number_of(machine) < 1 << GROUP_BITS:
        for number, content in code_parts(machine, explicit_checks=explicit_checks):
            saved.add(number, content)


def code_parts(machine: MachineCode, *, explicit_checks: bool) -> list[tuple[int, bytes]]:
    """The parts that code is saved as, by number."""
    code, tables = _numbers(kind_of(machine), number_of(machine), explicit_checks=explicit_checks)
    values = [pack_rows(getattr(machine, name)) for name in _ROWS] + [getattr(machine, name) for name in _OTHER_FIELDS]
    return [(code, bytes(machine.code)), (tables, marshal.dumps(values, _MARSHAL_VERSION))]


def load_code(saved: SavedCode, kind: int, number: int, *, explicit_checks: bool) -> MachineCode | None:
    """Code that was kept; None where there is none, or something else."""
    if number >= 1 << GROUP_BITS:
        return None
    code, tables = (saved.get(part) for part in _numbers(kind, number, explicit_checks=explicit_checks))
    return None if code is None or tables is None else _machine_code(kind, number, code, tables)


def restore_code(index: int, parts: list[tuple[int, bytes]]) -> MachineCode:
    """The optimized function that `code_parts` made these of."""
    (_, code), (_, tables) = parts
    machine = _machine_code(OPTIMIZED, index, code, tables)
    if machine is None:
        raise InternalError(f"a worker sent something else than the code of function {index}")
    return machine


def _machine_code(kind: int, number: int, code: Content, tables: Content) -> MachineCode | None:
    machine = MachineCode(number, bytes(code))
    try:
        values = marshal.loads(tables)
        for name, value in zip((*_ROWS, *_OTHER_FIELDS), values, strict=True):
            setattr(machine, name, unpack_rows(value) if name in _ROWS else value)
    except (ValueError, TypeError, EOFError):
        return None
    return machine if (kind_of(machine), number_of(machine)) == (kind, number) else None


def _numbers(kind: int, number: int, *, explicit_checks: bool) -> tuple[int, int]:
    group = code_group(kind, explicit_checks=explicit_checks)
    return group << GROUP_BITS | number, group + _TABLES << GROUP_BITS | number


def save_verdict(saved: SavedCode, reason: str | None) -> None:
    """Keep why the compiler does not take the module."""
    saved.add(*verdict_part(reason))


def verdict_part(reason: str | None) -> tuple[int, bytes]:
    """The part that says why the compiler does not take the module."""
    return _VERDICT, (reason or "").encode()


def load_verdict(saved: SavedCode) -> tuple[bool, str | None]:
    """(True, why the compiler does not take the module, if it does not) where that is known."""
    content = saved.get(_VERDICT)
    return content is not None, (bytes(content).decode() or None) if content is not None else None


def collector_part(code: dict[str, bytes]) -> tuple[int, bytes]:
    """The part with the functions of `collector_code`, for modules with structures and arrays."""
    return _COLLECTOR, marshal.dumps(code, _MARSHAL_VERSION)


def load_collector(saved: SavedCode) -> dict[str, bytes] | None:
    """What was kept of `collector_code`; None where nothing was, or something else."""
    content = saved.get(_COLLECTOR)
    try:
        code = None if content is None else marshal.loads(content)
    except (ValueError, TypeError, EOFError):
        return None
    return code if isinstance(code, dict) else None
