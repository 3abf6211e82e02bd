"""Compiled functions in memory, callable: the least that runs a module without an engine. Traps are not caught, so none may happen."""

from __future__ import annotations

import ctypes
import mmap
import platform
import struct
import sys
from typing import Final

from core.tests.unit.isa.x64.static_check import check_flags, check_instructions
from purewasm.backend.machine_code import MachineCode, TargetOptions
from purewasm.binary.body import decode_const
from purewasm.binary.decoder import decode_module
from purewasm.engine.native.type_records import plain_record
from purewasm.isa.x64.baseline.compile import BaselineCompiler
from purewasm.isa.x64.compile import function_compiler
from purewasm.isa.x64.cpu import X86_64_V3
from purewasm.store import layout
from purewasm.text.assembler import assemble
from purewasm.validate.module import validate_module
from purewasm.wasm.features import Features

RUNS_HERE: Final = sys.platform == "linux" and platform.machine() == "x86_64" and sys.implementation.name == "cpython"
MEMORY_BYTES: Final = 1 << 20
FEATURES: Final = Features.all()


def _supports_v3() -> bool:
    if not RUNS_HERE:
        return False
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as lines:
        flags = next((line for line in lines if line.startswith("flags")), "").split()
    return {"avx", "avx2", "bmi1", "bmi2", "abm", "popcnt"} <= set(flags)


CAN_RUN: Final = _supports_v3()


class LoadedCode:
    """A module without imports: exported functions over addresses, `run(name, *addresses)`, and its memory 0. `baseline`: its functions are
    baseline code where they can be, which never comes to the end of its turns."""

    def __init__(self, text: str, cpu: int = X86_64_V3, *, baseline: bool = False, **options: bool) -> None:
        self.module = module = decode_module(assemble(text, FEATURES), FEATURES)
        validate_module(module, FEATURES)
        self.layout = layout.ContextLayout(module)
        self._cpu = cpu
        self.codes: dict[int, MachineCode] = {}
        target = TargetOptions(cpu, **options)
        code = bytearray()
        starts = {}
        self._compiler = compile_function = function_compiler(module, target, self.layout)
        baseline_compiler = BaselineCompiler(module, target, self.layout)
        for index in range(len(module.func_types)):
            made = (baseline_compiler(index) if baseline else None) or compile_function(index)
            self._check(made)
            code += b"\xcc" * (-len(code) % 32)
            starts[index] = len(code)
            code += made.code
            self.codes[index] = made
        self.memory = mmap.mmap(-1, MEMORY_BYTES)
        self._memory_address = ctypes.addressof(ctypes.c_char.from_buffer(self.memory))
        self._context = ctypes.create_string_buffer(self.layout.size + 64)
        self.control = ctypes.create_string_buffer(layout.CONTROL_BYTES)
        struct.pack_into("<q", self.control, layout.FUEL, 1 << 40)
        entries = {export.name: self._entry(code, starts[export.index]) for export in module.exports if export.kind == 0}
        self._loaded: list[mmap.mmap] = []
        address = self._load(bytes(code))
        self._fill(address, starts)
        # The context travels as the last argument of the trampoline and is moved to r14 there.
        self._functions = {name: ctypes.CFUNCTYPE(ctypes.c_uint64, *[ctypes.c_uint64] * 3)(address + at) for name, at in entries.items()}

    def _control_distance(self) -> int:
        """From the thread pointer to a word with the address of the control block."""
        self._control_word = ctypes.c_uint64(ctypes.addressof(self.control))
        pthread_self = ctypes.CDLL(None).pthread_self
        pthread_self.restype = ctypes.c_size_t
        return int(ctypes.addressof(self._control_word) - pthread_self()) & (1 << 64) - 1

    def run(self, name: str, *addresses: int) -> int:
        """Call an export whose parameters are up to three i32 or i64."""
        return int(self._functions[name](*addresses, *[0] * (3 - len(addresses))))

    def enter_loop(self, index: int, place: int, locals_: ctypes.Array[ctypes.c_char], operands: ctypes.Array[ctypes.c_char]) -> int:
        """Run the loop at `place` in the function's body on slots of locals and operands; the number of the way out."""
        made = self._compiler.loop(index, place)
        self._check(made)
        code = bytearray(made.code)
        entry = self._entry(code, 0)
        function = ctypes.CFUNCTYPE(ctypes.c_uint64, ctypes.c_void_p, ctypes.c_void_p)(self._load(bytes(code)) + entry)
        return int(function(ctypes.addressof(locals_), ctypes.addressof(operands)))

    def function_reference(self, index: int) -> int:
        return int(self._record_table[index])

    def _check(self, made: MachineCode) -> None:
        if self._cpu == X86_64_V3:
            check_flags(made)
        else:
            check_instructions(made, self._cpu)

    @property
    def fuel(self) -> int:
        return int(struct.unpack_from("<q", self.control, layout.FUEL)[0])

    def _entry(self, code: bytearray, start: int) -> int:
        code += b"\xcc" * (-len(code) % 32)
        at = len(code)
        context, memory = ctypes.addressof(self._context), self._memory_address
        code += bytes.fromhex("53 55 41 54 41 55 41 56 41 57 48 83 ec 08")
        code += b"\x49\xbe" + struct.pack("<Q", context) + b"\x49\xbf" + struct.pack("<Q", memory)
        code += b"\xe8" + struct.pack("<i", start - len(code) - 5)
        code += bytes.fromhex("48 83 c4 08 41 5f 41 5e 41 5d 41 5c 5d 5b c3")
        return at

    def _load(self, code: bytes) -> int:
        pages = mmap.mmap(-1, (len(code) + 4095) & ~4095)
        self._loaded.append(pages)
        address = ctypes.addressof(ctypes.c_char.from_buffer(pages))
        pages[: len(code)] = code
        if ctypes.CDLL(None).mprotect(ctypes.c_void_p(address), ctypes.c_size_t(len(pages)), mmap.PROT_READ | mmap.PROT_EXEC):
            raise OSError("mprotect failed")
        return address

    def _fill(self, address: int, starts: dict[int, int]) -> None:
        """Context, control block, slots, records, tables and globals."""
        module, context = self.module, self._context
        count = len(module.func_types)
        self._slots = (ctypes.c_uint64 * (2 * count + 1))(*[address + starts[index] for index in range(count)], *[1 << 62] * count)
        self._records = ctypes.create_string_buffer(layout.RECORD_BYTES * (count + 1))
        base = ctypes.addressof(self._records)
        self._record_table = (ctypes.c_uint64 * (count + 1))(*[base + layout.RECORD_BYTES * index for index in range(count)])
        for index in range(count):
            struct.pack_into(
                "<6Q", self._records, layout.RECORD_BYTES * index,
                self._slots[index], ctypes.addressof(context), plain_record(module.func_types[index]), 0, index, 0,
            )  # fmt: skip
        self._types = (ctypes.c_uint64 * (len(module.types) + 1))(*[plain_record(deftype) for deftype in module.types])
        pages = module.memory_types[0].limits.min if module.memory_types else 0
        for offset, word in (
            (layout.MEMORY0_BASE, self._memory_address), (layout.MEMORY0_BYTES, pages << 16),
            (layout.CONTROL, self._control_distance()), (layout.SLOTS, ctypes.addressof(self._slots)),
            (layout.RECORDS, ctypes.addressof(self._record_table)), (layout.TYPES, ctypes.addressof(self._types)),
        ):  # fmt: skip
            struct.pack_into("<Q", context, offset, word)
        self._tables = []
        for index, table in enumerate(module.table_types):
            elements = (ctypes.c_uint64 * (table.limits.min + 1))()
            pair = (ctypes.c_uint64 * 2)(ctypes.addressof(elements), table.limits.min)
            self._tables.append((elements, pair))
            struct.pack_into("<Q", context, self.layout.table(index), ctypes.addressof(pair))
        for segment in module.elements:
            if segment.offset is not None:
                first = decode_const(module, segment.offset).imms[0]
                for position, item in enumerate(segment.items):
                    assert isinstance(first, int)
                    assert isinstance(item, int)
                    self._tables[segment.table][0][first + position] = self._record_table[item]
