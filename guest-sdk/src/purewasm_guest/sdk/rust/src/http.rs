//! HTTP requests, as far as the embedder allows them. The guest's side of `purewasm/http@1`. Written by `purewasm gen` from abi.toml: change that instead.

use crate::mailbox::{Channel, Result, Writer};

#[link(wasm_import_module = "purewasm/http@1")]
extern "C" {
    fn __http_call();
}

static CHANNEL: Channel = Channel::new(1, 0, __http_call);

#[no_mangle]
pub extern "C" fn __http() -> u32 {
    CHANNEL.address()
}

/// What the guest was built against, as a custom section.
#[cfg(target_arch = "wasm32")]
#[link_section = "hostmods"]
#[used]
static BUILT_AGAINST: [u8; 23] = *b"\x81\xd9\x0d\x70\x75\x72\x65\x77\x61\x73\x6d\x2f\x68\x74\x74\x70\x92\xcd\x00\x01\xcd\x00\x00";

/// Send a request and wait for the whole answer. Headers are names and values in turn; a timeout of 0 is the host's own. Returns code, fields, content. Errors: DENIED, INVALID, TOO_LARGE, TIMEOUT, UNAVAILABLE.
pub fn request(verb: &str, url: &str, headers: &[&str], body: &[u8], timeout_ms: u32) -> Result<(u32, Vec<String>, Vec<u8>)> {
    let mut request = Writer::default();
    request.array(5);
    request.str(verb);
    request.str(url);
    request.array(headers.len());
    for &item in headers {
        request.str(item);
    }
    request.bytes(body);
    request.uint(timeout_ms.into());
    let mut reader = CHANNEL.send(1, request)?;
    reader.expect(3)?;
    Ok((reader.uint(32)? as u32, reader.list(|reader| Ok(reader.str()?))?, reader.bytes()?))
}

/// True if the embedder allows requests with this verb to this URL, as far as that can be said without resolving its host.
pub fn allowed(verb: &str, url: &str) -> Result<bool> {
    let mut request = Writer::default();
    request.array(2);
    request.str(verb);
    request.str(url);
    let mut reader = CHANNEL.send(2, request)?;
    Ok(reader.bool()?)
}
