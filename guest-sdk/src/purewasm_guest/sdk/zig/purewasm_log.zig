//! Messages for the host's log. The guest's side of `purewasm/log@1`. Written by `purewasm gen` from abi.toml: change that instead.
//!
//! Importing this file exports `__log`, through which the host finds the mailbox.
//! After an error `box.message()` tells more.

const mailbox = @import("purewasm_mailbox");

pub const Error = mailbox.Error;
pub const Text = mailbox.Text;

var first_buffer: [mailbox.first_capacity]u8 = undefined;
pub var box: mailbox.Mailbox = .{ .major = 1, .minor = 0 };

const host = struct {
    extern "purewasm/log@1" fn __log_call() void;
    extern "purewasm/log@1" fn __log_lowest_level() i32;
};

fn mailboxAddress() callconv(.c) u32 {
    return @intFromPtr(box.ready(&first_buffer));
}

// What the guest was built against, as a custom section.
comptime {
    asm (".section .custom_section.hostmods,\"\",@\n.ascii \"\\201\\331\\014\\160\\165\\162\\145\\167\\141\\163\\155\\057\\154\\157\\147\\222\\315\\000\\001\\315\\000\\000\"\n.text\n");
}

comptime {
    @export(&mailboxAddress, .{ .name = "__log" });
}

/// Log a message of a level (10 debug, 20 info, 30 warning, 40 error, 50 critical) under a name; fields are names and values in turn. Errors: INVALID, TOO_LARGE.
pub fn write(level: u32, logger: []const u8, message: []const u8, fields: []const mailbox.Text) Error!void {
    _ = try box.ready(&first_buffer).send(1, .{ level, mailbox.Text{ .text = logger }, mailbox.Text{ .text = message }, fields }, &host.__log_call);
}

/// True if a message of this level under this name would be kept: ask before making an expensive one. Errors: INVALID.
pub fn enabled(level: u32, logger: []const u8) Error!bool {
    var in = try box.ready(&first_buffer).send(2, .{ level, mailbox.Text{ .text = logger } }, &host.__log_call);
    return in.take(bool);
}

/// The lowest level that is kept under the guest's own name, and 51 where none is. It costs next to nothing: ask before each message.
pub fn lowestLevel() i32 {
    return host.__log_lowest_level();
}
