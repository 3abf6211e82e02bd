// Messages for the host's log. The guest's side of `purewasm/log@1`. Written by `purewasm gen` from abi.toml: change that instead.
//
// The entry file of a guest has to export the mailbox: `export { __log } from "…/log";`. After each call
// `box.status` says how it went, and `box.message` more.

import { Box, Reader, Status, Writer } from "./mailbox";

@external("purewasm/log@1", "__log_call")
declare function call(): void;

export const box = new Box(memory.data(40, 8), 1, 0);

export function __log(): u32 {
  return <u32>box.address;
}

/** Log a message of a level (10 debug, 20 info, 30 warning, 40 error, 50 critical) under a name; fields are names and values in turn. Errors: INVALID, TOO_LARGE. */
export function logWrite(level: u32, logger: string, message: string, fields: Array<string>): void {
  const request = new Writer();
  request.array(4);
  request.uint(level);
  request.str(logger);
  request.str(message);
  request.array(fields.length);
  for (let i = 0; i < fields.length; i++) request.str(fields[i]);
  box.send(1, request, () => call());
}

/** True if a message of this level under this name would be kept: ask before making an expensive one. Errors: INVALID. */
export function logEnabled(level: u32, logger: string): bool {
  const request = new Writer();
  request.array(2);
  request.uint(level);
  request.str(logger);
  const reader = box.send(2, request, () => call());
  let kept: bool = false;
  if (box.status == Status.OK) {
    kept = reader.bool();
    box.done(reader);
  }
  return kept;
}

/** The lowest level that is kept under the guest's own name, and 51 where none is. It costs next to nothing: ask before each message. */
// @ts-ignore: decorator
@external("purewasm/log@1", "__log_lowest_level")
export declare function logLowestLevel(): i32;
