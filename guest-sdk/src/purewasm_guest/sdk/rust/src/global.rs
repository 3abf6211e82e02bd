//! Named values that the host may override: the guest's side of `pantopic/wazero-global`.
//!
//! Each function asks the host and returns its value, or the one given where the host has none. A name is UTF-8 of at most
//! `NAME_CAPACITY` bytes; a longer one panics. For one thread.

use std::cell::UnsafeCell;
use std::ptr::{addr_of, addr_of_mut};

/// How long a name may be, in bytes.
pub const NAME_CAPACITY: usize = 64;

struct Cells {
    value: u64,
    capacity: u32,
    length: u32,
    name: [u8; NAME_CAPACITY],
    page: [u32; 4],
}

struct Shared(UnsafeCell<Cells>);

// A guest has one thread.
unsafe impl Sync for Shared {}

static CELLS: Shared = Shared(UnsafeCell::new(Cells {
    value: 0,
    capacity: NAME_CAPACITY as u32,
    length: 0,
    name: [0; NAME_CAPACITY],
    page: [0; 4],
}));

#[link(wasm_import_module = "pantopic/wazero-global")]
extern "C" {
    fn __global_get();
}

#[no_mangle]
pub extern "C" fn __global() -> u32 {
    let cells = CELLS.0.get();
    // SAFETY: one thread, and no other reference into the cells lives now.
    unsafe {
        (*cells).page = [
            addr_of!((*cells).value) as usize as u32,
            addr_of!((*cells).capacity) as usize as u32,
            addr_of!((*cells).length) as usize as u32,
            addr_of!((*cells).name) as usize as u32,
        ];
        addr_of!((*cells).page) as usize as u32
    }
}

/// A 64-bit number.
pub fn uint64(name: &str, fallback: u64) -> u64 {
    assert!(name.len() <= NAME_CAPACITY, "the name of a global has at most 64 bytes: {name}");
    let cells = CELLS.0.get();
    // SAFETY: as above; the host writes while no reference lives.
    unsafe {
        (&mut (*cells).name)[..name.len()].copy_from_slice(name.as_bytes());
        (*cells).length = name.len() as u32;
        addr_of_mut!((*cells).value).write_volatile(fallback);
        __global_get();
        addr_of!((*cells).value).read_volatile()
    }
}

/// True for 1 and false for everything else.
pub fn boolean(name: &str, fallback: bool) -> bool {
    uint64(name, u64::from(fallback)) == 1
}

/// Signed nanoseconds.
pub fn duration(name: &str, fallback_ns: i64) -> i64 {
    uint64(name, fallback_ns as u64) as i64
}
