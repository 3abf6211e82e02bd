/* Draws tickets from a counter. */
#include <purewasm_atomic.h>

__attribute__((export_name("draw"))) uint64_t draw(uint32_t set, uint64_t id) { return purewasm_atomic_add(set, id, 1); }
__attribute__((export_name("drawn"))) uint64_t drawn(uint32_t set, uint64_t id) { return purewasm_atomic_load(set, id); }
__attribute__((export_name("start"))) void start(uint32_t set, uint64_t id, uint64_t value) { purewasm_atomic_store(set, id, value); }
__attribute__((export_name("forget"))) void forget(uint32_t set, uint64_t id) { purewasm_atomic_delete(set, id); }
