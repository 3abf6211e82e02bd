// Named values that the host may override: the guest's side of `pantopic/wazero-global`.
//
// The entry file of a guest has to export the page: `export { __global } from "./purewasm/global";`. Each function asks the host and
// returns its value, or the one given where the host has none. A name is UTF-8 of at most 64 bytes; a longer one aborts.

@external("pantopic/wazero-global", "__global_get")
declare function hostGet(): void;

const NAME_CAPACITY: u32 = 64;
const value = memory.data(8, 8);
const capacity = memory.data(4, 4);
const length = memory.data(4, 4);
const name = memory.data(64);
const page = memory.data(16, 4);

export function __global(): u32 {
  store<u32>(capacity, NAME_CAPACITY);
  store<u32>(page, <u32>value, 0);
  store<u32>(page, <u32>capacity, 4);
  store<u32>(page, <u32>length, 8);
  store<u32>(page, <u32>name, 12);
  return <u32>page;
}

export function globalUint64(key: string, fallback: u64): u64 {
  const size = String.UTF8.byteLength(key);
  assert(<u32>size <= NAME_CAPACITY, "the name of a global has at most 64 bytes");
  String.UTF8.encodeUnsafe(changetype<usize>(key), key.length, name);
  store<u32>(length, <u32>size);
  store<u64>(value, fallback);
  hostGet();
  return load<u64>(value);
}

/** True for 1 and false for everything else. */
export function globalBool(key: string, fallback: bool): bool {
  return globalUint64(key, fallback ? 1 : 0) == 1;
}

/** Signed nanoseconds. */
export function globalDuration(key: string, fallback: i64): i64 {
  return <i64>globalUint64(key, <u64>fallback);
}
