"""Vector operations of two operands that are one instruction of the processor: target = row(a, b). Their `b` can be in memory.

`isa.x64.machine` tells the passes so, which is why this table stands apart from the emitters, and names the rows of `isa.x64.vex` rather
than import them: the machine is described in every process, also in one that compiles nothing.
"""

from __future__ import annotations

from purewasm.ir import ops
from purewasm.light_typing import Final
from purewasm.wasm.opcodes import CODE

_ROWS: Final = {
    "v128.and": "VPAND", "v128.or": "VPOR", "v128.xor": "VPXOR",
    "i8x16.eq": "VPCMPEQB", "i16x8.eq": "VPCMPEQW", "i32x4.eq": "VPCMPEQD", "i64x2.eq": "VPCMPEQQ",
    "i8x16.gt_s": "VPCMPGTB", "i16x8.gt_s": "VPCMPGTW", "i32x4.gt_s": "VPCMPGTD", "i64x2.gt_s": "VPCMPGTQ",
    "i8x16.add": "VPADDB", "i16x8.add": "VPADDW", "i32x4.add": "VPADDD", "i64x2.add": "VPADDQ",
    "i8x16.sub": "VPSUBB", "i16x8.sub": "VPSUBW", "i32x4.sub": "VPSUBD", "i64x2.sub": "VPSUBQ",
    "i8x16.add_sat_s": "VPADDSB", "i8x16.add_sat_u": "VPADDUSB", "i16x8.add_sat_s": "VPADDSW", "i16x8.add_sat_u": "VPADDUSW",
    "i8x16.sub_sat_s": "VPSUBSB", "i8x16.sub_sat_u": "VPSUBUSB", "i16x8.sub_sat_s": "VPSUBSW", "i16x8.sub_sat_u": "VPSUBUSW",
    "i8x16.min_s": "VPMINSB", "i8x16.min_u": "VPMINUB", "i8x16.max_s": "VPMAXSB", "i8x16.max_u": "VPMAXUB",
    "i16x8.min_s": "VPMINSW", "i16x8.min_u": "VPMINUW", "i16x8.max_s": "VPMAXSW", "i16x8.max_u": "VPMAXUW",
    "i32x4.min_s": "VPMINSD", "i32x4.min_u": "VPMINUD", "i32x4.max_s": "VPMAXSD", "i32x4.max_u": "VPMAXUD",
    "i8x16.avgr_u": "VPAVGB", "i16x8.avgr_u": "VPAVGW", "i16x8.mul": "VPMULLW", "i32x4.mul": "VPMULLD",
    "i32x4.dot_i16x8_s": "VPMADDWD",
    "i8x16.narrow_i16x8_s": "VPACKSSWB", "i8x16.narrow_i16x8_u": "VPACKUSWB",
    "i16x8.narrow_i32x4_s": "VPACKSSDW", "i16x8.narrow_i32x4_u": "VPACKUSDW",
    "f32x4.add": "VADDPS", "f32x4.sub": "VSUBPS", "f32x4.mul": "VMULPS", "f32x4.div": "VDIVPS",
    "f64x2.add": "VADDPD", "f64x2.sub": "VSUBPD", "f64x2.mul": "VMULPD", "f64x2.div": "VDIVPD",
}  # fmt: skip
DIRECT: Final = {ops.number_of(CODE[name]): row for name, row in _ROWS.items()}
"""Names of rows by operation."""
