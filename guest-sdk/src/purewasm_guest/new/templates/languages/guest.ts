// Counts greetings in the host's key-value store, up to the host's setting LIMIT.

import { globalUint64 } from "./purewasm/global";
import { box, kvGet, kvSet } from "./purewasm/kv";
import { Status } from "./purewasm/mailbox";

export { __global } from "./purewasm/global";
export { __kv } from "./purewasm/kv";

/** The count, -1 at the limit, -2 where the store fails. */
export function greet(): i32 {
  let count = kvGet("greetings");
  if (box.status == Status.NOT_FOUND) count = new Uint8Array(1);
  else if (box.status != Status.OK || count.length != 1) return -2;
  if (<u64>count[0] >= globalUint64("LIMIT", 100)) return -1;
  count[0] += 1;
  kvSet("greetings", count, 0);
  return box.status == Status.OK ? count[0] : -2;
}
