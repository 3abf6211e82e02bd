//! Counts greetings in the host's key-value store, up to the host's setting LIMIT.

use purewasm_guest::{global, kv, mailbox::Error};

/// The count, -1 at the limit, -2 where the store fails.
#[no_mangle]
pub extern "C" fn greet() -> i32 {
    let before = match kv::get("greetings") {
        Ok(found) if found.len() == 1 => found[0],
        Err(Error::NotFound(_)) => 0,
        _ => return -2,
    };
    if u64::from(before) >= global::uint64("LIMIT", 100) {
        return -1;
    }
    match kv::set("greetings", &[before + 1], 0) {
        Ok(()) => i32::from(before) + 1,
        Err(_) => -2,
    }
}
