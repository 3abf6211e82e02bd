//! The guest's side of host modules of version 1: the mailbox, and msgpack for it. Modules that `purewasm gen` writes use it.
//!
//! For one thread: a guest of wasm32 without threads has no other.

use std::cell::UnsafeCell;

const MAGIC: u32 = 0x3142_4d48; // "HMB1"
const FETCH: u32 = 1;
const KEPT: u32 = 2;
const FIRST_CAPACITY: usize = 1024;
const LIMIT: usize = 16 << 20;

/// The struct that guest and host share.
#[repr(C)]
pub struct Mailbox {
    magic: u32,
    major: u16,
    minor: u16,
    operation: u32,
    status: i32,
    buffer: u32,
    capacity: u32,
    length: u32,
    flags: u32,
    handle: u64,
}

/// An answer other than OK.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    NotFound(String),
    Exists(String),
    Invalid(String),
    Denied(String),
    TooLarge(String),
    Timeout(String),
    Unavailable(String),
    Unsupported(String),
    Internal(String),
    /// A status of the host module's own.
    Module(i32, String),
}

impl Error {
    fn new(status: i32, message: String) -> Self {
        match status {
            1 => Error::NotFound(message),
            2 => Error::Exists(message),
            3 => Error::Invalid(message),
            4 => Error::Denied(message),
            5 => Error::TooLarge(message),
            6 => Error::Timeout(message),
            7 => Error::Unavailable(message),
            8 => Error::Unsupported(message),
            9 => Error::Internal(message),
            other => Error::Module(other, message),
        }
    }

    fn answer() -> Self {
        Error::Internal("the host's answer is not what the ABI says".into())
    }
}

pub type Result<T> = std::result::Result<T, Error>;

struct State {
    shared: Mailbox,
    buffer: Vec<u8>,
}

/// The mailbox of one host module with its buffer.
pub struct Channel {
    state: UnsafeCell<State>,
    call: unsafe extern "C" fn(),
}

// A guest has one thread; a host never calls two functions of an instance at once.
unsafe impl Sync for Channel {}

impl Channel {
    /// The version that the guest was built against, and the import.
    pub const fn new(major: u16, minor: u16, call: unsafe extern "C" fn()) -> Self {
        let shared = Mailbox { magic: MAGIC, major, minor, operation: 0, status: 0, buffer: 0, capacity: 0, length: 0, flags: 0, handle: 0 };
        Channel { state: UnsafeCell::new(State { shared, buffer: Vec::new() }), call }
    }

    /// Where the host finds the mailbox.
    pub fn address(&self) -> u32 {
        // SAFETY: an address is made, and no reference.
        unsafe { std::ptr::addr_of!((*self.state.get()).shared) as usize as u32 }
    }

    /// Make one call; the answer is copied out of the buffer.
    pub fn send(&self, operation: u32, request: Writer) -> Result<Reader> {
        if request.data.len() > LIMIT {
            return Err(Error::TooLarge("the request is over the guest's limit".into()));
        }
        let state = self.state.get();
        // SAFETY: one thread; no reference into the state lives across the call of the host.
        unsafe {
            resize(&mut *state, request.data.len().max(FIRST_CAPACITY));
            (&mut (*state).buffer)[..request.data.len()].copy_from_slice(&request.data);
            (*state).shared.operation = operation;
            (*state).shared.length = request.data.len() as u32;
            (*state).shared.flags = 0;
            (self.call)();
            if (*state).shared.flags & KEPT != 0 {
                let needed = (*state).shared.length as usize;
                if needed > LIMIT {
                    return Err(Error::TooLarge("the answer is over the guest's limit".into()));
                }
                resize(&mut *state, needed);
                (*state).shared.length = 0;
                (*state).shared.flags = FETCH;
                (self.call)();
            }
            let length = (*state).shared.length as usize;
            let mut reader = Reader { data: (&(*state).buffer)[..length].to_vec(), at: 0 };
            match (*state).shared.status {
                0 => Ok(reader),
                status => Err(Error::new(status, reader.message().unwrap_or_default())),
            }
        }
    }
}

fn resize(state: &mut State, capacity: usize) {
    if state.buffer.len() < capacity {
        state.buffer = vec![0; capacity];
        state.shared.buffer = state.buffer.as_mut_ptr() as usize as u32;
        state.shared.capacity = capacity as u32;
    }
}

/// A request.
#[derive(Default)]
pub struct Writer {
    data: Vec<u8>,
}

impl Writer {
    pub fn array(&mut self, count: usize) {
        if count < 16 {
            self.data.push(0x90 | count as u8);
        } else {
            self.sized(0xdd, count);
        }
    }

    fn sized(&mut self, tag: u8, size: usize) {
        self.data.push(tag);
        self.data.extend_from_slice(&(size as u32).to_be_bytes());
    }

    pub fn uint(&mut self, value: u64) {
        self.data.push(0xcf);
        self.data.extend_from_slice(&value.to_be_bytes());
    }

    pub fn int(&mut self, value: i64) {
        self.data.push(0xd3);
        self.data.extend_from_slice(&value.to_be_bytes());
    }

    pub fn f64(&mut self, value: f64) {
        self.data.push(0xcb);
        self.data.extend_from_slice(&value.to_be_bytes());
    }

    pub fn bool(&mut self, value: bool) {
        self.data.push(if value { 0xc3 } else { 0xc2 });
    }

    pub fn str(&mut self, value: &str) {
        self.sized(0xdb, value.len());
        self.data.extend_from_slice(value.as_bytes());
    }

    pub fn bytes(&mut self, value: &[u8]) {
        self.sized(0xc6, value.len());
        self.data.extend_from_slice(value);
    }
}

/// An answer. Anything that is not as expected is `Error::Internal`.
pub struct Reader {
    data: Vec<u8>,
    at: usize,
}

impl Reader {
    fn take(&mut self, count: usize) -> Result<&[u8]> {
        let start = self.at;
        let end = start.checked_add(count).filter(|end| *end <= self.data.len()).ok_or_else(Error::answer)?;
        self.at = end;
        Ok(&self.data[start..end])
    }

    fn bits(&mut self, count: usize) -> Result<u64> {
        Ok(self.take(count)?.iter().fold(0, |bits, byte| bits << 8 | u64::from(*byte)))
    }

    fn message(&mut self) -> Result<String> {
        self.expect(3)?;
        self.int(32)?;
        self.str()
    }

    pub fn array(&mut self) -> Result<usize> {
        match self.bits(1)? {
            tag @ 0x90..=0x9f => Ok((tag & 15) as usize),
            0xdc => Ok(self.bits(2)? as usize),
            0xdd => Ok(self.bits(4)? as usize),
            _ => Err(Error::answer()),
        }
    }

    /// An array of so many values.
    pub fn expect(&mut self, count: usize) -> Result<()> {
        if self.array()? == count { Ok(()) } else { Err(Error::answer()) }
    }

    fn integer(&mut self) -> Result<i128> {
        match self.bits(1)? {
            tag @ 0..=0x7f => Ok(i128::from(tag)),
            tag @ 0xe0..=0xff => Ok(i128::from(tag) - 256),
            tag @ 0xcc..=0xcf => Ok(i128::from(self.bits(1 << (tag - 0xcc))?)),
            tag @ 0xd0..=0xd3 => {
                let count = 1usize << (tag - 0xd0);
                let shift = 64 - 8 * count as u32;
                Ok(i128::from((self.bits(count)? as i64) << shift >> shift))
            }
            _ => Err(Error::answer()),
        }
    }

    /// An unsigned integer of so many bits.
    pub fn uint(&mut self, width: u32) -> Result<u64> {
        let value = self.integer()?;
        if (0..1i128 << width).contains(&value) { Ok(value as u64) } else { Err(Error::answer()) }
    }

    /// A signed integer of so many bits.
    pub fn int(&mut self, width: u32) -> Result<i64> {
        let (value, half) = (self.integer()?, 1i128 << (width - 1));
        if (-half..half).contains(&value) { Ok(value as i64) } else { Err(Error::answer()) }
    }

    pub fn f64(&mut self) -> Result<f64> {
        if self.bits(1)? == 0xcb { Ok(f64::from_bits(self.bits(8)?)) } else { Err(Error::answer()) }
    }

    pub fn bool(&mut self) -> Result<bool> {
        match self.bits(1)? {
            0xc2 => Ok(false),
            0xc3 => Ok(true),
            _ => Err(Error::answer()),
        }
    }

    pub fn str(&mut self) -> Result<String> {
        let size = match self.bits(1)? {
            tag @ 0xa0..=0xbf => (tag & 31) as usize,
            tag @ 0xd9..=0xdb => self.bits(1 << (tag - 0xd9))? as usize,
            _ => return Err(Error::answer()),
        };
        String::from_utf8(self.take(size)?.to_vec()).map_err(|_| Error::answer())
    }

    pub fn bytes(&mut self) -> Result<Vec<u8>> {
        let size = match self.bits(1)? {
            tag @ 0xc4..=0xc6 => self.bits(1 << (tag - 0xc4))? as usize,
            _ => return Err(Error::answer()),
        };
        Ok(self.take(size)?.to_vec())
    }

    /// A list, read item by item.
    pub fn list<T>(&mut self, item: impl Fn(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        let count = self.array()?;
        (0..count).map(|_| item(self)).collect()
    }
}
