/* Named values that the host may override: the C side of the import module `pantopic/wazero-global`.
 *
 *     #include <purewasm_global.h>
 *
 *     __attribute__((export_name("run"))) void run(void) {
 *         bool verbose = purewasm_global_bool("VERBOSE", false);
 *         uint64_t retries = purewasm_global_uint64("RETRIES", 3);
 *         int64_t timeout_ns = purewasm_global_duration("TIMEOUT", 30 * PUREWASM_SECOND);
 *     }
 *
 * Each function asks the host and returns its value, or the one given here where the host has none. A name is UTF-8 of at
 * most PUREWASM_GLOBAL_NAME_CAPACITY bytes; a longer one traps.
 *
 * The header is all there is: it may be included in several files of one guest, in C and in C++, with or without libc.
 * It exports `__global`, through which the host learns where the cells below are. Not for several guest threads at once.
 */
#ifndef PUREWASM_GLOBAL_H
#define PUREWASM_GLOBAL_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* To change it, define it for the whole guest (on the compiler's command line): the cells are shared by all its files. */
#ifndef PUREWASM_GLOBAL_NAME_CAPACITY
#define PUREWASM_GLOBAL_NAME_CAPACITY 64
#endif

/* Durations are signed nanoseconds. */
#define PUREWASM_NANOSECOND INT64_C(1)
#define PUREWASM_MICROSECOND (1000 * PUREWASM_NANOSECOND)
#define PUREWASM_MILLISECOND (1000 * PUREWASM_MICROSECOND)
#define PUREWASM_SECOND (1000 * PUREWASM_MILLISECOND)
#define PUREWASM_MINUTE (60 * PUREWASM_SECOND)
#define PUREWASM_HOUR (60 * PUREWASM_MINUTE)

/* Weak: every file that includes this defines the cells, and the linker keeps one of each. */
#define PUREWASM_GLOBAL_CELL __attribute__((weak))

PUREWASM_GLOBAL_CELL uint64_t purewasm_global_cell_value = 0;
PUREWASM_GLOBAL_CELL uint32_t purewasm_global_cell_name_capacity = PUREWASM_GLOBAL_NAME_CAPACITY;
PUREWASM_GLOBAL_CELL uint32_t purewasm_global_cell_name_length = 0;
PUREWASM_GLOBAL_CELL char purewasm_global_cell_name[PUREWASM_GLOBAL_NAME_CAPACITY] = {0};
PUREWASM_GLOBAL_CELL uint32_t purewasm_global_page[4] = {0};

__attribute__((import_module("pantopic/wazero-global"), import_name("__global_get"))) void purewasm_global_import_get(void);

/* The address of the page: four u32, each the address of a cell. */
PUREWASM_GLOBAL_CELL __attribute__((export_name("__global"))) uint32_t purewasm_global_export_page(void) {
    purewasm_global_page[0] = (uint32_t)(uintptr_t)&purewasm_global_cell_value;
    purewasm_global_page[1] = (uint32_t)(uintptr_t)&purewasm_global_cell_name_capacity;
    purewasm_global_page[2] = (uint32_t)(uintptr_t)&purewasm_global_cell_name_length;
    purewasm_global_page[3] = (uint32_t)(uintptr_t)&purewasm_global_cell_name[0];
    return (uint32_t)(uintptr_t)&purewasm_global_page[0];
}

static inline uint64_t purewasm_global_uint64(const char *name, uint64_t fallback) {
    uint32_t length = 0;
    for (; name[length] != '\0'; length++) {
        if (length == PUREWASM_GLOBAL_NAME_CAPACITY) {
            __builtin_trap();
        }
        purewasm_global_cell_name[length] = name[length];
    }
    purewasm_global_cell_name_length = length;
    purewasm_global_cell_value = fallback;
    purewasm_global_import_get();
    return purewasm_global_cell_value;
}

static inline bool purewasm_global_bool(const char *name, bool fallback) {
    return purewasm_global_uint64(name, fallback ? 1 : 0) == 1;
}

static inline int64_t purewasm_global_duration(const char *name, int64_t fallback_ns) {
    return (int64_t)purewasm_global_uint64(name, (uint64_t)fallback_ns);
}

#ifdef __cplusplus
}
#endif

#endif
