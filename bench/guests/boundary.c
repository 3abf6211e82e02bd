/* What the suites `calls` and `traps` call: functions that do next to nothing, so that getting there is what is measured. */
#include "guest.h"

#define BUFFER_BYTES (2 << 20)

/* Keeps the memory larger than what is read through the host's interface. */
EXPORT(buffer) uint8_t *buffer(void) {
    static uint8_t bytes[BUFFER_BYTES];
    return bytes;
}

__attribute__((import_module("bench"), import_name("host"))) int32_t host(int32_t x);

EXPORT(add) int32_t add(int32_t x, int32_t y) {
    return x + y;
}

EXPORT(nop) void nop(void) {
}

/* n calls of the host, each with the result of the one before. */
EXPORT(call_host) int32_t call_host(int32_t n) {
    int32_t x = 0;
    for (int32_t i = 0; i < n; i++)
        x = host(x);
    return x;
}

/* ---- traps ---- */

EXPORT(trap_unreachable) void trap_unreachable(void) {
    __builtin_trap();
}

EXPORT(trap_load) int32_t trap_load(uint32_t address) {
    return *(volatile int32_t *)address;
}

EXPORT(trap_divide) int32_t trap_divide(int32_t x, int32_t y) {
    return x / y;
}

static volatile int32_t zero;

/* A trap below `depth` frames of the guest. */
EXPORT(trap_deep) NOINLINE int32_t trap_deep(int32_t depth) {
    return depth == 0 ? 7 / zero : trap_deep(depth - 1) * 3 + 1;
}
