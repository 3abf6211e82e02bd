"""What `purewasm gen` writes for pages: the same guest of `atomic` and `pipe` in every language, on both engines."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from purewasm import Runtime, WasmError
from purewasm.hostmod import AbiError
from purewasm_atomic import Atomics
from purewasm_pipe import Pipes, PipeTimeoutError

pytestmark = pytest.mark.slow

C = """
#include <purewasm_atomic.h>
#include <purewasm_pipe.h>
__attribute__((export_name("draw"))) uint64_t draw(uint32_t set, uint64_t id, uint64_t count) {
    return purewasm_atomic_add(set, id, count);
}
__attribute__((export_name("move"))) uint64_t move(uint32_t set, uint64_t from, uint64_t to) {
    uint64_t value = purewasm_atomic_load(set, from);
    purewasm_atomic_store(set, to, value);
    purewasm_atomic_delete(set, from);
    return value;
}
__attribute__((export_name("hand"))) uint32_t hand(uint32_t from, uint32_t to) {
    uint32_t size = purewasm_pipe_recv(from);
    purewasm_pipe_send(to, purewasm_pipe_cell_message, size);
    return size;
}
__attribute__((export_name("fill"))) void fill(uint32_t to, uint32_t size) {
    static uint8_t text[8192];
    purewasm_pipe_send(to, text, size);
}
"""
ZIG = """
const atomic = @import("purewasm_atomic");
const pipe = @import("purewasm_pipe");
export fn draw(set: u32, id: u64, count: u64) u64 {
    return atomic.add(set, id, count);
}
export fn move(set: u32, from: u64, to: u64) u64 {
    const value = atomic.load(set, from);
    atomic.store(set, to, value);
    atomic.delete(set, from);
    return value;
}
export fn hand(from: u32, to: u32) u32 {
    const message = pipe.recv(from);
    pipe.send(to, message);
    return message.len;
}
const zeros: [8192]u8 = @splat(0);
export fn fill(to: u32, size: u32) void {
    pipe.send(to, zeros[0..size]);
}
"""
GO = """
package main

import (
	"purewasm/atomic"
	"purewasm/pipe"
)

//go:wasmexport draw
func draw(set uint32, id uint64, count uint64) uint64 { return atomic.Add(set, id, count) }

//go:wasmexport move
func move(set uint32, from uint64, to uint64) uint64 {
	value := atomic.Load(set, from)
	atomic.Store(set, to, value)
	atomic.Delete(set, from)
	return value
}

//go:wasmexport hand
func hand(from uint32, to uint32) uint32 {
	message := pipe.Recv(from)
	pipe.Send(to, message)
	return uint32(len(message))
}

//go:wasmexport fill
func fill(to uint32, size uint32) { pipe.Send(to, make([]byte, size)) }

func main() {}
"""
TS = """
import { atomicAdd, atomicDelete, atomicLoad, atomicStore } from "./purewasm/atomic";
import { pipeRecv, pipeSend } from "./purewasm/pipe";
export { __atomic } from "./purewasm/atomic";
export { __pipe } from "./purewasm/pipe";

export function draw(set: u32, id: u64, count: u64): u64 {
  return atomicAdd(set, id, count);
}
export function move(set: u32, from: u64, to: u64): u64 {
  const value = atomicLoad(set, from);
  atomicStore(set, to, value);
  atomicDelete(set, from);
  return value;
}
export function hand(from: u32, to: u32): u32 {
  const message = pipeRecv(from);
  pipeSend(to, message);
  return message.length;
}
export function fill(to: u32, size: u32): void {
  pipeSend(to, new Uint8Array(size));
}
"""
RUST = """
use purewasm_guest::{atomic, pipe};

#[no_mangle]
pub extern "C" fn draw(set: u32, id: u64, count: u64) -> u64 {
    atomic::add(set, id, count)
}

#[export_name = "move"]
pub extern "C" fn moved(set: u32, from: u64, to: u64) -> u64 {
    let value = atomic::load(set, from);
    atomic::store(set, to, value);
    atomic::delete(set, from);
    value
}

#[no_mangle]
pub extern "C" fn hand(from: u32, to: u32) -> u32 {
    let message = pipe::recv(from);
    pipe::send(to, &message);
    message.len() as u32
}

#[no_mangle]
pub extern "C" fn fill(to: u32, size: u32) {
    pipe::send(to, &vec![0; size as usize]);
}
"""
PYTHON = """
from purewasm_guest.python import export, i64, u32, u64
from purewasm_guest.sdk.python import atomic, pipe


@export
def draw(set: u32, id: u64, count: u64) -> u64:
    return atomic.add(set, id, count)


@export
def move(set: u32, source: u64, target: u64) -> u64:
    value = atomic.load(set, source)
    atomic.store(set, target, value)
    atomic.delete(set, source)
    return value


@export
def hand(source: u32, target: u32) -> u32:
    message = pipe.recv(source)
    pipe.send(target, message)
    return u32(len(message))


@export
def fill(target: u32, size: u32) -> None:
    pipe.send(target, b"\\0" * i64(size))
"""
SOURCES = {"guest.c": C, "guest.zig": ZIG, "guest.go": GO, "guest.ts": TS, "guest.rs": RUST, "guest.py": PYTHON}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sources, in one place for all tests: each is built once."""
    found = tmp_path_factory.mktemp("pages")
    for name, text in SOURCES.items():
        (found / name).write_text(text, encoding="utf-8")
    return found


@pytest.fixture(params=SOURCES)
def every(request: pytest.FixtureRequest, guest: Callable[..., Path], folder: Path) -> Path:
    return guest(folder / str(request.param))


def _grant(runtime: Runtime, atomics: Atomics, pipes: Pipes) -> None:
    wasi = pytest.importorskip("purewasm_wasi")
    for host in (wasi.Wasi(), atomics, pipes):
        host.register(runtime)


def test_counters(runtime: Runtime, every: Path) -> None:
    atomics = Atomics()
    _grant(runtime, atomics, Pipes(timeout=0))
    one, other = runtime.instantiate(every).exports, runtime.instantiate(every).exports
    assert [one.draw(1, 7, 5), other.draw(1, 7, 5), one.draw(2, 7, 1)] == [5, 10, 1]
    assert (one.draw(1, 7, -11), atomics.load(7, set=1)) == (-1, 2**64 - 1)
    assert (other.move(1, 7, -1), atomics.load(2**64 - 1, set=1), atomics.load(7, set=1), len(atomics)) == (-1, 2**64 - 1, 0, 2)


def test_messages(runtime: Runtime, every: Path) -> None:
    pipes = Pipes(timeout=0)
    _grant(runtime, Atomics(), pipes)
    exports = runtime.instantiate(every).exports
    for message in (b"", b"\0\xff", b"x" * 4_096):
        pipes.send(1, message)
        assert exports.hand(1, -1) == len(message)
        assert pipes.recv(2**32 - 1) == message
    with pytest.raises(PipeTimeoutError):
        exports.hand(1, 2)
    pipes.send(1, b"x" * 4_097)
    with pytest.raises(AbiError, match="the message's buffer holds 4096 bytes, and 4097 are needed"):
        exports.hand(1, 2)


def test_a_message_over_the_guests_own_limit_never_leaves_it(runtime: Runtime, every: Path) -> None:
    pipes = Pipes(timeout=0)
    _grant(runtime, Atomics(), pipes)
    exports = runtime.instantiate(every).exports
    exports.fill(1, 4_096)
    with pytest.raises(WasmError):
        exports.fill(1, 4_097)
    assert (pipes.waiting(1), pipes.recv(1)) == (1, bytes(4_096))


def test_only_what_is_used_is_imported(runtime: Runtime, every: Path) -> None:
    names = {need.module for need in runtime.resolve(runtime.compile(every))}
    assert names - {"wasi_snapshot_preview1"} == {"pantopic/wazero-atomic", "pantopic/wazero-pipe"}
