// Bytes by text keys, kept by the host. The guest's side of `purewasm/kv@1`. Written by `purewasm gen` from abi.toml: change that instead.
//
// The entry file of a guest has to export the mailbox: `export { __kv } from "…/kv";`. After each call
// `box.status` says how it went, and `box.message` more.

import { Box, Reader, Status, Writer } from "./mailbox";

@external("purewasm/kv@1", "__kv_call")
declare function call(): void;

export const box = new Box(memory.data(40, 8), 1, 0);

export function __kv(): u32 {
  return <u32>box.address;
}

/** The value of a key. Errors: NOT_FOUND, INVALID. */
export function kvGet(key: string): Uint8Array {
  const request = new Writer();
  request.array(1);
  request.str(key);
  const reader = box.send(1, request, () => call());
  let value: Uint8Array = new Uint8Array(0);
  if (box.status == Status.OK) {
    value = reader.bytes();
    box.done(reader);
  }
  return value;
}

/** Give a key a value; with a time to live (milliseconds, 0 for ever) it is gone after that. Errors: INVALID, TOO_LARGE, DENIED. */
export function kvSet(key: string, value: Uint8Array, ttlMs: u64): void {
  const request = new Writer();
  request.array(3);
  request.str(key);
  request.bytes(value);
  request.uint(ttlMs);
  box.send(2, request, () => call());
}

/** Remove a key; true if it was there. Errors: INVALID, DENIED. */
export function kvDelete(key: string): bool {
  const request = new Writer();
  request.array(1);
  request.str(key);
  const reader = box.send(3, request, () => call());
  let existed: bool = false;
  if (box.status == Status.OK) {
    existed = reader.bool();
    box.done(reader);
  }
  return existed;
}

/** True if the key has a value. Errors: INVALID. */
export function kvExists(key: string): bool {
  const request = new Writer();
  request.array(1);
  request.str(key);
  const reader = box.send(4, request, () => call());
  let found: bool = false;
  if (box.status == Status.OK) {
    found = reader.bool();
    box.done(reader);
  }
  return found;
}

/** Keys that begin with a prefix, in the order of their UTF-8 bytes, after the key `after`; at most `limit` of them (0: as many as the host gives at once). Errors: INVALID. */
export function kvList(prefix: string, after: string, limit: u32): Array<string> {
  const request = new Writer();
  request.array(3);
  request.str(prefix);
  request.str(after);
  request.uint(limit);
  const reader = box.send(5, request, () => call());
  let keys: Array<string> = [];
  if (box.status == Status.OK) {
    for (let count = reader.array(); count > 0 && !reader.bad; count--) keys.push(reader.str());
    box.done(reader);
  }
  return keys;
}

/** Give a key a value if it has none. Errors: EXISTS, INVALID, TOO_LARGE, DENIED. */
export function kvAdd(key: string, value: Uint8Array, ttlMs: u64): void {
  const request = new Writer();
  request.array(3);
  request.str(key);
  request.bytes(value);
  request.uint(ttlMs);
  box.send(6, request, () => call());
}

/** Replace the value of a key if it is the expected one, in one step; true if it was. The time to live ends. Errors: NOT_FOUND, INVALID, TOO_LARGE, DENIED. */
export function kvCompareAndSet(key: string, expected: Uint8Array, value: Uint8Array): bool {
  const request = new Writer();
  request.array(3);
  request.str(key);
  request.bytes(expected);
  request.bytes(value);
  const reader = box.send(7, request, () => call());
  let swapped: bool = false;
  if (box.status == Status.OK) {
    swapped = reader.bool();
    box.done(reader);
  }
  return swapped;
}

export class KvGetManyResult {
  found: Array<bool> = [];
  values: Array<Uint8Array> = [];
}

/** The values of several keys at once; a key without one has an empty value, and false in `found`. Errors: INVALID. */
export function kvGetMany(keys: Array<string>): KvGetManyResult {
  const request = new Writer();
  request.array(1);
  request.array(keys.length);
  for (let i = 0; i < keys.length; i++) request.str(keys[i]);
  const reader = box.send(8, request, () => call());
  const answer = new KvGetManyResult();
  if (box.status == Status.OK) {
    reader.expect(2);
    for (let count = reader.array(); count > 0 && !reader.bad; count--) answer.found.push(reader.bool());
    for (let count = reader.array(); count > 0 && !reader.bad; count--) answer.values.push(reader.bytes());
    box.done(reader);
  }
  return answer;
}
