//! Counters of 64 bits that all guests of a host share. The guest's side of `pantopic/wazero-atomic`. Written by `purewasm gen` from abi.toml: change that instead.
//!
//! There is no status: what the host cannot do ends the guest's call. Importing this file exports `__atomic`, by
//! which the host learns where the cells are. Not for several guest threads at once.

var cell_set: u32 = 0;
var cell_id: u64 = 0;
var cell_value: u64 = 0;
var page: [3]u32 = @splat(0);

const host = struct {
    extern "pantopic/wazero-atomic" fn __atomic_uint64_add() void;
    extern "pantopic/wazero-atomic" fn __atomic_uint64_load() void;
    extern "pantopic/wazero-atomic" fn __atomic_uint64_store() void;
    extern "pantopic/wazero-atomic" fn __atomic_uint64_del() void;
};

/// The address of the page: the address of each cell.
fn pageAddress() callconv(.c) u32 {
    page = .{
        @intFromPtr(&cell_set),
        @intFromPtr(&cell_id),
        @intFromPtr(&cell_value),
    };
    return @intFromPtr(&page);
}

comptime {
    @export(&pageAddress, .{ .name = "__atomic" });
}

/// Add to a counter, modulo 2^64: the sum. A counter that is not there is 0.
pub fn add(set: u32, id: u64, value: u64) u64 {
    cell_set = set;
    cell_id = id;
    cell_value = value;
    host.__atomic_uint64_add();
    return cell_value;
}

/// The value of a counter.
pub fn load(set: u32, id: u64) u64 {
    cell_set = set;
    cell_id = id;
    host.__atomic_uint64_load();
    return cell_value;
}

/// Give a counter a value.
pub fn store(set: u32, id: u64, value: u64) void {
    cell_set = set;
    cell_id = id;
    cell_value = value;
    host.__atomic_uint64_store();
}

/// Forget a counter: it is 0 again.
pub fn delete(set: u32, id: u64) void {
    cell_set = set;
    cell_id = id;
    host.__atomic_uint64_del();
}
