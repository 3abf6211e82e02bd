"""What `purewasm gen` writes compiles in every language, and carries every kind of argument and result."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from purewasm import Runtime
from purewasm.testing import FakeHost
from purewasm_global import Globals
from purewasm_http.abi import HttpAbi
from purewasm_kv import Kv
from purewasm_kv.abi import KvAbi
from purewasm_log.abi import LogAbi

pytestmark = pytest.mark.slow

C = """
#include <purewasm_globals.h>
#include <purewasm_http.h>
#include <purewasm_kv.h>
#include <purewasm_log.h>
__attribute__((export_name("run"))) int64_t run(void) {
    purewasm_text names[] = {PUREWASM_TEXT("A"), PUREWASM_TEXT("B")}, fields[] = {PUREWASM_TEXT("k"), PUREWASM_TEXT("v")};
    uint64_t defaults[] = {1, 2};
    purewasm_list values, found, contents, headers;
    bool yes = false, no = true;
    uint32_t code = 0;
    purewasm_bytes content;
    if (purewasm_globals_get_many(names, 2, defaults, 2, &values)) return -1;
    int64_t sum = purewasm_take_u64(&values.reader) + purewasm_take_u64(&values.reader);
    if (purewasm_kv_get_many(names, 2, &found, &contents)) return -2;
    yes = purewasm_take_bool(&found.reader);
    no = purewasm_take_bool(&found.reader);
    sum += purewasm_take_bytes(&contents.reader).data[0];
    purewasm_bytes body = {0, 0};
    if (purewasm_http_request(PUREWASM_TEXT("GET"), PUREWASM_TEXT("u"), fields, 2, body, 7, &code, &headers, &content)) return -3;
    if (purewasm_log_write(20, PUREWASM_TEXT("l"), PUREWASM_TEXT("m"), fields, 2)) return -4;
    return yes && !no ? sum + code + content.size + headers.count + purewasm_log_lowest_level() : -5;
}
"""
ZIG = """
const globals = @import("purewasm_globals");
const http = @import("purewasm_http");
const kv = @import("purewasm_kv");
const log = @import("purewasm_log");
const fields = [_]log.Text{ .{ .text = "k" }, .{ .text = "v" } };
fn all() !i64 {
    const names = [_]kv.Text{ .{ .text = "A" }, .{ .text = "B" } };
    var values = try globals.getMany(&names, &.{ 1, 2 });
    var sum: i64 = @intCast(values.next().? + values.next().?);
    if (values.next() != null) return -1;
    var many = try kv.getMany(&names);
    if (!many.found.next().? or many.found.next().?) return -2;
    sum += many.values.next().?[0];
    const answer = try http.request("GET", "u", &fields, "", 7);
    sum += answer.code;
    sum += @intCast(answer.content.len + answer.fields.count);
    try log.write(20, "l", "m", &fields);
    return sum + log.lowestLevel();
}
export fn run() i64 {
    return all() catch -5;
}
"""
GO = """
package main

import (
	"purewasm/globals"
	"purewasm/http"
	"purewasm/kv"
	"purewasm/log"
)

//go:wasmexport run
func run() int64 {
	names, fields := []string{"A", "B"}, []string{"k", "v"}
	values, err := globals.GetMany(names, []uint64{1, 2})
	if err != nil {
		return -1
	}
	found, contents, err := kv.GetMany(names)
	if err != nil || !found[0] || found[1] {
		return -2
	}
	code, headers, content, err := http.Request("GET", "u", fields, nil, 7)
	if err != nil || log.Write(20, "l", "m", fields) != nil {
		return -3
	}
	sum := int64(values[0]+values[1]) + int64(contents[0][0]) + int64(code)
	return sum + int64(len(content)+len(headers)) + int64(log.LowestLevel())
}

func main() {}
"""
TS = """
import { box as globalsBox, globalsGetMany } from "./purewasm/globals";
import { box as httpBox, httpRequest } from "./purewasm/http";
import { box as kvBox, kvGetMany } from "./purewasm/kv";
import { box as logBox, logLowestLevel, logWrite } from "./purewasm/log";
export { __globals } from "./purewasm/globals";
export { __http } from "./purewasm/http";
export { __kv } from "./purewasm/kv";
export { __log } from "./purewasm/log";

export function run(): i64 {
  const names = ["A", "B"], fields = ["k", "v"];
  const values = globalsGetMany(names, [1, 2]);
  const many = kvGetMany(names);
  const answer = httpRequest("GET", "u", fields, new Uint8Array(0), 7);
  logWrite(20, "l", "m", fields);
  if (globalsBox.status | kvBox.status | httpBox.status | logBox.status) return -1;
  if (!many.found[0] || many.found[1]) return -2;
  const sum = <i64>(values[0] + values[1]) + many.values[0][0] + answer.code;
  return sum + answer.content.length + answer.fields.length + logLowestLevel();
}
"""
RUST = """
use purewasm_guest::{globals, http, kv, log};

fn all() -> purewasm_guest::mailbox::Result<i64> {
    let (names, fields) = (["A", "B"], ["k", "v"]);
    let values = globals::get_many(&names, &[1, 2])?;
    let (found, contents) = kv::get_many(&names)?;
    assert_eq!(found, [true, false]);
    let (code, headers, content) = http::request("GET", "u", &fields, &[], 7)?;
    log::write(20, "l", "m", &fields)?;
    let sum = (values[0] + values[1]) as i64 + i64::from(contents[0][0]) + i64::from(code);
    Ok(sum + (content.len() + headers.len()) as i64 + i64::from(log::lowest_level()))
}

#[no_mangle]
pub extern "C" fn run() -> i64 {
    all().unwrap_or(-5)
}
"""
PYTHON = """
from purewasm_guest.python import export, i64
from purewasm_guest.sdk.python import globals as globals_
from purewasm_guest.sdk.python import http, kv, log


@export
def run() -> i64:
    names = ["A", "B"]
    fields = ["k", "v"]
    values = globals_.get_many(names, [1, 2])
    many = kv.get_many(names)
    answer = http.request("GET", "u", fields, b"", 7)
    log.write(20, "l", "m", fields)
    if globals_.status() != 0 or kv.status() != 0 or http.status() != 0 or log.status() != 0:
        return -1
    if not many.found[0] or many.found[1]:
        return -2
    total = i64(values[0] + values[1]) + many.values[0][0] + i64(answer.code)
    return total + len(answer.content) + len(answer.fields) + i64(log.lowest_level())
"""
SOURCES = {"guest.c": C, "guest.zig": ZIG, "guest.go": GO, "guest.ts": TS, "guest.rs": RUST, "guest.py": PYTHON}


@pytest.fixture(params=SOURCES)
def every(request: pytest.FixtureRequest, guest: Callable[..., Path], tmp_path: Path) -> Path:
    name = str(request.param)
    (tmp_path / name).write_text(SOURCES[name], encoding="utf-8")
    return guest(tmp_path / name)


def test_every_kind_of_argument_and_result(every: Path) -> None:
    wasi = pytest.importorskip("purewasm_wasi")
    log, http, kv = FakeHost(LogAbi), FakeHost(HttpAbi), FakeHost(KvAbi)
    log.on("write", 20, "l", "m", ["k", "v"]).returns(None)
    log.on("__log_lowest_level").returns(30)
    http.on("request", "GET", "u", ["k", "v"], b"", 7).returns((200, ["a", "b"] * 20, bytes(70_000)))
    kv.on("get_many", ["A", "B"]).returns(([True, False], [b"\xff" * 300, b""]))
    for _ in range(2):
        with Runtime() as runtime:
            wasi.Wasi().register(runtime)
            Globals({"B": 2**40}).register(runtime)
            for fake in (log, http, kv):
                fake.module.register(runtime)
            exports = runtime.instantiate(every).exports
            assert exports.run() == exports.run() == 1 + 2**40 + 255 + 200 + 70_000 + 40 + 30
    for fake in (log, http, kv):
        fake.verify()


def test_the_real_host_module_agrees_with_its_abi() -> None:
    assert {operation.name for operation in Kv().operations.values()} == {
        operation.name for operation in FakeHost(KvAbi).module.operations.values()  # type: ignore[attr-defined]
    }
