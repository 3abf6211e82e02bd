//! The guest's side of host modules of version 1: the mailbox, and msgpack for it. Modules that `purewasm gen` writes import it.
//!
//! Needs no allocator: a mailbox begins with a static buffer, and takes fresh pages of memory when a request or an answer is larger.
//! Texts, bytes and lists of an answer lie in that buffer: copy what you need before the next call of the same host module.
//! Not for several guest threads at once.

pub const first_capacity = 1024;
pub const limit: u32 = 16 << 20;

pub const Error = error{
    NotFound, Exists, Invalid, Denied, TooLarge, Timeout, Unavailable, Unsupported, Internal,
    /// A status of the host module's own: see `Mailbox.status`.
    ModuleStatus,
};

pub const fetch: u32 = 1;
pub const kept: u32 = 2;

pub const Mailbox = extern struct {
    magic: u32 = 0x31424d48, // "HMB1"
    major: u16,
    minor: u16,
    operation: u32 = 0,
    status: i32 = 0,
    buffer: u32 = 0,
    capacity: u32 = 0,
    length: u32 = 0,
    flags: u32 = 0,
    handle: u64 = 0,

    /// Make the first buffer the mailbox's, once.
    pub fn ready(self: *Mailbox, first: []u8) *Mailbox {
        if (self.capacity == 0) {
            self.buffer = @intFromPtr(first.ptr);
            self.capacity = @intCast(first.len);
        }
        return self;
    }

    /// Fresh pages of memory as the buffer, at least `needed` bytes.
    fn grow(self: *Mailbox, needed: u32) Error!void {
        if (needed > limit) return error.TooLarge;
        const capacity = @max(self.capacity * 2, needed);
        const pages = (capacity + 65535) >> 16;
        const before = @wasmMemoryGrow(0, pages);
        if (before < 0) return error.TooLarge;
        self.buffer = @as(u32, @intCast(before)) << 16;
        self.capacity = pages << 16;
    }

    fn bytes(self: *const Mailbox) []u8 {
        const start: [*]u8 = @ptrFromInt(self.buffer);
        return start[0..self.capacity];
    }

    /// Write `arguments` (a tuple) and call; the reader is at the answer.
    pub fn send(self: *Mailbox, operation: u32, arguments: anytype, call: *const fn () callconv(.c) void) Error!Reader {
        var out = Writer{ .data = self.bytes() };
        out.value(arguments);
        if (out.size > out.data.len) {
            try self.grow(@intCast(out.size));
            out = Writer{ .data = self.bytes() };
            out.value(arguments);
        }
        self.operation = operation;
        self.length = @intCast(out.size);
        self.flags = 0;
        call();
        if (self.flags & kept != 0) {
            const needed = self.length;
            self.length = 0;
            try self.grow(needed);
            self.flags = fetch;
            call();
        }
        try check(self.status);
        return .{ .data = self.bytes()[0..self.length] };
    }

    /// The text of the last error, empty where there is none.
    pub fn message(self: *const Mailbox) []const u8 {
        if (self.status == 0) return "";
        var in = Reader{ .data = self.bytes()[0..self.length] };
        if ((in.array() catch return "") != 3) return "";
        _ = in.take(i32) catch return "";
        return in.take([]const u8) catch "";
    }
};

fn check(status: i32) Error!void {
    return switch (status) {
        0 => {},
        1 => error.NotFound,
        2 => error.Exists,
        3 => error.Invalid,
        4 => error.Denied,
        5 => error.TooLarge,
        6 => error.Timeout,
        7 => error.Unavailable,
        8 => error.Unsupported,
        9 => error.Internal,
        else => error.ModuleStatus,
    };
}

/// Text as an argument: a plain slice of u8 is bytes.
pub const Text = struct { text: []const u8 };

/// Counts on past the end of the buffer, so that it tells what is needed.
pub const Writer = struct {
    data: []u8,
    size: usize = 0,

    fn put(self: *Writer, byte: u8) void {
        if (self.size < self.data.len) self.data[self.size] = byte;
        self.size += 1;
    }

    fn number(self: *Writer, tag: u8, bits: u64, comptime count: u8) void {
        self.put(tag);
        comptime var left = count;
        inline while (left > 0) : (left -= 1) self.put(@truncate(bits >> (8 * (left - 1))));
    }

    fn array(self: *Writer, count: usize) void {
        if (count < 16) self.put(@intCast(0x90 | count)) else self.number(0xdd, count, 4);
    }

    fn block(self: *Writer, tag: u8, data: []const u8) void {
        self.number(tag, data.len, 4);
        for (data) |byte| self.put(byte);
    }

    pub fn value(self: *Writer, given: anytype) void {
        const T = @TypeOf(given);
        if (T == Text) return self.block(0xdb, given.text);
        if (T == []const u8) return self.block(0xc6, given);
        switch (@typeInfo(T)) {
            .bool => self.put(if (given) 0xc3 else 0xc2),
            .int => if (given >= 0) self.number(0xcf, @intCast(given), 8) else self.number(0xd3, @bitCast(@as(i64, given)), 8),
            .float => self.number(0xcb, @bitCast(given), 8),
            .@"struct" => {
                self.array(given.len);
                inline for (given) |part| self.value(part);
            },
            .pointer => {
                self.array(given.len);
                for (given) |item| self.value(item);
            },
            else => @compileError("no type of the ABI: " ++ @typeName(T)),
        }
    }
};

/// Reads an answer. Anything that is not as expected is `error.Internal`.
pub const Reader = struct {
    data: []const u8,
    at: usize = 0,

    fn bits(self: *Reader, count: usize) Error!u64 {
        var found: u64 = 0;
        for (try self.block(count)) |byte| found = found << 8 | byte;
        return found;
    }

    fn block(self: *Reader, count: usize) Error![]const u8 {
        if (self.data.len - self.at < count) return error.Internal;
        defer self.at += count;
        return self.data[self.at .. self.at + count];
    }

    pub fn array(self: *Reader) Error!u32 {
        const tag = try self.bits(1);
        return switch (tag) {
            0x90...0x9f => @intCast(tag & 15),
            0xdc => @intCast(try self.bits(2)),
            0xdd => @intCast(try self.bits(4)),
            else => error.Internal,
        };
    }

    fn integer(self: *Reader) Error!i128 {
        const tag = try self.bits(1);
        return switch (tag) {
            0x00...0x7f => tag,
            0xe0...0xff => @as(i128, tag) - 256,
            0xcc => try self.bits(1),
            0xcd => try self.bits(2),
            0xce => try self.bits(4),
            0xcf => try self.bits(8),
            0xd0 => @as(i8, @bitCast(@as(u8, @intCast(try self.bits(1))))),
            0xd1 => @as(i16, @bitCast(@as(u16, @intCast(try self.bits(2))))),
            0xd2 => @as(i32, @bitCast(@as(u32, @intCast(try self.bits(4))))),
            0xd3 => @as(i64, @bitCast(try self.bits(8))),
            else => error.Internal,
        };
    }

    fn sized(self: *Reader, tag: u64) Error![]const u8 {
        const size = switch (tag) {
            0xa0...0xbf => tag & 31,
            0xc4, 0xd9 => try self.bits(1),
            0xc5, 0xda => try self.bits(2),
            0xc6, 0xdb => try self.bits(4),
            else => return error.Internal,
        };
        return self.block(@intCast(size));
    }

    /// The next value: an integer, f64, bool, []const u8 (text or bytes), or a `List`.
    pub fn take(self: *Reader, comptime T: type) Error!T {
        if (T == bool) {
            const tag = try self.bits(1);
            if (tag != 0xc2 and tag != 0xc3) return error.Internal;
            return tag == 0xc3;
        }
        if (T == f64) {
            if (try self.bits(1) != 0xcb) return error.Internal;
            return @bitCast(try self.bits(8));
        }
        if (T == []const u8) return self.sized(try self.bits(1));
        if (@typeInfo(T) == .int) {
            const found = try self.integer();
            if (found < @import("std").math.minInt(T) or found > @import("std").math.maxInt(T)) return error.Internal;
            return @intCast(found);
        }
        const count = try self.array();
        const items = Reader{ .data = self.data, .at = self.at };
        for (0..count) |_| _ = try self.take(T.Item);
        return .{ .reader = items, .count = count };
    }
};

/// A list of an answer; `next` gives its items in order, then null.
pub fn List(comptime T: type) type {
    return struct {
        pub const Item = T;
        reader: Reader,
        count: u32,

        pub fn next(self: *@This()) ?T {
            if (self.count == 0) return null;
            self.count -= 1;
            return self.reader.take(T) catch null; // every item was read once before
        }
    };
}
