//! Test guest of the host module `global`, in Zig. Exports `testGet` and `testOverride`, each () -> (); a wrong value traps.

const std = @import("std");
const global = @import("purewasm_global");

const test_bool = global.boolean("TEST_BOOL", true);
const test_uint64 = global.uint64("TEST_UINT64", 42);
const test_duration = global.duration("TEST_DURATION", std.time.ns_per_min);

fn expect(condition: bool) void {
    if (!condition) @trap();
}

/// The host overrides nothing: the defaults of this guest.
export fn testGet() void {
    expect(test_bool.get() == true);
    expect(test_uint64.get() == 42);
    expect(test_duration.get() == std.time.ns_per_min);
}

/// The host overrides all three.
export fn testOverride() void {
    expect(test_bool.get() == false);
    expect(test_uint64.get() == 43);
    expect(test_duration.get() == std.time.ns_per_s);
}
