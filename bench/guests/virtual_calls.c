/* n rounds of calls through function pointers picked at random from eight operations: call_indirect. */
#include "guest.h"

typedef uint32_t Operation(uint32_t, uint32_t);

static NOINLINE uint32_t plus(uint32_t x, uint32_t y) { return x + y; }
static NOINLINE uint32_t minus(uint32_t x, uint32_t y) { return x - y; }
static NOINLINE uint32_t times(uint32_t x, uint32_t y) { return x * (y | 1); }
static NOINLINE uint32_t exclusive(uint32_t x, uint32_t y) { return x ^ y; }
static NOINLINE uint32_t turned(uint32_t x, uint32_t y) { return x << (y & 31) | x >> (-y & 31); }
static NOINLINE uint32_t divided(uint32_t x, uint32_t y) { return x / (y | 1) + y; }
static NOINLINE uint32_t larger(uint32_t x, uint32_t y) { return x > y ? x : y; }
static NOINLINE uint32_t mixed(uint32_t x, uint32_t y) { return (x >> 16) * 31 + y; }

static Operation *volatile operations[8] = {plus, minus, times, exclusive, turned, divided, larger, mixed};

EXPORT(run) int64_t run(int32_t n) {
    uint32_t seed = 14, x = 1;
    for (int32_t i = 0; i < n; i++) {
        uint32_t random = next_random(&seed);
        x = operations[random & 7](x, random) + (uint32_t)i;
    }
    return x;
}
