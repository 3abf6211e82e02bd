//! Bytes by text keys, kept by the host. The guest's side of `purewasm/kv@1`. Written by `purewasm gen` from abi.toml: change that instead.
//!
//! Importing this file exports `__kv`, through which the host finds the mailbox.
//! After an error `box.message()` tells more.

const mailbox = @import("purewasm_mailbox");

pub const Error = mailbox.Error;
pub const Text = mailbox.Text;

var first_buffer: [mailbox.first_capacity]u8 = undefined;
pub var box: mailbox.Mailbox = .{ .major = 1, .minor = 0 };

const host = struct {
    extern "purewasm/kv@1" fn __kv_call() void;
};

fn mailboxAddress() callconv(.c) u32 {
    return @intFromPtr(box.ready(&first_buffer));
}

// What the guest was built against, as a custom section.
comptime {
    asm (".section .custom_section.hostmods,\"\",@\n.ascii \"\\201\\331\\013\\160\\165\\162\\145\\167\\141\\163\\155\\057\\153\\166\\222\\315\\000\\001\\315\\000\\000\"\n.text\n");
}

comptime {
    @export(&mailboxAddress, .{ .name = "__kv" });
}

/// The value of a key. Errors: NOT_FOUND, INVALID.
pub fn get(key: []const u8) Error![]const u8 {
    var in = try box.ready(&first_buffer).send(1, .{ mailbox.Text{ .text = key } }, &host.__kv_call);
    return in.take([]const u8);
}

/// Give a key a value; with a time to live (milliseconds, 0 for ever) it is gone after that. Errors: INVALID, TOO_LARGE, DENIED.
pub fn set(key: []const u8, value: []const u8, ttl_ms: u64) Error!void {
    _ = try box.ready(&first_buffer).send(2, .{ mailbox.Text{ .text = key }, value, ttl_ms }, &host.__kv_call);
}

/// Remove a key; true if it was there. Errors: INVALID, DENIED.
pub fn delete(key: []const u8) Error!bool {
    var in = try box.ready(&first_buffer).send(3, .{ mailbox.Text{ .text = key } }, &host.__kv_call);
    return in.take(bool);
}

/// True if the key has a value. Errors: INVALID.
pub fn exists(key: []const u8) Error!bool {
    var in = try box.ready(&first_buffer).send(4, .{ mailbox.Text{ .text = key } }, &host.__kv_call);
    return in.take(bool);
}

/// Keys that begin with a prefix, in the order of their UTF-8 bytes, after the key `after`; at most `limit` of them (0: as many as the host gives at once). Errors: INVALID.
pub fn list(prefix: []const u8, after: []const u8, limit: u32) Error!mailbox.List([]const u8) {
    var in = try box.ready(&first_buffer).send(5, .{ mailbox.Text{ .text = prefix }, mailbox.Text{ .text = after }, limit }, &host.__kv_call);
    return in.take(mailbox.List([]const u8));
}

/// Give a key a value if it has none. Errors: EXISTS, INVALID, TOO_LARGE, DENIED.
pub fn add(key: []const u8, value: []const u8, ttl_ms: u64) Error!void {
    _ = try box.ready(&first_buffer).send(6, .{ mailbox.Text{ .text = key }, value, ttl_ms }, &host.__kv_call);
}

/// Replace the value of a key if it is the expected one, in one step; true if it was. The time to live ends. Errors: NOT_FOUND, INVALID, TOO_LARGE, DENIED.
pub fn compareAndSet(key: []const u8, expected: []const u8, value: []const u8) Error!bool {
    var in = try box.ready(&first_buffer).send(7, .{ mailbox.Text{ .text = key }, expected, value }, &host.__kv_call);
    return in.take(bool);
}

pub const GetManyResult = struct { found: mailbox.List(bool), values: mailbox.List([]const u8) };

/// The values of several keys at once; a key without one has an empty value, and false in `found`. Errors: INVALID.
pub fn getMany(keys: []const mailbox.Text) Error!GetManyResult {
    var in = try box.ready(&first_buffer).send(8, .{ keys }, &host.__kv_call);
    if (try in.array() != 2) return error.Internal;
    return .{
        .found = try in.take(mailbox.List(bool)),
        .values = try in.take(mailbox.List([]const u8)),
    };
}
