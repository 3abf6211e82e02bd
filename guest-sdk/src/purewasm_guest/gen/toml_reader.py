"""What both kinds of ABI files are read with: tables of TOML whose every key is asked for, and messages that say where."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Final, cast

TARGETS: Final = ("host", "c", "zig", "go", "rust", "assemblyscript", "python", "docs", "cases")
_SNAKE: Final = re.compile(r"[a-z][a-z0-9_]*")
_NAME: Final = re.compile(r"[a-z0-9._-]+/[a-z0-9._-]+")
# Names of operations and calls stand alone in Rust, Zig and Python (which gets a `_` at their end); elsewhere they have something before.
_KEYWORDS: Final = frozenset(
    # Rust
    "abstract as async await become box break const continue crate do dyn else enum extern false final fn for gen if impl in let loop "
    "macro match mod move mut override priv pub ref return self static struct super trait true try type typeof union unsafe unsized use "
    "virtual where while yield "
    # Zig
    "addrspace align allowzero and anyframe anytype asm callconv catch comptime defer errdefer error export inline linksection noalias "
    "noinline nosuspend opaque or orelse packed resume suspend switch test threadlocal undefined unreachable usingnamespace var volatile "
    # Python
    "assert del elif except from global is lambda nonlocal not pass raise with "
    # the others, where a name of one word is as it is
    "case class def default func function import interface map new package range this void".split()
)
# Names of fields and cells stand alone in every language.
_FIELD_KEYWORDS: Final = _KEYWORDS | frozenset(
    # C and C++
    "alignas alignof auto bitand bitor bool char concept constexpr decltype delete double explicit float friend goto int long mutable "
    "namespace noexcept not null nullptr operator private protected public register requires short signed sizeof template throw typedef "
    "typeid typename unsigned using wchar_t xor "
    # Go, with names that the SDKs' functions use
    "any append byte cap chan close copy fallthrough float64 go int32 int64 len nil panic select string uint32 uint64 "
    # AssemblyScript
    "abort arguments array assert changetype debugger declare eval finally implements instanceof load readonly store "
    # the types of Zig, Rust and Python guests
    "f32 f64 i32 i64 list str u8 u32 u64 usize vec".split()
)

Table = dict[str, object]


class AbiFileError(ValueError):
    """An ABI file is wrong: the message says where."""


def read_toml(path: Path) -> Table:
    """The content of a file. `AbiFileError` where it is no TOML."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise AbiFileError(f"{path}: no TOML: {error}") from None


def plain(value: object) -> object:
    """A value of the file: `{ hex = "…" }` is bytes."""
    if isinstance(value, dict) and value.keys() == {"hex"}:
        return bytes.fromhex(str(value["hex"]))
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


class TomlReader:
    """The walk through one file; `where` goes into every message."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def _fail(self, where: str, problem: str) -> AbiFileError:
        return AbiFileError(f"{self._path}: {where}: {problem}")

    def _get(self, table: Table, key: str, kind: type, where: str, default: object = ...) -> object:
        if key not in table:
            if default is ...:
                raise self._fail(where, f"{key!r} is missing")
            return default
        value = table.pop(key)
        if type(value) is not kind:
            raise self._fail(where, f"{key!r} is a {kind.__name__}, not {value!r}")
        return value

    def _done(self, table: Table, where: str) -> None:
        if table:
            raise self._fail(where, f"unknown key {next(iter(table))!r}")

    def _tables(self, table: Table, key: str) -> list[Table]:
        found = self._get(table, key, list, "the file", [])
        if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
            raise self._fail("the file", f"[[{key}]] is a table each")
        return cast("list[Table]", found)

    def _module_name(self, module: Table) -> str:
        name = str(self._get(module, "name", str, "[module]"))
        if not _NAME.fullmatch(name):
            raise self._fail("[module]", f"the name is owner/name, without a version, not {name!r}")
        return name

    def _outputs(self, generate: Table) -> dict[str, Path]:
        """Where each target is written."""
        wanted: list[str] = [target for target in TARGETS if target in generate]
        outputs = {target: self._path.parent / str(self._get(generate, target, str, "[generate]")) for target in wanted}
        self._done(generate, "[generate]")
        return outputs

    def _snake(self, name: object, where: str) -> str:
        if not isinstance(name, str) or not _SNAKE.fullmatch(name) or name in _KEYWORDS:
            raise self._fail(where, f"a name is snake_case and no keyword, not {name!r}")
        return name

    def _field_name(self, name: object, where: str) -> str:
        found = self._snake(name, where)
        if found in _FIELD_KEYWORDS:
            raise self._fail(where, f"{name!r} is a word of one of the SDKs' languages: choose another one")
        return found
