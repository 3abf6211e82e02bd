//! Named values that the host sets, many at once. The guest's side of `purewasm/globals@1`. Written by `purewasm gen` from abi.toml: change that instead.

use crate::mailbox::{Channel, Result, Writer};

#[link(wasm_import_module = "purewasm/globals@1")]
extern "C" {
    fn __globals_call();
}

static CHANNEL: Channel = Channel::new(1, 0, __globals_call);

#[no_mangle]
pub extern "C" fn __globals() -> u32 {
    CHANNEL.address()
}

/// What the guest was built against, as a custom section.
#[cfg(target_arch = "wasm32")]
#[link_section = "hostmods"]
#[used]
static BUILT_AGAINST: [u8; 26] = *b"\x81\xd9\x10\x70\x75\x72\x65\x77\x61\x73\x6d\x2f\x67\x6c\x6f\x62\x61\x6c\x73\x92\xcd\x00\x01\xcd\x00\x00";

/// The values of several names, the default of each where the host has none. Errors: INVALID.
pub fn get_many(names: &[&str], defaults: &[u64]) -> Result<Vec<u64>> {
    let mut request = Writer::default();
    request.array(2);
    request.array(names.len());
    for &item in names {
        request.str(item);
    }
    request.array(defaults.len());
    for &item in defaults {
        request.uint(item);
    }
    let mut reader = CHANNEL.send(1, request)?;
    Ok(reader.list(|reader| Ok(reader.uint(64)? as u64))?)
}

/// The names that have a value and begin with a prefix, in order, after the name `after`; at most 1,000.
pub fn list(prefix: &str, after: &str) -> Result<Vec<String>> {
    let mut request = Writer::default();
    request.array(2);
    request.str(prefix);
    request.str(after);
    let mut reader = CHANNEL.send(2, request)?;
    Ok(reader.list(|reader| Ok(reader.str()?))?)
}
