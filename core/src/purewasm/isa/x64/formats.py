"""Encoding formats: one class per "Op/En" of Intel's manual, one instance per instruction.

The letters say where each operand goes, in the order in which it is written:

    R ModRM.reg    M ModRM.rm (register or memory)    V VEX.vvvv    I immediate    O low bits of the opcode
    D branch distance    S a register in the last byte (the manual's RVMR is RVMS here)    ZO no operand

An instance is a row of the manual's table: mnemonic, operands with roles (`operands.py`), opcode (`opcodes.py`), the CPU
feature that it needs, flags (`r`, `w`, `rw`), implicit operands, what faults it can raise by itself. From that row everything
else derives: bytes, text, roles, whether it can fault.

Bytes come in two ways.
1. Calling the row, `ADD_R32_RM32(RAX, Mem(R15, 8, index=RCX))`: everything is checked; about a microsecond.
2. Templates, for the compiler's loops (`templates.py`); nothing is checked. They end before displacement and immediate:

    .regs[a][b]               every operand a register, in the order of the text
    .based[reg][base]         [base + disp]: a triple (complete with displacement 0, open for a byte, open for 4 bytes)
    .indexed(base)[reg][ix]   [base + ix * scale + disp]: the same triple; `base` and `scale` are fixed, for pinned registers
    .paired(scale)[reg][base][ix]   the same where the base is not fixed, for formats without V (`lea`)
    .rip[reg]                 [rip + disp32]: open for 4 bytes

   Formats without R have one index less (`.based[base]`), formats with V one more (`.based[reg][v][base]`).
   `.code` of formats without ModRM is everything before the immediate. Where a row has no such form, using the template
   raises `InternalError`; `rsp` as an index, which no instruction has, is an empty tuple.
"""

from __future__ import annotations

from purewasm.errors import InternalError
from purewasm.isa.x64.address import NO_REGISTER, Mem, Tails, address_tails
from purewasm.isa.x64.conditions import CONDITION_NAMES
from purewasm.isa.x64.opcodes import Legacy, Vex, parse_opcode
from purewasm.isa.x64.operands import Operand, parse_operands
from purewasm.isa.x64.registers import RSP
from purewasm.isa.x64.templates import REGISTER_TAILS, Bytes1, Bytes2, Bytes3, table2, table3
from purewasm.light_library import add, cache
from purewasm.light_typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, TypeVar, cast, final

if TYPE_CHECKING:
    from collections.abc import Callable

Tails1 = list[Tails]
Tails2 = list[list[Tails]]
Tails3 = list[list[list[Tails]]]

# In the place of `rsp`, which cannot be an index: subscripting or unpacking it raises.
_NO_INDEX: Final = cast("Tails", ())

K = TypeVar("K")
F = TypeVar("F", bound="Instruction")


class _Lazy(Generic[K]):
    """An attribute that is worked out when it is first asked for. `functools.cached_property` does that under a lock, which would be a
    millisecond of every start here, and two threads that work one of these out at once come to the same."""

    def __init__(self, work_out: Callable[[Any], K]) -> None:
        self._work_out = work_out

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, row: object, owner: type | None = None) -> K:
        value = row.__dict__[self._name] = self._work_out(row)
        return value


class Instruction:
    """A row of the table. `form` names the format; formats add `__call__` and the templates that make sense for them."""

    form: ClassVar[str]

    def __init__(
        self, mnemonic: str, operands: str, opcode: str, *, cpu: int = 0, flags: str = "", implicit: str = "", faults: str = "",
        merges: bool = False, aligned: bool | None = None,
    ) -> None:  # fmt: skip
        self.mnemonic, self.operand_text, self.opcode = mnemonic, operands, opcode
        self.cpu, self.flags, self.implicit_text, self.faults = cpu, flags, implicit, faults
        self.merges, self._aligned = merges, aligned

    def __repr__(self) -> str:
        return f"<{self.form} {self.mnemonic} {self.operand_text}: {self.opcode}>"

    # -- what the row says -------------------------------------------------------------------------------------------

    @_Lazy
    def encoding(self) -> Legacy | Vex:
        return parse_opcode(self.opcode)

    @_Lazy
    def operands(self) -> tuple[Operand, ...]:
        """Operands in the order of the text, fixed ones included."""
        return parse_operands(self.operand_text)

    @_Lazy
    def arguments(self) -> tuple[Operand, ...]:
        """The operands that a call of the row takes, one for each letter of `form`."""
        return tuple(operand for operand in self.operands if not operand.is_fixed)

    @_Lazy
    def implicit(self) -> tuple[Operand, ...]:
        """Registers that the instruction uses without naming them; `word` is the register's name."""
        return parse_operands(self.implicit_text)

    @property
    def reads_flags(self) -> bool:
        return "r" in self.flags

    @property
    def writes_flags(self) -> bool:
        return "w" in self.flags

    @_Lazy
    def memory_operand(self) -> Operand | None:
        """The operand that can be memory, if there is one."""
        return next((operand for operand in self.operands if operand.memory_bits >= 0), None)

    @_Lazy
    def can_fault(self) -> bool:
        """Whether the instruction can fault in some form: it accesses memory, or the row names faults of its own."""
        return bool(self.faults) or (self.memory_operand is not None and self.memory_operand.accesses)

    @_Lazy
    def needs_alignment(self) -> bool:
        """Whether a memory operand must be 16-byte aligned: all of SSE but the `u` moves, none of VEX but the `a` moves."""
        if self.memory_operand is None or self.memory_operand.memory_bits != 128:
            return False
        return isinstance(self.encoding, Legacy) if self._aligned is None else self._aligned

    # -- what formats build on ---------------------------------------------------------------------------------------

    def _constant(self, value: int) -> bytes:
        """The immediate, checked against its operand."""
        operand = self.arguments[-1]
        bits = operand.constant_bits
        if not -1 << bits - 1 <= value < 1 << (bits - 1 if operand.signed else bits):
            raise InternalError(f"x64: {value} does not fit in {operand.word} of {self.mnemonic} {self.operand_text}")
        return (value & (1 << bits) - 1).to_bytes(bits >> 3, "little")


class _ModRM(Instruction):
    """What formats with a ModRM byte share: rows of templates, and the checked general encoding."""

    @_Lazy
    def _rm(self) -> Operand:
        return self.arguments[self.form.index("M")]

    @_Lazy
    def _reg_is_byte(self) -> bool:
        position = self.form.find("R")
        return position >= 0 and self.arguments[position].register == "r8"

    def _encode(self, field: int, rm: int | Mem, v: int = 0) -> bytes:
        """All bytes up to the immediate; `field` is the register or the digit in ModRM.reg."""
        if not 0 <= field <= 15 or not 0 <= v <= 15:
            raise InternalError(f"x64: no register {field} or {v} for {self!r}")
        byte_register = self._reg_is_byte and 4 <= field <= 7
        if isinstance(rm, Mem):
            if self._rm.memory_bits < 0:
                raise InternalError(f"x64: {self!r} has no memory form")
            return self.encoding.head(field >> 3, rm.rex_x, rm.rex_b, v, byte_register) + rm.tail(field & 7)
        if not self._rm.register or not 0 <= rm <= 15:
            raise InternalError(f"x64: no register {rm} for {self!r}")
        byte_register = byte_register or (self._rm.register == "r8" and 4 <= rm <= 7)
        return self.encoding.head(field >> 3, 0, rm >> 3, v, byte_register) + REGISTER_TAILS[field & 7][rm]

    def _register_row(self, field: int, v: int = 0) -> Bytes1:
        """Between registers, by ModRM.rm."""
        if not self._rm.register:
            raise InternalError(f"x64: {self!r} has no register form")
        r, head = field >> 3, self.encoding.head
        forced = self._reg_is_byte and 4 <= field <= 7
        low, high = head(r, 0, 0, v, forced), head(r, 0, 1, v)
        middle = head(r, 0, 0, v, True) if self._rm.register == "r8" else low
        tails = REGISTER_TAILS[field & 7]
        return [
            *[low + tail for tail in tails[:4]],
            *[middle + tail for tail in tails[4:8]],
            *[high + tail for tail in tails[8:]],
        ]

    def _register_column(self, rm: int) -> Bytes1:
        """Between registers, by ModRM.reg."""
        if not self._rm.register:
            raise InternalError(f"x64: {self!r} has no register form")
        head, b = self.encoding.head, rm >> 3
        is_byte = self._rm.register == "r8" and 4 <= rm <= 7
        low, high = head(0, 0, b, 0, is_byte), head(1, 0, b, 0, is_byte)
        middle = head(0, 0, b, 0, True) if self._reg_is_byte else low
        heads = (low, low, low, low, middle, middle, middle, middle)
        tails = [row[rm] for row in REGISTER_TAILS]
        return [*map(add, heads, tails), *[high + tail for tail in tails]]

    def _vvvv_row(self, reg: int, rm: int) -> Bytes1:
        """Between registers, by VEX.vvvv."""
        if not self._rm.register:
            raise InternalError(f"x64: {self!r} has no register form")
        head, r, b, tail = self.encoding.head, reg >> 3, rm >> 3, REGISTER_TAILS[reg & 7][rm]
        return [head(r, 0, b, v) + tail for v in range(16)]

    def _based_row(self, field: int, v: int = 0) -> Tails1:
        """[base + disp], by base."""
        self._check_memory_form()
        forced = self._reg_is_byte and 4 <= field <= 7
        heads = [self.encoding.head(field >> 3, 0, b, v, forced) for b in (0, 1)]
        return _rows(heads, _based_tails(field & 7))

    def _indexed_row(self, base: int, scale: int, field: int, v: int = 0) -> Tails1:
        """[base + index * scale + disp] with one base and scale, by index."""
        self._check_memory_form()
        tails = _indexed_tails(field & 7, base & 7, scale)
        forced = self._reg_is_byte and 4 <= field <= 7
        heads = [self.encoding.head(field >> 3, x, base >> 3, v, forced) for x in (0, 1)]
        row = _rows(heads, tails)
        row[RSP] = _NO_INDEX
        return row

    def _rip_head(self, field: int, v: int = 0) -> bytes:
        """[rip + disp32]."""
        self._check_memory_form()
        head = self.encoding.head(field >> 3, 0, 0, v, self._reg_is_byte and 4 <= field <= 7)
        return head + bytes(((field & 7) << 3 | 5,))

    def _remember(self, key: object, build: Callable[[], K]) -> K:
        """Tables that depend on a base register or a scale, built once for each."""
        if key not in self._remembered:
            self._remembered[key] = build()
        return cast("K", self._remembered[key])

    @_Lazy
    def _remembered(self) -> dict[object, object]:
        return {}

    def _check_memory_form(self) -> None:
        if self._rm.memory_bits < 0:
            raise InternalError(f"x64: {self!r} has no memory form")


# Ends of addresses: of registers they hold the lowest three bits, the rest is in the heads.


@cache
def _based_tails(field: int) -> Tails1:
    return [address_tails(field, base, NO_REGISTER, 1) for base in range(8)]


@cache
def _indexed_tails(field: int, base: int, scale: int) -> Tails1:
    Mem(base, index=0, scale=scale)  # raises where there is no such address
    return [address_tails(field, base, index, scale) for index in range(8)]


def _rows(heads: list[bytes], tails: Tails1) -> Tails1:
    return [(head + zero, head + disp8, head + disp32) for head in heads for zero, disp8, disp32 in tails]


class _Digit(_ModRM):
    """Formats whose ModRM.reg holds a digit of the opcode: templates have one index."""

    @_Lazy
    def regs(self) -> Bytes1:
        return self._register_row(self.encoding.digit)

    @_Lazy
    def based(self) -> Tails1:
        return self._based_row(self.encoding.digit)

    def indexed(self, base: int, scale: int = 1) -> Tails1:
        return self._remember((base, scale), lambda: self._indexed_row(base, scale, self.encoding.digit))

    @_Lazy
    def rip(self) -> bytes:
        return self._rip_head(self.encoding.digit)


class _Two(_ModRM):
    """Formats with a register in ModRM.reg: memory templates are indexed by [register][address]."""

    @_Lazy
    def regs(self) -> Bytes2:
        return table2(self._register_row)

    @_Lazy
    def based(self) -> Tails2:
        return table2(self._based_row)

    def indexed(self, base: int, scale: int = 1) -> Tails2:
        return self._remember((base, scale), lambda: table2(lambda reg: self._indexed_row(base, scale, reg)))

    def paired(self, scale: int = 1) -> Tails3:
        """[reg][base][index], for addresses without a pinned register (`lea` above all)."""
        return self._remember(scale, lambda: table3(lambda reg, base: self._indexed_row(base, scale, reg)))

    @_Lazy
    def rip(self) -> Bytes1:
        return [self._rip_head(reg) for reg in range(16)]


class _Three(_ModRM):
    """Formats with a register in ModRM.reg and one in VEX.vvvv: memory templates are indexed by [reg][v][address]."""

    @_Lazy
    def regs(self) -> Bytes3:
        return table3(self._register_row)

    @_Lazy
    def based(self) -> Tails3:
        return table3(self._based_row)

    def indexed(self, base: int, scale: int = 1) -> Tails3:
        return self._remember((base, scale), lambda: table3(lambda reg, v: self._indexed_row(base, scale, reg, v)))

    @_Lazy
    def rip(self) -> Bytes2:
        return table2(lambda reg: [self._rip_head(reg, v) for v in range(16)])


class _VexDigit(_ModRM):
    """Formats with a digit in ModRM.reg and a register in VEX.vvvv: templates are indexed by [v][register or address]."""

    @_Lazy
    def regs(self) -> Bytes2:
        return table2(lambda v: self._register_row(self.encoding.digit, v))

    @_Lazy
    def based(self) -> Tails2:
        return table2(lambda v: self._based_row(self.encoding.digit, v))

    def indexed(self, base: int, scale: int = 1) -> Tails2:
        digit = self.encoding.digit
        return self._remember((base, scale), lambda: table2(lambda v: self._indexed_row(base, scale, digit, v)))

    @_Lazy
    def rip(self) -> Bytes1:
        return [self._rip_head(self.encoding.digit, v) for v in range(16)]


# -- without ModRM -----------------------------------------------------------------------------------------------------


class _Fixed(Instruction):
    @_Lazy
    def code(self) -> bytes:
        """Everything before the immediate or the distance."""
        return self.encoding.head(0, 0, 0)


@final
class ZO(_Fixed):
    form = "ZO"

    def __call__(self) -> bytes:
        return self.code


@final
class I(_Fixed):  # noqa: E742 (the manual's letter)
    form = "I"

    def __call__(self, immediate: int) -> bytes:
        return self.code + self._constant(immediate)


@final
class D(_Fixed):
    form = "D"

    def __call__(self, distance: int) -> bytes:
        """`distance` counts from the end of the instruction."""
        return self.code + self._constant(distance)


class _InOpcode(Instruction):
    @_Lazy
    def regs(self) -> Bytes1:
        heads = [self.encoding.head(0, 0, b) for b in (0, 1)]
        return [head[:-1] + bytes((head[-1] + low,)) for head in heads for low in range(8)]

    def _register(self, reg: int) -> bytes:
        if not 0 <= reg <= 15:
            raise InternalError(f"x64: no register {reg} for {self!r}")
        return self.regs[reg]


@final
class O(_InOpcode):  # noqa: E742
    form = "O"

    def __call__(self, reg: int) -> bytes:
        return self._register(reg)


@final
class OI(_InOpcode):
    form = "OI"

    def __call__(self, reg: int, immediate: int) -> bytes:
        return self._register(reg) + self._constant(immediate)


# -- one operand in ModRM ----------------------------------------------------------------------------------------------


@final
class M(_Digit):
    form = "M"

    def __call__(self, rm: int | Mem) -> bytes:
        return self._encode(self.encoding.digit, rm)


@final
class MI(_Digit):
    form = "MI"

    def __call__(self, rm: int | Mem, immediate: int) -> bytes:
        return self._encode(self.encoding.digit, rm) + self._constant(immediate)


# -- two operands in ModRM ---------------------------------------------------------------------------------------------


@final
class RM(_Two):
    form = "RM"

    def __call__(self, reg: int, rm: int | Mem) -> bytes:
        return self._encode(reg, rm)


@final
class RMI(_Two):
    form = "RMI"

    def __call__(self, reg: int, rm: int | Mem, immediate: int) -> bytes:
        return self._encode(reg, rm) + self._constant(immediate)


class _MemoryFirst(_Two):
    """The register operand comes second: `.regs[rm][reg]`, in the order of the text; memory templates stay [reg][address]."""

    @_Lazy
    def regs(self) -> Bytes2:
        return table2(self._register_column)


@final
class MR(_MemoryFirst):
    form = "MR"

    def __call__(self, rm: int | Mem, reg: int) -> bytes:
        return self._encode(reg, rm)


@final
class MRI(_MemoryFirst):
    form = "MRI"

    def __call__(self, rm: int | Mem, reg: int, immediate: int) -> bytes:
        return self._encode(reg, rm) + self._constant(immediate)


# -- VEX: a third register ---------------------------------------------------------------------------------------------


@final
class RVM(_Three):
    form = "RVM"

    def __call__(self, reg: int, v: int, rm: int | Mem) -> bytes:
        return self._encode(reg, rm, v)


@final
class RVMI(_Three):
    form = "RVMI"

    def __call__(self, reg: int, v: int, rm: int | Mem, immediate: int) -> bytes:
        return self._encode(reg, rm, v) + self._constant(immediate)


@final
class RVMS(_Three):
    """The manual's RVMR. Templates end before the last byte, which is `last << 4`."""

    form = "RVMS"

    def __call__(self, reg: int, v: int, rm: int | Mem, last: int) -> bytes:
        if not 0 <= last <= 15:
            raise InternalError(f"x64: no register {last} for {self!r}")
        return self._encode(reg, rm, v) + bytes((last << 4,))


@final
class RMV(_Three):
    """BMI shifts: the count is in VEX.vvvv but comes last in the text, so `.regs[reg][rm][v]`."""

    form = "RMV"

    @_Lazy
    def regs(self) -> Bytes3:
        return table3(self._vvvv_row)

    def __call__(self, reg: int, rm: int | Mem, v: int) -> bytes:
        return self._encode(reg, rm, v)


@final
class VM(_VexDigit):
    form = "VM"

    def __call__(self, v: int, rm: int | Mem) -> bytes:
        return self._encode(self.encoding.digit, rm, v)


@final
class VMI(_VexDigit):
    form = "VMI"

    def __call__(self, v: int, rm: int | Mem, immediate: int) -> bytes:
        return self._encode(self.encoding.digit, rm, v) + self._constant(immediate)


def by_condition(form: type[F], mnemonic: str, operands: str, opcode: str, *, cpu: int = 0, flags: str = "r") -> tuple[F, ...]:
    """Sixteen rows indexed by condition code: `mnemonic` gets the condition's name, `40+cc` in `opcode` its number added."""
    position = opcode.index("+cc")
    first = int(opcode[position - 2 : position], 16)
    return tuple(
        form(mnemonic + name, operands, f"{opcode[: position - 2]}{first + cc:02X}{opcode[position + 3 :]}", cpu=cpu, flags=flags)
        for cc, name in enumerate(CONDITION_NAMES)
    )
