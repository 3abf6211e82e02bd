"""`VECTOR`: the function of every row of the opcode table's vector family.

Operands are raw values in the order of the instruction (a v128 is `bytes` of 16, lane 0 first), an immediate comes last; the
operand of `v128.const` is its immediate. The functions are total: none of them raises.

Relaxed instructions have the results of the spec's deterministic profile, on every engine (spec: relaxed operations, where each
parameter is 0). Code for x86 gets them with little or nothing beside the instruction that it would choose anyway:

    i8x16.relaxed_swizzle           as i8x16.swizzle: an index above 15 gives 0 (pshufb after a saturating add of 0x70)
    i32x4.relaxed_trunc_*           as i32x4.trunc_sat_*: NaN gives 0, what is out of range the nearest bound
    f32x4, f64x2.relaxed_madd       product and sum are rounded each (mulps, addps), never fused
    f32x4, f64x2.relaxed_nmadd      the third operand less the rounded product (mulps, subps)
    f32x4, f64x2.relaxed_min, _max  as min and max: a NaN wins, -0.0 is less than 0.0
    i*.relaxed_laneselect           as v128.bitselect, for every width
    i16x8.relaxed_q15mulr_s         as i16x8.q15mulr_sat_s (pmulhrsw, with 0x8000 for two -1.0 turned into 0x7FFF)
    i16x8.relaxed_dot_…_s           both operands signed, the sum of two products saturated to 16 bits (pmovsxbw, pmaddwd, packssdw)
    i32x4.relaxed_dot_…_add_s       the sum of two of those, and the third operand, wrapping (pmaddwd with ones, paddd)
"""

from __future__ import annotations

from purewasm.light_typing import TYPE_CHECKING, Final
from purewasm.wasm.opcodes import CODE
from purewasm.wasm.vector_bits import BITS
from purewasm.wasm.vector_compare import COMPARISONS
from purewasm.wasm.vector_conversions import VECTOR_CONVERSIONS
from purewasm.wasm.vector_floats import FLOAT_LANES
from purewasm.wasm.vector_integers import INTEGER_LANES
from purewasm.wasm.vector_lanes import LANES
from purewasm.wasm.vector_widths import WIDTHS

if TYPE_CHECKING:
    from collections.abc import Callable

VECTOR: Final[dict[int, Callable[..., bytes | int | float]]] = {
    CODE[name]: function
    for table in (BITS, LANES, INTEGER_LANES, WIDTHS, COMPARISONS, FLOAT_LANES, VECTOR_CONVERSIONS)
    for name, function in table.items()
}
