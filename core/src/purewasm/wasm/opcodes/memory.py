"""Loads, stores and bulk operations of memories (spec: memory instructions)."""

from __future__ import annotations

from purewasm.light_typing import Final
from purewasm.wasm.features import BULK_MEMORY, MVP, SIMD
from purewasm.wasm.opcodes.immediates import DATA, DATA_MEMORY, MEMARG, MEMARG_LANE, MEMORY, MEMORY_MEMORY

ROWS: Final = (
    # loads
    (0x28, "i32.load", MEMARG, "m>i", MVP, 2),
    (0x29, "i64.load", MEMARG, "m>I", MVP, 3),
    (0x2A, "f32.load", MEMARG, "m>f", MVP, 2),
    (0x2B, "f64.load", MEMARG, "m>F", MVP, 3),
    (0x2C, "i32.load8_s", MEMARG, "m>i", MVP, 0),
    (0x2D, "i32.load8_u", MEMARG, "m>i", MVP, 0),
    (0x2E, "i32.load16_s", MEMARG, "m>i", MVP, 1),
    (0x2F, "i32.load16_u", MEMARG, "m>i", MVP, 1),
    (0x30, "i64.load8_s", MEMARG, "m>I", MVP, 0),
    (0x31, "i64.load8_u", MEMARG, "m>I", MVP, 0),
    (0x32, "i64.load16_s", MEMARG, "m>I", MVP, 1),
    (0x33, "i64.load16_u", MEMARG, "m>I", MVP, 1),
    (0x34, "i64.load32_s", MEMARG, "m>I", MVP, 2),
    (0x35, "i64.load32_u", MEMARG, "m>I", MVP, 2),
    # stores
    (0x36, "i32.store", MEMARG, "mi>", MVP, 2),
    (0x37, "i64.store", MEMARG, "mI>", MVP, 3),
    (0x38, "f32.store", MEMARG, "mf>", MVP, 2),
    (0x39, "f64.store", MEMARG, "mF>", MVP, 3),
    (0x3A, "i32.store8", MEMARG, "mi>", MVP, 0),
    (0x3B, "i32.store16", MEMARG, "mi>", MVP, 1),
    (0x3C, "i64.store8", MEMARG, "mI>", MVP, 0),
    (0x3D, "i64.store16", MEMARG, "mI>", MVP, 1),
    (0x3E, "i64.store32", MEMARG, "mI>", MVP, 2),
    # size
    (0x3F, "memory.size", MEMORY, ">m", MVP, 0),
    (0x40, "memory.grow", MEMORY, "m>m", MVP, 0),
    # bulk
    (0xFC008, "memory.init", DATA_MEMORY, "mii>", BULK_MEMORY, 0),
    (0xFC009, "data.drop", DATA, ">", BULK_MEMORY, 0),
    (0xFC00A, "memory.copy", MEMORY_MEMORY, "*", BULK_MEMORY, 0),
    (0xFC00B, "memory.fill", MEMORY, "mim>", BULK_MEMORY, 0),
    # vector loads and stores
    (0xFD000, "v128.load", MEMARG, "m>V", SIMD, 4),
    (0xFD001, "v128.load8x8_s", MEMARG, "m>V", SIMD, 3),
    (0xFD002, "v128.load8x8_u", MEMARG, "m>V", SIMD, 3),
    (0xFD003, "v128.load16x4_s", MEMARG, "m>V", SIMD, 3),
    (0xFD004, "v128.load16x4_u", MEMARG, "m>V", SIMD, 3),
    (0xFD005, "v128.load32x2_s", MEMARG, "m>V", SIMD, 3),
    (0xFD006, "v128.load32x2_u", MEMARG, "m>V", SIMD, 3),
    (0xFD007, "v128.load8_splat", MEMARG, "m>V", SIMD, 0),
    (0xFD008, "v128.load16_splat", MEMARG, "m>V", SIMD, 1),
    (0xFD009, "v128.load32_splat", MEMARG, "m>V", SIMD, 2),
    (0xFD00A, "v128.load64_splat", MEMARG, "m>V", SIMD, 3),
    (0xFD05C, "v128.load32_zero", MEMARG, "m>V", SIMD, 2),
    (0xFD05D, "v128.load64_zero", MEMARG, "m>V", SIMD, 3),
    (0xFD00B, "v128.store", MEMARG, "mV>", SIMD, 4),
    # vector lanes
    (0xFD054, "v128.load8_lane", MEMARG_LANE, "mV>V", SIMD, 0),
    (0xFD055, "v128.load16_lane", MEMARG_LANE, "mV>V", SIMD, 1),
    (0xFD056, "v128.load32_lane", MEMARG_LANE, "mV>V", SIMD, 2),
    (0xFD057, "v128.load64_lane", MEMARG_LANE, "mV>V", SIMD, 3),
    (0xFD058, "v128.store8_lane", MEMARG_LANE, "mV>", SIMD, 0),
    (0xFD059, "v128.store16_lane", MEMARG_LANE, "mV>", SIMD, 1),
    (0xFD05A, "v128.store32_lane", MEMARG_LANE, "mV>", SIMD, 2),
    (0xFD05B, "v128.store64_lane", MEMARG_LANE, "mV>", SIMD, 3),
)
