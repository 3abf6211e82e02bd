"""Vector operations of two operands that are one instruction of the processor: target = row(a, b). Their `b` can be in memory.

`isa.x64.machine` tells the passes so, which is why this table stands apart from the emitters.
"""

from __future__ import annotations

from typing import Final

from purewasm.ir import ops
from purewasm.isa.x64 import vex
from purewasm.wasm.opcodes import CODE

_ROWS: Final = {
    "v128.and": vex.VPAND, "v128.or": vex.VPOR, "v128.xor": vex.VPXOR,
    "i8x16.eq": vex.VPCMPEQB, "i16x8.eq": vex.VPCMPEQW, "i32x4.eq": vex.VPCMPEQD, "i64x2.eq": vex.VPCMPEQQ,
    "i8x16.gt_s": vex.VPCMPGTB, "i16x8.gt_s": vex.VPCMPGTW, "i32x4.gt_s": vex.VPCMPGTD, "i64x2.gt_s": vex.VPCMPGTQ,
    "i8x16.add": vex.VPADDB, "i16x8.add": vex.VPADDW, "i32x4.add": vex.VPADDD, "i64x2.add": vex.VPADDQ,
    "i8x16.sub": vex.VPSUBB, "i16x8.sub": vex.VPSUBW, "i32x4.sub": vex.VPSUBD, "i64x2.sub": vex.VPSUBQ,
    "i8x16.add_sat_s": vex.VPADDSB, "i8x16.add_sat_u": vex.VPADDUSB, "i16x8.add_sat_s": vex.VPADDSW, "i16x8.add_sat_u": vex.VPADDUSW,
    "i8x16.sub_sat_s": vex.VPSUBSB, "i8x16.sub_sat_u": vex.VPSUBUSB, "i16x8.sub_sat_s": vex.VPSUBSW, "i16x8.sub_sat_u": vex.VPSUBUSW,
    "i8x16.min_s": vex.VPMINSB, "i8x16.min_u": vex.VPMINUB, "i8x16.max_s": vex.VPMAXSB, "i8x16.max_u": vex.VPMAXUB,
    "i16x8.min_s": vex.VPMINSW, "i16x8.min_u": vex.VPMINUW, "i16x8.max_s": vex.VPMAXSW, "i16x8.max_u": vex.VPMAXUW,
    "i32x4.min_s": vex.VPMINSD, "i32x4.min_u": vex.VPMINUD, "i32x4.max_s": vex.VPMAXSD, "i32x4.max_u": vex.VPMAXUD,
    "i8x16.avgr_u": vex.VPAVGB, "i16x8.avgr_u": vex.VPAVGW, "i16x8.mul": vex.VPMULLW, "i32x4.mul": vex.VPMULLD,
    "i32x4.dot_i16x8_s": vex.VPMADDWD,
    "i8x16.narrow_i16x8_s": vex.VPACKSSWB, "i8x16.narrow_i16x8_u": vex.VPACKUSWB,
    "i16x8.narrow_i32x4_s": vex.VPACKSSDW, "i16x8.narrow_i32x4_u": vex.VPACKUSDW,
    "f32x4.add": vex.VADDPS, "f32x4.sub": vex.VSUBPS, "f32x4.mul": vex.VMULPS, "f32x4.div": vex.VDIVPS,
    "f64x2.add": vex.VADDPD, "f64x2.sub": vex.VSUBPD, "f64x2.mul": vex.VMULPD, "f64x2.div": vex.VDIVPD,
}  # fmt: skip
DIRECT: Final = {ops.number_of(CODE[name]): row for name, row in _ROWS.items()}
"""Rows by operation."""
