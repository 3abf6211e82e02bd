//! Messages for the host's log. The guest's side of `purewasm/log@1`. Written by `purewasm gen` from abi.toml: change that instead.

use crate::mailbox::{Channel, Result, Writer};

#[link(wasm_import_module = "purewasm/log@1")]
extern "C" {
    fn __log_call();
    fn __log_lowest_level() -> i32;
}

static CHANNEL: Channel = Channel::new(1, 0, __log_call);

#[no_mangle]
pub extern "C" fn __log() -> u32 {
    CHANNEL.address()
}

/// What the guest was built against, as a custom section.
#[cfg(target_arch = "wasm32")]
#[link_section = "hostmods"]
#[used]
static BUILT_AGAINST: [u8; 22] = *b"\x81\xd9\x0c\x70\x75\x72\x65\x77\x61\x73\x6d\x2f\x6c\x6f\x67\x92\xcd\x00\x01\xcd\x00\x00";

/// Log a message of a level (10 debug, 20 info, 30 warning, 40 error, 50 critical) under a name; fields are names and values in turn. Errors: INVALID, TOO_LARGE.
pub fn write(level: u32, logger: &str, message: &str, fields: &[&str]) -> Result<()> {
    let mut request = Writer::default();
    request.array(4);
    request.uint(level.into());
    request.str(logger);
    request.str(message);
    request.array(fields.len());
    for &item in fields {
        request.str(item);
    }
    CHANNEL.send(1, request).map(|_| ())
}

/// True if a message of this level under this name would be kept: ask before making an expensive one. Errors: INVALID.
pub fn enabled(level: u32, logger: &str) -> Result<bool> {
    let mut request = Writer::default();
    request.array(2);
    request.uint(level.into());
    request.str(logger);
    let mut reader = CHANNEL.send(2, request)?;
    Ok(reader.bool()?)
}

/// The lowest level that is kept under the guest's own name, and 51 where none is. It costs next to nothing: ask before each message.
pub fn lowest_level() -> i32 {
    // SAFETY: numbers in, numbers out.
    unsafe { __log_lowest_level() }
}
