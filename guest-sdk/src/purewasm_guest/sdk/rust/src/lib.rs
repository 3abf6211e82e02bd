//! The guest's side of purewasm's host modules, for `wasm32-unknown-unknown` and `wasm32-wasip1`.

pub mod global;
pub mod globals;
pub mod http;
pub mod kv;
pub mod log;
pub mod mailbox;
