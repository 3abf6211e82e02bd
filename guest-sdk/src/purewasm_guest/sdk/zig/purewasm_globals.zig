//! Named values that the host sets, many at once. The guest's side of `purewasm/globals@1`. Written by `purewasm gen` from abi.toml: change that instead.
//!
//! Importing this file exports `__globals`, through which the host finds the mailbox.
//! After an error `box.message()` tells more.

const mailbox = @import("purewasm_mailbox");

pub const Error = mailbox.Error;
pub const Text = mailbox.Text;

var first_buffer: [mailbox.first_capacity]u8 = undefined;
pub var box: mailbox.Mailbox = .{ .major = 1, .minor = 0 };

const host = struct {
    extern "purewasm/globals@1" fn __globals_call() void;
};

fn mailboxAddress() callconv(.c) u32 {
    return @intFromPtr(box.ready(&first_buffer));
}

// What the guest was built against, as a custom section.
comptime {
    asm (".section .custom_section.hostmods,\"\",@\n.ascii \"\\201\\331\\020\\160\\165\\162\\145\\167\\141\\163\\155\\057\\147\\154\\157\\142\\141\\154\\163\\222\\315\\000\\001\\315\\000\\000\"\n.text\n");
}

comptime {
    @export(&mailboxAddress, .{ .name = "__globals" });
}

/// The values of several names, the default of each where the host has none. Errors: INVALID.
pub fn getMany(names: []const mailbox.Text, defaults: []const u64) Error!mailbox.List(u64) {
    var in = try box.ready(&first_buffer).send(1, .{ names, defaults }, &host.__globals_call);
    return in.take(mailbox.List(u64));
}

/// The names that have a value and begin with a prefix, in order, after the name `after`; at most 1,000.
pub fn list(prefix: []const u8, after: []const u8) Error!mailbox.List([]const u8) {
    var in = try box.ready(&first_buffer).send(2, .{ mailbox.Text{ .text = prefix }, mailbox.Text{ .text = after } }, &host.__globals_call);
    return in.take(mailbox.List([]const u8));
}
