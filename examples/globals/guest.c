/* A guest with three settings, each with a default that the host may override. Built with the SDK of `purewasm-guest`. */
#include <purewasm_global.h>

__attribute__((export_name("verbose"))) bool verbose(void) {
    return purewasm_global_bool("VERBOSE", false);
}

__attribute__((export_name("retries"))) uint64_t retries(void) {
    return purewasm_global_uint64("RETRIES", 3);
}

__attribute__((export_name("timeout_ns"))) int64_t timeout_ns(void) {
    return purewasm_global_duration("TIMEOUT", 30 * PUREWASM_SECOND);
}
