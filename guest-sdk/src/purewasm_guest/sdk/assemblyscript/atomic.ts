// Counters of 64 bits that all guests of a host share. The guest's side of `pantopic/wazero-atomic`. Written by `purewasm gen` from abi.toml: change that instead.
//
// The entry file of a guest has to export the page: `export { __atomic } from "…/atomic";`. There is no
// status: what the host cannot do ends the guest's call.

@external("pantopic/wazero-atomic", "__atomic_uint64_add")
declare function hostAdd(): void;

@external("pantopic/wazero-atomic", "__atomic_uint64_load")
declare function hostLoad(): void;

@external("pantopic/wazero-atomic", "__atomic_uint64_store")
declare function hostStore(): void;

@external("pantopic/wazero-atomic", "__atomic_uint64_del")
declare function hostDelete(): void;

const cellSet = memory.data(4, 4);
const cellId = memory.data(8, 8);
const cellValue = memory.data(8, 8);
const page = memory.data(12, 4);

export function __atomic(): u32 {
  store<u32>(page, <u32>cellSet, 0);
  store<u32>(page, <u32>cellId, 4);
  store<u32>(page, <u32>cellValue, 8);
  return <u32>page;
}

/** Add to a counter, modulo 2^64: the sum. A counter that is not there is 0. */
export function atomicAdd(set: u32, id: u64, value: u64): u64 {
  store<u32>(cellSet, set);
  store<u64>(cellId, id);
  store<u64>(cellValue, value);
  hostAdd();
  return load<u64>(cellValue);
}

/** The value of a counter. */
export function atomicLoad(set: u32, id: u64): u64 {
  store<u32>(cellSet, set);
  store<u64>(cellId, id);
  hostLoad();
  return load<u64>(cellValue);
}

/** Give a counter a value. */
export function atomicStore(set: u32, id: u64, value: u64): void {
  store<u32>(cellSet, set);
  store<u64>(cellId, id);
  store<u64>(cellValue, value);
  hostStore();
}

/** Forget a counter: it is 0 again. */
export function atomicDelete(set: u32, id: u64): void {
  store<u32>(cellSet, set);
  store<u64>(cellId, id);
  hostDelete();
}
