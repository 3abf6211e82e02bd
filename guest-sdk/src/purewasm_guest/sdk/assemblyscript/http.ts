// HTTP requests, as far as the embedder allows them. The guest's side of `purewasm/http@1`. Written by `purewasm gen` from abi.toml: change that instead.
//
// The entry file of a guest has to export the mailbox: `export { __http } from "…/http";`. After each call
// `box.status` says how it went, and `box.message` more.

import { Box, Reader, Status, Writer } from "./mailbox";

@external("purewasm/http@1", "__http_call")
declare function call(): void;

export const box = new Box(memory.data(40, 8), 1, 0);

export function __http(): u32 {
  return <u32>box.address;
}

export class HttpRequestResult {
  code: u32 = 0;
  fields: Array<string> = [];
  content: Uint8Array = new Uint8Array(0);
}

/** Send a request and wait for the whole answer. Headers are names and values in turn; a timeout of 0 is the host's own. Errors: DENIED, INVALID, TOO_LARGE, TIMEOUT, UNAVAILABLE. */
export function httpRequest(verb: string, url: string, headers: Array<string>, body: Uint8Array, timeoutMs: u32): HttpRequestResult {
  const request = new Writer();
  request.array(5);
  request.str(verb);
  request.str(url);
  request.array(headers.length);
  for (let i = 0; i < headers.length; i++) request.str(headers[i]);
  request.bytes(body);
  request.uint(timeoutMs);
  const reader = box.send(1, request, () => call());
  const answer = new HttpRequestResult();
  if (box.status == Status.OK) {
    reader.expect(3);
    answer.code = <u32>reader.uint(32);
    for (let count = reader.array(); count > 0 && !reader.bad; count--) answer.fields.push(reader.str());
    answer.content = reader.bytes();
    box.done(reader);
  }
  return answer;
}

/** True if the embedder allows requests with this verb to this URL, as far as that can be said without resolving its host. */
export function httpAllowed(verb: string, url: string): bool {
  const request = new Writer();
  request.array(2);
  request.str(verb);
  request.str(url);
  const reader = box.send(2, request, () => call());
  let permitted: bool = false;
  if (box.status == Status.OK) {
    permitted = reader.bool();
    box.done(reader);
  }
  return permitted;
}
