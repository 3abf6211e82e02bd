/* Counters of 64 bits that all guests of a host share. The guest's side of `pantopic/wazero-atomic`. Written by `purewasm gen` from abi.toml: change that instead.
 *
 * There is no status: what the host cannot do ends the guest's call. It exports `__atomic`, through which the host learns
 * where the cells are. May be included in several files of one guest, in C and in C++; not for several threads at once. */
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

__attribute__((import_module("pantopic/wazero-atomic"), import_name("__atomic_uint64_add"))) void purewasm_atomic_import_add(void);
__attribute__((import_module("pantopic/wazero-atomic"), import_name("__atomic_uint64_load"))) void purewasm_atomic_import_load(void);
__attribute__((import_module("pantopic/wazero-atomic"), import_name("__atomic_uint64_store"))) void purewasm_atomic_import_store(void);
__attribute__((import_module("pantopic/wazero-atomic"), import_name("__atomic_uint64_del"))) void purewasm_atomic_import_delete(void);

/* The address of the page: the address of each cell. */
__attribute__((weak, export_name("__atomic"))) uint32_t purewasm_atomic_export_page(void) {
    purewasm_atomic_page[0] = (uint32_t)(uintptr_t)&purewasm_atomic_cell_set;
    purewasm_atomic_page[1] = (uint32_t)(uintptr_t)&purewasm_atomic_cell_id;
    purewasm_atomic_page[2] = (uint32_t)(uintptr_t)&purewasm_atomic_cell_value;
    return (uint32_t)(uintptr_t)&purewasm_atomic_page[0];
}

/* Add to a counter, modulo 2^64: the sum. A counter that is not there is 0. */
static inline uint64_t purewasm_atomic_add(uint32_t set, uint64_t id, uint64_t value) {
    purewasm_atomic_cell_set = set;
    purewasm_atomic_cell_id = id;
    purewasm_atomic_cell_value = value;
    purewasm_atomic_import_add();
    return purewasm_atomic_cell_value;
}

/* The value of a counter. */
static inline uint64_t purewasm_atomic_load(uint32_t set, uint64_t id) {
    purewasm_atomic_cell_set = set;
    purewasm_atomic_cell_id = id;
    purewasm_atomic_import_load();
    return purewasm_atomic_cell_value;
}

/* Give a counter a value. */
static inline void purewasm_atomic_store(uint32_t set, uint64_t id, uint64_t value) {
    purewasm_atomic_cell_set = set;
    purewasm_atomic_cell_id = id;
    purewasm_atomic_cell_value = value;
    purewasm_atomic_import_store();
}

/* Forget a counter: it is 0 again. */
static inline void purewasm_atomic_delete(uint32_t set, uint64_t id) {
    purewasm_atomic_cell_set = set;
    purewasm_atomic_cell_id = id;
    purewasm_atomic_import_delete();
}

#ifdef __cplusplus
}
#endif

#endif
