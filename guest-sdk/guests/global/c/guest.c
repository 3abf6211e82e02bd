/* Test guest of the host module `global`, in C. Exports `testGet` and `testOverride`, each () -> (); a wrong value traps. */
#include <purewasm_global.h>

static void expect(bool condition) {
    if (!condition) {
        __builtin_trap();
    }
}

/* The host overrides nothing: the defaults of this guest. */
__attribute__((export_name("testGet"))) void test_get(void) {
    expect(purewasm_global_bool("TEST_BOOL", true) == true);
    expect(purewasm_global_uint64("TEST_UINT64", 42) == 42);
    expect(purewasm_global_duration("TEST_DURATION", PUREWASM_MINUTE) == PUREWASM_MINUTE);
}

/* The host overrides all three. */
__attribute__((export_name("testOverride"))) void test_override(void) {
    expect(purewasm_global_bool("TEST_BOOL", true) == false);
    expect(purewasm_global_uint64("TEST_UINT64", 42) == 43);
    expect(purewasm_global_duration("TEST_DURATION", PUREWASM_MINUTE) == PUREWASM_SECOND);
}
