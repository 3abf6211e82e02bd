/* What every benchmark guest shares: how the one entry point is exported, a generator of numbers, checksums.
 *
 * Each guest is one translation unit with one export, `int64_t run(int32_t n)`: `n` scales the work, the result is a
 * checksum that every engine and the native build must agree on bit for bit. For that reason nothing here calls libm,
 * and both builds forbid contraction of a*b+c. */
#ifndef BENCH_GUEST_H
#define BENCH_GUEST_H

#include <stddef.h>
#include <stdint.h>

#ifdef __wasm__
#define EXPORT(name) __attribute__((export_name(#name)))
#else
#define EXPORT(name) __attribute__((visibility("default")))
#endif

#define NOINLINE __attribute__((noinline))

/* Numerical Recipes' linear congruential generator: deterministic, the same in every build. */
static inline uint32_t next_random(uint32_t *state) {
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

/* FNV-1a over 64-bit words. */
static inline uint64_t mix(uint64_t hash, uint64_t word) {
    return (hash ^ word) * 1099511628211ull;
}

static inline uint64_t mix_double(uint64_t hash, double value) {
    union {
        double number;
        uint64_t bits;
    } pun = {value};
    return mix(hash, pun.bits);
}

/* A number in [0, 1). */
static inline double random_unit(uint32_t *state) {
    return (double)next_random(state) / 16777216.0;
}

#define MIX_SEED 14695981039346656037ull

static inline uint64_t mix_doubles(const double *values, size_t count) {
    uint64_t hash = MIX_SEED;
    for (size_t i = 0; i < count; i++)
        hash = mix_double(hash, values[i]);
    return hash;
}

#endif
