//! Messages to other guests and to the host, by the number of a pipe. The guest's side of `pantopic/wazero-pipe`. Written by `purewasm gen` from abi.toml: change that instead.
//!
//! There is no status: what the host cannot do ends the guest's call. Importing this file exports `__pipe`, by
//! which the host learns where the cells are. Not for several guest threads at once.

var cell_pipe: u32 = 0;
pub const message_capacity = 4096;
var cell_message_capacity: u32 = message_capacity;
var cell_message_length: u32 = 0;
var cell_message: [message_capacity]u8 = @splat(0);
var page: [4]u32 = @splat(0);

const host = struct {
    extern "pantopic/wazero-pipe" fn __pipe_send() void;
    extern "pantopic/wazero-pipe" fn __pipe_recv() void;
};

/// The address of the page: the address of each cell.
fn pageAddress() callconv(.c) u32 {
    page = .{
        @intFromPtr(&cell_pipe),
        @intFromPtr(&cell_message_capacity),
        @intFromPtr(&cell_message_length),
        @intFromPtr(&cell_message),
    };
    return @intFromPtr(&page);
}

comptime {
    @export(&pageAddress, .{ .name = "__pipe" });
}

/// Put a copy of the bytes into a pipe; waits for room.
pub fn send(pipe: u32, message: []const u8) void {
    cell_pipe = pipe;
    if (message.len > message_capacity) @trap();
    for (message, 0..) |byte, index| cell_message[index] = byte;
    cell_message_length = @intCast(message.len);
    host.__pipe_send();
}

/// Take the first message out of a pipe; waits for one. The bytes are good until the next call.
pub fn recv(pipe: u32) []const u8 {
    cell_pipe = pipe;
    host.__pipe_recv();
    return cell_message[0..cell_message_length];
}
