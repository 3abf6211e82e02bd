//! Bytes by text keys, kept by the host. The guest's side of `purewasm/kv@1`. Written by `purewasm gen` from abi.toml: change that instead.

use crate::mailbox::{Channel, Result, Writer};

#[link(wasm_import_module = "purewasm/kv@1")]
extern "C" {
    fn __kv_call();
}

static CHANNEL: Channel = Channel::new(1, 0, __kv_call);

#[no_mangle]
pub extern "C" fn __kv() -> u32 {
    CHANNEL.address()
}

/// What the guest was built against, as a custom section.
#[cfg(target_arch = "wasm32")]
#[link_section = "hostmods"]
#[used]
static BUILT_AGAINST: [u8; 21] = *b"\x81\xd9\x0b\x70\x75\x72\x65\x77\x61\x73\x6d\x2f\x6b\x76\x92\xcd\x00\x01\xcd\x00\x00";

/// The value of a key. Errors: NOT_FOUND, INVALID.
pub fn get(key: &str) -> Result<Vec<u8>> {
    let mut request = Writer::default();
    request.array(1);
    request.str(key);
    let mut reader = CHANNEL.send(1, request)?;
    Ok(reader.bytes()?)
}

/// Give a key a value; with a time to live (milliseconds, 0 for ever) it is gone after that. Errors: INVALID, TOO_LARGE, DENIED.
pub fn set(key: &str, value: &[u8], ttl_ms: u64) -> Result<()> {
    let mut request = Writer::default();
    request.array(3);
    request.str(key);
    request.bytes(value);
    request.uint(ttl_ms);
    CHANNEL.send(2, request).map(|_| ())
}

/// Remove a key; true if it was there. Errors: INVALID, DENIED.
pub fn delete(key: &str) -> Result<bool> {
    let mut request = Writer::default();
    request.array(1);
    request.str(key);
    let mut reader = CHANNEL.send(3, request)?;
    Ok(reader.bool()?)
}

/// True if the key has a value. Errors: INVALID.
pub fn exists(key: &str) -> Result<bool> {
    let mut request = Writer::default();
    request.array(1);
    request.str(key);
    let mut reader = CHANNEL.send(4, request)?;
    Ok(reader.bool()?)
}

/// Keys that begin with a prefix, in the order of their UTF-8 bytes, after the key `after`; at most `limit` of them (0: as many as the host gives at once). Errors: INVALID.
pub fn list(prefix: &str, after: &str, limit: u32) -> Result<Vec<String>> {
    let mut request = Writer::default();
    request.array(3);
    request.str(prefix);
    request.str(after);
    request.uint(limit.into());
    let mut reader = CHANNEL.send(5, request)?;
    Ok(reader.list(|reader| Ok(reader.str()?))?)
}

/// Give a key a value if it has none. Errors: EXISTS, INVALID, TOO_LARGE, DENIED.
pub fn add(key: &str, value: &[u8], ttl_ms: u64) -> Result<()> {
    let mut request = Writer::default();
    request.array(3);
    request.str(key);
    request.bytes(value);
    request.uint(ttl_ms);
    CHANNEL.send(6, request).map(|_| ())
}

/// Replace the value of a key if it is the expected one, in one step; true if it was. The time to live ends. Errors: NOT_FOUND, INVALID, TOO_LARGE, DENIED.
pub fn compare_and_set(key: &str, expected: &[u8], value: &[u8]) -> Result<bool> {
    let mut request = Writer::default();
    request.array(3);
    request.str(key);
    request.bytes(expected);
    request.bytes(value);
    let mut reader = CHANNEL.send(7, request)?;
    Ok(reader.bool()?)
}

/// The values of several keys at once; a key without one has an empty value, and false in `found`. Returns found, values. Errors: INVALID.
pub fn get_many(keys: &[&str]) -> Result<(Vec<bool>, Vec<Vec<u8>>)> {
    let mut request = Writer::default();
    request.array(1);
    request.array(keys.len());
    for &item in keys {
        request.str(item);
    }
    let mut reader = CHANNEL.send(8, request)?;
    reader.expect(2)?;
    Ok((reader.list(|reader| Ok(reader.bool()?))?, reader.list(|reader| Ok(reader.bytes()?))?))
}
