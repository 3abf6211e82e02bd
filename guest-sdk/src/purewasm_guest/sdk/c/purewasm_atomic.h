/* Counters of 64 bits that all guests of a host share: the C side of the import module `pantopic/wazero-atomic`, 3-entry layout.
 *
 *     #include <purewasm_atomic.h>
 *
 *     uint64_t ticket = purewasm_atomic_add(SET, ID, 1);
 *
 * A counter that is not there is 0. The header is all there is: it may be included in several files of one guest, in C and in C++.
 * It exports `__atomic`, through which the host learns where the cells below are. Not for several guest threads at once.
 */
#ifndef PUREWASM_ATOMIC_H
#define PUREWASM_ATOMIC_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Weak: every file that includes this defines the cells, and the linker keeps one of each. */
__attribute__((weak)) uint32_t purewasm_atomic_cell_set = 0;
__attribute__((weak)) uint64_t purewasm_atomic_cell_id = 0;
__attribute__((weak)) uint64_t purewasm_atomic_cell_value = 0;
__attribute__((weak)) uint32_t purewasm_atomic_page[3] = {0};

#define PUREWASM_ATOMIC_IMPORT(name) __attribute__((import_module("pantopic/wazero-atomic"), import_name(name)))
PUREWASM_ATOMIC_IMPORT("__atomic_uint64_add") void purewasm_atomic_import_add(void);
PUREWASM_ATOMIC_IMPORT("__atomic_uint64_load") void purewasm_atomic_import_load(void);
PUREWASM_ATOMIC_IMPORT("__atomic_uint64_store") void purewasm_atomic_import_store(void);
PUREWASM_ATOMIC_IMPORT("__atomic_uint64_del") void purewasm_atomic_import_del(void);

/* The address of the page: three u32, each the address of a cell. */
__attribute__((weak, export_name("__atomic"))) uint32_t purewasm_atomic_export_page(void) {
    purewasm_atomic_page[0] = (uint32_t)(uintptr_t)&purewasm_atomic_cell_set;
    purewasm_atomic_page[1] = (uint32_t)(uintptr_t)&purewasm_atomic_cell_id;
    purewasm_atomic_page[2] = (uint32_t)(uintptr_t)&purewasm_atomic_cell_value;
    return (uint32_t)(uintptr_t)&purewasm_atomic_page[0];
}

static inline uint64_t purewasm_atomic_call(void (*import)(void), uint32_t set, uint64_t id, uint64_t value) {
    purewasm_atomic_cell_set = set;
    purewasm_atomic_cell_id = id;
    purewasm_atomic_cell_value = value;
    import();
    return purewasm_atomic_cell_value;
}

/* Add, modulo 2^64: the sum. */
static inline uint64_t purewasm_atomic_add(uint32_t set, uint64_t id, uint64_t delta) {
    return purewasm_atomic_call(purewasm_atomic_import_add, set, id, delta);
}

static inline uint64_t purewasm_atomic_load(uint32_t set, uint64_t id) {
    return purewasm_atomic_call(purewasm_atomic_import_load, set, id, 0);
}

static inline void purewasm_atomic_store(uint32_t set, uint64_t id, uint64_t value) {
    purewasm_atomic_call(purewasm_atomic_import_store, set, id, value);
}

static inline void purewasm_atomic_delete(uint32_t set, uint64_t id) {
    purewasm_atomic_call(purewasm_atomic_import_del, set, id, 0);
}

#ifdef __cplusplus
}
#endif

#endif
