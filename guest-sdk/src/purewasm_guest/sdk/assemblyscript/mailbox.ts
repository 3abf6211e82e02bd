// The guest's side of host modules of version 1: the mailbox, and msgpack for it. Files that `purewasm gen` writes use it.
//
// A request or an answer may be of any size up to `LIMIT`; texts and bytes of an answer are copies. For one thread.

const MAGIC: u32 = 0x31424d48; // "HMB1"
const FETCH: u32 = 1;
const KEPT: u32 = 2;
const FIRST_CAPACITY: i32 = 1024;
const LIMIT: u32 = 16 << 20;

/** The statuses that every host module shares. */
export namespace Status {
  export const OK: i32 = 0;
  export const NOT_FOUND: i32 = 1;
  export const EXISTS: i32 = 2;
  export const INVALID: i32 = 3;
  export const DENIED: i32 = 4;
  export const TOO_LARGE: i32 = 5;
  export const TIMEOUT: i32 = 6;
  export const UNAVAILABLE: i32 = 7;
  export const UNSUPPORTED: i32 = 8;
  export const INTERNAL: i32 = 9;
}

/** The mailbox of one host module, in memory that never moves. `status` and `message` tell about the last call. */
export class Box {
  status: i32 = 0;
  message: string = "";
  private buffer: StaticArray<u8>;

  constructor(public address: usize, major: u16, minor: u16) {
    store<u32>(address, MAGIC, 0);
    store<u16>(address, major, 4);
    store<u16>(address, minor, 6);
    this.buffer = new StaticArray<u8>(FIRST_CAPACITY);
    this.resize(FIRST_CAPACITY);
  }

  private resize(capacity: i32): void {
    this.buffer = new StaticArray<u8>(capacity);
    store<u32>(this.address, <u32>changetype<usize>(this.buffer), 16);
    store<u32>(this.address, <u32>capacity, 20);
  }

  /** Send a request; the reader is at the answer. With a status other than OK it is empty. */
  send(operation: u32, request: Writer, call: () => void): Reader {
    const size = request.size;
    if (<u32>size > LIMIT) return this.fail(Status.TOO_LARGE);
    if (size > this.buffer.length) this.resize(size * 2);
    memory.copy(changetype<usize>(this.buffer), request.start, size);
    store<u32>(this.address, operation, 8);
    store<u32>(this.address, <u32>size, 24);
    store<u32>(this.address, 0, 28);
    call();
    if (load<u32>(this.address, 28) & KEPT) {
      const needed = load<u32>(this.address, 24);
      if (needed > LIMIT) return this.fail(Status.TOO_LARGE);
      this.resize(<i32>needed);
      store<u32>(this.address, 0, 24);
      store<u32>(this.address, FETCH, 28);
      call();
    }
    this.status = load<i32>(this.address, 12);
    const start = changetype<usize>(this.buffer);
    const reader = new Reader(start, start + load<u32>(this.address, 24));
    if (this.status == Status.OK) return reader;
    this.message = "";
    if (reader.at < reader.end && reader.array() == 3) {
      reader.int();
      this.message = reader.str();
    }
    return new Reader(0, 0);
  }

  private fail(status: i32): Reader {
    this.status = status;
    this.message = "";
    return new Reader(0, 0);
  }

  /** After an answer was read: the status, INTERNAL where it was not as expected. */
  done(reader: Reader): void {
    if (this.status == Status.OK && reader.bad) this.status = Status.INTERNAL;
  }
}

/** A request that grows. */
export class Writer {
  private data: StaticArray<u8> = new StaticArray<u8>(64);
  size: i32 = 0;

  get start(): usize {
    return changetype<usize>(this.data);
  }

  private room(count: i32): usize {
    if (this.size + count > this.data.length) {
      const larger = new StaticArray<u8>((this.size + count) * 2);
      memory.copy(changetype<usize>(larger), this.start, this.size);
      this.data = larger;
    }
    const at = this.start + this.size;
    this.size += count;
    return at;
  }

  private tag(tag: u8): void {
    store<u8>(this.room(1), tag);
  }

  array(count: i32): void {
    if (count < 16) this.tag(<u8>(0x90 | count));
    else this.sized(0xdd, count);
  }

  private sized(tag: u8, size: i32): void {
    this.tag(tag);
    store<u32>(this.room(4), bswap<u32>(<u32>size));
  }

  uint(value: u64): void {
    this.tag(0xcf);
    store<u64>(this.room(8), bswap<u64>(value));
  }

  int(value: i64): void {
    this.tag(0xd3);
    store<u64>(this.room(8), bswap<u64>(<u64>value));
  }

  f64(value: f64): void {
    this.tag(0xcb);
    store<u64>(this.room(8), bswap<u64>(reinterpret<u64>(value)));
  }

  bool(value: bool): void {
    this.tag(value ? 0xc3 : 0xc2);
  }

  str(value: string): void {
    const utf8 = String.UTF8.encode(value);
    this.sized(0xdb, utf8.byteLength);
    const at = this.room(utf8.byteLength);
    memory.copy(at, changetype<usize>(utf8), utf8.byteLength);
  }

  bytes(value: Uint8Array): void {
    this.sized(0xc6, value.length);
    const at = this.room(value.length);
    memory.copy(at, value.dataStart, value.length);
  }
}

/** An answer. The first thing that is not as expected makes `bad` true; everything after it reads as zero and empty. */
export class Reader {
  bad: bool = false;

  constructor(public at: usize, public end: usize) {}

  private bits(count: i32): u64 {
    if (this.bad || this.end - this.at < <usize>count) {
      this.bad = true;
      return 0;
    }
    let bits: u64 = 0;
    for (let i = 0; i < count; i++) bits = (bits << 8) | load<u8>(this.at++);
    return bits;
  }

  array(): i32 {
    const tag = <i32>this.bits(1);
    if (tag >= 0x90 && tag <= 0x9f) return tag & 15;
    if (tag == 0xdc) return <i32>this.bits(2);
    if (tag == 0xdd) return <i32>this.bits(4);
    this.bad = true;
    return 0;
  }

  expect(count: i32): void {
    if (this.array() != count) this.bad = true;
  }

  private negative: bool = false;

  private integer(): u64 {
    const tag = <i32>this.bits(1);
    this.negative = false;
    if (tag < 0x80) return tag;
    if (tag >= 0xe0) {
      this.negative = true;
      return <u64>(<i64>(tag - 256));
    }
    if (tag >= 0xcc && tag <= 0xcf) return this.bits(1 << (tag - 0xcc));
    if (tag >= 0xd0 && tag <= 0xd3) {
      const count = 1 << (tag - 0xd0);
      const shift = <i64>(64 - 8 * count);
      const value = (<i64>this.bits(count) << shift) >> shift;
      this.negative = value < 0;
      return <u64>value;
    }
    this.bad = true;
    return 0;
  }

  /** An unsigned integer of so many bits. */
  uint(width: i32 = 64): u64 {
    const value = this.integer();
    if (this.negative || (width < 64 && value >> <u64>width != 0)) this.bad = true;
    return this.bad ? 0 : value;
  }

  /** A signed integer of so many bits. */
  int(width: i32 = 64): i64 {
    const value = <i64>this.integer();
    const shift = <i64>(64 - width);
    if ((!this.negative && value < 0) || (value << shift) >> shift != value) this.bad = true;
    return this.bad ? 0 : value;
  }

  f64(): f64 {
    if (this.bits(1) != 0xcb) this.bad = true;
    return reinterpret<f64>(this.bits(8));
  }

  bool(): bool {
    const tag = this.bits(1);
    if (tag != 0xc2 && tag != 0xc3) this.bad = true;
    return tag == 0xc3;
  }

  private block(count: i32): usize {
    if (this.bad || count < 0 || this.end - this.at < <usize>count) {
      this.bad = true;
      return 0;
    }
    const at = this.at;
    this.at += count;
    return at;
  }

  str(): string {
    const tag = <i32>this.bits(1);
    let size = 0;
    if (tag >= 0xa0 && tag <= 0xbf) size = tag & 31;
    else if (tag >= 0xd9 && tag <= 0xdb) size = <i32>this.bits(1 << (tag - 0xd9));
    else this.bad = true;
    const at = this.block(size);
    return this.bad ? "" : String.UTF8.decodeUnsafe(at, size);
  }

  bytes(): Uint8Array {
    const tag = <i32>this.bits(1);
    let size = 0;
    if (tag >= 0xc4 && tag <= 0xc6) size = <i32>this.bits(1 << (tag - 0xc4));
    else this.bad = true;
    const at = this.block(size);
    const found = new Uint8Array(this.bad ? 0 : size);
    if (!this.bad) memory.copy(found.dataStart, at, size);
    return found;
  }
}
