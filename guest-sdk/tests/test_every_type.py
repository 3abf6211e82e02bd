"""A host module of one's own: every type as argument and result, in every language that has it, through what `purewasm gen` writes."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from purewasm import Runtime
from purewasm.hostmod import AbiError, OperationError
from purewasm.testing import MailboxGuest, check_hostile, conformance_cases
from purewasm_guest.gen.command import main as gen

pytestmark = pytest.mark.slow

SCALARS = {"yes": "bool", "small": "i32", "natural": "u32", "wide": "i64", "huge": "u64", "real": "f64", "words": "str", "blob": "bytes"}
LISTS = {f"{name}_many": f"list<{kind}>" for name, kind in SCALARS.items()}
ABI = f"""
[module]
name = "acme/mirror"
version = [3, 7]
summary = "Gives back what it gets."
[generate]
host = "mirror.py"
cases = "abi_cases.json"
c = "sdk/acme_mirror.h"
zig = "sdk/acme_mirror.zig"
go = "sdk/mirror/mirror.go"
rust = "sdk/mirror.rs"
assemblyscript = "sdk/mirror.ts"
python = "sdk/mirror.py"
[[status]]
number = 100
name = "BROKEN"
summary = "The mirror is broken."
{"".join(f'''
[[operation]]
number = {number}
name = "same_{name}"
summary = "The same."
arguments = [{{ name = "{name}", type = "{kind}" }}]
results = [{{ name = "found", type = "{kind}" }}]
errors = ["BROKEN"]
''' for number, (name, kind) in enumerate({**SCALARS, **LISTS}.items(), 1))}
[[operation]]
number = 50
name = "anything"
summary = "A value."
arguments = [{{ name = "what", type = "value" }}]
results = [{{ name = "found", type = "value" }}]
[[plain]]
name = "weigh"
summary = "A sum."
parameters = [{{ name = "left", type = "i64" }}, {{ name = "right", type = "f64" }}, {{ name = "middle", type = "i32" }}]
result = "f64"
[[case]]
name = "values"
steps = [
    {{ call = "same_yes", arguments = [true], result = true }},
    {{ call = "same_blob", arguments = [{{ hex = "00ff" }}], result = {{ hex = "00ff" }} }},
    {{ call = "same_words_many", arguments = [["a", "ä"]], result = ["a", "ä"] }},
]
"""
# Each guest exports `run() -> i32`: 0, or the number of the first thing that is wrong.
C = """
#include <acme_mirror.h>
#define TRY(number, condition) do { if (!(condition)) return number; } while (0)
__attribute__((export_name("run"))) int32_t run(void) {
    bool yes; int32_t small; uint32_t natural; int64_t wide; uint64_t huge; double real; purewasm_text words; purewasm_bytes blob;
    TRY(1, !acme_mirror_same_yes(true, &yes) && yes);
    TRY(2, !acme_mirror_same_small(INT32_MIN, &small) && small == INT32_MIN);
    TRY(3, !acme_mirror_same_natural(UINT32_MAX, &natural) && natural == UINT32_MAX);
    TRY(4, !acme_mirror_same_wide(INT64_MIN, &wide) && wide == INT64_MIN);
    TRY(5, !acme_mirror_same_huge(UINT64_MAX, &huge) && huge == UINT64_MAX);
    TRY(6, !acme_mirror_same_real(-0.5, &real) && real == -0.5);
    TRY(7, !acme_mirror_same_words(PUREWASM_TEXT("abc"), &words) && words.size == 3 && words.data[2] == 'c');
    uint8_t bytes[300] = {0, 255};
    purewasm_bytes given = {bytes, 300};
    TRY(8, !acme_mirror_same_blob(given, &blob) && blob.size == 300 && blob.data[1] == 255);
    purewasm_list list;
    int64_t wides[] = {-1, INT64_MAX};
    TRY(9, !acme_mirror_same_wide_many(wides, 2, &list) && list.count == 2);
    TRY(10, purewasm_take_i64(&list.reader) == -1 && purewasm_take_i64(&list.reader) == INT64_MAX);
    double reals[] = {1e300, -1};
    TRY(11, !acme_mirror_same_real_many(reals, 2, &list) && purewasm_take_f64(&list.reader) == 1e300);
    TRY(12, acme_mirror_weigh(1, 0.5, 2) == 3.5);
    TRY(13, acme_mirror_same_small(13, &small) == ACME_MIRROR_BROKEN);
    return 0;
}
"""
ZIG = """
const mirror = @import("acme_mirror");
const std = @import("std");
fn check() !i32 {
    if (!try mirror.sameYes(true)) return 1;
    if (try mirror.sameSmall(std.math.minInt(i32)) != std.math.minInt(i32)) return 2;
    if (try mirror.sameNatural(std.math.maxInt(u32)) != std.math.maxInt(u32)) return 3;
    if (try mirror.sameWide(std.math.minInt(i64)) != std.math.minInt(i64)) return 4;
    if (try mirror.sameHuge(std.math.maxInt(u64)) != std.math.maxInt(u64)) return 5;
    if (try mirror.sameReal(-0.5) != -0.5) return 6;
    if (!std.mem.eql(u8, try mirror.sameWords("abc"), "abc")) return 7;
    const bytes: [300]u8 = @splat(255);
    if (!std.mem.eql(u8, try mirror.sameBlob(&bytes), &bytes)) return 8;
    var wides = try mirror.sameWideMany(&.{ -1, std.math.maxInt(i64) });
    if (wides.next().? != -1 or wides.next().? != std.math.maxInt(i64)) return 9;
    var reals = try mirror.sameRealMany(&.{ 1e300, -1 });
    if (reals.next().? != 1e300) return 11;
    if (mirror.weigh(1, 0.5, 2) != 3.5) return 12;
    if (mirror.sameSmall(13)) |_| return 13 else |_| {}
    if (mirror.box.status != mirror.status_broken) return 14;
    return 0;
}
export fn run() i32 {
    return check() catch -1;
}
"""
GO = """
package main

import (
	"bytes"
	"errors"
	"math"
	"purewasm/mirror"
)

func first(conditions ...bool) int32 {
	for at, condition := range conditions {
		if !condition {
			return int32(at + 1)
		}
	}
	return 0
}

//go:wasmexport run
func run() int32 {
	yes, err1 := mirror.SameYes(true)
	small, err2 := mirror.SameSmall(math.MinInt32)
	natural, err3 := mirror.SameNatural(math.MaxUint32)
	wide, err4 := mirror.SameWide(math.MinInt64)
	huge, err5 := mirror.SameHuge(math.MaxUint64)
	real, err6 := mirror.SameReal(-0.5)
	words, err7 := mirror.SameWords("abc")
	given := bytes.Repeat([]byte{255}, 300)
	blob, err8 := mirror.SameBlob(given)
	wides, err9 := mirror.SameWideMany([]int64{-1, math.MaxInt64})
	reals, err10 := mirror.SameRealMany([]float64{1e300, -1})
	_, broken := mirror.SameSmall(13)
	return first(yes && err1 == nil, small == math.MinInt32 && err2 == nil, natural == math.MaxUint32 && err3 == nil,
		wide == math.MinInt64 && err4 == nil, huge == math.MaxUint64 && err5 == nil, real == -0.5 && err6 == nil,
		words == "abc" && err7 == nil, bytes.Equal(blob, given) && err8 == nil,
		err9 == nil && len(wides) == 2 && wides[0] == -1 && wides[1] == math.MaxInt64,
		err10 == nil && reals[0] == 1e300 && reals[1] == -1, mirror.Weigh(1, 0.5, 2) == 3.5, errors.Is(broken, mirror.Broken))
}

func main() {}
"""
TS = """
import * as mirror from "./purewasm/mirror";
export { __mirror } from "./purewasm/mirror";

export function run(): i32 {
  if (!mirror.mirrorSameYes(true)) return 1;
  if (mirror.mirrorSameSmall(i32.MIN_VALUE) != i32.MIN_VALUE) return 2;
  if (mirror.mirrorSameNatural(u32.MAX_VALUE) != u32.MAX_VALUE) return 3;
  if (mirror.mirrorSameWide(i64.MIN_VALUE) != i64.MIN_VALUE) return 4;
  if (mirror.mirrorSameHuge(u64.MAX_VALUE) != u64.MAX_VALUE) return 5;
  if (mirror.mirrorSameReal(-0.5) != -0.5) return 6;
  if (mirror.mirrorSameWords("abc") != "abc") return 7;
  const given = new Uint8Array(300);
  given[1] = 255;
  const blob = mirror.mirrorSameBlob(given);
  if (blob.length != 300 || blob[1] != 255) return 8;
  const wides = mirror.mirrorSameWideMany([-1, i64.MAX_VALUE]);
  if (wides.length != 2 || wides[0] != -1 || wides[1] != i64.MAX_VALUE) return 9;
  if (mirror.mirrorSameRealMany([1e300, -1])[0] != 1e300) return 11;
  if (mirror.mirrorWeigh(1, 0.5, 2) != 3.5) return 12;
  if (mirror.box.status != 0) return 13;
  mirror.mirrorSameSmall(13);
  return mirror.box.status == mirror.BROKEN ? 0 : 14;
}
"""
RUST = """
use purewasm_guest::{mailbox::{Error, Result}, mirror};

fn check() -> Result<()> {
    assert!(mirror::same_yes(true)?);
    assert_eq!(mirror::same_small(i32::MIN)?, i32::MIN);
    assert_eq!(mirror::same_natural(u32::MAX)?, u32::MAX);
    assert_eq!(mirror::same_wide(i64::MIN)?, i64::MIN);
    assert_eq!(mirror::same_huge(u64::MAX)?, u64::MAX);
    assert_eq!(mirror::same_real(-0.5)?, -0.5);
    assert_eq!(mirror::same_words("abc")?, "abc");
    assert_eq!(mirror::same_blob(&[255; 300])?, [255; 300]);
    assert_eq!(mirror::same_wide_many(&[-1, i64::MAX])?, [-1, i64::MAX]);
    assert_eq!(mirror::same_real_many(&[1e300, -1.0])?, [1e300, -1.0]);
    assert_eq!(mirror::weigh(1, 0.5, 2), 3.5);
    assert!(matches!(mirror::same_small(13), Err(Error::Module(mirror::BROKEN, _))));
    Ok(())
}

#[no_mangle]
pub extern "C" fn run() -> i32 {
    check().map_or(-1, |_| 0)
}
"""
PYTHON = """
from purewasm_guest.python import export, f64, i32, i64
from purewasm_guest.sdk.python import mirror


@export
def run() -> i32:
    assert mirror.same_yes(True)
    assert mirror.same_small(-0x80000000) == -0x80000000
    assert mirror.same_natural(0xFFFFFFFF) == 0xFFFFFFFF
    assert mirror.same_wide(-0x7FFFFFFFFFFFFFFF) == -0x7FFFFFFFFFFFFFFF
    assert mirror.same_huge(0xFFFFFFFFFFFFFFFF) == 0xFFFFFFFFFFFFFFFF
    assert mirror.same_real(-0.5) == -0.5
    assert mirror.same_words("abc") == "abc"
    given = b"\\xff" * 300
    assert mirror.same_blob(given) == given
    wides: list[i64] = [-1, 0x7FFFFFFFFFFFFFFF]
    assert mirror.same_wide_many(wides)[1] == 0x7FFFFFFFFFFFFFFF
    reals: list[f64] = [1e300, -1.0]
    assert mirror.same_real_many(reals)[0] == 1e300
    assert mirror.weigh(1, 0.5, 2) == 3.5
    assert mirror.status() == 0
    mirror.same_small(13)
    assert mirror.status() == mirror.BROKEN
    return 0
"""
SOURCES = {"guest.c": C, "guest.zig": ZIG, "guest.go": GO, "guest.ts": TS, "guest.rs": RUST, "guest.py": PYTHON}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The host module's files, as `purewasm gen` writes them, and the guests."""
    folder = tmp_path_factory.mktemp("mirror")
    (folder / "abi.toml").write_text(ABI, encoding="utf-8")
    assert gen([str(folder / "abi.toml")]) == 0
    for name, text in SOURCES.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def mirror(project: Path) -> Any:
    """The host module: every operation gives back its argument."""
    namespace: dict[str, Any] = {"__name__": "mirror"}
    exec(compile((project / "mirror.py").read_text(), "mirror.py", "exec"), namespace)
    base = namespace["MirrorAbi"]

    def same(self: object, value: object) -> object:
        if value == 13:
            raise OperationError(namespace["BROKEN"], "seven years")
        return value

    methods = {f"on_same_{name}": same for name in (*SCALARS, *LISTS)}
    weigh = {"on_weigh": lambda self, left, right, middle: left + right + middle}
    return type("Mirror", (base,), {**methods, **weigh, "on_anything": same})


def test_the_host_passes_its_own_cases(project: Path, mirror: Any, runtime: Runtime) -> None:
    cases = conformance_cases(project / "abi_cases.json")
    assert len(cases) > 50
    for case in cases:
        case.run(runtime, mirror())
    check_hostile(runtime, mirror)


@pytest.mark.parametrize("name", SOURCES)
def test_a_guest_in_each_language(
    project: Path, mirror: Any, runtime: Runtime, guest: Callable[..., Path], name: str
) -> None:
    wasi = pytest.importorskip("purewasm_wasi")
    wasi.Wasi().register(runtime)
    mirror().register(runtime)
    assert runtime.instantiate(guest(project / name, sdk=[project / "sdk"])).exports.run() == 0


def test_edges_of_types(mirror: Any, runtime: Runtime) -> None:
    guest = MailboxGuest(runtime, mirror())
    edges: dict[str, list[object]] = {
        "small": [-(2**31), 2**31 - 1], "natural": [0, 2**32 - 1], "wide": [-(2**63), 2**63 - 1], "huge": [0, 2**64 - 1],
        "real": [math.inf, -0.0, 5e-324], "words": ["", "\0", "𝄞" * 1_000], "blob": [b"", bytes(range(256))], "yes": [True, False],
    }  # fmt: skip
    for name, values in edges.items():
        for value in values:
            assert guest.call(f"same_{name}", value) == value
        assert guest.call(f"same_{name}_many", values) == values
        assert guest.call(f"same_{name}_many", []) == []
    beyond = {"small": 2**31, "natural": -1, "wide": 2**63, "huge": -1, "yes": 1, "words": b"", "blob": "", "real": "1"}
    for name, value in beyond.items():
        for arguments in ([value], [[value]]):
            with pytest.raises(AbiError):
                guest.call(f"same_{name}{'_many' if isinstance(arguments[0], list) else ''}", *arguments)
    deep: object = None
    for _ in range(32):
        deep = [deep]
    assert guest.call("anything", deep) == deep
    assert guest.call("anything", {"a": [1, {"b": b""}], "": None}) == {"a": [1, {"b": b""}], "": None}
    with pytest.raises(AbiError, match="nested at most 32 deep"):
        guest.call("anything", [deep])
