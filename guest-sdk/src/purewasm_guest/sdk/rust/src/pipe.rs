//! Messages to other guests and to the host, by the number of a pipe. The guest's side of `pantopic/wazero-pipe`. Written by `purewasm gen` from abi.toml: change that instead.
//!
//! There is no status: what the host cannot do ends the guest's call. For one thread.

use std::cell::UnsafeCell;
use std::ptr::{addr_of, addr_of_mut};

/// How long message may be, in bytes.
pub const MESSAGE_CAPACITY: usize = 4096;

struct Cells {
    pipe: u32,
    message_capacity: u32,
    message_length: u32,
    message: [u8; MESSAGE_CAPACITY],
    page: [u32; 4],
}

struct Shared(UnsafeCell<Cells>);

// A guest has one thread.
unsafe impl Sync for Shared {}

static CELLS: Shared = Shared(UnsafeCell::new(Cells {
    pipe: 0,
    message_capacity: MESSAGE_CAPACITY as u32,
    message_length: 0,
    message: [0; MESSAGE_CAPACITY],
    page: [0; 4],
}));

#[link(wasm_import_module = "pantopic/wazero-pipe")]
extern "C" {
    fn __pipe_send();
    fn __pipe_recv();
}

#[no_mangle]
pub extern "C" fn __pipe() -> u32 {
    let cells = CELLS.0.get();
    // SAFETY: one thread, and no other reference into the cells lives now.
    unsafe {
        (*cells).page = [
            addr_of!((*cells).pipe) as usize as u32,
            addr_of!((*cells).message_capacity) as usize as u32,
            addr_of!((*cells).message_length) as usize as u32,
            addr_of!((*cells).message) as usize as u32,
        ];
        addr_of!((*cells).page) as usize as u32
    }
}

/// Put a copy of the bytes into a pipe; waits for room.
pub fn send(pipe: u32, message: &[u8]) {
    assert!(message.len() <= MESSAGE_CAPACITY, "message has at most 4096 bytes");
    let cells = CELLS.0.get();
    // SAFETY: one thread; the host reads and writes while no reference lives.
    unsafe {
        addr_of_mut!((*cells).pipe).write_volatile(pipe);
        (&mut (*cells).message)[..message.len()].copy_from_slice(message);
        addr_of_mut!((*cells).message_length).write_volatile(message.len() as u32);
        __pipe_send();
    }
}

/// Take the first message out of a pipe; waits for one.
pub fn recv(pipe: u32) -> Vec<u8> {
    let cells = CELLS.0.get();
    // SAFETY: one thread; the host reads and writes while no reference lives.
    unsafe {
        addr_of_mut!((*cells).pipe).write_volatile(pipe);
        __pipe_recv();
        let length = addr_of!((*cells).message_length).read_volatile() as usize;
        (&(*cells).message)[..length].to_vec()
    }
}
