//! The program of `guest-sdk/guests/program`, in Rust.

use purewasm_guest::{global, kv, mailbox::Error};

const SECOND: i64 = 1_000_000_000;
const MINUTE: i64 = 60 * SECOND;

#[no_mangle]
pub extern "C" fn testGet() {
    assert!(global::boolean("TEST_BOOL", true));
    assert_eq!(global::uint64("TEST_UINT64", 42), 42);
    assert_eq!(global::duration("TEST_DURATION", MINUTE), MINUTE);
}

#[no_mangle]
pub extern "C" fn testOverride() {
    assert!(!global::boolean("TEST_BOOL", true));
    assert_eq!(global::uint64("TEST_UINT64", 42), 43);
    assert_eq!(global::duration("TEST_DURATION", MINUTE), SECOND);
}

/// Add one to the decimal number under "count/<word>".
fn count(word: &str) {
    let key = format!("count/{word}");
    let before: u32 = match kv::get(&key) {
        Ok(found) => String::from_utf8(found).unwrap().parse().unwrap(),
        Err(Error::NotFound(_)) => 0,
        Err(other) => panic!("{other:?}"),
    };
    kv::set(&key, (before + 1).to_string().as_bytes(), 0).unwrap();
}

#[no_mangle]
pub extern "C" fn countWords() -> i32 {
    match kv::get("text") {
        Ok(found) => String::from_utf8(found).unwrap().split_ascii_whitespace().map(count).count() as i32,
        Err(_) => -1,
    }
}
