//! Named values that the host may override: the Zig side of the import module `pantopic/wazero-global`.
//!
//!     const global = @import("purewasm_global");
//!
//!     const verbose = global.boolean("VERBOSE", false);
//!     const retries = global.uint64("RETRIES", 3);
//!     const timeout = global.duration("TIMEOUT", 30 * std.time.ns_per_s);
//!
//!     export fn run() void {
//!         if (verbose.get()) attempt(retries.get(), timeout.get());
//!     }
//!
//! `get` asks the host each time and returns its value, or the one given here where the host has none. A name is UTF-8 of at
//! most `name_capacity` bytes; a longer or malformed one does not compile.
//!
//! Importing this file exports `__global`, through which the host learns where the cells below are. Not for several guest
//! threads at once.

const std = @import("std");

pub const name_capacity = 64;

var cell_value: u64 = 0;
var cell_name_capacity: u32 = name_capacity;
var cell_name_length: u32 = 0;
var cell_name: [name_capacity]u8 = @splat(0);
var page: [4]u32 = @splat(0);

const host = struct {
    extern "pantopic/wazero-global" fn __global_get() void;
};

/// The address of the page: four u32, each the address of a cell.
fn pageAddress() callconv(.c) u32 {
    page = .{
        @intFromPtr(&cell_value),
        @intFromPtr(&cell_name_capacity),
        @intFromPtr(&cell_name_length),
        @intFromPtr(&cell_name),
    };
    return @intFromPtr(&page);
}

comptime {
    @export(&pageAddress, .{ .name = "__global" });
}

pub const Bool = struct {
    name: []const u8,
    default: bool,

    pub fn get(self: Bool) bool {
        return ask(self.name, @intFromBool(self.default)) == 1;
    }
};

pub const Uint64 = struct {
    name: []const u8,
    default: u64,

    pub fn get(self: Uint64) u64 {
        return ask(self.name, self.default);
    }
};

/// Signed nanoseconds.
pub const Duration = struct {
    name: []const u8,
    default: i64,

    pub fn get(self: Duration) i64 {
        return @bitCast(ask(self.name, @bitCast(self.default)));
    }
};

pub fn boolean(comptime name: []const u8, default: bool) Bool {
    return .{ .name = checked(name), .default = default };
}

pub fn uint64(comptime name: []const u8, default: u64) Uint64 {
    return .{ .name = checked(name), .default = default };
}

pub fn duration(comptime name: []const u8, default_ns: i64) Duration {
    return .{ .name = checked(name), .default = default_ns };
}

fn checked(comptime name: []const u8) []const u8 {
    if (name.len > name_capacity) @compileError("the name of a global has at most 64 bytes: " ++ name);
    if (!std.unicode.utf8ValidateSlice(name)) @compileError("the name of a global is UTF-8");
    return name;
}

/// The three structs can be made by hand, with a name that only the running guest knows: so the length is checked here too.
fn ask(name: []const u8, default: u64) u64 {
    if (name.len > name_capacity) @trap();
    for (name, 0..) |byte, index| cell_name[index] = byte;
    cell_name_length = @intCast(name.len);
    cell_value = default;
    host.__global_get();
    return cell_value;
}
