// The program of guest-sdk/guests/program, in AssemblyScript.

import { globalBool, globalDuration, globalUint64 } from "./purewasm/global";
import { box, kvGet, kvSet } from "./purewasm/kv";
import { Status } from "./purewasm/mailbox";

export { __global } from "./purewasm/global";
export { __kv } from "./purewasm/kv";

const SECOND: i64 = 1_000_000_000;
const MINUTE: i64 = 60 * SECOND;

export function testGet(): void {
  assert(globalBool("TEST_BOOL", true) == true);
  assert(globalUint64("TEST_UINT64", 42) == 42);
  assert(globalDuration("TEST_DURATION", MINUTE) == MINUTE);
}

export function testOverride(): void {
  assert(globalBool("TEST_BOOL", true) == false);
  assert(globalUint64("TEST_UINT64", 42) == 43);
  assert(globalDuration("TEST_DURATION", MINUTE) == SECOND);
}

// Add one to the decimal number under "count/<word>".
function count(word: string): void {
  const key = "count/" + word;
  const found = kvGet(key);
  let before: i32 = 0;
  if (box.status == Status.OK) before = I32.parseInt(String.UTF8.decode(found.buffer));
  else assert(box.status == Status.NOT_FOUND);
  kvSet(key, Uint8Array.wrap(String.UTF8.encode((before + 1).toString())), 0);
  assert(box.status == Status.OK);
}

export function countWords(): i32 {
  const found = kvGet("text");
  if (box.status != Status.OK) return -1;
  const parts = String.UTF8.decode(found.buffer).replaceAll("\n", " ").split(" ");
  let words = 0;
  for (let i = 0; i < parts.length; i++) {
    if (parts[i].length == 0) continue;
    count(parts[i]);
    words++;
  }
  return words;
}
