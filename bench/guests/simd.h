/* The vector types and the few operations that the SIMD guests need, in terms of vector extensions that both clang and gcc
 * have, so that one source makes v128 instructions in the guest and SSE2 in the native build. Only the mask of a comparison
 * has no portable form. */
#ifndef BENCH_SIMD_H
#define BENCH_SIMD_H

#include "guest.h"

#ifdef __wasm_simd128__
#include <wasm_simd128.h>
#elif defined(__SSE2__)
#include <emmintrin.h>
#endif

typedef float f32x4 __attribute__((vector_size(16)));
typedef double f64x2 __attribute__((vector_size(16)));
typedef int32_t i32x4 __attribute__((vector_size(16)));
typedef int64_t i64x2 __attribute__((vector_size(16)));
typedef int8_t i8x16 __attribute__((vector_size(16)));
typedef uint8_t u8x16 __attribute__((vector_size(16)));

/* One bit for each lane of a comparison's result. */
static inline uint32_t lane_mask_8(i8x16 lanes) {
#ifdef __wasm_simd128__
    return wasm_i8x16_bitmask((v128_t)lanes);
#elif defined(__SSE2__)
    return (uint32_t)_mm_movemask_epi8((__m128i)lanes);
#else
    uint32_t mask = 0;
    for (int i = 0; i < 16; i++)
        mask |= (uint32_t)(lanes[i] < 0) << i;
    return mask;
#endif
}

static inline int32_t any_lane_64(i64x2 lanes) {
#ifdef __wasm_simd128__
    return wasm_v128_any_true((v128_t)lanes);
#else
    return (lanes[0] | lanes[1]) != 0;
#endif
}

#endif
