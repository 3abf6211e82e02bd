//! Counters of 64 bits that all guests of a host share. The guest's side of `pantopic/wazero-atomic`. Written by `purewasm gen` from abi.toml: change that instead.
//!
//! There is no status: what the host cannot do ends the guest's call. For one thread.

use std::cell::UnsafeCell;
use std::ptr::{addr_of, addr_of_mut};

struct Cells {
    set: u32,
    id: u64,
    value: u64,
    page: [u32; 3],
}

struct Shared(UnsafeCell<Cells>);

// A guest has one thread.
unsafe impl Sync for Shared {}

static CELLS: Shared = Shared(UnsafeCell::new(Cells {
    set: 0,
    id: 0,
    value: 0,
    page: [0; 3],
}));

#[link(wasm_import_module = "pantopic/wazero-atomic")]
extern "C" {
    fn __atomic_uint64_add();
    fn __atomic_uint64_load();
    fn __atomic_uint64_store();
    fn __atomic_uint64_del();
}

#[no_mangle]
pub extern "C" fn __atomic() -> u32 {
    let cells = CELLS.0.get();
    // SAFETY: one thread, and no other reference into the cells lives now.
    unsafe {
        (*cells).page = [
            addr_of!((*cells).set) as usize as u32,
            addr_of!((*cells).id) as usize as u32,
            addr_of!((*cells).value) as usize as u32,
        ];
        addr_of!((*cells).page) as usize as u32
    }
}

/// Add to a counter, modulo 2^64: the sum. A counter that is not there is 0.
pub fn add(set: u32, id: u64, value: u64) -> u64 {
    let cells = CELLS.0.get();
    // SAFETY: one thread; the host reads and writes while no reference lives.
    unsafe {
        addr_of_mut!((*cells).set).write_volatile(set);
        addr_of_mut!((*cells).id).write_volatile(id);
        addr_of_mut!((*cells).value).write_volatile(value);
        __atomic_uint64_add();
        addr_of!((*cells).value).read_volatile()
    }
}

/// The value of a counter.
pub fn load(set: u32, id: u64) -> u64 {
    let cells = CELLS.0.get();
    // SAFETY: one thread; the host reads and writes while no reference lives.
    unsafe {
        addr_of_mut!((*cells).set).write_volatile(set);
        addr_of_mut!((*cells).id).write_volatile(id);
        __atomic_uint64_load();
        addr_of!((*cells).value).read_volatile()
    }
}

/// Give a counter a value.
pub fn store(set: u32, id: u64, value: u64) {
    let cells = CELLS.0.get();
    // SAFETY: one thread; the host reads and writes while no reference lives.
    unsafe {
        addr_of_mut!((*cells).set).write_volatile(set);
        addr_of_mut!((*cells).id).write_volatile(id);
        addr_of_mut!((*cells).value).write_volatile(value);
        __atomic_uint64_store();
    }
}

/// Forget a counter: it is 0 again.
pub fn delete(set: u32, id: u64) {
    let cells = CELLS.0.get();
    // SAFETY: one thread; the host reads and writes while no reference lives.
    unsafe {
        addr_of_mut!((*cells).set).write_volatile(set);
        addr_of_mut!((*cells).id).write_volatile(id);
        __atomic_uint64_del();
    }
}
