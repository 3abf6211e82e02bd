// Messages to other guests and to the host, by the number of a pipe. The guest's side of `pantopic/wazero-pipe`. Written by `purewasm gen` from abi.toml: change that instead.
//
// The entry file of a guest has to export the page: `export { __pipe } from "…/pipe";`. There is no
// status: what the host cannot do ends the guest's call.

@external("pantopic/wazero-pipe", "__pipe_send")
declare function hostSend(): void;

@external("pantopic/wazero-pipe", "__pipe_recv")
declare function hostRecv(): void;

const cellPipe = memory.data(4, 4);
/** How long that may be, in bytes. */
export const MESSAGE_CAPACITY: u32 = 4096;
const cellMessageCapacity = memory.data(4, 4);
const cellMessageLength = memory.data(4, 4);
const cellMessage = memory.data(4096);
const page = memory.data(16, 4);

export function __pipe(): u32 {
  store<u32>(cellMessageCapacity, MESSAGE_CAPACITY);
  store<u32>(page, <u32>cellPipe, 0);
  store<u32>(page, <u32>cellMessageCapacity, 4);
  store<u32>(page, <u32>cellMessageLength, 8);
  store<u32>(page, <u32>cellMessage, 12);
  return <u32>page;
}

/** Put a copy of the bytes into a pipe; waits for room. */
export function pipeSend(pipe: u32, message: Uint8Array): void {
  store<u32>(cellPipe, pipe);
  assert(<u32>message.length <= MESSAGE_CAPACITY, "message has at most 4096 bytes");
  memory.copy(cellMessage, message.dataStart, <usize>message.length);
  store<u32>(cellMessageLength, <u32>message.length);
  hostSend();
}

/** Take the first message out of a pipe; waits for one. */
export function pipeRecv(pipe: u32): Uint8Array {
  store<u32>(cellPipe, pipe);
  hostRecv();
  const found = new Uint8Array(<i32>load<u32>(cellMessageLength));
  memory.copy(found.dataStart, cellMessage, <usize>found.length);
  return found;
}
