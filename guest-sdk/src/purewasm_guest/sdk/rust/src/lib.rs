//! The guest's side of purewasm's host modules, for `wasm32-unknown-unknown` and `wasm32-wasip1`.
//!
//! Each host module is a feature: what is compiled in is what the guest imports, and the host has to grant that.
//! `python -m purewasm_guest build` turns on those that the guest's source names (`purewasm_guest::kv`).

pub mod mailbox;

#[cfg(feature = "atomic")]
pub mod atomic;
#[cfg(feature = "global")]
pub mod global;
#[cfg(feature = "globals")]
pub mod globals;
#[cfg(feature = "http")]
pub mod http;
#[cfg(feature = "kv")]
pub mod kv;
#[cfg(feature = "log")]
pub mod log;
#[cfg(feature = "pipe")]
pub mod pipe;
