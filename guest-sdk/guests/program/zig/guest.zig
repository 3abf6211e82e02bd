//! The program of `guest-sdk/guests/program`, in Zig.

const std = @import("std");
const global = @import("purewasm_global");
const kv = @import("purewasm_kv");

const test_bool = global.boolean("TEST_BOOL", true);
const test_uint64 = global.uint64("TEST_UINT64", 42);
const test_duration = global.duration("TEST_DURATION", std.time.ns_per_min);

fn expect(condition: bool) void {
    if (!condition) @trap();
}

export fn testGet() void {
    expect(test_bool.get() == true);
    expect(test_uint64.get() == 42);
    expect(test_duration.get() == std.time.ns_per_min);
}

export fn testOverride() void {
    expect(test_bool.get() == false);
    expect(test_uint64.get() == 43);
    expect(test_duration.get() == std.time.ns_per_s);
}

/// Add one to the decimal number under "count/<word>".
fn count(word: []const u8) !void {
    var name: [64]u8 = undefined;
    const key = try std.fmt.bufPrint(&name, "count/{s}", .{word});
    const before = if (kv.get(key)) |found| try std.fmt.parseInt(u32, found, 10) else |failure| switch (failure) {
        error.NotFound => 0,
        else => return failure,
    };
    var digits: [10]u8 = undefined;
    try kv.set(key, try std.fmt.bufPrint(&digits, "{d}", .{before + 1}), 0);
}

var text: [8192]u8 = undefined;

export fn countWords() i32 {
    const found = kv.get("text") catch return -1;
    const copy = text[0..found.len]; // out of the mailbox's buffer, which the next call overwrites
    @memcpy(copy, found);
    var words: i32 = 0;
    var parts = std.mem.tokenizeAny(u8, copy, " \n");
    while (parts.next()) |word| : (words += 1) count(word) catch @trap();
    return words;
}
