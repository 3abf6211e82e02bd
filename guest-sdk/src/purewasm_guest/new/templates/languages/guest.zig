//! Counts greetings in the host's key-value store, up to the host's setting LIMIT.

const global = @import("purewasm_global");
const kv = @import("purewasm_kv");

const limit = global.uint64("LIMIT", 100);

/// The count, -1 at the limit, -2 where the store fails.
export fn greet() i32 {
    const before: u8 = if (kv.get("greetings")) |found| (if (found.len == 1) found[0] else return -2) else |failure| switch (failure) {
        error.NotFound => 0,
        else => return -2,
    };
    if (before >= limit.get()) return -1;
    const count = [1]u8{before + 1};
    kv.set("greetings", &count, 0) catch return -2;
    return count[0];
}
