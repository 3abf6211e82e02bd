// Named values that the host sets, many at once. The guest's side of `purewasm/globals@1`. Written by `purewasm gen` from abi.toml: change that instead.
//
// The entry file of a guest has to export the mailbox: `export { __globals } from "…/globals";`. After each call
// `box.status` says how it went, and `box.message` more.

import { Box, Reader, Status, Writer } from "./mailbox";

@external("purewasm/globals@1", "__globals_call")
declare function call(): void;

export const box = new Box(memory.data(40, 8), 1, 0);

export function __globals(): u32 {
  return <u32>box.address;
}

/** The values of several names, the default of each where the host has none. Errors: INVALID. */
export function globalsGetMany(names: Array<string>, defaults: Array<u64>): Array<u64> {
  const request = new Writer();
  request.array(2);
  request.array(names.length);
  for (let i = 0; i < names.length; i++) request.str(names[i]);
  request.array(defaults.length);
  for (let i = 0; i < defaults.length; i++) request.uint(defaults[i]);
  const reader = box.send(1, request, () => call());
  let values: Array<u64> = [];
  if (box.status == Status.OK) {
    for (let count = reader.array(); count > 0 && !reader.bad; count--) values.push(<u64>reader.uint(64));
    box.done(reader);
  }
  return values;
}

/** The names that have a value and begin with a prefix, in order, after the name `after`; at most 1,000. */
export function globalsList(prefix: string, after: string): Array<string> {
  const request = new Writer();
  request.array(2);
  request.str(prefix);
  request.str(after);
  const reader = box.send(2, request, () => call());
  let names: Array<string> = [];
  if (box.status == Status.OK) {
    for (let count = reader.array(); count > 0 && !reader.bad; count--) names.push(reader.str());
    box.done(reader);
  }
  return names;
}
