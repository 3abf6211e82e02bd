//! HTTP requests, as far as the embedder allows them. The guest's side of `purewasm/http@1`. Written by `purewasm gen` from abi.toml: change that instead.
//!
//! Importing this file exports `__http`, through which the host finds the mailbox.
//! After an error `box.message()` tells more.

const mailbox = @import("purewasm_mailbox");

pub const Error = mailbox.Error;
pub const Text = mailbox.Text;

var first_buffer: [mailbox.first_capacity]u8 = undefined;
pub var box: mailbox.Mailbox = .{ .major = 1, .minor = 0 };

const host = struct {
    extern "purewasm/http@1" fn __http_call() void;
};

fn mailboxAddress() callconv(.c) u32 {
    return @intFromPtr(box.ready(&first_buffer));
}

// What the guest was built against, as a custom section.
comptime {
    asm (".section .custom_section.hostmods,\"\",@\n.ascii \"\\201\\331\\015\\160\\165\\162\\145\\167\\141\\163\\155\\057\\150\\164\\164\\160\\222\\315\\000\\001\\315\\000\\000\"\n.text\n");
}

comptime {
    @export(&mailboxAddress, .{ .name = "__http" });
}

pub const RequestResult = struct { code: u32, fields: mailbox.List([]const u8), content: []const u8 };

/// Send a request and wait for the whole answer. Headers are names and values in turn; a timeout of 0 is the host's own. Errors: DENIED, INVALID, TOO_LARGE, TIMEOUT, UNAVAILABLE.
pub fn request(verb: []const u8, url: []const u8, headers: []const mailbox.Text, body: []const u8, timeout_ms: u32) Error!RequestResult {
    var in = try box.ready(&first_buffer).send(1, .{ mailbox.Text{ .text = verb }, mailbox.Text{ .text = url }, headers, body, timeout_ms }, &host.__http_call);
    if (try in.array() != 3) return error.Internal;
    return .{
        .code = try in.take(u32),
        .fields = try in.take(mailbox.List([]const u8)),
        .content = try in.take([]const u8),
    };
}

/// True if the embedder allows requests with this verb to this URL, as far as that can be said without resolving its host.
pub fn allowed(verb: []const u8, url: []const u8) Error!bool {
    var in = try box.ready(&first_buffer).send(2, .{ mailbox.Text{ .text = verb }, mailbox.Text{ .text = url } }, &host.__http_call);
    return in.take(bool);
}
